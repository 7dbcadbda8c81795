-- Resampling: values, gradients, refusals; the .out file is what tests/oracle/nn_resample.py prints.
local function numbers(t)
    local words = {}
    for i, v in ipairs(t:flatten():tolist()) do words[i] = ("%.3g"):format(v + 0.0) end
    return table.concat(words, " ")
end
local function try(f) local ok, e = pcall(f) print(ok and "ok" or (tostring(e):gsub("^[^:]*:%d+: ",""))) end
local function show(size, o)
  torch.manual_seed(0)
  local x=torch.randn(table.unpack(size)):requires_grad_()
  local y=F.interpolate(x,o)
  local g=torch.randn(y.shape)
  y:backward(g)
  print(o.mode,y.shape,numbers(y)) print((tostring(y.grad_fn):match("%w+")),numbers(x.grad))
end
local shapes={{1,2,5},{1,2,4,3},{1,1,2,3,2}}
for _,m in ipairs{"nearest","nearest-exact"} do for d=1,3 do
 show(shapes[d],{mode=m,scale_factor=2}) show(shapes[d],{mode=m,scale_factor=0.6}) show(shapes[d],{mode=m,size=({{7},{3,5},{3,2,4}})[d]}) end end
for d,m in ipairs{"linear","bilinear","trilinear","bicubic"} do local k=d==4 and 2 or d
 for _,al in ipairs{true,false} do
 show(shapes[k],{mode=m,scale_factor=2,align_corners=al}) show(shapes[k],{mode=m,scale_factor=1.7,align_corners=al}) show(shapes[k],{mode=m,scale_factor=1.7,align_corners=al,recompute_scale_factor=true}) show(shapes[k],{mode=m,align_corners=al,size=({{7},{3,5},{3,2,4}})[k]}) end end
local x,x3=torch.randn(1,2,4,4),torch.randn(1,2,4)
try(function() F.interpolate(x,scale_factor=2,mode='linear') end)
try(function() F.interpolate(x3,scale_factor=2,mode='bilinear')end)
try(function() F.interpolate(x,mode='bilinear')end)
try(function() F.interpolate(x,size=3,scale_factor=2)end)
try(function() F.interpolate(x,size={3,3,3})end)
try(function() F.interpolate(x,size=0)end)
try(function() F.interpolate(x,scale_factor=2,align_corners=true)end)
try(function() F.interpolate(x,scale_factor=2,mode='foo')end)
try(function() F.interpolate(torch.randn(3,3),scale_factor=2)end)
try(function() F.interpolate(x:long(),scale_factor=2,mode='bilinear')end)
try(function() F.interpolate(x:long(),scale_factor=2)end)
print(F.interpolate(torch.arange(4,{dtype=torch.uint8}):view(1,1,4),scale_factor=2))
print(nn.Upsample(scale_factor=2,mode="bilinear"),nn.Upsample(size={3,4}),nn.UpsamplingNearest2d(scale_factor=2),nn.UpsamplingBilinear2d({3,3}))
