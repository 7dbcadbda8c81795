-- Pooling over one, two or three dims; one dim is pooled as the second of two.
local torch = require "torch"
local support = require "torch.support"
local rows = torch._nn
local raise, repr, signature = support.raise, support.repr, support.signature

local F = {}

-- ---- one dim ----

-- The number of a one-dim option, given as such or as a table of one.
local function single(v, complain)
    if type(v) ~= "table" then return v end
    if #v ~= 1 then complain(#v) end
    return v[1]
end

local function list_text(shape)
    local parts = {}
    for i = 1, #shape do parts[i] = tostring(shape[i - 1]) end
    return "[" .. table.concat(parts, ", ") .. "]"
end

local function check_dims(name, input)
    if input.ndim == 2 or input.ndim == 3 then return end
    raise("RuntimeError",
        "Expected 2 to 3 dimensions, but got %d-dimensional tensor for argument #1 'self' " ..
        "(while checking arguments for %s)", input.ndim, name)
end

-- {other, v}: v for the last of two dims.
local function last(name, word, v, other)
    v = single(v, function(n)
        raise("RuntimeError", "%s() argument '%s' should contain one int (got %d)", name, word, n)
    end)
    return v ~= nil and {other, v} or nil
end

-- ---- largest elements ----

local MAX = {"input!", "kernel_size!", "stride", "padding", "dilation", "ceil_mode", "return_indices"}
local MAX_DEFAULTS = {padding = 0, dilation = 1, ceil_mode = false, return_indices = false}

-- max_pool…d_with_indices and max_pool…d from run(input, kernel, stride, padding, dilation, ceil).
local function max_pool(name, run)
    local read = signature(name, MAX, MAX_DEFAULTS)
    F[name] = function(...)
        local input, kernel, stride, padding, dilation, ceil, indices = read(...)
        local y, places = run(input, kernel, stride, padding, dilation, ceil)
        if indices then return y, places end
        return y
    end
    F[name .. "_with_indices"] = function(...)
        local input, kernel, stride, padding, dilation, ceil = read(...)
        return run(input, kernel, stride, padding, dilation, ceil)
    end
end

-- The numbers of max_pool1d, checked as PyTorch checks them.
local function check_line(input, kernel, stride, padding, dilation, ceil)
    local function number(word, v)
        return single(v, function(n)
            raise("RuntimeError",
                "max_pool1d() %s must be an int, list of ints or tuple of ints of size 1 but " ..
                "got size %d", word, n)
        end)
    end
    local rows_at = input.ndim - 2
    if rows_at ~= 0 and rows_at ~= 1 or input.shape[rows_at] == 0 or input.shape[rows_at + 1] == 0 then
        raise("RuntimeError",
            "max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size " ..
            "for input, but got:%s", list_text(input.shape))
    end
    kernel = number("kernel_size", kernel)
    stride = number("stride", stride) or kernel
    padding, dilation = number("padding", padding), number("dilation", dilation)
    local function positive(word, v)
        if v <= 0 then raise("RuntimeError", "max_pool1d() %s must be greater than zero, but got %d", word,
            v) end
    end
    positive("kernel_size", kernel)
    positive("stride", stride)
    if padding < 0 then raise("RuntimeError", "max_pool1d() padding must be non-negative, but got %d",
        padding) end
    if padding > kernel // 2 then
        raise("RuntimeError",
            "max_pool1d() padding should be at most half of kernel size, but got padding=%d and " ..
            "kernel_size=%d", padding, kernel)
    end
    positive("dilation", dilation)
    local room = input.shape[-1] + 2 * padding - dilation * (kernel - 1) - 1 + (ceil and stride - 1 or 0)
    local size = room // stride + 1
    if size <= 0 then raise("RuntimeError", "max_pool1d() Invalid computed output size: %d", size) end
    if not input:is_floating_point() then
        raise("NotImplementedError", "\"max_pool1d_impl\" not implemented for '%s'",
            input:type():match("torch%.(%w+)Tensor"))
    end
end

