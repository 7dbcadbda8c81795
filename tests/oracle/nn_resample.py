#!/usr/bin/env python3
"""Resampling: ATEN_CPU_CAPABILITY=default python3 -W ignore nn_resample.py > tests/scripts/nn_resample.out"""
import torch; from torch import nn; import torch.nn.functional as F
def numbers(t): return " ".join("%.3g"%(v+0.0) for v in t.flatten().tolist())
def t(f):
    try: f(); print("ok")
    except Exception as e: print(type(e).__name__+": "+str(e))
def show(shape,**o):
    torch.manual_seed(0)
    x=torch.randn(*shape).requires_grad_(); y=F.interpolate(x,**o); g=torch.randn(y.shape); y.backward(g)
    print(o['mode'],y.shape,numbers(y),sep="\t"); print(y.grad_fn.name(),numbers(x.grad),sep="\t")
shapes=[0,(1,2,5),(1,2,4,3),(1,1,2,3,2)]; sz=[0,(7,),(3,5),(3,2,4)]
for m in ["nearest","nearest-exact"]:
    for d in (1,2,3):
        show(shapes[d],mode=m,scale_factor=2); show(shapes[d],mode=m,scale_factor=0.6); show(shapes[d],mode=m,size=sz[d])
for d,m in [(1,"linear"),(2,"bilinear"),(3,"trilinear"),(2,"bicubic")]:
    for al in (True,False):
        show(shapes[d],mode=m,scale_factor=2,align_corners=al); show(shapes[d],mode=m,scale_factor=1.7,align_corners=al); show(shapes[d],mode=m,scale_factor=1.7,align_corners=al,recompute_scale_factor=True); show(shapes[d],mode=m,align_corners=al,size=sz[d])
x,x3=torch.randn(1,2,4,4),torch.randn(1,2,4)
t(lambda:F.interpolate(x,scale_factor=2,mode='linear'))
t(lambda:F.interpolate(x3,scale_factor=2,mode='bilinear'))
t(lambda:F.interpolate(x,mode='bilinear'))
t(lambda:F.interpolate(x,size=3,scale_factor=2))
t(lambda:F.interpolate(x,size=(3,3,3)))
t(lambda:F.interpolate(x,size=0))
t(lambda:F.interpolate(x,scale_factor=2,align_corners=True))
t(lambda:F.interpolate(x,scale_factor=2,mode='foo'))
t(lambda:F.interpolate(torch.randn(3,3),scale_factor=2))
t(lambda:F.interpolate(x.long(),scale_factor=2,mode='bilinear'))
t(lambda:F.interpolate(x.long(),scale_factor=2))
print(F.interpolate(torch.arange(4,dtype=torch.uint8).view(1,1,4),scale_factor=2))
print(nn.Upsample(scale_factor=2,mode="bilinear"),nn.Upsample(size=(3,4)),nn.UpsamplingNearest2d(scale_factor=2),nn.UpsamplingBilinear2d((3,3)),sep="\t")
