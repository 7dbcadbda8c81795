/* scalar.h - the functions that rows' forward expressions call, in the common subset of C and OpenCL C.
 *
 * A template, included once a compute type (no include guard); OpenCL gets the same text. The includer defines
 *   T, UT          the compute type; for integers the unsigned type of its width
 *   WIDE           a float type to compute slow functions in: double where there is one
 *   T_FLOAT, T_BOOL, T_SIGNED, T_BITS   what T is: 0 or 1, and its width
 *   SCALAR(name)   the function's name for T, and SCALAR_FN, what stands before its definition
 *   K(0.5), KW(0.5) a fractional literal in T, in WIDE
 * and makes power(a, b) and the like mean SCALAR(power)(a, b), where they are not the same.
 * Semantics are PyTorch's CPU ones, stated where they are not obvious. */

#if T_FLOAT

SCALAR_FN T SCALAR(copy_sign)(T a, T b)
{
    return copysign(a, b);
}

/* By way of copysign, which is a bit operation that vectorises; true for -0.0 and for NaN with its sign set. */
SCALAR_FN int SCALAR(sign_bit)(T x)
{
    return copysign((T)1, x) < 0;
}

SCALAR_FN T SCALAR(power)(T a, T b)
{
    return pow(a, b);
}

SCALAR_FN T SCALAR(fmod_of)(T a, T b)
{
    return fmod(a, b);
}

SCALAR_FN T SCALAR(remainder_of)(T a, T b)
{
    T r = fmod(a, b);
    return r != 0 && (b < 0) != (r < 0) ? r + b : r;
}

/* Not floor(a / b): the quotient of an inexact division may round up to the next whole number. a / 0 is inf or NaN. */
SCALAR_FN T SCALAR(floor_divide)(T a, T b)
{
    T r = fmod(a, b);
    T q = (a - r) / b;
    q = r != 0 && (b < 0) != (r < 0) ? q - 1 : q;
    T whole = floor(q);
    whole = q - whole > K(0.5) ? whole + 1 : whole;
    whole = q == 0 ? copysign((T)0, a / b) : whole;
    return b == 0 ? a / b : whole;
}

/* Equal infinities give themselves, where a - b would be NaN. */
SCALAR_FN T SCALAR(log_add_exp)(T a, T b)
{
    T m = a != a || a > b ? a : b;
    T y = m + log1p(exp(-fabs(a - b)));
    return a == b && a - a != 0 ? a : y;
}

/* The y >= 0 with erf(y) = a and erfc(y) = rest, where a + rest = 1: a first guess good to 0.2% (a normal
 * distribution's tail as a quadratic in log(1 - a*a)), then steps of Halley's method on the smaller of the two. */
SCALAR_FN WIDE SCALAR(erf_solve)(WIDE a, WIDE rest)
{
    WIDE l = rest < KW(1e-6) ? log(2 * rest) : log1p(-a * a);
    WIDE h = KW(4.3307467508) + l / 2;
    WIDE y = sqrt(sqrt(h * h - l * KW(6.8022277468)) - h);
    for (int i = 0; i < (rest < KW(1e-6) ? 4 : 2); i++) {
        WIDE miss = a < KW(0.5) ? erf(y) - a : rest - erfc(y);
        WIDE step = miss * KW(0.88622692545275801) * exp(y * y);
        y -= step / (1 + y * step);
    }
    return y;
}

SCALAR_FN T SCALAR(erf_inverse)(T x)
{
    WIDE a = x < 0 ? -x : x;
    if (!(a < 1)) return a == 1 ? x / (T)0 : (T)0 / (T)0;
    if (a == 0) return x;
    WIDE y = SCALAR(erf_solve)(a, 1 - a);
    return (T)(x < 0 ? -y : y);
}

/* Infinite at 0 with the sign of -x, NaN at negative whole numbers. */
SCALAR_FN T SCALAR(digamma)(T x)
{
    const WIDE pi = KW(3.14159265358979324);
    WIDE v = x, y = 0;
    if (x == 0) return copysign((T)1 / (T)0, -x);
    if (v < 0) {
        WIDE f = v - trunc(v);
        if (f == 0) return (T)0 / (T)0;
        y = -pi / tan(pi * f);
        v = 1 - v;
    }
    for (; v < 10; v += 1) y -= 1 / v;
    WIDE z = 1 / (v * v);
    WIDE tail = z * (KW(0.083333333333333333) - z * (KW(0.0083333333333333333) - z * (KW(0.0039682539682539683) -
                z * (KW(0.0041666666666666667) - z * (KW(0.0075757575757575758) - z * KW(0.021092796092796093))))));
    return (T)(y + log(v) - 1 / (2 * v) - tail);
}

