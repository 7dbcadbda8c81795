#!/usr/bin/env python3
"""structural_goldens.py - writes tests/engine/structural_goldens.h: structural ops in PyTorch, values and gradients.

Run with PyTorch 2.13: python3 tests/oracle/structural_goldens.py >tests/engine/structural_goldens.h
Each case is a C expression and its Python twin. P1(…), P2(…) are float64 leaves, V(…) constants, I(mod, …) int64,
B(…) bool, BD(…) the same as float64, U1(…) a P1 brought between 0 and 1; all hold the same simple sequences on both sides (test_structural.c has their C form)."""
import math

import torch
import torch.nn.functional as F

torch.set_num_threads(1)
inf = math.inf


def sequence(shape):
    n = math.prod(shape)
    return torch.tensor([((i * 7 + 3) % 11 - 5) / 4 for i in range(n)], dtype=torch.float64).reshape(shape)


def I(mod, *shape):
    return torch.tensor([(i * 5 + 2) % mod for i in range(math.prod(shape))]).reshape(shape)


def B(*shape):
    return I(3, *shape) > 0


def BD(*shape):
    return B(*shape).double()


def V(*shape):
    return sequence(shape)


leaves = []


def leaf(slot, shape):
    t = sequence(shape) + slot / 8
    t.requires_grad_()
    leaves.append((slot, t))
    return t


def P1(*shape):
    return leaf(1, shape)


def P2(*shape):
    return leaf(2, shape)


def P3(*shape):
    return leaf(3, shape)


def U1(*shape):
    return P1(*shape).mul(0.125).add(0.5)

