-- TransformerEncoderLayer, TransformerDecoderLayer, stacks of them, and Transformer.
local torch = require "torch"
local support = require "torch.support"
local class = require "torch.nn.class"
local Module = require "torch.nn.module".Module
local init = require "torch.nn.init"
local F = require "torch.functional"
local raise, signature = support.raise, support.signature

local transformer = {}

-- ---- what the layers share ----

local LAYER = {"d_model!", "nhead!", "dim_feedforward", "dropout", "activation", "layer_norm_eps",
    "batch_first",
    "norm_first", "bias", "device", "dtype"}
local LAYER_DEFAULTS = {dim_feedforward = 2048, dropout = 0.1, layer_norm_eps = 1e-05, batch_first = false,
    norm_first = false, bias = true}

local function activation_of(given)
    if given == nil or given == "relu" then return F.relu end
    if given == "gelu" then return F.gelu end
    if type(given) == "string" then
        raise("RuntimeError", "activation should be relu/gelu, not %s", given)
    end
    return given
end

-- The parts of a layer in the order in which PyTorch makes and draws them; `attentions` names its attentions.
local function build(self, attentions, d_model, nhead, dim_feedforward, dropout, activation, eps, batch_first,
        norm_first, bias, device, dtype)
    local nn = torch.nn
    for _, name in ipairs(attentions) do
        self[name] = nn.MultiheadAttention(d_model, nhead,
            {dropout = dropout, bias = bias, batch_first = batch_first, device = device, dtype = dtype})
    end
    self.linear1 = nn.Linear(d_model, dim_feedforward, {bias = bias, device = device, dtype = dtype})
    self.dropout = nn.Dropout(dropout)
    self.linear2 = nn.Linear(dim_feedforward, d_model, {bias = bias, device = device, dtype = dtype})
    self.norm_first = norm_first
    local blocks = #attentions + 1
    for i = 1, blocks do
        self["norm" .. i] = nn.LayerNorm(d_model, {eps = eps, bias = bias, device = device, dtype = dtype})
    end
    for i = 1, blocks do self["dropout" .. i] = nn.Dropout(dropout) end
    self.activation = activation_of(activation)
end

local function attention_block(self, attention, drop, x, memory, mask, padding, is_causal)
    local y = attention(x, memory, memory,
        {attn_mask = mask, key_padding_mask = padding, need_weights = false, is_causal = is_causal})
    return drop(y)
end

local function feed_forward(self, drop, x)
    return drop(self.linear2(self.dropout(self.activation(self.linear1(x)))))
end

-- x with block's result added to it, normalised before or after.
local function residual(self, norm, x, block)
    if self.norm_first then return x + block(norm(x)) end
    return norm(x + block(x))
end

-- ---- encoder ----

local EncoderLayer = class.derive("TransformerEncoderLayer", Module)
local read_encoder_layer = signature("TransformerEncoderLayer.__init__", LAYER, LAYER_DEFAULTS)
function EncoderLayer:init(...) build(self, {"self_attn"}, read_encoder_layer(...)) end

local read_encode = signature("TransformerEncoderLayer.forward",
    {"src!", "src_mask", "src_key_padding_mask", "is_causal"}, {is_causal = false})

-- src (S, n, E), with batch_first (n, S, E), unbatched (S, E) → the same shape.
function EncoderLayer:forward(...)
    local x, mask, padding, is_causal = read_encode(...)
    padding = F._canonical_mask(padding, "src_key_padding_mask", mask, "src_mask", x.dtype)
    mask = F._canonical_mask(mask, "src_mask", nil, "", x.dtype)
    x = residual(self, self.norm1, x, function(v)
        return attention_block(self, self.self_attn, self.dropout1, v, v, mask, padding, is_causal)
    end)
    return residual(self, self.norm2, x, function(v) return feed_forward(self, self.dropout2, v) end)
end
transformer.TransformerEncoderLayer = EncoderLayer

