-- torch.autograd.gradcheck and gradgradcheck: what backward gives, compared with finite differences.
local torch = require "torch"
local support = require "torch.support"
local raise, is_tensor = support.raise, torch.is_tensor

local function as_list(v)
    return is_tensor(v) and {v} or v
end

local function wants_gradient(t)
    return is_tensor(t) and t.requires_grad and t:is_floating_point()
end

local function check_inputs(inputs)
    local any = false
    for i, t in ipairs(inputs) do
        if wants_gradient(t) then
            any = true
            if t.dtype ~= torch.float64 then
                support.warn("Input #%d requires gradient and is not a double precision floating point or " ..
                    "complex. This check will likely fail if all the inputs are not of double precision " ..
                    "floating point or complex. ", i - 1)
            end
        end
    end
    if not any then
        raise("ValueError", "gradcheck expects at least one input tensor to require gradient, but none of them " ..
            "have requires_grad=True.")
    end
end

local function differentiable_outputs(f, inputs)
    local list = {}
    for _, y in ipairs(table.pack(f(table.unpack(inputs)))) do
        if wants_gradient(y) then list[#list + 1] = y end
    end
    return list
end

-- d outputs / d x by central differences: for each output one row an element of x, one column an output's element.
local function numerical(f, inputs, j, outputs, eps)
    local x, changed, rows = inputs[j], {table.unpack(inputs)}, {}
    changed[j] = x:detach():clone():contiguous()
    for k = 1, #outputs do rows[k] = torch.zeros({x:numel(), outputs[k]:numel()}, {dtype = outputs[k].dtype}) end
    local flat = changed[j]:view({-1})
    local function at(i, value)
        flat[i] = value
        local _ <close> = torch.no_grad()
        local list = {}
        for k, y in ipairs(table.pack(f(table.unpack(changed)))) do list[k] = is_tensor(y) and y:clone() or y end
        return list
    end
    for i = 0, x:numel() - 1 do
        local here = flat[i]:item()
        local low, high = at(i, here - eps), at(i, here + eps)
        flat[i] = here
        for k in ipairs(outputs) do rows[k][i] = ((high[k] - low[k]) / (2 * eps)):reshape({-1}) end
    end
    return rows
end

-- The same from backward; and whether a second backward gave the very same numbers.
local function analytical(y, x, nondet_tol)
    local rows = torch.zeros({x:numel(), y:numel()}, {dtype = x.dtype})
    local reentrant = true
    for k = 0, y:numel() - 1 do
        local weight = torch.zeros_like(y)
        weight:view({-1})[k] = 1
        local function once()
            return torch.autograd.grad(y, x, {grad_outputs = weight, retain_graph = true, allow_unused = true})[1]
        end
        local first, second = once(), once()
        if first ~= nil then
            rows:select(1, k):copy_(first:reshape({-1}))
            reentrant = reentrant and (first - second):abs():max():item() <= nondet_tol
        end
    end
    return rows, reentrant
end

local function mismatch(output, input, expected, got)
    raise("torch.autograd.gradcheck.GradcheckError", "Jacobian mismatch for output %d with respect to input %d,\n" ..
        "numerical:%s\nanalytical:%s\n", output, input, tostring(expected), tostring(got))
end

local function check_all(f, inputs, options)
    check_inputs(inputs)
    local outputs = differentiable_outputs(f, inputs)
    for j, x in ipairs(inputs) do
        if wants_gradient(x) then
            local expected = numerical(f, inputs, j, #outputs > 0 and outputs or
                table.pack(f(table.unpack(inputs))), options.eps)
            for _, rows in ipairs(#outputs == 0 and expected or {}) do
                if rows:ne(0):any():item() then
                    raise("torch.autograd.gradcheck.GradcheckError",
                        "Numerical gradient for function expected to be zero")
                end
            end
            for k, y in ipairs(outputs) do
                local got, reentrant = analytical(y, x, options.nondet_tol)
                if not torch.allclose(got, expected[k], {rtol = options.rtol, atol = options.atol}) then
                    mismatch(k - 1, j - 1, expected[k], got)
                elseif not reentrant then
                    raise("torch.autograd.gradcheck.GradcheckError", "Backward is not reentrant, i.e., running " ..
                        "backward with same input and grad_output multiple times gives different values, " ..
                        "although analytical gradient matches numerical gradient.The tolerance for " ..
                        "nondeterminism was %s.", support.repr(options.nondet_tol))
                end
            end
        end
    end
    return true
end

local names = {"func:callable!", "inputs!", "eps", "atol", "rtol", "raise_exception", "nondet_tol", "check_undefined_grad",
    "check_grad_dtypes", "check_batched_grad", "check_batched_forward_grad", "check_forward_ad",
    "check_backward_ad", "fast_mode"}
local read = support.signature("gradcheck", names,
    {eps = 1e-06, atol = 1e-05, rtol = 0.001, raise_exception = true, nondet_tol = 0.0})

local function run(f, inputs, options)
    if options.raise_exception then return check_all(f, inputs, options) end
    local ok, message = pcall(check_all, f, inputs, options)
    if not ok and not tostring(message):find("GradcheckError", 1, true) then error(message, 0) end
    return ok
end

-- gradcheck(func, inputs, eps=1e-06, atol=1e-05, rtol=0.001, raise_exception=true, nondet_tol=0.0): true where
-- backward agrees with finite differences. Inputs are best float64.
local function gradcheck(...)
    local f, inputs, eps, atol, rtol, raise_exception, nondet_tol = read(...)
    return run(f, as_list(inputs), {eps = eps, atol = atol, rtol = rtol, raise_exception = raise_exception,
        nondet_tol = nondet_tol})
end

local read_second = support.signature("gradgradcheck", {"func:callable!", "inputs!", "grad_outputs",
    table.unpack(names, 3)}, {eps = 1e-06, atol = 1e-05, rtol = 0.001, raise_exception = true, nondet_tol = 0.0})

-- gradgradcheck(func, inputs, grad_outputs=nil, …): the same for the derivative of backward, with random weights.
local function gradgradcheck(...)
    local f, given, weights, eps, atol, rtol, raise_exception, nondet_tol = read_second(...)
    local inputs = as_list(given)
    local outputs, all = differentiable_outputs(f, inputs), {table.unpack(inputs)}
    weights = weights and as_list(weights)
    for k, y in ipairs(outputs) do
        all[#inputs + k] = weights and weights[k] or torch.randn_like(y):detach():requires_grad_()
    end
    local function derivative(...)
        local values, x, wanted = {...}, {}, {}
        local _ <close> = torch.enable_grad()
        for i = 1, #inputs do
            local wants = wants_gradient(inputs[i])
            x[i] = wants and not values[i].requires_grad and values[i]:detach():requires_grad_() or values[i]
            if wants then wanted[#wanted + 1] = x[i] end
        end
        local y = differentiable_outputs(f, x)
        return table.unpack(torch.autograd.grad(y, wanted, {grad_outputs = {table.unpack(values, #inputs + 1)},
            create_graph = true, allow_unused = true}), 1, #wanted)
    end
    return run(derivative, all, {eps = eps, atol = atol, rtol = rtol, raise_exception = raise_exception,
        nondet_tol = nondet_tol})
end

return {gradcheck = gradcheck, gradgradcheck = gradgradcheck}