local read_max1 = signature("max_pool1d", MAX, MAX_DEFAULTS)
function F.max_pool1d_with_indices(...)
    local input, kernel, stride, padding, dilation, ceil = read_max1(...)
    check_dims("max_pool1d", input)
    local y, places = rows.max_pool2d_with_indices(input:unsqueeze(-2),
        last("max_pool1d", "kernel_size", kernel, 1), last("max_pool1d", "stride", stride, 1),
        last("max_pool1d", "padding", padding, 0), last("max_pool1d", "dilation", dilation, 1), ceil)
    return y:squeeze(-2), places:squeeze(-2)
end
-- Only without the places does PyTorch check the numbers as those of one dim.
function F.max_pool1d(...)
    local input, kernel, stride, padding, dilation, ceil, indices = read_max1(...)
    if not indices then check_line(input, kernel, stride, padding, dilation, ceil) end
    local y, places = F.max_pool1d_with_indices(input, kernel, stride, padding, dilation, ceil)
    if indices then return y, places end
    return y
end
max_pool("max_pool2d", rows.max_pool2d_with_indices)
max_pool("max_pool3d", rows.max_pool3d_with_indices)

-- ---- means ----

local AVG = {"input!", "kernel_size!", "stride", "padding", "ceil_mode", "count_include_pad",
    "divisor_override"}
local AVG_DEFAULTS = {padding = 0, ceil_mode = false, count_include_pad = true}

for _, name in ipairs {"avg_pool2d", "avg_pool3d"} do
    local read, row = signature(name, AVG, AVG_DEFAULTS), rows[name]
    F[name] = function(...)
        local input, kernel, stride, padding, ceil, include, divisor = read(...)
        if divisor == 0 then raise("RuntimeError", "divisor must be not zero") end
        return row(input, kernel, stride, padding, ceil, include, divisor or 0)
    end
end

local read_avg1 = signature("avg_pool1d", {table.unpack(AVG, 1, 6)}, AVG_DEFAULTS)
function F.avg_pool1d(...)
    local input, kernel, stride, padding, ceil, include = read_avg1(...)
    check_dims("avg_pool1d", input)
    return rows.avg_pool2d(input:unsqueeze(-2), last("avg_pool1d", "kernel_size", kernel, 1),
        last("avg_pool1d", "stride", stride, 1), last("avg_pool1d", "padding", padding, 0), ceil, include, 0)
        :squeeze(-2)
end

-- ---- grids ----

