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


def softmaxes(name, rows, columns):
    @case(f"{name}_{rows}x{columns}")
    def _():
        a = torch.randn(rows, columns)
        return lambda: getattr(torch, name)(a, 1)


for size in (1000, 64):
    softmaxes("softmax", size, size)
    softmaxes("log_softmax", size, size)


def module(name, make, shape):
    """A module's forward pass, and that with the gradients of its input and its parameters."""
    @case(name)
    def _():
        net, x = make(), torch.randn(shape)

        def one():
            with torch.no_grad():
                return net(x)
        return one

    @case(name + "_backward")
    def _():
        net, x = make(), torch.randn(shape).requires_grad_()
        g = torch.randn_like(net(x))

        def one():
            net.zero_grad()
            x.grad = None
            net(x).backward(g)
            return x.grad
        return one


module("conv2d_64x1x28x28_k5_16", lambda: nn.Conv2d(1, 16, 5), (64, 1, 28, 28))
module("conv2d_32x32x28x28_k3_64", lambda: nn.Conv2d(32, 64, 3), (32, 32, 28, 28))
module("conv2d_16x64x14x14_k3_p1_64", lambda: nn.Conv2d(64, 64, 3, padding=1), (16, 64, 14, 14))
module("conv2d_16x64x28x28_k1_64", lambda: nn.Conv2d(64, 64, 1), (16, 64, 28, 28))
module("BatchNorm2d_32x32x28x28", lambda: nn.BatchNorm2d(32), (32, 32, 28, 28))
module("LayerNorm_512x256", lambda: nn.LayerNorm(256), (512, 256))
module("GroupNorm_32x32x28x28", lambda: nn.GroupNorm(8, 32), (32, 32, 28, 28))
module("MaxPool2d_32x32x28x28", lambda: nn.MaxPool2d(2), (32, 32, 28, 28))
module("AvgPool2d_32x32x28x28", lambda: nn.AvgPool2d(2), (32, 32, 28, 28))
module("Dropout_1000000", lambda: nn.Dropout(0.5), (1000000,))


@case("GRU_32x20x64")
def _():
    net, x = nn.GRU(32, 64), torch.randn(20, 16, 32)

    def one():
        net.zero_grad()
        y = net(x)[0]
        y.sum().backward()
        return y
    return one


@case("cross_entropy_1000x100_backward")
def _():
    x, y = torch.randn(1000, 100, requires_grad=True), torch.randint(0, 100, (1000,))

    def one():
        x.grad = None
        loss = F.cross_entropy(x, y)
        loss.backward()
        return loss
    return one


@case("embedding_10000x64_backward")
def _():
    w, i = torch.randn(10000, 64, requires_grad=True), torch.randint(0, 10000, (32, 50))

    def one():
        w.grad = None
        F.embedding(i, w).sum().backward()
        return w.grad
    return one


def plain(name, work, *tensors):
    """work on tensors that the functions in tensors make."""
    @case(name)
    def _():
        made = [make() for make in tensors]
        return lambda: work(*made)


def square_of_1000():
    return torch.rand(1000, 1000)


plain("cat_4x250000", lambda a: torch.cat([a, a, a, a], 1), lambda: torch.rand(250, 1000))
plain("sort_1000000", lambda a: torch.sort(a)[0], lambda: torch.rand(1000000))
plain("sort_1000x1000", lambda a: torch.sort(a)[0], square_of_1000)
plain("topk_1000x1000_5", lambda a: torch.topk(a, 5)[0], square_of_1000)
plain("cumsum_1000x1000", lambda a: torch.cumsum(a, 1), square_of_1000)
plain("cumsum_1000x1000_dim_0", lambda a: torch.cumsum(a, 0), square_of_1000)
plain("index_select_10000x64", lambda a, i: torch.index_select(a, 0, i),
      lambda: torch.rand(10000, 64), lambda: torch.randint(0, 10000, (10000,)))
plain("gather_1000x1000", lambda a, i: torch.gather(a, 1, i),
      square_of_1000, lambda: torch.randint(0, 1000, (1000, 1000)))
plain("nonzero_1000000", torch.nonzero, lambda: torch.rand(1000000).round())
plain("argmax_1000x1000", lambda a: torch.argmax(a, 1), square_of_1000)
plain("var_1000x1000", lambda a: torch.var(a, 1), square_of_1000)
plain("transpose_1000x1000", lambda a: a.t().contiguous(), square_of_1000)


@case("Adam_step_1000000")
def _():
    w = torch.randn(1000000, requires_grad=True)
    w.grad = torch.ones_like(w)
    opt = optim.Adam([w], lr=1e-3)

    def one():
        opt.step()
        return w.grad
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
            print(f"{one().abs().sum().item():.9g}", flush=True)
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
