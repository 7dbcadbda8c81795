-- torch.linalg's norms and condition numbers.
local torch = require "torch"
local support = require "torch.support"
local common = require "torch.tensor.common"
local rows = torch._linalg
local raise, signature = support.raise, support.signature

local L = {}

-- An order as Python's str shows it in messages.
local function spelt(ord)
    if type(ord) == "string" then return ord end
    return math.tointeger(ord) and tostring(math.tointeger(ord)) or support.repr(ord)
end

local function check_dtype(name, A)
    if not A:is_floating_point() then
        raise("RuntimeError", "%s: Expected a floating point or complex tensor as input. Got %s", name,
            A:type():match("(%a+)Tensor$"))
    end
end

local function converted(A, dtype)
    return dtype == nil and A or A:to(dtype)
end

-- ---- vectors ----

local read_vector = signature("linalg_vector_norm",
    {"input:Tensor!", "ord:Number", "dim:tuple of ints", "keepdim:bool", "dtype"},
    {ord = 2, keepdim = false})

local function vector_norm(A, ord, dim, keepdim, dtype)
    check_dtype("linalg.vector_norm", A)
    return converted(A, dtype):norm(ord, dim, keepdim)
end

function L.vector_norm(...)
    local x, ord, dim, keepdim, dtype = read_vector(...)
    return vector_norm(x, ord, dim, keepdim, dtype)
end

-- ---- matrices ----

local KINDS = {fro = 0, nuc = 1}
local ORDERS = {[1] = true, [-1] = true, [2] = true, [-2] = true, [math.huge] = true, [-math.huge] = true}

local function matrix_norm(A, ord, dim, keepdim, dtype)
    local kind = type(ord) == "string" and KINDS[ord] or ORDERS[ord] and 2
    if not kind then raise("RuntimeError", "linalg.matrix_norm: Order %s not supported.", spelt(ord)) end
    return rows.matrix_norm(converted(A, dtype), kind, kind == 2 and ord or 0, dim, keepdim)
end

local read_matrix = signature("linalg_matrix_norm",
    {"input:Tensor!", "ord", "dim:tuple of ints", "keepdim:bool", "dtype"},
    {ord = "fro", dim = {-2, -1}, keepdim = false})

function L.matrix_norm(...)
    local A, ord, dim, keepdim, dtype = read_matrix(...)
    return matrix_norm(A, ord, dim, keepdim, dtype)
end

local read_norm = signature("linalg_norm",
    {"input:Tensor!", "ord", "dim:tuple of ints", "keepdim:bool", "dtype"}, {keepdim = false})

function L.norm(...)
    local A, ord, dim, keepdim, dtype = read_norm(...)
    local dims = dim ~= nil and common.integers(dim) or nil
    if dims and #dims ~= 1 and #dims ~= 2 and ord ~= nil then
        raise("RuntimeError", "linalg.norm: If dim is specified, it must be of length 1 or 2. Got [%s]",
            table.concat(dims, ", "))
    end
    if not dims and ord ~= nil and A.ndim ~= 1 and A.ndim ~= 2 then
        raise("RuntimeError", "linalg.norm: If dim is not specified but ord is, the input must be 1D or " ..
            "2D. Got %dD.", A.ndim)
    end
    local matrices = ord ~= nil and (dims and #dims == 2 or not dims and A.ndim == 2)
    if not matrices and type(ord) ~= "string" then return vector_norm(A, ord or 2, dim, keepdim, dtype) end
    return matrix_norm(A, ord, dims or {0, 1}, keepdim, dtype)
end

-- ---- condition numbers ----

local read_cond = signature("linalg_cond", {"input:Tensor!", "p"})

function L.cond(...)
    local A, p = read_cond(...)
    if A.ndim < 2 then
        raise("RuntimeError", "linalg.cond: The input tensor must have at least 2 dimensions.")
    end
    if p == nil or p == 2 or p == -2 then
        if A:numel() == 0 then return A:new_zeros(common.integers(A.shape[":-2"])) end
        local S = rows.svdvals(A)
        local largest, smallest = S:narrow(-1, 0, 1), S:narrow(-1, -1, 1)
        return (p == -2 and smallest / largest or largest / smallest):squeeze(-1)
    end
    if not (type(p) == "string" and KINDS[p] or ORDERS[p]) then
        raise("RuntimeError", "linalg.cond got an invalid norm type: %s", spelt(p))
    end
    local m, n = A.shape[A.ndim - 2], A.shape[A.ndim - 1]
    if m ~= n then
        raise("RuntimeError", "linalg.cond(ord=%s): A must be batches of square matrices, but they are " ..
            "%d by %d matrices", spelt(p), m, n)
    end
    if A:numel() == 0 then return A:new_zeros(common.integers(A.shape[":-2"])) end
    if p == "nuc" then
        local S = rows.svdvals(A)
        return S:sum(-1) * S:reciprocal():sum(-1)
    end
    local inverse = rows.inv_ex(A)
    local product = matrix_norm(A, p, nil, false) * matrix_norm(inverse, p, nil, false)
    return product:nan_to_num(1/0, 1/0, -1/0)
end

return L