VALUES = """
op_mm(P1(2, 3), P2(3, 4)) | torch.mm(P1(2, 3), P2(3, 4))
op_mm(op_t(P1(30, 20)), op_t(P2(7, 30))) | torch.mm(P1(30, 20).t(), P2(7, 30).t())
op_mm(I(5, 3, 4), I(7, 4, 2)) | torch.mm(I(5, 3, 4), I(7, 4, 2))
op_mv(P1(2, 3), P2(3)) | torch.mv(P1(2, 3), P2(3))
op_dot(P1(5), P2(5)) | torch.dot(P1(5), P2(5))
op_bmm(P1(2, 3, 4), P2(2, 4, 5)) | torch.bmm(P1(2, 3, 4), P2(2, 4, 5))
op_addmm(P1(4), P2(2, 3), P3(3, 4), 0.5, -2) | torch.addmm(P1(4), P2(2, 3), P3(3, 4), beta=0.5, alpha=-2)
op_addmv(P1(2), P2(2, 3), P3(3), 2, 0.5) | torch.addmv(P1(2), P2(2, 3), P3(3), beta=2, alpha=0.5)
op_baddbmm(P1(5), P2(2, 3, 4), P3(2, 4, 5), 0.5, 2) | torch.baddbmm(P1(5), P2(2, 3, 4), P3(2, 4, 5), beta=0.5, alpha=2)
op_outer(P1(2), P2(3)) | torch.outer(P1(2), P2(3))
op_matmul(P1(3), P2(3, 2)) | torch.matmul(P1(3), P2(3, 2))
op_matmul(P1(5, 2, 3), P2(3, 4)) | torch.matmul(P1(5, 2, 3), P2(3, 4))
op_matmul(P1(2, 3), P2(5, 3, 2)) | torch.matmul(P1(2, 3), P2(5, 3, 2))
op_matmul(P1(2, 1, 2, 3), P2(4, 3, 2)) | torch.matmul(P1(2, 1, 2, 3), P2(4, 3, 2))
op_matmul(P1(3), P2(2, 3, 2)) | torch.matmul(P1(3), P2(2, 3, 2))
op_linear(P1(2, 3), P2(4, 3), P3(4)) | F.linear(P1(2, 3), P2(4, 3), P3(4))
op_linear(P1(5, 2, 3), P2(4, 3), P3(4)) | F.linear(P1(5, 2, 3), P2(4, 3), P3(4))
op_linear(P1(5, 2, 3), P2(4, 3), NULL) | F.linear(P1(5, 2, 3), P2(4, 3))
op_kron(P1(2, 2), P2(3, 2)) | torch.kron(P1(2, 2), P2(3, 2))
op_trace(P1(3, 4)) | torch.trace(P1(3, 4))
op_index(P1(4, 3), LIST(I(4, 5))) | P1(4, 3)[I(4, 5)]
op_index(P1(3, 4), LIST(NULL, I(4, 2, 2))) | P1(3, 4)[:, I(4, 2, 2)]
op_index(P1(3, 2, 4), LIST(I(3, 5), NULL, I(4, 5))) | P1(3, 2, 4)[I(3, 5), :, I(4, 5)]
op_index(P1(3, 4), LIST(B(3, 4))) | P1(3, 4)[B(3, 4)]
op_index_put(P1(4, 3), LIST(I(2, 6)), P2(6, 3), true) | torch.index_put(P1(4, 3), (I(2, 6),), P2(6, 3), True)
op_index_put(P1(4, 3), LIST(B(4, 3)), P2(1), false) | torch.index_put(P1(4, 3), (B(4, 3),), P2(1))
op_gather(P1(3, 4), 1, I(4, 3, 6)) | torch.gather(P1(3, 4), 1, I(4, 3, 6))
op_scatter(P1(3, 4), 1, I(4, 3, 1), P2(3, 1)) | torch.scatter(P1(3, 4), 1, I(4, 3, 1), P2(3, 1))
op_scatter_add(P1(3, 4), 0, I(3, 5, 4), P2(5, 4)) | torch.scatter_add(P1(3, 4), 0, I(3, 5, 4), P2(5, 4))
op_scatter_reduce(P1(3, 4), 0, I(3, 5, 4), P2(5, 4), 3, true) | torch.scatter_reduce(P1(3, 4), 0, I(3, 5, 4), P2(5, 4), 'amax')
op_scatter_reduce(P1(3, 4), 0, I(3, 5, 4), P2(5, 4), 2, false) | torch.scatter_reduce(P1(3, 4), 0, I(3, 5, 4), P2(5, 4), 'mean', include_self=False)
op_index_select(P1(4, 3), 0, I(4, 6)) | torch.index_select(P1(4, 3), 0, I(4, 6))
op_index_add(P1(4, 3), 0, I(2, 5), P2(5, 3), -0.5) | torch.index_add(P1(4, 3), 0, I(2, 5), P2(5, 3), alpha=-0.5)
op_index_copy(P1(4, 3), 1, I(3, 2), P2(4, 2)) | torch.index_copy(P1(4, 3), 1, I(3, 2), P2(4, 2))
op_index_fill(P1(4, 3), 0, I(4, 2), num(2.5)) | torch.index_fill(P1(4, 3), 0, I(4, 2), 2.5)
op_take(P1(3, 4), I(12, 2, 3)) | torch.take(P1(3, 4), I(12, 2, 3))
op_embedding(I(5, 2, 4), P1(5, 3), 2) | F.embedding(I(5, 2, 4), P1(5, 3), 2)
op_repeat_interleave(P1(3, 2), I(3, 3), DIMS(0), -1) | torch.repeat_interleave(P1(3, 2), I(3, 3), 0)
op_masked_fill(P1(3, 4), B(4), num(-1)) | torch.masked_fill(P1(3, 4), B(4), -1)
op_masked_select(P1(3, 4), B(4)) | torch.masked_select(P1(3, 4), B(4))
op_masked_scatter(P1(3, 4), B(4), P2(3, 4)) | torch.masked_scatter(P1(3, 4), B(4), P2(3, 4))
op_nonzero(B(2, 3)) | torch.nonzero(B(2, 3))
op_one_hot(I(4, 3), -1) | F.one_hot(I(4, 3))
op_tril(P1(2, 3, 4), 1) | torch.tril(P1(2, 3, 4), 1)
op_triu(op_t(P1(4, 3)), -1) | torch.triu(P1(4, 3).t(), -1)
op_diag(P1(3), -1) | torch.diag(P1(3), -1)
op_diag_embed(P1(2, 3), 1, 0, 2) | torch.diag_embed(P1(2, 3), 1, 0, 2)
op_cat(LIST(P1(2, 3), P2(2, 1)), 1) | torch.cat([P1(2, 3), P2(2, 1)], 1)
op_max_dim(P1(3, 4), 1, false) | torch.max(P1(3, 4), 1)[0]
op_min_dim(P1(3, 4), 0, true) | torch.min(P1(3, 4), 0, True)[0]
op_max_all(P1(3, 6)) | torch.max(P1(3, 6))
op_argmax(V(3, 4), DIMS(1), false) | torch.argmax(V(3, 4), 1)
op_argmin(V(3, 4), NULL, false) | torch.argmin(V(3, 4))
op_sort(P1(3, 4), 0, true, false) | torch.sort(P1(3, 4), 0, True)[0]
op_argsort(V(2, 30), -1, false, true) | torch.argsort(V(2, 30), dim=-1, stable=True)
op_topk(P1(3, 4), 2, -1, true, true) | torch.topk(P1(3, 4), 2)[0]
op_kthvalue(P1(3, 4), 2, -1, false) | torch.kthvalue(P1(3, 4), 2)[0]
op_median_dim(P1(3, 4), 1, false) | torch.median(P1(3, 4), 1)[0]
op_median_all(P1(3, 3)) | torch.median(P1(3, 3))
op_mode(I(2, 3, 5), -1, false) | torch.mode(I(2, 3, 5))[0]
op_unique(I(4, 9), true, false, false, NULL) | torch.unique(I(4, 9))
op_cumsum(P1(3, 4), 0) | torch.cumsum(P1(3, 4), 0)
op_cumprod(P1(3, 4), 1) | torch.cumprod(P1(3, 4), 1)
op_cumprod(V(3, 4), 1) | torch.cumprod(V(3, 4), 1)
op_logcumsumexp(P1(3, 4), 1) | torch.logcumsumexp(P1(3, 4), 1)
op_cummax(P1(3, 4), 1) | torch.cummax(P1(3, 4), 1)[0]
op_bincount(I(4, 9), V(9), 6) | torch.bincount(I(4, 9), V(9), 6)
op_histc(V(20), 5, -1, 1) | torch.histc(V(20), 5, -1, 1)
op_searchsorted(I(9, 1), V(5), false, false) | torch.searchsorted(I(9, 1), V(5))
op_isin(I(5, 6), I(3, 2), false, true) | torch.isin(I(5, 6), I(3, 2), invert=True)
op_softmax(P1(3, 4), 1) | torch.softmax(P1(3, 4), 1)
op_softmax(P1(2, 3, 4), 1) | torch.softmax(P1(2, 3, 4), 1)
op_softmax(P1(2, 40), 1) | torch.softmax(P1(2, 40), 1)
op_log_softmax(P1(3, 4), 0) | torch.log_softmax(P1(3, 4), 0)
op_log_softmax(P1(2, 40), 1) | torch.log_softmax(P1(2, 40), 1)
op_logsumexp(P1(3, 4), DIMS(1), false) | torch.logsumexp(P1(3, 4), 1)
op_nll_loss(P1(3, 4), I(4, 3), NULL, -100, 1) | F.nll_loss(P1(3, 4), I(4, 3))
op_nll_loss(P1(3, 4), I(4, 3), V(4), 2, 1) | F.nll_loss(P1(3, 4), I(4, 3), V(4), ignore_index=2)
op_nll_loss(P1(2, 3, 4), I(3, 2, 4), NULL, -100, 0) | F.nll_loss(P1(2, 3, 4), I(3, 2, 4), reduction='none')
op_cross_entropy(P1(3, 4), I(4, 3), NULL, -100, 1, 0) | F.cross_entropy(P1(3, 4), I(4, 3))
op_cross_entropy(P1(3, 4), I(4, 3), NULL, -100, 1, 0.1) | F.cross_entropy(P1(3, 4), I(4, 3), label_smoothing=0.1)
op_cross_entropy(P1(3, 4), P2(3, 4), NULL, -100, 1, 0) | F.cross_entropy(P1(3, 4), P2(3, 4))
op_mse_loss(P1(3, 4), P2(3, 4), 1) | F.mse_loss(P1(3, 4), P2(3, 4))
op_l1_loss(P1(3, 4), V(3, 4), 2) | F.l1_loss(P1(3, 4), V(3, 4), reduction='sum')
op_smooth_l1_loss(P1(3, 4), op_neg(V(3, 4)), 1, 0.5) | F.smooth_l1_loss(P1(3, 4), -V(3, 4), beta=0.5)
op_huber_loss(P1(3, 4), op_neg(V(3, 4)), 1, 0.5) | F.huber_loss(P1(3, 4), -V(3, 4), delta=0.5)
op_binary_cross_entropy(U1(3, 4), BD(3, 4), V(4), 1) | F.binary_cross_entropy(U1(3, 4), BD(3, 4), V(4))
op_binary_cross_entropy_with_logits(P1(3, 4), BD(3, 4), NULL, V(4), 1) | F.binary_cross_entropy_with_logits(P1(3, 4), BD(3, 4), pos_weight=V(4))
op_var(P1(3, 4), DIMS(1), 1, false) | torch.var(P1(3, 4), 1)
op_std(P1(2, 3, 4), DIMS(0, 2), 0, true) | torch.std(P1(2, 3, 4), (0, 2), correction=0, keepdim=True)
op_norm(P1(3, 4), 2, NULL, false) | torch.linalg.vector_norm(P1(3, 4))
op_norm(P1(3, 4), 3, DIMS(1), false) | torch.linalg.vector_norm(P1(3, 4), 3, 1)
op_norm(P1(3, 4), INFINITY, DIMS(0), false) | torch.linalg.vector_norm(P1(3, 4), inf, 0)
op_layer_norm(P1(3, 4), DIMS(4), P2(4), P3(4), 1e-5) | F.layer_norm(P1(3, 4), (4,), P2(4), P3(4))
op_prod(op_mul(P1(3, 4), B(3, 4)), DIMS(1), false) | torch.prod(P1(3, 4) * B(3, 4), 1)
op_amax(op_mul(P1(3, 4), B(3, 4)), DIMS(1), false) | torch.amax(P1(3, 4) * B(3, 4), 1)
"""

