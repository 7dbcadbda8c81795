-- torch.linalg's products of matrices and of tensors.
local torch = require "torch"
local support = require "torch.support"
local ctype = require "torch.ctypes"
local common = require "torch.tensor.common"
local rows = torch._linalg
local raise, signature, check_tensor = support.raise, support.signature, common.check_tensor

local L = {}

local read_matmul = signature("linalg_matmul", {"input:Tensor!", "other:Tensor!"})

function L.matmul(...)
    return torch.matmul(read_matmul(...))
end

local read_power = signature("linalg_matrix_power", {"input:Tensor!", "n:int!"})

function L.matrix_power(...)
    return torch.matrix_power(read_power(...))
end

local read_diagonal = signature("linalg_diagonal", {"A:Tensor!", "offset:int", "dim1:int", "dim2:int"},
    {offset = 0, dim1 = -2, dim2 = -1})

function L.diagonal(...)
    local A, offset, dim1, dim2 = read_diagonal(...)
    return A:diagonal(offset, dim1, dim2)
end

local function check_float(name, x)
    if not x:is_floating_point() then
        raise("RuntimeError", "%s: Expected a floating point or complex tensor as input. Got %s", name,
            x:type():match("(%a+)Tensor$"))
    end
end

local read_vecdot = signature("linalg_vecdot", {"x:Tensor!", "y:Tensor!", "dim:int"}, {dim = -1})

function L.vecdot(...)
    local x, y, dim = read_vecdot(...)
    check_float("linalg.vecdot", x)
    if x.dtype ~= y.dtype then
        raise("RuntimeError", "linalg.vecdot: Expected vectors of same dtype but found %s and %s",
            x:type():match("(%a+)Tensor$"), y:type():match("(%a+)Tensor$"))
    end
    if x.ndim == 1 and y.ndim == 1 then return x:vdot(y) end
    return (x * y):sum(dim)
end

local read_cross = signature("linalg_cross", {"input:Tensor!", "other:Tensor!", "dim:int"}, {dim = -1})

function L.cross(...)
    local x, y, dim = read_cross(...)
    if x.ndim ~= y.ndim then
        raise("RuntimeError", "linalg.cross: inputs must have the same number of dimensions.")
    end
    local at = common.wrap_dim(dim, x.ndim)
    if x.shape[at] ~= 3 or y.shape[at] ~= 3 then
        raise("RuntimeError", "linalg.cross: inputs dimension %d must have length 3. Got %d and %d", dim,
            x.shape[at], y.shape[at])
    end
    return torch.cross(x, y, dim)
end

local read_vander = signature("linalg_vander", {"x:Tensor!", "N:int"})

