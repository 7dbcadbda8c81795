"""Reductions over all elements or over dims, and running ones."""

import torch

from draw import options

from . import family

FLOAT_ONLY = {
    "mean",
    "std",
    "var",
    "logsumexp",
    "nanmean",
    "nanmedian",
    "norm",
    "quantile",
    "nanquantile",
    "std_mean",
    "var_mean",
}
ALL = """sum mean prod amax amin max min argmax argmin any all std var std_mean var_mean logsumexp nansum nanmean median
    nanmedian mode norm count_nonzero aminmax quantile nanquantile kthvalue""".split()
RUNNING = "cumsum cumprod cummax cummin logcumsumexp diff".split()
MANY_DIMS = {
    "sum",
    "mean",
    "amax",
    "amin",
    "any",
    "all",
    "std",
    "var",
    "std_mean",
    "var_mean",
    "logsumexp",
    "nansum",
    "nanmean",
    "norm",
    "count_nonzero",
}
# With no dims at all PyTorch's own gradients and shapes are wrong here.
EMPTY_DIMS_WRONG = {"std", "var", "std_mean", "var_mean", "logsumexp"}
# Of expanded tensors PyTorch reads beyond the memory, or leaves open which of equal elements gets the gradient, or their
# spread is rounding alone.
NOT_EXPANDED = {"median", "nanmedian", "kthvalue", "var", "std", "var_mean", "std_mean"}
NO_KEEPDIM = {"count_nonzero"}
CASTING = {"sum", "mean", "prod", "nansum", "nanmean", "cumsum", "cumprod"}
DTYPE_NAMES = ["float32", "float64", "int64", "int32", "bool", "float16"]


@family("reductions", "Reductions over all elements and over dims", ALL, 38)
def reductions(d, op):
    dtype = d.dtype(floats=8) if op in FLOAT_ONLY else d.dtype()
    shape = d.shape()
    special = d.chance(0.5) and op != "mode"  # PyTorch sorts for it by a comparison that NaN breaks
    a = d.tensor(dtype, shape, special=special, expanded=op not in NOT_EXPANDED)
    ndim = len(shape)
    d.double = d.chance(0.3)
    if op == "prod" and not d.inputs[a].isfinite().all():
        d.inputs[a].requires_grad_(False)  # which products meet the NaN depends on the order they are made in
    keepdim = d.pick([None, None, True, False]) if op not in NO_KEEPDIM else None
    cast = getattr(torch, d.pick(DTYPE_NAMES)) if op in CASTING and d.chance(0.2) else None
    if cast is torch.float16 or cast is torch.float32 and dtype is torch.float64:
        cast = None  # floats are compared by the precision of the input
    if op in ("quantile", "nanquantile", "kthvalue"):
        d.untied(a)
    if op in ("quantile", "nanquantile"):
        q = d.pick(["0.5", "0.25", "0.9", "torch.tensor([0.25, 0.5])", "1.5"])
        how = d.pick([None, "linear", "lower", "higher", "nearest", "midpoint"])
        dim = d.pick([None, d.dim(ndim)])
        return f"torch.{op}({a}, {q}{options(dim=dim, keepdim=keepdim if dim is not None else None, interpolation=how)})"
    if op == "kthvalue":  # of equal elements any may be the k-th: its place is not compared
        call = f"torch.kthvalue({a}, {d.integer(1, 3)}{options(dim=d.pick([None, d.dim(ndim)]), keepdim=keepdim)})"
        return f"values, places = {call}\nvalues"
    if op == "norm":
        p = d.pick(["'fro'", "2", "1", "float('inf')", "0", "3", "0.5"]).replace("float('inf')", "inf")
        return f"torch.norm({a}, p={p}{options(dim=d.dims(ndim), keepdim=keepdim)})"
    dim = d.dims(ndim) if op in MANY_DIMS else d.pick([None, d.dim(ndim)])
    if op == "logsumexp" and dim is None:
        dim = d.dim(ndim)
    if dim == [] and op in EMPTY_DIMS_WRONG:
        dim = -1
    if dim is None:
        keepdim = None
    more = options(keepdim=keepdim, dtype=cast)
    if op in ("std", "var", "std_mean", "var_mean") and d.flag():
        more = options(keepdim=keepdim, correction=d.integer(0, 2))
    if op == "aminmax":
        return f"torch.aminmax({a}{options(dim=dim)}{more})"
    where = "" if dim is None else f", {dim}" if d.flag() else f", dim={dim}"
    if d.flag() and op not in ("std_mean", "var_mean"):
        return f"{a}.{op}({(where + more)[2:]})"
    return f"torch.{op}({a}{where}{more})"


@family("running", "Running sums, products and extremes", RUNNING, 40)
def running(d, op):
    shape = d.shape()
    a = d.tensor(d.dtype(), shape, special=d.chance(0.5))
    dim = d.dim(len(shape))
    d.double = d.chance(0.3)
    if op == "diff":
        more = (
            d.tensor(
                d.inputs[a].dtype, [1 if i == dim % max(len(shape), 1) else n for i, n in enumerate(shape)]
            )
            if shape and d.chance(0.4)
            else None
        )
        return (
            f"torch.diff({a}{options(n=d.pick([None, 1, 2, 0]), dim=d.pick([None, dim]))}"
            + (f", {d.pick(['prepend', 'append'])}={more}" if more and d.flag() else "")
            + ")"
        )
    cast = getattr(torch, d.pick(DTYPE_NAMES)) if op in CASTING and d.chance(0.25) else None
    call = f"{dim}{options(dtype=cast)}"
    return f"{a}.{op}({call})" if d.flag() else f"torch.{op}({a}, dim={call})"


@family(
    "tests",
    "Questions with one answer, and numbers",
    ["equal", "allclose", "item", "tolist", "bool", "len"],
    25,
)
def tests(d, op):
    shape = d.shape(most=2)
    a = d.tensor(d.dtype(), shape, low=-1, high=1)
    if op in ("equal", "allclose"):
        other = d.inputs[a].clone() if d.flag() else None
        b = (
            d.give(other)
            if other is not None
            else d.tensor(d.dtype(), d.broadcastable(shape), low=-1, high=1)
        )
        return f"torch.{op}({a}, {b}{options(rtol=d.pick([None, 0.5]), equal_nan=d.pick([None, True])) if op == 'allclose' else ''})"
    if op == "bool":
        return f"{a}.is_nonzero()"
    return f"{a}.numel()" if op == "len" else f"{a}.{op}()"
