"""Views and copies of other shapes; joins and splits. Strides are asked for too: sharing is part of the answer."""

import math

import torch

from draw import options

from . import family

SHAPES = """view reshape flatten unflatten squeeze unsqueeze transpose permute expand repeat t T mT movedim swapaxes
    swapdims moveaxis flip fliplr flipud roll rot90 unfold narrow select diagonal diag triu tril diag_embed diagflat
    broadcast_to tile ravel unbind contiguous as_strided view_as expand_as reshape_as atleast_1d atleast_2d atleast_3d
    repeat_interleave adjoint size stride""".split()
NO_FUNCTION = {
    "view",
    "expand",
    "repeat",
    "unfold",
    "contiguous",
    "view_as",
    "expand_as",
    "reshape_as",
    "size",
    "stride",
    "mT",
    "T",
}
NO_METHOD = {"atleast_1d", "atleast_2d", "atleast_3d"}


def factors(d, n):
    """A shape with n elements; sometimes with a -1, rarely a wrong one."""
    sizes = []
    rest = n
    while rest > 1 and d.chance(0.7):
        f = d.pick([k for k in range(1, rest + 1) if rest % k == 0])
        sizes.append(f)
        rest //= f
    sizes.append(rest)
    if d.chance(0.3):
        sizes[d.integer(0, len(sizes) - 1)] = -1
    if d.chance(0.05):
        sizes[0] += 1
    return sizes


def wrong(d, sizes):
    if sizes and d.chance(0.05):
        sizes[d.integer(0, len(sizes) - 1)] += 1
    return sizes


def arguments(d, op, shape):
    """The arguments' text after the tensor."""
    n, ndim, total = d.integer, len(shape), math.prod(shape)
    dim = lambda: d.dim(ndim)
    if op in ("view", "reshape"):
        return str(tuple(factors(d, total)))
    if op == "flatten":
        return options(start_dim=d.pick([None, dim()]), end_dim=d.pick([None, dim()]))[2:]
    if op == "unflatten":
        at = dim()
        return f"{at}, {tuple(factors(d, shape[at] if -ndim <= at < ndim else 4))}"
    if op == "squeeze":
        return d.pick(["", str(dim()), str(dim()), f"({dim()}, {dim()})"])
    if op == "unsqueeze":
        return str(n(-ndim - 1, ndim) if d.chance(0.95) else ndim + 2)
    if op in ("transpose", "swapaxes", "swapdims"):
        return f"{dim()}, {dim()}"
    if op == "permute":
        order = d.random.sample(range(ndim), ndim)
        return str(tuple(wrong(d, [i - ndim if d.chance(0.2) else i for i in order])))
    if op in ("movedim", "moveaxis"):
        return f"{dim()}, {dim()}" if d.flag() or ndim < 2 else f"(0, 1), ({dim()}, {dim()})"
    if op in ("expand", "broadcast_to"):
        sizes = [n(2, 3) if s == 1 and d.flag() else -1 if d.chance(0.2) else s for s in shape]
        return str(tuple(wrong(d, ([2] if d.chance(0.3) else []) + sizes)))
    if op in ("repeat", "tile"):
        return str(
            tuple(
                n(0, 2) if d.chance(0.1) else n(1, 2)
                for _ in range(n(max(ndim - (op == "tile" or d.chance(0.05)), 0), ndim + 1))
            )
        )
    if op == "flip":
        return str(tuple(d.random.sample(range(ndim), n(0, ndim)) if d.chance(0.95) else [0, 0]))
    if op == "roll":
        return d.pick(
            [f"{n(-3, 3)}", f"{n(-3, 3)}, {dim()}", f"({n(-2, 2)}, {n(-2, 2)}), ({dim()}, {dim()})"]
        )
    if op == "rot90":
        return f"{n(-2, 3)}, ({dim()}, {dim()})"
    if op == "unfold":
        return f"{dim()}, {n(1, 3)}, {n(1, 2)}"
    if op == "narrow":
        return f"{dim()}, {n(-1, 1)}, {n(0, 2)}"
    if op == "select":
        return f"{dim()}, {n(-2, 1)}"
    if op in ("diag", "triu", "tril", "diagflat"):
        return d.pick(["", str(n(-2, 2)), f"diagonal={n(-2, 2)}"])
    if op == "diagonal":
        return d.pick(["", str(n(-1, 1)), f"offset={n(-1, 1)}, dim1={dim()}, dim2={dim()}"])
    if op == "diag_embed":
        return d.pick(["", str(n(-1, 1)), f"offset={n(-1, 1)}, dim1={n(-2, 1)}, dim2={n(-2, 1)}"])
    if op == "as_strided":
        sizes = [n(1, 2) for _ in range(n(0, 2))]
        return f"{tuple(sizes)}, {tuple(n(0, 2) for _ in sizes)}{d.pick(['', ', 1'])}"
    if op == "repeat_interleave":
        return d.pick([f"{n(0, 3)}", f"{n(0, 3)}, dim={dim()}", f"torch.tensor([1, 2]), dim={dim()}"])
    if op in ("view_as", "expand_as", "reshape_as"):
        sizes = [abs(s) for s in factors(d, total)] if op != "expand_as" else [2, *shape]
        return d.tensor(torch.float32, sizes, grad=False)
    if op in ("size", "stride"):
        return d.pick(["", str(dim())])
    return ""


