-- torch.utils.checkpoint: memory for time. What a function recorded is thrown away, and done again in backward.
local torch = require "torch"
local support = require "torch.support"
local raise, is_tensor = support.raise, torch.is_tensor

local checkpoint = {}

local Checkpoint = torch.autograd.Function("CheckpointFunction")

function Checkpoint.forward(ctx, f, keep_random, ...)
    ctx.f, ctx.n = f, select("#", ...)
    ctx.random = keep_random and torch.get_rng_state() or nil
    local plain, tensors = {...}, {}
    for i = 1, ctx.n do
        if is_tensor(plain[i]) then tensors[i], plain[i] = plain[i], nil end
    end
    ctx.plain = plain
    ctx:save_for_backward(table.unpack(tensors, 1, ctx.n))
    return f(...)
end

-- The arguments again, tensors as leaves of their own.
local function arguments_again(ctx)
    local saved, list = ctx.saved_tensors, {}
    for i = 1, ctx.n do
        local t = saved[i]
        list[i] = ctx.plain[i]
        if t ~= nil then list[i] = t:detach():requires_grad_(t.requires_grad) end
    end
    return list
end

function Checkpoint.backward(ctx, ...)
    local inputs, state = arguments_again(ctx), torch.get_rng_state()
    if ctx.random then torch.set_rng_state(ctx.random) end
    local outputs
    do
        local _ <close> = torch.enable_grad()
        outputs = table.pack(ctx.f(table.unpack(inputs, 1, ctx.n)))
    end
    torch.set_rng_state(state)
    local grads, roots, weights = {...}, {}, {}
    for i = 1, outputs.n do
        if is_tensor(outputs[i]) and outputs[i].requires_grad then
            roots[#roots + 1], weights[#weights + 1] = outputs[i], grads[i]
        end
    end
    if #roots == 0 then
        raise("RuntimeError", "none of output has requires_grad=True, this checkpoint() is not necessary")
    end
    torch.autograd.backward(roots, weights)
    local result = {}
    for i = 1, ctx.n do result[i] = is_tensor(inputs[i]) and inputs[i].grad or nil end
    return nil, nil, table.unpack(result, 1, ctx.n)
end

-- A trailing table of these options only, and the arguments before it.
local OPTIONS = {use_reentrant = true, preserve_rng_state = true, context_fn = true, determinism_check = true,
    debug = true, early_stop = true}

local function split_options(...)
    local arguments = table.pack(...)
    local last = arguments[arguments.n]
    if not support.is_options(last) then return arguments, {} end
    for key in pairs(last) do
        if not OPTIONS[key] then return arguments, {} end
    end
    arguments[arguments.n] = nil
    arguments.n = arguments.n - 1
    return arguments, last
end

-- checkpoint(f, …, use_reentrant=…, preserve_rng_state=true): f's results; f runs again when backward comes. Parameters
-- that f uses get their gradients then, whether or not an argument requires one.
function checkpoint.checkpoint(f, ...)
    local arguments, options = split_options(...)
    local wanted = false
    for i = 1, arguments.n do
        wanted = wanted or is_tensor(arguments[i]) and arguments[i].requires_grad
    end
    local keep = options.preserve_rng_state ~= false
    if wanted or not torch.is_grad_enabled() then
        return Checkpoint.apply(f, keep, table.unpack(arguments, 1, arguments.n))
    end
    if options.use_reentrant then
        support.warn("None of the inputs have requires_grad=True. Gradients will be None")
        return torch.no_grad(f, table.unpack(arguments, 1, arguments.n))
    end
    -- an argument more that wants a gradient, so that backward comes by
    local tie = torch.zeros({}, {requires_grad = true})
    return Checkpoint.apply(function(_, ...) return f(...) end, keep, tie, table.unpack(arguments, 1, arguments.n))
end

-- checkpoint_sequential(functions, segments, input): the functions one after another, in so many checkpoints.
function checkpoint.checkpoint_sequential(functions, segments, input, options)
    local list = {}
    if type(functions) == "table" and functions.children then
        for _, module in functions:named_children() do list[#list + 1] = module end
    else
        for i, f in ipairs(functions) do list[i] = f end
    end
    local function run(from, to)
        return function(x)
            for i = from, to do x = list[i](x) end
            return x
        end
    end
    local size, at = #list // segments, 1
    for _ = 1, segments - 1 do
        input = checkpoint.checkpoint(run(at, at + size - 1), input, options or {use_reentrant = false})
        at = at + size
    end
    return run(at, #list)(input)
end

return checkpoint
