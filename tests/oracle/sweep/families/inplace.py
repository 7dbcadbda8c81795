"""In-place forms: on copies, on views of copies, on leaves; what they refuse."""

import torch

from draw import INTEGERS, options

from . import family

UNARY = (
    """neg_ abs_ exp_ sqrt_ tanh_ sigmoid_ relu_ floor_ round_ zero_ sin_ log_ reciprocal_ clamp_ square_ erf_
    logical_not_ sign_ trunc_ frac_ t_ squeeze_ unsqueeze_ transpose_ fill_ triu_ tril_ cumsum_ detach_ fill_diagonal_
    unsqueeze_ swapaxes_ as_strided_ nan_to_num_ masked_fill_ index_fill_ copy_ index_add_ index_copy_ scatter_
    scatter_add_ lerp_ addcmul_ addcdiv_ requires_grad_""".split()
)
BINARY = """add_ sub_ mul_ div_ pow_ remainder_ fmod_ floor_divide_ atan2_ eq_ lt_ logical_and_ bitwise_and_ bitwise_or_
    hypot_ copysign_ xlogy_ heaviside_""".split()


def call(d, op, x, shape, dtype):
    """The call's text on the tensor whose name or expression is x."""
    if op in BINARY:
        other = (
            d.scalar(kinds=("int", "float", "bool"))
            if d.chance(0.3)
            else d.tensor(dtype if d.flag() else d.any_dtype(), d.broadcastable(shape), special=False)
        )
        return f"{x}.{op}({other})"
    ndim = len(shape)
    dim = d.dim(ndim)
    bound = shape[dim] if -ndim <= dim < ndim else 1
    picks = lambda: d.index([d.integer(1, 2)], bound)
    arguments = {
        "clamp_": lambda: f"{d.scalar(-2, 0)}, {d.scalar(0, 2)}",
        "squeeze_": lambda: d.pick(["", str(dim)]),
        "unsqueeze_": lambda: str(dim),
        "transpose_": lambda: f"{dim}, {d.dim(ndim)}",
        "swapaxes_": lambda: f"{dim}, {d.dim(ndim)}",
        "fill_": lambda: str(d.scalar(kinds=("int", "float", "bool"))),
        "triu_": lambda: str(d.integer(-1, 1)),
        "tril_": lambda: str(d.integer(-1, 1)),
        "cumsum_": lambda: str(dim),
        "fill_diagonal_": lambda: str(d.scalar()),
        "as_strided_": lambda: "(1,), (1,)",
        "masked_fill_": lambda: f"{d.tensor(torch.bool, d.broadcastable(shape))}, {d.scalar()}",
        "index_fill_": lambda: f"{dim}, {picks()}, {d.scalar()}",
        "copy_": lambda: d.tensor(d.any_dtype(), d.broadcastable(shape), special=False),
        "scatter_": lambda: f"{dim}, {d.index(shape, bound)}, {d.scalar()}",
        "scatter_add_": lambda: f"{dim}, {d.index(shape, bound)}, {d.tensor(dtype, shape, special=False)}",
        "lerp_": lambda: f"{d.tensor(dtype, shape, special=False)}, 0.25",
        "addcmul_": lambda: f"{d.tensor(dtype, shape)}, {d.tensor(dtype, d.broadcastable(shape))}{options(value=d.pick([None, 2]))}",
        "addcdiv_": lambda: f"{d.tensor(dtype, shape)}, {d.tensor(dtype, shape, 1)}{options(value=d.pick([None, 2]))}",
        "requires_grad_": lambda: d.pick(["", "False"]),
    }
    if op in ("index_add_", "index_copy_"):
        index = picks()
        sizes = [d.inputs[index].numel() if i == dim % max(ndim, 1) else n for i, n in enumerate(shape)]
        return f"{x}.{op}({dim}, {index}, {d.tensor(dtype, sizes, special=False)})"
    return f"{x}.{op}({arguments.get(op, lambda: '')()})"


@family("inplace", "In-place forms", dict.fromkeys(UNARY + BINARY), 20)
def inplace(d, op):
    dtype = d.dtype()
    if op.startswith("bitwise"):
        dtype = d.pick(INTEGERS + [torch.bool])
    shape = d.shape()
    a = d.tensor(dtype, shape, special=False)
    how = d.weighted(
        {"copy": 6, "view": 2, "itself": 2, "operator": 2 if op in ("add_", "sub_", "mul_", "div_") else 0}
    )
    if how == "operator":
        return f"x = {a}.clone()\nx {dict(add_='+', sub_='-', mul_='*', div_='/')[op]}= {d.scalar()}\nx"
    if how == "itself":
        return call(d, op, a, shape, dtype)
    if how == "view" and shape and shape[0] > 1:
        inner = call(d, op, "x[1:]", [shape[0] - 1, *shape[1:]], dtype)
        return f"x = {a}.clone()\n{inner}\nx"
    return f"x = {a}.clone()\n{call(d, op, 'x', shape, dtype)}\nx"
