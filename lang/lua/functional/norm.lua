-- Normalisation over the last dims, with PyTorch's arguments.
local torch = require "torch"
local support = require "torch.support"
local rows = torch._nn
local signature = support.signature

local F = {}

local read_layer = signature("layer_norm", {"input!", "normalized_shape!", "weight", "bias", "eps"},
    {eps = 1e-05})
local layer_norm = rows.layer_norm

function F.layer_norm(...)
    local input, shape, weight, bias, eps = read_layer(...)
    return layer_norm(input, shape, weight, bias, eps)
end

local read_rms = signature("rms_norm", {"input!", "normalized_shape!", "weight", "eps"})

-- eps nil: the smallest step above 1 in the input's type.
function F.rms_norm(...)
    local input, shape, weight, eps = read_rms(...)
    local dims = {}
    for i = 1, type(shape) == "number" and 1 or #shape do dims[i] = -i end
    local y = input * (input:square():mean(dims, true) + (eps or torch.finfo(input.dtype).eps)):rsqrt()
    return weight ~= nil and y * weight or y
end

return F
