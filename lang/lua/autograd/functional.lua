-- torch.autograd.functional: whole Jacobians and Hessians of Lua functions, and their products with vectors.
-- Inputs and outputs are one tensor or a table of them; what comes back is nested in the same way.
local torch = require "torch"
local support = require "torch.support"
local raise, is_tensor = support.raise, torch.is_tensor

local functional = {}

local function as_list(v, name, who)
    local list = is_tensor(v) and {v} or v
    if type(list) ~= "table" then
        raise("TypeError", "The %s given to %s must be either a Tensor or a tuple of Tensors but the given " ..
            "%s has type <class '%s'>.", name, who, name, support.type_word(v))
    end
    for i, t in ipairs(list) do
        if not is_tensor(t) then
            raise("TypeError", "The %s given to %s must be either a Tensor or a tuple of Tensors but the value " ..
                "at index %d has type <class '%s'>.", name, who, i - 1, support.type_word(t))
        end
    end
    return list, is_tensor(v)
end

-- The inputs as leaves of their own, or as views in the caller's graph where that is to be kept.
local function prepared(inputs, create_graph)
    local list = {}
    for i, t in ipairs(inputs) do
        if create_graph and t.requires_grad then
            list[i] = t:view_as(t)
        else
            list[i] = t:detach():clone():requires_grad_()
        end
    end
    return list
end

-- f's results for these inputs, as a list; whether it was one tensor.
local function evaluate(f, inputs, who)
    local results = table.pack(f(table.unpack(inputs)))
    local value = results.n == 1 and results[1] or {table.unpack(results, 1, results.n)}
    return as_list(value, "outputs of the user-provided function", who)
end

local function finished(list, create_graph)
    if create_graph then return list end
    local plain = {}
    for i, t in ipairs(list) do plain[i] = is_tensor(t) and t:detach() or finished(t) end
    return plain
end

local function check_strict(strict, outputs)
    for i, y in ipairs(strict and outputs or {}) do
        if not y.requires_grad then
            raise("RuntimeError", "Output %d of the user-provided function does not require gradients. The " ..
                "outputs must be computed in a differentiable manner from the input when running in strict mode.",
                i - 1)
        end
    end
end

