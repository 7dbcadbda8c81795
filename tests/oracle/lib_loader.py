#!/usr/bin/env python3
"""Which samples loaders, samplers and splits give after a seed: python3 lib_loader.py > tests/scripts/lib_loader.out"""
import torch
from torch.utils import data

x, y = torch.arange(10).float().view(10, 1), torch.arange(10)
dataset = data.TensorDataset(x, y)


def row(*values):
    print("\t".join(str(v) for v in values))


def draw():
    print("%.9g" % torch.rand(1).item())


def names(c):
    return "[" + ", ".join(c) + "]"


torch.manual_seed(5)
for epoch in range(2):
    for i, (a, b) in enumerate(data.DataLoader(dataset, batch_size=4, shuffle=True)):
        row(i, a.flatten().long().tolist(), b.tolist())
draw()
g = torch.Generator()
g.manual_seed(7)
for i, (a, b) in enumerate(data.DataLoader(dataset, batch_size=3, shuffle=True, drop_last=True, generator=g)):
    row(i, b.tolist())
draw()
for i, (a, b) in enumerate(data.DataLoader(dataset, batch_size=4)):
    row(i, b.tolist())
draw()
one, two = data.random_split(dataset, [7, 3])
row(one.indices, two.indices, len(one))
for i, (a, b) in enumerate(data.DataLoader(one, batch_size=4, shuffle=True)):
    row(i, b.tolist())
one, two = data.random_split(dataset, [0.55, 0.45])
row(len(one), len(two), one[0][1].item())
row(list(data.RandomSampler(dataset, replacement=True, num_samples=40)))
row(list(data.RandomSampler(dataset, num_samples=14)))
row(list(data.SubsetRandomSampler([3, 5, 7])))
row(list(data.WeightedRandomSampler([0.1, 0.9, 0.4], 8)))
row(list(data.WeightedRandomSampler([0.1, 0.9, 0.4], 3, replacement=False)))


class Squares(data.Dataset):
    def __len__(self):
        return 5

    def __getitem__(self, i):
        if i >= 5:
            raise IndexError
        return i * i, i / 2, {"name": "n%d" % i, "t": torch.ones(2) * i}


for i, (a, b, c) in enumerate(data.DataLoader(Squares(), batch_size=2)):
    row(i, a, b, names(c["name"]), c["t"])
loader = data.DataLoader(Squares(), batch_size=2, drop_last=True)
row(len(loader), len(data.DataLoader(Squares(), batch_size=2)), len(Squares()))
for i, sample in enumerate(data.DataLoader(Squares(), sampler=[4, 1], batch_size=None)):
    row(i, sample[0])
for i, (a, b, c) in enumerate(data.DataLoader(Squares(), batch_sampler=[[4, 1], [0]])):
    row(i, a)
row(len(data.ConcatDataset([dataset, Squares()])), data.ConcatDataset([dataset, Squares()])[12][0])
