-- The collector follows tensor bytes and handles: temporaries never pile up.
local function peak_after(f)
    collectgarbage()
    local before = (torch.memory_use())
    f()
    local live, peak = torch.memory_use()
    return (live - before) / 1e6, peak / 1e6
end

local a = torch.rand(256, 1024) -- 1 MB
local left, peak = peak_after(function()
    for _ = 1, 150 do
        local b = torch.relu(a * 2 + 1)
    end
end)
print("450 MB of temporaries: at most 64 MB alive", peak < 64, "little left", left < 40)

local w = torch.rand(128, 128):requires_grad_()
left, peak = peak_after(function()
    for _ = 1, 150 do
        local y = (w * w + 1):exp():sum()
        y:backward()
        w.grad = nil
    end
end)
print("graphs go with their tensors", peak < 64)

local small = torch.ones(2)
peak_after(function()
    for _ = 1, 50000 do small = small * 1 end
end)
print("handles", collectgarbage("count") < 8000)

-- garbage that holds tensors through Lua cycles
for _ = 1, 200 do
    local t = {torch.rand(256, 1024)}
    t.self = t
end
collectgarbage()
print("cycles", (torch.memory_use()) < 20e6)

-- a request that cannot be met is an error, after which everything works
print(select(2, pcall(torch.empty, 1 << 44)):match("can't allocate memory") ~= nil, torch.ones(2):sum():item())

-- finalizers and closables that use tensors themselves
do
    local g = setmetatable({}, {__gc = function() small = torch.ones(3) + 1 end})
    g = nil
    for _ = 1, 3 do
        local t = {}
        for i = 1, 500 do t[i] = torch.ones(2) + i end
    end
    collectgarbage()
    print(small)
end
