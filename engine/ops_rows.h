/* ops_rows.h - OP_ROW(name) for every row of the op table, in order. The includer defines OP_ROW. */
#define UNARY(name, ...) OP_ROW(name)
#define BINARY(name, ...) OP_ROW(name)
#define TERNARY(name, ...) OP_ROW(name)
#define COMPARE(name, ...) OP_ROW(name)
#define TEST(name, ...) OP_ROW(name)
#define REDUCE(name, ...) OP_ROW(name)
#define VIEW(name, ...) OP_ROW(name)
#define KERNEL(name, ...) OP_ROW(name)
#define COMPOSED(name, ...) OP_ROW(name)
#include "engine/ops.def"
#undef OP_ROW
