-- Dropout: what is kept is drawn and scaled as PyTorch does it, x * (bernoulli(1 - p) / (1 - p)).
local torch = require "torch"
local support = require "torch.support"
local raise = support.raise

local F = {}

-- Declares F.NAME(input, p, training, inplace); noise_shape(input) gives the sizes of what is drawn.
local function dropout(name, training, noise_shape)
    local read = support.signature(name, {"input!", "p", "training", "inplace"},
        {p = 0.5, training = training, inplace = false})
    F[name] = function(...)
        local input, p, train, inplace = read(...)
        if not torch.is_tensor(input) then
            raise("TypeError", "%s(): argument 'input' (position 1) must be Tensor, not %s", name,
                support.type_word(input))
        end
        if p < 0.0 or p > 1.0 then
            raise("ValueError", "dropout probability has to be between 0 and 1, but got %s", support.repr(p))
        end
        if p == 0 or not train or input:numel() == 0 then return input end
        if p == 1 then
            return inplace and input:mul_(0) or
                input * torch.zeros({}, {dtype = input.dtype, device = input.device})
        end
        local noise = noise_shape and input:new_empty(noise_shape(input)) or torch.empty_like(input)
        noise:bernoulli_(1 - p):div_(1 - p)
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
dropout("dropout1d", true, channels(2))
dropout("dropout2d", true, channels(-1))
dropout("dropout3d", true, channels(4))

local read_alpha = support.signature("alpha_dropout", {"input!", "p", "training", "inplace"},
    {p = 0.5, training = false, inplace = false})

-- Dropout that keeps SELU's mean and variance: what is dropped becomes SELU's limit at minus infinity.
function F.alpha_dropout(...)
    local input, p, train, inplace = read_alpha(...)
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
    local noise = torch.empty_like(input):bernoulli_(1 - p)
    local shift = (noise - 1):mul_(limit * a):add_(limit * a * p)
    noise:mul_(a)
    return inplace and input:mul_(noise):add_(shift) or input * noise + shift
end

return F
