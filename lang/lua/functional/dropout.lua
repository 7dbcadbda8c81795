-- Dropout: what is kept is drawn and scaled as PyTorch does it, x * (bernoulli(1 - p) / (1 - p)).
local torch = require "torch"
local support = require "torch.support"
local raise = support.raise

local F = {}

-- Zeros and ones of input's shape, one with probability p: drawn in the order in which input's elements lie in memory;
-- of a stretched input in row-major order.
local function drawn_like(input, p)
    local strides, order, sizes, back = {input:stride()}, {}, {}, {}
    local plain = input:is_contiguous()
    for i = 1, input.ndim do
        order[i] = i
        plain = plain or strides[i] == 0
    end
    if plain then return torch.empty(input.shape, {dtype = input.dtype, device = input.device}):bernoulli_(p) end
    table.sort(order, function(a, b)
        if strides[a] == strides[b] then return a < b end
        return strides[a] > strides[b]
    end)
    for i, d in ipairs(order) do sizes[i], back[d] = input.shape[d - 1], i - 1 end
    return input:new_empty(sizes):bernoulli_(p):permute(back)
end

-- Declares F.NAME(input, p, training, inplace); noise_shape(input) gives the sizes of what is drawn.
local function dropout(name, training, noise_shape, check)
    local read = support.signature(name, {"input!", "p:float", "training", "inplace"},
        {p = 0.5, training = training, inplace = false})
    F[name] = function(...)
        local input, p, train, inplace = read(...)
        if p < 0.0 or p > 1.0 then
            raise("ValueError", "dropout probability has to be between 0 and 1, but got %s", support.repr(p))
        end
        if check then check(input) end
        if p == 0 or not train or input:numel() == 0 then return input end
        if p == 1 then
            return inplace and input:mul_(0) or
                input * torch.zeros({}, {dtype = input.dtype, device = input.device})
        end
        local noise = noise_shape and input:new_empty(noise_shape(input)):bernoulli_(1 - p) or
            drawn_like(input, 1 - p)
        noise:div_(1 - p)
        return inplace and input:mul_(noise) or input * noise
    end
end

-- One draw a channel; an input of `unbatched` dims has no batch dim.
local function channels(unbatched)
    return function(input)
        local size, kept = {}, input.ndim == unbatched and 1 or 2
        for i = 1, input.ndim do size[i] = i <= kept and input.shape[i - 1] or 1 end
        return size
    end
end

dropout("dropout", true)
dropout("dropout1d", true, channels(2), function(input)
    if input.ndim == 2 or input.ndim == 3 then return end
    raise("RuntimeError",
        "dropout1d: Expected 2D or 3D input, but received a %dD input. Note that dropout1d " ..
        "exists to provide channel-wise dropout on inputs with 1 spatial dimension, a channel " ..
            "dimension, and an " ..
        "optional batch dimension (i.e. 2D or 3D inputs).", input.ndim)
end)
dropout("dropout2d", true, channels(-1))
dropout("_feature_dropout", true, channels(-1))
dropout("dropout3d", true, channels(4))

-- Dropout that keeps SELU's mean and variance: what is dropped becomes SELU's limit at minus infinity.
local function alpha_dropout(input, p, train, inplace, noise_shape)
    if p < 0.0 or p > 1.0 then
        raise("ValueError", "dropout probability has to be between 0 and 1, but got %s", support.repr(p))
    end
    if p == 0 or not train or input:numel() == 0 then return input end
    if p == 1 then
        return inplace and input:mul_(0) or
            input * torch.zeros({}, {dtype = input.dtype, device = input.device})
    end
    local limit = 1.7580993408473766
    local a = 1 / math.sqrt((limit * limit * p + 1) * (1 - p))
    local noise = noise_shape and input:new_empty(noise_shape(input)):bernoulli_(1 - p) or
        drawn_like(input, 1 - p)
    local shift = (noise - 1):mul_(limit * a):add_(limit * a * p)
    noise:mul_(a)
    return inplace and input:mul_(noise):add_(shift) or input * noise + shift
end

for name, noise_shape in pairs {alpha_dropout = false, feature_alpha_dropout = channels(-1)} do
    local read = support.signature(name, {"input!", "p:float", "training", "inplace"},
        {p = 0.5, training = false, inplace = false})
    F[name] = function(...)
        local input, p, train, inplace = read(...)
        return alpha_dropout(input, p, train, inplace, noise_shape)
    end
end

return F
