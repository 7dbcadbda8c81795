#!/usr/bin/env python3
"""State, names and refusals of modules: python3 nn_state.py > tests/scripts/nn_state.out"""
import torch; from torch import nn
def t(f):
    try: f(); print("ok")
    except Exception as e: print(type(e).__name__+": "+str(e))
class Net(nn.Module):
    def __init__(self):
        super().__init__(); self.fc=nn.Linear(2,3); self.act=nn.ReLU(); self.sub=nn.Sequential(nn.Linear(3,1,bias=False)); self.register_buffer("b",torch.ones(2)); self.register_buffer("t",torch.ones(1),persistent=False)
    def forward(self,x): return self.sub(self.act(self.fc(x)))
n=Net(); sd=n.state_dict()
print(*sd.keys(),""); print(*[k for k,_ in n.named_buffers()],""); print(*["'%s'"%k for k,_ in n.named_modules()],""); print(*[k for k,_ in n.named_children()],"")
s2=dict(sd); s2["fc.weight"]=torch.ones(4,2); s2["extra"]=torch.ones(1); del s2["fc.bias"]
t(lambda:n.load_state_dict(s2))
s2["fc.weight"]=torch.ones(3,2); print(n.load_state_dict(s2,False)); print(n.load_state_dict(n.state_dict()))
t(lambda:n.load_state_dict(3))
t(lambda:n.get_parameter("fc.foo")); t(lambda:n.get_parameter("foo.weight")); t(lambda:n.get_parameter("act")); t(lambda:n.get_submodule("sub.1")); t(lambda:n.get_submodule("fc.weight")); t(lambda:n.get_buffer("fc.weight"))
print(n.get_submodule("sub.0"),n.get_submodule(""),n.get_buffer("b"),sep="\t")
t(lambda:n.register_parameter("a.b",None)); t(lambda:n.register_parameter("fc",None)); t(lambda:n.register_buffer("fc",torch.ones(1))); t(lambda:n.register_buffer("x",3)); t(lambda:n.register_parameter("x",torch.ones(1))); t(lambda:n.add_module("x",3)); t(lambda:n.add_module("",nn.ReLU()))
t(lambda:setattr(n,"fc",3)); t(lambda:setattr(n.fc,"weight",torch.ones(1))); t(lambda:setattr(n,"b",3)); t(lambda:n.to(torch.int64)); t(lambda:n.train(3)); t(lambda:nn.Module()(1))
shared=nn.Linear(2,2); q=nn.Sequential(shared,shared); print(len(list(q.parameters())),len(list(q.modules())),sep="\t"); print(*q.state_dict().keys(),"")
n.fc=None; print(n)
