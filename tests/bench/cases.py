"""PyTorch's side of the benchmark: a worker of driver.lua (see there for the questions), case by case as cases.lua."""
import gc
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn, optim

cases = {}


def case(name):
    def register(prepare):
        cases[name] = prepare
        return prepare
    return register


@case("add_2")
def _():
    a, b = torch.rand(2), torch.rand(2)
    return lambda: a + b


@case("add_2_with_grad")
def _():
    a, b = torch.rand(2, requires_grad=True), torch.rand(2)
    return lambda: a + b


@case("mul_sum_backward_2")
def _():
    a, b = torch.rand(2, requires_grad=True), torch.rand(2)

    def one():
        a.grad = None
        y = (a * b).sum()
        y.backward()
        return y
    return one


def sized(n):
    @case(f"add_{n}")
    def _():
        a, b = torch.rand(n), torch.rand(n)
        return lambda: a + b

    @case(f"exp_{n}")
    def _():
        a = torch.rand(n)
        return lambda: a.exp()

    @case(f"sum_{n}")
    def _():
        a = torch.rand(n)
        return lambda: a.sum()


def chain(n):
    @case(f"BCE_chain_{n}")
    def _():
        y, s = torch.rand(n).round(), torch.rand(n) * 0.98 + 0.01
        return lambda: -(1 / n) * (y * torch.log(s) + (1 - y) * torch.log(1 - s)).sum()


def square(n):
    @case(f"matmul_{n}")
    def _():
        a, b = torch.rand(n, n), torch.rand(n, n)
        return lambda: a @ b


for n in (1000, 100000, 10000000):
    sized(n)
for n in (1000000, 16000000):
    chain(n)
for n in (16, 64, 128, 1024, 2048):
    square(n)


@case("softmax_4000x1000")
def _():
    a = torch.randn(4000, 1000)
    return lambda: torch.softmax(a, 1)


def mlp(sizes):
    layers = []
    for i in range(len(sizes) - 1):
        if i > 0:
            layers.append(nn.ReLU())
        layers.append(nn.Linear(sizes[i], sizes[i + 1]))
    return nn.Sequential(*layers)


def training_step(net, x, y, loss_function):
    opt = optim.SGD(net.parameters(), lr=0.01)

    def one():
        loss = loss_function(net(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        return loss
    return one


def classifier(name, sizes, batch):
    @case(name)
    def _():
        net = mlp(sizes)
        x, y = torch.rand(batch, sizes[0]), torch.randint(0, sizes[-1], (batch,))
        return training_step(net, x, y, F.cross_entropy)


@case("MLP_2-16-1_batch_64")
def _():
    return training_step(mlp([2, 16, 1]), torch.rand(64, 2), torch.rand(64, 1), F.mse_loss)


classifier("MLP_784-128-10_batch_64", [784, 128, 10], 64)
classifier("MLP_784-200-200-10_batch_200", [784, 200, 200, 10], 200)
classifier("MLP_784-200-200-10_batch_16", [784, 200, 200, 10], 16)


@case("Himmelblau_2000_Adam_steps")
def _():
    def one():
        x = torch.zeros(2, requires_grad=True)
        opt = optim.Adam([x], lr=1e-3)
        for _ in range(2000):
            f = (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2
            opt.zero_grad()
            f.backward()
            opt.step()
        return f
    return one


def peak_memory():
    """The process's peak of resident memory in kilobytes."""
    with open("/proc/self/status") as status:
        return next(line.split()[1] for line in status if line.startswith("VmHWM:"))


def serve():
    one = None
    for line in sys.stdin:
        name, _, runs = line.strip().partition(" ")
        if name == "quit":
            break
        if name == "list":
            print(*cases, flush=True)
        elif name not in cases:
            print("-", flush=True)
        elif runs == "0":
            one = None
            gc.collect()
            torch.manual_seed(0)
            one = cases[name]()
            print(f"{one().sum().item():.9g}", flush=True)
        else:
            start = time.perf_counter()
            for _ in range(int(runs)):
                one()
            print(f"{time.perf_counter() - start:.9g}", flush=True)


if sys.argv[1:] == ["memory"]:
    torch.manual_seed(0)
    step = cases["MLP_784-200-200-10_batch_200"]()
    for _ in range(500):
        step()
    print(peak_memory())
else:
    serve()
