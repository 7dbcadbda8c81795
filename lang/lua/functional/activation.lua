-- Activations of torch.nn.functional: PyTorch's argument names and defaults over the op table's rows.
local torch = require "torch"
local support = require "torch.support"
local rows = torch._nn
local raise, signature = support.raise, support.signature

local F = {}

-- What PyTorch calls the kernels that take floats only, where a number beside the input would make it one.
local FLOAT_KERNELS = {elu = "elu_cpu", leaky_relu = "leaky_relu_cpu",
    hardshrink = "hardshrink_cpu", softshrink = "softshrink_check", softplus = "softplus_cpu"}

local function check_floating(input, kernel)
    if not kernel or input:is_floating_point() then return end
    raise("NotImplementedError", "\"%s\" not implemented for '%s'", kernel,
        input:type():match("torch%.(%w+)Tensor"))
end

-- F.NAME(input, …, inplace) and F.NAME_: run(input, …) and, in place, run_(input, …) with the same arguments.
local function activation(name, params, defaults, run, run_)
    local read = signature(name, {"input!", table.unpack(params)}, defaults)
    local count = #params - (params[#params] == "inplace" and 1 or 0)
    local function check(input)
        if not torch.is_tensor(input) then
            raise("TypeError", "%s(): argument 'input' (position 1) must be Tensor, not %s", name,
                support.type_word(input))
        end
        check_floating(input, FLOAT_KERNELS[name])
        return input
    end
    if count == 0 then
        F[name] = function(...)
            local input, inplace = read(...)
            return (inplace and run_ or run)(check(input))
        end
    elseif count == 1 then
        F[name] = function(...)
            local input, a, inplace = read(...)
            return (inplace and run_ or run)(check(input), a)
        end
    else
        F[name] = function(...)
            local input, a, b, inplace = read(...)
            return (inplace and run_ or run)(check(input), a, b)
        end
    end
    if run_ then F[name .. "_"] = function(...) return run_(check((...)), select(2, read(...))) end end
end

-- In place by way of the plain form: the elements are computed, then written over the input.
local function overwriting(run)
    return function(input, ...) return input:copy_(run(input, ...)) end
end

local function row(name)
    return rows[name], rows[name .. "_"] or overwriting(rows[name])
end

activation("relu", {"inplace"}, nil, torch.relu, torch.relu_)
activation("leaky_relu", {"negative_slope", "inplace"}, {negative_slope = 0.01}, row "leaky_relu")
activation("elu", {"alpha", "inplace"}, {alpha = 1.0}, row "elu")
activation("celu", {"alpha", "inplace"}, {alpha = 1.0}, function(input, alpha)
    if alpha == 0 then raise("RuntimeError", "ZeroDivisionError: alpha cannot be 0 for CELU") end
    check_floating(input, "elu_cpu")
    return torch._named("CeluBackward0", rows.celu(input, alpha))
end, select(2, row "celu"))
activation("selu", {"inplace"}, nil, torch.selu, torch.selu_)
activation("silu", {"inplace"}, nil, row "silu")
activation("mish", {"inplace"}, nil, row "mish")
activation("hardswish", {"inplace"}, nil, row "hardswish")
activation("hardsigmoid", {"inplace"}, nil, row "hardsigmoid")
activation("logsigmoid", {}, nil, rows.logsigmoid)
activation("softsign", {}, nil, rows.softsign)
activation("hardshrink", {"lambd"}, {lambd = 0.5}, rows.hardshrink)
activation("softshrink", {"lambd"}, {lambd = 0.5}, function(input, lambd)
    if lambd < 0 and input:is_floating_point() then
        raise("RuntimeError", "lambda must be in range [0, %g] for input dtype %s, but found %g",
            torch.finfo(input.dtype).max, input:type():match("torch%.(%w+)Tensor"), lambd)
    end
    return rows.softshrink(input, lambd)
end)
activation("softplus", {"beta", "threshold"}, {beta = 1.0, threshold = 20.0}, rows.softplus)
activation("tanhshrink", {}, nil, function(input) return input - input:tanh() end)
local clamped, clamped_ = row "hardtanh"
local function truncated(v) return math.tointeger(v < 0 and math.ceil(v) or math.floor(v)) end

-- The number as an element of the type, where it fits.
local function in_type(v, dtype) return torch.empty({}, {dtype = dtype}):fill_(v):item() end

-- Integers are compared with the limit and replaced by the value in their own type.
local function above(run)
    return function(input, limit, value)
        if input:is_floating_point() then return run(input, limit, value) end
        if input.dtype == torch.bool then check_floating(input, "threshold_cpu") end
        return run(input, in_type(limit, input.dtype), in_type(value, input.dtype))
    end
end
local threshold, threshold_ = row "threshold"
activation("threshold", {"threshold!", "value!", "inplace"}, nil, above(threshold), above(threshold_))

local function between(run)
    return function(input, low, high)
        if input.dtype == torch.bool then
            raise("RuntimeError", "Bool inputs not supported for hardtanh")
        end
        if low > high then raise("ValueError", "min_val cannot be greater than max_val") end
        if input:is_floating_point() then return run(input, low, high) end
        if input.dtype == torch.uint8 and low < 0 then
            raise("RuntimeError", "cannot do hardtanh on an unsigned type with negative limits")
        end
        return run(input, truncated(low), truncated(high))
    end
