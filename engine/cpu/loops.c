/* loops.c - the tables of inner loops, by instruction set. */
#include "engine/cpu/loops.h"

#include "engine/engine.h"

#include <string.h>

#define SUFFIXES(X)            X(b8) X(u8) X(i8) X(i16) X(i32) X(i64) X(f32) X(f64)
#define DECLARE_LOOPS(name)    extern const LoopFn name[LOOP_ID_COUNT];
#define DECLARE_TABLES(suffix) ISA_EACH(DECLARE_LOOPS, loops_##suffix)
SUFFIXES(DECLARE_TABLES)

#define DECLARE_CONVERSIONS(name) extern const ConvertFn name[DT_COUNT][DT_COUNT];
ISA_EACH(DECLARE_CONVERSIONS, conversions)

/* Filled on first use: one pointer a type beats asking for the instruction set at every call. */
static const LoopFn *loops[DT_COUNT];
static const ConvertFn (*conversions)[DT_COUNT];

static void choose(void)
{
    loops[DT_BOOL] = ISA_PICK(loops_b8);
    loops[DT_U8] = ISA_PICK(loops_u8);
    loops[DT_I8] = ISA_PICK(loops_i8);
    loops[DT_I16] = ISA_PICK(loops_i16);
    loops[DT_I32] = ISA_PICK(loops_i32);
    loops[DT_I64] = ISA_PICK(loops_i64);
    loops[DT_F64] = ISA_PICK(loops_f64);
    loops[DT_F32] = loops[DT_F16] = loops[DT_BF16] = ISA_PICK(loops_f32);
    conversions = ISA_PICK(conversions);
}

/* 0 for rows without loops, else one more than the LoopId. */
static const uint16_t loop_of[OP_COUNT] = {
#define UNARY(name, ...) [OP_##name] = LOOP_ID_##name + 1,
#define BINARY           UNARY
#define TERNARY          UNARY
#define COMPARE          UNARY
#define TEST             UNARY
#include "engine/ops/loops.def"
};

LoopFn elementwise_loop(int op, DType compute)
{
    if (!loops[compute]) choose();
    return loop_of[op] ? loops[compute][loop_of[op] - 1] : NULL;
}

ConvertFn conversion(DType to, DType from)
{
    if (!conversions) choose();
    return conversions[to][from];
}

/* One element repeated, or any steps: the first vectorises. */
#define COPY_ROW(T)                                                                                          \
    if (from_step == 0 && to_step == sizeof(T))                                                              \
        for (int64_t i = 0; i < n; i++) ((T *)to)[i] = *(const T *)from;                                     \
    else                                                                                                     \
        for (int64_t i = 0; i < n; i++) *(T *)(to + i * to_step) = *(const T *)(from + i * from_step)

static void copy_row(char *restrict to, int64_t to_step, const char *restrict from, int64_t from_step,
                     int64_t n, size_t size)
{
    switch (size) {
    case 1: COPY_ROW(uint8_t); break;
    case 2: COPY_ROW(uint16_t); break;
    case 4: COPY_ROW(uint32_t); break;
    default: COPY_ROW(uint64_t); break;
    }
}

static void copy_rows(char *to, Steps to_step, const char *from, Steps from_step, int64_t n0, int64_t n1,
                      size_t size)
{
    for (int64_t r = 0; r < n1; r++) {
        char *y = to + r * to_step.outer;
        const char *x = from + r * from_step.outer;
        if (to_step.inner == (int64_t)size && from_step.inner == (int64_t)size)
            memcpy(y, x, (size_t)n0 * size);
        else
            copy_row(y, to_step.inner, x, from_step.inner, n0, size);
    }
}

/* Blocks whose lines of both sides stay in the first cache. */
static void copy_blocks(char *to, Steps to_step, const char *from, Steps from_step, int64_t n0, int64_t n1,
                        size_t size)
{
    enum { SIDE = 32 };
    for (int64_t i = 0; i < n0; i += SIDE) {
        int64_t w = n0 - i < SIDE ? n0 - i : SIDE;
        for (int64_t r = 0; r < n1; r += SIDE) {
            int64_t h = n1 - r < SIDE ? n1 - r : SIDE;
            copy_rows(to + i * to_step.inner + r * to_step.outer, to_step,
                      from + i * from_step.inner + r * from_step.outer, from_step, w, h, size);
        }
    }
}

void strided_copy(char *to, Steps to_step, const char *from, Steps from_step, int64_t n0, int64_t n1,
                  size_t size)
{
    if (n1 > n0 && n0 < 16) { /* many short rows: few long columns cost less */
        Steps t = {to_step.outer, to_step.inner}, f = {from_step.outer, from_step.inner};
        copy_rows(to, t, from, f, n1, n0, size);
    } else if (from_step.outer == (int64_t)size && n1 > 4 && n0 > 32) {
        copy_blocks(to, to_step, from, from_step, n0, n1, size);
    } else {
        copy_rows(to, to_step, from, from_step, n0, n1, size);
    }
}
