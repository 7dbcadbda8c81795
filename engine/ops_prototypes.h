/* ops_prototypes.h - op_<name>() for every row of the op table. Included by engine.h only. */
#include "engine/ops/params.h"

#define PROTO_T(name, ...) Tensor *name
#define PROTO_N(name, ...) Tensor *name
#define PROTO_O(name, ...) Tensor *name
#define PROTO_L(name, ...) const TensorList *name
#define PROTO_I(name, ...) int64_t name
#define PROTO_F(name, ...) double name
#define PROTO_B(name, ...) bool name
#define PROTO_D(name, ...) const Dims *name
#define PROTO_Y(name, ...) DType name

#define UNARY(name, ...) Tensor *op_##name(Tensor *x);
#define BINARY(name, ...) Tensor *op_##name(Tensor *a, Tensor *b);
#define TERNARY(name, ...) Tensor *op_##name(Tensor *a, Tensor *b, Tensor *c);
#define COMPARE(name, ...) Tensor *op_##name(Tensor *a, Tensor *b);
#define TEST(name, ...) Tensor *op_##name(Tensor *x);
#define REDUCE(name, ...) Tensor *op_##name(Tensor *x, const Dims *dim, bool keepdim);
#define VIEW(name, params, ...) Tensor *op_##name(PARAMS_COMMA(PROTO_, params));
#define KERNEL(name, params, ...) Tensor *op_##name(PARAMS_COMMA(PROTO_, params));
#define COMPOSED(name, params, ...) Tensor *op_##name(PARAMS_COMMA(PROTO_, params));
#include "engine/ops.def"
