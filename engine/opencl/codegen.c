/* codegen.c - elementwise rows: kernels made from the op table's expressions.
 *
 * A work item computes `width` neighbours of one row of the innermost dim. How operands lie is part of the
 * program: '1' dense along that dim, 's' any stride, 'n' the same element everywhere (its dtype is looked up
 * at run time, so that plain numbers add no variants). Outer dims are strides in the arguments. On CPU
 * devices a program holds all rows of a signature, as loading the compiler costs more than a kernel; GPUs get
 * one row a program. */
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
    case TYPES_FLOATWIDE:
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

/* ---- vector form: the expression with vectors for numbers, where that means the same ---- */

static bool is_builtin(const char *name, size_t n)
{
    static const char *const known[] = {
        "exp",  "exp2",  "expm1", "log",   "log2",   "log10", "log1p",   "erf",
        "erfc", "sin",   "cos",   "tan",   "asin",   "acos",  "atan",    "sinh",
        "cosh", "tanh",  "asinh", "acosh", "atanh",  "sqrt",  "floor",   "ceil",
        "rint", "trunc", "atan2", "hypot", "lgamma", "power", "fmod_of", "copy_sign",
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i]) == n && memcmp(known[i], name, n) == 0) return true;
    return false;
}

/* Whether every function that text calls has a vector form. K(…) is a literal. */
static bool calls_builtins_only(const char *text)
{
    for (const char *p = text; *p;) {
        size_t n = 0;
        while (isalnum((unsigned char)p[n]) || p[n] == '_') n++;
        if (p[n] == '(' && n > 0 && !(n == 1 && *p == 'K') && !is_builtin(p, n)) return false;
        p += n ? n : 1;
    }
    return true;
}

/* Whether a ?: chooses between two whole numbers, whose type would be theirs and not the operands'. */
static bool chooses_literals(const char *text)
{
    for (const char *p = strchr(text, '?'); p; p = strchr(p + 1, '?')) {
        const char *q = p + 1 + strspn(p + 1, " ");
        size_t digits = strspn(q, "0123456789");
        q += digits + strspn(q + digits, " ");
        if (digits == 0 || *q != ':') continue;
        q += 1 + strspn(q + 1, " ");
        digits = strspn(q, "0123456789");
        if (digits > 0 && (q[digits] == 0 || q[digits] == ' ' || q[digits] == ')')) return true;
    }
    return false;
}

/* Comparisons of vectors are -1 where those of numbers are 1: they may choose or be the answer, but not be
 * counted with. Literals must not be of higher rank than the elements, which rules out small integers. */
static bool has_vector_form(const OpInfo *info, DType compute)
{
    DType c = register_dtype(compute);
    if (c != DT_F32 && c != DT_F64 && c != DT_I32 && c != DT_I64) return false;
    if (!dtype_is_float(c) && strchr(info->forward, '(')) return false;
    bool compares = strpbrk(info->forward, "<>=!") != NULL, chooses = strchr(info->forward, '?') != NULL;
    if (compares && !chooses && !answers_bool(info->format)) return false;
    return calls_builtins_only(info->forward) && !chooses_literals(info->forward);
}

/* ---- source ---- */

static const char *parameters(int nin, const char *type)
{
    static char text[96];
    if (nin == 1)
        snprintf(text, sizeof text, "%s x", type);
    else
        snprintf(text, sizeof text, nin == 2 ? "%s a, %s b" : "%s a, %s b, %s c", type, type, type);
    return text;
}

/* The row's expression as a function of numbers, f_<name>, or of vectors, v_<name>. */
static void write_function(Text *t, const Signature *s, const OpInfo *info, bool vector)
{
    const char *result = s->answers_bool ? "uchar" : "T";
    bool truth = s->answers_bool || s->compute == DT_BOOL;
    if (vector) {
        text_add(t, "static inline %s v_%s(%s) { return ", s->answers_bool ? "BV" : "TV", info->name,
                 parameters(s->nin, "TV"));
        text_add(t, s->answers_bool ? "CONVERT_BV(%s) & (uchar)1; }\n" : "%s; }\n", info->forward);
        return;
    }
    text_add(t, "static inline %s f_%s(%s) { return (%s)(", result, info->name, parameters(s->nin, "T"),
             result);
    text_add(t, truth ? "(%s) != 0); }\n" : "%s); }\n", info->forward);
}

static void write_list(Text *t, int from, int n, const char *format)
{
    for (int k = from; k < n; k++) {
        if (k > from) text_put(t, ", ");
        for (const char *p = format; *p; p++) {
            char c[2] = {*p, 0};
            if (*p == '#')
                text_add(t, "%d", k);
            else
                text_put(t, c);
        }
    }
}

