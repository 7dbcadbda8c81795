-- LayerNorm, RMSNorm: normalisation over the last dims; LocalResponseNorm: over neighbouring channels.
local torch = require "torch"
local support = require "torch.support"
local class = require "torch.nn.class"
local Module = require "torch.nn.module".Module
local init = require "torch.nn.init"
local F = require "torch.functional"
local signature, repr = support.signature, support.repr

local norm = {}

-- A size or a table of sizes as a table.
local function sizes_of(shape)
    return type(shape) == "number" and {shape} or table.move(shape, 1, #shape, 1, {})
end

local function parameter(self, name, wanted, options)
    self:register_parameter(name, wanted and
        torch.nn.Parameter(torch.empty(self.normalized_shape, options)) or nil)
end

local function options_of(device, dtype)
    return (device ~= nil or dtype ~= nil) and {device = device, dtype = dtype} or nil
end

local LayerNorm = class.derive("LayerNorm", Module)
local read_layer = signature("LayerNorm.__init__",
    {"normalized_shape!", "eps:float", "elementwise_affine", "bias", "device", "dtype"},
    {eps = 1e-05, elementwise_affine = true, bias = true})

function LayerNorm:init(...)
    local shape, bias, device, dtype
    shape, self.eps, self.elementwise_affine, bias, device, dtype = read_layer(...)
    self.normalized_shape = sizes_of(shape)
    parameter(self, "weight", self.elementwise_affine, options_of(device, dtype))
    parameter(self, "bias", self.elementwise_affine and bias, options_of(device, dtype))
    self:reset_parameters()
end

function LayerNorm:reset_parameters()
    if self.weight ~= nil then init.ones_(self.weight) end
    if self.bias ~= nil then init.zeros_(self.bias) end
end

function LayerNorm:forward(input)
    return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)
end

function LayerNorm:extra_repr()
    return ("%s, eps=%s, elementwise_affine=%s, bias=%s"):format(repr(self.normalized_shape), repr(self.eps),
        repr(self.elementwise_affine), repr(self.bias ~= nil))
end
norm.LayerNorm = LayerNorm

local RMSNorm = class.derive("RMSNorm", Module)
local read_rms = signature("RMSNorm.__init__",
    {"normalized_shape!", "eps:float", "elementwise_affine", "device", "dtype"},
    {elementwise_affine = true})

function RMSNorm:init(...)
    local shape, device, dtype
    shape, self.eps, self.elementwise_affine, device, dtype = read_rms(...)
    self.normalized_shape = sizes_of(shape)
    parameter(self, "weight", self.elementwise_affine, options_of(device, dtype))
    if self.weight ~= nil then init.ones_(self.weight) end
end

function RMSNorm:forward(input)
    return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)
end

function RMSNorm:extra_repr()
    return ("%s, eps=%s, elementwise_affine=%s"):format(repr(self.normalized_shape), repr(self.eps),
        repr(self.elementwise_affine))
end
norm.RMSNorm = RMSNorm

local LocalResponseNorm = class.derive("LocalResponseNorm", Module)
local read_local = signature("LocalResponseNorm.__init__", {"size!", "alpha", "beta", "k"},
    {alpha = 0.0001, beta = 0.75, k = 1.0})

function LocalResponseNorm:init(...)
    self.size, self.alpha, self.beta, self.k = read_local(...)
end

function LocalResponseNorm:forward(input)
    return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)
end

function LocalResponseNorm:extra_repr()
    return ("%s, alpha=%s, beta=%s, k=%s"):format(repr(self.size), repr(self.alpha), repr(self.beta),
        repr(self.k))
end
norm.LocalResponseNorm = LocalResponseNorm

return norm
