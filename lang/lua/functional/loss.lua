-- Losses of torch.nn.functional: reduction, weights and PyTorch's checks over the op table's rows.
local torch = require "torch"
local support = require "torch.support"
local rows = torch._nn
local raise, signature = support.raise, support.signature

local F = {}
local CODES = {none = 0, mean = 1, sum = 2}

-- The rows' number for a reduction.
local function code(reduction)
    return CODES[reduction] or raise("ValueError", "%s is not a valid value for reduction",
        tostring(reduction))
end

local function reduced(loss, reduction)
    if reduction == "mean" then return loss:mean() end
    if reduction == "sum" then return loss:sum() end
    code(reduction)
    return loss
end

local function check_tensor(name, word, position, value)
    if not torch.is_tensor(value) then
        raise("TypeError", "%s(): argument '%s' (position %d) must be Tensor, not %s", name, word, position,
            support.type_word(value))
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

-- Refuses input of a type that PyTorch's kernel does not take.
local function check_floating(input, kernel, no_halves)
    local half = input.dtype == torch.float16 or input.dtype == torch.bfloat16
    if input:is_floating_point() and not (no_halves and half) then return end
    raise("NotImplementedError", "\"%s\" not implemented for '%s'", kernel,
        input:type():match("torch%.(%w+)Tensor"))
end

local PAIR = {"input", "target", "size_average", "reduce", "reduction"}

local function same_sizes(a, b)
    return tostring(a.shape) == tostring(b.shape)
end

-- ---- distances ----

-- Sizes that only broadcast to each other are usually a mistake.
local function warn_of_sizes(input, target)
    if same_sizes(input, target) then return end
    support.warn("Using a target size (%s) that is different to the input size (%s). This will likely " ..
        "lead to " ..
        "incorrect results due to broadcasting. Please ensure they have the same size.",
            tostring(target.shape),
        tostring(input.shape))
end

loss("mse_loss", {"input", "target", "size_average", "reduce", "reduction", "weight"}, {}, 2,
    function(input, target, _, _, reduction, weight)
        warn_of_sizes(input, target)
        if weight == nil then return rows.mse_loss(input, target, code(reduction)) end
        local weighted = (input - target):square() * weight
        if reduction ~= "mean" then return reduced(weighted, reduction) end
        return weighted:sum() / weight:expand_as(weighted):sum()
    end)

loss("l1_loss", PAIR, {}, 2, function(input, target, _, _, reduction)
    warn_of_sizes(input, target)
    return rows.l1_loss(input, target, code(reduction))
end)

loss("smooth_l1_loss", {"input", "target", "size_average", "reduce", "reduction", "beta"}, {beta = 1.0}, 2,
    function(input, target, _, _, reduction, beta)
        warn_of_sizes(input, target)
        if beta > 0 then
            check_floating(torch.promote_types(input.dtype, target.dtype) == input.dtype and input or target,
                "smooth_l1_cpu")
        end
        return rows.smooth_l1_loss(input, target, code(reduction), beta)
    end)

loss("huber_loss", {"input", "target", "reduction", "delta"}, {delta = 1.0}, 2,
    function(input, target, reduction, delta)
        warn_of_sizes(input, target)
        check_floating(torch.promote_types(input.dtype, target.dtype) == input.dtype and input or target,
            "huber_cpu")
        return rows.huber_loss(input, target, code(reduction), delta)
    end)

-- ---- probabilities ----

loss("binary_cross_entropy", {"input", "target", "weight", "size_average", "reduce", "reduction"}, {}, 2,
    function(input, target, weight, _, _, reduction)
        if not same_sizes(input, target) then
            raise("ValueError", "Using a target size (%s) that is different to the input size (%s) is " ..
                "deprecated. " ..
                "Please ensure they have the same size.", tostring(target.shape), tostring(input.shape))
        end
        return rows.binary_cross_entropy(input, target, weight, code(reduction))
    end)

