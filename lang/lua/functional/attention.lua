-- Attention: scaled_dot_product_attention and multi_head_attention_forward.
local torch = require "torch"
local support = require "torch.support"
local F0 = require "torch.functional"
local raise, repr, signature = support.raise, support.repr, support.signature

local F = {}

-- ---- scaled_dot_product_attention ----

local function sizes(t)
    local list = {}
    for i = 1, t.ndim do list[i] = t.shape[i - 1] end
    return list
end

local ctype = require "torch.ctypes"

local function check_attention(q, k, v, mask, is_causal)
    if q.dtype ~= k.dtype or q.dtype ~= v.dtype then
        raise("RuntimeError",
            "Expected query, key, and value to have the same dtype, but got query.dtype: " ..
            "%s key.dtype: %s and value.dtype: %s instead.", ctype(q), ctype(k), ctype(v))
    end
    if q.ndim < 2 or k.ndim < 2 or v.ndim < 2 then
        raise("RuntimeError", "Expected query, key, and value to all be  at least 2 dimensional, but got " ..
            "query.dim: %d key.dim: %d and value.dim: %d instead.", q.ndim, k.ndim, v.ndim)
    end
    if mask == nil then return end
    if mask.dtype ~= torch.bool and mask.dtype ~= torch.float32 and mask.dtype ~= q.dtype then
        raise("RuntimeError",
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got " ..
            "attn_mask.dtype: %s and  query.dtype: %s instead.", ctype(mask), ctype(q))
    end
    if is_causal and q.ndim ~= 4 then
        raise("RuntimeError",
            "_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True")
    end
end

-- What is added to the scores: 0 or minus infinity from a bool mask, and the later positions of a causal one.
local function bias_of(q, k, mask, is_causal)
    local bias
    if mask ~= nil then
        bias = mask
        if mask.dtype == torch.bool then
            bias = torch.zeros_like(mask, {dtype = q.dtype}):masked_fill_(mask:logical_not(), -math.huge)
        end
    end
    if is_causal then
        local later = torch.ones({q.shape[-2], k.shape[-2]}, {dtype = torch.bool, device = q.device}):triu(1)
        local causal = torch.zeros(later.shape, {dtype = q.dtype, device = q.device})
            :masked_fill_(later, -math.huge)
        bias = bias == nil and causal or bias + causal
    end
    return bias
end

-- softmax of the scores; a row that may attend to nothing is 0.
local function weights_of(scores, biased)
    if not biased then return scores:softmax(-1) end
    local nothing = scores:detach():eq(-math.huge):all(-1, true)
    if not nothing:any():item() then return scores:softmax(-1) end
    return scores:masked_fill(nothing, 0):softmax(-1):masked_fill(nothing, 0)
end

