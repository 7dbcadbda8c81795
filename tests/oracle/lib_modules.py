#!/usr/bin/env python3
"""Modules' values after a seed: ATEN_CPU_CAPABILITY=default python3 lib_modules.py > tests/scripts/lib_modules.out"""
import torch
from torch import nn


def numbers(t):
    return " ".join("%.3g" % (v + 0.0) for v in t.flatten().tolist())


def show(make, size=(4, 6)):
    torch.manual_seed(0)
    module = make()
    print(module)
    for name, p in module.state_dict().items():
        print("  " + name, p.shape, numbers(p), sep="\t")
    torch.manual_seed(1)
    x = (torch.randn(*size) * 1.5).requires_grad_()
    y = module(x * 1 if getattr(module, "inplace", False) else x)
    print("  y", numbers(y), sep="\t")
    y.pow(3).sum().backward()
    print("  dx", numbers(x.grad), sep="\t")


show(lambda: nn.Linear(6, 3))
show(lambda: nn.Linear(6, 2, bias=False))
show(lambda: nn.Identity())
for name in ["ReLU", "ReLU6", "SELU", "SiLU", "Mish", "Hardswish", "Hardsigmoid", "LeakyReLU", "ELU", "CELU", "Hardtanh",
             "Softplus", "GELU", "GLU", "Sigmoid", "Tanh", "LogSigmoid", "Softsign", "Tanhshrink", "Hardshrink",
             "Softshrink", "PReLU"]:
    show(lambda: getattr(nn, name)())
show(lambda: nn.LeakyReLU(0.2, True), (3,))
show(lambda: nn.ELU(alpha=0.5), (3,))
show(lambda: nn.Softplus(beta=2, threshold=1), (3,))
show(lambda: nn.Threshold(0.1, 20), (5,))
show(lambda: nn.Hardtanh(-2, 0.5), (5,))
show(lambda: nn.GELU(approximate="tanh"), (5,))
show(lambda: nn.PReLU(3), (2, 3))
show(lambda: nn.Dropout(0.3))
show(lambda: nn.Dropout2d(0.5), (2, 3, 2, 2))
show(lambda: nn.AlphaDropout(0.3))
show(lambda: nn.Dropout(0.3).eval(), (3,))
show(lambda: nn.Flatten(), (2, 3, 2))
show(lambda: nn.Unflatten(1, (2, 3)))
show(lambda: nn.Sequential(nn.Linear(6, 4), nn.Tanh(), nn.Sequential(nn.Linear(4, 2), nn.ReLU())))
show(lambda: nn.ModuleList([nn.Linear(6, 6), nn.Linear(6, 6), nn.ReLU()])[1])
print(nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU()]))
print(nn.ModuleDict({"first": nn.Linear(2, 2), "act": nn.PReLU()}))
print(nn.ParameterList([torch.ones(2, 3), torch.ones(1)]))
show(lambda: nn.LayerNorm(6))
show(lambda: nn.LayerNorm((2, 3), eps=0.1, elementwise_affine=False), (2, 2, 3))
show(lambda: nn.LayerNorm(3, bias=False), (2, 3))
show(lambda: nn.RMSNorm((2, 3), eps=0.01), (2, 2, 3))
show(lambda: nn.RMSNorm(3, elementwise_affine=False), (2, 3))


def look_up(make):
    torch.manual_seed(0)
    table = make()
    y = table(torch.tensor([[1, 2], [1, 4]]))
    print(table)
    print("  y", y.shape, numbers(y), sep="\t")
    if not table.weight.requires_grad:
        return
    y.pow(3).sum().backward()
    print("  dw", numbers(table.weight.grad), sep="\t")


look_up(lambda: nn.Embedding(5, 3))
look_up(lambda: nn.Embedding(5, 3, padding_idx=-1))
look_up(lambda: nn.Embedding(5, 3, max_norm=1.0))
look_up(lambda: nn.Embedding.from_pretrained(torch.arange(10.).view(5, 2)))
