-- Losses of torch.nn.functional: reduction, weights and PyTorch's checks over the op table's rows.
local torch = require "torch"
local support = require "torch.support"
local rows = torch._nn
local raise, signature = support.raise, support.signature

local F = {}
local CODES = {none = 0, mean = 1, sum = 2}

-- The rows' number for a reduction.
local function code(reduction)
    return CODES[reduction] or raise("ValueError", "%s is not a valid value for reduction", tostring(reduction))
end

local function reduced(loss, reduction)
    if reduction == "mean" then return loss:mean() end
    if reduction == "sum" then return loss:sum() end
    code(reduction)
    return loss
end

local function check_tensor(name, word, position, value)
    if not torch.is_tensor(value) then
        raise("TypeError", "%s(): argument '%s' (position %d) must be Tensor, not %s", name, word, position, support.type_word(value))
    end
end

-- Declares F.NAME(input, target, …); `words` are the arguments' names, tensors first (`tensors` of them).
local function loss(name, words, defaults, tensors, run)
    defaults.reduction = "mean"
    local params = table.move(words, 1, #words, 1, {})
    for i = 1, tensors do params[i] = words[i] .. "!" end
    local read = signature(name, params, defaults)
    local function checked(...)
        for i = 1, tensors do check_tensor(name, words[i], i, (select(i, ...))) end
        return run(...)
    end
    F[name] = function(...) return checked(read(...)) end
end

local PAIR = {"input", "target", "size_average", "reduce", "reduction"}

local function same_sizes(a, b)
    return tostring(a.shape) == tostring(b.shape)
end

local function broadcast(a, b)
    if same_sizes(a, b) then return a, b end
    local size = torch.broadcast_shapes(a.shape, b.shape)
    return a:expand(size), b:expand(size)
end

-- ---- distances ----

loss("mse_loss", {"input", "target", "size_average", "reduce", "reduction", "weight"}, {}, 2,
    function(input, target, _, _, reduction, weight)
        input, target = broadcast(input, target)
        if weight == nil then return rows.mse_loss(input, target, code(reduction)) end
        local weighted = (input - target):square() * weight
        if reduction ~= "mean" then return reduced(weighted, reduction) end
        return weighted:sum() / weight:expand_as(weighted):sum()
    end)

loss("l1_loss", PAIR, {}, 2, function(input, target, _, _, reduction)
    return reduced((input - target):abs(), reduction)
end)

loss("smooth_l1_loss", {"input", "target", "size_average", "reduce", "reduction", "beta"}, {beta = 1.0}, 2,
    function(input, target, _, _, reduction, beta)
        if beta < 0 then raise("RuntimeError", "smooth_l1_loss does not support negative values for beta.") end
        local z = (input - target):abs()
        if beta == 0 then return reduced(z, reduction) end
        return reduced(torch.where(z:lt(beta), z * 0.5 * z / beta, z - 0.5 * beta), reduction)
    end)

loss("huber_loss", {"input", "target", "reduction", "delta"}, {delta = 1.0}, 2, function(input, target, reduction, delta)
    if delta <= 0 then raise("RuntimeError", "huber_loss does not support non-positive values for delta.") end
    local z = (input - target):abs()
    return reduced(torch.where(z:le(delta), z * 0.5 * z, (z - 0.5 * delta) * delta), reduction)
end)

-- ---- probabilities ----

loss("binary_cross_entropy", {"input", "target", "weight", "size_average", "reduce", "reduction"}, {}, 2,
    function(input, target, weight, _, _, reduction)
        if not same_sizes(input, target) then
            raise("ValueError", "Using a target size (%s) that is different to the input size (%s) is deprecated. " ..
                "Please ensure they have the same size.", tostring(target.shape), tostring(input.shape))
        end
        if weight ~= nil then weight = weight:expand(target.shape) end
        return rows.binary_cross_entropy(input, target, weight, code(reduction))
    end)

loss("binary_cross_entropy_with_logits", {"input", "target", "weight", "size_average", "reduce", "reduction", "pos_weight"}, {}, 2,
    function(input, target, weight, _, _, reduction, pos_weight)
        if not same_sizes(input, target) then
            raise("ValueError", "Target size (%s) must be the same as input size (%s)", tostring(target.shape), tostring(input.shape))
        end
        return rows.binary_cross_entropy_with_logits(input, target, weight, pos_weight, code(reduction))
    end)

-- (N, C, d1, …) as (N d1 …, C) with the targets flattened alike; `restore` gives unreduced losses their shape back.
local function as_matrix(input, target)
    if input.ndim <= 2 then return input, target, function(y) return y end end
    local shape = target.shape
    return input:movedim(1, -1):reshape({-1, input.shape[1]}), target:reshape({-1}), function(y) return y:reshape(shape) end
end

local function nll(input, target, weight, reduction, ignore_index)
    if input.ndim > 2 and (target.ndim ~= input.ndim - 1 or target.shape[0] ~= input.shape[0]) then
        raise("RuntimeError", "only batches of spatial targets supported (%dD tensors) but got targets of dimension: %d",
            input.ndim - 1, target.ndim)
    end
    local matrix, classes, restore = as_matrix(input, target)
    local y = rows.nll_loss(matrix, classes, weight, code(reduction), ignore_index)
    return reduction == "none" and restore(y) or y
end

loss("nll_loss", {"input", "target", "weight", "size_average", "ignore_index", "reduce", "reduction"}, {ignore_index = -100}, 2,
    function(input, target, weight, _, ignore_index, _, reduction)
        return nll(input, target, weight, reduction, ignore_index)
    end)

-- weight (C) with dims of size 1 around it, to multiply (N, C, d1, …).
local function class_weight(weight, ndim, dim)
    local size = {}
    for i = 1, ndim do size[i] = i == dim + 1 and -1 or 1 end
    return weight:reshape(size)
end

local function cross_entropy_of_probabilities(log_p, target, weight, dim, reduction, smoothing)
    local classes = log_p.shape[dim]
    if smoothing > 0 then target = target * (1 - smoothing) + smoothing / classes end
    local y = log_p * target
    if weight ~= nil then y = y * class_weight(weight, log_p.ndim, dim) end
    if reduction == "none" then return -y:sum(dim) end
    if reduction == "sum" then return -y:sum() end
    return -y:sum() / (log_p:numel() // classes)
end

local function smoothing_term(log_p, target, weight, dim, reduction, ignore_index)
    local y = weight == nil and log_p or log_p * class_weight(weight, log_p.ndim, dim)
    local ignored = target:eq(ignore_index)
    y = (-y:sum(dim)):masked_fill(ignored, 0.0)
    if reduction ~= "mean" then return reduced(y, reduction) end
    local kept = ignored:logical_not()
    if weight == nil then return y:masked_select(kept):mean() end
    return y:sum() / weight:gather(0, target:masked_select(kept):flatten()):sum()
end

loss("cross_entropy",
    {"input", "target", "weight", "size_average", "ignore_index", "reduce", "reduction", "label_smoothing"},
    {ignore_index = -100, label_smoothing = 0.0}, 2,
    function(input, target, weight, _, ignore_index, _, reduction, smoothing)
        code(reduction)
        local dim = input.ndim == 1 and 0 or 1
        if smoothing < 0.0 or smoothing > 1.0 then
            raise("RuntimeError", "label_smoothing must be between 0.0 and 1.0. Got: %g", smoothing)
        end
        if same_sizes(input, target) then
            if not target:is_floating_point() then
                raise("RuntimeError", "Expected floating point type for target with class probabilities, got %s",
                    tostring(target.dtype):gsub("torch%.", ""):gsub("^%l", string.upper))
            end
            if ignore_index >= 0 then raise("RuntimeError", "ignore_index is not supported for floating point target") end
            return cross_entropy_of_probabilities(torch.log_softmax(input, dim), target, weight, dim, reduction, smoothing)
        end
        local log_p = torch.log_softmax(input, dim)
        local y = nll(log_p, target, weight, reduction, ignore_index)
        if smoothing == 0.0 then return y end
        local smooth = smoothing_term(log_p, target, weight, dim, reduction, ignore_index)
        return y * (1 - smoothing) + smooth * (smoothing / log_p.shape[dim])
    end)

loss("kl_div", {"input", "target", "size_average", "reduce", "reduction", "log_target"}, {log_target = false}, 2,
    function(input, target, _, _, reduction, log_target)
        local y = log_target and target:exp() * (target - input) or target:xlogy(target) - target * input
        if reduction == "batchmean" then
            return input.ndim > 0 and y:sum() / input.shape[0] or y:sum()
        end
        return reduced(y, reduction)
    end)

loss("poisson_nll_loss", {"input", "target", "log_input", "full", "size_average", "eps", "reduce", "reduction"},
    {log_input = true, full = false, eps = 1e-08}, 2,
    function(input, target, log_input, full, _, eps, _, reduction)
        local y = log_input and input:exp() - target * input or input - target * (input + eps):log()
        if full then
            local stirling = target * target:log() - target + (target * (2 * math.pi)):log() * 0.5
            y = y + stirling:masked_fill(target:le(1), 0)
        end
        return reduced(y, reduction)
    end)

local read_gaussian = signature("gaussian_nll_loss", {"input!", "target!", "var!", "full", "eps", "reduction"},
    {full = false, eps = 1e-06, reduction = "mean"})

function F.gaussian_nll_loss(...)
    local input, target, var, full, eps, reduction = read_gaussian(...)
    if type(var) == "number" then
        if var < 0 then raise("ValueError", "var has negative entry/entries") end
        var = torch.full_like(input, var)
    elseif not same_sizes(var, input) then
        if var.ndim == input.ndim - 1 then
            var = var:unsqueeze(-1)
        elseif not (var.ndim == input.ndim and var.shape[-1] == 1) then
            raise("ValueError", "var is of incorrect size")
        end
    end
    if var:lt(0):any():item() then raise("ValueError", "var has negative entry/entries") end
    local bounded = var:clone()
    do
        local _ <close> = torch.no_grad()
        bounded:clamp_min_(eps)
    end
    local y = (bounded:log() + (input - target):square() / bounded) * 0.5
    if full then y = y + 0.5 * math.log(2 * math.pi) end
    return reduced(y, reduction)
end

-- ---- margins ----

loss("hinge_embedding_loss", {"input", "target", "margin", "size_average", "reduce", "reduction"}, {margin = 1.0}, 2,
    function(input, target, margin, _, _, reduction)
        local apart = torch.where(target:ne(1), (-input + margin):clamp_min(0), 0)
        local together = torch.where(target:ne(-1), input, 0)
        return reduced(apart + together, reduction)
    end)

loss("margin_ranking_loss", {"input1", "input2", "target", "margin", "size_average", "reduce", "reduction"}, {margin = 0}, 3,
    function(input1, input2, target, margin, _, _, reduction)
        return reduced((-target * (input1 - input2) + margin):clamp_min(0), reduction)
    end)

loss("soft_margin_loss", PAIR, {}, 2, function(input, target, _, _, reduction)
    return reduced((-target * input):exp():log1p(), reduction)
end)

loss("cosine_embedding_loss", {"input1", "input2", "target", "margin", "size_average", "reduce", "reduction"}, {margin = 0}, 3,
    function(input1, input2, target, margin, _, _, reduction)
        local dim = input1.ndim == 1 and 0 or 1
        local product = (input1 * input2):sum(dim)
        local square1, square2 = (input1 * input1):sum(dim) + 1e-12, (input2 * input2):sum(dim) + 1e-12
        local cosine = product / (square1 * square2):sqrt()
        local together = torch.where(target:eq(1), -cosine + 1, 0)
        local apart = torch.where(target:eq(-1), (cosine - margin):clamp_min(0), 0)
        return reduced(together + apart, reduction)
    end)

loss("multi_margin_loss", {"input", "target", "p", "margin", "weight", "size_average", "reduce", "reduction"}, {p = 1, margin = 1.0}, 2,
    function(input, target, p, margin, weight, _, _, reduction)
        if p ~= 1 and p ~= 2 then raise("ValueError", "only p == 1 and p == 2 supported") end
        local single = input.ndim < 2
        local x, y = single and input:reshape({1, -1}) or input, target:reshape({-1, 1})
        local z = (x - x:gather(1, y) + margin):clamp_min(0)
        if p == 2 then z = z * z end
        if weight ~= nil then z = z * weight:gather(0, y:flatten()):unsqueeze(1) end
        z = z:scatter(1, y, torch.zeros_like(y):to(z.dtype)):sum(1) / x.shape[1]
        return reduced(single and z:reshape({}) or z, reduction)
    end)

loss("triplet_margin_loss",
    {"anchor", "positive", "negative", "margin", "p", "eps", "swap", "size_average", "reduce", "reduction"},
    {margin = 1.0, p = 2, eps = 1e-06, swap = false}, 3,
    function(anchor, positive, negative, margin, p, eps, swap, _, _, reduction)
        local distance = require("torch.functional.distance").pairwise_distance
        local near, far = distance(anchor, positive, p, eps), distance(anchor, negative, p, eps)
        if swap then far = torch.minimum(far, distance(positive, negative, p, eps)) end
        return reduced((near - far + margin):clamp_min(0), reduction)
    end)

return F
