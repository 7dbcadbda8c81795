#!/usr/bin/env python3
"""Packed sequences: python3 -W ignore tests/oracle/nn_packed.py > tests/scripts/nn_packed.out"""
import torch
from torch import nn
from torch.nn.utils import rnn


def text(t):
    return "%s\t%s" % (list(t.shape), " ".join("%.3g" % v for v in t.detach().flatten().tolist()))


def refusal(f):
    try:
        f()
    except Exception as e:
        print("%s: %s" % (type(e).__name__, e))


x = torch.arange(12.0).view(4, 3)
p = rnn.pack_padded_sequence(x, [4, 2, 1])
print(p)
y, lengths = rnn.pad_packed_sequence(p, padding_value=-1, total_length=5)
print(text(y), text(lengths))
q = rnn.pack_sequence([torch.ones(1), torch.ones(2)], enforce_sorted=False)
print(q)
print(" ".join(text(t) for t in rnn.unpack_sequence(q)))
print(rnn.pack_padded_sequence(x.clone().requires_grad_() * 2, [4, 2, 1]).data.grad_fn.name())
refusal(lambda: rnn.pack_padded_sequence(x, [1, 2, 4]))
refusal(lambda: rnn.pack_padded_sequence(x, [4, 2]))
refusal(lambda: rnn.pack_padded_sequence(x, [4, 2, 0]))
refusal(lambda: rnn.pack_padded_sequence(torch.zeros(0, 3), [4, 2, 1]))
refusal(lambda: rnn.pad_packed_sequence(p, total_length=2))
refusal(lambda: rnn.PackedSequence(torch.ones(3)))

torch.manual_seed(0)
for net in (nn.LSTM(2, 2, 2, bidirectional=True), nn.GRU(2, 3, bidirectional=True), nn.RNN(2, 2), nn.LSTM(2, 4, proj_size=3)):
    x = (torch.arange(24.0).view(4, 3, 2) / 10).requires_grad_()
    for lengths, ordered in (([2, 4, 1], False), ([4, 3, 3], True)):
        y, h = net(rnn.pack_padded_sequence(x, lengths, enforce_sorted=ordered))
        h, c = h if isinstance(h, tuple) else (h, h)
        print(text(y.data), text(h), text(c))
        (y.data.square().sum() + h.sum() + c.sum()).backward()
        print(text(x.grad), text(net.weight_hh_l0.grad), y.data.grad_fn.name())
    h0 = torch.ones(h.shape)
    state = (h0, torch.ones(c.shape)) if isinstance(net, nn.LSTM) else h0
    print(text(net(rnn.pack_padded_sequence(x, [2, 4, 1], enforce_sorted=False), state)[0].data))
