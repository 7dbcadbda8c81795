-- Rows of a table by index: embedding, and sums, means and maxima over bags of them.
local torch = require "torch"
local support = require "torch.support"
local rows = torch._nn
local raise, signature = support.raise, support.signature

local F = {}

-- Rows of weight that input names are scaled down to the norm max_norm where theirs is above it.
local function renormalise(weight, input, max_norm, norm_type)
    local _ <close> = torch.no_grad()
    local used = torch.unique(input)
    local found = weight:index_select(0, used)
    local norms = found:norm(norm_type, 1, true)
    local scale = torch.where(norms:gt(max_norm), (norms + 1e-07):reciprocal() * max_norm, 1.0)
    weight:index_copy_(0, used, found * scale)
end

-- For each index, one over how often it occurs.
local function shares(input, n)
    local ones = torch.ones({input:numel()}, {dtype = torch.float64, device = input.device})
    local counts = ones:new_zeros({n}):index_add_(0, input:flatten(), ones)
    return counts:index_select(0, input:flatten()):reciprocal():view(input.shape)
end

local read_embedding = signature("embedding",
    {"input!", "weight!", "padding_idx", "max_norm", "norm_type", "scale_grad_by_freq", "sparse"},
    {norm_type = 2.0, scale_grad_by_freq = false, sparse = false})

-- The rows of weight (n, columns) at input (…), int64: (…, columns).
function F.embedding(...)
    local input, weight, padding, max_norm, norm_type, by_frequency = read_embedding(...)
    if weight.ndim ~= 2 then raise("RuntimeError", "'weight' must be 2-D") end
    local n = weight.shape[0]
    if padding ~= nil then
        if padding >= n and padding > 0 or padding < -n then
            raise("AssertionError", "Padding_idx must be within num_embeddings")
        end
        padding = padding % n
    end
    if max_norm ~= nil then renormalise(weight, input, max_norm, norm_type) end
    local y = rows.embedding(input, weight, padding or -1)
    if by_frequency and y.requires_grad then
        local share = shares(input, n):unsqueeze(-1)
        y:register_hook(function(grad) return grad * share:to(grad.dtype) end)
    end
    return y
end

-- ---- bags ----

local function check_bags(input, weight, offsets, mode, factors, by_frequency, sparse)
    if factors ~= nil and tostring(input.shape) ~= tostring(factors.shape) then
        raise("ValueError", "embedding_bag: If per_sample_weights (%s) is not None, then it must have " ..
            "the same " ..
            "shape as the input (%s)", tostring(factors.shape), tostring(input.shape))
    end
    if weight.ndim ~= 2 then
        raise("ValueError", "weight has to be a 2D Tensor, but got Tensor of dimension %d", weight.ndim)
    end
    if input.ndim == 2 then
        if offsets ~= nil then
            raise("ValueError", "if input is 2D, then offsets has to be None, as input is treated is a " ..
                "mini-batch of fixed length sequences. However, found offsets of type <class 'torch.Tensor'>")
        end
    elseif input.ndim == 1 then
        if offsets == nil then raise("ValueError", "offsets has to be a 1D Tensor but got None") end
        if offsets.ndim ~= 1 then raise("ValueError", "offsets has to be a 1D Tensor") end
    else
        raise("ValueError", "input has to be 1D or 2D Tensor, but got Tensor of dimension %d", input.ndim)
    end
    if mode == "max" and by_frequency then
        raise("ValueError", "max mode does not support scaling the gradient by the frequency")
    elseif mode == "max" and sparse then
        raise("ValueError", "max mode does not support sparse weights")
    elseif mode ~= "sum" and mode ~= "mean" and mode ~= "max" then
        raise("ValueError", "mode has to be one of sum, mean or max")
    end
    if factors ~= nil and mode ~= "sum" then
        raise("NotImplementedError",
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only " ..
            "supported for mode='sum' (got mode='%s'). Please open a feature request on GitHub.", mode)
    end
end

