"""Convolutions, pooling, padding, sliding blocks; normalisation."""

import torch

from draw import options

from . import family

OPS = """conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d max_pool1d max_pool2d max_pool3d
    avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d
    adaptive_max_pool2d adaptive_max_pool3d lp_pool1d lp_pool2d pad_constant pad_reflect pad_replicate pad_circular unfold
    fold pixel_shuffle pixel_unshuffle channel_shuffle interpolate max_unpool2d embedding embedding_bag""".split()


def several(d, n, low, high):
    """One number for all dims, or one for each."""
    return d.pick([d.integer(low, high), tuple(d.integer(low, high) for _ in range(n))])


def convolution(d, op, make, n):
    transposed = "transpose" in op
    groups = d.pick([1, 1, 2])
    inside, outside = groups * d.integer(1, 2), groups * d.integer(1, 2)
    # Of an empty result, which padding makes of smaller volumes, PyTorch's libraries think differently.
    image = [d.integer(3, 4) if n < 3 else 3 if transposed else 2 for _ in range(n)]
    kernel = [d.integer(1, 2) for _ in range(n)]
    weight = [inside, outside // groups, *kernel] if transposed else [outside, inside // groups, *kernel]
    a = make(*([d.integer(1, 2)] if d.chance(0.85) else []), inside, *image)
    w = make(*weight)
    bias = f", {make(outside)}" if d.flag() else ", None"
    more = options(
        stride=d.pick([None, several(d, n, 1, 2)]),
        padding=d.pick([None, several(d, n, 0, 1)]),
        groups=groups if groups > 1 else None,
        dilation=d.pick([None, None, several(d, n, 1, 2)]),
    )
    if transposed and "stride=2" in more and d.flag():
        more += ", output_padding=1"
    return f"F.{op}({a}, {w}{bias}{more})"


def pooling(d, op, make, n):
    image = [d.integer(2, 4) if n < 3 else 2 for _ in range(n)]
    a = make(*([1] if d.chance(0.8) else []), d.integer(1, 2), *image)
    if op.startswith("adaptive"):
        return f"F.{op}({a}, {several(d, n, 1, 3)})"
    more = options(stride=d.pick([None, several(d, n, 1, 2)]), ceil_mode=d.pick([None, True]))
    if op.startswith("lp"):
        return f"F.{op}({a}, {d.pick([1, 2, 3])}, {several(d, n, 1, 2)}{more})"
    more += options(padding=d.pick([None, None, several(d, n, 0, 1)]))
    if op.startswith("avg"):
        more += options(count_include_pad=d.pick([None, False]))
    else:
        more += options(dilation=d.pick([None, None, 2]), return_indices=d.pick([None, None, True]))
    return f"F.{op}({a}, {several(d, n, 1, 2)}{more})"


@family("images", "Convolutions, pooling, padding, sliding blocks, tables of rows", OPS, 24)
def images(d, op):
    dtype = d.weighted({torch.float32: 6, torch.float64: 3, torch.bfloat16: 0.3, torch.int64: 0.3})
    d.double = d.chance(0.25)

    def make(*shape):
        return d.tensor(dtype, [n + 1 if d.chance(0.005) else n for n in shape], special=False)

    if op.startswith("conv"):
        return convolution(d, op, make, int(op[-2]))
    if "pool" in op and "unpool" not in op:
        return pooling(d, op, make, int(op[-2]))
    if op.startswith("pad_"):
        mode = op[4:]
        if mode == "constant":
            shape = d.full_shape(1, 3)
            by = [d.integer(-1, 2) for _ in range(2 * d.integer(1, len(shape)))]
            return f"F.pad({make(*shape)}, {by}{d.pick(['', ', value=1.5', ', mode=' + repr('constant')])})"
        n = d.integer(1, 2)
        by = [d.integer(0, 2) for _ in range(2 * n)]
        return f"F.pad({make(*([1] if d.chance(0.8) else []), 1, *[d.integer(2, 4) for _ in range(n)])}, {by}, mode='{mode}')"
    if op == "unfold":
        return f"F.unfold({make(1, d.integer(1, 2), 3, 3)}, {several(d, 2, 1, 2)}{options(padding=d.pick([None, 1]), stride=d.pick([None, 2]))})"
    if op == "fold":
        return f"F.fold({make(1, 4, 4)}, (3, 3), (2, 2){options(padding=d.pick([None, None, 1]))})"
    if op == "pixel_shuffle":
        return f"F.pixel_shuffle({make(d.integer(1, 2), 4, 1, 2)}, 2)"
    if op == "pixel_unshuffle":
        return f"F.pixel_unshuffle({make(1, 1, 2, 4)}, {d.pick([2, 2, 3])})"
    if op == "channel_shuffle":
        return f"F.channel_shuffle({make(1, 4, 2, 1)}, {d.pick([2, 4, 3])})"
    if op == "interpolate":
        mode, n = d.pick(
            [
                ("nearest", 1),
                ("nearest", 2),
                ("linear", 1),
                ("bilinear", 2),
                ("bicubic", 2),
                ("area", 2),
                ("nearest-exact", 2),
            ]
        )
        size = d.pick(
            [f"size={tuple(d.integer(1, 5) for _ in range(n))}", f"scale_factor={d.pick([2, 0.5, 1.5])}"]
        )
        corners = (
            options(align_corners=d.pick([None, True])) if mode in ("linear", "bilinear", "bicubic") else ""
        )
        return f"F.interpolate({make(1, 1, *[d.integer(2, 3) for _ in range(n)])}, {size}, mode='{mode}'{corners})"
    if op == "max_unpool2d":
        return f"x, i = F.max_pool2d({make(1, 1, 4, 4)}, 2, return_indices=True)\nF.max_unpool2d(x, i, 2)"
    rows, width = d.integer(1, 4), d.integer(1, 3)
    picks, table = d.index(d.full_shape(1, 2), rows), make(rows, width)
    if op == "embedding":
        return f"F.embedding({picks}, {table}{options(padding_idx=d.pick([None, None, 0, -1]), scale_grad_by_freq=d.pick([None, True]))})"
    return f"F.embedding_bag({picks}, {table}{options(mode=d.pick([None, 'sum', 'max']))})"


NORMS = "layer_norm batch_norm group_norm instance_norm rms_norm local_response_norm".split()


@family("norms", "Normalisation", NORMS, 40)
def norms(d, op):
    dtype = d.weighted({torch.float32: 6, torch.float64: 3, torch.bfloat16: 0.3})
    d.double = d.chance(0.25)
    channels = d.pick([1, 2, 4])
    shape = [d.integer(1, 3), channels, *d.pick([[], [3], [2, 2]])]
    if op in ("instance_norm", "local_response_norm") and len(shape) == 2:
        shape.append(3)
    a = d.tensor(dtype, shape, special=False)
    eps = options(eps=d.pick([None, None, 0.1]))

    def affine(sizes):
        if d.flag():
            return ""
        dense = op == "batch_norm"  # PyTorch's gradient reads its weights as if they were
        weight, bias = (d.tensor(dtype, sizes, special=False, dense=dense) for _ in range(2))
        return f", weight={weight}, bias={bias}"

    if op in ("layer_norm", "rms_norm"):
        sizes = shape[d.integer(0, len(shape) - 1) :] if d.chance(0.95) else [7]
        weights = affine(sizes)
        if op == "rms_norm":
            weights = weights.split(", bias")[0]
        return f"F.{op}({a}, {tuple(sizes)}{weights}{eps})"
    if op == "group_norm":
        return f"F.group_norm({a}, {d.pick([1, channels, 2])}{affine([channels])}{eps})"
    if op == "local_response_norm":
        return f"F.local_response_norm({a}, {d.integer(1, 3)}{options(alpha=d.pick([None, 0.5]), k=d.pick([None, 2.0]))})"
    running = [d.tensor(dtype, [channels], 0.25, 2, special=False, grad=False, dense=True) for _ in range(2)]
    training = d.flag()
    flag = f", training={training}" if op == "batch_norm" else f", use_input_stats={training}"
    given = ", ".join(running) if d.chance(0.8) else "None, None"
    return f"x = F.{op}({a}, {given}{affine([channels])}{flag}{eps})\n(x, {running[0]}, {running[1]})"
