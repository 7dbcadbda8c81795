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
        print(("%.9g"):format(one():sum():item()))
    else
        assert(prepared == name, "ask for the case with 0 first")
        local f, start = one, torch.perf_counter()
        for _ = 1, tonumber(runs) do f() end
        print(("%.9g"):format(torch.perf_counter() - start))
    end
    io.stdout:flush()
end