end
activation("hardtanh", {"min_val", "max_val", "inplace"}, {min_val = -1.0, max_val = 1.0}, between(clamped),
    between(clamped_))
local six, six_ = between(clamped), between(clamped_)
activation("relu6", {"inplace"}, nil, function(input) return six(input, 0.0, 6.0) end,
    function(input) return six_(input, 0.0, 6.0) end)
activation("sigmoid", {}, nil, torch.sigmoid)
activation("tanh", {}, nil, torch.tanh)

activation("gelu", {"approximate"}, {approximate = "none"}, function(input, approximate)
    if approximate == "none" then return rows.gelu(input) end
    if approximate == "tanh" then return rows.gelu_tanh(input) end
    raise("RuntimeError", "approximate argument must be either none or tanh.")
end)

activation("glu", {"dim"}, {dim = -1}, function(input, dim)
    if input.ndim == 0 then raise("RuntimeError",
        "glu does not support scalars because halving size must be even") end
    local size = input:size(dim)
    if size % 2 ~= 0 then
        raise("RuntimeError", "Halving dimension must be even, but dimension %d is size %d", dim % input.ndim,
            size)
    end
    check_floating(input, "glu_cpu")
    local y = input:narrow(dim, 0, size // 2) * input:narrow(dim, size // 2, size // 2):sigmoid()
    return torch._named("GluBackward0", y)
end)

activation("prelu", {"weight!"}, nil, function(input, weight)
    if weight.ndim > 1 then
        raise("RuntimeError", "prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = %d",
            weight.ndim)
    end
    local n = weight:numel()
    if n ~= 1 then
        if input.ndim == 0 then raise("RuntimeError", "Not allow zero-dim input tensor.") end
        local channels = input.ndim > 1 and input.shape[1] or 1
        if channels ~= n then
            raise("RuntimeError", "Mismatch of parameter numbers and input channel size. Found parameter " ..
                "numbers = %d and channel size = %d.",
                n, channels)
        end
    end
    local sizes = {}
    for i = 1, input.ndim do sizes[i] = i == 2 and n or 1 end
    if #sizes < 2 then sizes = {n} end
    return rows.prelu(input, input.ndim == 0 and weight:reshape({}) or weight:reshape(sizes))
end)

local read_rrelu = signature("rrelu", {"input!", "lower", "upper", "training", "inplace"},
    {lower = 1 / 8, upper = 1 / 3, training = false, inplace = false})

local function check_slopes(lower, upper)
    if lower > upper then
        raise("RuntimeError", "Lower bound should be less than or equal to the upper bound")
    end
end

-- Leaky relu with a slope drawn for each negative element while training, else the mean slope.
function F.rrelu(...)
    local input, lower, upper, training, inplace = read_rrelu(...)
    check_slopes(lower, upper)
    if not training then
        local y = F.leaky_relu(input, (lower + upper) / 2, inplace)
        return inplace and y or torch._named("RreluWithNoiseBackward0", y)
    end
    local slopes = torch.ones_like(input:detach())
    local negative = input:detach():le(0)
    local drawn = torch.empty(negative:sum():item(), {dtype = torch.float64}):uniform_(lower, upper)
    slopes:masked_scatter_(negative, drawn:to(input.dtype))
    if inplace then return input:mul_(slopes) end
    return torch._named("RreluWithNoiseBackward0", rows.leaky_relu(input, slopes))
end

local read_rrelu_ = signature("rrelu_", {"input!", "lower", "upper", "training"},
    {lower = 1 / 8, upper = 1 / 3, training = false})
function F.rrelu_(...)
    local input, lower, upper, training = read_rrelu_(...)
    return F.rrelu(input, lower, upper, training, true)
end

-- ---- along a dim ----

-- The dim PyTorch's softmax takes when none is named.
local function implicit_dim(ndim)
    return (ndim == 0 or ndim == 1 or ndim == 3) and 0 or 1
end

local function along(name, run)
    local read = signature(name, {"input!", "dim", "_stacklevel", "dtype"})
    F[name] = function(...)
        local input, dim, _, dtype = read(...)
        if not torch.is_tensor(input) then
            raise("TypeError", "%s(): argument 'input' (position 1) must be Tensor, not %s", name,
                support.type_word(input))
        end
        if name == "softmin" then input = -input end -- before the type changes
        if dtype ~= nil then input = input:to(dtype) end
        return run(input, dim == nil and implicit_dim(input.ndim) or dim)
    end
end

along("softmax", function(input, dim) return torch.softmax(input, dim) end)
along("log_softmax", function(input, dim) return torch.log_softmax(input, dim) end)
along("softmin", function(input, dim) return torch.softmax(input, dim) end)

local read_gumbel = signature("gumbel_softmax", {"logits!", "tau", "hard", "eps", "dim"},
    {tau = 1, hard = false, dim = -1})

function F.gumbel_softmax(...)
    local logits, tau, hard, _, dim = read_gumbel(...)
    local gumbels = -torch.empty_like(logits, {memory_format = torch.contiguous_format}):exponential_():log()
    local soft = ((logits + gumbels) / tau):softmax(dim)
    if not hard then return soft end
    local _, index = soft:max(dim, true)
    local one_hot = torch.zeros_like(logits):scatter_(dim, index, 1.0)
    return one_hot - soft:detach() + soft
end

return F
