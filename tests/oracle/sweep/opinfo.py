"""PyTorch's own samples: the op database that ships in its wheel, as cases in files by kind of op."""

import itertools
import random
import sys
import types
import unittest
import warnings

import torch

from case import Case
from evaluate import KNOWN as DTYPES
from rules import rule_for

# Why an op of the database makes no cases. Ops that Tide has no name for are left out by surface.py.
SKIPPED = {
    "empty": "memory that holds anything",
    "empty_like": "memory that holds anything",
    "empty_strided": "memory that holds anything",
    "empty_permuted": "memory that holds anything",
    "new_empty": "memory that holds anything",
    "new_empty_strided": "memory that holds anything",
    "resize_": "memory that holds anything",
    "resize_as_": "memory that holds anything",
    "topk": "the order of equal elements is not defined",
    "sort": "the order of equal elements is not defined",
    "argsort": "the order of equal elements is not defined",
    "msort": "the order of equal elements is not defined",
    "svd_lowrank": "random projections",
    "pca_lowrank": "random projections",
    "linalg.eig": "complex results",
    "linalg.eigvals": "complex results",
    "stft": "complex results",
    "istft": "complex results",
    "view_as_complex": "complex results",
    "to_sparse": "sparse",
    "linalg.svd": "the signs of the vectors are not defined",
    "svd": "the signs of the vectors are not defined",
    "linalg.eigh": "the signs of the vectors are not defined",
}
SKIPPED_PREFIXES = {
    "fft.": "complex results",
    "sparse.": "sparse",
    "masked.": "masked tensors are no part of Tide",
    "_": "private",
    "ops.": "private",
    "jiterator": "CUDA",
    "torch.ops": "private",
}
MOST_ELEMENTS = 64  # of the inputs of one sample together
BY_DTYPE = 4  # samples kept of an op and dtype
MAIN = [torch.float32, torch.float64, torch.int64, torch.bool, torch.bfloat16, torch.uint8]

GROUPS = {
    "opinfo_pointwise": "PyTorch's samples: elementwise and reductions",
    "opinfo_tensor": "PyTorch's samples: shapes, indexing and the rest of torch",
    "opinfo_functional": "PyTorch's samples: torch.nn.functional",
    "opinfo_linalg": "PyTorch's samples: torch.linalg",
    "opinfo_errors": "PyTorch's samples: what is refused, and how",
}


def database():
    # The database's helpers import a test library of PyTorch's developers for one base class.
    stub = types.ModuleType("expecttest")
    stub.TestCase = unittest.TestCase
    sys.modules.setdefault("expecttest", stub)
    from torch.testing._internal.common_methods_invocations import op_db

    return op_db


class Unspeakable(Exception):
    """The sample holds what a case cannot."""


class Arguments:
    """Turns a sample's values into text; tensors become inputs named a, b, c …"""

    def __init__(self):
        self.inputs = {}

    def text(self, v):
        if isinstance(v, torch.Tensor):
            if (
                v.device.type != "cpu"
                or v.layout is not torch.strided
                or v.dtype not in DTYPES
                or len(self.inputs) == 12
                or v.is_nested
            ):
                raise Unspeakable("a tensor of another kind")
            name = "abcdefghijklm"[len(self.inputs)]
            self.inputs[name] = v
            return name
        if isinstance(v, torch.Size):
            return str(tuple(v))
        if v is None or v is Ellipsis or isinstance(v, (bool, int, str)):
            return "..." if v is Ellipsis else repr(v)
        if isinstance(v, float):
            return repr(v)
        if isinstance(v, torch.dtype):
            if v not in DTYPES:
                raise Unspeakable("a dtype")
            return str(v)
        if isinstance(v, (list, tuple)) and type(v) in (list, tuple):
            inner = ", ".join(self.text(e) for e in v)
            return f"[{inner}]" if isinstance(v, list) else f"({inner}{',' if len(v) == 1 else ''})"
        if isinstance(v, slice):
            return ":".join("" if p is None else str(p) for p in (v.start, v.stop, v.step))
        raise Unspeakable(type(v).__name__)


def call_text(op, sample, method):
    """The program that calls the op with the sample, and its inputs."""
    args = Arguments()
    first = args.text(sample.input)
    if op.name == "__getitem__":
        index = sample.args[0] if len(sample.args) == 1 else sample.args
        index = index if isinstance(index, tuple) else (index,)
        return f"{first}[{', '.join(args.text(i) for i in index)}]", args.inputs
    rest = [args.text(v) for v in sample.args]
    rest += [
        f"{k}={args.text(v)}"
        for k, v in sample.kwargs.items()
        if k not in ("device", "layout", "memory_format", "generator", "pin_memory")
    ]
    if method:
        if not isinstance(sample.input, torch.Tensor):
            raise Unspeakable("no tensor to call it on")
        return f"{first}.{method}({', '.join(rest)})", args.inputs
    name = op.name.removeprefix("nn.functional.")
    name = ("F." if name != op.name else "torch.") + name
    return f"{name}({', '.join([first, *rest])})", args.inputs


