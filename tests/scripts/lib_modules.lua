-- Modules: initial values, outputs and gradients after a seed; the .out file is what tests/oracle/lib_modules.py prints.
local function numbers(t)
    local words = {}
    for i, v in ipairs(t:flatten():tolist()) do words[i] = ("%.3g"):format(v + 0.0) end
    return table.concat(words, " ")
end

-- The module, its values after seed 0, and the gradient of what goes through it.
local function show(make, size)
    torch.manual_seed(0)
    local module = make()
    print(module)
    for name, p in pairs(module:state_dict()) do print("  " .. name, p.shape, numbers(p)) end
    torch.manual_seed(1)
    local x = (torch.randn(table.unpack(size or {4, 6})) * 1.5):requires_grad_()
    local y = module(module.inplace and x * 1 or x)
    print("  y", numbers(y))
    y:pow(3):sum():backward()
    print("  dx", numbers(x.grad))
end

show(function() return nn.Linear(6, 3) end)
show(function() return nn.Linear(6, 2, bias=false) end)
show(function() return nn.Identity() end)
for _, name in ipairs {"ReLU", "ReLU6", "SELU", "SiLU", "Mish", "Hardswish", "Hardsigmoid", "LeakyReLU", "ELU", "CELU", "Hardtanh",
    "Softplus", "GELU", "GLU", "Sigmoid", "Tanh", "LogSigmoid", "Softsign", "Tanhshrink", "Hardshrink", "Softshrink", "PReLU"} do
    show(function() return nn[name]() end)
end
show(function() return nn.LeakyReLU(0.2, true) end, {3})
show(function() return nn.ELU(alpha=0.5) end, {3})
show(function() return nn.Softplus(beta=2, threshold=1) end, {3})
show(function() return nn.Threshold(0.1, 20) end, {5})
show(function() return nn.Hardtanh(-2, 0.5) end, {5})
show(function() return nn.GELU(approximate="tanh") end, {5})
show(function() return nn.PReLU(3) end, {2, 3})
show(function() return nn.Dropout(0.3) end)
show(function() return nn.Dropout2d(0.5) end, {2, 3, 2, 2})
show(function() return nn.AlphaDropout(0.3) end)
show(function() return nn.Dropout(0.3):eval() end, {3})
show(function() return nn.Flatten() end, {2, 3, 2})
show(function() return nn.Unflatten(1, {2, 3}) end)
show(function() return nn.Sequential(nn.Linear(6, 4), nn.Tanh(), nn.Sequential(nn.Linear(4, 2), nn.ReLU())) end)
show(function() return nn.ModuleList({nn.Linear(6, 6), nn.Linear(6, 6), nn.ReLU()})[1] end)
print(nn.ModuleList({nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU()}))
print(nn.ModuleDict({{"first", nn.Linear(2, 2)}, {"act", nn.PReLU()}}))
print(nn.ParameterList({torch.ones(2, 3), torch.ones(1)}))
show(function() return nn.LayerNorm(6) end)
show(function() return nn.LayerNorm({2, 3}, eps=0.1, elementwise_affine=false) end, {2, 2, 3})
show(function() return nn.LayerNorm(3, bias=false) end, {2, 3})
show(function() return nn.RMSNorm({2, 3}, eps=0.01) end, {2, 2, 3})
show(function() return nn.RMSNorm(3, elementwise_affine=false) end, {2, 3})

-- Embeddings look rows up; the gradient is the table's.
local function look_up(make)
    torch.manual_seed(0)
    local table_of_rows = make()
    local y = table_of_rows(torch.tensor({{1, 2}, {1, 4}}))
    print(table_of_rows)
    print("  y", y.shape, numbers(y))
    if not table_of_rows.weight.requires_grad then return end
    y:pow(3):sum():backward()
    print("  dw", numbers(table_of_rows.weight.grad))
end
look_up(function() return nn.Embedding(5, 3) end)
look_up(function() return nn.Embedding(5, 3, padding_idx=-1) end)
look_up(function() return nn.Embedding(5, 3, max_norm=1.0) end)
look_up(function() return nn.Embedding.from_pretrained(torch.arange(10.):view(5, 2)) end)
