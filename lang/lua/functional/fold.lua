-- Sliding blocks as columns and back; channels as pixels.
local torch = require "torch"
local support = require "torch.support"
local rows = torch._nn
local signature = support.signature

local F = {}

local DEFAULTS = {dilation = 1, padding = 0, stride = 1}

local read_unfold = signature("unfold", {"input!", "kernel_size!", "dilation", "padding", "stride"}, DEFAULTS)
function F.unfold(...)
    return rows.im2col(read_unfold(...))
end

local read_fold = signature("fold",
    {"input!", "output_size!", "kernel_size!", "dilation", "padding", "stride"}, DEFAULTS)
function F.fold(...)
    return rows.col2im(read_fold(...))
end

F.pixel_shuffle, F.pixel_unshuffle = torch.pixel_shuffle, torch.pixel_unshuffle

local read_shuffle = signature("channel_shuffle", {"input!", "groups!"})

-- input (n, channels, …): the channels of each group taken in turn.
function F.channel_shuffle(...)
    local input, groups = read_shuffle(...)
    local channels, shape = input.shape[1], input.shape
    if groups <= 0 then
        support.raise("RuntimeError", "Number of groups to divide channels in must be positive. Value " ..
            "of groups:%d", groups)
    end
    if channels % groups ~= 0 then
        support.raise("RuntimeError",
            "Number of channels must be divisible by groups. Got %d channels and %d " ..
            "groups.", channels, groups)
    end
    local y = input:view(shape[0], groups, channels // groups, -1):transpose(1, 2):reshape(shape)
    return torch._named("ChannelShuffleBackward0", y)
end

return F