def plain(t):
    """A dense copy is made only where the sample's strides are not the plain ones; values are rounded to be short."""
    out = t.detach()
    if out.dtype in (torch.float32, torch.float64) and out.numel() and not torch.isinf(out).any():
        short = torch.round(out * 1024) / 1024
        if (short != 0).equal(out != 0):
            fresh = (
                torch.empty_strided(out.shape, out.stride(), dtype=out.dtype)
                if 0 not in out.stride()
                else None
            )
            out = short if fresh is None else fresh.copy_(short)
    return out


def method_name(op):
    """The method of the op's own name."""
    name = op.name
    return name if "." not in name and not name.startswith("__") and hasattr(torch.Tensor, name) else None


def is_function(op):
    parts = op.name.split(".")
    at = torch.nn.functional if parts[:2] == ["nn", "functional"] else torch
    for p in parts[2:] if at is not torch else parts:
        at = getattr(at, p, None)
    return callable(at)


def why_skipped(op):
    by_prefix = (
        why for p, why in SKIPPED_PREFIXES.items() if op.name.startswith(p) and op.name != "__getitem__"
    )
    return SKIPPED.get(op.name) or next(by_prefix, None)


class Group:
    """The cases of one golden file; draws its samples anew from a seed."""

    def __init__(self, name, ops):
        self.name, self.title, self.ops = name, GROUPS[name], ops

    def cases(self, seed):
        for op in self.ops:
            yield from self.cases_of(op, seed, BY_DTYPE)

    def some_cases(self, draw):
        """A few samples of an op drawn by chance: no op dominates a run."""
        return self.cases_of(draw.choice(self.ops), draw.randrange(2**31), BY_DTYPE)

    def cases_of(self, op, seed, most):
        for dtype in [d for d in MAIN if d in op.dtypes]:
            samples = list(small_samples(op, dtype, seed, 60))
            random.Random(f"{seed}/{op.name}/{dtype}").shuffle(samples)
            some = most if dtype in MAIN[:1] or most > 100 else max(2, most // 2)
            for i, sample in enumerate(samples[:some]):
                yield from self.case(
                    op, f"{str(dtype)[6:]}/{i}" if seed == 0 else f"{str(dtype)[6:]}/{seed}-{i}", sample, i
                )

    def case(self, op, label, sample, number):
        method = method_name(op)
        if not is_function(op) or method and number % 2:
            if method is None and op.name != "__getitem__":
                return
        else:
            method = None
        try:
            python, inputs = call_text(op, sample, method)
        except Unspeakable:
            return
        variant = f".{op.variant_test_name}" if op.variant_test_name else ""
        inputs = (
            {k: plain(t).requires_grad_(t.requires_grad) for k, t in inputs.items()}
            if self.name != "opinfo_linalg"
            else inputs
        )
        yield Case(
            f"{self.name}/{op.name}{variant}/{label}",
            python,
            inputs,
            number % 3 == 0,
            rule_for(self.name, op.name, inputs),
            works=not isinstance(self, Errors),
        )


class Errors(Group):
    def cases_of(self, op, seed, most):
        if op.error_inputs_func is None:
            return
        torch.manual_seed(seed)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                samples = list(itertools.islice(op.error_inputs("cpu"), 40))
        except Exception:
            return
        for i, error in enumerate(samples):
            sample = error.sample_input
            if small(sample):
                yield from self.case(op, f"error/{i}" if seed == 0 else f"error/{seed}-{i}", sample, 0)


def tensors_of(value):
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, (list, tuple)):
        return [t for v in value for t in tensors_of(v)]
    return [t for v in value.values() for t in tensors_of(v)] if isinstance(value, dict) else []


def small(sample):
    tensors = tensors_of([sample.input, sample.args, sample.kwargs])
    return (
        all(t.layout is torch.strided and not t.is_nested and t.dim() < 8 for t in tensors)
        and sum(t.numel() for t in tensors) <= MOST_ELEMENTS
    )


def small_samples(op, dtype, seed, most):
    torch.manual_seed(seed)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = op.sample_inputs(
                "cpu", dtype, requires_grad=dtype.is_floating_point and op.supports_autograd
            )
            yield from (s for s in itertools.islice(found, most) if small(s))
    except Exception:  # some samples of the database need what is not installed
        return


def group_of(op):
    if op.name.startswith("nn.functional."):
        return "opinfo_functional"
    if op.name.startswith("linalg."):
        return "opinfo_linalg"
    pointwise = type(op).__name__ in ("UnaryUfuncInfo", "BinaryUfuncInfo", "ReductionOpInfo")
    return "opinfo_pointwise" if pointwise else "opinfo_tensor"


def public_name(op):
    """The name that a case calls."""
    return (
        op.name.replace("nn.functional.", "F.")
        if op.name.startswith("nn.functional.")
        else "torch." + op.name
    )


def groups(surface):
    """The groups, with the ops that Tide has and that are not skipped."""
    kept = {name: [] for name in GROUPS}
    ops = [op for op in database() if why_skipped(op) is None]
    surface.ask([public_name(op) for op in ops] + ["tensor." + op.name for op in ops])
    ops = [
        op
        for op in ops
        if surface.known[public_name(op)] or surface.known["tensor." + op.name] or op.name == "__getitem__"
    ]
    for op in ops:
        kept[group_of(op)].append(op)
        kept["opinfo_errors"].append(op)
    return [(Errors if name == "opinfo_errors" else Group)(name, ops) for name, ops in kept.items()]
