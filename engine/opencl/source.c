/* source.c - program text that all generated kernels share: types, loads and stores with conversion. */
#include "engine/opencl/internal.h"

#include <stdio.h>
#include <string.h>

/* ---- types ---- */

static const char *const storage_types[DT_COUNT] = {"uchar", "uchar",  "char",   "short", "int",
                                                    "long",  "ushort", "ushort", "float", "double"};
static const char *const unsigned_types[DT_COUNT] = {"uchar", "uchar", "uchar", "ushort", "uint",
                                                     "ulong", "uint",  "uint",  "uint",   "ulong"};
static const char *const lowest[DT_COUNT] = {"0",        "0",         "CHAR_MIN",  "SHRT_MIN",  "INT_MIN",
                                             "LONG_MIN", "-INFINITY", "-INFINITY", "-INFINITY", "-INFINITY"};
static const char *const highest[DT_COUNT] = {"1",        "UCHAR_MAX", "CHAR_MAX", "SHRT_MAX", "INT_MAX",
                                              "LONG_MAX", "INFINITY",  "INFINITY", "INFINITY", "INFINITY"};

DType register_dtype(DType d)
{
    return d == DT_F16 || d == DT_BF16 ? DT_F32 : d;
}

const char *register_type(DType d)
{
    return storage_types[register_dtype(d)];
}

const char *storage_type(DType d)
{
    return storage_types[d];
}

bool check_float64(const ClDevice *device, const Tensor *const *t, int n, DType compute)
{
    bool wanted = compute == DT_F64;
    for (int i = 0; i < n; i++) wanted |= t[i]->dtype == DT_F64;
    return device->fp64 || !wanted ||
           tide_refuse("RuntimeError",
                       "OpenCL: float64 is not supported by opencl:%d (%s has no cl_khr_fp64); use float32",
                       device->index, device->name);
}

void write_prelude(Text *t, const ClDevice *device, DType compute, bool wide)
{
    DType c = register_dtype(compute);
    bool is_float = dtype_is_float(c);
    text_add(t, "#define HAVE_F64 %d\n#define INDEX %s\n", device->fp64, wide ? "long" : "int");
    text_add(t, "#define T %s\n#define UT %s\n", register_type(c), unsigned_types[c]);
    text_add(t, "#define WIDE %s\n", device->fp64 ? "double" : "float");
    text_add(t, "#define T_FLOAT %d\n#define T_BOOL %d\n#define T_SIGNED %d\n#define T_BITS %d\n", is_float,
             c == DT_BOOL, dtype_is_int(c) && c != DT_U8, (int)dtype_size(c) * 8);
    text_add(t, "#define LOWEST %s\n#define HIGHEST %s\n", lowest[c], highest[c]);
    text_put(t, c == DT_F64 ? "#define K(x) ((T)(x))\n" : "#define K(x) ((T)(x##f))\n");
    text_put(t, device->fp64 ? "#define KW(x) ((WIDE)(x))\n" : "#define KW(x) ((WIDE)(x##f))\n");
    text_put(t, cl_source("prelude"));
}

/* ---- conversions, as the CPU does them: out of range wraps by way of a wider integer ---- */

static void write_cast(Text *t, DType have, DType want, int width, const char *v)
{
    char w[4] = "";
    have = register_dtype(have);
    want = register_dtype(want);
    if (width > 1) w[0] = (char)('0' + width);
    const char *type = storage_types[want];
    if (have == want)
        text_put(t, v);
    else if (want == DT_BOOL && width == 1)
        text_add(t, "(uchar)((%s) != 0)", v);
    else if (want == DT_BOOL)
        text_add(t, "(convert_uchar%s((%s) != 0) & (uchar)1)", w, v);
    else if (dtype_is_float(have) && want == DT_U8)
        text_add(t, "convert_uchar%s(convert_long%s(%s))", w, w, v);
    else if (dtype_is_float(have) && (want == DT_I8 || want == DT_I16))
        text_add(t, "convert_%s%s(convert_int%s(%s))", type, w, w, v);
    else
        text_add(t, "convert_%s%s(%s)", type, w, v);
}

/* Appends `v`, of dtype `have`, as `want`, both in registers; width 1 or that of a vector. What is computed
 * in a 16-bit float is rounded to it first. */
static void write_converted(Text *t, DType have, DType want, int width, const char *v)
{
    bool rounds = have != want && (want == DT_F16 || want == DT_BF16);
    if (rounds)
        text_add(t, width > 1 ? "%s_round%d(" : "%s_round(", want == DT_F16 ? "half" : "bfloat", width);
    write_cast(t, have, want, width, v);
    if (rounds) text_put(t, ")");
}

void write_load(Text *t, int n, DType from, DType compute, int width)
{
    char value[96];
    text_add(t, "#define LOAD%d(o) ", n);
    if (from == DT_F16)
        snprintf(value, sizeof value, "vload_half(o, (global const half *)p%d)", n);
    else if (from == DT_BF16)
        snprintf(value, sizeof value, "bfloat_load(p%d[o])", n);
    else
        snprintf(value, sizeof value, "p%d[o]", n);
    write_converted(t, from, compute, 1, value);
    if (width > 1) {
        text_add(t, "\n#define LOADV%d(o) ", n);
        if (from == DT_F16)
            snprintf(value, sizeof value, "vload_half%d(0, (global const half *)p%d + (o))", width, n);
        else if (from == DT_BF16)
            snprintf(value, sizeof value, "bfloat_load%d(vload%d(0, p%d + (o)))", width, width, n);
        else
            snprintf(value, sizeof value, "vload%d(0, p%d + (o))", width, n);
        write_converted(t, from, compute, width, value);
    }
    text_put(t, "\n");
}

void write_store(Text *t, DType to, DType have, int width)
{
    text_put(t, "#define STORE(o, v) ");
    if (to == DT_F16)
        text_put(t, "vstore_half_rte(");
    else
        text_put(t, to == DT_BF16 ? "y[o] = bfloat_bits(" : "y[o] = (");
    write_cast(t, have, to, 1, "v");
    text_put(t, to == DT_F16 ? ", o, (global half *)y)\n" : ")\n");
    if (width == 1) return;
    text_put(t, "#define STOREV(o, v) ");
    if (to == DT_F16)
        text_add(t, "vstore_half%d_rte(", width);
    else if (to == DT_BF16)
        text_add(t, "vstore%d(bfloat_bits%d(", width, width);
    else
        text_add(t, "vstore%d((", width);
    write_cast(t, have, to, width, "v");
    text_put(t, to == DT_F16 ? ", 0, (global half *)y + (o))\n" : "), 0, y + (o))\n");
}

void write_number_load(Text *t, DType compute, bool fp64)
{
    text_put(
        t,
        "static inline T load_number(global const uchar *p, int dtype, INDEX o)\n{\n    switch (dtype) {\n");
    for (DType d = 0; d < DT_COUNT; d++) {
        char value[96];
        bool by_bits = d == DT_F64 && !fp64;
        if (d == DT_F16)
            strcpy(value, "vload_half(o, (global const half *)p)");
        else if (d == DT_BF16)
            strcpy(value, "bfloat_load(((global const ushort *)p)[o])");
        else if (by_bits)
            strcpy(value, "float_of_double_bits(((global const ulong *)p)[o])");
        else
            snprintf(value, sizeof value, "((global const %s *)p)[o]", storage_types[d]);
        text_add(t, "    case %d: return ", d);
        write_converted(t, by_bits ? DT_F32 : d, compute, 1, value);
        text_put(t, ";\n");
    }
    text_put(t, "    }\n    return 0;\n}\n");
}
