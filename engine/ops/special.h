/* special.h - what torch.special's rows call: a template like scalar.h and included behind it.
 *
 * Functions with loops are SCALAR_SLOW: calls of them are not expanded in every elementwise loop. */

#if T_FLOAT

/* exp(x*x) * erfc(x): by that formula near 0, from 2 on by erfc's continued fraction. */
SCALAR_SLOW WIDE SCALAR(scaled_erfc)(WIDE x)
{
    WIDE a = x < 0 ? -x : x, below = a, y;
    if (x < -27) return (WIDE)1 / (WIDE)0;
    if (a >= 2) {
        for (int k = 100; k > 0; k--) below = a + (WIDE)k / (2 * below);
        y = KW(0.5641895835477563) / below;
    } else {
        y = exp(a * a) * erfc(a);
    }
    return x < 0 ? 2 * exp(a * a) - y : y;
}

SCALAR_FN T SCALAR(erfcx_of)(T x)
{
    return (T)SCALAR(scaled_erfc)(x);
}

/* Where erfc(-x / sqrt(2)) is small, its logarithm comes from the scaled one, which is not. */
SCALAR_FN T SCALAR(log_ndtr_of)(T x)
{
    WIDE t = (WIDE)x * KW(0.7071067811865476);
    if (x < -1) return (T)(log(SCALAR(scaled_erfc)(-t) / 2) - t * t);
    return (T)log1p(-erfc(t) / 2);
}

SCALAR_FN T SCALAR(ndtr_inverse)(T p)
{
    WIDE q = p < K(0.5) ? 2 * (WIDE)p : 2 * (1 - (WIDE)p);
    if (!(q > 0)) return q == 0 ? (p < K(0.5) ? -1 : 1) / (T)0 : (T)0 / (T)0;
    WIDE y = KW(1.4142135623730951) * SCALAR(erf_solve)(1 - q, q);
    return (T)(p < K(0.5) ? -y : y);
}

/* The modified Bessel function of order 0 or 1, times exp(-|x|) where scaled: its power series, and from where that
 * has too many terms the expansion for large x, whose terms grow small before they grow again. */
SCALAR_SLOW WIDE SCALAR(bessel_i)(int order, int scaled, WIDE x)
{
    WIDE a = x < 0 ? -x : x, sum = 1, term = 1;
    if (x != x) return x;
    if (a - a != 0) return scaled ? 0 : order ? x : a;
    if (a < 30) {
        for (int k = 1; k < 60; k++) {
            term *= a * a / 4 / ((WIDE)k * (WIDE)(k + order));
            sum += term;
        }
        sum = order ? sum * a / 2 : sum;
        sum = scaled ? sum * exp(-a) : sum;
    } else {
        for (int k = 1; k < 30; k++) {
            WIDE odd = 2 * k - 1;
            term *= (odd * odd - 4 * order) / (8 * a * (WIDE)k);
            sum += term;
        }
        WIDE root = scaled ? 1 : exp(a / 2);
        sum *= root / sqrt(a * KW(6.283185307179586)) * root;
    }
    return order && x < 0 ? -sum : sum;
}

SCALAR_FN T SCALAR(bessel_i0)(T x)
{
    return (T)SCALAR(bessel_i)(0, 0, x);
}

SCALAR_FN T SCALAR(bessel_i1)(T x)
{
    return (T)SCALAR(bessel_i)(1, 0, x);
}

SCALAR_FN T SCALAR(bessel_i0_scaled)(T x)
{
    return (T)SCALAR(bessel_i)(0, 1, x);
}

SCALAR_FN T SCALAR(bessel_i1_scaled)(T x)
{
    return (T)SCALAR(bessel_i)(1, 1, x);
}

/* exp(x) times the modified Bessel function of the second kind, of order 0 or 1: the integral of
 * exp(-x (cosh t - 1)) cosh(order t) over t > 0 by the trapezoid rule, which for such integrands is exact but
 * for rounding once its step is below a quarter of the integrand's width. */
SCALAR_SLOW WIDE SCALAR(bessel_k)(int order, WIDE x)
{
    if (x != x || x < 0) return (WIDE)0 / (WIDE)0;
    if (x == 0) return (WIDE)1 / (WIDE)0;
    if (x < KW(1e-10)) return order ? 1 / x : KW(0.11593151565841245) - log(x);
    WIDE h = KW(0.25) / sqrt(1 + x / 6), sum = KW(0.5);
    for (int k = 1; k < 1000; k++) {
        WIDE t = h * (WIDE)k, s = sinh(t / 2), fall = 2 * x * s * s;
        if (fall > 45 + t) break;
        sum += exp(-fall) * (order ? 1 + 2 * s * s : 1);
    }
    return h * sum;
}