/* #define LOCATE: where the item's first elements are, o0, o1 …, of n elements a row. */
static void write_locate(Text *t, int nop)
{
    text_put(t, "#define LOCATE \\\n    INDEX id = (INDEX)get_global_id(0); \\\n    if (id >= "
                "(INDEX)g.items) return; \\\n"
                "    INDEX chunks = (INDEX)g.chunks, row = id / chunks, i = (id - row * chunks) * WIDTH; "
                "\\\n    INDEX ");
    for (int k = 0; k < nop; k++) text_add(t, "%ss%d = (INDEX)g.stride[%d][0]", k ? ", " : "", k, k);
    text_put(t, "; \\\n    INDEX ");
    for (int k = 0; k < nop; k++)
        text_add(t, "%so%d = (INDEX)g.offset[%d] + i * s%d", k ? ", " : "", k, k, k);
    text_put(
        t,
        "; \\\n    for (int d = 1; d < (int)g.ndim; d++) { \\\n"
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

/* Operand k's elements as a vector v<k>: those of a whole chunk in one load where they are dense, else one by
 * one. */
static void write_vector_load(Text *t, const Signature *s, int k)
{
    if (s->layout[k] == 'n') {
        text_add(t, "    TV v%d = (TV)(LOAD%d(o%d));\n", k, k, k);
        return;
    }
    text_add(t, "    TV v%d;\n    ", k);
    if (s->layout[k] == '1') text_add(t, "if (n == WIDTH) v%d = LOADV%d(o%d);\n    else ", k, k, k);
    text_add(t,
             "{\n        T q[WIDTH];\n        SLOWLY for (INDEX e = 0; e < WIDTH; e++) q[e] = LOAD%d(o%d + "
             "min(e, n - 1) * s%d);\n"
             "        v%d = vload%d(0, q);\n    }\n",
             k, k, k, k, s->width);
}

static void write_vector_body(Text *t, const Signature *s, const OpInfo *info)
{
    for (int k = 1; k <= s->nin; k++) write_vector_load(t, s, k);
    text_add(t, "    %s r = v_%s(", s->answers_bool ? "BV" : "TV", info->name);
    write_list(t, 1, s->nin + 1, "v#");
    text_put(t, ");\n");
    if (s->layout[0] == '1')
        text_put(t, "    if (n == WIDTH) {\n        STOREV(o0, r);\n        return;\n    }\n");
    text_add(t, "    %s z[WIDTH];\n    vstore%d(r, 0, z);\n", s->answers_bool ? "uchar" : "T", s->width);
    text_put(t, "    SLOWLY for (INDEX e = 0; e < n; e++) STORE(o0 + e * s0, z[e]);\n");
}

static void write_kernel(Text *t, const Signature *s, const OpInfo *info)
{
    bool vector = s->width > 1 && has_vector_form(info, s->compute);
    write_function(t, s, info, vector);
    text_add(t, "kernel void k_%s(global %s *y", info->name, storage_type(s->dtype[0]));
    for (int k = 1; k <= s->nin; k++)
        text_add(t, ", global const %s *p%d", s->layout[k] == 'n' ? "uchar" : storage_type(s->dtype[k]), k);
    text_put(t, ", const Geometry g)\n{\n    LOCATE\n    INDEX n = min((INDEX)g.inner - i, (INDEX)WIDTH);\n");
    if (vector) {
        write_vector_body(t, s, info);
    } else {
        text_add(t, "    SLOWLY for (INDEX e = 0; e < n; e++) STORE(o0 + e * s0, f_%s(", info->name);
        write_list(t, 1, s->nin + 1, "LOAD#(o# + e * s#)");
        text_put(t, "));\n");
    }
    text_put(t, "}\n");
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
    if (s->width > 1)
        text_add(t, "#define TV %s%d\n#define BV uchar%d\n#define CONVERT_BV(v) convert_uchar%d(v)\n",
                 register_type(s->compute), s->width, s->width, s->width);
    text_put(t, "#define SCALAR(name) name\n#define SCALAR_FN static inline\n#define SCALAR_SLOW static\n");
    text_put(t, cl_source("scalar"));
    text_put(t, cl_source("special"));
    text_put(t, "#if T_FLOAT\n#define power pow\n#define fmod_of fmod\n#define copy_sign copysign\n#endif\n");
    write_locate(t, s->nin + 1);
    write_access(t, s);
    if (s->op == OP_copy)
        write_copies(t, s);
    else
        for (OpId op = 0; op < OP_COUNT; op++)
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

/* Same bits on both sides: moved as integers of their size, so that nothing is rounded and float64 needs no
 * support. */
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
    Signature s = {
        .device = cl_device_of(call->out[0]), .op = call->op, .nin = call->nin, .compute = call->compute};
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
    if (call->op != OP_copy)
        snprintf(name, sizeof name, "k_%s", op_info(call->op)->name);
    else
        snprintf(name, sizeof name, "k_copy_%s", s.layout[1] == 'n' ? "number" : dtype_name(s.dtype[1]));
    ClDevice *device = cl_device_of(call->out[0]);
    Launch l = launch_begin(device, cl_program_kernel(device, key, name, write_source, &s));
    for (int k = 0; k < nop; k++) launch_tensor(&l, operand[k]);
    launch_value(&l, &g, sizeof g);
    return launch_run(&l, (size_t)g.items);
}
