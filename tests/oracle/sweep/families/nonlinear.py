"""Activations and losses."""

import torch

from draw import options

from . import family

ACTIVATIONS = {
    "relu": {},
    "relu6": {},
    "sigmoid": {},
    "tanh": {},
    "silu": {},
    "mish": {},
    "softsign": {},
    "tanhshrink": {},
    "logsigmoid": {},
    "hardswish": {},
    "hardsigmoid": {},
    "selu": {},
    "gelu": {"approximate": ["none", "tanh"]},
    "elu": {"alpha": [0.5, 2.0]},
    "celu": {"alpha": [0.5, 2.0]},
    "leaky_relu": {"negative_slope": [0.1, 0.3]},
    "hardtanh": {"min_val": [-2.0], "max_val": [0.5, 2.0]},
    "softplus": {"beta": [2], "threshold": [1, 3]},
    "hardshrink": {"lambd": [1.0]},
    "softshrink": {"lambd": [1.0, -1.0]},
    "softmax": {},
    "log_softmax": {},
    "softmin": {},
    "glu": {"dim": [0, -1, 1]},
    "threshold": {},
    "prelu": {},
    "normalize": {"p": [1.0, 3.0], "dim": [0, -1]},
    "gumbel_softmax": {"tau": [0.5], "hard": [True]},
    "rrelu": {},
}


# Their gradients at NaN depend on the place in PyTorch's vectors.
PIECEWISE = "elu celu selu hardswish relu6 hardtanh hardshrink softshrink".split()


@family("activations", "Activation functions", ACTIVATIONS, 22)
def activations(d, op):
    dtype = d.dtype(floats=9, integers=0.5, booleans=0.2)
    shape = d.shape(1 if op in ("glu", "normalize") else 0, 3)
    if op == "glu" and d.chance(0.9):
        shape = [2 * max(n, 1) if i == len(shape) - 1 else n for i, n in enumerate(shape)]
    a = d.tensor(dtype, shape, special=d.chance(0.3) and not (d.with_grad and op in PIECEWISE))
    d.double = d.chance(0.4)
    chosen = {k: d.pick([None, *v]) for k, v in ACTIVATIONS[op].items()}
    if op == "threshold":
        return f"F.threshold({a}, {d.real(-2, 2)}, {d.scalar()})"
    if op == "prelu":
        count = shape[1] if len(shape) > 1 and d.flag() else 1
        return f"F.prelu({a}, {d.tensor(dtype, [count if d.chance(0.95) else 7], -1, 1, special=False)})"
    if op in ("softmax", "log_softmax", "softmin"):
        return f"F.{op}({a}, dim={d.dim(len(shape))}{options(dtype=d.pick([None, None, torch.float64]))})"
    if op == "gumbel_softmax":
        chosen["dim"] = d.dim(len(shape))
    return f"F.{op}({a}{options(**chosen)})"


LOSSES = """mse_loss l1_loss smooth_l1_loss huber_loss binary_cross_entropy binary_cross_entropy_with_logits nll_loss
    cross_entropy kl_div poisson_nll_loss gaussian_nll_loss hinge_embedding_loss margin_ranking_loss triplet_margin_loss
    cosine_embedding_loss multi_margin_loss soft_margin_loss multilabel_soft_margin_loss multilabel_margin_loss
    cosine_similarity pairwise_distance""".split()


def labelled(d, op, dtype, reduction):
    """Losses whose targets are classes."""
    n, c = d.integer(1, 4), d.integer(1, 4)
    spatial = d.pick([[], [], [2], [2, 2]]) if op in ("nll_loss", "cross_entropy") else []
    batched = d.chance(0.85) or bool(spatial)
    a = d.tensor(dtype, ([n] if batched else []) + [c, *spatial], special=False)
    if op == "cross_entropy" and d.chance(0.25):
        target = d.tensor(dtype, d.inputs[a].shape, 0, 1, special=False)
    else:
        target = d.index([n if d.chance(0.97) else n + 1, *spatial] if batched else [], c)
    more = reduction
    if d.chance(0.4):
        more += f", weight={d.tensor(dtype, [c], 0.25, 2, special=False, grad=False)}"
    if op in ("nll_loss", "cross_entropy"):
        more += options(ignore_index=d.pick([None, None, 0, 1]))
    if op == "cross_entropy":
        more += options(label_smoothing=d.pick([None, None, 0.1]))
    if op == "multi_margin_loss":
        more += options(p=d.pick([None, 2]), margin=d.pick([None, 0.5]))
    return f"F.{op}({a}, {target}{more})"