/* The sum of (q + k)**-s over k >= 0 for whole s > 1 and q > 0, by Euler and Maclaurin's formula from q + k >= 14. */
SCALAR_FN WIDE SCALAR(zeta_positive)(WIDE s, WIDE q)
{
    WIDE sum = 0;
    for (; q < 14; q += 1) sum += pow(q, -s);
    WIDE p = pow(q, -s), z = 1 / (q * q);
    WIDE t1 = s / 12, t2 = (s + 1) * (s + 2) * z / 60, t3 = (s + 3) * (s + 4) * z / 42;
    WIDE t4 = (s + 5) * (s + 6) * z / 40, t5 = (s + 7) * (s + 8) * z * KW(0.025252525252525253);
    WIDE t6 = (s + 9) * (s + 10) * z * KW(0.025310855949446105), t7 = (s + 11) * (s + 12) * z * KW(0.025325615366478968);
    WIDE series = 1 - t2 * (1 - t3 * (1 - t4 * (1 - t5 * (1 - t6 * (1 - t7)))));
    return sum + p * (q / (s - 1) + KW(0.5) + t1 / q * series);
}

/* The same for any q. Terms below 0 are added one by one in T, as PyTorch does, to whose rounding the sum owes its last
 * digits where they cancel; very many are the terms of two sums from the other side, or the work would grow with -q. */
SCALAR_FN WIDE SCALAR(zeta)(WIDE s, WIDE q)
{
    T sum = 0, at = (T)q;
    if (q > 0) return SCALAR(zeta_positive)(s, q);
    WIDE whole = floor(q);
    if (q == whole) return (WIDE)1 / (WIDE)0;
    if (q > -1000) {
        for (; at < 1; at += 1) sum += pow(at, (T)-s);
        return sum + SCALAR(zeta_positive)(s, at);
    }
    WIDE f = q - whole;
    WIDE below = SCALAR(zeta_positive)(s, 1 - f) - SCALAR(zeta_positive)(s, 1 - q);
    return SCALAR(zeta_positive)(s, f) + (fmod(s, (WIDE)2) == 0 ? below : -below);
}

/* The derivative of digamma: the reflection at 1/2 is computed in T, so that poles are what sin makes of them. */
SCALAR_FN T SCALAR(trigamma)(T x)
{
    const T pi = K(3.14159265358979324);
    T reflected = sin(pi * x), sum = 0, v = x < K(0.5) ? 1 - x : x;
    if (x < K(0.5)) sum -= pi * pi / (reflected * reflected);
    for (int i = 0; i < (int)sizeof(T) * 3 - 6; i++) { /* float 6 terms, double 18 */
        sum += 1 / (v * v);
        v += 1;
    }
    T z = 1 / (v * v);
    T series = K(0.16666666666666667) - z * (K(0.033333333333333333) - z * (K(0.023809523809523810) - z *
               (K(0.033333333333333333) - z * K(0.075757575757575758))));
    sum += (1 + 1 / (2 * v) + z * series) / v;
    return x < K(0.5) ? -sum : sum;
}

SCALAR_FN T SCALAR(polygamma)(T n, T x)
{
    if (n == 0) return SCALAR(digamma)(x);
    if (n == 1) return SCALAR(trigamma)(x);
    if (x != x || n != n) return x + n;
    WIDE y = exp(lgamma((WIDE)n + 1)) * SCALAR(zeta)((WIDE)n + 1, (WIDE)x);
    return (T)(fmod((WIDE)n, (WIDE)2) == 0 ? -y : y);
}

/* The share of the gamma function's integral that lies below x (upper 0) or above it: a series for one of the two, and
 * for the other a continued fraction by Lentz's method. */
SCALAR_FN WIDE SCALAR(gamma_share)(int upper, WIDE a, WIDE x)
{
    if (a != a || x != x) return a + x;
    if (a < 0 || x < 0 || (a == 0 && x == 0)) return (WIDE)0 / (WIDE)0;
    if (a - a != 0) return x - x != 0 ? (WIDE)0 / (WIDE)0 : upper;
    if (a == 0 || x - x != 0) return 1 - upper;
    if (x == 0) return upper;
    WIDE front = exp(a * log(x) - x - lgamma(a));
    if (x < a + 1) {
        WIDE term = 1 / a, sum = term, n = a;
        for (int k = 0; k < 20000 && term > sum * KW(1e-17); k++) {
            n += 1;
            term *= x / n;
            sum += term;
        }
        return upper ? 1 - front * sum : front * sum;
    }
    WIDE b = x + 1 - a, c = KW(1e30), d = 1 / b, h = d, turn = 0;
    for (int k = 1; k < 20000 && (turn - 1 > KW(1e-16) || 1 - turn > KW(1e-16)); k++) {
        WIDE an = -(WIDE)k * ((WIDE)k - a);
        b += 2;
        d = 1 / (an * d + b);
        c = b + an / c;
        turn = d * c;
        h *= turn;
    }
    return upper ? front * h : 1 - front * h;
}