-- The cells of a grid over the last n dims; false in output_size keeps a dim's size.
local function grid(input, size, n)
    local cells = {}
    if type(size) ~= "number" and input.ndim <= #size then
        raise("ValueError", "Input dimension should be at least %d", #size + 1)
    end
    for i = 1, type(size) == "number" and n or #size do
        cells[i] = (type(size) == "number" and size or size[i]) or input.shape[input.ndim - n + i - 1]
    end
    return cells
end

for n = 2, 3 do
    local average, largest = ("adaptive_avg_pool%dd"):format(n), ("adaptive_max_pool%dd"):format(n)
    local read_average = signature(average, {"input!", "output_size!"})
    F[average] = function(...)
        local input, size = read_average(...)
        return rows[average](input, grid(input, size, n))
    end
    local read_largest = signature(largest, {"input!", "output_size!", "return_indices"})
    local row = rows[largest .. "_with_indices"]
    F[largest] = function(...)
        local input, size, indices = read_largest(...)
        local y, places = row(input, grid(input, size, n))
        if indices then return y, places end
        return y
    end
    F[largest .. "_with_indices"] = function(...)
        local input, size = read_largest(...)
        return row(input, grid(input, size, n))
    end
end

local read_adaptive_avg1 = signature("adaptive_avg_pool1d", {"input!", "output_size!"})
function F.adaptive_avg_pool1d(...)
    local input, size = read_adaptive_avg1(...)
    check_dims("adaptive_avg_pool1d", input)
    return rows.adaptive_avg_pool2d(input:unsqueeze(-2), last("adaptive_avg_pool1d", "output_size", size, 1))
        :squeeze(-2)
end

local read_adaptive_max1 = signature("adaptive_max_pool1d", {"input!", "output_size!", "return_indices"})
function F.adaptive_max_pool1d_with_indices(...)
    local input, size = read_adaptive_max1(...)
    check_dims("adaptive_max_pool1d", input)
    local y, places = rows.adaptive_max_pool2d_with_indices(input:unsqueeze(-2),
        last("adaptive_max_pool1d", "output_size", size, 1))
    return y:squeeze(-2), places:squeeze(-2)
end
function F.adaptive_max_pool1d(...)
    local input, size, indices = read_adaptive_max1(...)
    local y, places = F.adaptive_max_pool1d_with_indices(input, size)
    if indices then return y, places end
    return y
end

-- ---- the way back from largest elements ----

local function each(v, n)
    if type(v) == "table" then return v end
    local list = {}
    for i = 1, n do list[i] = v end
    return list
end

local function bracketed(t)
    local parts = {}
    for i, v in ipairs(t) do parts[i] = repr(v) end
    return "[" .. table.concat(parts, ", ") .. "]"
end

-- The sizes that pooling with these windows may have had: the smallest, or the caller's if they are possible.
local function unpooled_size(input, kernel, stride, padding, given)
    local n, sizes = #kernel, {}
    for d = 1, n do
        sizes[d] = (input.shape[input.ndim - n + d - 1] - 1) * stride[d] + kernel[d] - 2 * padding[d]
    end
    if given == nil then return sizes end
    local wanted = {}
    for i = 1, #given do wanted[i] = type(given) == "table" and given[i] or given[i - 1] end
    if #wanted == n + 2 then wanted = {table.unpack(wanted, 3)} end
    if #wanted ~= n then
        raise("ValueError", "output_size should be a sequence containing %d or %d elements, but it has " ..
            "a length of " ..
            "'%d'", n, n + 2, #wanted)
    end
    for d = 1, n do
        local low, high = sizes[d] - stride[d], sizes[d] + stride[d]
        if wanted[d] <= low or wanted[d] >= high then
            raise("ValueError", 'invalid output_size "%s" (dim %d must be between %d and %d)',
                bracketed(wanted), d - 1,
                low, high)
        end
    end
    return wanted
end

for n = 1, 3 do
    local name = ("max_unpool%dd"):format(n)
    local read = signature(name, {"input!", "indices:Tensor!", "kernel_size!", "stride",
        "padding:tuple of ints",
        "output_size"}, {padding = 0})
    F[name] = function(...)
        local input, indices, kernel, stride, padding, size = read(...)
        kernel = each(kernel, n)
        if input.ndim < n or type(kernel[n]) ~= "number" then raise("IndexError",
            "tuple index out of range") end
        size = unpooled_size(input, kernel, each(stride or kernel, n), each(padding, n), size)
        if n == 3 then return rows.max_unpool3d(input, indices, size) end
        if n == 2 then return rows.max_unpool2d(input, indices, size) end
        return rows.max_unpool2d(input:unsqueeze(-1), indices:unsqueeze(-1), {size[1], 1}):squeeze(-1)
    end
end

-- ---- p-norms ----

for n = 1, 3 do
    local name = ("lp_pool%dd"):format(n)
    local read = signature(name, {"input!", "norm_type!", "kernel_size!", "stride", "ceil_mode"},
        {ceil_mode = false})
    local mean, most = F[("avg_pool%dd"):format(n)], F[("max_pool%dd"):format(n)]
    F[name] = function(...)
        local input, p, kernel, stride, ceil = read(...)
        if p == math.huge then return most(input:abs(), kernel, stride, 0, 1, ceil) end
        if p == -math.huge then return -most(-input:abs(), kernel, stride, 0, 1, ceil) end
        local size = 1
        for _, k in ipairs(each(kernel, n)) do size = size * k end
        if n == 1 and type(kernel) == "table" then
            raise("TypeError", "mul(): argument 'other' (position 1) must be Tensor, not tuple")
        end
        local y = mean(input:pow(p), kernel, stride, 0, ceil)
        return (y:sign() * y:abs():relu()):mul(size):pow(1.0 / p)
    end
end

return F
