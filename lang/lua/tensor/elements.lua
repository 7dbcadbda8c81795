-- Elements one by one: functions applied to each, places of the nonzero ones, diagonals filled;
-- numeric gradients.
local torch = require "torch"
local support = require "torch.support"
local common = require "torch.tensor.common"
local raise, signature = support.raise, support.signature
local check_tensor = common.check_tensor

local T = {}

-- ---- a function of each element ----

local function check_callable(name, x, f)
    if type(f) ~= "function" and not (getmetatable(f) or {}).__call then
        raise("TypeError", "%s(): argument 'callable' must be a function, not %s", name, support.type_word(f))
    end
    if x.requires_grad then
        raise("RuntimeError",
            "Can't call %s() on Variable that requires grad. Use var.detach().%s() instead.",
            name, name)
    end
end

-- Overwrites x by f of its elements and those of the others, which are stretched to x's shape.
local function overwrite(name, x, f, ...)
    check_callable(name, x, f)
    local lists = {x:flatten():tolist()}
    for i, other in ipairs({...}) do
        lists[i + 1] = check_tensor(name, "other", i + 1, other):expand_as(x):flatten():tolist()
    end
    local first, second, third = table.unpack(lists)
    for k = 1, #first do
        first[k] = f(first[k], second and second[k], third and third[k])
    end
    if #first > 0 then x:copy_(torch.tensor(first, {dtype = x.dtype}):view(x.shape)) end
    return x
end

function T.apply_(x, f) return overwrite("apply_", x, f) end
function T.map_(x, other, f) return overwrite("map_", x, f, other) end
function T.map2_(x, other, third, f) return overwrite("map2_", x, f, other, third) end

-- ---- diagonals ----

local read_fill = signature("fill_diagonal_", {"self:Tensor!", "fill_value:Number!", "wrap"}, {wrap = false})

-- The main diagonal set to a number; with wrap, again and again down a tall matrix.
function T.fill_diagonal_(...)
    local x, value, wrap = read_fill(...)
    if type(value) ~= "number" and not torch.is_tensor(value) then
        raise("TypeError", "fill_diagonal_(): argument 'fill_value' (position 1) must be Number, not %s",
            support.type_word(value))
    end
    if x.ndim < 2 then raise("RuntimeError", "dimensions must larger than 1") end
    local height, width, step = x.shape[0], x.shape[1], 0
    for k = 0, x.ndim - 1 do
        if x.ndim > 2 and x.shape[k] ~= height then
            raise("RuntimeError", "all dimensions of input must be of equal length")
        end
        step = step + x:stride(k)
    end
    x:as_strided({math.min(height, width)}, {step}, x:storage_offset()):fill_(value)
    if wrap and x.ndim == 2 and height > width + 1 then
        local below = x:narrow(0, width + 1, height - width - 1)
        T.fill_diagonal_(below, value, true)
    end
    return x
end

-- ---- the places of what is not 0, as many as asked for ----

local read_static = signature("nonzero_static", {"input!", "size:int!", "fill_value:int"}, {fill_value = -1})

function T.nonzero_static(...)
    local input, size, fill_value = read_static(...)
    if size < 0 then raise("RuntimeError", "nonzero_static: 'size' must be an non-negative integer") end
    local found = input:nonzero()
    local n = math.min(size, found.shape[0])
    local y = torch.full({size, found.shape[1]}, fill_value, {dtype = torch.int64, device = input.device})
    y:narrow(0, 0, n):copy_(found:narrow(0, 0, n))
    return y
end

-- ---- numbers ----

function T.isreal(input)
    return torch.ones_like(check_tensor("isreal", "input", 1, input), {dtype = torch.bool})
end

-- ---- gradients of sampled functions ----

