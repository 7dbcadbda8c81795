-- Full backward hooks of modules: what flows into a module backward and what comes out of it.
local torch = require "torch"
local support = require "torch.support"

-- Tensors of a list that gradients reach.
local function reached(list)
    local indices = {}
    for i = 1, list.n do
        if torch.is_tensor(list[i]) and list[i].requires_grad then indices[#indices + 1] = i end
    end
    return indices
end

-- Calls the hooks in turn; a returned gradient (or table of them) replaces those of the inputs.
local function call_hooks(module, grad_input, grad_output, replaceable)
    for _, hook in ipairs(module._hooks.full_backward) do
        local result = hook.f(module, grad_input, grad_output)
        if result ~= nil then
            if not replaceable then
                support.raise("RuntimeError", "a full backward hook can replace the gradient of a " ..
                    "module's only differentiable input")
            end
            grad_input = type(result) == "table" and result or {result}
        end
    end
    return grad_input
end

-- Puts an identity of the module's own around each input, so that its hook sees this module's share of the
-- gradient only. Changes `input` in place; returns a function that does the same to the list of outputs.
local function around(module, input)
    if not torch.is_grad_enabled() then return function() end end
    local inputs = reached(input)
    local grad_input, grad_output, waiting = {}, {}, #inputs
    for _, i in ipairs(inputs) do
        input[i] = input[i]:view_as(input[i])
        input[i]:register_hook(function(grad)
            grad_input[i] = grad
            waiting = waiting - 1
            if waiting > 0 then return nil end
            local given, seen = grad_input, grad_output
            grad_input, grad_output, waiting = {}, {}, #inputs
            local replaced = call_hooks(module, given, seen, #inputs == 1)
            return replaced ~= given and replaced[i] or nil
        end)
    end
    return function(output)
        for _, k in ipairs(reached(output)) do
            output[k] = output[k]:view_as(output[k])
            output[k]:register_hook(function(grad)
                grad_output[k] = grad
                if #inputs == 0 then call_hooks(module, {}, grad_output, false) end
            end)
        end
    end
end

return {around = around}
