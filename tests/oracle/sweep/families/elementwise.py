"""Elementwise functions: one tensor, two with promotion and broadcasting, numbers, comparisons, three tensors."""

from draw import FLOATS, INTEGERS, options

import torch

from . import family

# The range that values are drawn from.
UNARY = {
    **dict.fromkeys(
        """neg abs sign ceil floor round trunc frac square exp exp2 expm1 sin cos tan sinh cosh tanh atan
        asinh sigmoid erf erfc sgn signbit isnan isinf isfinite logical_not deg2rad rad2deg nan_to_num sinc
        positive isreal isposinf isneginf absolute negative fix relu arctan arcsinh""".split(),
        (-4, 4),
    ),
    **dict.fromkeys("log log2 log10 sqrt rsqrt lgamma digamma reciprocal".split(), (0.125, 6)),
    **dict.fromkeys("asin acos atanh erfinv arcsin arccos arctanh".split(), (-1, 1)),
    **dict.fromkeys("acosh arccosh".split(), (1, 5)),
    "log1p": (-0.9, 5),
    "logit": (0, 1),
    "bitwise_not": (-9, 9),
    "clone": (-4, 4),
}
FUNCTION_ONLY = {"isposinf", "isneginf", "isreal", "relu"}


@family("unary", "Elementwise functions of one tensor", UNARY, 14)
def unary(d, op):
    low, high = UNARY[op]
    if d.chance(0.15):
        low, high = -4, 4
    dtype = d.any_dtype() if d.chance(0.5) else d.dtype(floats=9)
    if op == "bitwise_not" and d.chance(0.8):
        dtype = d.pick(INTEGERS + [torch.bool])
    a = d.tensor(dtype, d.shape(), low, high)
    d.double = d.chance(0.3)
    if op == "round" and d.chance(0.4):
        return f"torch.round({a}, decimals={d.integer(-1, 2)})"
    if op == "logit" and d.chance(0.5):
        return f"torch.logit({a}, eps={d.pick([0.1, 0.25])})"
    if op == "nan_to_num" and d.chance(0.5):
        return f"torch.nan_to_num({a}{options(nan=d.pick([None, 1.5]), posinf=d.pick([None, 9.0]), neginf=d.pick([None, -9.0]))})"
    return f"{a}.{op}()" if d.flag() and op not in FUNCTION_ONLY else f"torch.{op}({a})"


BINARY = {
    **dict.fromkeys(
        """add sub mul maximum minimum fmax fmin atan2 hypot copysign heaviside rsub subtract multiply
        arctan2""".split(),
        (-4, 4),
    ),
    **dict.fromkeys(
        """eq ne lt le gt ge logical_and logical_or logical_xor not_equal less less_equal greater
        greater_equal isclose""".split(),
        (-2, 2),
    ),
    **dict.fromkeys(
        """div true_divide floor_divide fmod remainder ldexp logaddexp logaddexp2 divide""".split(), (-4, 4)
    ),
    **dict.fromkeys("pow float_power xlogy".split(), (0, 3)),
    **dict.fromkeys("bitwise_and bitwise_or bitwise_xor gcd lcm".split(), (-9, 9)),
    **dict.fromkeys("bitwise_left_shift bitwise_right_shift".split(), (0, 7)),
}
OPERATORS = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "div": "/",
    "floor_divide": "//",
    "remainder": "%",
    "pow": "**",
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "bitwise_and": "&",
    "bitwise_or": "|",
    "bitwise_xor": "^",
}
TENSORS_ONLY = {
    "maximum",
    "minimum",
    "fmax",
    "fmin",
    "atan2",
    "arctan2",
    "hypot",
    "heaviside",
    "logical_and",
    "logical_or",
    "logical_xor",
    "logaddexp",
    "logaddexp2",
    "gcd",
    "lcm",
    "isclose",
    "ldexp",
}


def two(d, op, low, high):
    """Two tensors' names; dtypes mostly the same where the op wants integers."""
    integers = op.startswith("bitwise") or op in ("gcd", "lcm")
    first = d.any_dtype() if d.chance(0.5) else d.dtype()
    if integers and d.chance(0.85):
        first = d.pick(INTEGERS + [torch.bool])
    second = (
        first if d.chance(0.4) else d.pick(INTEGERS) if integers else d.any_dtype() if d.flag() else d.dtype()
    )
    shape = d.shape()
    other = d.broadcastable(shape)
    special = not integers and "shift" not in op
    a = d.tensor(first, shape, low, high, special=special)
    return a, d.tensor(second, other, low, high, special=special)


@family("binary", "Elementwise functions of two tensors: every pair of dtypes, broadcasting", BINARY, 26)
def binary(d, op):
    a, b = two(d, op, *BINARY[op])
    if d.flag():
        a, b = b, a
    d.double = d.chance(0.3)
    if op in ("add", "sub", "rsub", "subtract") and d.chance(0.3):
        return f"torch.{op}({a}, {b}, alpha={d.scalar(-3, 3)})"
    if op in ("div", "divide") and d.flag():
        return f"torch.{op}({a}, {b}, rounding_mode='{d.pick(['floor', 'trunc'])}')"
    if op == "isclose":
        return f"torch.isclose({a}, {b}{options(rtol=d.pick([None, 0.1]), atol=d.pick([None, 0.5]), equal_nan=d.pick([None, True]))})"
    if op in OPERATORS and d.chance(0.4):
        return f"{a} {OPERATORS[op]} {b}"
    return f"{a}.{op}({b})" if d.flag() and op != "rsub" else f"torch.{op}({a}, {b})"


