-- Modules of the activations: each keeps its arguments and calls the function of the same arguments.
local torch = require "torch"
local support = require "torch.support"
local class = require "torch.nn.class"
local Module = require "torch.nn.module".Module
local F = require "torch.functional"
local repr = support.repr

local activation = {}

-- "a=1, b=2" of the fields named; the last, inplace, is shown only where it is true.
local function field_text(self, names)
    local parts = {}
    for _, name in ipairs(names) do
        if name ~= "inplace" then
            parts[#parts + 1] = ("%s=%s"):format(name, repr(self[name]))
        elseif self.inplace then
            parts[#parts + 1] = "inplace=True"
        end
    end
    return table.concat(parts, ", ")
end

-- Declares the module NAME of these arguments, whose forward is f(input, arguments…). Names in `hidden` are
-- not printed.
local function declare(name, params, defaults, f, hidden)
    local Class = class.derive(name, Module)
    local read = support.signature(name .. ".__init__", params, defaults)
    local fields, shown = {}, {}
    for i, param in ipairs(params) do
        fields[i] = param:gsub("!$", "")
        if not (hidden and hidden[fields[i]]) then shown[#shown + 1] = fields[i] end
    end
    function Class:init(...)
        local values = table.pack(read(...))
        for i, field in ipairs(fields) do rawset(self, field, values[i]) end
    end
    local a, b, c = fields[1], fields[2], fields[3]
    if not a then
        function Class.forward(_, input) return f(input) end
    elseif not b then
        function Class:forward(input) return f(input, self[a]) end
    else
        function Class:forward(input) return f(input, self[a], self[b], c and self[c]) end
    end
    function Class:extra_repr() return field_text(self, shown) end
    activation[name] = Class
    return Class
end

local INPLACE = {inplace = false}
declare("ReLU", {"inplace"}, INPLACE, F.relu)
declare("ReLU6", {"inplace"}, INPLACE, F.relu6)
declare("SELU", {"inplace"}, INPLACE, F.selu)
declare("SiLU", {"inplace"}, INPLACE, F.silu)
declare("Mish", {"inplace"}, INPLACE, F.mish)
declare("Hardswish", {"inplace"}, INPLACE, F.hardswish, {inplace = true})
declare("Hardsigmoid", {"inplace"}, INPLACE, F.hardsigmoid, {inplace = true})
declare("LeakyReLU", {"negative_slope", "inplace"}, {negative_slope = 0.01, inplace = false}, F.leaky_relu)
declare("ELU", {"alpha", "inplace"}, {alpha = 1.0, inplace = false}, F.elu)
declare("CELU", {"alpha", "inplace"}, {alpha = 1.0, inplace = false}, F.celu)
local Hardtanh = declare("Hardtanh", {"min_val", "max_val", "inplace"},
    {min_val = -1.0, max_val = 1.0, inplace = false}, F.hardtanh)
local read_hardtanh = Hardtanh.init
function Hardtanh:init(...)
    read_hardtanh(self, ...)
    if self.max_val <= self.min_val then
        support.raise("AssertionError", "max_val (%s) must be greater than min_val (%s)", repr(self.max_val),
            repr(self.min_val))
    end
end
declare("Threshold", {"threshold!", "value!", "inplace"}, INPLACE, F.threshold)
declare("Softplus", {"beta", "threshold"}, {beta = 1.0, threshold = 20.0}, F.softplus)
declare("GELU", {"approximate"}, {approximate = "none"}, F.gelu)
declare("GLU", {"dim"}, {dim = -1}, F.glu)
declare("Softmax", {"dim"}, nil, F.softmax)
declare("LogSoftmax", {"dim"}, nil, F.log_softmax)
declare("Softmin", {"dim"}, nil, F.softmin)
declare("Sigmoid", {}, nil, torch.sigmoid)
declare("Tanh", {}, nil, torch.tanh)
declare("LogSigmoid", {}, nil, F.logsigmoid)
declare("Softsign", {}, nil, F.softsign)
declare("Tanhshrink", {}, nil, F.tanhshrink)

for name, f in pairs {Hardshrink = F.hardshrink, Softshrink = F.softshrink} do
    local Class = declare(name, {"lambd"}, {lambd = 0.5}, f)
    function Class:extra_repr() return repr(self.lambd) end
end

local RReLU = declare("RReLU", {"lower", "upper", "inplace"}, {lower = 1 / 8, upper = 1 / 3, inplace = false},
    nil)
function RReLU:forward(input)
    return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)
end

local Softmax2d = class.derive("Softmax2d", Module)
function Softmax2d.forward(_, input)
    if input.ndim ~= 3 and input.ndim ~= 4 then
        support.raise("ValueError", "Softmax2d: expected input to be 3D or 4D, got %dD instead", input.ndim)
    end
    return F.softmax(input, -3)
end
activation.Softmax2d = Softmax2d

local PReLU = class.derive("PReLU", Module)
local read_prelu = support.signature("PReLU.__init__", {"num_parameters", "init", "device", "dtype"},
    {num_parameters = 1, init = 0.25})
function PReLU:init(...)
    local n, value, device, dtype = read_prelu(...)
    self.num_parameters = n
    self.weight = torch.nn.Parameter(torch.full({n}, value,
        {device = device, dtype = dtype or torch.get_default_dtype()}))
end
function PReLU:forward(input)
    return F.prelu(input, self.weight)
end
function PReLU:extra_repr()
    return "num_parameters=" .. repr(self.num_parameters)
end
activation.PReLU = PReLU

return activation
