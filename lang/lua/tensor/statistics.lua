-- Statistics of tensors: means that leave out NaN, quantiles, covariance, histograms.
local torch = require "torch"
local support = require "torch.support"
local common = require "torch.tensor.common"
local raise, signature = support.raise, support.signature
local check_tensor = common.check_tensor

local T = {}

local DTYPE_NAMES = {["torch.int64"] = "Long", ["torch.int32"] = "Int", ["torch.int16"] = "Short",
    ["torch.int8"] = "Char", ["torch.uint8"] = "Byte", ["torch.bool"] = "Bool", ["torch.float16"] = "Half",
    ["torch.bfloat16"] = "BFloat16"}

-- ---- extremes and means ----

local read_aminmax = signature("aminmax", {"input!", "dim:int", "keepdim", "out:any"}, {keepdim = false})

-- The least and the largest element, of all or along dim.
function T.aminmax(...)
    local input, dim, keepdim, out = read_aminmax(...)
    check_tensor("aminmax", "input", 1, input)
    if dim == nil and input:numel() == 0 then
        raise("RuntimeError", "aminmax(): cannot compute aminmax over an empty dimension as the operation " ..
            "has no identity.")
    end
    if dim ~= nil and input:numel() == 0 then
        local at = common.wrap_dim(dim, input.ndim)
        if input.shape[at] == 0 then
            raise("IndexError", "aminmax: Expected reduction dim %d to have non-zero size.", at)
        end
    end
    if dim == nil then
        dim = {}
        for k = 1, input.ndim do dim[k] = k - 1 end
    end
    return common.into_all("aminmax", out, torch._named("AminmaxBackward0", input:amin(dim, keepdim),
        input:amax(dim, keepdim)))
end

local read_nanmean = signature("nanmean", {"input!", "dim", "keepdim", "dtype", "out:Tensor"},
    {keepdim = false})

function T.nanmean(...)
    local input, dim, keepdim, dtype, out = read_nanmean(...)
    check_tensor("nanmean", "input", 1, input)
    if not input:is_floating_point() then
        raise("RuntimeError", "nanmean(): expected input to have floating point or complex dtype but got %s",
            DTYPE_NAMES[tostring(input.dtype)])
    end
    if dtype ~= nil and not dtype.is_floating_point then
        raise("RuntimeError", "nanmean(): could not infer output dtype. Optional dtype must be either a " ..
            "floating point or complex dtype. Got: %s", DTYPE_NAMES[tostring(dtype)])
    end
    if dtype ~= nil then input = input:to(dtype) end
    local present = input:detach():isnan():logical_not()
    if dim == nil then return common.into(out, input:nansum() / present:sum()) end
    return common.into(out, input:nansum(dim, keepdim) / present:sum(dim, keepdim))
end

function T.msort(input)
    return (check_tensor("msort", "input", 1, input):sort(0))
end

-- ---- quantiles ----

local INTERPOLATIONS = {linear = true, lower = true, higher = true, midpoint = true, nearest = true}

-- The checks of both in PyTorch's order; its messages call either of them quantile().
local function quantile_points(input, q, interpolation)
    local number = not torch.is_tensor(q)
    if number and (q < 0 or q > 1) then
        raise("RuntimeError", "quantile() q must be in the range [0, 1] but got %s",
            support.repr(math.tointeger(q) or q))
    end
    if not INTERPOLATIONS[interpolation] then
        raise("RuntimeError", "quantile() interpolation must be one of linear, lower, higher, midpoint " ..
            "or nearest, but got %s", tostring(interpolation))
    end
    if input:numel() == 0 then raise("RuntimeError", "quantile() input tensor must be non-empty") end
    if not number and q.ndim > 1 then raise("RuntimeError", "quantile() q must be a scalar or 1D tensor") end
    if input.dtype ~= torch.float32 and input.dtype ~= torch.float64 then
        raise("RuntimeError", "quantile() input tensor must be either float or double dtype")
    end
    if number then return torch.tensor(q, {dtype = input.dtype, device = input.device}) end
    if q.dtype ~= input.dtype then
        raise("RuntimeError", "quantile() q tensor must be same dtype as the input tensor")
    end
    if not q:ge(0):logical_and(q:le(1)):all():item() then
        raise("RuntimeError", "quantile() q values must be in the range [0, 1]")
    end
    return q