loss("binary_cross_entropy_with_logits",
    {"input", "target", "weight", "size_average", "reduce", "reduction", "pos_weight"}, {}, 2,
    function(input, target, weight, _, _, reduction, pos_weight)
        if not same_sizes(input, target) then
            raise("ValueError", "Target size (%s) must be the same as input size (%s)",
                tostring(target.shape), tostring(input.shape))
        end
        return rows.binary_cross_entropy_with_logits(input, target, weight, pos_weight, code(reduction))
    end)

loss("nll_loss", {"input", "target", "weight", "size_average", "ignore_index", "reduce", "reduction"},
    {ignore_index = -100}, 2,
    function(input, target, weight, _, ignore_index, _, reduction)
        return rows.nll_loss(input, target, weight, ignore_index, code(reduction))
    end)

loss("cross_entropy",
    {"input", "target", "weight", "size_average", "ignore_index", "reduce", "reduction", "label_smoothing"},
    {ignore_index = -100, label_smoothing = 0.0}, 2,
    function(input, target, weight, _, ignore_index, _, reduction, smoothing)
        return rows.cross_entropy(input, target, weight, ignore_index, code(reduction), smoothing)
    end)

loss("kl_div", {"input", "target", "size_average", "reduce", "reduction", "log_target"},
    {log_target = false}, 2,
    function(input, target, _, _, reduction, log_target)
        if reduction ~= "batchmean" then return rows.kl_div(input, target, code(reduction), log_target) end
        local sum = rows.kl_div(input, target, CODES.sum, log_target)
        return input.ndim > 0 and sum / input.shape[0] or sum
    end)

loss("poisson_nll_loss",
    {"input", "target", "log_input", "full", "size_average", "eps", "reduce", "reduction"},
    {log_input = true, full = false, eps = 1e-08}, 2,
    function(input, target, log_input, full, _, eps, _, reduction)
        local y = log_input and input:exp() - target * input or input - target * (input + eps):log()
        if full then
            local stirling = target * target:log() - target + (target * (2 * math.pi)):log() * 0.5
            y = y + stirling:masked_fill(target:le(1), 0)
        end
        return reduced(y, reduction)
    end)

