#!/usr/bin/env python3
"""Every module once or more: what it prints, its state, its outputs and gradients after a seed. Outputs and gradients
are computed in double, so that their three digits are the same whatever the order of a sum.

ATEN_CPU_CAPABILITY=default python3 -W ignore nn_modules.py > tests/scripts/nn_modules.out
python3 nn_modules.py lua > tests/scripts/nn_modules.lua
"""
import sys

import torch
from torch import nn

# A module as Python and Lua can both read it ([…] is a list or a table), and the shapes of its inputs.
CASES = """
nn.Identity() | 2,3
nn.Linear(3, 2) | 2,3
nn.Linear(3, 2, bias=False) | 3
nn.Bilinear(3, 2, 4) | 2,3 | 2,2
nn.Bilinear(3, 2, 4, bias=False) | 2,3 | 2,2
nn.Flatten(0, 1) | 2,3,2
nn.Unflatten(-1, [2, 2]) | 2,4
nn.Conv1d(2, 4, 3) | 1,2,5
nn.Conv1d(2, 4, 3, stride=2, padding=1, dilation=2, bias=False) | 2,2,7
nn.Conv1d(2, 2, 2, padding="same", padding_mode="reflect") | 1,2,5
nn.Conv2d(4, 6, 3, padding=1, groups=2) | 1,4,4,5
nn.Conv2d(2, 3, [3, 2], stride=[2, 1], padding=[1, 0], padding_mode="circular") | 1,2,5,4
nn.Conv2d(1, 2, 3, padding="same", padding_mode="replicate") | 1,1,4,4
nn.Conv3d(1, 2, 2) | 1,1,3,3,3
nn.Conv3d(2, 2, [1, 2, 2], padding=[0, 1, 0], dilation=2, groups=2, bias=False) | 1,2,3,3,3
nn.ConvTranspose1d(2, 3, 3, stride=2, padding=1, output_padding=1) | 1,2,4
nn.ConvTranspose2d(2, 4, 2, stride=2, groups=2, bias=False) | 1,2,3,3
nn.ConvTranspose2d(2, 3, 3, dilation=2) | 1,2,3,2
nn.ConvTranspose3d(1, 2, 2) | 1,1,2,2,2
nn.Unfold([2, 3], padding=1) | 1,2,3,4
nn.Fold([3, 4], 2) | 1,8,6
nn.MaxPool1d(2) | 1,2,5
nn.MaxPool1d(3, 2, 1, ceil_mode=True) | 2,5
nn.MaxPool2d(2) | 1,2,4,5
nn.MaxPool2d([2, 3], stride=1, padding=[1, 0], dilation=[1, 2]) | 1,1,4,6
nn.MaxPool3d(2) | 1,1,2,4,4
nn.MaxPool3d([1, 2, 2], stride=[1, 1, 2], ceil_mode=True) | 1,1,2,3,3
nn.AvgPool1d(2) | 1,2,5
nn.AvgPool1d(3, stride=2, padding=1, count_include_pad=False) | 1,2,6
nn.AvgPool2d(2, ceil_mode=True) | 1,1,3,5
nn.AvgPool2d([2, 1], divisor_override=3) | 1,2,4,2
nn.AvgPool3d(2, 1) | 1,1,2,3,3
nn.LPPool1d(2, 2) | 1,2,6
nn.LPPool2d(4, [2, 1], stride=1) | 1,1,3,3
nn.LPPool3d(2, 2) | 1,1,2,2,4
nn.AdaptiveMaxPool1d(3) | 1,2,7
nn.AdaptiveMaxPool2d([2, None]) | 1,1,5,3
nn.AdaptiveMaxPool3d(2) | 1,1,3,4,2
nn.AdaptiveAvgPool1d(3) | 1,2,7
nn.AdaptiveAvgPool2d([None, 2]) | 1,1,2,5
nn.AdaptiveAvgPool3d([1, 2, 3]) | 1,1,3,4,5
nn.ReflectionPad1d(2) | 1,2,4
nn.ReflectionPad2d([1, 2, 0, 1]) | 1,1,3,4
nn.ReflectionPad3d(1) | 1,1,2,2,2
nn.ReplicationPad1d([2, 0]) | 1,2,4
nn.ReplicationPad2d(1) | 1,1,2,3
nn.ReplicationPad3d([1, 0, 0, 2, 1, 1]) | 1,1,2,2,2
nn.ZeroPad1d(1) | 1,2,3
nn.ZeroPad2d([1, 2, 0, 1]) | 1,1,2,2
nn.ZeroPad3d(1) | 1,1,1,2,2
nn.ConstantPad1d(2, 3.5) | 2,3
nn.ConstantPad2d([1, 0, 2, 1], 0.5) | 1,1,2,2
nn.ConstantPad3d(1, -1.0) | 1,1,1,2,2
nn.CircularPad1d(2) | 1,2,3
nn.CircularPad2d([1, 2, 0, 1]) | 1,1,2,3
nn.CircularPad3d(1) | 1,1,2,2,2
nn.ReLU() | 2,3
nn.ReLU6() | 2,3
nn.RReLU(0.1, 0.4) | 2,3
nn.Hardtanh(-0.5, 1.5) | 2,3
nn.Sigmoid() | 2,3
nn.Tanh() | 2,3
nn.Hardsigmoid() | 2,3
nn.Hardswish() | 2,3
nn.SiLU() | 2,3
nn.Mish() | 2,3
nn.ELU(0.5) | 2,3
nn.CELU(2.0) | 2,3
nn.SELU() | 2,3
nn.GLU(1) | 2,4
nn.GELU() | 2,3
nn.GELU(approximate="tanh") | 2,3
nn.Hardshrink(0.7) | 2,3
nn.Softshrink(0.2) | 2,3
nn.LeakyReLU(0.3) | 2,3
nn.LogSigmoid() | 2,3
nn.Softplus(2.0, 3.0) | 2,3
nn.PReLU() | 2,3
nn.PReLU(3, init=0.4) | 2,3
nn.Softsign() | 2,3
nn.Tanhshrink() | 2,3
nn.Threshold(0.1, 2.0) | 2,3
nn.Softmin(dim=1) | 2,3
nn.Softmax(dim=0) | 2,3
nn.LogSoftmax(dim=1) | 2,3
nn.Softmax2d() | 1,2,2,2
nn.BatchNorm1d(3) | 4,3
nn.BatchNorm1d(3, eps=0.1, momentum=0.3, affine=False) | 2,3,2
nn.BatchNorm2d(2, track_running_stats=False) | 2,2,2,2
nn.BatchNorm2d(2, momentum=None, bias=False) | 2,2,2,2
nn.BatchNorm3d(2) | 1,2,2,1,3
nn.InstanceNorm1d(2) | 2,2,3
nn.InstanceNorm2d(2, affine=True, track_running_stats=True) | 1,2,2,2
nn.InstanceNorm3d(2, eps=0.1) | 2,2,2,1,2
nn.GroupNorm(2, 4) | 2,4,3
nn.GroupNorm(1, 2, affine=False) | 2,2,2
nn.LayerNorm(3) | 2,3
nn.LayerNorm([2, 3], eps=0.1, bias=False) | 2,2,3
nn.LayerNorm(3, elementwise_affine=False) | 2,3
nn.RMSNorm(3) | 2,3
nn.RMSNorm([2, 3], eps=0.1, elementwise_affine=False) | 2,2,3
nn.LocalResponseNorm(2) | 1,4,3
nn.LocalResponseNorm(3, alpha=0.1, beta=0.5, k=2.0) | 1,4,2,2
nn.Dropout(0.4) | 2,4
nn.Dropout1d(0.4) | 2,4,2
nn.Dropout2d(0.4) | 1,4,2,2
nn.Dropout3d(0.4) | 1,4,2,1,2
nn.AlphaDropout(0.4) | 2,4
nn.FeatureAlphaDropout(0.4) | 2,4,2
nn.PixelShuffle(2) | 1,4,2,2
nn.PixelUnshuffle(2) | 1,1,2,4
nn.ChannelShuffle(2) | 1,4,2
nn.Upsample(scale_factor=2) | 1,2,2
nn.Upsample(size=[3, 5], mode="bilinear", align_corners=True) | 1,1,2,3
nn.Upsample(scale_factor=[1.5, 2.0], mode="bicubic") | 1,1,3,2
nn.Upsample(scale_factor=2, mode="trilinear") | 1,1,1,2,2
nn.UpsamplingNearest2d(scale_factor=2) | 1,1,2,2
nn.UpsamplingBilinear2d(size=[3, 3]) | 1,1,2,2
nn.CosineSimilarity(dim=1) | 2,3 | 2,3
nn.PairwiseDistance(p=1.0, keepdim=True) | 2,3 | 2,3
nn.L1Loss() | 2,3 | 2,3
nn.MSELoss(reduction="sum") | 2,3 | 2,3
nn.SmoothL1Loss(beta=0.5) | 2,3 | 2,3
nn.HuberLoss(reduction="none", delta=0.5) | 2,3 | 2,3
nn.BCEWithLogitsLoss() | 2,3 | 2,3
nn.KLDivLoss(reduction="batchmean", log_target=True) | 2,3 | 2,3
nn.PoissonNLLLoss() | 2,3 | 2,3
nn.CrossEntropyLoss(label_smoothing=0.1) | 2,3 | 2,3
nn.MultiLabelSoftMarginLoss() | 2,3 | 2,3
nn.HingeEmbeddingLoss(margin=0.5) | 2,3 | 2,3
nn.MarginRankingLoss(margin=0.1) | 4 | 4 | 4
nn.TripletMarginLoss(margin=2.0, p=1.0, swap=True) | 2,3 | 2,3 | 2,3
nn.TripletMarginWithDistanceLoss(margin=2.0) | 2,3 | 2,3 | 2,3
nn.RNN(3, 2, nonlinearity="relu", bidirectional=True) | 3,2,3
nn.LSTM(3, 2, num_layers=2, batch_first=True, bias=False) | 2,3,3
nn.LSTM(3, 4, proj_size=2) | 3,3
nn.GRU(3, 2, num_layers=2) | 3,1,3
nn.RNNCell(3, 2) | 2,3
nn.LSTMCell(3, 2, bias=False) | 2,3
nn.GRUCell(3, 2) | 3
nn.MultiheadAttention(4, 2) | 3,2,4 | 2,2,4 | 2,2,4
nn.MultiheadAttention(4, 2, bias=False, add_bias_kv=True, add_zero_attn=True, kdim=3, vdim=2) | 3,2,4 | 2,2,3 | 2,2,2
nn.TransformerEncoderLayer(4, 2, 6, dropout=0.0, activation="gelu", batch_first=True) | 2,3,4
nn.TransformerDecoderLayer(4, 2, 6, dropout=0.0, norm_first=True) | 3,2,4 | 2,2,4
nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 6, dropout=0.0), 2, nn.LayerNorm(4)) | 3,2,4
nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 6, dropout=0.0), 1) | 3,2,4 | 2,2,4
nn.Transformer(4, 2, 1, 1, 6, 0.0) | 3,2,4 | 2,2,4
nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)) | 2,3
"""


