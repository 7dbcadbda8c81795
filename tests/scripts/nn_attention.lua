-- Attention and transformers: values, gradients, refusals; the .out file is what tests/oracle/nn_attention.py prints.
local function numbers(t)
    local words = {}
    for i, v in ipairs(t:flatten():tolist()) do words[i] = ("%.3g"):format(v + 0.0) end
    return table.concat(words, " ")
end
local function node(t) return (tostring(t.grad_fn):match("%w+")) end
local function try(f) local ok, e = pcall(f) print(ok and "ok" or (tostring(e):gsub("^[^:]*:%d+: ",""))) end
local S=F.scaled_dot_product_attention
torch.manual_seed(0)
local q,k,v=torch.randn(1,4,3,4),torch.randn(1,2,5,4),torch.randn(1,2,5,4)
local m=torch.randn(3,5):gt(0) m[1]=false
print(numbers(S(q,k,v,enable_gqa=true)))
local two=torch.tensor{0,0,1,1} k,v=k:index_select(1,two),v:index_select(1,two)
print(numbers(S(q,k,v)))
print(numbers(S(q,k,v,m)))
print(numbers(S(q,k,v,is_causal=true)))
print(numbers(S(q,k,v,scale=0.3)))
print(numbers(S(q,k,v,m,0.5)))
print(numbers(S(q,k,v,m:float())))
local x=q:clone():requires_grad_() S(x,k,v,m):pow(2):sum():backward() print(numbers(x.grad))
local r=torch.randn
try(function() S(q,q:double(),q) end)
try(function() S(r(3),r(3),r(3)) end)
try(function() S(r(1,2,3,4),r(1,2,3,4),r(1,2,3,4),torch.zeros(2,2,{dtype=torch.bool})) end)
try(function() S(r(1,2,3,4),r(1,2,3,4),r(1,2,3,4),torch.zeros(3,3,{dtype=torch.int32})) end)
try(function() S(r(1,3,3,4),r(1,2,3,4),r(1,2,3,4),enable_gqa=true) end)
local function mha(make, opts, kd, vd, unb)
  torch.manual_seed(0)
  local m = make()
  print(m)
  for k,p in pairs(m:state_dict()) do print(k,p.shape,numbers(p:flatten():narrow(0,0,2))) end
  torch.manual_seed(1)
  local q,k,v
  if unb then q,k,v=r(3,8):requires_grad_(),r(4,kd or 8),r(4,vd or 8) else q,k,v=r(3,2,8):requires_grad_(),r(4,2,kd or 8),r(4,2,vd or 8) end
  if m.batch_first then k=k:rep(1,1,1):narrow(0,0,3) v=v:narrow(0,0,3) end
  for _,o in ipairs(opts) do
    local y,w
    if next(o) then y,w=m(q,k,v,o) else y,w=m(q,k,v) end
    print(numbers(y)) print(node(y), w and numbers(w), w and node(w))
  end
  q.grad=nil
  if not unb and kd==nil then local y=m(q,q,q) do y:pow(2):sum():backward() print(numbers(q.grad)) end end
end
local am=torch.tensor{{0.,1.,-1.,0.},{0.5,0.,0.,0.},{0.,0.,0.,-2.}}
local kp=torch.tensor{{false,false,true,false},{false,true,false,false}}
mha(function() return nn.MultiheadAttention(8,2) end, {{need_weights=true},{need_weights=false},{average_attn_weights=false},{attn_mask=am},{attn_mask=am,need_weights=false},{key_padding_mask=kp},{key_padding_mask=kp,attn_mask=am:lt(0),need_weights=false}})
mha(function() return nn.MultiheadAttention(8,2,dropout=0.5,bias=false,add_bias_kv=true,add_zero_attn=true) end, {{need_weights=true},{attn_mask=am:lt(0),key_padding_mask=kp}})
mha(function() return nn.MultiheadAttention(8,4,kdim=5,vdim=6,batch_first=false):eval() end, {{need_weights=true}},5,6) 
mha(function() return nn.MultiheadAttention(8,2,batch_first=true) end, {{need_weights=true}})
mha(function() return nn.MultiheadAttention(8,2) end, {{need_weights=true},{need_weights=false}},nil,nil,true)
try(function() nn.MultiheadAttention(8,3) end)
try(function() nn.MultiheadAttention(8,0) end)
local m=nn.MultiheadAttention(8,2)
try(function() m(r(3,2,8),r(3,8),r(3,8)) end)
try(function() m(r(3,2,6),r(3,2,6),r(3,2,6)) end)
try(function() m(r(3,2,8),r(3,2,8),r(4,2,8)) end)
try(function() m(r(3,2,8),r(4,2,8),r(4,2,8),attn_mask=r(3,3)) end)
try(function() m(r(3,2,8),r(4,2,8),r(4,2,8),is_causal=true) end)
try(function() m(r(3,2,8),r(4,2,8),r(4,2,8),key_padding_mask=torch.zeros(2,3,dtype=torch.bool)) end)
try(function() m(r(3,2,8),r(4,2,8),r(4,2,8),key_padding_mask=torch.zeros(2,4,dtype=torch.int64)) end)
local function tf(make, f)
  torch.manual_seed(0)
  local m=make() print(m)
  for k,p in pairs(m:state_dict()) do print(k,p.shape,numbers(p:flatten():narrow(0,0,2))) end
  torch.manual_seed(1)
  local y=f(m) print(numbers(y)) y:pow(3):sum():backward()
  for k,p in m:named_parameters() do print(k,numbers(p.grad:flatten():narrow(0,0,2))) end
end
local c=nn.Transformer.generate_square_subsequent_mask(3) print(c)
tf(function() return nn.TransformerEncoder(nn.TransformerEncoderLayer(8,2,16),2,nn.LayerNorm(8)) end, function(m) return m(r(3,2,8),mask=c) end)
tf(function() return nn.TransformerEncoderLayer(8,2,16,norm_first=true,batch_first=true,activation="gelu",bias=false) end, function(m) return m(r(2,3,8),src_key_padding_mask=torch.tensor{{false,false,true},{false,true,true}}) end)
tf(function() return nn.TransformerDecoder(nn.TransformerDecoderLayer(8,2,16,dropout=0),2) end, function(m) return m(r(3,2,8),r(4,2,8),tgt_mask=c) end)
tf(function() return nn.TransformerDecoderLayer(8,2,16,norm_first=true,activation=nn.Tanh()) end, function(m) return m(r(3,2,8),r(4,2,8)) end)
tf(function() return nn.Transformer(8,2,1,2,16) end, function(m) return m(r(4,2,8),r(3,2,8),tgt_mask=c) end)
