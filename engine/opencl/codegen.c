/* codegen.c - elementwise rows: kernels made from the op table's expressions.
 *
 * A work item computes `width` neighbours of one row of the innermost dim. How operands lie is part of the program:
 * '1' dense along that dim, 's' any stride, 'n' the same element everywhere (its dtype is looked up at run time, so that
 * plain numbers add no variants). Outer dims are strides in the arguments. On CPU devices a program holds all rows of a
 * signature, as loading the compiler costs more than a kernel; GPUs get one row a program. */
#include "engine/opencl/internal.h"
#include "engine/ops.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { MAXIN = GEOMETRY_MAXOP - 1 };

typedef struct Signature {
    const ClDevice *device;
    OpId op;
    int nin, width;
    bool answers_bool;
    DType compute, dtype[GEOMETRY_MAXOP]; /* [0] is the result's */
    char layout[GEOMETRY_MAXOP + 1];
    bool wide;
} Signature;

/* ---- which rows a program holds ---- */

static int operands(OpFormat f)
{
    switch (f) {
    case FORMAT_UNARY:
    case FORMAT_TEST: return 1;
    case FORMAT_BINARY:
    case FORMAT_COMPARE: return 2;
    case FORMAT_TERNARY: return 3;
    default: return 0;
    }
}

static bool answers_bool(OpFormat f)
{
    return f == FORMAT_COMPARE || f == FORMAT_TEST;
}

/* Whether rows with this rule compute in d at all. */
static bool admits(TypeRule rule, DType d)
{
    switch (rule) {
    case TYPES_NOBOOL: return d != DT_BOOL;
    case TYPES_FLOAT:
    case TYPES_FLOATONLY:
    case TYPES_ROUND: return dtype_is_float(d);
    case TYPES_INT: return !dtype_is_float(d);
    case TYPES_INTONLY: return dtype_is_int(d);
    default: return true;
    }
}

static bool in_program(const Signature *s, OpId op)
{
    const OpInfo *info = op_info(op);
    if (!s->device->is_cpu) return op == s->op;
    return operands(info->format) == s->nin && answers_bool(info->format) == s->answers_bool &&
           admits((TypeRule)info->types, s->compute);
}

/* ---- vector form: only where it pays, that is for mathematical functions, and means the same ---- */

static bool is_builtin(const char *name, size_t n)
{
    static const char *const known[] = {
        "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "erf", "erfc", "sin", "cos", "tan", "asin", "acos", "atan",
        "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "sqrt", "floor", "ceil", "rint", "trunc", "atan2", "hypot",
        "lgamma", "power", "fmod_of", "copy_sign",
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i]) == n && memcmp(known[i], name, n) == 0) return true;
    return false;
}

/* Comparisons of vectors are -1 where those of numbers are 1, so they may only choose, and all functions called must
 * have vector forms. */
static bool has_vector_form(const char *forward)
{
    bool calls = false, compares = strpbrk(forward, "<>=!") != NULL;
    for (const char *p = forward; *p;) {
        if (!isalpha((unsigned char)*p) && *p != '_') {
            p++;
            continue;
        }
        size_t n = 1;
        while (isalnum((unsigned char)p[n]) || p[n] == '_') n++;
        bool literal = n == 1 && *p == 'K';
        if (p[n] == '(' && !literal) {
            if (!is_builtin(p, n)) return false;
            calls = true;
        }
        p += n;
    }
    return calls && (!compares || strchr(forward, '?'));
}

/* ---- source ---- */

static const char *parameters(int nin, const char *type)
{
    static char text[96];
    if (nin == 1) snprintf(text, sizeof text, "%s x", type);
    else snprintf(text, sizeof text, nin == 2 ? "%s a, %s b" : "%s a, %s b, %s c", type, type, type);
    return text;
}