def cases():
    for line in CASES.strip().splitlines():
        make, *shapes = (part.strip() for part in line.split("|"))
        yield make, [[int(n) for n in shape.split(",")] for shape in shapes]


def numbers(t):
    return " ".join("%.3g" % (0.0 if abs(v) <= 1e-12 else v + 0.0) for v in t.flatten().tolist())


def show(make, shapes):
    torch.manual_seed(0)
    module = eval(make.replace("[", "(").replace("]", ")"))
    print(module)
    for name, value in module.state_dict().items():
        print("  " + name, value.shape, numbers(value), sep="\t")
    torch.manual_seed(1)
    inputs = [(torch.randn(shape) * 1.5).double().requires_grad_() for shape in shapes]
    module.double()
    y = module(*inputs)
    y = y[0] if isinstance(y, tuple) else y
    print("  y", y.shape, numbers(y), sep="\t")
    y.pow(3).sum().backward()
    for x in inputs:
        print("  dx", "nil" if x.grad is None else numbers(x.grad), sep="\t")
    for name, p in module.named_parameters():
        print("  d " + name, "nil" if p.grad is None else numbers(p.grad), sep="\t")


LUA = """-- Every module once or more: what it prints, its state, outputs and gradients. Written by
-- tests/oracle/nn_modules.py, which also says what the .out file holds.
local function numbers(t)
    local words = {}
    for i, v in ipairs(t:flatten():tolist()) do
        words[i] = ("%.3g"):format(math.abs(v) <= 1e-12 and 0.0 or v + 0.0)
    end
    return table.concat(words, " ")
end

local function show(make, ...)
    torch.manual_seed(0)
    local module = make()
    print(module)
    for name, value in pairs(module:state_dict()) do print("  " .. name, value.shape, numbers(value)) end
    torch.manual_seed(1)
    local inputs = {}
    for i, shape in ipairs {...} do inputs[i] = (torch.randn(shape) * 1.5):double():requires_grad_() end
    module:double()
    local y = module(table.unpack(inputs))
    print("  y", y.shape, numbers(y))
    y:pow(3):sum():backward()
    for _, x in ipairs(inputs) do print("  dx", x.grad and numbers(x.grad)) end
    for name, p in module:named_parameters() do print("  d " .. name, p.grad and numbers(p.grad)) end
end
"""


def lua(make):
    for python, spelling in (("[", "{"), ("]", "}"), ("True", "true"), ("False", "false"), ("None", "false")):
        make = make.replace(python, spelling)
    return make


if sys.argv[1:] == ["lua"]:
    print(LUA)
    for make, shapes in cases():
        print("show(function() return %s end, %s)" % (lua(make), ", ".join(
            "{%s}" % ", ".join(map(str, shape)) for shape in shapes)))
else:
    for make, shapes in cases():
        show(make, shapes)
