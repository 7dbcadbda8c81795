-- The functions of networks that torch itself has: those of torch.nn.functional with torch's own order of
-- arguments and reductions by number.
local support = require "torch.support"
local F = require "torch.functional"
local signature = support.signature

local top = {}

local REDUCTIONS = {[0] = "none", "mean", "sum"}

-- Declares torch.NAME(params…), which gives values to `run` in the order read. A parameter named reduction is
-- a number, 0 (none) unless given, as PyTorch reads it.
local function declare(name, params, defaults, run)
    defaults = defaults or {}
    local at
    for i, param in ipairs(params) do
        if param == "reduction" then at, defaults.reduction = i, 0 end
    end
    local read = signature(name, params, defaults)
    if not at then
        top[name] = function(...) return run(read(...)) end
        return
    end
    top[name] = function(...)
        local values = table.pack(read(...))
        values[at] = REDUCTIONS[values[at]] or support.raise("ValueError",
            "%s is not a valid value for reduction",
            tostring(values[at]))
        return run(table.unpack(values, 1, #params))
    end
end

-- ---- convolutions and pooling: F's own arguments ----

for n = 1, 3 do
    local name, transposed = ("conv%dd"):format(n), ("conv_transpose%dd"):format(n)
    top[name], top[transposed] = F[name], F[transposed]
    declare(("max_pool%dd"):format(n), {"input!", "kernel_size!", "stride", "padding", "dilation",
        "ceil_mode"},
        {padding = 0, dilation = 1, ceil_mode = false}, F[("max_pool%dd"):format(n)])
end
top.max_pool1d_with_indices = F.max_pool1d_with_indices
top.avg_pool1d, top.adaptive_avg_pool1d = F.avg_pool1d, F.adaptive_avg_pool1d
top.adaptive_max_pool1d = F.adaptive_max_pool1d_with_indices

-- ---- normalisation ----

declare("batch_norm", {"input!", "weight", "bias", "running_mean", "running_var", "training!", "momentum!",
    "eps!",
    "cudnn_enabled!"}, nil, function(input, weight, bias, mean, var, training, momentum, eps)
    return F.batch_norm(input, mean, var, weight, bias, training, momentum, eps)
end)
declare("instance_norm", {"input!", "weight", "bias", "running_mean", "running_var", "use_input_stats!",
    "momentum!",
    "eps!", "cudnn_enabled!"}, nil, function(input, weight, bias, mean, var, training, momentum, eps)
    return F.instance_norm(input, mean, var, weight, bias, training, momentum, eps)
end)
declare("layer_norm", {"input!", "normalized_shape!", "weight", "bias", "eps", "cudnn_enable"}, {eps = 1e-05},
    function(input, shape, weight, bias, eps) return F.layer_norm(input, shape, weight, bias, eps) end)
declare("group_norm", {"input!", "num_groups!", "weight", "bias", "eps", "cudnn_enabled"}, {eps = 1e-05},
    function(input, groups, weight, bias, eps) return F.group_norm(input, groups, weight, bias, eps) end)
top.rms_norm = F.rms_norm

-- ---- rows of tables ----

declare("embedding", {"weight!", "indices:Tensor!", "padding_idx:int", "scale_grad_by_freq", "sparse"},
    {padding_idx = -1, scale_grad_by_freq = false, sparse = false},
    function(weight, indices, padding, by_frequency, sparse)
        if padding < 0 then padding = nil end
        return F.embedding(indices, weight, padding, nil, 2.0, by_frequency, sparse)
    end)

-- ---- dropout, in place with an underscore ----

for name, f in pairs {dropout = F.dropout, alpha_dropout = F.alpha_dropout,
    feature_dropout = F._feature_dropout,
    feature_alpha_dropout = F.feature_alpha_dropout} do
    declare(name, {"input!", "p!", "train!"}, nil, function(input, p, train) return f(input, p, train,
        false) end)
    declare(name .. "_", {"input!", "p!", "train!"}, nil, function(input, p, train) return f(input, p,
        train, true) end)
end

-- ---- activations ----

declare("threshold", {"input!", "threshold!", "value!"}, nil, F.threshold)
declare("threshold_", {"input!", "threshold!", "value!"}, nil, F.threshold_)
declare("prelu", {"input!", "weight!"}, nil, F.prelu)
declare("rrelu", {"input!", "lower", "upper", "training"}, {lower = 0.125, upper = 1 / 3,
    training = false}, F.rrelu)
top.rrelu_ = F.rrelu_
declare("hardshrink", {"input!", "lambd"}, {lambd = 0.5}, F.hardshrink)
declare("celu", {"input!", "alpha"}, {alpha = 1.0}, F.celu)
declare("celu_", {"input!", "alpha"}, {alpha = 1.0}, F.celu_)

-- ---- losses and distances ----

declare("binary_cross_entropy_with_logits", {"input!", "target!", "weight", "pos_weight", "reduction"}, nil,
    function(input, target, weight, pos_weight, reduction)
        return F.binary_cross_entropy_with_logits(input, target, weight, nil, nil, reduction, pos_weight)
    end)
declare("kl_div", {"input!", "target!", "reduction", "log_target"}, {log_target = false},
    function(input, target, reduction, log_target)
        return F.kl_div(input, target, nil, nil, reduction, log_target)
    end)
declare("poisson_nll_loss", {"input!", "target!", "log_input!", "full!", "eps!", "reduction"}, nil,
    function(input, target, log_input, full, eps, reduction)
        return F.poisson_nll_loss(input, target, log_input, full, nil, eps, nil, reduction)
    end)
declare("hinge_embedding_loss", {"input!", "target!", "margin", "reduction"}, {margin = 1.0},
    function(input, target, margin, reduction)
        return F.hinge_embedding_loss(input, target, margin, nil, nil, reduction)
    end)
for _, name in ipairs {"margin_ranking_loss", "cosine_embedding_loss"} do
    local f = F[name]
    declare(name, {"input1!", "input2!", "target!", "margin", "reduction"}, {margin = 0.0},
        function(input1, input2, target, margin, reduction)
            return f(input1, input2, target, margin, nil, nil, reduction)
        end)
end
declare("triplet_margin_loss", {"anchor!", "positive!", "negative!", "margin", "p", "eps", "swap",
    "reduction"},
    {margin = 1.0, p = 2.0, eps = 1e-06, swap = false},
    function(anchor, positive, negative, margin, p, eps, swap, reduction)
        return F.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, nil, nil, reduction)
    end)
declare("ctc_loss", {"log_probs!", "targets!", "input_lengths!", "target_lengths!", "blank", "reduction",
    "zero_infinity"}, {blank = 0, zero_infinity = false}, F.ctc_loss)
top.cosine_similarity, top.pairwise_distance = F.cosine_similarity, F.pairwise_distance
top.bilinear = F.bilinear

declare("native_channel_shuffle", {"input!", "groups!"}, nil, F.channel_shuffle)
top.channel_shuffle = top.native_channel_shuffle

return top