SCALAR_FN T SCALAR(bessel_k0)(T x)
{
    return (T)(exp(-(WIDE)x) * SCALAR(bessel_k)(0, x));
}

SCALAR_FN T SCALAR(bessel_k1)(T x)
{
    return (T)(exp(-(WIDE)x) * SCALAR(bessel_k)(1, x));
}

SCALAR_FN T SCALAR(bessel_k0_scaled)(T x)
{
    return (T)SCALAR(bessel_k)(0, x);
}

SCALAR_FN T SCALAR(bessel_k1_scaled)(T x)
{
    return (T)SCALAR(bessel_k)(1, x);
}

/* The Bessel function of the first kind (second 0) or the second, order 0 or 1, at x > 25: Hankel's expansion. */
SCALAR_FN WIDE SCALAR(bessel_far)(int order, int second, WIDE x)
{
    WIDE even = 1, odd = 0, term = 1, s = sin(x), c = cos(x);
    for (int k = 1; k < 40; k++) {
        WIDE n = 2 * k - 1, step = (4 * order - n * n) / (8 * x * (WIDE)k);
        if (step > 1 || step < -1) break;
        term *= step;
        if (k % 2)
            odd += k % 4 == 1 ? term : -term;
        else
            even += k % 4 == 2 ? -term : term;
    }
    /* of x - (order / 2 + 1/4) pi, times sqrt(2) */
    WIDE cosine = order ? s - c : s + c, sine = order ? -s - c : s - c;
    WIDE y = second ? even * sine + odd * cosine : even * cosine - odd * sine;
    return y / sqrt(x * KW(3.141592653589793));
}

/* The same at any x >= 0. Up to 25 all orders come from Miller's recurrence downwards, scaled by
 * J0 + 2 (J2 + J4 + ...) = 1, and the second kind from Neumann's series over them. */
SCALAR_SLOW WIDE SCALAR(bessel)(int order, int second, WIDE x)
{
    const WIDE two_over_pi = KW(0.6366197723675814), gamma = KW(0.5772156649015329);
    if (x != x || (second && x < 0)) return (WIDE)0 / (WIDE)0;
    if (x - x != 0) return x - x;
    if (x > 25) return SCALAR(bessel_far)(order, second, x);
    if (second && x == 0) return -(WIDE)1 / (WIDE)0;
    WIDE near = log(x / 2) + gamma;
    if (x < KW(1e-5)) {
        if (!second) return order ? x / 2 : 1 - x * x / 4;
        return order ? -two_over_pi / x : two_over_pi * near;
    }
    WIDE after = 0, at = KW(1e-20), norm = 0, sum0 = 0, sum1 = 0;
    for (int k = 30 + 2 * (int)x; k > 0; k--) { /* from order k to k - 1 */
        WIDE before = 2 * (WIDE)k / x * at - after;
        after = at;
        at = before;
        int j = (k - 1) / 2;
        if (k > 2 && k % 2) {
            norm += 2 * at;
            sum0 += (j % 2 ? -at : at) / (WIDE)j;
        } else if (k > 2) {
            sum1 += (j % 2 ? at : -at) * (1 / (WIDE)j + 1 / (WIDE)(j + 1));
        }
        if (at > KW(1e10) || at < KW(-1e10)) {
            const WIDE less = KW(1e-20);
            at *= less, after *= less, norm *= less, sum0 *= less, sum1 *= less;
        }
    }
    WIDE j0 = at / (norm + at), j1 = after / (norm + at);
    sum0 /= norm + at;
    sum1 = sum1 / (norm + at) - j1;
    if (!second) return order ? j1 : j0;
    return two_over_pi * (order ? near * j1 - j0 / x + sum1 : near * j0 - 2 * sum0);
}

SCALAR_FN T SCALAR(bessel_j0)(T x)
{
    return (T)SCALAR(bessel)(0, 0, x < 0 ? -x : x);
}

SCALAR_FN T SCALAR(bessel_j1)(T x)
{
    return x < 0 ? (T)-SCALAR(bessel)(1, 0, -x) : (T)SCALAR(bessel)(1, 0, x);
}