@family("losses", "Loss functions", LOSSES, 34)
def losses(d, op):
    dtype = d.weighted({torch.float32: 6, torch.float64: 3, torch.bfloat16: 0.5, torch.int64: 0.3})
    reduction = options(reduction=d.pick([None, "mean", "sum", "none"]))
    d.double = d.chance(0.3)
    if op in ("nll_loss", "cross_entropy", "multi_margin_loss"):
        return labelled(d, op, dtype, reduction)
    shape = d.full_shape(2 if op in ("cosine_embedding_loss", "triplet_margin_loss") else 1, 2)
    other = d.broadcastable(shape) if d.chance(0.1) else shape
    if op == "binary_cross_entropy":
        weight = (
            f", weight={d.tensor(dtype, shape, 0, 2, special=False, grad=False)}" if d.chance(0.3) else ""
        )
        return f"F.{op}({d.tensor(dtype, shape, 0, 1, special=False)}, {d.tensor(dtype, other, 0, 1, special=False)}{reduction}{weight})"
    a = d.tensor(dtype, shape, special=False)
    if op == "binary_cross_entropy_with_logits":
        more = (
            f", pos_weight={d.tensor(dtype, shape[-1:], 0.5, 2, special=False, grad=False)}"
            if d.chance(0.3)
            else ""
        )
        return f"F.{op}({a}, {d.tensor(dtype, other, 0, 1, special=False)}{reduction}{more})"
    if op == "cosine_embedding_loss":
        b = d.tensor(dtype, shape, special=False)
        sign = d.give(torch.tensor([d.pick([-1, 1]) for _ in range(shape[0])]))
        return f"F.{op}({a}, {b}, {sign}{reduction}{options(margin=d.pick([None, 0.2]))})"
    if op == "multilabel_margin_loss":
        target = d.give(
            torch.tensor([d.integer(-1, shape[-1] - 1) for _ in range(torch.Size(shape).numel())]).reshape(
                shape
            )
        )
        return f"F.{op}({a}, {target}{reduction})"
    if op in ("hinge_embedding_loss", "soft_margin_loss"):
        sign = d.give(
            torch.tensor([float(d.pick([-1, 1])) for _ in range(torch.Size(shape).numel())]).reshape(shape),
            grad=False,
        )
        return f"F.{op}({a}, {sign}{reduction})"
    b = d.tensor(
        dtype,
        other,
        0 if op in ("kl_div", "poisson_nll_loss", "multilabel_soft_margin_loss") else -4,
        1 if op == "multilabel_soft_margin_loss" else 4,
        special=False,
    )
    if op == "margin_ranking_loss":
        sign = d.give(
            torch.tensor([float(d.pick([-1, 1])) for _ in range(torch.Size(shape).numel())]).reshape(shape),
            grad=False,
        )
        return f"F.{op}({a}, {b}, {sign}{reduction}{options(margin=d.pick([None, 0.5]))})"
    if op == "triplet_margin_loss":
        c = d.tensor(dtype, shape, special=False)
        return f"F.{op}({a}, {b}, {c}{reduction}{options(p=d.pick([None, 1]), swap=d.pick([None, True]), margin=d.pick([None, 2]))})"
    if op == "gaussian_nll_loss":
        return f"F.{op}({a}, {b}, {d.tensor(dtype, shape, 0.125, 3, special=False)}{reduction}{options(full=d.pick([None, True]))})"
    if op == "poisson_nll_loss":
        return (
            f"F.{op}({a}, {b}{reduction}{options(full=d.pick([None, True]), log_input=d.pick([None, True]))})"
        )
    if op == "cosine_similarity":
        return f"F.{op}({a}, {b}{options(dim=d.pick([0, -1]))})"
    if op == "pairwise_distance":
        return f"F.{op}({a}, {b}{options(p=d.pick([None, 1.0]), keepdim=d.pick([None, True]))})"
    extra = {
        "smooth_l1_loss": options(beta=d.pick([None, 0.5, 0.0])),
        "huber_loss": options(delta=d.pick([None, 0.5])),
        "kl_div": options(log_target=d.pick([None, True])),
    }.get(op, "")
    return f"F.{op}({a}, {b}{reduction}{extra})"
