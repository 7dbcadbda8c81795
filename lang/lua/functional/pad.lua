-- Padding: by a constant, or by the tensor's own elements.
local torch = require "torch"
local support = require "torch.support"
local rows = torch._nn
local raise = support.raise

local F = {}

-- Around each padded dim, what stands at its other end. Written into one tensor, dim by dim, as PyTorch does.
local function circular(input, pad)
    local shape, n = {}, input.ndim
    for d = 1, n do
        local at = 2 * (n - d) + 1
        local low, high, size = pad[at] or 0, pad[at + 1] or 0, input.shape[d - 1]
        if low > size or high > size then
            raise("RuntimeError", "Padding value causes wrapping around more than once.")
        end
        if low + high + size < 0 then
            raise("RuntimeError", "Negative padding value is resulting in an empty dimension")
        end
        shape[d] = size + low + high
    end
    local out = input:new_empty(shape)
    local to, from = out, input
    for d = 1, #pad // 2 do
        local low, high, dim = pad[2 * d - 1], pad[2 * d], n - d
        local kept = shape[dim + 1] - math.max(low, 0) - math.max(high, 0)
        to = to:narrow(dim, math.max(low, 0), kept)
        from = from:narrow(dim, math.max(-low, 0), kept)
    end
    to:copy_(from)
    for d = #pad // 2, 1, -1 do
        local low, high, dim = pad[2 * d - 1], pad[2 * d], n - d
        local size = shape[dim + 1]
        if low > 0 then
            out:narrow(dim, 0, low):copy_(out:narrow(dim, size - low - math.max(high, 0), low):clone())
        end
        if high > 0 then
            out:narrow(dim, size - high, high):copy_(out:narrow(dim, math.max(low, 0), high):clone())
        end
    end
    return out
end

local WORDS = {reflect = "reflection_pad%dd", replicate = "replication_pad%dd"}

local read = support.signature("pad", {"input!", "pad:tuple of ints!", "mode", "value:float"},
    {mode = "constant"})

-- pad lists what the last dim gets before and after it, then the dim before, and so on.
function F.pad(...)
    local input, pad, mode, value = read(...)
    if math.type(pad) then
        raise("TypeError", "pad(): argument 'pad' (position 2) must be tuple of ints, not int")
    end
    if #pad % 2 ~= 0 then raise("RuntimeError", "Padding length must be divisible by 2") end
    if #pad > 2 * input.ndim then
        raise("RuntimeError",
            "Padding length should be less than or equal to two times the input dimension but " ..
            "got padding length %d and input of dimension %d", #pad, input.ndim)
    end
    if mode == "constant" then return torch.constant_pad_nd(input, pad, value or 0) end
    if value ~= nil and value ~= 0 then
        raise("RuntimeError", 'Padding mode "%s" doesn\'t take in value argument', mode)
    end
    if not WORDS[mode] and mode ~= "circular" then
        raise("NotImplementedError", "Unrecognised padding mode %s", mode)
    end
    local dims = #pad // 2
    if dims < 1 or dims > 3 or (input.ndim ~= dims + 1 and input.ndim ~= dims + 2) then
        raise("NotImplementedError", "Padding size %d is not supported for %dD input tensor.", #pad,
            input.ndim)
    end
    if mode == "circular" then return circular(input, pad) end
    return rows[WORDS[mode]:format(dims)](input, pad)
end

return F
