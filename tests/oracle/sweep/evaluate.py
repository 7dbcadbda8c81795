"""What PyTorch answers to a case, as the lines of a golden file (tests/goldens/run.lua writes the same of Tide)."""

import ast
import warnings

import torch
import torch.nn.functional as F
from torch import nn

from case import dtype_name, elements, shape_text, shortest

nan, inf = float("nan"), float("inf")


class Unsuitable(Exception):
    """The answer is no golden: complex, sparse, or an object without a text of its own."""


def fresh(t):
    """A leaf with the same elements and strides in memory of its own."""
    extent = 1 + sum((n - 1) * s for n, s in zip(t.shape, t.stride())) if t.numel() else 0
    out = torch.empty(0, dtype=t.dtype)
    out.set_(
        torch.zeros(extent, dtype=t.dtype).untyped_storage(), 0, t.shape, t.stride()
    )  # no view of anything
    once = tuple(slice(0, 1) if s == 0 else slice(None) for s in t.stride())
    out[once] = t.detach()[once]
    return out.requires_grad_(t.requires_grad)


def flat(value):
    if isinstance(value, torch.Size) or not isinstance(value, (tuple, list)):
        return [value]
    return [v for item in value for v in flat(item)]


def escaped(text):
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def result_line(v):
    """The line of a result; of a tensor its head, and the tensor."""
    if isinstance(v, torch.Tensor):
        if (
            v.layout is not torch.strided
            or v.dtype not in KNOWN
            or v.requires_grad
            and not v.is_floating_point()
        ):
            raise Unsuitable(str(v.dtype))
        node = f" {type(v.grad_fn).__name__}" if v.grad_fn is not None else " grad" if v.requires_grad else ""
        return f"= {dtype_name(v.dtype)} {shape_text(v.shape)}{node}:", v
    if isinstance(v, bool):
        return f"= {str(v).lower()}", None
    if isinstance(v, int):
        return f"= int {v}", None
    if isinstance(v, float):
        return f"= float {shortest(v, torch.float64)}", None
    if v is None:
        return "= nil", None
    if isinstance(v, str):
        return f'= "{escaped(v)}"', None
    if isinstance(v, (torch.Size, torch.dtype, torch.device)):
        return f"= {v!r}", None
    raise Unsuitable(type(v).__name__)


KNOWN = {
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
}


def weighted(t):
    """The sum of the elements times fixed weights, none of them zero, all exact in every dtype."""
    w = [((7 * i + 3) % 11 - 4.5) / 4 for i in range(t.numel())]
    return (t * torch.tensor(w, dtype=t.dtype).reshape(t.shape)).sum()


def total(tensors):
    terms = [weighted(t) for t in tensors if isinstance(t, torch.Tensor) and t.requires_grad]
    return sum(terms[1:], terms[0]) if terms else None


def gradients(loss, leaves, mark, create_graph):
    """The lines of the gradients, and the gradients; an error in place of them is a line of its own."""
    try:
        grads = torch.autograd.grad(loss, list(leaves.values()), create_graph=create_graph, allow_unused=True)
    except Exception as e:
        return [(f"{mark}! {error_text(e)}", None)], []
    lines = []
    for name, g in zip(leaves, grads):
        if g is not None and g.layout is not torch.strided:
            raise Unsuitable("a sparse gradient")
        lines.append(
            (f"{mark} {name} none", None)
            if g is None
            else (f"{mark} {name} {dtype_name(g.dtype)} {shape_text(g.shape)}:", g)
        )
    return lines, grads


def error_text(e):
    return f"{type(e).__name__}: {escaped(str(e).rstrip())}"


def run(program, names):
    body = ast.parse(program).body
    scope = {"torch": torch, "F": F, "nn": nn, "inf": inf, "nan": nan, **names}
    for statement in body[:-1]:
        exec(compile(ast.Module([statement], []), "case", "exec"), scope)
    return eval(compile(ast.Expression(body[-1].value), "case", "eval"), scope)


def lines_of(case, inputs):
    """The lines of the case with these inputs, tensors beside their heads: results, gradients, or the error."""
    names = {k: fresh(t) for k, t in inputs.items()}
    leaves = {k: t for k, t in names.items() if t.requires_grad}
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            results = flat(run(case.python, names))
        except Exception as e:
            if "Exception raised from" in str(e):  # an error of PyTorch's own that leaked its C++ trace
                raise Unsuitable("a C++ trace") from e
            return [(f"! {error_text(e)}", None)]
        lines = [result_line(v) for v in results]
        loss = total(results)
        if loss is None or not leaves:
            return lines
        more, grads = gradients(loss, leaves, "grad", case.double)
        lines += more
        loss = total(grads) if case.double else None
        if loss is not None:
            lines += gradients(loss, leaves, "grad2", False)[0]
    return lines


def answer(case):
    """The golden lines of the case."""
    return [head if t is None else f"{head} {elements(t)}".rstrip() for head, t in lines_of(case, case.inputs)]
