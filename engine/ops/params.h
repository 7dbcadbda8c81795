/* params.h - expands a row's parameter tuple: PARAMS(X_, (T(a, vjp), I(dim))) is X_T(a, vjp) X_I(dim). */
#ifndef TIDE_PARAMS_H
#define TIDE_PARAMS_H

#define PARAMS_COUNT(...) PARAMS_COUNT_(__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define PARAMS_COUNT_(a, b, c, d, e, f, g, h, n, ...) n
#define PARAMS_CAT(a, b) PARAMS_CAT_(a, b)
#define PARAMS_CAT_(a, b) a##b
#define PARAMS_STRIP(...) __VA_ARGS__

/* p is pasted to each parameter's kind letter, so the kinds themselves are never macros. */
#define PARAMS(p, tuple) PARAMS_CAT(PARAMS_, PARAMS_COUNT tuple)(p, PARAMS_STRIP tuple)
/* The same with commas between, for prototypes. */
#define PARAMS_COMMA(p, tuple) PARAMS_CAT(PARAMS_COMMA_, PARAMS_COUNT tuple)(p, PARAMS_STRIP tuple)

#define PARAMS_1(p, list) PARAMS_1_(p, list)
#define PARAMS_2(p, list) PARAMS_2_(p, list)
#define PARAMS_3(p, list) PARAMS_3_(p, list)
#define PARAMS_4(p, list) PARAMS_4_(p, list)
#define PARAMS_5(p, list) PARAMS_5_(p, list)
#define PARAMS_6(p, list) PARAMS_6_(p, list)
#define PARAMS_7(p, list) PARAMS_7_(p, list)
#define PARAMS_8(p, list) PARAMS_8_(p, list)
#define PARAMS_1_(p, a) p##a
#define PARAMS_2_(p, a, b) p##a p##b
#define PARAMS_3_(p, a, b, c) p##a p##b p##c
#define PARAMS_4_(p, a, b, c, d) p##a p##b p##c p##d
#define PARAMS_5_(p, a, b, c, d, e) p##a p##b p##c p##d p##e
#define PARAMS_6_(p, a, b, c, d, e, f) p##a p##b p##c p##d p##e p##f
#define PARAMS_7_(p, a, b, c, d, e, f, g) p##a p##b p##c p##d p##e p##f p##g
#define PARAMS_8_(p, a, b, c, d, e, f, g, h) p##a p##b p##c p##d p##e p##f p##g p##h
#define PARAMS_COMMA_1(p, list) PARAMS_COMMA_1_(p, list)
#define PARAMS_COMMA_2(p, list) PARAMS_COMMA_2_(p, list)
#define PARAMS_COMMA_3(p, list) PARAMS_COMMA_3_(p, list)
#define PARAMS_COMMA_4(p, list) PARAMS_COMMA_4_(p, list)
#define PARAMS_COMMA_5(p, list) PARAMS_COMMA_5_(p, list)
#define PARAMS_COMMA_6(p, list) PARAMS_COMMA_6_(p, list)
#define PARAMS_COMMA_7(p, list) PARAMS_COMMA_7_(p, list)
#define PARAMS_COMMA_8(p, list) PARAMS_COMMA_8_(p, list)
#define PARAMS_COMMA_1_(p, a) p##a
#define PARAMS_COMMA_2_(p, a, b) p##a, p##b
#define PARAMS_COMMA_3_(p, a, b, c) p##a, p##b, p##c
#define PARAMS_COMMA_4_(p, a, b, c, d) p##a, p##b, p##c, p##d
#define PARAMS_COMMA_5_(p, a, b, c, d, e) p##a, p##b, p##c, p##d, p##e
#define PARAMS_COMMA_6_(p, a, b, c, d, e, f) p##a, p##b, p##c, p##d, p##e, p##f
#define PARAMS_COMMA_7_(p, a, b, c, d, e, f, g) p##a, p##b, p##c, p##d, p##e, p##f, p##g
#define PARAMS_COMMA_8_(p, a, b, c, d, e, f, g, h) p##a, p##b, p##c, p##d, p##e, p##f, p##g, p##h

#endif
