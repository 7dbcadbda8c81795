-- Normalisation over batches, samples and groups of channels.
local torch = require "torch"
local support = require "torch.support"
local rows = torch._nn
local raise, signature = support.raise, support.signature

local F = {}

local function check_values(shape, values, where)
    if values == 1 then
        raise("ValueError", "Expected more than 1 %s when training, got input size %s", where,
            tostring(shape))
    end
end

local read_batch = signature("batch_norm",
    {"input!", "running_mean", "running_var", "weight", "bias", "training", "momentum", "eps"},
    {training = false, momentum = 0.1, eps = 1e-05})

-- Nothing has no channels that could be told apart: of weight and bias the first elements are recorded.
local function scaled(nothing, weight, bias)
    if weight ~= nil then nothing = nothing * weight:select(0, 0) end
    return bias ~= nil and nothing + bias:select(0, 0) or nothing
end

function F.batch_norm(...)
    local input, mean, var, weight, bias, training, momentum, eps = read_batch(...)
    if training and input.ndim > 0 then
        local values = input.shape[0]
        for d = 2, input.ndim - 1 do values = values * input.shape[d] end
        check_values(input.shape, values, "value per channel")
    end
    if input:numel() == 0 then return scaled(input:clone(), weight, bias) end
    if not training and (mean == nil or var == nil) then
        raise("RuntimeError", "%s must be defined in evaluation mode", mean == nil and "running_mean" or
            "running_var")
    end
    if not training then return rows.batch_norm_eval(input, weight, bias, mean, var, eps) end
    return rows.batch_norm_train(input, weight, bias, mean, var, momentum, eps)
end

local function list_text(shape)
    local parts = {}
    for i = 1, #shape do parts[i] = tostring(shape[i - 1]) end
    return "[" .. table.concat(parts, ", ") .. "]"
end

local function check_group_values(input, groups)
    if groups <= 0 then return end
    local sizes = {input.shape[0] * input.shape[1] // groups, groups}
    local values = sizes[1]
    for i = 2, input.ndim - 1 do
        sizes[i + 1] = input.shape[i]
        values = values * input.shape[i]
    end
    if values ~= 1 then return end
    raise("ValueError", "Expected more than 1 value per channel when training, got input size [%s]",
        table.concat(sizes, ", "))
end

local function check_per_channel(word, t, input)
    if t == nil or t.ndim == 1 and t.shape[0] == input.shape[1] then return end
    raise("RuntimeError",
        "Expected %s to be a vector of size equal to the number of channels in input, but got " ..
        "%s of shape %s and input of shape %s", word, word, list_text(t.shape), list_text(input.shape))
end

local read_group = signature("group_norm", {"input!", "num_groups!", "weight", "bias", "eps"}, {eps = 1e-05})

function F.group_norm(...)
    local input, groups, weight, bias, eps = read_group(...)
    if input.ndim < 2 then
        raise("RuntimeError", "Expected at least 2 dimensions for input tensor but received %d", input.ndim)
    end
    check_group_values(input, groups)
    check_per_channel("weight", weight, input)
    check_per_channel("bias", bias, input)
    return rows.group_norm(input, groups, weight, bias, eps)
end

local read_instance = signature("instance_norm",
    {"input!", "running_mean", "running_var", "weight", "bias", "use_input_stats", "momentum", "eps"},
    {use_input_stats = true, momentum = 0.1, eps = 1e-05})

-- Each sample's channels are the channels of one sample; running statistics take the samples' mean.
function F.instance_norm(...)
    local input, mean, var, weight, bias, training, momentum, eps = read_instance(...)
    if not training and (mean == nil or var == nil) then
        raise("RuntimeError",
            "Expected running_mean and running_var to be defined when use_input_stats is false")
    end
    local n, channels, shape = input.shape[0], input.shape[1], {1, 0}
    shape[2] = n * channels
    for d = 2, input.ndim - 1 do shape[d + 1] = input.shape[d] end
    if training then
        check_values(input.shape, input:numel() // math.max(n * channels, 1), "spatial element")
    end
    local function for_all(t) return t ~= nil and t:rep(n) or nil end
    local means, vars = for_all(mean), for_all(var)
    local y = F.batch_norm(input:contiguous():view(shape), means, vars, for_all(weight), for_all(bias),
        training, momentum, eps)
    if mean ~= nil and training then
        local _ <close> = torch.no_grad()
        mean:copy_(means:view(n, channels):mean(0))
        var:copy_(vars:view(n, channels):mean(0))
    end
    return y:view(input.shape)
end

return F
