-- Pooling: one dim is pooled as the second of two.
local torch = require "torch"
local support = require "torch.support"
local rows = torch._nn
local raise, signature = support.raise, support.signature

local F = {}

-- A number, or a table of one, for the last of two dims whose first one takes `other`.
local function last(v, other)
    if v == nil then return nil end
    return {other, type(v) == "table" and v[1] or v}
end

local MAX = {"input!", "kernel_size!", "stride", "padding", "dilation", "ceil_mode", "return_indices"}
local MAX_DEFAULTS = {padding = 0, dilation = 1, ceil_mode = false, return_indices = false}

local read_max2 = signature("max_pool2d", MAX, MAX_DEFAULTS)
function F.max_pool2d(...)
    local input, kernel, stride, padding, dilation, ceil, indices = read_max2(...)
    local y, places = rows.max_pool2d_with_indices(input, kernel, stride, padding, dilation, ceil)
    if indices then return y, places end
    return y
end

local function check_line(name, input)
    if input.ndim ~= 2 and input.ndim ~= 3 then
        raise("RuntimeError", "%s() Expected 2D or 3D input tensor, but got %dD", name, input.ndim)
    end
end

local read_max1 = signature("max_pool1d", MAX, MAX_DEFAULTS)
function F.max_pool1d(...)
    local input, kernel, stride, padding, dilation, ceil, indices = read_max1(...)
    check_line("max_pool1d", input)
    local y, places = rows.max_pool2d_with_indices(input:unsqueeze(-2), last(kernel, 1), last(stride, 1),
        last(padding, 0), last(dilation, 1), ceil)
    if indices then return y:squeeze(-2), places:squeeze(-2) end
    return y:squeeze(-2)
end

local read_avg2 = signature("avg_pool2d",
    {"input!", "kernel_size!", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"},
    {padding = 0, ceil_mode = false, count_include_pad = true})
function F.avg_pool2d(...)
    local input, kernel, stride, padding, ceil, include, divisor = read_avg2(...)
    if divisor == 0 then raise("RuntimeError", "divisor must be not zero") end
    return rows.avg_pool2d(input, kernel, stride, padding, ceil, include, divisor or 0)
end

local read_avg1 = signature("avg_pool1d",
    {"input!", "kernel_size!", "stride", "padding", "ceil_mode", "count_include_pad"},
    {padding = 0, ceil_mode = false, count_include_pad = true})
function F.avg_pool1d(...)
    local input, kernel, stride, padding, ceil, include = read_avg1(...)
    check_line("avg_pool1d", input)
    return rows.avg_pool2d(input:unsqueeze(-2), last(kernel, 1), last(stride, 1), last(padding, 0), ceil,
        include, 0):squeeze(-2)
end

-- The cells of a grid over the last two dims; false in output_size keeps a dim's size.
local function grid(input, size)
    if type(size) == "number" then size = {size, size} end
    return {size[1] or input.shape[input.ndim - 2], size[2] or input.shape[input.ndim - 1]}
end

local read_adaptive_avg2 = signature("adaptive_avg_pool2d", {"input!", "output_size!"})
function F.adaptive_avg_pool2d(...)
    local input, size = read_adaptive_avg2(...)
    return rows.adaptive_avg_pool2d(input, grid(input, size))
end

local read_adaptive_avg1 = signature("adaptive_avg_pool1d", {"input!", "output_size!"})
function F.adaptive_avg_pool1d(...)
    local input, size = read_adaptive_avg1(...)
    check_line("adaptive_avg_pool1d", input)
    return rows.adaptive_avg_pool2d(input:unsqueeze(-2), last(size, 1)):squeeze(-2)
end

local read_adaptive_max2 = signature("adaptive_max_pool2d", {"input!", "output_size!", "return_indices"})
function F.adaptive_max_pool2d(...)
    local input, size, indices = read_adaptive_max2(...)
    local y, places = rows.adaptive_max_pool2d_with_indices(input, grid(input, size))
    if indices then return y, places end
    return y
end

return F
