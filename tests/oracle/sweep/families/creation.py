"""Creation, and random numbers after manual_seed(0): they are bit-equal by contract."""

from draw import options

import torch

from . import family

OPS = (
    """zeros ones full eye arange linspace logspace zeros_like ones_like full_like new_zeros new_ones new_full
    new_tensor tril_indices triu_indices tensor as_tensor scalar_tensor vander one_hot""".split()
)
RANDOM = """rand randn randint randperm normal bernoulli multinomial rand_like randn_like randint_like uniform_ normal_
    random_ bernoulli_ exponential_ geometric_ log_normal_ cauchy_ poisson dropout""".split()
NAMES = ["float32", "float64", "int64", "int32", "bool", "float16", "bfloat16", "uint8"]


def maybe_dtype(d, names=NAMES):
    return options(dtype=getattr(torch, d.pick(names)) if d.flag() else None)


def nested(d, depth):
    if depth == 0:
        return d.pick([d.scalar(), d.scalar()])
    return [nested(d, depth - 1) for _ in range(2)]


@family("creation", "Tensors made from nothing, from numbers, like others", OPS, 26)
def creation(d, op):
    sizes = tuple(d.shape(0, 3))
    if op in ("zeros", "ones"):
        return f"torch.{op}({sizes}{maybe_dtype(d)})"
    if op == "full":
        return f"torch.full({sizes}, {d.scalar(kinds=('int', 'float', 'bool'))}{maybe_dtype(d)})"
    if op == "eye":
        return f"torch.eye({d.integer(0, 4)}{d.pick(['', ', 3', ', 2'])}{maybe_dtype(d)})"
    if op == "arange":
        start, step = d.scalar(-3, 3), d.pick([1, 2, 0.5, -1, -0.5, 0.3, 0])
        stop = start + step * d.integer(0, 6) + d.pick([0, 0.1, 0])
        return d.pick(
            [
                f"torch.arange({d.integer(0, 6)}{maybe_dtype(d)})",
                f"torch.arange({start}, {start + 4}{maybe_dtype(d)})",
                f"torch.arange({start}, {stop}, {step}{maybe_dtype(d)})",
            ]
        )
    if op in ("linspace", "logspace"):
        return f"torch.{op}({d.scalar()}, {d.scalar()}, {d.integer(0, 7)}{maybe_dtype(d, NAMES[:2])})"
    if op in ("tril_indices", "triu_indices"):
        return f"torch.{op}({d.integer(0, 3)}, {d.integer(0, 3)}{options(offset=d.pick([None, 1, -1]))})"
    if op in ("tensor", "as_tensor"):
        return f"torch.{op}({nested(d, d.integer(0, 3))}{maybe_dtype(d)})"
    if op == "scalar_tensor":
        return f"torch.scalar_tensor({d.scalar()}{maybe_dtype(d)})"
    if op == "vander":
        a = d.tensor(d.dtype(), [d.integer(0, 4)], special=False)
        return f"torch.vander({a}{options(N=d.pick([None, 2, 3]), increasing=d.pick([None, True]))})"
    if op == "one_hot":
        a = d.tensor(torch.int64, d.shape(), 0, 3, special=d.chance(0.1))
        return f"F.one_hot({a}{d.pick(['', ', 5', ', num_classes=4', ', 2'])})"
    a = d.tensor(d.dtype(), list(sizes), special=False)
    if op in ("zeros_like", "ones_like"):
        return f"torch.{op}({a}{maybe_dtype(d)})"
    if op == "full_like":
        return f"torch.full_like({a}, {d.scalar(kinds=('int', 'float', 'bool'))}{maybe_dtype(d)})"
    if op == "new_tensor":
        return f"{a}.new_tensor({nested(d, d.integer(0, 2))}{maybe_dtype(d)})"
    if op == "new_full":
        return f"{a}.new_full({tuple(d.shape())}, {d.scalar(kinds=('int', 'float', 'bool'))}{maybe_dtype(d)})"
    return f"{a}.{op}({tuple(d.shape())}{maybe_dtype(d)})"


@family("random", "Random numbers after manual_seed(0)", RANDOM, 20)
def random(d, op):
    sizes = tuple(d.shape(0, 2) if d.flag() else [d.integer(14, 19)])
    floats = NAMES[:2] + ["float16", "bfloat16"]
    if op in ("rand", "randn"):
        return f"torch.{op}({sizes}{maybe_dtype(d, floats)})"
    if op == "randint":
        low = d.integer(-5, 5)
        return (
            f"torch.randint({low}, {low + d.integer(0 if d.chance(0.05) else 1, 9)}, {sizes}{maybe_dtype(d)})"
        )
    if op == "randperm":
        return f"torch.randperm({d.integer(0, 12)}{maybe_dtype(d, ['int64', 'int32', 'float32'])})"
    dtype = d.weighted(
        {torch.float32: 5, torch.float64: 2, torch.float16: 1, torch.bfloat16: 1, torch.int64: 1}
    )
    shape = list(sizes)
    if op in ("rand_like", "randn_like"):
        return f"torch.{op}({d.tensor(dtype, shape)}{maybe_dtype(d, floats)})"
    if op == "randint_like":
        return f"torch.randint_like({d.tensor(dtype, shape)}, {d.integer(1, 9)}{maybe_dtype(d)})"
    if op == "normal":
        return d.pick(
            [
                f"torch.normal({d.real(-2, 2)}, {d.real(0, 2)}, {sizes})",
                f"torch.normal({d.tensor(torch.float32, shape, grad=False)}, {d.real(0, 2)})",
            ]
        )
    if op == "bernoulli":
        return f"torch.bernoulli({d.tensor(dtype, shape, 0, 1, special=False)})"
    if op == "multinomial":
        p = d.tensor(torch.float32, d.full_shape(1, 2), 0, 3, special=False, grad=False)
        return f"torch.multinomial({p}, {d.integer(1, 3)}{d.pick(['', ', replacement=True'])})"
    if op == "poisson":
        return f"torch.poisson({d.tensor(dtype, shape, 0, 14, special=False)})"
    if op == "dropout":
        return f"F.dropout({d.tensor(dtype, shape)}{options(p=d.pick([None, 0.2, 0.0, 1.0]), training=d.pick([None, False]))})"
    arguments = {
        "uniform_": f"{d.integer(-3, 0)}, {d.integer(1, 4)}",
        "normal_": "1, 2",
        "random_": "0, 9",
        "bernoulli_": "0.3",
        "exponential_": "2",
        "geometric_": "0.3",
        "log_normal_": "0, 1",
        "cauchy_": "0, 1",
    }
    return f"{d.tensor(dtype, shape, grad=False)}.{op}({d.pick(['', arguments[op]]) if op != 'geometric_' else arguments[op]})"