/* The row's expression as a function of numbers, f_<name>, and where there is one of vectors, v_<name>. */
static void write_function(Text *t, const Signature *s, const OpInfo *info, bool vector)
{
    const char *result = s->answers_bool ? "uchar" : "T";
    bool truth = s->answers_bool || s->compute == DT_BOOL;
    text_add(t, "static inline %s f_%s(%s) { return (%s)(", result, info->name, parameters(s->nin, "T"), result);
    text_add(t, truth ? "(%s) != 0); }\n" : "%s); }\n", info->forward);
    if (vector)
        text_add(t, "static inline TV v_%s(%s) { return %s; }\n", info->name, parameters(s->nin, "TV"), info->forward);
}

static void write_list(Text *t, int from, int n, const char *format)
{
    for (int k = from; k < n; k++) {
        if (k > from) text_put(t, ", ");
        for (const char *p = format; *p; p++) {
            char c[2] = {*p, 0};
            if (*p == '#') text_add(t, "%d", k);
            else text_put(t, c);
        }
    }
}

/* #define LOCATE: where the item's first elements are, o0, o1 …, of n elements a row. */
static void write_locate(Text *t, int nop)
{
    text_put(t, "#define LOCATE \\\n    INDEX id = (INDEX)get_global_id(0); \\\n    if (id >= (INDEX)g.items) return; \\\n"
                "    INDEX chunks = (INDEX)g.chunks, row = id / chunks, i = (id - row * chunks) * WIDTH; \\\n    INDEX ");
    for (int k = 0; k < nop; k++) text_add(t, "%ss%d = (INDEX)g.stride[%d][0]", k ? ", " : "", k, k);
    text_put(t, "; \\\n    INDEX ");
    for (int k = 0; k < nop; k++) text_add(t, "%so%d = (INDEX)g.offset[%d] + i * s%d", k ? ", " : "", k, k, k);
    text_put(t, "; \\\n    for (int d = 1; d < (int)g.ndim; d++) { \\\n"
                "        INDEX size = (INDEX)g.shape[d], above = row / size, at = row - above * size; \\\n       ");
    for (int k = 0; k < nop; k++) text_add(t, " o%d += at * (INDEX)g.stride[%d][d];", k, k);
    text_put(t, " \\\n        row = above; \\\n    }\n");
}

static void write_access(Text *t, const Signature *s)
{
    write_store(t, s->dtype[0], s->answers_bool ? DT_BOOL : s->compute, s->width);
    if (strchr(s->layout, 'n')) write_number_load(t, s->compute, s->device->fp64);
    for (int k = 1; k <= s->nin; k++) {
        if (s->layout[k] == 'n')
            text_add(t, "#define LOAD%d(o) load_number(p%d, g.dtype[%d], o)\n", k, k, k);
        else
            write_load(t, k, s->dtype[k], s->compute, s->layout[k] == '1' ? s->width : 1);
    }
}

/* Operand k's elements of a whole chunk as an array q<k> and, in vector form, as v<k>. */
static void write_chunk_load(Text *t, const Signature *s, int k, bool vector)
{
    int w = s->width;
    if (vector && s->layout[k] == '1') text_add(t, "        TV v%d = LOADV%d(o%d);\n", k, k, k);
    else if (vector && s->layout[k] == 'n') text_add(t, "        TV v%d = (TV)(LOAD%d(o%d));\n", k, k, k);
    else if (s->layout[k] == '1') text_add(t, "        T q%d[%d];\n        vstore%d(LOADV%d(o%d), 0, q%d);\n", k, w, w, k, k, k);
    else {
        text_add(t, "        T q%d[%d];\n", k, w);
        if (s->layout[k] == 'n') text_add(t, "        T n%d = LOAD%d(o%d);\n", k, k, k);
        text_add(t, "        for (int e = 0; e < %d; e++) q%d[e] = ", w, k);
        text_add(t, s->layout[k] == 'n' ? "n%d;\n" : "LOAD%d(o%d + e * s%d);\n", k, k, k);
        if (vector) text_add(t, "        TV v%d = vload%d(0, q%d);\n", k, w, k);
    }
}