@family("shapes", "Views, copies and questions of shape", SHAPES, 22)
def shapes(d, op):
    dtype = d.dtype(floats=8)
    shape = d.shape(2 if op in ("t", "T", "mT", "adjoint") and d.chance(0.7) else 0, 2 if op == "t" else 3)
    a = d.tensor(dtype, shape, special=False)
    d.double = d.chance(0.1)
    if op in ("T", "mT"):
        return f"{a}.{op}"
    args = arguments(d, op, shape)
    method = op in NO_FUNCTION or op not in NO_METHOD and d.flag()
    call = f"{a}.{op}({args})" if method else f"torch.{op}({a}{', ' if args else ''}{args})"
    if d.chance(0.25) and op not in ("size", "stride", "unbind"):
        return f"{call}.{d.pick(['stride()', 'shape', 'is_contiguous()', 'storage_offset()'])}"
    return call


JOINS = """cat concat stack hstack vstack dstack column_stack row_stack split chunk tensor_split hsplit vsplit dsplit
    block_diag meshgrid broadcast_tensors cartesian_prod combinations concatenate split_with_sizes""".split()


@family("joins", "Joins and splits", JOINS, 34)
def joins(d, op):
    ndim = d.integer(1, 3)
    shape = d.full_shape(ndim, ndim)
    dim = d.dim(ndim)
    if op in ("split", "chunk", "tensor_split", "hsplit", "vsplit", "dsplit", "split_with_sizes"):
        a = d.tensor(d.dtype(), shape, special=False)
        length = shape[dim] if -ndim <= dim < ndim else 2
        parts = d.integer(1, 3)
        cuts = sorted(d.integer(0, length) for _ in range(d.integer(1, 2)))
        if op == "split_with_sizes" or op == "split" and d.flag():
            sizes = [cuts[0], length - cuts[0]] if d.chance(0.9) else [1, length]
            return f"{a}.{op}({sizes}, dim={dim})"
        if op in ("hsplit", "vsplit", "dsplit"):
            return f"torch.{op}({a}, {d.pick([parts, cuts])})"
        if op == "tensor_split" and d.flag():
            return f"torch.tensor_split({a}, {tuple(cuts)}, dim={dim})"
        return d.pick([f"torch.{op}({a}, {parts}, dim={dim})", f"{a}.{op}({parts}, {dim})"])
    names = []
    first = d.dtype(floats=8)
    for _ in range(d.integer(1, 3)):
        sizes = list(shape)
        if op in ("cat", "concat", "concatenate") and -ndim <= dim < ndim:
            sizes[dim] = d.integer(0, 3)
        if op in ("meshgrid", "cartesian_prod", "combinations"):
            sizes = [d.integer(0, 3)]
        if op == "broadcast_tensors":
            sizes = d.broadcastable(shape)
        if d.chance(0.04):
            sizes = [sizes[0] + 1, *sizes[1:]] if sizes else [1]
        if op == "block_diag":
            sizes = d.full_shape(0, 2)
        names.append(d.tensor(first if d.chance(0.8) else d.dtype(), sizes, special=False))
    d.double = d.chance(0.1)
    if op in ("block_diag", "broadcast_tensors", "cartesian_prod"):
        return f"torch.{op}({', '.join(names)})"
    if op == "meshgrid":
        return f"torch.meshgrid({', '.join(names)}{options(indexing=d.pick([None, 'ij', 'xy']))})"
    if op == "combinations":
        return f"torch.combinations({names[0]}{options(r=d.pick([None, 1, 2, 3]), with_replacement=d.pick([None, True]))})"
    more = f", dim={dim}" if op in ("cat", "concat", "stack", "concatenate") and d.chance(0.8) else ""
    return f"torch.{op}([{', '.join(names)}]{more})"
