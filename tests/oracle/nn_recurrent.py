#!/usr/bin/env python3
"""Recurrent layers after a seed: ATEN_CPU_CAPABILITY=default python3 -W ignore nn_recurrent.py >
tests/scripts/nn_recurrent.out"""
import torch; from torch import nn
def numbers(t): return " ".join("%.3g"%(v+0.0) for v in t.flatten().tolist())
for n,kw in [("RNN",{}), ("RNN",dict(nonlinearity="relu",bias=False)), ("LSTM",{}), ("GRU",{}),
  ("RNN",dict(num_layers=2,bidirectional=True)),("LSTM",dict(num_layers=2,bidirectional=True,dropout=0.5)),("GRU",dict(num_layers=3,batch_first=True,dropout=0.3)),
  ("LSTM",dict(proj_size=2,num_layers=2,bidirectional=True))]:
    torch.manual_seed(0)
    m=getattr(nn,n)(5,4,**kw)
    print(m)
    for k,p in m.state_dict().items(): print(k,p.shape,numbers(p.sum()),sep="\t")
    x=torch.randn(3,2,5).requires_grad_()
    y,h=m(x)
    if isinstance(h,tuple): h,c=h
    print(numbers(y)); print(numbers(h))
    y.pow(2).sum().backward()
    print(numbers(x.grad)); print(numbers(m.weight_hh_l0.grad))
def t(f):
    try: f(); print("ok")
    except Exception as e: print(type(e).__name__+": "+str(e))
l=nn.LSTM(3,4); r=torch.randn; z=torch.zeros
t(lambda:l(r(2,2)))
t(lambda:l(r(2,1,2,3)))
t(lambda:l(r(2,1,3),(z(1,2,4),z(1,1,4))))
t(lambda:l(r(2,1,3).double()))
t(lambda:l(r(2,1,3),(z(1,4),z(1,1,4))))
t(lambda:nn.RNN(3,4,nonlinearity="x"))
t(lambda:nn.GRU(3,4,proj_size=2))
t(lambda:nn.LSTM(3,4,proj_size=4))
t(lambda:nn.LSTM(3,4,dropout=2))
t(lambda:nn.LSTM(3,0))
t(lambda:nn.LSTM(3.5,1))
c=nn.LSTMCell(3,4)
t(lambda:c(r(2,4)))
t(lambda:c(r(2,3),(z(1,4),z(2,4))))
t(lambda:c(r(2,3),(z(2,3),z(2,4))))
t(lambda:c(r(1,2,3)))
for name in ["RNNCell", "LSTMCell", "GRUCell"]:
    torch.manual_seed(0)
    cell = getattr(nn, name)(3, 4)
    x = torch.randn(2, 3).requires_grad_()
    y = cell(x)
    h, c = y if isinstance(y, tuple) else (y, None)
    h.pow(2).sum().backward()
    print(cell, numbers(h), "" if c is None else numbers(c), numbers(x.grad), sep="\t")
    y = cell(torch.randn(3))
    print((y[0] if isinstance(y, tuple) else y).shape)
print(nn.RNNCell(3, 4, nonlinearity="relu"), nn.GRUCell(3, 4, False), sep="\t")
