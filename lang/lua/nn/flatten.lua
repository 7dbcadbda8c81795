-- Flatten and Unflatten.
local support = require "torch.support"
local class = require "torch.nn.class"
local Module = require "torch.nn.module".Module
local repr = support.repr

local Flatten = class.derive("Flatten", Module)
local read_flatten = support.signature("Flatten.__init__", {"start_dim", "end_dim"},
    {start_dim = 1, end_dim = -1})

function Flatten:init(...)
    self.start_dim, self.end_dim = read_flatten(...)
end

function Flatten:forward(input)
    return input:flatten(self.start_dim, self.end_dim)
end

function Flatten:extra_repr()
    return ("start_dim=%s, end_dim=%s"):format(repr(self.start_dim), repr(self.end_dim))
end

local Unflatten = class.derive("Unflatten", Module)
local read_unflatten = support.signature("Unflatten.__init__", {"dim!", "unflattened_size!"})

function Unflatten:init(...)
    self.dim, self.unflattened_size = read_unflatten(...)
end

function Unflatten:forward(input)
    return input:unflatten(self.dim, self.unflattened_size)
end

function Unflatten:extra_repr()
    return ("dim=%s, unflattened_size=%s"):format(repr(self.dim), repr(self.unflattened_size))
end

return {Flatten = Flatten, Unflatten = Unflatten}