@family(
    "scalar", "A tensor and a number, on either side", [op for op in BINARY if op not in TENSORS_ONLY], 18
)
def scalar(d, op):
    low, high = BINARY[op]
    dtype = d.any_dtype() if d.flag() else d.dtype()
    if op.startswith("bitwise") and d.chance(0.85):
        dtype = d.pick(INTEGERS + [torch.bool])
    a = d.tensor(dtype, d.shape(), low, high, special="shift" not in op)
    kinds = ("int", "bool") if op.startswith("bitwise") else ("int", "float", "float", "bool")
    s = d.scalar(low, high, ("int",) if "shift" in op else kinds)
    d.double = d.chance(0.3)
    if op in OPERATORS and d.flag() and not isinstance(s, bool):
        return f"{a} {OPERATORS[op]} {s}" if d.flag() or s < 0 else f"{s} {OPERATORS[op]} {a}"
    if op in (
        "pow",
        "float_power",
        "xlogy",
        "copysign",
        "bitwise_left_shift",
        "bitwise_right_shift",
    ) and d.chance(0.3):
        return f"torch.{op}({s}, {a})" if not op.startswith("copysign") else f"torch.{op}({a}, {s})"
    if op in ("div", "divide") and d.flag():
        return f"torch.{op}({a}, {s}, rounding_mode='{d.pick(['floor', 'trunc'])}')"
    return f"{a}.{op}({s})" if d.flag() and op not in ("rsub",) else f"torch.{op}({a}, {s})"


@family(
    "ternary",
    "Functions of three tensors; clamping",
    "lerp addcmul addcdiv where clamp clip clamp_min clamp_max".split(),
    40,
)
def ternary(d, op):
    dtype = d.dtype() if d.chance(0.7) else d.any_dtype()
    shape = d.shape()
    a = d.tensor(dtype, shape)
    d.double = d.chance(0.3)
    if op in ("clamp_min", "clamp_max"):
        other = d.tensor(d.pick([dtype, d.any_dtype()]), d.broadcastable(shape)) if d.flag() else d.scalar()
        return f"torch.{op}({a}, {other})"
    if op in ("clamp", "clip"):
        if d.flag():
            low, high = d.pick([None, d.scalar(-3, 1)]), d.pick([None, d.scalar(-1, 3)])
            return f"{a}.{op}({low}, {high})" if d.flag() else f"torch.{op}({a}{options(min=low, max=high)})"
        low = d.tensor(d.pick([dtype, d.any_dtype()]), d.broadcastable(shape), -3, 1)
        high = d.tensor(dtype, d.broadcastable(shape), -1, 3)
        return f"torch.{op}({a}, {low}, {high})"
    other = dtype if d.chance(0.7) else d.any_dtype()
    b = d.tensor(other, d.broadcastable(shape)) if op != "where" or d.chance(0.8) else d.scalar()
    if op == "where":
        condition = d.tensor(torch.bool if d.chance(0.95) else torch.float32, d.broadcastable(shape))
        return f"torch.where({condition}, {a}, {b})" if d.flag() else f"torch.where({condition}, {b}, {a})"
    if op == "lerp":
        weight = d.scalar(0, 1, ("float",)) if d.flag() else d.tensor(dtype, d.broadcastable(shape), 0, 1)
        return f"torch.lerp({a}, {b}, {weight})"
    c = d.tensor(dtype, d.broadcastable(shape), 0.5 if op == "addcdiv" else -4)
    return f"torch.{op}({a}, {b}, {c}{options(value=d.pick([None, d.scalar(-2, 2)]))})"


CASTS = "float double half bfloat16 int long short char byte bool".split()


@family(
    "types",
    "Casts, promotion and questions about dtypes",
    ["cast", "to", "type", "result_type", "promote_types", "can_cast", "facts", "finfo", "iinfo"],
    40,
)
def types(d, op):
    names = [
        f"torch.{n}" for n in "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64".split()
    ]
    if op in ("promote_types", "can_cast"):
        return f"torch.{op}({d.pick(names)}, {d.pick(names)})"
    if op == "finfo":
        field = d.pick("eps max min tiny bits smallest_normal resolution".split())
        return f"torch.finfo({d.pick(['torch.float16', 'torch.bfloat16', 'torch.float32', 'torch.float64'])}).{field}"
    if op == "iinfo":
        return f"torch.iinfo({d.pick(names[1:6])}).{d.pick(['max', 'min', 'bits'])}"
    a = d.tensor(d.any_dtype(), d.shape(), special=False)
    if op == "result_type":
        other = (
            d.tensor(d.any_dtype(), d.shape(most=1)) if d.flag() else d.scalar(kinds=("int", "float", "bool"))
        )
        return f"torch.result_type({a}, {other})"
    if op == "facts":
        return f"{a}.{d.pick(['dtype', 'shape', 'ndim', 'is_leaf', 'itemsize', 'nbytes', 'is_floating_point()', 'numel()', 'dim()', 'element_size()', 'is_contiguous()', 'stride()', 'size()', 'requires_grad', 'is_signed()', 'is_complex()', 'device'])}"
    d.double = True
    if op == "cast":
        return f"{a}.{d.pick(CASTS)}()"
    if op == "to":
        return f"{a}.to({d.pick([d.pick(names), 'dtype=' + d.pick(names)])})"
    return f"{a}.type({d.pick(names)})"
