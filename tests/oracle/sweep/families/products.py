"""Products of matrices and vectors."""

import torch

from draw import options

from . import family

OPS = """matmul mm mv bmm dot vdot inner outer ger addmm addmv addbmm baddbmm addr einsum tensordot kron cross trace
    matrix_power chain_matmul linear bilinear""".split()
EINSUMS = [
    "ij,jk->ik",
    "ij,ij->",
    "ij->ji",
    "i,j->ij",
    "ii->i",
    "ii",
    "bij,bjk->bik",
    "ij,kj",
    "...i,...i",
    "ij,j->i",
]


@family("products", "Products of matrices and vectors", OPS, 26)
def products(d, op):
    dtype = d.weighted({torch.float32: 6, torch.float64: 3, torch.int64: 1, torch.bfloat16: 1})
    n, m, k, b = (d.integer(0 if d.chance(0.1) else 1, 3) for _ in range(4))
    d.double = d.chance(0.3)

    def make(*shape):
        sizes = list(shape)
        if d.chance(0.02):
            sizes[d.integer(0, len(sizes) - 1)] += 1
        return d.tensor(dtype if d.chance(0.98) else torch.float64, sizes, special=False)

    scaled = options(beta=d.pick([None, 2, 0]), alpha=d.pick([None, 3]))
    if op == "matmul":
        left = d.pick([[n], [m, n], [b, m, n], [1, b, m, n]])
        right = d.pick([[n], [n, k], [b, n, k], [1, n, k]])
        a, b = make(*left), make(*right)
        return d.pick([f"{a} @ {b}", f"torch.matmul({a}, {b})"])
    if op == "mm":
        return f"torch.mm({make(n, m)}, {make(m, k)})"
    if op == "mv":
        return f"torch.mv({make(n, m)}, {make(m)})"
    if op == "bmm":
        return f"torch.bmm({make(b, n, m)}, {make(b, m, k)})"
    if op in ("dot", "vdot"):
        return f"torch.{op}({make(n)}, {make(n)})"
    if op == "inner":
        return f"torch.inner({make(m, n)}, {make(*d.pick([[n], [k, n]]))})"
    if op in ("outer", "ger"):
        return f"torch.{op}({make(n)}, {make(m)})"
    if op == "addmm":
        return f"torch.addmm({make(*d.pick([[n, k], [k], [1]]))}, {make(n, m)}, {make(m, k)}{scaled})"
    if op == "addmv":
        return f"torch.addmv({make(n)}, {make(n, m)}, {make(m)}{scaled})"
    if op == "addr":
        return f"torch.addr({make(n, m)}, {make(n)}, {make(m)}{scaled})"
    if op in ("addbmm", "baddbmm"):
        start = make(n, k) if op == "addbmm" else make(b, n, k)
        return f"torch.{op}({start}, {make(b, n, m)}, {make(b, m, k)}{scaled})"
    if op == "einsum":
        equation = d.pick(EINSUMS)
        sizes = {"i": n, "j": m, "k": k, "b": b, "...": 2}
        operands = [part.replace("...", "b") for part in equation.split("->")[0].split(",")]
        return (
            f"torch.einsum('{equation}', {', '.join(make(*(sizes[c] for c in part)) for part in operands)})"
        )
    if op == "tensordot":
        if d.flag():
            return f"torch.tensordot({make(n, m)}, {make(m, k)}, dims=1)"
        return f"torch.tensordot({make(n, m)}, {make(k, n)}, dims=([0], [1]))"
    if op == "kron":
        return f"torch.kron({make(n, m)}, {make(*d.pick([[k], [2, 2]]))})"
    if op == "cross":
        return f"torch.cross({make(n, 3)}, {make(n, 3)}{d.pick(['', ', dim=1', ', dim=-1'])})"
    if op == "trace":
        return f"torch.trace({make(n, m)})"
    if op == "matrix_power":
        return f"torch.matrix_power({make(n, n)}, {d.integer(0, 4)})"
    if op == "chain_matmul":
        return f"torch.chain_matmul({make(n, m)}, {make(m, k)}, {make(k, b)})"
    if op == "bilinear":
        return f"F.bilinear({make(b, n)}, {make(b, m)}, {make(k, n, m)}{', ' + make(k) if d.flag() else ''})"
    x = make(*d.pick([[b, n], [n], [2, b, n]]))
    return f"F.linear({x}, {make(m, n)}{', ' + make(m) if d.flag() else ''})"