ERRORS = """
op_mm(V(2, 3), V(4, 5)) | torch.mm(V(2, 3), V(4, 5))
op_bmm(V(2, 3, 4), V(3, 4, 5)) | torch.bmm(V(2, 3, 4), V(3, 4, 5))
op_dot(V(2), V(3)) | torch.dot(V(2), V(3))
op_mv(V(2, 3), V(4)) | torch.mv(V(2, 3), V(4))
op_addmm(V(4), V(2, 3), V(3, 5), 1, 1) | torch.addmm(V(4), V(2, 3), V(3, 5))
op_matmul(V(5, 2, 3), V(4, 3, 2)) | torch.matmul(V(5, 2, 3), V(4, 3, 2))
op_index(V(3, 4), LIST(I(9, 2))) | V(3, 4)[I(9, 2)]
op_index(V(3, 4), LIST(I(2, 2), I(2, 3))) | V(3, 4)[I(2, 2), I(2, 3)]
op_index(V(3, 4), LIST(B(2))) | V(3, 4)[B(2)]
op_gather(V(3, 4), 0, I(9, 2, 2)) | torch.gather(V(3, 4), 0, I(9, 2, 2))
op_scatter(V(3, 4), 1, I(3, 1, 2), V(1, 1)) | torch.scatter(V(3, 4), 1, I(3, 1, 2), V(1, 1))
op_index_select(V(3, 4), 0, I(9, 2)) | torch.index_select(V(3, 4), 0, I(9, 2))
op_masked_select(V(3, 4), B(5)) | torch.masked_select(V(3, 4), B(5))
op_masked_fill(V(3, 4), V(4), num(1)) | torch.masked_fill(V(3, 4), V(4), 1.)
op_cat(LIST(V(2, 3), V(2, 4)), 0) | torch.cat([V(2, 3), V(2, 4)], 0)
op_max_dim(V(0, 4), 0, false) | torch.max(V(0, 4), 0)
op_max_all(V(0, 4)) | torch.max(V(0, 4))
op_topk(V(3, 4), 5, -1, true, true) | torch.topk(V(3, 4), 5)
op_softmax(I(3, 2, 2), 1) | torch.softmax(I(3, 2, 2), 1)
op_nll_loss(V(3, 4), I(9, 3), NULL, -100, 1) | F.nll_loss(V(3, 4), I(9, 3))
op_nll_loss(V(3, 4), I(4, 2), NULL, -100, 1) | F.nll_loss(V(3, 4), I(4, 2))
op_binary_cross_entropy(V(3, 4), V(3, 4), NULL, 1) | F.binary_cross_entropy(V(3, 4), V(3, 4))
op_var(I(3, 3), NULL, 1, false) | torch.var(I(3, 3))
op_one_hot(I(4, 3), 2) | F.one_hot(I(4, 3), 2)
"""


def numbers(tensors):
    flat = [v for t in tensors for v in t.detach().double().flatten().tolist()]
    return ', '.join(('%.12g' % v).replace('-inf', '-INFINITY') for v in flat)


def main():
    print('/* structural_goldens.h - values, gradients and errors from PyTorch', torch.__version__.split('+')[0], 'by tests/oracle/structural_goldens.py. */')
    for line in VALUES.strip().split('\n'):
        c, py = (s.strip() for s in line.split(' | '))
        leaves.clear()
        y = eval(py)
        parts, node = [y], ''
        if y.requires_grad:
            node = y.grad_fn.name()
            leaves.sort(key=lambda pair: pair[0])
            parts += torch.autograd.grad(y, [t for _, t in leaves], sequence(tuple(y.shape)))
        print(f'CASE({c}, "{node}", {numbers(parts)})')
    for line in ERRORS.strip().split('\n'):
        c, py = (s.strip() for s in line.split(' | '))
        try:
            eval(py)
        except Exception as e:
            text = str(e).split('\n')[0].replace('"', '\\"')
            print(f'ERROR_CASE({c}, "{type(e).__name__}", "{text}")')
        else:
            raise SystemExit('no error: ' + py)


main()
