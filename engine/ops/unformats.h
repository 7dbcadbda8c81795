/* unformats.h - forgets the formats, so that the next consumer of ops.def starts clean. No include guard on purpose. */
#undef UNARY
#undef BINARY
#undef TERNARY
#undef COMPARE
#undef TEST
#undef REDUCE
#undef VIEW
#undef KERNEL
#undef COMPOSED
