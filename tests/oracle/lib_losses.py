#!/usr/bin/env python3
"""Losses and their gradients: ATEN_CPU_CAPABILITY=default python3 -W ignore lib_losses.py > tests/scripts/lib_losses.out"""
import torch
import torch.nn.functional as F
from torch import nn


def numbers(t):
    return " ".join("%.4g" % (v + 0.0) for v in t.flatten().tolist())


def show(name, f, input, *args, **options):
    x = input.detach().clone().requires_grad_()
    y = f(x, *args, **options)
    y.sum().backward()
    print(name, y.shape, numbers(y), numbers(x.grad), sep="\t")


torch.manual_seed(0)
x, y, z = torch.randn(4, 3), torch.randn(4, 3), torch.randn(4, 3)
p, q = torch.rand(4, 3) * 0.9 + 0.05, torch.rand(4, 3)
classes, sign = torch.tensor([0, 2, 1, 2]), torch.tensor([1, -1, 1, -1])
w = torch.tensor([0.5, 1.0, 2.0])
images, labels = torch.randn(2, 3, 2, 2), torch.tensor([[[0, 1], [2, 1]], [[2, 2], [0, 1]]])

for r in ["mean", "sum", "none"]:
    for name in ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "soft_margin_loss"]:
        show(name + " " + r, getattr(F, name), x, y.sign() if name == "soft_margin_loss" else y, reduction=r)
    show("smooth_l1 beta " + r, F.smooth_l1_loss, x, y, reduction=r, beta=0.3)
    show("huber delta " + r, F.huber_loss, x, y, reduction=r, delta=0.3)
    show("mse weight " + r, F.mse_loss, x, y, reduction=r, weight=p)
    show("bce " + r, F.binary_cross_entropy, p, q, reduction=r)
    show("bce weight " + r, F.binary_cross_entropy, p, q, reduction=r, weight=w)
    show("bce logits " + r, F.binary_cross_entropy_with_logits, x, q, reduction=r, weight=w, pos_weight=w * 2)
    show("nll " + r, F.nll_loss, x, classes, reduction=r)
    show("nll weight " + r, F.nll_loss, x, classes, reduction=r, weight=w, ignore_index=1)
    show("nll one " + r, F.nll_loss, x[0], torch.tensor(2), reduction=r)
    show("nll images " + r, F.nll_loss, images, labels, reduction=r, weight=w, ignore_index=1)
    show("cross entropy " + r, F.cross_entropy, x, classes, reduction=r)
    show("cross entropy one " + r, F.cross_entropy, x[0], torch.tensor(2), reduction=r)
    show("cross entropy images " + r, F.cross_entropy, images, labels, reduction=r)
    show("cross entropy all " + r, F.cross_entropy, x, classes, reduction=r, weight=w, ignore_index=1, label_smoothing=0.2)
    show("cross entropy soft " + r, F.cross_entropy, x, q, reduction=r, weight=w, label_smoothing=0.1)
    show("kl " + r, F.kl_div, x, q, reduction=r)
    show("kl log " + r, F.kl_div, x, y, reduction=r, log_target=True)
    show("poisson " + r, F.poisson_nll_loss, x, q * 5, reduction=r, full=True)
    show("poisson plain " + r, F.poisson_nll_loss, p, q, reduction=r, log_input=False)
    show("gaussian " + r, F.gaussian_nll_loss, x, y, p, reduction=r, full=True)
    show("hinge " + r, F.hinge_embedding_loss, x, y.sign(), reduction=r, margin=0.5)
    show("ranking " + r, F.margin_ranking_loss, x, y, z.sign(), reduction=r, margin=0.5)
    show("triplet " + r, F.triplet_margin_loss, x, y, z, reduction=r)
    show("triplet swap " + r, F.triplet_margin_loss, x, y, z, reduction=r, p=1, margin=2, swap=True)
    show("cosine " + r, F.cosine_embedding_loss, x, y, sign, reduction=r, margin=0.2)
    show("multi margin " + r, F.multi_margin_loss, x, classes, reduction=r)
    show("multi margin 2 " + r, F.multi_margin_loss, x, classes, reduction=r, p=2, margin=0.5, weight=w)
show("kl batchmean", F.kl_div, x, q, reduction="batchmean")
show("normalize", F.normalize, x)
show("normalize 1", F.normalize, x, p=1, dim=0)
show("cosine similarity", F.cosine_similarity, x, y)
show("pairwise distance", F.pairwise_distance, x, y)
show("pairwise distance 1", F.pairwise_distance, x, y, p=1, keepdim=True)
show("bilinear", F.bilinear, x, y, torch.ones(2, 3, 3), torch.ones(2))
print(F.one_hot(classes), F.one_hot(classes, num_classes=4).shape, sep="\t")
for name in ["MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "SoftMarginLoss", "CosineSimilarity", "PairwiseDistance"]:
    module = getattr(nn, name)()
    show(str(module), module, x, y.sign() if name == "SoftMarginLoss" else y)
show("BCELoss", nn.BCELoss(weight=w), p, q)
show("BCEWithLogitsLoss", nn.BCEWithLogitsLoss(pos_weight=w, reduction="sum"), x, q)
show("NLLLoss", nn.NLLLoss(w), x, classes)
show("CrossEntropyLoss", nn.CrossEntropyLoss(weight=w, label_smoothing=0.1), x, classes)
show("KLDivLoss", nn.KLDivLoss(reduction="batchmean"), x, q)
show("TripletMarginLoss", nn.TripletMarginLoss(margin=0.5), x, y, z)
show("GaussianNLLLoss", nn.GaussianNLLLoss(), x, y, p)
