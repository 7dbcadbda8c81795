-- torch.nn.utils: gradient clipping, parameters as one vector.
local torch = require "torch"
local support = require "torch.support"
local raise, signature = support.raise, support.signature

local utils = {rnn = require "torch.nn.utils_rnn"}

local function list_of(parameters)
    return torch.is_tensor(parameters) and {parameters} or parameters
end

local function gradients(parameters)
    local grads = {}
    for _, p in ipairs(list_of(parameters)) do
        local grad = p.grad
        if grad then grads[#grads + 1] = grad end
    end
    return grads
end

local read_total = signature("get_total_norm", {"tensors!", "norm_type", "error_if_nonfinite", "foreach"},
    {norm_type = 2.0, error_if_nonfinite = false})

-- The norm of all tensors together, as if they were one vector.
function utils.get_total_norm(...)
    local tensors, norm_type, strict = read_total(...)
    local norms = {}
    for i, t in ipairs(list_of(tensors)) do norms[i] = t:norm(norm_type) end
    if #norms == 0 then return torch.tensor(0.0) end
    local total = torch.stack(norms):norm(norm_type)
    if strict and not total:isfinite():item() then
        raise("RuntimeError", "The total norm of order %s for gradients from `parameters` is non-finite, " ..
            "so it cannot be clipped. To disable this error and scale the gradients by the non-finite norm " ..
            "anyway, set `error_if_nonfinite=False`", support.repr(norm_type))
    end
    return total
end

local read_with = signature("clip_grads_with_norm_", {"parameters!", "max_norm!", "total_norm!", "foreach"})

-- Scales the gradients as if total_norm were their norm, down to max_norm.
function utils.clip_grads_with_norm_(...)
    local parameters, max_norm, total = read_with(...)
    local _ <close> = torch.no_grad()
    local scale = ((total + 1e-6):reciprocal() * max_norm):clamp_max(1.0)
    for _, grad in ipairs(gradients(parameters)) do grad:mul_(scale) end
end

local read_norm = signature("clip_grad_norm_",
    {"parameters!", "max_norm!", "norm_type", "error_if_nonfinite", "foreach"},
    {norm_type = 2.0, error_if_nonfinite = false})

-- Scales the gradients down to a total norm of at most max_norm; returns the norm they had.
function utils.clip_grad_norm_(...)
    local parameters, max_norm, norm_type, strict = read_norm(...)
    local _ <close> = torch.no_grad()
    local total = utils.get_total_norm(gradients(parameters), norm_type, strict)
    utils.clip_grads_with_norm_(parameters, max_norm, total)
    return total
end

function utils.clip_grad_value_(parameters, clip_value)
    local _ <close> = torch.no_grad()
    for _, grad in ipairs(gradients(parameters)) do grad:clamp_(-clip_value, clip_value) end
end

function utils.parameters_to_vector(parameters)
    local flat = {}
    for i, p in ipairs(list_of(parameters)) do flat[i] = p:reshape({-1}) end
    return torch.cat(flat)
end

function utils.vector_to_parameters(vector, parameters)
    if not torch.is_tensor(vector) then
        raise("TypeError", "expected torch.Tensor, but got: %s", support.type_word(vector))
    end
    local at = 0
    for _, p in ipairs(list_of(parameters)) do
        local n = p:numel()
        p.data = vector:narrow(0, at, math.min(n, vector:numel() - at)):view_as(p).data
        at = at + n
    end
end

return utils
