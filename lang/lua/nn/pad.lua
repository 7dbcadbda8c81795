-- Padding layers for one to three dims.
local support = require "torch.support"
local class = require "torch.nn.class"
local Module = require "torch.nn.module".Module
local F = require "torch.functional"
local raise, repr = support.raise, support.repr

local pad = {}

local function ends(padding, n)
    if type(padding) ~= "number" then return padding end
    local list = {}
    for i = 1, 2 * n do list[i] = padding end
    return list
end

-- Layers that take what they add from the input; circular ones refuse inputs of other dims, as in PyTorch.
local function layer(kind, mode, n)
    local name = ("%s%dd"):format(kind, n)
    local Pad = class.derive(name, Module)
    local read = support.signature(name .. ".__init__", {"padding!"})

    function Pad:init(...)
        self.padding = ends(read(...), n)
    end

    function Pad:forward(input)
        if mode == "circular" and input.ndim ~= n + 1 and input.ndim ~= n + 2 then
            raise("ValueError", "expected %dD or %dD input (got %dD input)", n + 1, n + 2, input.ndim)
        end
        return F.pad(input, self.padding, mode)
    end

    function Pad:extra_repr()
        return repr(self.padding)
    end
    pad[name] = Pad
end

local function constant(n)
    local name = ("ConstantPad%dd"):format(n)
    local Pad = class.derive(name, Module)
    local read = support.signature(name .. ".__init__", {"padding!", "value!"})

    function Pad:init(...)
        local padding, value = read(...)
        self.padding, self.value = ends(padding, n), value
    end

    function Pad:forward(input)
        return F.pad(input, self.padding, "constant", self.value)
    end

    function Pad:extra_repr()
        return ("padding=%s, value=%s"):format(repr(self.padding), repr(self.value))
    end
    pad[name] = Pad

    local zero = ("ZeroPad%dd"):format(n)
    local Zero = class.derive(zero, Pad)
    local read_zero = support.signature(zero .. ".__init__", {"padding!"})
    function Zero:init(...) Pad.init(self, (read_zero(...)), 0.0) end
    function Zero:extra_repr() return repr(self.padding) end
    pad[zero] = Zero
end

for n = 1, 3 do
    layer("ReflectionPad", "reflect", n)
    layer("ReplicationPad", "replicate", n)
    layer("CircularPad", "circular", n)
    constant(n)
end

return pad
