"""Indexing: reading and writing with numbers, slices, masks and index tensors; gathering and scattering."""

import torch

from . import family


def slice_text(d, length):
    part = lambda: d.pick(["", "", str(d.integer(-length - 1, length + 1))])
    step = d.pick(["", "", "", "::"[1:] + str(d.integer(1, 3))])
    if d.chance(0.02):
        step = ":" + str(d.pick([0, -1]))
    return f"{part()}:{part()}{step}"


def items(d, shape):
    """The items of an index, some of them tensors drawn for it."""
    out, at = [], 0
    count = d.integer(1, max(len(shape), 1)) if d.chance(0.97) else len(shape) + 1
    length_of_index = d.integer(1, 3)
    while at < count:
        length = shape[at] if at < len(shape) else 2
        kind = d.weighted({"int": 3, "slice": 5, "none": 1, "dots": 1, "mask": 1, "list": 1, "tensor": 2})
        if kind == "none":
            out.append("None")
            continue
        if kind == "dots":
            if "..." not in out:
                out.append("...")
                at += d.integer(0, 1)
            continue
        at += 1
        if kind == "int":
            out.append(str(d.integer(-length, max(length - 1, -length)) if d.chance(0.96) else length + 1))
        elif kind == "slice":
            out.append(slice_text(d, length))
        elif kind == "mask":
            out.append(d.tensor(torch.bool, [length if d.chance(0.97) else length + 1]))
        elif kind == "list":
            out.append(str([d.integer(-length, length - 1) if length else 0 for _ in range(length_of_index)]))
        else:
            sizes = d.pick([[], [length_of_index], [length_of_index], [2, 1]])
            out.append(d.index(sizes, length, negative=d.chance(0.3)))
    return out


def index_text(d, shape):
    if shape and d.chance(0.12):
        return d.tensor(torch.bool, shape[: d.integer(1, len(shape))])
    return ", ".join(items(d, shape))


@family("indexing", "Reading and writing by index", ["get", "set", "set_number", "add", "index_put"], 150)
def indexing(d, op):
    shape = d.shape(1 if d.chance(0.95) else 0, 3)
    dtype = d.dtype(floats=7)
    a = d.tensor(dtype, shape, special=False)
    index = index_text(d, shape)
    if op == "get":
        d.double = d.chance(0.1)
        return f"{a}[{index}]"
    if op == "set_number":
        return f"x = {a}.clone(); x[{index}] = {d.scalar(kinds=('int', 'float', 'bool'))}; x".replace(
            "; ", "\n"
        )
    if op == "add":
        return f"x = {a}.clone(); x[{index}] += {d.scalar()}; x".replace("; ", "\n")
    try:
        names = {k: t for k, t in d.inputs.items()}
        like = list(eval(f"{a}[{index}]", dict(names)).shape)
    except Exception:
        like = [1]
    b = d.tensor(dtype if d.chance(0.8) else d.dtype(), d.broadcastable(like), special=False)
    if op == "index_put":
        picks = [d.index([len(like) + 1], n) for n in shape[: d.integer(1, max(len(shape), 1))] if n]
        if not picks:
            return f"{a}.clone()"
        value = d.tensor(dtype, [len(like) + 1 if d.flag() else 1], special=False)
        return f"{a}.index_put(({', '.join(picks)},), {value}, accumulate={d.flag()})"
    return f"x = {a}.clone()\nx[{index}] = {b}\nx"


GATHERS = (
    """gather scatter scatter_add scatter_reduce index_select index_add index_copy index_fill masked_fill
    masked_select masked_scatter take take_along_dim where nonzero argwhere index_reduce
    select_scatter slice_scatter diagonal_scatter""".split()
)


def gather_case(d, op, a, shape, dtype):
    ndim = len(shape)
    dim = d.dim(ndim)
    bound = shape[dim] if -ndim <= dim < ndim else 1
    if op in ("masked_fill", "masked_select", "masked_scatter"):
        mask = d.tensor(torch.bool, d.broadcastable(shape))
        if op == "masked_select":
            return f"torch.masked_select({a}, {mask})"
        if op == "masked_fill":
            return f"{a}.masked_fill({mask}, {d.scalar(kinds=('int', 'float', 'bool'))})"
        return f"{a}.masked_scatter({mask}, {d.tensor(dtype, [24], special=False)})"
    if op == "take":
        total = max(torch.Size(shape).numel(), 1)
        return f"torch.take({a}, {d.index(d.shape(most=2), total, negative=True)})"
    if op in ("nonzero", "argwhere"):
        return f"torch.{op}({a})" if op == "argwhere" or d.flag() else f"torch.nonzero({a}, as_tuple=True)"
    if op == "where":
        return f"torch.where({a} > {d.scalar()})"
    if op.startswith("index_"):
        picks = d.index([d.integer(0, 3)], bound)
        length = d.inputs[picks].numel()
        source_shape = [length if i == dim % max(ndim, 1) else n for i, n in enumerate(shape)]
        if op == "index_select":
            return f"torch.index_select({a}, {dim}, {picks})"
        if op == "index_fill":
            return f"{a}.index_fill({dim}, {picks}, {d.scalar()})"
        source = d.tensor(dtype, source_shape, special=False)
        if op == "index_reduce":
            how = d.pick(["prod", "mean", "amax", "amin"])
            return f"{a}.index_reduce({dim}, {picks}, {source}, '{how}', include_self={d.flag()})"
        more = f", alpha={d.integer(-2, 2)}" if op == "index_add" and d.chance(0.3) else ""
        return f"{a}.{op}({dim}, {picks}, {source}{more})"
    if op == "select_scatter":
        return f"torch.select_scatter({a}, {d.tensor(dtype, [n for i, n in enumerate(shape) if i != dim % max(ndim, 1)])}, {dim}, 0)"
    if op == "slice_scatter":
        sizes = [1 if i == dim % max(ndim, 1) else n for i, n in enumerate(shape)]
        return f"torch.slice_scatter({a}, {d.tensor(dtype, sizes)}, dim={dim}, start=0, end=1)"
    if op == "diagonal_scatter":
        length = min(shape[:2]) if ndim >= 2 else 1
        return f"torch.diagonal_scatter({a}, {d.tensor(dtype, [*shape[2:], length])})"
    sizes = [
        d.integer(0, n + (op == "gather" and i == dim % max(ndim, 1))) if d.chance(0.5) else n
        for i, n in enumerate(shape)
    ]
    index = d.index(sizes, bound)
    if op in ("gather", "take_along_dim"):
        return (
            f"torch.{op}({a}, {dim}, {index})"
            if op == "gather"
            else f"torch.take_along_dim({a}, {index}, dim={dim})"
        )
    if op == "scatter" and d.flag():
        return f"{a}.scatter({dim}, {index}, {d.scalar()})"
    source = d.tensor(dtype, [n + d.integer(0, 1) for n in sizes], special=False)
    if op == "scatter_reduce":
        how = d.pick(["sum", "prod", "mean", "amax", "amin"])
        return f"{a}.scatter_reduce({dim}, {index}, {source}, '{how}', include_self={d.flag()})"
    return f"{a}.{op}({dim}, {index}, {source})"


@family("gathers", "Gathering, scattering and masking", GATHERS, 34)
def gathers(d, op):
    shape = d.shape(0, 3)
    dtype = d.dtype(floats=7)
    a = d.tensor(dtype, shape, special=False)
    d.double = d.chance(0.1)
    return gather_case(d, op, a, shape, dtype)
