"""How much of an answer is rounding: what PyTorch's own arithmetic loses on a case."""

import torch

from evaluate import Unsuitable, lines_of

DRAWS = 8
# Tide's steps are others than PyTorch's: where these lose nothing by chance, those may, and the other way round.
MARGIN = 8


def nearby(t, number):
    """The elements as they are, then a little moved, equal ones alike, so that no chance of their last bits decides; in
    the last draw equal ones are moved apart."""
    if not t.is_floating_point() or number == 0:
        return t.detach()
    values = t.detach().double()
    way = torch.sin(1000.0 * values + number)
    if number == DRAWS - 1:
        way = torch.sin(1000.0 * torch.arange(t.numel()).reshape(t.shape))
    step = 2**-5 if t.dtype in (torch.float16, torch.bfloat16) else 2**-10
    moved = values * (1 + step * way)
    return torch.where(moved.isfinite(), moved, values).to(t.dtype)


def converted(inputs, change):
    """The inputs in other floating dtypes; what asks for a gradient goes on asking."""
    return {
        name: (t.to(change(t.dtype)) if t.is_floating_point() else t).requires_grad_(asks)
        for name, (t, asks) in inputs.items()
    }


def distance(a, b):
    """The largest difference of finite elements."""
    if a is None or b is None or a.shape != b.shape or not a.is_floating_point():
        return 0.0
    apart = (a.detach().double() - b.detach().double()).abs()
    return apart[apart.isfinite()].max().item() if apart.isfinite().any() else 0.0


def last_places(case):
    """For each line one unit in the last place of the answer's largest element: where terms of that size cancel to
    nothing in PyTorch's order, that much may be left in another."""
    tensors = [t for _, t in lines_of(case, case.inputs)]
    most = max((distance(t, torch.zeros_like(t)) for t in tensors if t is not None), default=0.0)
    return [most * torch.finfo(t.dtype).eps if t is not None and t.is_floating_point() else 0.0 for t in tensors]


def floors(case):
    """For each line of the case's answer the absolute difference that is rounding and no more.

    It is the distance of PyTorch's answers in the inputs' precision from those in double, for the case's inputs and some
    near them. Of a case in double the distance in single is taken, and made as much smaller as double is finer. It is
    one last place at least.
    """
    double = any(t.dtype is torch.float64 for t in case.inputs.values())
    scale = MARGIN * (2.0**-29 if double else 1.0)
    worst = last_places(case)
    for number in range(DRAWS):
        moved = {k: (nearby(t, number), t.requires_grad) for k, t in case.inputs.items()}
        narrow = converted(moved, lambda d: torch.float32 if d is torch.float64 else d)
        moved = {k: (t.detach(), t.requires_grad) for k, t in narrow.items()}
        try:
            pairs = zip(lines_of(case, narrow), lines_of(case, converted(moved, lambda d: torch.float64)))
            apart = [scale * distance(a, b) for (_, a), (_, b) in pairs]
        except Unsuitable:
            continue
        worst = [max(pair) for pair in zip(worst, apart)] if len(worst) == len(apart) else worst
    return worst
