-- Tide's side of the benchmark: a worker of driver.lua (see there for the questions). cases.py says the same in PyTorch.
-- A case is a function that prepares and returns one(), which does the work once and returns its result.
local cases, order = {}, {}
local function case(name, prepare)
    cases[name] = prepare
    table.insert(order, name)
end

case("add_2", function()
    local a, b = torch.rand(2), torch.rand(2)
    return function() return a + b end
end)

case("add_2_with_grad", function()
    local a, b = torch.rand(2, {requires_grad = true}), torch.rand(2)
    return function() return a + b end
end)

case("mul_sum_backward_2", function()
    local a, b = torch.rand(2, {requires_grad = true}), torch.rand(2)
    return function()
        a.grad = nil
        local y = (a * b):sum()
        y:backward()
        return y
    end
end)

for _, n in ipairs {1000, 100000, 10000000} do
    case(("add_%d"):format(n), function()
        local a, b = torch.rand(n), torch.rand(n)
        return function() return a + b end
    end)
    case(("exp_%d"):format(n), function()
        local a = torch.rand(n)
        return function() return a:exp() end
    end)
    case(("sum_%d"):format(n), function()
        local a = torch.rand(n)
        return function() return a:sum() end
    end)
end

for _, n in ipairs {1000000, 16000000} do
    case(("BCE_chain_%d"):format(n), function()
        local y, s = torch.rand(n):round(), torch.rand(n) * 0.98 + 0.01
        return function()
            return -(1 / n) * (y * torch.log(s) + (1 - y) * torch.log(1 - s)):sum()
        end
    end)
end

for _, n in ipairs {16, 64, 128, 1024, 2048} do
    case(("matmul_%d"):format(n), function()
        local a, b = torch.rand(n, n), torch.rand(n, n)
        return function() return a:matmul(b) end
    end)
end

case("softmax_4000x1000", function()
    local a = torch.randn(4000, 1000)
    return function() return torch.softmax(a, 1) end
end)

local function mlp(sizes)
    local layers = {}
    for i = 1, #sizes - 1 do
        if i > 1 then table.insert(layers, nn.ReLU()) end
        table.insert(layers, nn.Linear(sizes[i], sizes[i + 1]))
    end
    return nn.Sequential(table.unpack(layers))
end

local function training_step(net, x, y, loss_function)
    local opt = optim.SGD(net:parameters(), {lr = 0.01})
    return function()
        local loss = loss_function(net(x), y)
        opt:zero_grad()
        loss:backward()
        opt:step()
        return loss
    end
end

