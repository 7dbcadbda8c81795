-- Padding layers for images.
local support = require "torch.support"
local class = require "torch.nn.class"
local Module = require "torch.nn.module".Module
local F = require "torch.functional"

local pad = {}

local function layer(name, mode)
    local Pad = class.derive(name, Module)
    local read = support.signature(name .. ".__init__", {"padding!"})

    function Pad:init(...)
        local padding = read(...)
        self.padding = type(padding) == "number" and {padding, padding, padding, padding} or padding
    end

    function Pad:forward(input)
        return F.pad(input, self.padding, mode)
    end

    function Pad:extra_repr()
        return support.repr(self.padding)
    end
    pad[name] = Pad
end

layer("ZeroPad2d", "constant")
layer("ReflectionPad2d", "reflect")
layer("ReplicationPad2d", "replicate")

return pad
