-- Differences, sums by the trapezoid rule, powers in double precision, places in ordered sequences.
local torch = require "torch"
local support = require "torch.support"
local common = require "torch.tensor.common"
local raise, signature = support.raise, support.signature
local check_tensor, neighbours = common.check_tensor, common.neighbours

local T = {}

local read_diff = signature("diff", {"input!", "n:int", "dim:int", "prepend:Tensor", "append:Tensor"},
    {n = 1, dim = -1})

-- The n-th differences of neighbours along dim.
function T.diff(...)
    local input, n, dim, prepend, append = read_diff(...)
    if input.ndim == 0 then raise("RuntimeError", "diff expects input to be at least one-dimensional") end
    if n < 0 then raise("RuntimeError", "order must be non-negative but got %d", n) end
    if n > 0 or prepend ~= nil or append ~= nil then dim = common.wrap_dim(dim, input.ndim) end
    for _, other in pairs({prepend, append}) do
        if other.ndim ~= input.ndim then
            raise("RuntimeError", "diff expects prepend or append to be the same dimension as input")
        end
        for k = 0, input.ndim - 1 do
            if k ~= dim and other.shape[k] ~= input.shape[k] then
                raise("RuntimeError", "diff expects the shape of tensor to prepend or append to match that of input " ..
                    "except along the differencing dimension; input.size(%d) = %d, but got tensor.size(%d) = %d",
                    k, input.shape[k], k, other.shape[k])
            end
        end
    end
    if n == 0 then return torch.empty_like(input):copy_(input) end
    local x = input
    if prepend ~= nil then x = torch.cat({prepend, x}, dim) end
    if append ~= nil then x = torch.cat({x, append}, dim) end
    for _ = 1, math.min(n, x.shape[dim]) do
        local before, after = neighbours(x, dim)
        x = x.dtype == torch.bool and after:logical_xor(before) or after - before
    end
    return x
end

-- ---- the trapezoid rule ----

-- The distances of the points x, ready to stand beside y along dim.
local function spacings(x, y, dim)
    local shape = {}
    for k = 1, y.ndim do shape[k] = 1 end
    if x.ndim == 1 then
        shape[dim + 1] = x.shape[0]
    elseif x.ndim < y.ndim then
        for k = 0, x.ndim - 1 do shape[y.ndim - x.ndim + k + 1] = x.shape[k] end
    else
        shape = common.sizes(x)
    end
    local left, right = neighbours(x:reshape(shape), dim)
    return right - left
end

-- Declares trapezoid and cumulative_trapezoid; uniform and uneven sum up for one distance and for many.
local function trapezoid(name, uniform, uneven)
    local read = signature(name, {"y:Tensor!", "x:Tensor", "dx:Number", "dim:int"}, {dx = 1, dim = -1})
    T[name] = function(...)
        local y, x, dx, dim = read(...)
        check_tensor(name, "y", 1, y)
        if y.dtype == torch.bool or (x ~= nil and torch.is_tensor(x) and x.dtype == torch.bool) then
            raise("RuntimeError", "%s: received a bool input for `x` or `y`, but bool is not supported", name)
        end
        dim = common.wrap_dim(dim, y.ndim)
        if x == nil then return uniform(y, dx, dim) end
        return uneven(y, spacings(check_tensor(name, "x", 2, x), y, dim), dim)
    end
end

local function pair_sums(y, dim)
    local left, right = neighbours(y, dim)
    return left + right
end

local scalar = torch._scalar_overload

trapezoid("trapezoid",
    function(y, dx, dim)
        if y.shape[dim] == 0 then return y:sum(dim) end
        local ends = scalar((y:select(dim, 0) + y:select(dim, -1)) * 0.5)
        return scalar((y:sum(dim) - ends) * dx)
    end,
    function(y, dx, dim) return scalar((pair_sums(y, dim) * dx):sum(dim) / 2.0) end)
T.trapz = T.trapezoid

trapezoid("cumulative_trapezoid",
    function(y, dx, dim) return scalar(pair_sums(y, dim) * (dx / 2.0)):cumsum(dim) end,
    function(y, dx, dim) return scalar((pair_sums(y, dim) * dx):cumsum(dim) / 2.0) end)

-- ---- powers ----

local function double(v)
    if torch.is_tensor(v) then return v:to(torch.float64) end
    return type(v) == "boolean" and (v and 1.0 or 0.0) or v + 0.0
end

function T.float_power(input, exponent)
    if support.is_options(exponent) then exponent = exponent.exponent end
    if not torch.is_tensor(exponent) then check_tensor("float_power", "input", 1, input) end
    return torch.pow(double(input), double(exponent))
end

-- ---- places in an ordered sequence ----

local read_searchsorted = signature("searchsorted",
    {"sorted_sequence:Tensor!", "input:Number!", "out_int32:bool", "right", "side", "sorter", "out:Tensor"},
    {out_int32 = false})

function T.searchsorted(...)
    local sequence, input, out_int32, right, side, sorter, out = read_searchsorted(...)
    check_tensor("searchsorted", "sorted_sequence", 1, sequence)
    if side ~= nil and side ~= "left" and side ~= "right" then
        raise("RuntimeError", "torch.searchsorted(): side can only be 'left' or 'right' but got %s", side)
    end
    if side == "left" and right then
        raise("RuntimeError", "torch.searchsorted(): side and right can't be set to opposites, got side " ..
            "of left while right was True")
    end
    if sorter ~= nil then sequence = sequence:gather(-1, sorter) end
    if not torch.is_tensor(input) then input = torch.tensor(input, {dtype = sequence.dtype}) end
    return common.into(out, torch._searchsorted(sequence, input, out_int32, right or side == "right"))
end

return T
