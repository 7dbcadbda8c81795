-- Further ways to make tensors: windows for signals, ranges that include their end, strides to order.
local torch = require "torch"
local support = require "torch.support"
local common = require "torch.tensor.common"
local raise, signature = support.raise, support.signature

local T = {}

-- ---- windows ----

local OPTIONS = {"dtype", "layout", "device", "pin_memory", "requires_grad"}
local DTYPE_WORDS = {["torch.int64"] = "long int", ["torch.int32"] = "int", ["torch.int16"] = "short int",
    ["torch.int8"] = "signed char", ["torch.uint8"] = "unsigned char", ["torch.bool"] = "bool"}

-- The arguments of a window function: its own, then dtype and the like in a table.
local function read_window(name, words, defaults)
    local params = {"window_length:int!"}
    table.move(words, 1, #words, 2, params)
    table.move(OPTIONS, 1, #OPTIONS, #params + 1, params)
    local read = signature(name, params, defaults)
    return function(...)
        local values = {n = #params, read(...)}
        local first = #words + 2
        local placed = {layout = torch.strided, dtype = values[first], device = values[first + 2]}
        if placed.dtype ~= nil and not placed.dtype.is_floating_point then
            raise("RuntimeError",
                "%s expects floating point dtypes, got: TensorOptions(dtype=%s, device=%s, " ..
                "layout=Strided (default), requires_grad=false (default), pinned_memory=false, " ..
                "memory_format=(nullopt))", name, DTYPE_WORDS[tostring(placed.dtype)], placed.device or "cpu")
        end
        if values[1] < 0 then
            raise("RuntimeError",
                "%s requires non-negative window_length, got window_length=%d", name, values[1])
        end
        return placed, values[first + 4], table.unpack(values, 1, #words + 1)
    end
end

-- Declares T.NAME: shape(n, options, its further arguments) gives the n values of a symmetric window;
-- a periodic
-- one is a symmetric one of n + 1 values without its last.
local function window(name, words, defaults, shape)
    table.insert(words, 1, "periodic")
    defaults.periodic = true
    local read = read_window(name, words, defaults)
    T[name] = function(...)
        local values = {read(...)}
        local options, requires_grad, n, periodic = table.unpack(values, 1, 4)
        local w
        if n <= 1 then
            w = torch.ones(n, options)
        else
            w = shape(periodic and n + 1 or n, options, table.unpack(values, 5, 4 + #words)):narrow(0, 0, n)
        end
        return requires_grad and w:clone():requires_grad_() or w
    end
end

window("hamming_window", {"alpha", "beta"}, {alpha = 0.54, beta = 0.46}, function(n, options, alpha, beta)
    return torch.arange(n, options):to(options.dtype or torch.get_default_dtype())
        :mul_(2 * math.pi / (n - 1)):cos_():mul_(-beta):add_(alpha)
end)

window("hann_window", {}, {}, function(n, options)
    return T.hamming_window(n, false, 0.5, 0.5, options)
end)

window("blackman_window", {}, {}, function(n, options)
    local w = torch.arange(n, options):to(options.dtype or torch.get_default_dtype()):mul_(math.pi / (n - 1))
    return w:mul(4):cos_():mul_(0.08) - w:mul(2):cos_():mul_(0.5) + 0.42
end)

window("bartlett_window", {}, {}, function(n, options)
    local w = torch.arange(n, options):to(options.dtype or torch.get_default_dtype()):mul_(2 / (n - 1))
    local half = ((n - 1) >> 1) + 1
    w:narrow(0, half, n - half):mul_(-1):add_(2)
    return w
end)

window("kaiser_window", {"beta"}, {beta = 12.0}, function(n, options, beta)
    local w = torch.arange(n, options):to(options.dtype or torch.get_default_dtype())
    local inside = (w * (2 / (n - 1)) - 1):square():neg():add(1):abs():sqrt()
    return (inside * beta):i0() / torch.tensor(beta, {dtype = w.dtype, device = w.device}):i0()
end)

-- ---- numbers ----

local read_range = signature("range", {"start:Number", "end:Number", "step:Number", table.unpack(OPTIONS)},
    {start = 0, step = 1})

-- start, start + step, … up to the end, which belongs to it.
function T.range(...)
    local start, stop, step, dtype, _, device, _, requires_grad = read_range(...)
    if stop == nil then raise("TypeError", 'range() missing 1 required positional arguments: "end"') end
    support.warn(
        "torch.range is deprecated and will be removed in a future release because its behavior is " ..
        "inconsistent with Python's range builtin. Instead, use torch.arange, which produces values in " ..
        "[start, end).")
    if step == 0 then raise("RuntimeError", "step must be nonzero") end
    if (step > 0 and stop < start) or (step < 0 and stop > start) then
        raise("RuntimeError", "upper bound and lower bound inconsistent with step sign")
    end
    dtype = dtype or torch.get_default_dtype()
    local count = math.floor((stop - start) / step) + 1
    local y = (torch.arange(count, {dtype = torch.float64, device = device}) * step + start):to(dtype)
    return requires_grad and y:requires_grad_() or y
end

local read_scalar = signature("scalar_tensor", {"s:Number!", table.unpack(OPTIONS)})

function T.scalar_tensor(...)
    local value, dtype, _, device, _, requires_grad = read_scalar(...)
    return torch.full({}, value, {dtype = dtype or torch.get_default_dtype(), device = device,
        requires_grad = requires_grad})
end

-- ---- strides to order ----

local read_permuted = signature("empty_permuted", {"size:tuple of ints!",
    "physical_layout:tuple of ints!", table.unpack(OPTIONS)})

-- A tensor of size whose dims lie in memory in the order of physical_layout, outermost first.
function T.empty_permuted(...)
    local size, layout, dtype, _, device, _, requires_grad = read_permuted(...)
    size, layout = common.integers(size), common.integers(layout)
    if #size ~= #layout then
        raise("RuntimeError",
            "Number of dimensions in size does not match the length of the physical_layout; " ..
            "i.e. len(size) = %d is not equal to len(physical_layout) = %d", #size, #layout)
    end
    local stride, seen, step = {}, {}, 1
    for k = #layout, 1, -1 do
        local dim = layout[k]
        if dim < 0 or dim >= #size then
            raise("RuntimeError",
                "Dimension out of range (expected to be between 0 and %d, but got %d at index " ..
                "%d).  NB: negative dims not currently supported; file an issue if you want it.", #size - 1,
                dim, k - 1)
        end
        if seen[dim] then raise("RuntimeError", "Duplicate dim not allowed") end
        seen[dim], stride[dim + 1] = true, step
        step = step * math.max(size[dim + 1], 1)
    end
    return torch.empty_strided(size, stride, {layout = torch.strided, dtype = dtype, device = device,
        requires_grad = requires_grad})
end

-- x:new(…): like x in dtype and device; of sizes, or of a table's or a tensor's values.
function T.new(x, first, ...)
    common.check_tensor("new", "self", 1, x)
    if first == nil then return x:new_empty({0}) end
    if torch.is_tensor(first) then return first:to(x.dtype):view_as(first) end
    if type(first) == "table" and not getmetatable(first) then return x:new_tensor(first) end
    return x:new_empty(first, ...)
end

return T