static void write_chunk(Text *t, const Signature *s, const OpInfo *info, bool vector)
{
    int w = s->width;
    const char *result = s->answers_bool ? "uchar" : "T";
    text_put(t, "    if (i + WIDTH <= (INDEX)g.inner) {\n");
    for (int k = 1; k <= s->nin; k++) write_chunk_load(t, s, k, vector);
    if (vector) {
        if (s->answers_bool) text_add(t, "        uchar%d r = (uchar)1 & convert_uchar%d(v_%s(", w, w, info->name);
        else text_add(t, "        TV r = (v_%s(", info->name);
        write_list(t, 1, s->nin + 1, "v#");
        text_put(t, "));\n");
    } else {
        text_add(t, "        %s r[%d];\n        for (int e = 0; e < %d; e++) r[e] = f_%s(", result, w, w, info->name);
        write_list(t, 1, s->nin + 1, "q#[e]");
        text_put(t, ");\n");
    }
    if (s->layout[0] == '1') {
        text_add(t, vector ? "        STOREV(o0, r);\n" : "        STOREV(o0, vload%d(0, r));\n", w);
    } else {
        if (vector) text_add(t, "        %s z[%d];\n        vstore%d(r, 0, z);\n", result, w, w);
        text_add(t, "        for (int e = 0; e < %d; e++) STORE(o0 + e * s0, %s[e]);\n", w, vector ? "z" : "r");
    }
    text_put(t, "        return;\n    }\n");
}

static void write_kernel(Text *t, const Signature *s, const OpInfo *info)
{
    bool vector = s->width > 1 && dtype_is_float(s->compute) && has_vector_form(info->forward);
    write_function(t, s, info, vector);
    text_add(t, "kernel void k_%s(global %s *y", info->name, storage_type(s->dtype[0]));
    for (int k = 1; k <= s->nin; k++)
        text_add(t, ", global const %s *p%d", s->layout[k] == 'n' ? "uchar" : storage_type(s->dtype[k]), k);
    text_put(t, ", const Geometry g)\n{\n    LOCATE\n");
    if (s->width > 1) write_chunk(t, s, info, vector);
    text_add(t, "    INDEX n = min((INDEX)g.inner - i, (INDEX)WIDTH);\n    for (INDEX e = 0; e < n; e++) STORE(o0 + e * s0, f_%s(",
             info->name);
    write_list(t, 1, s->nin + 1, "LOAD#(o# + e * s#)");
    text_put(t, "));\n}\n");
}

/* Copies go by the same template. A program holds those from every dtype to one; the row is the identity. */
static void write_copies(Text *t, const Signature *s)
{
    for (DType from = 0; from < DT_COUNT; from++) {
        char name[32];
        Signature one = *s;
        one.dtype[1] = from;
        if (s->layout[1] == 'n' ? from != DT_BOOL : from == DT_F64 && !s->device->fp64) continue;
        snprintf(name, sizeof name, "copy_%s", s->layout[1] == 'n' ? "number" : dtype_name(from));
        if (s->layout[1] != 'n') {
            text_put(t, "#undef LOAD1\n#undef LOADV1\n");
            write_load(t, 1, from, s->compute, s->layout[1] == '1' ? s->width : 1);
        }
        write_kernel(t, &one, &(OpInfo){.name = name, .forward = "x"});
    }
}

static bool write_source(Text *t, const void *context)
{
    const Signature *s = context;
    write_prelude(t, s->device, s->compute, s->wide);
    text_add(t, "#define WIDTH %d\n", s->width);
    if (s->width > 1) text_add(t, "#define TV %s%d\n", register_type(s->compute), s->width);
    text_put(t, "#define SCALAR(name) name\n#define SCALAR_FN static inline\n");
    text_put(t, cl_source("scalar"));
    text_put(t, "#if T_FLOAT\n#define power pow\n#define fmod_of fmod\n#define copy_sign copysign\n#endif\n");
    write_locate(t, s->nin + 1);
    write_access(t, s);
    if (s->op == OP_copy) write_copies(t, s);
    else for (OpId op = 0; op < OP_COUNT; op++)
        if (in_program(s, op)) write_kernel(t, s, op_info(op));
    return !t->failed;
}

