-- Embedding: rows of a table by index.
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

-- Rows looked up whose norm is above max_norm are scaled down to it first.
local function renormalise(self, input)
    local _ <close> = torch.no_grad()
    local used = torch.unique(input)
    local rows = self.weight:index_select(0, used)
    local norms = rows:norm(self.norm_type, 1, true)
    local scale = torch.where(norms:gt(self.max_norm), (norms + 1e-07):reciprocal() * self.max_norm, 1.0)
    self.weight:index_copy_(0, used, rows * scale)
end

function Embedding:forward(input)
    if self.max_norm then renormalise(self, input) end
    return F.embedding(input, self.weight, self.padding_idx)
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

local read_pretrained = support.signature("from_pretrained", {"embeddings!", "freeze", "padding_idx"},
    {freeze = true})

-- nn.Embedding.from_pretrained(weights, {freeze=true, padding_idx=nil}): a module over given rows.
function Embedding.from_pretrained(...)
    local weight, freeze, padding = read_pretrained(...)
    return Embedding(weight.shape[0], weight.shape[1],
        {padding_idx = padding, _weight = weight, _freeze = freeze})
end

return {Embedding = Embedding}
