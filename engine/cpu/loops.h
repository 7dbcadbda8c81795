/* loops.h - the inner loops of elementwise rows and conversions, one set an instruction set, picked at run time. */
#ifndef TIDE_CPU_LOOPS_H
#define TIDE_CPU_LOOPS_H

#include "engine/cpu/isa.h"
#include "engine/dtype.h"

/* Runs a row over n elements. ptr[0] is the result, ptr[1] ... the operands, all of the loop's type, contiguous; the
 * result of COMPARE and TEST rows and the first operand of `where` are bool. Operands of BINARY and COMPARE rows may
 * have stride 0 (in bytes, at stride[i]): strides are looked at only there. The result may be one of the operands. */
typedef void (*LoopFn)(char *const *ptr, const int64_t *stride, int64_t n);

/* Converts n contiguous elements as PyTorch does on x86: floats truncate, out of range is the machine's lowest number,
 * anything but 0 is true, 16-bit floats round to nearest even. */
typedef void (*ConvertFn)(void *to, const void *from, int64_t n);

/* The type a loop works in when an op computes in d: float for 16-bit floats. */
static inline DType loop_dtype(DType d)
{
    return d == DT_F16 || d == DT_BF16 ? DT_F32 : d;
}

/* Elementwise rows of the table, numbered. */
typedef enum LoopId {
#define UNARY(name, ...) LOOP_ID_##name,
#define BINARY UNARY
#define TERNARY UNARY
#define COMPARE UNARY
#define TEST UNARY
#include "engine/ops/loops.def"
    LOOP_ID_COUNT
} LoopId;

/* The loop of a row (an OpId); NULL when it has none for that type. */
LoopFn elementwise_loop(int op, DType compute);
ConvertFn conversion(DType to, DType from);

/* Copies n1 rows of n0 elements of size bytes; steps in bytes from element to element and from row to row. */
typedef struct Steps {
    int64_t inner, outer;
} Steps;
void strided_copy(char *to, Steps to_step, const char *from, Steps from_step, int64_t n0, int64_t n1, size_t size);

/* ---- what cpu.c dispatches to: false with the error recorded ---- */

struct Call;
bool cpu_elementwise(const struct Call *call);
bool cpu_reduce(const struct Call *call);
bool cpu_copy(const struct Call *call); /* in[0] converted into out[0] */

#endif