local function stack(self, layer, count, norm)
    local copies = {}
    for i = 1, count do copies[i] = support.deepcopy(layer) end
    self.layers = torch.nn.ModuleList(copies)
    self.num_layers = count
    self.norm = norm
end

local function causal_mask(size, dtype, device)
    return torch.full({size, size}, -math.huge, {dtype = dtype or torch.get_default_dtype(), device = device})
        :triu(1)
end

-- Whether a mask is the causal one, unless the caller said so.
local function is_causal_mask(mask, is_causal, sequence, batch_first)
    if is_causal ~= nil or mask == nil then return is_causal == true end
    local size = sequence.shape[sequence.ndim == 3 and batch_first and 1 or 0]
    if mask.ndim ~= 2 or mask.shape[0] ~= size or mask.shape[1] ~= size then return false end
    return mask:eq(causal_mask(size, mask.dtype, mask.device)):all():item()
end

local Encoder = class.derive("TransformerEncoder", Module)
local read_encoder = signature("TransformerEncoder.__init__",
    {"encoder_layer!", "num_layers!", "norm", "enable_nested_tensor", "mask_check"},
    {enable_nested_tensor = true, mask_check = true})

function Encoder:init(...)
    local layer, count, norm
    layer, count, norm, self.enable_nested_tensor, self.mask_check = read_encoder(...)
    stack(self, layer, count, norm)
end

local read_encoder_forward = signature("TransformerEncoder.forward",
    {"src!", "mask", "src_key_padding_mask", "is_causal"})

function Encoder:forward(...)
    local x, mask, padding, is_causal = read_encoder_forward(...)
    padding = F._canonical_mask(padding, "src_key_padding_mask", mask, "mask", x.dtype)
    mask = F._canonical_mask(mask, "mask", nil, "", x.dtype)
    is_causal = is_causal_mask(mask, is_causal, x, self.layers[0].self_attn.batch_first)
    for _, layer in pairs(self.layers) do x = layer(x, mask, padding, is_causal) end
    return self.norm ~= nil and self.norm(x) or x
end
transformer.TransformerEncoder = Encoder

-- ---- decoder ----

local DecoderLayer = class.derive("TransformerDecoderLayer", Module)
local read_decoder_layer = signature("TransformerDecoderLayer.__init__", LAYER, LAYER_DEFAULTS)
function DecoderLayer:init(...) build(self, {"self_attn", "multihead_attn"}, read_decoder_layer(...)) end

local DECODE = {"tgt!", "memory!", "tgt_mask", "memory_mask", "tgt_key_padding_mask",
    "memory_key_padding_mask",
    "tgt_is_causal", "memory_is_causal"}
local read_decode = signature("TransformerDecoderLayer.forward", DECODE,
    {tgt_is_causal = false, memory_is_causal = false})

-- tgt (T, n, E) and memory (S, n, E), with batch_first (n, T, E) and (n, S, E) → the shape of tgt.
function DecoderLayer:forward(...)
    local x, memory, tgt_mask, memory_mask, tgt_padding, memory_padding, tgt_causal, memory_causal =
        read_decode(...)
    x = residual(self, self.norm1, x, function(v)
        return attention_block(self, self.self_attn, self.dropout1, v, v, tgt_mask, tgt_padding, tgt_causal)
    end)
    x = residual(self, self.norm2, x, function(v)
        return attention_block(self, self.multihead_attn, self.dropout2, v, memory, memory_mask,
            memory_padding,
            memory_causal)
    end)
    return residual(self, self.norm3, x, function(v) return feed_forward(self, self.dropout3, v) end)
end
transformer.TransformerDecoderLayer = DecoderLayer

local Decoder = class.derive("TransformerDecoder", Module)
local read_decoder = signature("TransformerDecoder.__init__", {"decoder_layer!", "num_layers!", "norm"})
function Decoder:init(...) stack(self, read_decoder(...)) end

local read_decoder_forward = signature("TransformerDecoder.forward", DECODE, {memory_is_causal = false})

