-- Recurrent layers: values, gradients, refusals; the .out file is what tests/oracle/nn_recurrent.py prints.
local function numbers(t)
    local words = {}
    for i, v in ipairs(t:flatten():tolist()) do words[i] = ("%.3g"):format(v + 0.0) end
    return table.concat(words, " ")
end
for _, c in ipairs{{"RNN",{}}, {"RNN",{nonlinearity="relu",bias=false}}, {"LSTM",{}}, {"GRU",{}},
  {"RNN",{num_layers=2,bidirectional=true}},{"LSTM",{num_layers=2,bidirectional=true,dropout=0.5}},{"GRU",{num_layers=3,batch_first=true,dropout=0.3}},
  {"LSTM",{proj_size=2,num_layers=2,bidirectional=true}}} do
  torch.manual_seed(0)
  local m = next(c[2]) and nn[c[1]](5, 4, c[2]) or nn[c[1]](5, 4)
  print(m)
  for k,p in pairs(m:state_dict()) do print(k,p.shape, numbers(p:sum())) end
  local x = torch.randn(3,2,5):requires_grad_()
  local y,h = m(x)
  if type(h)=="table" then h,c=h[1],h[2] end
  print(numbers(y)); print(numbers(h));
  y:pow(2):sum():backward()
  print(numbers(x.grad))
  print(numbers(m.weight_hh_l0.grad))
end
local function try(f) local ok, e = pcall(f) print(ok and "ok" or (tostring(e):gsub("^[^:]*:%d+: ", ""))) end
local l = nn.LSTM(3, 4)
try(function() l(torch.randn(2,2)) end)
try(function() l(torch.randn(2,1,2,3)) end)
try(function() l(torch.randn(2,1,3), {torch.zeros(1,2,4), torch.zeros(1,1,4)}) end)
try(function() l(torch.randn(2,1,3):double()) end)
try(function() l(torch.randn(2,1,3), {torch.zeros(1,4), torch.zeros(1,1,4)}) end)
try(function() nn.RNN(3,4,{nonlinearity="x"}) end)
try(function() nn.GRU(3,4,{proj_size=2}) end)
try(function() nn.LSTM(3,4,{proj_size=4}) end)
try(function() nn.LSTM(3,4,{dropout=2}) end)
try(function() nn.LSTM(3,0) end)
try(function() nn.LSTM(3.5,1) end)
local c = nn.LSTMCell(3,4)
try(function() c(torch.randn(2,4)) end)
try(function() c(torch.randn(2,3),{torch.zeros(1,4),torch.zeros(2,4)}) end)
try(function() c(torch.randn(2,3),{torch.zeros(2,3),torch.zeros(2,4)}) end)
try(function() c(torch.randn(1,2,3)) end)
for _, name in ipairs {"RNNCell", "LSTMCell", "GRUCell"} do
    torch.manual_seed(0)
    local cell = nn[name](3, 4)
    local x = torch.randn(2, 3):requires_grad_()
    local h, c = cell(x)
    h:pow(2):sum():backward()
    print(cell, numbers(h), c and numbers(c) or "", numbers(x.grad))
    print(cell(torch.randn(3)).shape)
end
print(nn.RNNCell(3, 4, nonlinearity="relu"), nn.GRUCell(3, 4, false))
