-- Modules of the losses: each keeps its options and calls the function of the same name with them.
local support = require "torch.support"
local class = require "torch.nn.class"
local Module = require "torch.nn.module".Module
local F = require "torch.functional"

local losses = {}

-- Declares the module NAME over f. options: its arguments in order as {name, default}; weights among them
-- (`buffers`) become buffers, so that they follow the module's device.
local function declare(name, f, options, buffers)
    local Class = class.derive(name, Module)
    local params, defaults, named = {}, {}, {}
    for i, option in ipairs(options) do
        params[i], defaults[option[1]] = option[1], option[2]
        if option[1] ~= "size_average" and option[1] ~= "reduce" then named[#named + 1] = option[1] end
    end
    local read = support.signature(name .. ".__init__", params, defaults)
    local is_buffer = {}
    for _, buffer in ipairs(buffers or {}) do is_buffer[buffer] = true end
    function Class:init(...)
        local values = table.pack(read(...))
        for i, param in ipairs(params) do
            if is_buffer[param] then
                self:register_buffer(param, values[i])
            elseif param ~= "size_average" and param ~= "reduce" then
                rawset(self, param, values[i])
            end
        end
    end
    function Class:_options()
        local chosen = {}
        for _, key in ipairs(named) do chosen[key] = self[key] end
        return chosen
    end
    function Class:forward(a, b, c)
        if c == nil then return f(a, b, self:_options()) end
        return f(a, b, c, self:_options())
    end
    losses[name] = Class
end

-- The options every loss ends with, after its own.
local function with_reduction(...)
    local own = {...}
    for _, option in ipairs {{"size_average"}, {"reduce"}, {"reduction", "mean"}} do
        own[#own + 1] = option
    end
    return own
end

declare("MSELoss", F.mse_loss, with_reduction())
declare("L1Loss", F.l1_loss, with_reduction())
declare("SmoothL1Loss", F.smooth_l1_loss,
    {{"size_average"}, {"reduce"}, {"reduction", "mean"}, {"beta", 1.0}})
declare("HuberLoss", F.huber_loss, {{"reduction", "mean"}, {"delta", 1.0}})
declare("BCELoss", F.binary_cross_entropy, with_reduction({"weight"}), {"weight"})
declare("BCEWithLogitsLoss", F.binary_cross_entropy_with_logits,
    {{"weight"}, {"size_average"}, {"reduce"}, {"reduction", "mean"}, {"pos_weight"}},
        {"weight", "pos_weight"})
declare("NLLLoss", F.nll_loss, {{"weight"}, {"size_average"}, {"ignore_index", -100}, {"reduce"},
    {"reduction", "mean"}}, {"weight"})
declare("CrossEntropyLoss", F.cross_entropy,
    {{"weight"}, {"size_average"}, {"ignore_index", -100}, {"reduce"}, {"reduction", "mean"},
        {"label_smoothing", 0.0}}, {"weight"})
declare("KLDivLoss", F.kl_div, {{"size_average"}, {"reduce"}, {"reduction", "mean"}, {"log_target", false}})
declare("PoissonNLLLoss", F.poisson_nll_loss,
    {{"log_input", true}, {"full", false}, {"size_average"}, {"eps", 1e-08}, {"reduce"},
        {"reduction", "mean"}})
declare("GaussianNLLLoss", F.gaussian_nll_loss, {{"full", false}, {"eps", 1e-06}, {"reduction", "mean"}})
declare("HingeEmbeddingLoss", F.hinge_embedding_loss, with_reduction({"margin", 1.0}))
declare("MarginRankingLoss", F.margin_ranking_loss, with_reduction({"margin", 0.0}))
declare("SoftMarginLoss", F.soft_margin_loss, with_reduction())
declare("CosineEmbeddingLoss", F.cosine_embedding_loss, with_reduction({"margin", 0.0}))
declare("MultiMarginLoss", F.multi_margin_loss, with_reduction({"p", 1}, {"margin", 1.0}, {"weight"}),
    {"weight"})
declare("TripletMarginLoss", F.triplet_margin_loss,
    with_reduction({"margin", 1.0}, {"p", 2.0}, {"eps", 1e-06}, {"swap", false}))

declare("MultiLabelMarginLoss", F.multilabel_margin_loss, with_reduction())
declare("MultiLabelSoftMarginLoss", F.multilabel_soft_margin_loss, with_reduction({"weight"}), {"weight"})

local function check_margin(name, margin)
    if margin > 0 then return end
    support.raise("ValueError", "%s: expected margin to be greater than 0, got %s instead", name,
        support.repr(margin))
end

local init_triplet = losses.TripletMarginLoss.init
function losses.TripletMarginLoss:init(...)
    init_triplet(self, ...)
    check_margin("TripletMarginLoss", self.margin)
end

local init_multi = losses.MultiMarginLoss.init
function losses.MultiMarginLoss:init(...)
    init_multi(self, ...)
    if self.p ~= 1 and self.p ~= 2 then support.raise("ValueError", "only p == 1 and p == 2 supported") end
    if self.weight ~= nil and self.weight.ndim ~= 1 then
        support.raise("ValueError",
            "MultiMarginLoss: expected weight to be None or 1D tensor, got %dD instead",
            self.weight.ndim)
    end
end

local TripletWithDistance = class.derive("TripletMarginWithDistanceLoss", Module)
local read_triplet = support.signature("TripletMarginWithDistanceLoss.__init__",
    {"distance_function", "margin", "swap", "reduction"}, {margin = 1.0, swap = false, reduction = "mean"})
function TripletWithDistance:init(...)
    local distance
    distance, self.margin, self.swap, self.reduction = read_triplet(...)
    check_margin("TripletMarginWithDistanceLoss", self.margin)
    self.distance_function = distance or losses.PairwiseDistance()
end
function TripletWithDistance:forward(anchor, positive, negative)
    return F.triplet_margin_with_distance_loss(anchor, positive, negative, self.distance_function,
        self.margin,
        self.swap, self.reduction)
end
losses.TripletMarginWithDistanceLoss = TripletWithDistance

local CTCLoss = class.derive("CTCLoss", Module)
local read_ctc = support.signature("CTCLoss.__init__", {"blank", "reduction", "zero_infinity"},
    {blank = 0, reduction = "mean", zero_infinity = false})
function CTCLoss:init(...) self.blank, self.reduction, self.zero_infinity = read_ctc(...) end
function CTCLoss:forward(log_probs, targets, input_lengths, target_lengths)
    return F.ctc_loss(log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction,
        self.zero_infinity)
end
losses.CTCLoss = CTCLoss

local CosineSimilarity = class.derive("CosineSimilarity", Module)
local read_cosine = support.signature("CosineSimilarity.__init__", {"dim", "eps:float"}, {dim = 1,
    eps = 1e-08})
function CosineSimilarity:init(...) self.dim, self.eps = read_cosine(...) end
function CosineSimilarity:forward(x1, x2) return F.cosine_similarity(x1, x2, self.dim, self.eps) end
losses.CosineSimilarity = CosineSimilarity

local PairwiseDistance = class.derive("PairwiseDistance", Module)
local read_distance = support.signature("PairwiseDistance.__init__", {"p", "eps:float", "keepdim"},
    {p = 2.0, eps = 1e-06, keepdim = false})
function PairwiseDistance:init(...) self.norm, self.eps, self.keepdim = read_distance(...) end
function PairwiseDistance:forward(x1, x2)
    return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
end
losses.PairwiseDistance = PairwiseDistance

return losses