SCALAR_FN T SCALAR(gamma_below)(T a, T x)
{
    return (T)SCALAR(gamma_share)(0, a, x);
}

SCALAR_FN T SCALAR(gamma_above)(T a, T x)
{
    return (T)SCALAR(gamma_share)(1, a, x);
}

/* x = mantissa * 2**exponent with 0.5 <= |mantissa| < 1; 0 and what is not finite are their own mantissas. */
SCALAR_FN T SCALAR(mantissa_of)(T x)
{
    int e;
    return x - x != 0 ? x : (T)frexp(x, &e);
}

SCALAR_FN T SCALAR(exponent_of)(T x)
{
    int e = 0;
    if (x - x == 0) frexp(x, &e);
    return (T)e;
}

SCALAR_FN T SCALAR(next_after)(T a, T b)
{
    return nextafter(a, b);
}

/* Powers beyond what any T has are all alike. */
SCALAR_FN T SCALAR(scaled_by_power)(T a, T n)
{
    return ldexp(a, n > 5000 ? 5000 : n < -5000 ? -5000 : (int)n);
}

#elif T_BOOL

SCALAR_FN T SCALAR(NOT)(T x)
{
    return !x;
}

SCALAR_FN int SCALAR(sign_bit)(T x)
{
    return x < 0;
}

#else

SCALAR_FN T SCALAR(NOT)(T x)
{
    return (T)~x;
}

SCALAR_FN int SCALAR(sign_bit)(T x)
{
    return x < 0;
}

/* Division by 0 is refused before any loop runs; here it must only not trap, and neither may the lowest number by -1. */
SCALAR_FN T SCALAR(quotient)(T a, T b)
{
#if T_SIGNED
    if (b == -1) return (T)((UT)0 - (UT)a);
#endif
    return b == 0 ? 0 : a / b;
}

SCALAR_FN T SCALAR(fmod_of)(T a, T b)
{
#if T_SIGNED
    if (b == -1) return 0;
#endif
    return b == 0 ? 0 : a % b;
}

SCALAR_FN T SCALAR(remainder_of)(T a, T b)
{
    T r = SCALAR(fmod_of)(a, b);
    return r != 0 && (b < 0) != (r < 0) ? r + b : r;
}

SCALAR_FN T SCALAR(floor_divide)(T a, T b)
{
    T q = SCALAR(quotient)(a, b), r = SCALAR(fmod_of)(a, b);
    return r != 0 && (b < 0) != (r < 0) ? q - 1 : q;
}

/* Wraps as multiplication does. A negative exponent truncates 1 / a**-b. */
SCALAR_FN T SCALAR(power)(T a, T b)
{
    UT y = 1, base = (UT)a;
#if T_SIGNED
    if (b < 0) return a == 1 ? 1 : a == -1 ? (b & 1 ? -1 : 1) : 0;
#endif
    for (; b != 0; b >>= 1, base = (UT)(base * base))
        if (b & 1) y = (UT)(y * base);
    return (T)y;
}

SCALAR_FN T SCALAR(greatest_common_divisor)(T a, T b)
{
    a = a < 0 ? 0 - a : a;
    b = b < 0 ? 0 - b : b;
    while (a != 0) {
        T r = SCALAR(fmod_of)(b, a);
        b = a;
        a = r;
    }
    return b;
}

SCALAR_FN T SCALAR(least_common_multiple)(T a, T b)
{
    T q = SCALAR(quotient)(a, SCALAR(greatest_common_divisor)(a, b));
    return (T)(q * b < 0 ? 0 - q * b : q * b); /* 8 and 16 bits: in int, then cut */
}

/* A shift by less than 0 or by T's width and more has shifted everything out. */
SCALAR_FN T SCALAR(shift_left)(T a, T b)
{
    return b < 0 || b >= T_BITS ? 0 : (T)((UT)a << b);
}

SCALAR_FN T SCALAR(shift_right)(T a, T b)
{
    T most = T_BITS - T_SIGNED;
    return a >> (b < 0 || b >= most ? most : b);
}

#endif
