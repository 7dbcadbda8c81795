"""The printed form of tensors: every dtype, shape, range of numbers, option and suffix."""

import torch

from draw import options

from . import family


@family("printing", "The printed form", ["plain", "ranges", "long", "options", "suffix", "other"], 80)
def printing(d, op):
    dtype = d.any_dtype() if d.flag() else d.dtype()
    shape = d.shape(0, 4)
    if op == "ranges":
        scale = 10.0 ** d.integer(-9, 9)
        values = [
            d.random.uniform(-1, 1) * 10.0 ** d.integer(0, d.pick([0, 1, 3, 6])) * scale
            for _ in range(d.integer(1, 12))
        ]
        if d.chance(0.3):
            values = [float(round(v)) for v in values]
        if d.chance(0.2):
            values[0] = d.pick([float("nan"), float("inf"), float("-inf"), 0.0, -0.0])
        a = d.give(torch.tensor(values, dtype=d.pick([torch.float32, torch.float64])))
        return f"str({a})"
    if op == "long":
        n = d.integer(30, 90) if d.flag() else d.integer(1001, 1300)
        name = d.pick(["torch.int64", "torch.float32", "torch.bool"])
        return f"str((torch.arange({n}) * {d.integer(1, 99)} % {d.integer(2, 999)}).to({name}).reshape({d.pick(['-1', f'(1, {n})', f'({n}, 1)'])}))"
    a = d.tensor(dtype, shape)
    if op == "options":
        chosen = options(
            precision=d.pick([None, 2, 6]),
            threshold=d.pick([None, 4]),
            edgeitems=d.pick([None, 1, 2]),
            linewidth=d.pick([None, 30, 120]),
            sci_mode=d.pick([None, True, False]),
        )[2:]
        return f"torch.set_printoptions({chosen})\ntext = str({a})\ntorch.set_printoptions(profile='default')\ntext"
    if op == "suffix":
        return d.pick(
            [
                f"str({a} * 2)",
                f"str({a}[None])",
                f"str({a}.sum())",
                f"str({a}.detach())",
                f"str(nn.Parameter({a}, requires_grad={d.inputs[a].is_floating_point()}))",
            ]
        )
    if op == "other":
        return d.pick(
            [f"str({a}.shape)", f"str({a}.dtype)", f"str({a}.device)", f"repr({a})", f"repr({a}.size())"]
        )
    return f"str({a})"