local function classifier(sizes, batch)
    return function()
        local net = mlp(sizes)
        local x, y = torch.rand(batch, sizes[1]), torch.randint(0, sizes[#sizes], {batch})
        return training_step(net, x, y, F.cross_entropy)
    end
end

case("MLP_2-16-1_batch_64", function()
    return training_step(mlp {2, 16, 1}, torch.rand(64, 2), torch.rand(64, 1), F.mse_loss)
end)
case("MLP_784-128-10_batch_64", classifier({784, 128, 10}, 64))
case("MLP_784-200-200-10_batch_200", classifier({784, 200, 200, 10}, 200))
case("MLP_784-200-200-10_batch_16", classifier({784, 200, 200, 10}, 16))

case("Himmelblau_2000_Adam_steps", function()
    return function()
        local x = torch.zeros(2, {requires_grad = true})
        local opt, f = optim.Adam({x}, {lr = 1e-3}), nil
        for _ = 1, 2000 do
            f = (x[0] ^ 2 + x[1] - 11) ^ 2 + (x[0] + x[1] ^ 2 - 7) ^ 2
            opt:zero_grad()
            f:backward()
            opt:step()
        end
        return f
    end
end)

for _, sizes in ipairs {{1000, 1000}, {64, 64}} do
    local rows, columns = table.unpack(sizes)
    for _, name in ipairs {"softmax", "log_softmax"} do
        case(("%s_%dx%d"):format(name, rows, columns), function()
            local a = torch.randn(rows, columns)
            return function() return torch[name](a, 1) end
        end)
    end
end

-- A module's forward pass, and that with the gradients of its input and its parameters.
local function module(name, make, shape)
    case(name, function()
        local net, x = make(), torch.randn(shape)
        return function()
            return torch.no_grad(function() return net(x) end)
        end
    end)
    case(name .. "_backward", function()
        local net, x = make(), torch.randn(shape):requires_grad_()
        local g = torch.randn_like(net(x))
        return function()
            net:zero_grad()
            x.grad = nil
            net(x):backward(g)
            return x.grad
        end
    end)
end

module("conv2d_64x1x28x28_k5_16", function() return nn.Conv2d(1, 16, 5) end, {64, 1, 28, 28})
module("conv2d_32x32x28x28_k3_64", function() return nn.Conv2d(32, 64, 3) end, {32, 32, 28, 28})
module("conv2d_16x64x14x14_k3_p1_64", function() return nn.Conv2d(64, 64, 3, {padding = 1}) end,
    {16, 64, 14, 14})
module("conv2d_16x64x28x28_k1_64", function() return nn.Conv2d(64, 64, 1) end, {16, 64, 28, 28})
module("BatchNorm2d_32x32x28x28", function() return nn.BatchNorm2d(32) end, {32, 32, 28, 28})
module("LayerNorm_512x256", function() return nn.LayerNorm(256) end, {512, 256})
module("GroupNorm_32x32x28x28", function() return nn.GroupNorm(8, 32) end, {32, 32, 28, 28})
module("MaxPool2d_32x32x28x28", function() return nn.MaxPool2d(2) end, {32, 32, 28, 28})
module("AvgPool2d_32x32x28x28", function() return nn.AvgPool2d(2) end, {32, 32, 28, 28})
module("Dropout_1000000", function() return nn.Dropout(0.5) end, {1000000})

case("GRU_32x20x64", function()
    local net, x = nn.GRU(32, 64), torch.randn(20, 16, 32)
    return function()
        net:zero_grad()
        local y = net(x)
        y:sum():backward()
        return y
    end
end)

case("cross_entropy_1000x100_backward", function()
    local x, y = torch.randn(1000, 100, {requires_grad = true}), torch.randint(0, 100, {1000})
    return function()
        x.grad = nil
        local loss = F.cross_entropy(x, y)
        loss:backward()
        return loss
    end
end)

case("embedding_10000x64_backward", function()
    local w, i = torch.randn(10000, 64, {requires_grad = true}), torch.randint(0, 10000, {32, 50})
    return function()
        w.grad = nil
        F.embedding(i, w):sum():backward()
        return w.grad
    end
end)

case("cat_4x250000", function()
    local a = torch.rand(250, 1000)
    return function() return torch.cat({a, a, a, a}, 1) end
end)

case("sort_1000000", function()
    local a = torch.rand(1000000)
    return function() return (torch.sort(a)) end
end)

case("sort_1000x1000", function()
    local a = torch.rand(1000, 1000)
    return function() return (torch.sort(a)) end
end)

case("topk_1000x1000_5", function()
    local a = torch.rand(1000, 1000)
    return function() return (torch.topk(a, 5)) end
end)

case("cumsum_1000x1000", function()
    local a = torch.rand(1000, 1000)
    return function() return torch.cumsum(a, 1) end
end)

case("cumsum_1000x1000_dim_0", function()
    local a = torch.rand(1000, 1000)
    return function() return torch.cumsum(a, 0) end
end)

case("index_select_10000x64", function()
    local a, i = torch.rand(10000, 64), torch.randint(0, 10000, {10000})
    return function() return torch.index_select(a, 0, i) end
end)

case("gather_1000x1000", function()
    local a, i = torch.rand(1000, 1000), torch.randint(0, 1000, {1000, 1000})
    return function() return torch.gather(a, 1, i) end
end)

case("nonzero_1000000", function()
    local a = torch.rand(1000000):round()
    return function() return torch.nonzero(a) end
end)

case("argmax_1000x1000", function()
    local a = torch.rand(1000, 1000)
    return function() return torch.argmax(a, 1) end
end)

case("var_1000x1000", function()
    local a = torch.rand(1000, 1000)
    return function() return torch.var(a, 1) end
end)

case("transpose_1000x1000", function()
    local a = torch.rand(1000, 1000)
    return function() return a:t():contiguous() end
end)

case("Adam_step_1000000", function()
    local w = torch.randn(1000000, {requires_grad = true})
    w.grad = torch.ones_like(w)
    local opt = optim.Adam({w}, {lr = 1e-3})
    return function()
        opt:step()
        return w.grad
    end
end)

-- The process's peak of resident memory in kilobytes.
local function peak_memory()
    for line in io.lines("/proc/self/status") do
        local kilobytes = line:match("^VmHWM:%s*(%d+)")
        if kilobytes then return kilobytes end
    end
end

if arg[1] == "memory" then
    torch.manual_seed(0)
    local one = cases["MLP_784-200-200-10_batch_200"]()
    for _ = 1, 500 do one() end
    print(peak_memory())
    return
end

local prepared, one
for line in io.lines() do
    local name, runs = line:match("^(%S+) ?(%d*)$")
    if name == "quit" then
        break
    elseif name == "list" then
        print(table.concat(order, " "))
    elseif not cases[name] then
        print("-")
    elseif runs == "0" then
        one = nil
        collectgarbage()
        torch.manual_seed(0)
        prepared, one = name, cases[name]()
        print(("%.9g"):format(one():abs():sum():item()))
    else
        assert(prepared == name, "ask for the case with 0 first")
        local f, start = one, torch.perf_counter()
        for _ = 1, tonumber(runs) do f() end
        print(("%.9g"):format(torch.perf_counter() - start))
    end
    io.stdout:flush()
end
