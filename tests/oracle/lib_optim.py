#!/usr/bin/env python3
"""Twenty steps of every optimizer: ATEN_CPU_CAPABILITY=default python3 lib_optim.py > tests/scripts/lib_optim.out"""
import torch

CASES = [
    ("SGD", dict(lr=0.1)), ("SGD", dict(lr=0.1, momentum=0.9)),
    ("SGD", dict(lr=0.1, momentum=0.9, dampening=0.3, weight_decay=0.01)),
    ("SGD", dict(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1)), ("SGD", dict(lr=0.01, maximize=True)),
    ("Adam", dict(lr=0.01)), ("Adam", dict(lr=0.01, amsgrad=True, weight_decay=0.1)),
    ("Adam", dict(lr=0.01, betas=(0.4, 0.9), maximize=True)),
    ("AdamW", dict(lr=0.01)), ("AdamW", dict(lr=0.01, amsgrad=True)), ("Adamax", dict(lr=0.002)),
    ("Adamax", dict(lr=0.01, weight_decay=0.1)), ("NAdam", dict(lr=0.002)),
    ("NAdam", dict(lr=0.01, weight_decay=0.1, decoupled_weight_decay=True)), ("RAdam", dict(lr=0.1)),
    ("RAdam", dict(lr=0.1, weight_decay=0.1, decoupled_weight_decay=True)), ("RMSprop", dict(lr=0.01)),
    ("RMSprop", dict(lr=0.01, centered=True)), ("RMSprop", dict(lr=0.01, momentum=0.9, weight_decay=0.1)),
    ("Adagrad", dict(lr=0.1)),
    ("Adagrad", dict(lr=0.1, lr_decay=0.1, weight_decay=0.1, initial_accumulator_value=0.5)),
    ("Adadelta", dict(lr=1.0)), ("Adadelta", dict(lr=0.5, rho=0.8, weight_decay=0.1)), ("Rprop", dict(lr=0.01)),
    ("ASGD", dict(lr=0.01)), ("ASGD", dict(lr=0.05, lambd=0.01, t0=5, weight_decay=0.1)),
    ("SGD", dict(lr=0.1, momentum=0.5, foreach=True)), ("SGD", dict(lr=0.1, fused=True)),
    ("Adam", dict(lr=0.01, eps=0.001, weight_decay=0.1, decoupled_weight_decay=True)),
    ("Adam", dict(lr=0.01, foreach=False)), ("Adam", dict(lr=0.01, fused=True)),
    ("AdamW", dict(lr=0.01, betas=(0.5, 0.6), eps=0.01, weight_decay=0.3, maximize=True)),
    ("Adamax", dict(lr=0.01, betas=(0.5, 0.6), eps=0.01, maximize=True)),
    ("NAdam", dict(lr=0.01, betas=(0.5, 0.6), eps=0.01, momentum_decay=0.02, weight_decay=0.1, maximize=True)),
    ("RAdam", dict(lr=0.05, betas=(0.5, 0.6), eps=0.01, weight_decay=0.1, maximize=True)),
    ("RMSprop", dict(lr=0.01, alpha=0.8, eps=0.01, centered=True, momentum=0.5, maximize=True)),
    ("Adagrad", dict(lr=0.1, eps=0.01, maximize=True)), ("Adadelta", dict(lr=1.0, eps=0.01, maximize=True)),
    ("Rprop", dict(lr=0.05, etas=(0.4, 1.5), step_sizes=(0.001, 0.1), maximize=True)),
    ("ASGD", dict(lr=0.05, alpha=0.5, maximize=True)),
    ("Adafactor", dict()), ("Adafactor", dict(lr=0.1, beta2_decay=-0.5, eps=(0.01, 0.01), d=2.0, weight_decay=0.1)),
    ("Adafactor", dict(lr=0.05, maximize=True)),
    ("LBFGS", dict(lr=0.5, max_iter=3)), ("LBFGS", dict(line_search_fn="strong_wolfe", max_iter=2, history_size=2)),
]


def numbers(t, digits):
    return " ".join("%.*g" % (digits, v) for v in t.flatten().tolist())


for name, options in CASES:
    torch.manual_seed(0)
    w, b = torch.randn(4, 3, requires_grad=True), torch.randn(3, requires_grad=True)
    x, y = torch.randn(4, 3), torch.randn(4, 3)
    opt = getattr(torch.optim, name)([w, b], **options)

    def closure():
        loss = ((w * x - y) * (w * x - y) * 0.2).sum() + ((b * b - 0.3) * b).sum() * 0.01
        opt.zero_grad()
        loss.backward()
        return loss

    for _ in range(2 if name == "LBFGS" else 20):
        opt.step(closure)
    print(opt)
    digits = 4 if name == "LBFGS" else 6
    print(numbers(w, digits) + "\t" + numbers(b, digits))
