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

local function list_text(t)
    local parts = {}
    for i = 1, #t do parts[i] = tostring(type(t) == "table" and t[i] or t[i - 1]) end
    return table.concat(parts, ", ")
end

local function check_shape(input, shape, weight)
    if type(shape) == "number" then shape = {shape} end
    local text = list_text(shape)
    if weight ~= nil and list_text(weight.shape) ~= text then
        support.raise("RuntimeError",
            "Expected weight to be of same shape as normalized_shape, but got weight of " ..
            "shape [%s] and normalized_shape = [%s]", list_text(weight.shape), text)
    end
    for i = 1, #shape do
        if input.ndim < #shape or input.shape[input.ndim - #shape + i - 1] ~= shape[i] then
            support.raise("RuntimeError",
                "Given normalized_shape=[%s], expected input with shape [*%s], but got " ..
                "input of size[%s]", text, text, list_text(input.shape))
        end
    end
end

local read_rms = signature("rms_norm", {"input!", "normalized_shape!", "weight", "eps"})

-- eps nil: the smallest step above 1 in the input's type.
function F.rms_norm(...)
    local input, shape, weight, eps = read_rms(...)
    if type(shape) ~= "number" and #shape == 0 then
        support.raise("RuntimeError", "Expected normalized_shape to be at least 1-dimensional, i.e., " ..
            "containing at least one element, but got normalized_shape = []")
    end
    check_shape(input, shape, weight)
    local dims = {}
    for i = 1, type(shape) == "number" and 1 or #shape do dims[i] = -i end
    if not input:is_floating_point() then
        support.raise("NotImplementedError", "\"rms_norm\" not implemented for '%s'",
            input:type():match("torch%.(%w+)Tensor"))
    end
    local half = input.dtype == torch.float16 or input.dtype == torch.bfloat16
    local x = half and input:float() or input
    local power = x:square():mean(dims, true)
    local y = x * torch._scalar_overload(power + (eps or torch.finfo(x.dtype).eps)):rsqrt()
    if weight ~= nil then y = y * weight end
    return y:contiguous():to(input.dtype)
end

local read_local = signature("local_response_norm", {"input!", "size:int!", "alpha", "beta", "k:float"},
    {alpha = 0.0001, beta = 0.75, k = 1.0})

-- input (n, channels, …) over what the squares of neighbouring channels sum to.
function F.local_response_norm(...)
    local input, size, alpha, beta, k = read_local(...)
    if input.ndim < 3 then
        support.raise("ValueError", "Expected 3D or higher dimensionality" .. (" "):rep(26) ..
            "input (got %d dimensions)", input.ndim)
    end
    if input:numel() == 0 then return input end
    local G = require "torch.functional"
    local squares, low, high = input:mul(input), size // 2, (size - 1) // 2
    if input.ndim == 3 then
        squares = G.avg_pool2d(G.pad(squares:unsqueeze(1), {0, 0, low, high}), {size, 1},
            {stride = 1}):squeeze(1)
    else
        local shape = input.shape
        squares = squares:view(shape[0], 1, shape[1], shape[2], -1)
        squares = G.avg_pool3d(G.pad(squares, {0, 0, 0, 0, low, high}), {size, 1, 1}, {stride = 1}):squeeze(1)
        squares = squares:view(shape)
    end
    return input / squares:mul(alpha):add(k):pow(beta)
end

return F