-- Which bag each of n indices is in, and how many bags there are.
local function bags_of(offsets, n, with_last, device)
    local starts = offsets:tolist()
    if #starts > 0 and starts[1] ~= 0 then
        raise("RuntimeError",
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start " ..
            "from position 0. However, got %d", starts[1])
    end
    if #starts > 0 and starts[#starts] > n then
        raise("RuntimeError",
            "offsets[-1] can not be greater than input's length %d but got offsets[-1] of %d", n,
            starts[#starts])
    end
    local count, bags = with_last and #starts - 1 or #starts, {}
    if with_last and count < 0 then
        raise("RuntimeError", "include_last_offset: number of offsets should be at least 1")
    end
    for bag = 1, count do
        for i = starts[bag] + 1, bag < #starts and starts[bag + 1] or n do bags[i] = bag - 1 end
    end
    return torch.tensor(bags, {dtype = torch.int64, device = device}), count
end

-- Fixed-length bags are the rows of input.
local function rows_as_bags(input)
    local n, each = input.shape[0], input.shape[1]
    local bags = torch.arange(n, {dtype = torch.int64, device = input.device})
    return bags:unsqueeze(1):expand(n, each):reshape({-1}), n
end

-- PyTorch's library kernels for sums of dense rows in single or half precision have words of their own.
local function check_indices(indices, weight, plain)
    local n = weight.shape[0]
    local outside = indices:lt(0):logical_or(indices:ge(n)):nonzero()
    if outside:numel() == 0 then return end
    local at = outside[0][0]:item()
    if not plain or weight.dtype == torch.float64 or weight:stride(1) ~= 1 then
        raise("RuntimeError",
            "embedding_bag: Expected idx >= 0 && idx < num_embeddings but found idx to be %d",
            indices[at]:item())
    end
    raise("RuntimeError", "Index %d of input takes value %d which is not in the valid range [0, %d)", at,
        indices[at]:item(), n)
end

-- For each bag and column, the row with the largest element, and where a bag has none.
local function largest(weight, indices, bags, count)
    local n, shape = indices:numel(), {count, weight.shape[1]}
    local long = {dtype = torch.int64, device = weight.device}
    if n == 0 then
        return torch.zeros(shape, long), torch.ones(shape, {dtype = torch.bool, device = weight.device})
    end
    local _ <close> = torch.no_grad()
    local values = weight:index_select(0, indices)
    local spread = bags:unsqueeze(1):expand_as(values)
    local most = torch.full(shape, -math.huge, {dtype = values.dtype, device = values.device})
        :scatter_reduce(0, spread, values, "amax")
    local order = torch.arange(n, long):unsqueeze(1):expand_as(values)
    local candidates = torch.where(values:eq(most:index_select(0, bags)), order, n)
    local first = torch.full(shape, n, long):scatter_reduce(0, spread, candidates, "amin")
    return indices:index_select(0, first:clamp_max(n - 1):flatten()):view(shape), first:eq(n)
end

local read_bag = signature("embedding_bag",
    {"input!", "weight!", "offsets", "max_norm", "norm_type", "scale_grad_by_freq", "mode", "sparse",
        "per_sample_weights", "include_last_offset", "padding_idx"},
    {norm_type = 2.0, scale_grad_by_freq = false, mode = "mean", sparse = false, include_last_offset = false})

-- input (bags, each), or (n) with the first position of each bag in offsets; weight (rows, columns) → (bags,
-- columns): the bags' sums, means or largest elements.
function F.embedding_bag(...)
    local input, weight, offsets, max_norm, norm_type, by_frequency, mode, sparse, factors, with_last,
        padding =
        read_bag(...)
    if weight.dtype == torch.int64 and input:is_floating_point() then
        support.warn("Argument order of nn.functional.embedding_bag was changed. Usage " ..
            "`embedding_bag(weight, input, ...)` is deprecated, and should now be " ..
            "`embedding_bag(input, weight, ...)`.")
        input, weight = weight, input
    end
    check_bags(input, weight, offsets, mode, factors, by_frequency, sparse)
    if max_norm ~= nil then renormalise(weight, input, max_norm, norm_type) end
    local indices, bags, count = input:flatten():to(torch.int64), nil, nil
    if input.ndim == 2 then
        bags, count = rows_as_bags(input)
    else
        bags, count = bags_of(offsets, indices:numel(), with_last, input.device)
    end
    check_indices(indices, weight, mode ~= "max" and padding == nil)
    if not weight:is_floating_point() then
        raise("RuntimeError", "Expected tensor for argument #1 'weight' to have one of the following " ..
            "scalar types: Half, BFloat16, Float, Double; but got %s instead (while checking arguments for " ..
            "embedding_bag)", weight:type())
    end
    if factors ~= nil then factors = factors:flatten() end
    if padding ~= nil then
        local kept = indices:ne(padding % weight.shape[0]):nonzero():flatten()
        indices, bags = indices:index_select(0, kept), bags:index_select(0, kept)
        factors = factors ~= nil and factors:index_select(0, kept) or nil
    end
    if mode == "max" then return rows.bag_picks(weight, largest(weight, indices, bags, count)) end
    if mode == "mean" then
        local ones = torch.ones({indices:numel()}, {dtype = weight.dtype, device = weight.device})
        local sizes = ones:new_zeros({count}):index_add_(0, bags, ones)
        factors = sizes:reciprocal():index_select(0, bags)
    end
    if not by_frequency then return rows.bag_sums(weight, indices, bags, factors, count) end
    local found = F.embedding(indices, weight, {scale_grad_by_freq = true})
    local order = torch.arange(indices:numel(), {device = weight.device})
    return rows.bag_sums(found, order, bags, factors, count)
end

return F