function L.vander(...)
    local x, n = read_vander(...)
    n = n or (x.ndim > 0 and x.shape[x.ndim - 1] or 1)
    if n <= 1 then raise("RuntimeError", "N must be greater than 1.") end
    local size = common.integers(x.shape)
    if #size == 0 then size[1] = 1 end
    size[#size + 1] = n - 1
    local powers = x:unsqueeze(-1):expand(size):cumprod(-1)
    size[#size] = 1
    return torch.cat({powers:new_ones(size), powers}, -1)
end

-- ---- chains ----

local function check_chain(name, tensors)
    for i, t in ipairs(tensors) do
        if not torch.is_tensor(t) then
            raise("TypeError", "%s(): argument 'tensors' (position 1) must be tuple of Tensors, but found " ..
                "element of type %s at pos %d", name, support.type_word(t), i - 1)
        end
    end
    if #tensors < 2 then
        raise("RuntimeError", "%s: expected at least 2 tensors but got %d", name, #tensors)
    end
    for i, t in ipairs(tensors) do
        local ends = i == 1 or i == #tensors
        if ends and t.ndim ~= 1 and t.ndim ~= 2 then
            raise("RuntimeError", "%s: the %s tensor must be 1D or 2D but got %dD", name,
                i == 1 and "first" or "last", t.ndim)
        elseif not ends and t.ndim ~= 2 then
            raise("RuntimeError", "%s: tensor %d must be 2D but got %dD", name, i - 1, t.ndim)
        end
    end
end

local function shape_text(x)
    return tostring(x.shape):match("%[.*%]")
end

-- The matrices of a chain: vectors at its ends become a row and a column.
local function chain_matrices(name, tensors)
    local list = {}
    for i, t in ipairs(tensors) do
        list[i] = t.ndim == 2 and t or t:unsqueeze(i == 1 and 0 or -1)
    end
    for i = 1, #list - 1 do
        if list[i + 1].dtype ~= list[1].dtype then
            raise("RuntimeError", "%s: all tensors must have be the same dtype but tensor 0 is %s and " ..
                "tensor %d %s", name, ctype(list[1]), i, ctype(list[i + 1]))
        end
        if list[i].shape[1] ~= list[i + 1].shape[0] then
            raise("RuntimeError", "%s: tensors %d and %d with shapes %s and %s cannot be multiplied", name,
                i - 1, i, shape_text(list[i]), shape_text(list[i + 1]))
        end
    end
    return list
end

-- Where to split each stretch i … j of the chain so that the products cost least.
local function best_splits(list)
    local n, size, cost, split = #list, {}, {}, {}
    for i, t in ipairs(list) do size[i] = t.shape[0] end
    size[n + 1] = list[n].shape[1]
    for i = 1, n do cost[i], split[i] = {[i] = 0}, {} end
    for length = 1, n - 1 do
        for i = 1, n - length do
            local j = i + length
            cost[i][j] = math.huge
            for k = i, j - 1 do
                local q = cost[i][k] + cost[k + 1][j] + size[i] * size[k + 1] * size[j + 1]
                if q < cost[i][j] then cost[i][j], split[i][j] = q, k end
            end
        end
    end
    return split
end

local function multiply(list, split, i, j)
    if i == j then return list[i] end
    local k = split[i][j]
    return multiply(list, split, i, k):mm(multiply(list, split, k + 1, j))
end

local function chain(name, tensors)
    check_chain(name, tensors)
    local list, size = chain_matrices(name, tensors), {}
    local y
    if #list == 3 then -- ties go to the left
        local a, b, c = table.unpack(list)
        local n, k, m, r = a.shape[0], a.shape[1], b.shape[1], c.shape[1]
        local left, right = n * k * m + n * m * r, k * m * r + n * k * r
        y = left <= right and a:mm(b):mm(c) or a:mm(b:mm(c))
    else
        y = multiply(list, best_splits(list), 1, #list)
    end
    if tensors[1].ndim == 2 then size[1] = tensors[1].shape[0] end
    if tensors[#tensors].ndim == 2 then size[#size + 1] = tensors[#tensors].shape[1] end
    return y:view(size)
end

function L.multi_dot(...)
    local tensors = common.tensors(...)
    for _, t in ipairs(tensors) do check_tensor("linalg_multi_dot", "tensors", 1, t) end
    return chain("multi_dot()", tensors)
end

-- torch.chain_matmul
function L.chain_matmul(...)
    local tensors = common.tensors(...)
    for i = 1, #tensors do
        local t = check_tensor("chain_matmul", "matrices", i, tensors[i])
        if t.ndim ~= 2 then
            raise("RuntimeError", "Tensor %d has dimension %d, expected 2", i - 1, t.ndim)
        end
    end
    if #tensors == 0 then raise("RuntimeError", "chain_matmul(): Expected one or more matrices") end
    if #tensors == 1 then return tensors[1]:clone() end
    return chain("multi_dot()", tensors)
end

-- ---- linear maps between tensors ----

local function product(list, from, to)
    local n = 1
    for i = from, to do n = n * list[i] end
    return n
end

local read_inverse = signature("linalg_tensorinv", {"input:Tensor!", "ind:int"}, {ind = 2})

function L.tensorinv(...)
    local A, ind = read_inverse(...)
    if ind <= 0 then
        raise("RuntimeError", "Expected a strictly positive integer for 'ind', but got %d", ind)
    end
    local size = common.integers(A.shape)
    local front, back = product(size, 1, math.min(ind, #size)), product(size, ind + 1, #size)
    if front ~= back then
        raise("RuntimeError", "Expected self to satisfy the requirement prod(self.shape[ind:]) == " ..
            "prod(self.shape[:ind]), but got %d != %d", back, front)
    end
    local order = table.move(size, ind + 1, #size, 1, {})
    table.move(size, 1, ind, #order + 1, order)
    local inverse, info = rows.inv_ex(A:reshape({front, back}))
    local place = info:item()
    if place > 0 then
        raise("torch._C._LinAlgError", "inv: The diagonal element %d is zero, the inversion could not be " ..
            "completed because the input matrix is singular.", place)
    end
    return inverse:reshape(order)
end

local read_solve = signature("linalg_tensorsolve", {"input:Tensor!", "other:Tensor!", "dims:tuple of ints"})

function L.tensorsolve(...)
    local A, B, dims = read_solve(...)
    if dims ~= nil then
        dims = common.integers(dims)
        local last = {}
        for k = 1, #dims do last[k] = A.ndim - #dims + k - 1 end
        A = A:movedim(dims, last)
    end
    local size = common.integers(A.shape)
    local front, back = product(size, 1, math.min(B.ndim, #size)), product(size, B.ndim + 1, #size)
    if front ~= back then
        raise("RuntimeError", "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == " ..
            "prod(self.shape[:other.ndim]), but got %d != %d", back, front)
    end
    local X = rows.solve(A:reshape({back, back}), B:flatten())
    return X:reshape(table.move(size, B.ndim + 1, #size, 1, {}))
end

return L
