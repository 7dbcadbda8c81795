-- The CTC loss and bags of embeddings: values, gradients, refusals; the .out file is what tests/oracle/nn_bags.py prints.
local function numbers(t)
    local words = {}
    for i, v in ipairs(t:flatten():tolist()) do words[i] = ("%.3g"):format(v + 0.0) end
    return table.concat(words, " ")
end
local function try(f) local ok, e = pcall(f) print(ok and "ok" or (tostring(e):gsub("^[^:]*:%d+: ",""))) end
local function node(t) return (tostring(t.grad_fn):match("%w+")) end
local c=F.ctc_loss
local T12=torch.tensor{{1,2},{3,1}}
local function ctc(targets, il, tl, o)
  torch.manual_seed(0)
  local lp=torch.randn(5,2,4):requires_grad_()
  local y=c(lp:log_softmax(2),targets,il,tl,o)
  print(y.shape, numbers(y), node(y))
  y:sum():backward() print(numbers(lp.grad))
end
ctc(T12,torch.tensor{5,4},torch.tensor{2,1},{reduction="none"})
ctc(T12,{5,4},{2,1},{blank=0})
ctc(T12,{5,3},{2,0},{reduction="sum",blank=1})
ctc(torch.tensor{1,1,3},{5,4},{2,1},{blank=0})
ctc(T12,{1,4},{2,1},{reduction="none",zero_infinity=true})
ctc(T12:float(),{5,4},{2,1},{blank=0})
local L=torch.randn(5,2,4):log_softmax(2)
try(function() c(L,T12,{6,4},{2,1})end)
try(function() c(L,T12,{5,4,3},{2,1})end)
try(function() c(L,T12,{5,4},{2})end)
try(function() c(L,T12,{5,4},{3,1})end)
try(function() c(L,T12,{5,-1},{2,1})end)
try(function() c(L,T12,{5,4},{2,-1})end)
try(function() c(L,T12,{5,4},{2,1},blank=4)end)
try(function() c(L,torch.tensor{1,2,3,1},{5,4},{2,1})end)
try(function() local l=L:detach():requires_grad_() local y=c(l,T12,{5,4},{2,1}) local g=torch.autograd.grad(y,{l},create_graph=true)[1] torch.autograd.grad(g:pow(2):sum(),{l}) end)
torch.manual_seed(0) L=torch.randn(5,4):log_softmax(1)
print(numbers(c(L,torch.tensor{1,2},5,2)), numbers(c(L,torch.tensor{1,2},torch.tensor(5),torch.tensor(2),reduction="none")), c(L,torch.tensor{1,2},torch.tensor(5),torch.tensor(2),reduction="none").shape)
print(nn.CTCLoss(), numbers(nn.CTCLoss(reduction="sum")(L,torch.tensor{1,2},5,2)))
local E=F.embedding_bag
local function bag(input, offsets, o)
  torch.manual_seed(0)
  local w=torch.randn(10,3):requires_grad_()
  local f=o.per_sample_weights
  if f then f:requires_grad_() f.grad=nil end
  local y=E(input,w,offsets,o)
  print(o.mode,y.shape,numbers(y),node(y))
  y:pow(2):sum():backward() print(numbers(w.grad), f and numbers(f.grad) or "")
end
local I=torch.tensor{1,2,4,5,4,3,2,9}
for _,m in ipairs{"sum","mean","max"} do
 bag(I,torch.tensor{0,4},{mode=m}) bag(I,torch.tensor{0,4,4},{mode=m}) bag(I:view(2,4),nil,{mode=m}) bag(I,torch.tensor{0,4,8},{mode=m,include_last_offset=true}) bag(I,torch.tensor{0,4,7},{mode=m,padding_idx=2})
 bag(I,torch.tensor{0,4},{mode=m,max_norm=1.0})
end
bag(I,torch.tensor{0,3},{mode="sum",per_sample_weights=torch.linspace(0.1,2,8)})
bag(I:view(2,4),nil,{mode="sum",per_sample_weights=torch.linspace(0.1,2,8):view(2,4),padding_idx=4})
local w=torch.randn(10,3)
try(function() E(torch.tensor{{1,2},{3,4}},w,torch.tensor{0})end)
try(function() E(torch.tensor{1,2},w)end)
try(function() E(torch.tensor{1,2},w,torch.tensor{{0}})end)
try(function() E(torch.tensor{{{1,2}}},w)end)
try(function() E(torch.tensor{1,2},w,torch.tensor{0},mode='mean',per_sample_weights=torch.ones(2))end)
try(function() E(torch.tensor{1,2},w,torch.tensor{0},mode='sum',per_sample_weights=torch.ones(3))end)
try(function() E(torch.tensor{1,20},w,torch.tensor{0})end)
try(function() E(torch.tensor{1,2},w,torch.tensor{0},mode='foo')end)
torch.manual_seed(0)
print(nn.EmbeddingBag(10,3), nn.EmbeddingBag(10,3,max_norm=1,mode='sum',padding_idx=-1), numbers(nn.EmbeddingBag(4,2,padding_idx=1).weight))
torch.manual_seed(0) local e=nn.Embedding(10,3,scale_grad_by_freq=true,padding_idx=1) local y=e(torch.tensor{{1,2,2},{4,2,4}}) y:pow(2):sum():backward() print(numbers(e.weight.grad))
torch.manual_seed(0) e=nn.Embedding(10,3,max_norm=0.5) y=e(torch.tensor{{1,2,2},{4,2,4}}) print(numbers(y), numbers(e.weight))
