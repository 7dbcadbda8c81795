#!/usr/bin/env python3
"""What PyTorch's torch.special answers: python3 tests/oracle/special.py > tests/scripts/special.out

tests/scripts/special.lua prints the same lines: values and gradients at points of float64."""
import torch

ONE = {
    "entr": (-1, 0, .1, 1, 7.5, float("inf")), "erfcx": (-30, -3, -.5, 0, .5, 1.9, 2, 3, 30, 1e6),
    "log_ndtr": (-40, -9, -1.5, -.5, 0, 3, 9), "ndtr": (-9, -1, 0, .5, 3), "ndtri": (0, 1e-300, 1e-9, .1, .5, .7, 1),
    "i0": (-2, 0, 3, 40), "i0e": (-40, -2, .5, 3, 29, 31, 800), "i1": (-2, .5, 3, 29, 31), "i1e": (-40, -2, 0, .5, 3, 31, 800),
    "bessel_j0": (-3, 0, 1e-6, .5, 3, 10, 24, 26, 100, float("inf")), "bessel_j1": (-3, 0, 1e-6, .5, 3, 10, 24, 26, 100),
    "bessel_y0": (-1, 0, 1e-6, .5, 3, 10, 24, 26, 100), "bessel_y1": (-1, 0, 1e-6, .5, 3, 10, 24, 26, 100),
    "modified_bessel_i0": (-2, 0, 5), "modified_bessel_i1": (-2, 0, 5),
    "modified_bessel_k0": (-1, 0, 1e-6, .1, 1, 5, 50), "modified_bessel_k1": (-1, 0, 1e-6, .1, 1, 5, 50),
    "scaled_modified_bessel_k0": (1e-6, .1, 1, 5, 50, 3000), "scaled_modified_bessel_k1": (1e-6, .1, 1, 5, 50, 3000),
    "spherical_bessel_j0": (-3, 0, 1e-3, .4, 2, float("inf")),
    "expit": (-2, 3), "psi": (.5, 3), "gammaln": (.5, 3), "sinc": (0, .3), "exp2": (3,), "expm1": (1e-9,), "log1p": (1e-9,),
}
TWO = {
    "xlog1py": ((0, -1), (2, 3), (1.5, .25)), "xlogy": ((0, 0), (2, 3)), "gammainc": ((2, 3),), "gammaincc": ((2, 3),),
    "zeta": ((1, 2), (.5, 1), (2, 1), (3.5, .25), (2, -1.5), (2, -3), (2.5, -1.5), (40, 7)),
}
for name in ("chebyshev_polynomial_t", "chebyshev_polynomial_u", "chebyshev_polynomial_v", "chebyshev_polynomial_w",
             "hermite_polynomial_h", "hermite_polynomial_he", "laguerre_polynomial_l", "legendre_polynomial_p",
             "shifted_chebyshev_polynomial_t", "shifted_chebyshev_polynomial_u", "shifted_chebyshev_polynomial_v",
             "shifted_chebyshev_polynomial_w"):
    TWO[name] = ((.3, -1), (.3, 0), (.3, 1), (.3, 5), (.3, 20), (-1, 3), (1, 3), (0, 4), (1.5, 6), (.7, 2.9))


def text(v):
    if v != v:
        return "nan"
    return "0" if abs(v) < 1e-300 else "%.7g" % v


def texts(t):
    return " ".join(text(v) for v in t.tolist())


def show(name, f, points):
    operands = [torch.tensor([p[k] for p in points], dtype=torch.float64) for k in range(len(points[0]))]
    operands[-1].requires_grad_()
    y = f(*operands)
    line = name + ": " + texts(y.detach())
    if y.requires_grad:
        y.sum().backward()
        line += " | " + y.grad_fn.name() + " " + texts(operands[-1].grad)
    print(line)


for name in sorted(ONE):
    show(name, getattr(torch.special, name), [(p,) for p in ONE[name]])
for name in sorted(TWO):
    show(name, getattr(torch.special, name), TWO[name])

for name in ("bessel_j0", "erfcx", "entr", "i0e", "zeta"):
    f = getattr(torch.special, name)
    for dtype in (torch.int64, torch.float16, torch.bool):
        x = torch.ones(2, dtype=dtype)
        try:
            print(name, (f(x, x) if name == "zeta" else f(x)).dtype)
        except NotImplementedError as e:
            print(name, "NotImplementedError:", e)
x = torch.tensor([1.5, 2.5], dtype=torch.float64, requires_grad=True)
for name in ("zeta", "gammainc"):
    try:
        getattr(torch.special, name)(x, x).sum().backward()
    except NotImplementedError as e:
        print(name, "NotImplementedError:", e)
print(torch.special.zeta(2, x).grad_fn.name(), torch.special.xlog1py(x, 2).grad_fn.name(), torch.special.xlog1py(2, x).grad_fn.name())
print(texts(torch.special.multigammaln(x + 3, 2).detach()), texts(torch.special.polygamma(1, x).detach()))