function Decoder:forward(...)
    local x, memory, tgt_mask, memory_mask, tgt_padding, memory_padding, tgt_causal, memory_causal =
        read_decoder_forward(...)
    tgt_causal = is_causal_mask(tgt_mask, tgt_causal, x, self.layers[0].self_attn.batch_first)
    for _, layer in pairs(self.layers) do
        x = layer(x, memory, tgt_mask, memory_mask, tgt_padding, memory_padding, tgt_causal, memory_causal)
    end
    return self.norm ~= nil and self.norm(x) or x
end
transformer.TransformerDecoder = Decoder

-- ---- both ----

local Transformer = class.derive("Transformer", Module)
local read_transformer = signature("Transformer.__init__",
    {"d_model", "nhead", "num_encoder_layers", "num_decoder_layers", "dim_feedforward", "dropout",
        "activation",
        "custom_encoder", "custom_decoder", "layer_norm_eps", "batch_first", "norm_first", "bias", "device",
        "dtype"},
    {d_model = 512, nhead = 8, num_encoder_layers = 6, num_decoder_layers = 6, dim_feedforward = 2048,
        dropout = 0.1, layer_norm_eps = 1e-05, batch_first = false, norm_first = false, bias = true})

function Transformer:init(...)
    local d_model, nhead, encoders, decoders, dim_feedforward, dropout, activation, encoder, decoder, eps,
        batch_first, norm_first, bias, device, dtype = read_transformer(...)
    local function made(Layer, Stack, count)
        local layer = Layer(d_model, nhead, dim_feedforward, dropout, activation, eps, batch_first,
            norm_first, bias,
            device, dtype)
        local norm = torch.nn.LayerNorm(d_model, {eps = eps, bias = bias, device = device, dtype = dtype})
        return Stack(layer, count, norm)
    end
    self.encoder = encoder or made(EncoderLayer, Encoder, encoders)
    self.decoder = decoder or made(DecoderLayer, Decoder, decoders)
    self:_reset_parameters()
    self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first
end

function Transformer:_reset_parameters()
    for _, p in ipairs(self:parameters()) do
        if p.ndim > 1 then init.xavier_uniform_(p) end
    end
end

local read_forward = signature("Transformer.forward",
    {"src!", "tgt!", "src_mask", "tgt_mask", "memory_mask", "src_key_padding_mask", "tgt_key_padding_mask",
        "memory_key_padding_mask", "src_is_causal", "tgt_is_causal", "memory_is_causal"},
            {memory_is_causal = false})

function Transformer:forward(...)
    local src, tgt, src_mask, tgt_mask, memory_mask, src_padding, tgt_padding, memory_padding, src_causal,
        tgt_causal, memory_causal = read_forward(...)
    local batch = self.batch_first and 0 or 1
    if src.ndim == 3 and src.shape[batch] ~= tgt.shape[batch] then
        raise("RuntimeError", "the batch number of src and tgt must be equal")
    end
    if src.shape[-1] ~= self.d_model or tgt.shape[-1] ~= self.d_model then
        raise("RuntimeError", "the feature number of src and tgt must be equal to d_model")
    end
    local memory = self.encoder(src, src_mask, src_padding, src_causal)
    return self.decoder(tgt, memory, {tgt_mask = tgt_mask, memory_mask = memory_mask,
        tgt_key_padding_mask = tgt_padding, memory_key_padding_mask = memory_padding,
            tgt_is_causal = tgt_causal,
        memory_is_causal = memory_causal})
end

-- Transformer.generate_square_subsequent_mask(n): 0 where a position may attend, minus infinity after it.
local read_mask = signature("generate_square_subsequent_mask", {"sz!", "device", "dtype"})
function Transformer.generate_square_subsequent_mask(...)
    local first = ...
    local size, device, dtype
    if type(first) == "table" then
        size, device, dtype = read_mask(select(2, ...))
    else
        size, device, dtype = read_mask(...)
    end
    return causal_mask(size, dtype, device)
end
transformer.Transformer = Transformer

return transformer