-- Gradients of outputs with these weights, zeros where an input had no part.
local function gradients(outputs, inputs, weights, create_graph, strict, what)
    local used, with = {}, {}
    for i, y in ipairs(outputs) do
        if y.requires_grad then
            used[#used + 1] = y
            with[#with + 1] = weights and weights[i] or torch.ones_like(y)
        end
    end
    local grads = {}
    if #used > 0 then
        grads = torch.autograd.grad(used, inputs, {grad_outputs = with, allow_unused = true,
            create_graph = create_graph, retain_graph = true})
    end
    for i, x in ipairs(inputs) do
        if strict and not grads[i] then
            raise("RuntimeError", "%s", what:format(i - 1))
        end
        grads[i] = grads[i] or torch.zeros_like(x)
    end
    return grads
end

local OUTPUT_ALONE = "Output %d of the user-provided function is independent of input %%d. This is not allowed " ..
    "in strict mode."
local ANY_ALONE = "The output of the user-provided function is independent of input %d. This is not allowed in " ..
    "strict mode."
local LINEAR = "While computing the hessian, found that the jacobian of the user-provided function with respect " ..
    "to input %d is independent of the input. This is not allowed in strict mode. You should ensure that your " ..
    "function is twice differentiable and that the jacobian depends on the inputs (this would be violated by a " ..
    "linear function for example)."

local function check_curved(strict, first)
    for i, g in ipairs(strict and first or {}) do
        if not g.requires_grad then raise("RuntimeError", LINEAR, i - 1) end
    end
end

-- ---- jacobian, hessian ----

-- Rows of d y / d inputs: one tensor of y's shape and then the input's, for each input.
local function jacobian_of(y, inputs, create_graph, strict, index)
    local rows = {}
    for i = 1, #inputs do rows[i] = {} end
    local flat = y:reshape({-1})
    for k = 0, flat:numel() - 1 do
        local grads = gradients({flat[k]}, inputs, nil, create_graph, strict, OUTPUT_ALONE:format(index))
        for i, g in ipairs(grads) do rows[i][k + 1] = g end
    end
    local result = {}
    for i, x in ipairs(inputs) do
        local shape = {}
        for _, size in pairs(y.shape) do shape[#shape + 1] = size end
        for _, size in pairs(x.shape) do shape[#shape + 1] = size end
        result[i] = #rows[i] > 0 and torch.stack(rows[i]):view(shape) or
            torch.zeros(shape, {dtype = x.dtype, device = x.device})
    end
    return result
end

local read_jacobian = support.signature("jacobian", {"func:callable!", "inputs!", "create_graph", "strict", "vectorize",
    "strategy"}, {create_graph = false, strict = false, vectorize = false, strategy = "reverse-mode"})

-- jacobian(func, inputs, create_graph=false, strict=false, vectorize=false): d outputs / d inputs.
function functional.jacobian(...)
    local f, given, create_graph, strict = read_jacobian(...)
    local inputs, one_input = as_list(given, "inputs", "jacobian")
    local _ <close> = torch.enable_grad()
    local x = prepared(inputs, create_graph)
    local outputs, one_output = evaluate(f, x, "jacobian")
    check_strict(strict, outputs)
    local result = {}
    for i, y in ipairs(outputs) do
        local row = finished(jacobian_of(y, x, create_graph, strict, i - 1), create_graph)
        result[i] = one_input and row[1] or row
    end
    return one_output and result[1] or result
end

-- The one element that func must give.
local function scalar_of(f, x, who)
    local outputs, one = evaluate(f, x, who)
    if not one then
        raise("RuntimeError", "The function given to %s should return a single Tensor", who)
    elseif outputs[1]:numel() ~= 1 then
        raise("RuntimeError", "The Tensor returned by the function given to %s should contain a single element", who)
    end
    return outputs[1]:reshape({})
end

local read_hessian = support.signature("hessian", {"func:callable!", "inputs!", "create_graph", "strict", "vectorize",
    "outer_jacobian_strategy"}, {create_graph = false, strict = false, vectorize = false})

-- hessian(func, inputs, create_graph=false, strict=false, vectorize=false): second derivatives of one element.
function functional.hessian(...)
    local f, given, create_graph, strict = read_hessian(...)
    local inputs, one_input = as_list(given, "inputs", "hessian")
    local result = functional.jacobian(function(...)
        local x = {...}
        local y = scalar_of(f, x, "hessian")
        check_strict(strict, {y})
        local first = gradients({y}, x, nil, true, strict, OUTPUT_ALONE:format(0))
        check_curved(strict, first)
        return table.unpack(first)
    end, inputs, {create_graph = create_graph, strict = strict})
    if #inputs > 1 then return result end
    return one_input and result[1] or {result}
end

-- ---- products with vectors ----

-- v as a list like `like`; nil stands for 1 where there is one element.
local function vectors(v, like, who, what)
    if v == nil then
        if #like ~= 1 or like[1]:numel() ~= 1 then
            raise("RuntimeError", "The vector v can only be None if the %s a single Tensor with a single element.",
                what)
        end
        return {torch.ones_like(like[1])}
    end
    local list = as_list(v, "v", who)
    if #list ~= #like then
        raise("RuntimeError", "v is a tuple of invalid length: should be %d but got %d.", #like, #list)
    end
    for i, t in ipairs(list) do
        if t.shape ~= like[i].shape then
            raise("RuntimeError", "%sv has invalid size: should be %s but got %s.",
                #list > 1 and ("Entry %d in "):format(i - 1) or "", tostring(like[i].shape), tostring(t.shape))
        end
    end
    return list
end

local GIVES, TAKES = "user-provided function returns", "input to the user-provided function is"

local function like_given(list, one)
    if one then return list[1] end
    return list
end

local product = {"func:callable!", "inputs!", "v", "create_graph", "strict"}
local defaults = {create_graph = false, strict = false}
local read_vjp, read_jvp = support.signature("vjp", product, defaults), support.signature("jvp", product, defaults)
local read_vhp, read_hvp = support.signature("vhp", product, defaults), support.signature("hvp", product, defaults)

-- vjp(func, inputs, v): func's outputs, and v times its Jacobian.
function functional.vjp(...)
    local f, given, v, create_graph, strict = read_vjp(...)
    local inputs, one_input = as_list(given, "inputs", "vjp")
    local _ <close> = torch.enable_grad()
    local x = prepared(inputs, create_graph)
    local outputs, one_output = evaluate(f, x, "vjp")
    check_strict(strict, outputs)
    local grads = gradients(outputs, x, vectors(v, outputs, "vjp", GIVES),
        create_graph, strict, OUTPUT_ALONE:format(0))
    return like_given(finished(outputs, create_graph), one_output), like_given(finished(grads, create_graph), one_input)
end

-- The Jacobian of outputs times v: the derivative, by the weights u, of u times the Jacobian.
local function forward_product(outputs, x, v, create_graph, strict)
    local u = {}
    for i, y in ipairs(outputs) do u[i] = torch.zeros_like(y):requires_grad_() end
    local grads = gradients(outputs, x, u, true, strict, ANY_ALONE)
    return gradients(grads, u, v, create_graph, false)
end

-- jvp(func, inputs, v): func's outputs, and its Jacobian times v.
function functional.jvp(...)
    local f, given, v, create_graph, strict = read_jvp(...)
    local inputs = as_list(given, "inputs", "jvp")
    local _ <close> = torch.enable_grad()
    local x = prepared(inputs, create_graph)
    local with = vectors(v, x, "jvp", TAKES)
    local outputs, one_output = evaluate(f, x, "jvp")
    check_strict(strict, outputs)
    local products = forward_product(outputs, x, with, create_graph, strict)
    return like_given(finished(outputs, create_graph), one_output),
        like_given(finished(products, create_graph), one_output)
end

-- What Hessians begin with: the inputs made ready and whether they were one tensor, the vectors, func's value there
-- and its gradient.
local function with_gradient(name, f, given, v, create_graph, strict)
    local inputs, one_input = as_list(given, "inputs", name)
    local x = prepared(inputs, create_graph)
    local with = vectors(v, x, name, TAKES)
    local y = scalar_of(f, x, name)
    check_strict(strict, {y})
    local first = gradients({y}, x, nil, true, strict, OUTPUT_ALONE:format(0))
    check_curved(strict, first)
    return x, one_input, with, y, first
end

-- vhp(func, inputs, v): func's value, and v times its Hessian.
function functional.vhp(...)
    local f, given, v, create_graph, strict = read_vhp(...)
    local _ <close> = torch.enable_grad()
    local x, one_input, with, y, first = with_gradient("vhp", f, given, v, create_graph, strict)
    local second = gradients(first, x, with, create_graph, strict, LINEAR)
    return finished({y}, create_graph)[1], like_given(finished(second, create_graph), one_input)
end

-- hvp(func, inputs, v): func's value, and its Hessian times v.
function functional.hvp(...)
    local f, given, v, create_graph, strict = read_hvp(...)
    local _ <close> = torch.enable_grad()
    local x, one_input, with, y, first = with_gradient("hvp", f, given, v, create_graph, strict)
    local second = forward_product(first, x, with, create_graph, false)
    return finished({y}, create_graph)[1], like_given(finished(second, create_graph), one_input)
end

return functional
