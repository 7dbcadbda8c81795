"""One case: input tensors given element by element, a program over them, and what PyTorch answers."""

from dataclasses import dataclass, field
import math
import struct

import torch

import spelling

DTYPES = [
    torch.bool,
    torch.uint8,
    torch.int8,
    torch.int16,
    torch.int32,
    torch.int64,
    torch.float16,
    torch.bfloat16,
    torch.float32,
    torch.float64,
]


def dtype_name(dtype):
    return str(dtype).removeprefix("torch.")


def shortest(value, dtype):
    """The shortest decimal that reads back as the element: exact, and readable in a review."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int):
        return repr(value)
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if value == math.floor(value) and abs(value) < 1e6:
        return "-0" if value == 0 and math.copysign(1, value) < 0 else repr(int(value))
    if dtype is not torch.float64:
        for digits in range(1, 10):
            text = f"{value:.{digits}g}"
            if struct.unpack("f", struct.pack("f", float(text)))[0] == value:
                return text
    return repr(value)


def elements(t):
    """The elements in row-major order, runs of equal ones as VALUE*COUNT."""
    if t._is_zerotensor():  # a gradient known to be zero has no memory
        t = torch.zeros(t.shape, dtype=t.dtype)
    words = [shortest(v, t.dtype) for v in t.detach().reshape(-1).tolist()]
    out, at = [], 0
    while at < len(words):
        end = at
        while end < len(words) and words[end] == words[at]:
            end += 1
        out += [f"{words[at]}*{end - at}"] if end - at > 2 else words[at:end]
        at = end
    return " ".join(out)


def shape_text(shape):
    return "[" + ",".join(map(str, shape)) + "]"


@dataclass
class Case:
    """`python` may be several statements; its last is the expression whose value is looked at."""

    name: str
    python: str
    inputs: dict = field(default_factory=dict)  # name → tensor, requires_grad as it shall be
    double: bool = False  # also the gradient of the gradient
    rule: str = ""  # how floats are compared (rules.py); "" is exactly
    works: bool = False  # made from a sample that works: an error would mean a wrong spelling

    def input_line(self, name):
        t = self.inputs[name]
        words = [name, dtype_name(t.dtype), shape_text(t.shape)]
        if t.numel() and t.stride() != torch.empty(t.shape).stride():
            words.append("strides " + shape_text(t.stride()))
        if t.requires_grad:
            words.append("grad")
        return f"{' '.join(words)}: {elements(t)}".rstrip()

    def tide(self):
        return spelling.tide(self.python)
