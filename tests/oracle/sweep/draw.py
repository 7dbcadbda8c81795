"""Random shapes, dtypes, tensors and arguments: everything that a family draws comes from one seeded generator."""

import math
import random

import torch

from case import Case, DTYPES

FLOATS = [torch.float32, torch.float64, torch.float16, torch.bfloat16]
INTEGERS = [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64]
LIMITS = {
    torch.uint8: (0, 255),
    torch.int8: (-128, 127),
    torch.int16: (-(2**15), 2**15 - 1),
    torch.int32: (-(2**31), 2**31 - 1),
    torch.int64: (-(2**63), 2**63 - 1),
}
SPECIAL = [math.nan, math.inf, -math.inf, -0.0, 0.0]
MOST_ELEMENTS = 24


class Draw:
    """Inputs drawn by tensor() are named a, b, c … and collected for the case."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.inputs = {}
        self.double = False
        self.with_grad = self.random.random() < 0.6

    def pick(self, choices):
        return self.random.choice(choices)

    def chance(self, probability):
        return self.random.random() < probability

    def integer(self, low, high):
        return self.random.randint(low, high)

    def weighted(self, choices):
        """A key of {choice: weight}."""
        return self.random.choices(list(choices), list(choices.values()))[0]

    # ---- dtypes and shapes

    def dtype(self, floats=4, integers=2, booleans=1):
        kind = self.weighted({"float": floats, "integer": integers, "bool": booleans})
        if kind == "float":
            return self.weighted({torch.float32: 6, torch.float64: 2, torch.float16: 1, torch.bfloat16: 1})
        return (
            torch.bool if kind == "bool" else self.weighted({torch.int64: 4, **{t: 1 for t in INTEGERS[:4]}})
        )

    def any_dtype(self):
        return self.pick(DTYPES)

    def size(self):
        return self.weighted({0: 1, 1: 5, 2: 9, 3: 9, 4: 4, 5: 1})

    def shape(self, least=0, most=3):
        shape = [self.size() for _ in range(self.integer(least, most))]
        while math.prod(shape) > MOST_ELEMENTS:
            shape[self.integer(0, len(shape) - 1)] = self.integer(1, 2)
        return shape

    def full_shape(self, least=1, most=3):
        """One without empty dims."""
        return [max(n, 1) for n in self.shape(least, most)]

    def broadcastable(self, shape):
        """A shape that broadcasts with the given one; now and then it does not."""
        other = [1 if self.chance(0.3) else n for n in shape]
        other = other[self.integer(0, len(other)) if self.chance(0.3) else 0 :]
        if self.chance(0.1):
            other = [self.integer(1, 2)] + other
        if other and self.chance(0.03):
            other[self.integer(0, len(other) - 1)] += 1
        return other if math.prod(other) <= 2 * MOST_ELEMENTS else shape

    def dim(self, ndim):
        if self.chance(0.04):
            return self.pick([ndim + 1, -ndim - 2])
        return self.integer(-ndim, ndim - 1) if ndim else self.pick([0, -1])

    def dims(self, ndim):
        """One dim, several, an empty list, or None."""
        how = self.weighted({"one": 4, "several": 3, "none": 1, "empty": 0.5})
        if how == "none":
            return None
        if how == "one" or ndim == 0:
            return self.dim(ndim)
        if how == "empty":
            return []
        chosen = self.random.sample(range(ndim), self.integer(1, ndim))
        return [i - ndim if self.chance(0.3) else i for i in chosen]

    def flag(self):
        return self.chance(0.5)

    # ---- numbers and tensors

    def scalar(self, low=-4, high=4, kinds=("int", "float")):
        kind = self.pick(kinds)
        if kind == "bool":
            return self.flag()
        if kind == "int":
            return self.integer(math.ceil(low), math.floor(high))
        return self.real(low, high)

    def real(self, low, high):
        """Mostly an eighth, so that ties and exact zeros happen and goldens stay short."""
        if self.chance(0.7):
            return self.random.randint(math.ceil(low * 8), math.floor(high * 8)) / 8
        return round(self.random.uniform(low, high), 3)

    def element(self, dtype, low, high, special):
        if dtype is torch.bool:
            return self.flag()
        if dtype.is_floating_point:
            if special and self.chance(0.04):
                return self.pick(SPECIAL)
            return self.real(low, high)
        floor, ceiling = LIMITS[dtype]
        if special and self.chance(0.03):
            return self.pick([floor, ceiling])
        return self.integer(max(math.ceil(low), floor), min(math.floor(high), ceiling))

    def lay_out(self, t, expanded=True):
        """The same elements, dense or transposed or with gaps or, where that is wanted, a dim expanded."""
        how = self.weighted({"dense": 6, "transposed": 2, "gaps": 2, "expanded": int(expanded)})
        if t.dim() == 0 or t.numel() == 0 or how == "dense":
            return t
        if how == "transposed" and t.dim() > 1:
            i, j = self.random.sample(range(t.dim()), 2)
            return t.transpose(i, j).contiguous().transpose(i, j)
        if how == "gaps":
            wide = torch.zeros([*t.shape[:-1], t.shape[-1] * 2], dtype=t.dtype)[..., ::2]
            wide.copy_(t)
            return wide
        if how == "expanded":
            i = self.integer(0, t.dim() - 1)
            return t.narrow(i, 0, 1).expand(t.shape)
        return t

    def tensor(self, dtype, shape, low=-4, high=4, special=True, grad=True, dense=False, expanded=True):
        """Adds an input; returns its name. Floats ask for a gradient where the case does and `grad` lets them."""
        values = [self.element(dtype, low, high, special) for _ in range(math.prod(shape))]
        t = torch.tensor(values, dtype=dtype).reshape(shape)
        if not dense:
            t = self.lay_out(t, expanded)
        return self.give(t, grad)

    def untied(self, name):
        """No gradient where elements repeat: which of equal ones gets it is not defined."""
        t = self.inputs[name]
        if t.unique().numel() < t.numel():
            t.requires_grad_(False)

    def give(self, t, grad=True):
        name = "abcdefghijklm"[len(self.inputs)]
        t = t.detach()
        self.inputs[name] = t.requires_grad_(self.with_grad and grad and t.is_floating_point())
        return name

    def index(self, shape, bound, negative=False, wild=0.02):
        """An int64 tensor with elements below `bound`; now and then one is out of range."""
        low = -bound if negative else 0
        t = torch.tensor(
            [self.integer(low, max(bound - 1, low)) for _ in range(math.prod(shape))], dtype=torch.int64
        ).reshape(shape)
        if t.numel() and self.chance(wild):
            t.view(-1)[0] = bound + 1
        return self.give(self.lay_out(t))


def options(**named):
    """ ", name=value" for each that is not None."""
    return "".join(
        f", {k}={v if isinstance(v, torch.dtype) else repr(v)}" for k, v in named.items() if v is not None
    )


def case_of(name, family, op, seed):
    """The case that the family's function draws for the op from the seed."""
    d = Draw(seed)
    python = family.draw(d, op)
    return Case(name, python, d.inputs, d.double and d.with_grad, family.rule(op, d.inputs))