end

-- The values at `ranks` of `sorted` (both: along the last dim), between two elements as asked for.
local function at_ranks(sorted, ranks, interpolation)
    if interpolation == "lower" then ranks = ranks:floor() end
    if interpolation == "higher" then ranks = ranks:ceil() end
    if interpolation == "nearest" then ranks = ranks:round() end
    local below = ranks:floor():to(torch.int64)
    local values = sorted:gather(-1, below)
    if interpolation ~= "linear" and interpolation ~= "midpoint" then return values end
    local weights = interpolation == "midpoint" and torch.full_like(ranks, 0.5) or ranks - below
    return values:lerp(sorted:gather(-1, ranks:ceil():to(torch.int64)), weights)
end

-- The sizes of one quantile of input.
local function quantile_sizes(input, dim, keepdim)
    local size = {}
    for k = 0, input.ndim - 1 do
        local gone = dim == nil or k == dim
        if keepdim or not gone then size[#size + 1] = gone and 1 or input.shape[k] end
    end
    return size
end

-- Declares quantile and nanquantile.
local function quantile(name, ignore_nan)
    local read = signature(name, {"input!", "q:float!", "dim:int", "keepdim", "interpolation", "out:Tensor"},
        {keepdim = false, interpolation = "linear"})
    T[name] = function(...)
        local input, q, dim, keepdim, interpolation, out = read(...)
        check_tensor(name, "input", 1, input)
        q = quantile_points(input, q, interpolation)
        if dim ~= nil then dim = common.wrap_dim(dim, input.ndim) end
        local size = quantile_sizes(input, dim, keepdim)
        local lines = input:flatten()
        if dim ~= nil and input.ndim > 0 then lines = input:movedim(dim, -1) end
        local sorted = lines:sort(-1)
        local missing, ranks = sorted:detach():isnan(), nil
        if ignore_nan then
            ranks = (q * (missing:logical_not():sum(-1, true) - 1)):clamp_min(0)
        else
            ranks = (q * (sorted.shape[-1] - 1)):masked_fill(missing:any(-1, true), sorted.shape[-1] - 1)
        end
        local found = at_ranks(sorted, ranks, interpolation):movedim(-1, 0)
        if q.ndim == 0 then return common.into(out, torch._named("SqueezeBackward4", found:reshape(size))) end
        table.insert(size, 1, q:numel())
        return common.into(out, torch._named("SqueezeBackward4", found:reshape(size)))
    end
end

quantile("quantile", false)
quantile("nanquantile", true)

-- ---- covariance ----

local function check_matrix(name, input)
    if check_tensor(name, "input", 1, input).ndim > 2 then
        raise("RuntimeError", "%s(): expected input to have two or fewer dimensions but got an input with " ..
            "%d dimensions", name, input.ndim)
    end
end

-- How often (or how much) each column counts: fweights times aweights, nil where all count once.
local function column_weights(fweights, aweights)
    if fweights and aweights then return fweights * aweights end
    return fweights or aweights
end

local function cov_norm(count, correction, weights, aweights)
    if not weights then return torch.tensor(count - correction) end
    local total = weights:sum()
    if correction == 0 then return total end
    if not aweights then return total - correction end
    return total - correction * (weights * aweights):sum() / total
end

-- PyTorch's errors for weights of another shape or kind than cov takes.
local function check_weights(word, weights, input, floating)
    if weights == nil then return end
    local count = input.ndim < 2 and input:numel() or input.shape[1]
    if weights.ndim > 1 then
        raise("RuntimeError",
            "cov(): expected %s to have one or fewer dimensions but got %s with %d dimensions",
            word, word, weights.ndim)
    end
    if weights:is_floating_point() ~= floating then
        raise("RuntimeError", "cov(): expected %s to have %s dtype but got %s with %s dtype", word,
            floating and "floating point" or "integral", word, DTYPE_NAMES[tostring(weights.dtype)] or "Float")
    end
    if weights:numel() ~= count then
        raise("RuntimeError", "cov(): expected %s to have the same numel as there are observations in the " ..
            "input but got %d != %d", word, weights:numel(), count)
    end
    if weights:numel() > 0 and weights:min():item() < 0 then
        raise("RuntimeError", "cov(): %s cannot be negative", word)
    end
end

local read_cov = signature("cov", {"input!", "correction:int", "fweights:Tensor", "aweights:Tensor"},
    {correction = 1})

-- The covariance of the variables in input's rows.
function T.cov(...)
    local input, correction, fweights, aweights = read_cov(...)
    check_matrix("cov", input)
    if input.dtype == torch.bool then
        raise("RuntimeError", "cov(): bool dtype is not supported for input")
    end
    check_weights("fweights", fweights, input, false)
    check_weights("aweights", aweights, input, true)
    local rows = input.ndim < 2 and input:reshape({1, -1}) or input
    local count, weights = rows.shape[1], column_weights(fweights, aweights)
    local weighted = weights and rows * weights or rows
    local centred = rows - (weighted:sum(1) / (weights and weights:sum() or count)):unsqueeze(1)
    local norm = cov_norm(count, correction, weights, aweights):clamp_min(0)
    local right = (weights and centred * weights or centred):t()
    return (centred:mm(right:to(centred.dtype)) / norm):squeeze()
end

function T.corrcoef(input)
    check_matrix("corrcoef", input)
    local c = T.cov(input)
    if c.ndim == 0 then return c / c end
    local deviation = c:diagonal():sqrt()
    return (c / deviation:reshape({-1, 1}) / deviation:reshape({1, -1})):clamp(-1, 1)
end

-- ---- histogram ----

local read_histogram = signature("histogram", {"input!", "bins:tuple of ints!", "range:tuple of floats",
    "weight", "density", "out:any"},
    {density = false})

-- The edges of `bins` equal bins over range, or over input's own extremes.
local function bin_edges(input, bins, range)
    local low, high = 0.0, 1.0
    if range ~= nil then
        if type(range) ~= "table" or #range ~= 2 then
            raise("RuntimeError", "torch.histogramdd: for a 1-dimensional histogram range should have 2 " ..
                "elements, but got %d",
                type(range) == "table" and #range or 1)
        end
        low, high = range[1], range[2]
    elseif input:numel() > 0 then
        low, high = input:min():item(), input:max():item()
    end
    if low == high then low, high = low - 0.5, high + 0.5 end
    return torch.linspace(low, high, bins + 1, {dtype = input.dtype})
end

-- Which dtypes are taken depends on what must be found out: the range needs float or double.
local function check_histogram(input, bins, range)
    local dtype, kernel = input.dtype, nil
    if torch.is_tensor(bins) then
        kernel = not input:is_floating_point() and "histogram_cpu"
    elseif range == nil and input:numel() > 0 then
        kernel = dtype ~= torch.float32 and dtype ~= torch.float64 and "histogramdd"
    elseif range and dtype == torch.uint8 and math.min(range[1], range[2]) < 0 then
        raise("RuntimeError", "value cannot be converted to type uint8_t without overflow")
    elseif not input:is_floating_point() then
        kernel = dtype == torch.bool and "linspace_cpu" or "histogram_cpu"
    end
    if kernel then raise("NotImplementedError", '"%s" not implemented for \'%s\'', kernel, DTYPE_NAMES[tostring(dtype)]) end
end

-- How many elements (or how much weight) lie in each bin, and the bins' edges; the last bin holds its end.
function T.histogram(...)
    local given, bins, range, given_weight, density, out = read_histogram(...)
    check_tensor("histogram", "input", 1, given)
    local input, weight = given:detach(), given_weight and given_weight:detach()
    if not torch.is_tensor(bins) and not math.type(bins) then
        raise("TypeError", "histogram(): argument 'bins' (position 2) must be int, not %s",
            support.type_word(bins))
    end
    check_histogram(input, bins, range)
    local edges = torch.is_tensor(bins) and bins:detach() or bin_edges(input, bins, range)
    local n, flat = edges:numel() - 1, input:flatten()
    local place = torch.bucketize(flat, edges, {right = true}) - 1
    place = torch.where(flat:eq(edges[n]), n - 1, place)
    local inside = place:ge(0) & place:lt(n)
    local share = weight and weight:flatten() or torch.ones_like(flat)
    local hist = torch.zeros(n, {dtype = input.dtype})
        :index_add(0, place:masked_select(inside), share:masked_select(inside))
    if density then hist = hist / hist:sum() / (edges:narrow(0, 1, n) - edges:narrow(0, 0, n)) end
    return common.into_all("histogram", out, torch._histogram(given, given_weight, hist),
        torch._histogram(given, given_weight, edges))
end

local read_histogramdd = signature("histogramdd", {"input!", "bins:any!", "range:tuple of floats", "weight",
    "density"},
    {density = false})

-- The edges of the bins of each of input's columns (points in their last dim), as histogramdd's
-- arguments say.
local function column_edges(points, bins, range)
    local width, edges = points.shape[1], {}
    if type(bins) == "number" then
        local count = bins
        bins = {}
        for k = 1, width do bins[k] = count end
    end
    if type(bins) ~= "table" then
        raise("TypeError", "histogramdd(): argument 'bins' (position 2) must be tuple of ints, not %s",
            support.type_word(bins))
    end
    if #bins ~= width then
        raise("RuntimeError",
            "histogramdd: The size of bins must be equal to the innermost dimension of the input.")
    end
    for k = 1, width do
        local own = range and {range[2 * k - 1], range[2 * k]}
        edges[k] = torch.is_tensor(bins[k]) and bins[k] or bin_edges(points:select(1, k - 1), bins[k], own)
    end
    return edges
end

-- How many of the points in input's last dim (or how much weight) lie in each box, and the edges of
-- the boxes.
function T.histogramdd(...)
    local input, bins, range, weight, density = read_histogramdd(...)
    if check_tensor("histogramdd", "input", 1, input).ndim < 2 then
        raise("RuntimeError", "torch.histogramdd: input tensor should have at least 2 dimensions")
    end
    if input.dtype ~= torch.float32 and input.dtype ~= torch.float64 then
        raise("NotImplementedError",
            '"histogramdd" not implemented for \'%s\'', DTYPE_NAMES[tostring(input.dtype)])
    end
    local points = input:reshape({-1, input.shape[-1]})
    local edges, sizes = column_edges(points, bins, range), {}
    local share = weight and weight:flatten() or torch.ones(points.shape[0], {dtype = input.dtype})
    local box, inside = torch.zeros(points.shape[0], {dtype = torch.int64}), torch.ones(points.shape[0]):gt(0)
    for k, edge in ipairs(edges) do
        local x, n = points:select(1, k - 1):contiguous(), edge:numel() - 1
        local place = torch.bucketize(x, edge, {right = true}) - 1
        place = torch.where(x:eq(edge[n]), n - 1, place)
        inside, box, sizes[k] = inside & place:ge(0) & place:lt(n), box * n + place, n
    end
    local total = 1
    for _, n in ipairs(sizes) do total = total * n end
    local hist = torch.zeros(total, {dtype = input.dtype})
        :index_add(0, box:masked_select(inside), share:masked_select(inside)):reshape(sizes)
    if not density then return hist, edges end
    hist = hist / hist:sum()
    for k, edge in ipairs(edges) do
        local shape = {}
        for i = 1, #sizes do shape[i] = i == k and sizes[k] or 1 end
        hist = hist / (edge:narrow(0, 1, sizes[k]) - edge:narrow(0, 0, sizes[k])):reshape(shape)
    end
    return hist, edges
end

return T
