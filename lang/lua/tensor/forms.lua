-- Further forms of what tensors can do: other names, questions about tensors.
local torch = require "torch"
local support = require "torch.support"
local common = require "torch.tensor.common"
local raise, signature = support.raise, support.signature
local check_tensor = common.check_tensor

local T = {}

-- ---- shapes by another name ----

function T.reshape_as(input, other)
    check_tensor("reshape_as", "input", 1, input)
    return input:reshape(check_tensor("reshape_as", "other", 1, other).shape)
end

function T.split_with_sizes(input, split_sizes, dim)
    return check_tensor("split_with_sizes", "input", 1, input):split(split_sizes, dim)
end

function T.adjoint(input)
    if check_tensor("adjoint", "input", 1, input).ndim == 1 then
        raise("RuntimeError", "tensor.adjoint() is only supported on matrices or batches of matrices. Got " ..
            "1-D tensor.")
    end
    return input.ndim == 0 and input or input:transpose(-2, -1)
end

-- ---- values ----

function T.positive(input)
    if check_tensor("positive", "input", 1, input).dtype == torch.bool then
        raise("RuntimeError", "The `+` operator, on a bool tensor is not supported.")
    end
    return input
end

local read_vander = signature("vander", {"x:Tensor!", "N:int", "increasing"}, {increasing = false})

-- The powers of x, one vector a column.
function T.vander(...)
    local x, n, increasing = read_vander(...)
    if check_tensor("vander", "x", 1, x).ndim ~= 1 then
        raise("RuntimeError", "x must be a one-dimensional tensor.")
    end
    n = n or x:numel()
    if not x:is_floating_point() then x = x:to(torch.int64) end
    local powers = torch.empty(x:numel(), n, {dtype = x.dtype, device = x.device})
    if n > 0 then powers:select(1, 0):fill_(1) end
    if n > 1 then
        powers:narrow(1, 1, n - 1):copy_(x:unsqueeze(1))
        powers:narrow(1, 1, n - 1):copy_(powers:narrow(1, 1, n - 1):cumprod(1))
    end
    return increasing and powers or powers:flip(1)
end

function T.float_power_(input, exponent)
    check_tensor("float_power_", "input", 1, input)
    if input.dtype ~= torch.float64 then
        raise("RuntimeError", "the base given to float_power_ has dtype %s but the operation's result " ..
            "requires dtype Double", input:type():match("torch%.(%w+)Tensor"))
    end
    return input:pow_(exponent)
end

-- ---- questions ----

function T.is_nonzero(input)
    local n = check_tensor("is_nonzero", "input", 1, input):numel()
    if n ~= 1 then
        raise("RuntimeError", "Boolean value of Tensor with %s is ambiguous",
            n == 0 and "no values" or "more than one value")
    end
    local value = input:item()
    return value ~= 0 and value ~= false
end

function T.is_same_size(input, other)
    return tostring(check_tensor("is_same_size", "input", 1, input).shape) ==
        tostring(check_tensor("is_same_size", "other", 2, other).shape)
end

-- ---- splits that autograd sees as copies ----

local function named(name, pieces)
    for _, piece in ipairs(pieces) do torch._named(name, piece) end
    return pieces
end

function T.unsafe_split(input, split_size, dim)
    return named("UnsafeSplitBackward0", torch.split(input, split_size, dim))
end

function T.unsafe_split_with_sizes(input, sizes, dim)
    return named("UnsafeSplitWithSizesBackward0", torch.split(input, sizes, dim))
end

function T.unsafe_chunk(input, chunks, dim)
    return named("UnsafeSplitBackward0", torch.chunk(input, chunks, dim))
end

-- ---- methods that are functions of torch.nn.functional ----

function T.prelu(input, weight) return torch.nn.functional.prelu(input, weight) end
function T.hardshrink(input, lambd) return torch.nn.functional.hardshrink(input, lambd) end

-- ---- complex numbers: there are none, so that these are what they do to real ones ----

for name in ("real conj conj_physical resolve_conj resolve_neg"):gmatch("%S+") do
    T[name] = function(input) return check_tensor(name, "input", 1, input) end
end
T.conj_physical_ = T.conj_physical

function T.imag(input)
    check_tensor("imag", "input", 1, input)
    raise("RuntimeError", "imag is not implemented for tensors with non-complex dtypes.")
end

for name in ("is_conj is_neg is_distributed is_pinned is_shared"):gmatch("%S+") do
    T[name] = function(input)
        check_tensor(name, "input", 1, input)
        return false
    end
end

return T
