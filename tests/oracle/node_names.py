#!/usr/bin/env python3
"""Every expression of tests/scripts/data/node_names.txt with the nodes PyTorch records for it, two levels deep:
python3 tests/oracle/node_names.py > tests/scripts/node_names.out

Python and Tide read the same lines: a colon before a method is a dot here, L(…) is a list, `rep` is `repeat`."""
import pathlib
import re
import sys
import warnings

import torch
import torch.nn.functional as F

LINES = pathlib.Path(__file__).parents[1] / "scripts/data/node_names.txt"


def leaf(*shape):
    return (torch.arange(1.0, torch.Size(shape).numel() + 1).reshape(shape) / 10).requires_grad_()


def chain(node, depth):
    if node is None:
        return "-"
    name = node.name().replace("torch::autograd::", "")
    inputs = [chain(n, depth - 1) for n, _ in node.next_functions]
    return name if depth == 0 or not inputs else name + "(" + ", ".join(inputs) + ")"


def show(value):
    results = value if isinstance(value, (tuple, list)) else [value]
    return "; ".join(chain(v.grad_fn, 2) for v in results if isinstance(v, torch.Tensor))


def scope():
    x = leaf(2, 3)
    return dict(
        torch=torch, F=F, L=lambda *items: list(items), X=x, Y=leaf(2, 3), U=leaf(2, 3), M=leaf(3, 3), V3=leaf(3),
        V1=leaf(1), S=leaf(), B3=leaf(3, 3, 3), B333=leaf(3, 3, 3), B4=leaf(2, 2, 3, 3), P4=leaf(1, 4, 2, 2),
        B34=leaf(1, 3, 4), SPD=torch.tensor([[4., 1, 0], [1, 5, 2], [0, 2, 6]], requires_grad=True),
        I=torch.tensor([[0, 1, 2], [2, 1, 0]]), IV=torch.tensor([0, 1]), IT=torch.tensor([0, 2]),
        BM=torch.tensor([[True, False, True], [False, True, True]]), N=lambda: x.clone())


warnings.simplefilter("ignore")
for line in LINES.read_text().splitlines():
    torch.manual_seed(0)
    expression = re.sub(r"(?<=[\w)])\s*:(?=[a-z_]\w*\()", ".", line).replace(".rep(", ".repeat(")
    try:
        print(line + " => " + show(eval(expression, scope())))
    except Exception as e:
        print(line + " => " + type(e).__name__ + ": " + str(e), file=sys.stderr)
