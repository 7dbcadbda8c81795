-- torch.func: functions from functions. grad, vjp, jvp, jacrev and hessian differentiate; vmap maps over a dim, by
-- calling the function once for each index and stacking what it gives.
local torch = require "torch"
local support = require "torch.support"
local raise, is_tensor = support.raise, torch.is_tensor

local func = {}

local function argument_numbers(argnums)
    return type(argnums) == "table" and argnums or {argnums}
end

local function nth(value, argnums)
    if type(argnums) == "table" then return value end
    return value[1]
end

-- The arguments with the chosen ones (counted from 0) as tensors of their own that want gradients: views in the caller's
-- graph where there is one.
local function watched(arguments, numbers)
    local list, chosen = table.move(arguments, 1, arguments.n, 1, {n = arguments.n}), {}
    for k, i in ipairs(numbers) do
        local t = arguments[i + 1]
        if not is_tensor(t) then
            raise("RuntimeError", "Got unexpected argument %d: expected a Tensor but got %s", i, support.type_word(t))
        end
        chosen[k] = t.requires_grad and t:view_as(t) or t:detach():requires_grad_()
        list[i + 1] = chosen[k]
    end
    return list, chosen
end

-- Whether what is computed from the arguments belongs into a graph of the caller's.
local function outer_graph(arguments)
    for i = 1, arguments.n do
        if is_tensor(arguments[i]) and arguments[i].requires_grad then return torch.is_grad_enabled() end
    end
    return false
end

local function without_graph(v, keep)
    if keep then return v end
    if is_tensor(v) then return v:detach() end
    if type(v) ~= "table" then return v end
    local list = {}
    for i, t in ipairs(v) do list[i] = without_graph(t) end
    return list
end

local read_grad = support.signature("grad_and_value", {"func:callable!", "argnums", "has_aux"}, {argnums = 0, has_aux = false})

-- grad_and_value(func, argnums=0, has_aux=false): a function that gives func's gradient and value.
function func.grad_and_value(...)
    local f, argnums, has_aux = read_grad(...)
    local function gradient(...)
        local arguments = table.pack(...)
        local keep = outer_graph(arguments)
        local _ <close> = torch.enable_grad()
        local list, chosen = watched(arguments, argument_numbers(argnums))
        local y, aux = f(table.unpack(list, 1, list.n))
        if not is_tensor(y) or y:dim() ~= 0 then
            raise("RuntimeError", "grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, got %s. Maybe " ..
                "you wanted to use the vjp or jacrev APIs instead?",
                is_tensor(y) and ("tensor with %d dims"):format(y:dim()) or support.type_word(y))
        end
        local grads
        if y.requires_grad then
            grads = torch.autograd.grad(y, chosen, {create_graph = true, materialize_grads = true})
        else
            grads = {}
            for k, t in ipairs(chosen) do grads[k] = torch.zeros_like(t) end
        end
        local g = without_graph(nth(grads, argnums), keep)
        if has_aux then return g, without_graph(y, keep), without_graph(aux, keep) end
        return g, without_graph(y, keep)
    end
    return gradient
end

-- grad(func, argnums=0, has_aux=false): a function that gives func's gradient.
function func.grad(...)
    local _, _, has_aux = read_grad(...)
    local both = func.grad_and_value(...)
    return function(...)
        local g, _, aux = both(...)
        if has_aux then return g, aux end
        return g
    end
end

-- vjp(func, inputs…): func's output, and a function that gives the output's weights times the Jacobian.
function func.vjp(f, ...)
    local arguments, numbers = table.pack(...), {}
    for i = 1, arguments.n do numbers[i] = i - 1 end
    local keep = outer_graph(arguments)
    local _ <close> = torch.enable_grad()
    local list, chosen = watched(arguments, numbers)
    local y = f(table.unpack(list, 1, list.n))
    return without_graph(y, keep), function(weights)
        local grads = torch.autograd.grad(y, chosen, {grad_outputs = weights, retain_graph = true,
            create_graph = keep, materialize_grads = true})
        return table.unpack(grads)
    end
end

