-- Upsample, UpsamplingNearest2d, UpsamplingBilinear2d.
local support = require "torch.support"
local class = require "torch.nn.class"
local Module = require "torch.nn.module".Module
local F = require "torch.functional"
local repr, signature = support.repr, support.signature

local upsample = {}

local function as_floats(scale)
    if type(scale) ~= "table" then return scale and scale ~= 0 and scale + 0.0 or nil end
    local floats = {}
    for i, v in ipairs(scale) do floats[i] = v + 0.0 end
    return floats
end

local Upsample = class.derive("Upsample", Module)
local read = signature("Upsample.__init__",
    {"size:tuple of ints", "scale_factor:tuple of floats", "mode", "align_corners",
        "recompute_scale_factor:bool"},
    {mode = "nearest"})

function Upsample:init(...)
    local scale
    self.size, scale, self.mode, self.align_corners, self.recompute_scale_factor = read(...)
    self.scale_factor = as_floats(scale)
end

function Upsample:forward(input)
    return F.interpolate(input, self.size, self.scale_factor, self.mode, self.align_corners,
        self.recompute_scale_factor)
end

function Upsample:extra_repr()
    local by = self.scale_factor ~= nil and "scale_factor=" .. repr(self.scale_factor) or "size=" ..
        repr(self.size)
    return by .. ", mode=" .. repr(self.mode)
end
upsample.Upsample = Upsample

for name, options in pairs {UpsamplingNearest2d = {"nearest"}, UpsamplingBilinear2d = {"bilinear", true}} do
    local Class = class.derive(name, Upsample)
    local read_two = signature(name .. ".__init__", {"size:tuple of ints", "scale_factor:tuple of floats"})
    function Class:init(...)
        local size, scale = read_two(...)
        Upsample.init(self, size, scale, options[1], options[2])
    end
    upsample[name] = Class
end

return upsample
