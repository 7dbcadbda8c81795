-- torch.nn.init: fills tensors in place, drawing the numbers PyTorch draws; bounds are computed in double.
local torch = require "torch"
local support = require "torch.support"
local raise, signature, option = support.raise, support.signature, support.option

local init = {}

-- Declares init.NAME: f(tensor, …) runs outside autograd and the tensor is returned.
local function filler(name, params, defaults, f)
    local read = signature(name, {"tensor!", table.unpack(params)}, defaults)
    local function run(tensor, ...)
        if not torch.is_tensor(tensor) then
            raise("TypeError", "%s(): argument 'tensor' (position 1) must be Tensor, not %s", name,
                support.type_word(tensor))
        end
        local _ <close> = torch.no_grad()
        f(tensor, ...)
        return tensor
    end
    init[name] = function(...) return run(read(...)) end
end

-- ---- fans and gains ----

local GAINS = {linear = 1, conv1d = 1, conv2d = 1, conv3d = 1, conv_transpose1d = 1, conv_transpose2d = 1,
    conv_transpose3d = 1,
    sigmoid = 1, tanh = 5.0 / 3, relu = math.sqrt(2.0), selu = 3.0 / 4}

-- The recommended gain after a nonlinearity; `param` is leaky_relu's slope.
function init.calculate_gain(nonlinearity, param)
    if nonlinearity == "leaky_relu" then
        local slope = param == nil and 0.01 or param
        if type(slope) ~= "number" then
            raise("ValueError", "negative_slope %s not a valid number", tostring(slope))
        end
        return math.sqrt(2.0 / (1 + slope ^ 2))
    end
    return GAINS[nonlinearity] or raise("ValueError", "Unsupported nonlinearity %s", tostring(nonlinearity))
end

local function fans(tensor)
    if tensor.ndim < 2 then
        raise("ValueError", "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions")
    end
    local field = 1
    for i = 2, tensor.ndim - 1 do field = field * tensor.shape[i] end
    return tensor.shape[1] * field, tensor.shape[0] * field
end
init._calculate_fan_in_and_fan_out = fans

local function kaiming_std(tensor, a, mode, nonlinearity)
    local fan_in, fan_out = fans(tensor)
    if mode ~= "fan_in" and mode ~= "fan_out" then
        raise("ValueError", "Mode %s not supported, please use one of ['fan_in', 'fan_out']", tostring(mode))
    end
    return init.calculate_gain(nonlinearity, a) / math.sqrt(mode == "fan_in" and fan_in or fan_out)
end

local function xavier_std(tensor, gain)
    local fan_in, fan_out = fans(tensor)
    return gain * math.sqrt(2.0 / (fan_in + fan_out))
end

-- ---- fills ----

filler("uniform_", {"a", "b", "generator"}, {a = 0.0, b = 1.0}, function(t, a, b, generator)
    t:uniform_(a, b, option("generator", generator))
end)

filler("normal_", {"mean", "std", "generator"}, {mean = 0.0, std = 1.0}, function(t, mean, std, generator)
    t:normal_(mean, std, option("generator", generator))
end)

filler("constant_", {"val!"}, nil, function(t, value) t:fill_(value) end)
filler("ones_", {}, nil, function(t) t:fill_(1) end)
filler("zeros_", {}, nil, function(t) t:zero_() end)

filler("eye_", {}, nil, function(t)
    if t.ndim ~= 2 then raise("ValueError", "Only tensors with 2 dimensions are supported") end
    t:copy_(torch.eye(t.shape[0], t.shape[1]))
end)

filler("xavier_uniform_", {"gain", "generator"}, {gain = 1.0}, function(t, gain, generator)
    local a = math.sqrt(3.0) * xavier_std(t, gain)
    t:uniform_(-a, a, option("generator", generator))
end)

filler("xavier_normal_", {"gain", "generator"}, {gain = 1.0}, function(t, gain, generator)
    t:normal_(0.0, xavier_std(t, gain), option("generator", generator))
end)

local KAIMING = {"a", "mode", "nonlinearity", "generator"}
local KAIMING_DEFAULTS = {a = 0, mode = "fan_in", nonlinearity = "leaky_relu"}