SCALAR_FN T SCALAR(bessel_y0)(T x)
{
    return (T)SCALAR(bessel)(0, 1, x);
}

SCALAR_FN T SCALAR(bessel_y1)(T x)
{
    return (T)SCALAR(bessel)(1, 1, x);
}

/* sin(x) / x; near 0 its series. */
SCALAR_FN T SCALAR(spherical_j0)(T x)
{
    WIDE v = x, z = v * v;
    if (x == x && v - v != 0) return 0;
    if (z < KW(0.01)) return (T)(1 - z / 6 * (1 - z / 20 * (1 - z / 42 * (1 - z / 72))));
    return (T)(sin(v) / v);
}

/* Hurwitz's zeta function: the sum of (q + k)**-s over k >= 0. */
SCALAR_FN T SCALAR(zeta_of)(T s, T q)
{
    if (s == 1) return (T)1 / (T)0;
    if (!(s > 1) || q != q) return (T)0 / (T)0;
    if (q <= 0) return q == floor(q) ? (T)1 / (T)0 : s == floor(s) ? (T)SCALAR(zeta)(s, q) : (T)0 / (T)0;
    return (T)SCALAR(zeta_positive)(s, q);
}

/* ---- polynomials of a degree that is cut to a whole number, 0 below 0 ---- */

/* Their recurrences take as many steps as the degree: above this one the answer is NaN, lest an element never ends. */
#define DEGREE_MAX 100000

/* Chebyshev's of the first to fourth kind (0 to 3). */
SCALAR_SLOW WIDE SCALAR(chebyshev)(int kind, WIDE x, WIDE degree)
{
    WIDE n = trunc(degree), odd = fmod(n, (WIDE)2);
    if (!(n >= 0)) return 0;
    if (x == 1 || x == -1) {
        WIDE size = kind == 0 ? 1 : kind == 1 ? n + 1 : (kind == 2) == (x < 0) ? 2 * n + 1 : 1;
        return x < 0 && odd != 0 ? -size : size;
    }
    WIDE p = 1, q = kind == 0 ? x : kind == 1 ? 2 * x : kind == 2 ? 2 * x - 1 : 2 * x + 1;
    if (n == 0) return p;
    if (n > DEGREE_MAX) return (WIDE)0 / (WIDE)0;
    for (WIDE k = 1; k < n && q - q == 0; k += 1) {
        WIDE r = 2 * x * q - p;
        p = q;
        q = r;
    }
    return q;
}

/* Hermite's, physicists' (0) and probabilists' (1), of high degrees NaN; Laguerre's (2) and Legendre's (3). */
SCALAR_SLOW WIDE SCALAR(orthogonal)(int kind, WIDE x, WIDE degree)
{
    WIDE n = trunc(degree), odd = fmod(n, (WIDE)2);
    if (!(n >= 0)) return 0;
    if (kind < 2 && n > (T_BITS > 32 ? 512 : 128)) return (WIDE)0 / (WIDE)0;
    if (kind == 2 && x == 0) return 1;
    if (kind == 3 && (x == 1 || x == -1)) return x < 0 && odd != 0 ? -1 : 1;
    WIDE p = 1, q = kind == 0 ? 2 * x : kind == 2 ? 1 - x : x;
    if (n == 0) return p;
    if (n > DEGREE_MAX) return (WIDE)0 / (WIDE)0;
    for (WIDE k = 1; k < n && q - q == 0; k += 1) {
        WIDE r = kind == 0   ? 2 * (x * q - k * p)
                 : kind == 1 ? x * q - k * p
                 : kind == 2 ? ((2 * k + 1 - x) * q - k * p) / (k + 1)
                             : ((2 * k + 1) * x * q - k * p) / (k + 1);
        p = q;
        q = r;
    }
    return q;
}

SCALAR_FN T SCALAR(chebyshev_of)(int kind, T x, T n)
{
    return (T)SCALAR(chebyshev)(kind, x, n);
}

SCALAR_FN T SCALAR(chebyshev_shifted)(int kind, T x, T n)
{
    return (T)SCALAR(chebyshev)(kind, 2 * (WIDE)x - 1, n);
}

SCALAR_FN T SCALAR(orthogonal_of)(int kind, T x, T n)
{
    return (T)SCALAR(orthogonal)(kind, x, n);
}

#undef DEGREE_MAX

#endif