-- jvp(func, primals, tangents): func's output, and its Jacobian times the tangents.
function func.jvp(f, primals, tangents)
    return torch.autograd.functional.jvp(f, primals, tangents,
        {create_graph = outer_graph {n = #primals, table.unpack(primals)}})
end

-- jacrev(func, argnums=0): a function that gives func's Jacobian.
function func.jacrev(f, argnums)
    argnums = type(argnums) == "table" and argnums.argnums or argnums or 0
    return function(...)
        local arguments, numbers = table.pack(...), argument_numbers(argnums)
        local inputs = {}
        for k, i in ipairs(numbers) do inputs[k] = arguments[i + 1] end
        local result = torch.autograd.functional.jacobian(function(...)
            local list, given = table.move(arguments, 1, arguments.n, 1, {}), {...}
            for k, i in ipairs(numbers) do list[i + 1] = given[k] end
            return f(table.unpack(list, 1, arguments.n))
        end, inputs, {create_graph = outer_graph(arguments)})
        return nth(result, argnums)
    end
end
func.jacfwd = func.jacrev

-- hessian(func, argnums=0): a function that gives the second derivatives of a func of one element.
function func.hessian(f, argnums)
    return func.jacrev(func.grad(f, argnums), argnums)
end

-- ---- vmap ----

local function dims_for(in_dims, n)
    if type(in_dims) ~= "table" then
        local list = {}
        for i = 1, n do list[i] = in_dims end
        return list
    end
    return in_dims
end

-- The size of the dim mapped over, the same for all tensors.
local function mapped_size(arguments, dims)
    local size, sizes, same = nil, {}, true
    for i = 1, arguments.n do
        if is_tensor(arguments[i]) and dims[i] then
            local n = arguments[i]:size(dims[i])
            sizes[#sizes + 1] = ("%d"):format(n)
            same, size = same and (size == nil or size == n), size or n
        end
    end
    if not same then
        raise("ValueError", "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes [%s] " ..
            "for the mapped dimension", table.concat(sizes, ", "))
    elseif not size then
        raise("ValueError", "vmap: at least one Tensor argument must be mapped over")
    end
    return size
end

local read_vmap = support.signature("vmap", {"func:callable!", "in_dims", "out_dims", "randomness", "chunk_size"},
    {in_dims = 0, out_dims = 0})

-- vmap(func, in_dims=0, out_dims=0): func for each index of the arguments' dims, stacked. in_dims: a dim, or a table with
-- one for each argument, false for those that stay whole.
function func.vmap(...)
    local f, in_dims, out_dims = read_vmap(...)
    return function(...)
        local arguments = table.pack(...)
        local dims = dims_for(in_dims, arguments.n)
        local columns, count = {}, 0
        for k = 0, mapped_size(arguments, dims) - 1 do
            local list = {}
            for i = 1, arguments.n do
                local mapped = is_tensor(arguments[i]) and dims[i]
                list[i] = mapped and arguments[i]:select(dims[i], k) or arguments[i]
            end
            local results = table.pack(f(table.unpack(list, 1, arguments.n)))
            count = results.n
            for r = 1, count do
                if not is_tensor(results[r]) then
                    raise("ValueError", "vmap(<lambda>, ...): `<lambda>` must only return Tensors, got type <class '%s'>. " ..
                        "Did you mean to set out_dims= to None for output?", support.type_word(results[r]))
                end
                columns[r] = columns[r] or {}
                columns[r][k + 1] = results[r]
            end
        end
        local outs = dims_for(out_dims, count)
        for r = 1, count do columns[r] = torch.stack(columns[r], outs[r]) end
        return table.unpack(columns, 1, count)
    end
end

-- functional_call(module, parameters, args): the module's call with these tensors by name in place of its own.
function func.functional_call(module, parameters, arguments)
    local former = {}
    local function place(name)
        local owner, key = module, name
        while key:find(".", 1, true) do
            local part, rest = key:match("^([^.]+)%.(.*)$")
            owner, key = owner._modules[part] or owner._modules[tonumber(part)], rest
        end
        return owner, key
    end
    local function swap(list)
        for name, t in pairs(list) do
            local owner, key = place(name)
            local home = owner._parameters[key] and owner._parameters or owner._buffers
            former[name] = former[name] or home[key]
            home[key] = t
        end
    end
    swap(parameters)
    local results = table.pack(pcall(function()
        return module(table.unpack(is_tensor(arguments) and {arguments} or arguments))
    end))
    swap(former)
    if not results[1] then error(results[2], 0) end
    return table.unpack(results, 2, results.n)
end

return func
