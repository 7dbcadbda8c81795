-- Fold, Unfold, PixelShuffle, PixelUnshuffle.
local support = require "torch.support"
local class = require "torch.nn.class"
local Module = require "torch.nn.module".Module
local F = require "torch.functional"

local fold = {}

-- A layer that passes its options on to a function and prints them.
local function layer(name, f, params, defaults)
    local Layer = class.derive(name, Module)
    local options = {}
    for i, param in ipairs(params) do options[i] = param:gsub("!$", "") end
    local read = support.signature(name .. ".__init__", params, defaults)

    function Layer:init(...)
        local values = {read(...)}
        for i, option in ipairs(options) do self[option] = values[i] end
    end

    function Layer:forward(input)
        local values = {}
        for i, option in ipairs(options) do values[i] = self[option] end
        return f(input, table.unpack(values))
    end

    function Layer:extra_repr()
        local parts = {}
        for i, option in ipairs(options) do parts[i] = option .. "=" .. support.repr(self[option]) end
        return table.concat(parts, ", ")
    end
    fold[name] = Layer
end

local DEFAULTS = {dilation = 1, padding = 0, stride = 1}
layer("Unfold", F.unfold, {"kernel_size!", "dilation", "padding", "stride"}, DEFAULTS)
layer("Fold", F.fold, {"output_size!", "kernel_size!", "dilation", "padding", "stride"}, DEFAULTS)
layer("PixelShuffle", F.pixel_shuffle, {"upscale_factor!"})
layer("PixelUnshuffle", F.pixel_unshuffle, {"downscale_factor!"})

local ChannelShuffle = class.derive("ChannelShuffle", Module)
local read_shuffle = support.signature("ChannelShuffle.__init__", {"groups!"})
function ChannelShuffle:init(...) self.groups = read_shuffle(...) end
function ChannelShuffle:forward(input) return F.channel_shuffle(input, self.groups) end
function ChannelShuffle:extra_repr() return "groups=" .. support.repr(self.groups) end
fold.ChannelShuffle = ChannelShuffle

return fold
