/* formats.h - formats that the including file did not define expand to nothing. No include guard on purpose. */
#ifndef UNARY
#define UNARY(...)
#endif
#ifndef BINARY
#define BINARY(...)
#endif
#ifndef TERNARY
#define TERNARY(...)
#endif
#ifndef COMPARE
#define COMPARE(...)
#endif
#ifndef TEST
#define TEST(...)
#endif
#ifndef REDUCE
#define REDUCE(...)
#endif
#ifndef VIEW
#define VIEW(...)
#endif
#ifndef KERNEL
#define KERNEL(...)
#endif
#ifndef COMPOSED
#define COMPOSED(...)
#endif
