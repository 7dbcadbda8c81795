-- MultiheadAttention.
local torch = require "torch"
local support = require "torch.support"
local class = require "torch.nn.class"
local Module = require "torch.nn.module".Module
local Linear = require "torch.nn.linear".Linear
local init = require "torch.nn.init"
local F = require "torch.functional"
local raise, signature = support.raise, support.signature

-- The output projection has a class of its own, as in PyTorch; it is a Linear.
local OutputLinear = class.derive("NonDynamicallyQuantizableLinear", Linear)

local MultiheadAttention = class.derive("MultiheadAttention", Module)
local read = signature("MultiheadAttention.__init__",
    {"embed_dim!", "num_heads!", "dropout", "bias", "add_bias_kv", "add_zero_attn", "kdim", "vdim",
        "batch_first",
        "device", "dtype"},
    {dropout = 0.0, bias = true, add_bias_kv = false, add_zero_attn = false, batch_first = false})

-- The three projections of query, key and value: one parameter where their sizes are equal, else three.
function MultiheadAttention:init(...)
    local embed_dim, num_heads, dropout, bias, add_bias_kv, zero_attn, kdim, vdim, batch_first, device,
        dtype =
        read(...)
    if embed_dim <= 0 or num_heads <= 0 then
        raise("ValueError", "embed_dim and num_heads must be greater than 0, got embed_dim=%d and " ..
            "num_heads=%d " ..
            "instead", embed_dim, num_heads)
    end
    self.embed_dim, self.num_heads, self.dropout, self.batch_first = embed_dim, num_heads, dropout,
        batch_first
    self.kdim, self.vdim, self.add_zero_attn = kdim or embed_dim, vdim or embed_dim, zero_attn
    self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
    self.head_dim = embed_dim // num_heads
    if self.head_dim * num_heads ~= embed_dim then
        raise("AssertionError", "embed_dim must be divisible by num_heads")
    end
    local options = (device ~= nil or dtype ~= nil) and {device = device, dtype = dtype} or nil
    local function parameter(name, wanted, ...)
        self:register_parameter(name, wanted and torch.nn.Parameter(torch.empty({...}, options)) or nil)
    end
    local same = self._qkv_same_embed_dim
    if same then parameter("in_proj_weight", true, 3 * embed_dim, embed_dim) end
    parameter("q_proj_weight", not same, embed_dim, embed_dim)
    parameter("k_proj_weight", not same, embed_dim, self.kdim)
    parameter("v_proj_weight", not same, embed_dim, self.vdim)
    if not same then parameter("in_proj_weight", false) end
    parameter("in_proj_bias", bias, 3 * embed_dim)
    self.out_proj = OutputLinear(embed_dim, embed_dim, {bias = bias, device = device, dtype = dtype})
    if add_bias_kv then
        parameter("bias_k", true, 1, 1, embed_dim)
        parameter("bias_v", true, 1, 1, embed_dim)
    end
    self:_reset_parameters()
end

function MultiheadAttention:_reset_parameters()
    for _, name in ipairs {"in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight"} do
        if self[name] ~= nil then init.xavier_uniform_(self[name]) end
    end
    if self.in_proj_bias ~= nil then
        init.zeros_(self.in_proj_bias)
        init.zeros_(self.out_proj.bias)
    end
    if self.bias_k ~= nil then init.xavier_normal_(self.bias_k) end
    if self.bias_v ~= nil then init.xavier_normal_(self.bias_v) end
end

local read_forward = signature("MultiheadAttention.forward",
    {"query!", "key!", "value!", "key_padding_mask", "need_weights", "attn_mask", "average_attn_weights",
        "is_causal"}, {need_weights = true, average_attn_weights = true, is_causal = false})

-- The output and, with need_weights, the weights: F.multi_head_attention_forward has the shapes; with
-- batch_first
-- the batch dim of batched inputs is the first.
function MultiheadAttention:forward(...)
    local query, key, value, padding, need_weights, mask, average, is_causal = read_forward(...)
    padding = F._canonical_mask(padding, "key_padding_mask", mask, "attn_mask", query.dtype)
    mask = F._canonical_mask(mask, "attn_mask", nil, "", query.dtype)
    local turned = self.batch_first and query.ndim == 3
    if turned then
        local same_query, same_value = rawequal(query, key), rawequal(key, value)
        key = key:transpose(1, 0)
        value = same_value and key or value:transpose(1, 0)
        query = same_query and key or query:transpose(1, 0)
    end
    local y, weights = F.multi_head_attention_forward(query, key, value, self.embed_dim, self.num_heads,
        self.in_proj_weight, self.in_proj_bias, self.bias_k, self.bias_v, self.add_zero_attn, self.dropout,
        self.out_proj.weight, self.out_proj.bias, self.training, padding, need_weights, mask,
        not self._qkv_same_embed_dim, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight, nil, nil,
            average,
        is_causal)
    return turned and y:transpose(1, 0) or y, weights
end

return {MultiheadAttention = MultiheadAttention}
