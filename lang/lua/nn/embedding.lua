-- Embedding and EmbeddingBag: rows of a table by index.
local torch = require "torch"
local support = require "torch.support"
local class = require "torch.nn.class"
local Module = require "torch.nn.module".Module
local init = require "torch.nn.init"
local F = require "torch.functional"

local Embedding = class.derive("Embedding", Module)
local read = support.signature("Embedding.__init__",
    {"num_embeddings!", "embedding_dim!", "padding_idx", "max_norm", "norm_type", "scale_grad_by_freq",
        "sparse", "_weight", "_freeze",
        "device", "dtype"}, {norm_type = 2.0, scale_grad_by_freq = false, sparse = false, _freeze = false})

function Embedding:init(...)
    local weight, freeze, device, dtype
    self.num_embeddings, self.embedding_dim, self.padding_idx, self.max_norm, self.norm_type,
        self.scale_grad_by_freq, self.sparse,
        weight, freeze, device, dtype = read(...)
    local padding, n = self.padding_idx, self.num_embeddings
    if padding ~= nil then
        if padding >= n or padding < -n then
            support.raise("AssertionError", "Padding_idx must be within num_embeddings")
        end
        self.padding_idx = padding % n
    end
    if weight == nil then
        local options = (device ~= nil or dtype ~= nil) and {device = device, dtype = dtype} or nil
        self.weight = torch.nn.Parameter(torch.empty({n, self.embedding_dim}, options), not freeze)
        self:reset_parameters()
    else
        if weight.ndim ~= 2 or weight.shape[0] ~= n or weight.shape[1] ~= self.embedding_dim then
            support.raise("AssertionError", "Shape of weight does not match num_embeddings and embedding_dim")
        end
        self.weight = torch.nn.Parameter(weight, not freeze)
    end
end

function Embedding:reset_parameters()
    init.normal_(self.weight)
    if self.padding_idx == nil then return end
    local _ <close> = torch.no_grad()
    self.weight[self.padding_idx]:fill_(0)
end

function Embedding:forward(input)
    return F.embedding(input, self.weight, self.padding_idx, self.max_norm, self.norm_type,
        self.scale_grad_by_freq, self.sparse)
end

function Embedding:extra_repr()
    local parts = {("%d, %d"):format(self.num_embeddings, self.embedding_dim)}
    for _, field in ipairs {{"padding_idx"}, {"max_norm"}, {"norm_type", 2.0}, {"scale_grad_by_freq", false},
        {"sparse", false}} do
        local name, usual = field[1], field[2]
        local value = self[name]
        if value ~= nil and value ~= usual then
            parts[#parts + 1] = ("%s=%s"):format(name, support.repr(value))
        end
    end
    return table.concat(parts, ", ")
end

local read_pretrained = support.signature("from_pretrained",
    {"embeddings!", "freeze", "padding_idx", "max_norm", "norm_type", "scale_grad_by_freq", "sparse"},
    {freeze = true, norm_type = 2.0, scale_grad_by_freq = false, sparse = false})

local function check_pretrained(weight)
    if weight.ndim == 2 then return end
    support.raise("AssertionError", "Embeddings parameter is expected to be 2-dimensional")
end

-- nn.Embedding.from_pretrained(weights, {freeze=true, padding_idx=nil}): a module over given rows.
function Embedding.from_pretrained(...)
    local weight, freeze, padding, max_norm, norm_type, by_frequency, sparse = read_pretrained(...)
    check_pretrained(weight)
    return Embedding(weight.shape[0], weight.shape[1],
        {padding_idx = padding, max_norm = max_norm, norm_type = norm_type, scale_grad_by_freq = by_frequency,
            sparse = sparse, _weight = weight, _freeze = freeze})
end

-- ---- EmbeddingBag ----

local EmbeddingBag = class.derive("EmbeddingBag", Module)
local read_bag = support.signature("EmbeddingBag.__init__",
    {"num_embeddings!", "embedding_dim!", "max_norm", "norm_type", "scale_grad_by_freq", "mode", "sparse",
        "_weight",
        "include_last_offset", "padding_idx", "device", "dtype"},
    {norm_type = 2.0, scale_grad_by_freq = false, mode = "mean", sparse = false, include_last_offset = false})

function EmbeddingBag:init(...)
    local weight, padding, device, dtype
    self.num_embeddings, self.embedding_dim, self.max_norm, self.norm_type, self.scale_grad_by_freq,
        self.mode,
        self.sparse, weight, self.include_last_offset, padding, device, dtype = read_bag(...)
    local n = self.num_embeddings
    if padding ~= nil then
        if padding >= n and padding > 0 or padding < -n then
            support.raise("AssertionError", "padding_idx must be within num_embeddings")
        end
        self.padding_idx = padding % n
    end
    if weight == nil then
        local options = (device ~= nil or dtype ~= nil) and {device = device, dtype = dtype} or nil
        self.weight = torch.nn.Parameter(torch.empty({n, self.embedding_dim}, options))
        self:reset_parameters()
    else
        if weight.ndim ~= 2 or weight.shape[0] ~= n or weight.shape[1] ~= self.embedding_dim then
            support.raise("AssertionError", "Shape of weight does not match num_embeddings and embedding_dim")
        end
        self.weight = torch.nn.Parameter(weight)
    end
end
EmbeddingBag.reset_parameters = Embedding.reset_parameters

function EmbeddingBag:forward(input, offsets, per_sample_weights)
    if support.is_options(offsets) then
        offsets, per_sample_weights = offsets.offsets, offsets.per_sample_weights
    elseif support.is_options(per_sample_weights) then
        per_sample_weights = per_sample_weights.per_sample_weights
    end
    return F.embedding_bag(input, self.weight, offsets, self.max_norm, self.norm_type,
        self.scale_grad_by_freq,
        self.mode, self.sparse, per_sample_weights, self.include_last_offset, self.padding_idx)
end

function EmbeddingBag:extra_repr()
    local s = ("%d, %d"):format(self.num_embeddings, self.embedding_dim)
    if self.max_norm ~= nil then s = s .. ", max_norm=" .. support.repr(self.max_norm) end
    if self.norm_type ~= 2 then s = s .. ", norm_type=" .. support.repr(self.norm_type) end
    if self.scale_grad_by_freq then s = s .. ", scale_grad_by_freq=True" end
    s = s .. ", mode=" .. support.repr(self.mode)
    return self.padding_idx ~= nil and s .. ", padding_idx=" .. support.repr(self.padding_idx) or s
end

local read_pretrained_bag = support.signature("from_pretrained",
    {"embeddings!", "freeze", "max_norm", "norm_type", "scale_grad_by_freq", "mode", "sparse",
        "include_last_offset",
        "padding_idx"},
    {freeze = true, norm_type = 2.0, scale_grad_by_freq = false, mode = "mean", sparse = false,
        include_last_offset = false})

-- nn.EmbeddingBag.from_pretrained(weights, {freeze=true, mode="mean"}): bags of given rows.
function EmbeddingBag.from_pretrained(...)
    local weight, freeze, max_norm, norm_type, by_frequency, mode, sparse, with_last, padding =
        read_pretrained_bag(...)
    check_pretrained(weight)
    local bag = EmbeddingBag(weight.shape[0], weight.shape[1], max_norm, norm_type, by_frequency, mode,
        sparse, weight,
        with_last, padding)
    bag.weight:requires_grad_(not freeze)
    return bag
end

return {Embedding = Embedding, EmbeddingBag = EmbeddingBag}