filler("kaiming_uniform_", KAIMING, KAIMING_DEFAULTS, function(t, a, mode, nonlinearity, generator)
    if t:numel() == 0 then return end
    local bound = math.sqrt(3.0) * kaiming_std(t, a, mode, nonlinearity)
    t:uniform_(-bound, bound, option("generator", generator))
end)

filler("kaiming_normal_", KAIMING, KAIMING_DEFAULTS, function(t, a, mode, nonlinearity, generator)
    if t:numel() == 0 then return end
    t:normal_(0.0, kaiming_std(t, a, mode, nonlinearity), option("generator", generator))
end)

-- The normal distribution function.
local function normal_cdf(x)
    return (1.0 + torch.tensor(x / math.sqrt(2.0), {dtype = torch.float64}):erf():item()) / 2.0
end

-- Normal numbers, those outside the bounds drawn anew, all at once, until none is.
local function redraw(t, mean, std, a, b, g)
    local low, high = t:new_tensor(a):item(), t:new_tensor(b):item()
    t:normal_(mean, std, g)
    while true do
        local outside = t:lt(low):logical_or_(t:gt(high))
        if not outside:any():item() then return end
        t:copy_(torch.where(outside, torch.empty_like(t):normal_(mean, std, g), t))
    end
end

-- Uniform numbers, kept with a probability that falls from 1 at the density's peak within the bounds.
local function reject(t, mean, std, a, b, g)
    local peak = -0.5 * ((math.max(a, math.min(mean, b)) - mean) / std) ^ 2
    local function refused(candidates)
        local density = candidates:clone():sub_(mean):div_(std):pow_(2):mul_(-0.5):sub_(peak)
        return torch.empty_like(t):uniform_(g):log_():gt(density)
    end
    t:uniform_(a, b, g)
    local pending = refused(t)
    while pending:any():item() do
        local candidates = torch.empty_like(t):uniform_(a, b, g)
        t:copy_(torch.where(pending, candidates, t))
        pending = torch.where(pending, refused(candidates), pending)
    end
end

filler("trunc_normal_", {"mean", "std", "a", "b", "generator"}, {mean = 0.0, std = 1.0, a = -2.0, b = 2.0},
    function(t, mean, std, a, b, generator)
        if mean < a - 2 * std or mean > b + 2 * std then
            support.warn("mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of " ..
                "values may be incorrect.")
        end
        local share = normal_cdf((b - mean) / std) - normal_cdf((a - mean) / std)
        local draw = share > 0.3 and redraw or reject
        draw(t, mean, std, a, b, (option("generator", generator)))
    end)

filler("dirac_", {"groups"}, {groups = 1}, function(t, groups)
    if t.ndim < 3 or t.ndim > 5 then
        raise("ValueError", "Only tensors with 3, 4, or 5 dimensions are supported")
    end
    if t.shape[0] % groups ~= 0 then raise("ValueError", "dim 0 must be divisible by groups") end
    local outputs = t.shape[0] // groups
    t:zero_()
    local centre = t
    for d = t.ndim - 1, 2, -1 do centre = centre:select(d, t.shape[d] // 2) end
    for group = 0, groups - 1 do
        for i = 0, math.min(outputs, t.shape[1]) - 1 do centre[{group * outputs + i, i}] = 1 end
    end
end)

filler("orthogonal_", {"gain", "generator"}, {gain = 1}, function(t, gain, generator)
    if t.ndim < 2 then raise("ValueError", "Only tensors with 2 or more dimensions are supported") end
    if t:numel() == 0 then return end
    local rows, columns = t.shape[0], t:numel() // t.shape[0]
    local flat = t:new_empty({rows, columns}):normal_(0, 1, option("generator", generator))
    local q, r = torch.linalg.qr(rows < columns and flat:t() or flat)
    q = q * r:diagonal():sign()
    t:view({rows, columns}):copy_(rows < columns and q:t() or q)
    t:mul_(gain)
end)

filler("sparse_", {"sparsity!", "std", "generator"}, {std = 0.01}, function(t, sparsity, std, generator)
    if t.ndim ~= 2 then raise("ValueError", "Only tensors with 2 dimensions are supported") end
    local rows, columns = t.shape[0], t.shape[1]
    local zeros = math.ceil(sparsity * rows)
    t:normal_(0, std, option("generator", generator))
    for column = 0, columns - 1 do
        local order = torch.randperm(rows)
        for i = 0, zeros - 1 do t[{order[i]:item(), column}] = 0 end
    end
end)

return init