-- Each head of key or value as often as it serves heads of the query.
local function shared_heads(q, t)
    local n, m = q.shape[-3], t.shape[-3]
    if n % m ~= 0 then
        raise("RuntimeError", "Number of heads in key and value must divide the number of heads in ")
    end
    if n == m then return t end
    local shape = sizes(t)
    table.insert(shape, #shape - 1, n // m)
    return t:unsqueeze(-3):expand(shape):flatten(-4, -3)
end

local read_attention = signature("scaled_dot_product_attention",
    {"query!", "key:Tensor!", "value:Tensor!", "attn_mask:Tensor", "dropout_p", "is_causal", "scale:float",
        "enable_gqa:bool"},
    {dropout_p = 0.0, is_causal = false, enable_gqa = false})

-- query (…, L, E), key (…, S, E), value (…, S, Ev) → (…, L, Ev). attn_mask broadcasts to (…, L, S): true
-- where a
-- query may attend, or a float that is added to the score.
function F.scaled_dot_product_attention(...)
    local q, k, v, mask, dropout_p, is_causal, scale, enable_gqa = read_attention(...)
    check_attention(q, k, v, mask, is_causal)
    if enable_gqa then k, v = shared_heads(q, k), shared_heads(q, v) end
    local half = math.sqrt(scale and math.abs(scale) or 1 / math.sqrt(q.shape[-1]))
    local left = scale and scale < 0 and -half or half
    local scores = (q * left):matmul(k:transpose(-2, -1) * half)
    local bias = bias_of(q, k, mask, is_causal)
    if bias ~= nil then scores = scores + bias end
    local weights = weights_of(scores, bias ~= nil)
    if dropout_p ~= 0 then weights = F0.dropout(weights, dropout_p) end
    local y = weights:matmul(v)
    if dropout_p ~= 0 or q.ndim ~= 4 then return y end
    return torch._named("ScaledDotProductFlashAttentionForCpuBackward0", y)
end

-- ---- masks as floats ----

-- A mask as what is added to scores: minus infinity where a bool mask is true. other: the mask whose type
-- this one
-- should have.
function F._canonical_mask(mask, name, other, other_name, dtype)
    if mask == nil then return nil end
    local is_float = mask:is_floating_point()
    if mask.dtype ~= torch.bool and not is_float then
        raise("AssertionError", "only bool and floating types of %s are supported", name)
    end
    if other ~= nil and other.dtype ~= mask.dtype then
        support.warn("Support for mismatched %s and %s is deprecated. Use same type for both instead.", name,
            other_name)
    end
    if is_float then return mask end
    return torch.zeros_like(mask, {dtype = dtype}):masked_fill_(mask, -math.huge)
end

-- ---- multi_head_attention_forward ----

local function refuse(...) raise("AssertionError", ...) end

local function has_shape(t, shape) return repr(sizes(t)) == repr(shape) end

-- Whether the query has a batch dim; refuses what does not go with it.
local function check_shapes(a)
    local batched = a.query.ndim == 3
    if a.query.ndim ~= 2 and not batched then
        refuse("query should be unbatched 2D or batched 3D tensor but received %d-D query tensor",
            a.query.ndim)
    end
    local which = batched and "For batched (3-D) `query`" or "For unbatched (2-D) `query`"
    local n, padding, mask = a.query.ndim, a.key_padding_mask, a.attn_mask
    if a.key.ndim ~= n or a.value.ndim ~= n then
        refuse("%s, expected `key` and `value` to be %d-D but found %d-D and %d-D tensors respectively",
            which, n,
            a.key.ndim, a.value.ndim)
    end
    if padding ~= nil and padding.ndim ~= n - 1 then
        refuse("%s, expected `key_padding_mask` to be `None` or %d-D but found %d-D tensor instead", which,
            n - 1,
            padding.ndim)
    end
    if mask ~= nil and mask.ndim ~= 2 and mask.ndim ~= 3 then
        refuse("%s, expected `attn_mask` to be `None`, 2-D or 3-D but found %d-D tensor instead", which,
            mask.ndim)
    end
    if mask ~= nil and mask.ndim == 3 and not batched then
        local expected = {a.num_heads, a.query.shape[0], a.key.shape[0]}
        if not has_shape(mask, expected) then
            refuse("Expected `attn_mask` shape to be %s but got %s", repr(expected), tostring(mask.shape))
        end
    end
    return batched
end

-- Projects x by n stacked blocks of rows of the weight at once: n tensors of x's shape.
local function project(x, weight, bias, n)
    local packed = F0.linear(x, weight, bias)
    return table.unpack(packed:unflatten(-1, {n, x.shape[-1]}):movedim(-2, 0):contiguous():unbind(0))
end

local function project_packed(a)
    local q, k, v, w, b = a.query, a.key, a.value, a.in_proj_weight, a.in_proj_bias
    local e = q.shape[-1]
    if rawequal(k, v) and rawequal(q, k) then return project(q, w, b, 3) end
    if rawequal(k, v) then
        local ws, bs = w:split {e, 2 * e}, b ~= nil and b:split {e, 2 * e} or {}
        return F0.linear(q, ws[1], bs[1]), project(k, ws[2], bs[2], 2)
    end
    local ws, bs = w:chunk(3), b ~= nil and b:chunk(3) or {}
    return F0.linear(q, ws[1], bs[1]), F0.linear(k, ws[2], bs[2]), F0.linear(v, ws[3], bs[3])
end

local function project_apart(a)
    local bs = a.in_proj_bias ~= nil and a.in_proj_bias:chunk(3) or {}
    local e, out = a.query.shape[-1], {}
    for i, word in ipairs {"query", "key", "value"} do
        local x, w = a[word], a[word:sub(1, 1) .. "_proj_weight"]
        if w == nil then
            refuse("use_separate_proj_weight is True but %s_proj_weight is None", word:sub(1, 1))
        end
        if not has_shape(w, {e, x.shape[-1]}) then
            refuse("expecting %s weights shape of %s, but got %s", word, repr {e, x.shape[-1]},
                tostring(w.shape))
        end
        out[i] = F0.linear(x, w, bs[i])
    end
    return table.unpack(out)
end

local function check_embedding(a, embed_dim)
    if embed_dim ~= a.embed_dim_to_check then
        refuse("was expecting embedding dimension of %d, but got %d", a.embed_dim_to_check, embed_dim)
    end
    if embed_dim % a.num_heads ~= 0 then
        refuse("embed_dim %d not divisible by num_heads %d", embed_dim, a.num_heads)
    end
    local k, v = a.key.shape, a.value.shape
    if a.use_separate_proj_weight then
        if k[0] ~= v[0] or k[1] ~= v[1] then
            refuse("key's sequence and batch dims %s do not match value's %s", tostring(torch.Size {k[0],
                k[1]}),
                tostring(torch.Size {v[0], v[1]}))
        end
    elseif tostring(k) ~= tostring(v) then
        refuse("key shape %s does not match value shape %s", tostring(k), tostring(v))
    end
end

-- attn_mask with three dims: (1 or n * heads, L, S).
local function stacked_mask(mask, tgt_len, src_len, count)
    if mask == nil then return nil end
    local correct = mask.ndim == 2 and {tgt_len, src_len} or {count, tgt_len, src_len}
    if mask.ndim ~= 2 and mask.ndim ~= 3 then
        raise("RuntimeError", "attn_mask's dimension %d is not supported", mask.ndim)
    end
    if not has_shape(mask, correct) then
        raise("RuntimeError", "The shape of the %dD attn_mask is %s, but should be %s.", mask.ndim,
            tostring(mask.shape), repr(correct))
    end
    return mask.ndim == 2 and mask:unsqueeze(0) or mask
end

-- One more key and value after the others; both masks let it be attended to.
local function lengthen(a, k, v, more_k, more_v, dim)
    if a.attn_mask ~= nil then a.attn_mask = F0.pad(a.attn_mask, {0, 1}) end
    if a.key_padding_mask ~= nil then a.key_padding_mask = F0.pad(a.key_padding_mask, {0, 1}) end
    return torch.cat({k, more_k}, dim), torch.cat({v, more_v}, dim)
end

-- (length, n, E) → (n * heads, length, E / heads); given is what the caller has in its place.
local function heads(word, t, given, count, head_dim)
    if given == nil then return t:reshape(t.shape[0], count, head_dim):transpose(0, 1) end
    if given.shape[0] ~= count then
        refuse("expecting static_%s.size(0) of %d, but got %d", word, count, given.shape[0])
    end
    if given.shape[2] ~= head_dim then
        refuse("expecting static_%s.size(2) of %d, but got %d", word, head_dim, given.shape[2])
    end
    return given
end

-- The padding mask and the attention mask as one.
local function merged_mask(a, n, src_len)
    local padding = a.key_padding_mask
    if padding == nil then return a.attn_mask end
    for i, size in ipairs {n, src_len} do
        if padding.shape[i - 1] ~= size then
            refuse("Expected key_padded_mask.shape[%d] to be %d, but got %d", i - 1, size,
                padding.shape[i - 1])
        end
    end
    padding = padding:view(n, 1, 1, src_len):expand(-1, a.num_heads, -1, -1):reshape(n * a.num_heads, 1,
        src_len)
    return a.attn_mask == nil and padding or a.attn_mask + padding
end

-- Attention whose weights are wanted: both outputs.
local function attend_with_weights(a, q, k, v, mask, p, n)
    if a.is_causal and mask == nil then refuse("FIXME: is_causal not implemented for need_weights") end
    local scaled, turned = q * math.sqrt(1.0 / q.shape[2]), k:transpose(-2, -1)
    local weights = (mask ~= nil and torch.baddbmm(mask, scaled, turned) or scaled:bmm(turned)):softmax(-1)
    if p > 0 then weights = F0.dropout(weights, p) end
    local y = weights:bmm(v):transpose(0, 1)
    weights = weights:view(n, a.num_heads, q.shape[1], k.shape[1])
    return y, a.average_attn_weights and weights:mean(1) or weights
end

local function attend(a, q, k, v, mask, p, n)
    local length, head_dim = q.shape[1], q.shape[2]
    if mask ~= nil then
        mask = mask.shape[0] == 1 and mask:unsqueeze(0) or mask:view(n, a.num_heads, -1, k.shape[1])
    end
    local function four(t) return t:reshape(n, a.num_heads, t.shape[1], head_dim) end
    local y = F.scaled_dot_product_attention(four(q), four(k), four(v), mask, p, a.is_causal)
    return y:permute(2, 0, 1, 3), nil, length
end

local PARAMS = {"query!", "key!", "value!", "embed_dim_to_check!", "num_heads!", "in_proj_weight",
    "in_proj_bias",
    "bias_k", "bias_v", "add_zero_attn", "dropout_p", "out_proj_weight", "out_proj_bias", "training",
    "key_padding_mask", "need_weights", "attn_mask", "use_separate_proj_weight", "q_proj_weight",
    "k_proj_weight", "v_proj_weight", "static_k", "static_v", "average_attn_weights", "is_causal"}
local read_multi = signature("multi_head_attention_forward", PARAMS,
    {training = true, need_weights = true, use_separate_proj_weight = false, average_attn_weights = true,
        is_causal = false, add_zero_attn = false, dropout_p = 0.0})

local function read_named(...)
    local values, a = table.pack(read_multi(...)), {}
    for i, param in ipairs(PARAMS) do a[param:gsub("!$", "")] = values[i] end
    return a
end

-- Both masks as floats; the causal hint stands for the mask where nothing else must be added.
local function settle_masks(a)
    local dtype = a.query.dtype
    a.key_padding_mask = F._canonical_mask(a.key_padding_mask, "key_padding_mask", a.attn_mask,
        "attn_mask", dtype)
    if a.is_causal and a.attn_mask == nil then
        raise("RuntimeError",
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer " ..
            "module method `generate_square_subsequent_mask` to create this mask.")
    end
    if a.is_causal and a.key_padding_mask == nil and not a.need_weights then
        a.attn_mask = nil
        return
    end
    a.attn_mask = F._canonical_mask(a.attn_mask, "attn_mask", nil, "", dtype)
    if a.key_padding_mask ~= nil or a.attn_mask ~= nil then a.is_causal = false end
end

local function add_bias_keys(a, k, v, n)
    if a.bias_k == nil and a.bias_v == nil then return k, v end
    if a.bias_v == nil then refuse("bias_k is set but bias_v is None") end
    if a.bias_k == nil then refuse("bias_v is set but bias_k is None") end
    if a.static_k ~= nil then refuse("bias cannot be added to static key.") end
    if a.static_v ~= nil then refuse("bias cannot be added to static value.") end
    return lengthen(a, k, v, a.bias_k:rep(1, n, 1), a.bias_v:rep(1, n, 1), 0)
end

-- query (L, n, E), key (S, n, Ek), value (S, n, Ev), or all without n → the output (L, n, E) and, with
-- need_weights,
-- the weights (n, L, S), of each head (n, heads, L, S) unless they are averaged.
function F.multi_head_attention_forward(...)
    local a = read_named(...)
    local batched = check_shapes(a)
    if not batched then
        local same = rawequal(a.key, a.value)
        local self_attention = same and rawequal(a.query, a.key)
        a.query = a.query:unsqueeze(1)
        a.key = self_attention and a.query or a.key:unsqueeze(1)
        a.value = same and a.key or a.value:unsqueeze(1)
        if a.key_padding_mask ~= nil then a.key_padding_mask = a.key_padding_mask:unsqueeze(0) end
    end
    local tgt_len, n, embed_dim = table.unpack(sizes(a.query))
    settle_masks(a)
    check_embedding(a, embed_dim)
    local head_dim, count = embed_dim // a.num_heads, n * a.num_heads
    if not a.use_separate_proj_weight and a.in_proj_weight == nil then
        refuse("use_separate_proj_weight is False but in_proj_weight is None")
    end
    local project_all = a.use_separate_proj_weight and project_apart or project_packed
    local q, k, v = project_all(a)
    a.attn_mask = stacked_mask(a.attn_mask, tgt_len, a.key.shape[0], count)
    k, v = add_bias_keys(a, k, v, n)
    q = heads("q", q, nil, count, head_dim)
    k, v = heads("k", k, a.static_k, count, head_dim), heads("v", v, a.static_v, count, head_dim)
    if a.add_zero_attn then
        local zeros = torch.zeros({count, 1, head_dim}, {dtype = k.dtype, device = k.device})
        k, v = lengthen(a, k, v, zeros, zeros, 1)
    end
    local mask = merged_mask(a, n, k.shape[1])
    local run = a.need_weights and attend_with_weights or attend
    local y, weights = run(a, q, k, v, mask, a.training and a.dropout_p or 0.0, n)
    y = F0.linear(y:reshape(tgt_len * n, embed_dim), a.out_proj_weight, a.out_proj_bias)
    y = y:view(tgt_len, n, y.shape[1])
    if not batched then
        y, weights = y:squeeze(1), weights ~= nil and weights:squeeze(0) or nil
    end
    return y, weights
end

return F
