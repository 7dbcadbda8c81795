"""Order: sorting, ranking, searching, counting."""

import torch

from draw import options

from . import family

OPS = """sort argsort msort topk unique unique_consecutive searchsorted bucketize bincount histc isin
    histogram""".split()


@family("order", "Sorting, ranking, searching, counting", OPS, 40)
def order(d, op):
    shape = d.shape(1 if op in ("bincount", "searchsorted") else 0, 1 if op == "bincount" else 3)
    ndim = len(shape)
    dtype = d.dtype()
    d.double = d.chance(0.2)
    if op == "bincount":
        a = d.tensor(torch.int64 if d.chance(0.9) else dtype, shape, 0, 5, special=d.chance(0.1))
        w = d.tensor(d.pick([torch.float32, torch.float64, torch.int64]), shape) if d.flag() else None
        return f"torch.bincount({a}" + (f", {w}" if w else "") + f"{options(minlength=d.pick([None, 8]))})"
    a = d.tensor(dtype, shape, special=op in ("sort", "topk", "unique", "argsort") and d.chance(0.3))
    dim = d.dim(ndim)
    if op == "sort":
        return f"torch.sort({a}{options(dim=d.pick([None, dim]), descending=d.pick([None, True, False]), stable=True)})"
    if op == "argsort":
        return f"torch.argsort({a}{options(dim=d.pick([None, dim]), descending=d.pick([None, True]), stable=True)})"
    if op == "msort":
        return f"torch.msort({a})"
    if op == "topk":
        d.untied(a)
        call = f"torch.topk({a}, {d.integer(0, 2)}{options(dim=d.pick([None, dim]), largest=d.pick([None, False]))})"
        return f"values, places = {call}\nvalues"  # the places of equal elements are not defined
    if op == "unique":
        if d.inputs[a].isnan().any():
            dim = None  # PyTorch sorts slices by a comparison that NaN breaks
        return f"torch.unique({a}{options(sorted=d.pick([None, True]), return_inverse=d.pick([None, True]), return_counts=d.pick([None, True]), dim=d.pick([None, None, dim]))})"
    if op == "unique_consecutive":
        return f"torch.unique_consecutive({a}{options(return_inverse=d.pick([None, True]), return_counts=d.pick([None, True]), dim=d.pick([None, None, dim]))})"
    if op == "isin":
        return (
            f"torch.isin({a}, {d.tensor(d.dtype(), d.shape(most=2))}{options(invert=d.pick([None, True]))})"
        )
    if op == "histc":
        return f"torch.histc({a}, bins={d.integer(1, 5)}{d.pick(['', ', min=-2, max=2'])})"
    if op == "histogram":
        return f"torch.histogram({a}, {d.integer(1, 4)}{d.pick(['', ', range=(-2.0, 2.0)'])}{d.pick(['', ', density=True'])})"
    kind = d.pick([torch.float32, torch.int64, dtype]) if dtype is not torch.bool else torch.float32
    low = 0 if kind is torch.uint8 else -4
    edges = torch.tensor(sorted(d.scalar(low, 4) for _ in range(d.integer(0, 4))), dtype=kind)
    if op == "searchsorted":
        e = d.give(edges, grad=False)
        return f"torch.searchsorted({e}, {a}{options(right=d.pick([None, True]), out_int32=d.pick([None, True]), side=d.pick([None, None, 'left', 'right']))})"
    return f"torch.bucketize({a}, {d.give(edges, grad=False)}{options(right=d.pick([None, True]), out_int32=d.pick([None, True]))})"