local read_gaussian = signature("gaussian_nll_loss",
    {"input!", "target!", "var!", "full", "eps", "reduction"},
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
        bounded:clamp_({min = eps})
    end
    local y = (bounded:log() + (input - target):square() / bounded) * 0.5
    if full then y = y + 0.5 * math.log(2 * math.pi) end
    return reduced(y, reduction)
end

-- ---- margins ----

loss("hinge_embedding_loss", {"input", "target", "margin", "size_average", "reduce", "reduction"},
    {margin = 1.0}, 2,
    function(input, target, margin, _, _, reduction)
        local missing = torch.empty_like(input):fill_(margin):sub_(input) -- the margin in the input's type
        local apart = torch.where(target:ne(1), missing:clamp_min(0), 0)
        local together = torch.where(target:ne(-1), input, 0)
        return reduced(apart + together, reduction)
    end)

loss("margin_ranking_loss", {"input1", "input2", "target", "margin", "size_average", "reduce", "reduction"},
    {margin = 0}, 3,
    function(input1, input2, target, margin, _, _, reduction)
        if input1.ndim ~= input2.ndim or input1.ndim ~= target.ndim then
            raise("RuntimeError",
                "margin_ranking_loss : All input tensors should have same dimension but got sizes: " ..
                "input1: %s, input2: %s, target: %s ", tostring(input1.shape), tostring(input2.shape),
                tostring(target.shape))
        end
        return reduced(torch._scalar_overload(-target * (input1 - input2) + margin):clamp_min(0), reduction)
    end)

loss("soft_margin_loss", PAIR, {}, 2, function(input, target, _, _, reduction)
    if target.requires_grad then
        raise("RuntimeError", "The function 'soft_margin_loss' is not differentiable with respect to " ..
            "argument 'target'. This input cannot have requires_grad True.")
    end
    local terms
    if input:is_floating_point() and same_sizes(input, target) then
        terms = rows.soft_margin_terms(input, target:to(input.dtype))
    else
        terms = (-input):mul_(target):exp():log1p()
    end
    return torch._named("SoftMarginLossBackward0", reduced(terms, reduction))
end)

local function list_text(shape)
    local parts = {}
    for i = 1, #shape do parts[i] = tostring(shape[i - 1]) end
    return "[" .. table.concat(parts, ", ") .. "]"
end

-- 1e-12 in single precision, as in PyTorch.
local COSINE_EPSILON = (string.unpack("f", string.pack("f", 1e-12)))

local function check_cosine(input1, input2, target)
    if target.ndim > 1 then
        raise("RuntimeError", "0D or 1D target tensor expected, multi-target not supported")
    end
    local wanted = target.ndim + 1
    if input1.ndim ~= wanted or input2.ndim ~= wanted then
        raise("RuntimeError",
            "%dD target tensor expects %dD input tensors, but found inputs with sizes %s and %s.",
            target.ndim, wanted, list_text(input1.shape), list_text(input2.shape))
    end
end

loss("cosine_embedding_loss", {"input1", "input2", "target", "margin", "size_average", "reduce", "reduction"},
    {margin = 0}, 3,
    function(input1, input2, target, margin, _, _, reduction)
        local dim = input1.ndim == 1 and 0 or 1
        check_cosine(input1, input2, target)
        local product = (input1 * input2):sum(dim)
        local square1 = (input1 * input1):sum(dim) + COSINE_EPSILON
        local square2 = (input2 * input2):sum(dim) + COSINE_EPSILON
        local cosine = product / (square1 * square2):sqrt()
        local together = torch.where(target:eq(1), -cosine + 1, 0)
        local apart = torch.where(target:eq(-1), (cosine - margin):clamp_min(0), 0)
        return reduced(together + apart, reduction)
    end)

local function check_classes(input, target, weight)
    local n, classes = input.ndim == 2 and input.shape[0] or 1, input.ndim > 0 and input.shape[-1] or 1
    if input.ndim > 2 or input.ndim > 0 and classes == 0 then
        raise("RuntimeError",
            "Expected non-empty vector or matrix with optional 0-dim batch size, but got: %s",
            list_text(input.shape))
    end
    if not (target.ndim <= 1 and target:numel() == n) then
        raise("RuntimeError",
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input " ..
            "samples (batch size). Expected target size [%d], but got %s. Input has shape %s.", n,
            list_text(target.shape), list_text(input.shape))
    end
    if weight ~= nil and not (weight.ndim <= 1 and weight:numel() == classes) then
        raise("RuntimeError", "inconsistent weight size, expected %d but got %s", classes,
            list_text(weight.shape))
    end
end

local function check_labels(target, classes)
    if target.dtype ~= torch.int64 then
        raise("RuntimeError", "expected scalar type Long but found %s",
            target:type():match("torch%.(%w+)Tensor"))
    end
    if target:lt(0):logical_or(target:ge(classes)):any():item() then
        raise("RuntimeError", "target out of range")
    end
end

loss("multi_margin_loss", {"input", "target", "p", "margin", "weight", "size_average", "reduce", "reduction"},
    {p = 1, margin = 1.0}, 2,
    function(input, target, p, margin, weight, _, _, reduction)
        if p ~= 1 and p ~= 2 then raise("ValueError", "only p == 1 and p == 2 supported") end
        local single = input.ndim < 2
        code(reduction)
        if weight ~= nil and weight.ndim ~= 1 then raise("ValueError", "weight must be one-dimensional") end
        check_classes(input, target, weight)
        check_floating(input, "multi_margin_loss_cpu_kernel", true)
        check_labels(target, input.ndim > 0 and input.shape[-1] or 1)
        input = rows.once_differentiable(input, 0)
        local x, y = single and input:reshape({1, -1}) or input, target:reshape({-1, 1})
        local z = (x - x:gather(1, y) + margin):relu()
        if p == 2 then z = z * z end
        if weight ~= nil then z = z * weight:gather(0, y:flatten()):unsqueeze(1) end
        z = z:scatter(1, y, torch.zeros_like(y):to(z.dtype)):sum(1) / x.shape[1]
        return torch._named("MultiMarginLossBackward0", reduced(single and z:reshape({}) or z, reduction))
    end)

local function check_triplet(anchor, positive, negative, margin)
    if margin <= 0 then raise("ValueError", "margin must be greater than 0, got %s", support.repr(margin)) end
    local a, p, n = anchor.ndim, positive.ndim, negative.ndim
    if a == p and p == n then return end
    raise("RuntimeError",
        "The anchor, positive, and negative tensors are expected to have the same number of " ..
        "dimensions, but got: anchor %dD, positive %dD, and negative %dD inputs", a, p, n)
end

loss("triplet_margin_loss",
    {"anchor", "positive", "negative", "margin", "p", "eps", "swap", "size_average", "reduce", "reduction"},
    {margin = 1.0, p = 2, eps = 1e-06, swap = false}, 3,
    function(anchor, positive, negative, margin, p, eps, swap, _, _, reduction)
        local distance = require("torch.functional.distance").pairwise_distance
        check_triplet(anchor, positive, negative, margin)
        local near, far = distance(anchor, positive, p, eps), distance(anchor, negative, p, eps)
        if swap then far = torch.minimum(far, distance(positive, negative, p, eps)) end
        return reduced((torch._scalar_overload(near + margin) - far):clamp_min(0), reduction)
    end)

local read_triplet = signature("triplet_margin_with_distance_loss",
    {"anchor!", "positive!", "negative!", "distance_function", "margin", "swap", "reduction"},
    {margin = 1.0, swap = false, reduction = "mean"})

function F.triplet_margin_with_distance_loss(...)
    local anchor, positive, negative, distance, margin, swap, reduction = read_triplet(...)
    code(reduction)
    check_triplet(anchor, positive, negative, margin)
    distance = distance or require("torch.functional.distance").pairwise_distance
    local near, far = distance(anchor, positive), distance(anchor, negative)
    if swap then far = torch.minimum(far, distance(positive, negative)) end
    return reduced((near + margin - far):clamp_min(0), reduction)
end

-- ---- several labels ----

-- target (n, classes) lists each sample's labels, ended by -1.
loss("multilabel_margin_loss", PAIR, {}, 2, function(input, target, _, _, reduction)
    code(reduction)
    if input.ndim > 2 or input:numel() == 0 then
        raise("RuntimeError",
            "Expected non-empty vector or matrix with optional 0-dim batch size, but got: %s",
            list_text(input.shape))
    end
    if not same_sizes(input, target) then
        raise("RuntimeError", "inconsistent target size: %s for input of size: %s", list_text(target.shape),
            list_text(input.shape))
    end
    local single = input.ndim < 2
    local classes = input:numel() // (single and 1 or input.shape[0])
    check_floating(input, "multilabel_margin_loss_forward_out_frame", true)
    if target:lt(-1):logical_or(target:ge(classes)):any():item() then
        raise("RuntimeError", "argument #2 'target' is out of range")
    end
    input = rows.once_differentiable(input, 1)
    local x, y = input:reshape({-1, classes}), target:reshape({-1, classes})
    local given = y:ge(0):to(torch.int64):cumprod(1)
    local labels = y:clamp_min(0)
    local is_label = torch.zeros_like(y):scatter_add(1, labels, given):gt(0)
    local apart = (x:unsqueeze(1) - x:gather(1, labels):unsqueeze(2) + 1):relu()
    local counted = given:unsqueeze(2) * is_label:logical_not():unsqueeze(1)
    local sums = (apart * counted:to(x.dtype)):sum({1, 2}) / classes
    return torch._named("MultilabelMarginLossBackward0", reduced(single and sums:reshape({}) or sums,
        reduction))
end)

loss("multilabel_soft_margin_loss", {"input", "target", "weight", "size_average", "reduce", "reduction"},
    {}, 2,
    function(input, target, weight, _, _, reduction)
        local y = -(target * rows.log_sigmoid(input) + (1 - target) * rows.log_sigmoid(-input))
        if weight ~= nil then y = y * weight end
        y = y:sum(input.ndim - 1) / input.shape[input.ndim - 1]
        if not CODES[reduction] then raise("ValueError", "%s is not valid", tostring(reduction)) end
        return reduced(y, reduction)
    end)

return F