-- The slopes of y at points x along dim: inside by neighbours on both sides, at the ends by edge_order.
local function slopes(y, x, dim, edge_order)
    local n, shape = y.shape[dim], {}
    for k = 1, y.ndim do shape[k] = 1 end
    shape[dim + 1] = n
    x = x:reshape(shape)
    local function part(t, from, count) return t:narrow(dim, from, count) end
    local dx = part(x, 1, n - 1) - part(x, 0, n - 1)
    local dy = (part(y, 1, n - 1) - part(y, 0, n - 1)) / dx
    local first, last = part(dy, 0, 1), part(dy, n - 2, 1)
    if edge_order == 2 then
        local a, b = part(dx, 0, 1), part(dx, 1, 1)
        first = first + (first - part(dy, 1, 1)) * a / (a + b)
        a, b = part(dx, n - 3, 1), part(dx, n - 2, 1)
        last = last + (last - part(dy, n - 3, 1)) * b / (a + b)
    end
    if n == 2 then return torch.cat({first, last}, dim) end
    local left, right = part(dx, 0, n - 2), part(dx, 1, n - 2)
    local inside = (part(dy, 0, n - 2) * right + part(dy, 1, n - 2) * left) / (left + right)
    return torch.cat({first, inside, last}, dim)
end

local read_gradient = signature("gradient", {"input!", "spacing", "dim", "edge_order"}, {edge_order = 1})

-- The dims of a call as a table, all of them where none is named.
local function gradient_dims(input, dim)
    local dims = dim == nil and {} or common.integers(dim)
    if dim == nil then
        for k = 1, input.ndim do dims[k] = k - 1 end
    end
    local seen = {}
    for k, d in ipairs(dims) do
        d = common.wrap_dim(d, input.ndim)
        if seen[d] then raise("RuntimeError", "dim %d appears multiple times in the list of dims", d) end
        dims[k], seen[d] = d, true
    end
    return dims
end

-- Estimates input's gradient along dims, a tensor a dim, from numbers, or from the points' places.
function T.gradient(...)
    local input, spacing, dim, edge_order = read_gradient(...)
    check_tensor("gradient", "input", 1, input)
    local dims = gradient_dims(input, dim)
    local list = type(spacing) == "table" and spacing
    if edge_order ~= 1 and edge_order ~= 2 then
        raise("RuntimeError", "torch.gradient only supports edge_order=1 and edge_order=2.")
    end
    if list and #list ~= #dims then
        raise("RuntimeError", "torch.gradient expected spacing to be unspecified, a scalar%s",
            dim == nil and (", or a list of length equal to 'self.dim() = %d', since dim argument was not " ..
                "given, but got a list of length %d"):format(input.ndim, #list) or
            (" or it's spacing and dim arguments to have the same length, but got a spacing argument of " ..
                "length %d and a dim argument of length %d."):format(#list, #dims))
    end
    if input.dtype == torch.uint8 then
        raise("RuntimeError", "torch.gradient does not support uint8 input.")
    end
    local out = {}
    for k, d in ipairs(dims) do
        local n = input.shape[d]
        if n < edge_order + 1 then
            raise("RuntimeError", "torch.gradient expected each dimension size to be at least edge_order+1")
        end
        local step = list and list[k] or not list and spacing or 1
        local x = step
        if not torch.is_tensor(step) then
            local dtype = input:is_floating_point() and input.dtype or torch.get_default_dtype()
            x = torch.arange(n, {dtype = dtype, device = input.device}) * step
        end
        out[k] = slopes(input, x, d, edge_order)
    end
    return out
end

-- ---- settings that change nothing here: sums are always the same, products always in full precision ----

local precision, deterministic = "highest", false

function T.set_float32_matmul_precision(word)
    if word == "highest" or word == "high" or word == "medium" then
        precision = word
    else
        support.warn("%s is not one of 'highest', 'high', or 'medium'", tostring(word))
    end
end

function T.get_float32_matmul_precision() return precision end
function T.use_deterministic_algorithms(mode) deterministic = mode and true or false end
function T.are_deterministic_algorithms_enabled() return deterministic end

-- ---- what is known without looking ----

-- The dims in the order in which they lie in memory, outermost first.
function T.dim_order(x)
    check_tensor("dim_order", "input", 1, x)
    local dims = {}
    for k = 0, x.ndim - 1 do dims[k + 1] = k end
    table.sort(dims, function(a, b)
        local sa, sb = x:stride(a), x:stride(b)
        return sa > sb or (sa == sb and a < b)
    end)
    return table.unpack(dims)
end

function T.typename(value)
    if torch.is_tensor(value) then return value:type() end
    return support.type_word(value)
end

return T
