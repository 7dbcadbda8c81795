-- What the files of torch's Lua functions share: argument checks, sizes, lists of tensors.
local torch = require "torch"
local support = require "torch.support"
local raise = support.raise

local common = {}

-- Raises PyTorch's TypeError unless value is a tensor.
function common.check_tensor(name, word, position, value)
    if not torch.is_tensor(value) then
        raise("TypeError", "%s(): argument '%s' (position %d) must be Tensor, not %s", name, word, position,
            support.type_word(value))
    end
    return value
end

-- A list of tensors given as one table.
function common.check_tensors(name, value)
    if type(value) ~= "table" then
        raise("TypeError", "%s(): argument 'tensors' (position 1) must be tuple of Tensors, not %s", name,
            support.type_word(value))
    end
    for i, item in ipairs(value) do
        if not torch.is_tensor(item) then
            raise("TypeError", "expected Tensor as element %d in argument 0, but got %s", i - 1,
                support.type_word(item))
        end
    end
    if #value == 0 then raise("RuntimeError", "%s expects a non-empty TensorList", name) end
    return value
end

-- The tensors of f(a, b, …) or f({a, b, …}) as a table.
function common.tensors(...)
    local first = ...
    if select("#", ...) == 1 and type(first) == "table" and not getmetatable(first) then return first end
    return {...}
end

-- A number, table or torch.Size as a table of integers.
function common.integers(v)
    if math.type(v) == "integer" then return {v} end
    local list = {}
    if type(v) == "table" then return table.move(v, 1, #v, 1, list) end
    for i = 0, #v - 1 do list[i + 1] = v[i] end
    return list
end

-- A function's sizes, given as a number, table or torch.Size, as a table; PyTorch's TypeError for other
-- values.
function common.sizes_given(name, word, position, value)
    support.check_kind(name, word, position, "tuple of ints", value)
    return common.integers(value)
end

-- The sizes of a tensor as a table.
function common.sizes(x)
    return common.integers(x.shape)
end

-- dim counted from 0, with PyTorch's IndexError.
function common.wrap_dim(dim, ndim)
    local n = math.max(ndim, 1)
    if dim < -n or dim >= n then
        raise("IndexError", "Dimension out of range (expected to be in range of [%d, %d], but got %d)", -n,
            n - 1, dim)
    end
    return dim % n
end

-- y, in the tensor `out` where one is given.
function common.into(out, y)
    if out == nil then return y end
    return torch.mul(y, 1, {out = out})
end

-- C's words for the dtypes.
local DTYPE_WORDS = {["torch.int64"] = "long int", ["torch.int32"] = "int", ["torch.int16"] = "short int",
    ["torch.int8"] = "signed char", ["torch.uint8"] = "unsigned char", ["torch.bool"] = "bool",
    ["torch.float16"] = "c10::Half", ["torch.bfloat16"] = "c10::BFloat16", ["torch.float32"] = "float",
    ["torch.float64"] = "double"}

-- Two results called `name`, into the tensors of the table out where it is given.
function common.into_all(name, out, first, second)
    if out == nil then return torch._returns(name, first, second) end
    if type(out) ~= "table" then
        raise("TypeError", "%s(): argument 'out' must be tuple of Tensors, not %s", name, support.type_word(out))
    end
    if #out ~= 2 then raise("TypeError", "expected tuple of 2 elements but got %d", #out) end
    for k, y in ipairs {first, second} do
        if common.check_tensor(name, "out", k, out[k]).dtype ~= y.dtype then
            raise("RuntimeError", "Expected out tensor to have dtype %s, but got %s instead",
                DTYPE_WORDS[tostring(y.dtype)], DTYPE_WORDS[tostring(out[k].dtype)])
        end
        common.into(out[k], y)
    end
    return torch._returns(name, out[1], out[2])
end

-- x without its last place, and without its first, along dim.
function common.neighbours(x, dim)
    local n = x.shape[dim]
    return x:narrow(dim, 0, math.max(n - 1, 0)), x:narrow(dim, math.min(n, 1), math.max(n - 1, 0))
end

return common
