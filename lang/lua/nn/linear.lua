-- Identity, Linear, Bilinear.
local torch = require "torch"
local support = require "torch.support"
local class = require "torch.nn.class"
local Module = require "torch.nn.module".Module
local init = require "torch.nn.init"
local F = require "torch.functional"
local signature, repr = support.signature, support.repr

local linear = {}

local Identity = class.derive("Identity", Module)
function Identity:forward(input) return input end
linear.Identity = Identity

-- The options a layer's tensors are made with.
local function placed(device, dtype)
    return (device ~= nil or dtype ~= nil) and {device = device, dtype = dtype} or nil
end

local Linear = class.derive("Linear", Module)
local read_linear = signature("Linear.__init__", {"in_features!", "out_features!", "bias", "device", "dtype"},
    {bias = true})

-- y = x @ weight.T + bias; weight (out, in), bias (out).
function Linear:init(...)
    local n_in, n_out, bias, device, dtype = read_linear(...)
    self.in_features, self.out_features = n_in, n_out
    self.weight = torch.nn.Parameter(torch.empty({n_out, n_in}, placed(device, dtype)))
    self:register_parameter("bias", bias and
        torch.nn.Parameter(torch.empty({n_out}, placed(device, dtype))) or nil)
    self:reset_parameters()
end

function Linear:reset_parameters()
    init.kaiming_uniform_(self.weight, math.sqrt(5))
    if self.bias == nil then return end
    local bound = self.in_features > 0 and 1 / math.sqrt(self.in_features) or 0
    init.uniform_(self.bias, -bound, bound)
end

function Linear:forward(input)
    return F.linear(input, self.weight, self.bias)
end

function Linear:extra_repr()
    return ("in_features=%s, out_features=%s, bias=%s"):format(repr(self.in_features),
        repr(self.out_features), repr(self.bias ~= nil))
end
linear.Linear = Linear

local Bilinear = class.derive("Bilinear", Module)
local read_bilinear = signature("Bilinear.__init__",
    {"in1_features!", "in2_features!", "out_features!", "bias", "device", "dtype"},
    {bias = true})

-- y[k] = x1 @ weight[k] @ x2 + bias[k]; weight (out, in1, in2).
function Bilinear:init(...)
    local n1, n2, n_out, bias, device, dtype = read_bilinear(...)
    if n1 <= 0 then support.raise("ValueError", "in1_features must be > 0, but got (in1_features=%d)", n1) end
    self.in1_features, self.in2_features, self.out_features = n1, n2, n_out
    self.weight = torch.nn.Parameter(torch.empty({n_out, n1, n2}, placed(device, dtype)))
    self:register_parameter("bias", bias and
        torch.nn.Parameter(torch.empty({n_out}, placed(device, dtype))) or nil)
    self:reset_parameters()
end

function Bilinear:reset_parameters()
    local bound = 1 / math.sqrt(self.weight.shape[1])
    init.uniform_(self.weight, -bound, bound)
    if self.bias ~= nil then init.uniform_(self.bias, -bound, bound) end
end

function Bilinear:forward(input1, input2)
    return F.bilinear(input1, input2, self.weight, self.bias)
end

function Bilinear:extra_repr()
    return ("in1_features=%s, in2_features=%s, out_features=%s, bias=%s"):format(repr(self.in1_features),
        repr(self.in2_features),
        repr(self.out_features), repr(self.bias ~= nil))
end
linear.Bilinear = Bilinear

return linear
