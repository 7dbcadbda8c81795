#!/usr/bin/env python3
"""Every learning rate schedule over two groups: python3 -W ignore lib_schedules.py > tests/scripts/lib_schedules.out"""
import torch
from torch.optim import lr_scheduler as S


def sgd(groups):
    return torch.optim.SGD(groups, lr=0.1, momentum=0.9)


def adam(groups):
    return torch.optim.Adam(groups, lr=0.1)


def show(name, make, optimizer=sgd, metric=None):
    p, q = torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)
    opt = optimizer([{"params": [p]}, {"params": [q], "lr": 0.5}])
    schedule, lines = make(opt), []
    for i in range(16):
        one, two = opt.param_groups
        momentum = one["momentum"] if "momentum" in one else one["betas"][0]
        lines.append("%.15g %.15g %.15g" % (one["lr"], two["lr"], momentum))
        if i < 13:
            opt.step()
            schedule.step(metric(i)) if metric else schedule.step()
    print(name + ": " + "; ".join(lines))


show("StepLR", lambda o: S.StepLR(o, step_size=3, gamma=0.5))
show("MultiStepLR", lambda o: S.MultiStepLR(o, milestones=[2, 4, 4, 7]))
show("ConstantLR", lambda o: S.ConstantLR(o, factor=0.5, total_iters=4))
show("LinearLR", lambda o: S.LinearLR(o, start_factor=0.2, end_factor=0.9, total_iters=6))
show("ExponentialLR", lambda o: S.ExponentialLR(o, gamma=0.9))
show("PolynomialLR", lambda o: S.PolynomialLR(o, total_iters=8, power=2.0))
show("CosineAnnealingLR", lambda o: S.CosineAnnealingLR(o, T_max=5, eta_min=0.01))
show("LambdaLR", lambda o: S.LambdaLR(o, lambda epoch: 0.95 ** epoch))
show("MultiplicativeLR", lambda o: S.MultiplicativeLR(o, lambda epoch: 0.95))
show("CosineAnnealingWarmRestarts", lambda o: S.CosineAnnealingWarmRestarts(o, T_0=3, T_mult=2, eta_min=0.001))
show("CyclicLR triangular", lambda o: S.CyclicLR(o, 0.01, 0.1, 3, 4))
show("CyclicLR triangular2", lambda o: S.CyclicLR(o, 0.01, [0.1, 0.2], 3, mode="triangular2"))
show("CyclicLR exp_range", lambda o: S.CyclicLR(o, 0.01, 0.1, 3, mode="exp_range", gamma=0.9))
show("OneCycleLR", lambda o: S.OneCycleLR(o, max_lr=0.3, total_steps=14))
show("OneCycleLR three phases", lambda o: S.OneCycleLR(o, max_lr=0.3, epochs=2, steps_per_epoch=7,
                                                       anneal_strategy="linear", three_phase=True))
show("OneCycleLR with Adam", lambda o: S.OneCycleLR(o, max_lr=0.3, total_steps=14), adam)
show("ReduceLROnPlateau", lambda o: S.ReduceLROnPlateau(o, patience=2, cooldown=1), sgd,
     lambda i: max(1 - i * 0.3, 0.2))
show("SequentialLR", lambda o: S.SequentialLR(o, [S.ConstantLR(o, 0.1, 20), S.ExponentialLR(o, 0.9), S.StepLR(o, 2)],
                                              milestones=[4, 8]))
show("ChainedScheduler", lambda o: S.ChainedScheduler([S.ConstantLR(o, 0.1, 5), S.ExponentialLR(o, 0.9)]))