/* ---- running ---- */

static char layout_of(const Geometry *g, int k)
{
    bool one = true;
    for (int d = 0; d < g->ndim; d++) one &= g->stride[k][d] == 0 || g->shape[d] == 1;
    if (one && k > 0) return 'n';
    return g->stride[k][0] == 1 ? '1' : 's';
}

static void make_key(const Signature *s, char *key, size_t size)
{
    bool copies = s->op == OP_copy;
    int n = snprintf(key, size, "%s %d%c%c %s", copies ? "copy" : "map", s->nin, s->answers_bool ? 'b' : 'v',
                     s->wide ? 'l' : 'i', dtype_name(s->compute));
    for (int k = 0; k <= s->nin; k++) {
        bool open = s->layout[k] == 'n' || (copies && k == 1); /* not part of the program */
        n += snprintf(key + n, size - (size_t)n, " %s:%c", open ? "" : dtype_name(s->dtype[k]), s->layout[k]);
    }
    if (!s->device->is_cpu && !copies) snprintf(key + n, size - (size_t)n, " %s", op_info(s->op)->name);
}

/* Same bits on both sides: moved as integers of their size, so that nothing is rounded and float64 needs no support. */
static DType bits_of(DType d)
{
    switch (dtype_size(d)) {
    case 1: return DT_U8;
    case 2: return DT_I16;
    case 4: return DT_I32;
    default: return DT_I64;
    }
}

static bool check_dtypes(const Signature *s, const Call *call)
{
    if (s->device->fp64) return true;
    const Tensor *t[GEOMETRY_MAXOP] = {call->out[0]};
    int n = 1;
    for (int k = 1; k <= s->nin; k++)
        if (s->layout[k] != 'n' || !dtype_is_float(s->compute)) t[n++] = call->in[k - 1];
    return check_float64(s->device, t, n, s->compute);
}

bool opencl_elementwise(const Call *call)
{
    Signature s = {.device = cl_device_of(call->out[0]), .op = call->op, .nin = call->nin, .compute = call->compute};
    const Tensor *operand[GEOMETRY_MAXOP] = {call->out[0]};
    Geometry g;
    if (!s.device) return false;
    for (int k = 0; k < call->nin; k++) operand[k + 1] = call->in[k];
    int nop = call->nin + 1;
    s.width = s.device->is_cpu ? 8 : 1;
    s.answers_bool = answers_bool(op_info(call->op)->format);
    geometry_init(&g, nop, operand, s.width);
    s.wide = geometry_is_wide(&g, nop);
    for (int k = 0; k < nop; k++) {
        s.layout[k] = layout_of(&g, k);
        s.dtype[k] = (DType)operand[k]->dtype;
    }
    if (call->op == OP_copy && s.dtype[0] == s.dtype[1]) {
        s.compute = s.dtype[0] = s.dtype[1] = bits_of(s.dtype[0]);
        g.dtype[1] = (cl_int)s.compute;
    } else if (!check_dtypes(&s, call)) {
        return false;
    }
    char key[256], name[80];
    make_key(&s, key, sizeof key);
    if (call->op != OP_copy) snprintf(name, sizeof name, "k_%s", op_info(call->op)->name);
    else snprintf(name, sizeof name, "k_copy_%s", s.layout[1] == 'n' ? "number" : dtype_name(s.dtype[1]));
    ClDevice *device = cl_device_of(call->out[0]);
    Launch l = launch_begin(device, cl_program_kernel(device, key, name, write_source, &s));
    for (int k = 0; k < nop; k++) launch_tensor(&l, operand[k]);
    launch_value(&l, &g, sizeof g);
    return launch_run(&l, (size_t)g.items);
}
