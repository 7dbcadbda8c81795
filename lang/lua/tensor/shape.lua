-- Shapes of tensors: broadcasting, tiling, flipping, stacking, splitting, index grids.
local torch = require "torch"
local support = require "torch.support"
local common = require "torch.tensor.common"
local raise, signature = support.raise, support.signature
local check_tensor, integers, sizes = common.check_tensor, common.integers, common.sizes

local T = {}

-- ---- broadcasting ----

-- The sizes that all of the given sizes broadcast to.
function T.broadcast_shapes(...)
    local out = {}
    for index = 1, select("#", ...) do
        local shape = common.sizes_given("broadcast_shapes", "shapes", index, (select(index, ...)))
        while #out < #shape do table.insert(out, 1, 1) end
        for k = 1, #shape do
            local at, size = #out - k + 1, shape[#shape - k + 1]
            if size < 0 or (size ~= 1 and out[at] ~= 1 and size ~= out[at]) then
                raise("RuntimeError", "Attempting to broadcast a dimension of length %d at %d! " ..
                    "Mismatching argument at index %d had %s; but expected shape should be broadcastable " ..
                    "to [%s]", size, -k, index - 1, support.repr(shape), table.concat(out, ", "))
            end
            if size ~= 1 then out[at] = size end
        end
    end
    return torch.Size(out)
end

function T.broadcast_tensors(...)
    local list = common.tensors(...)
    local shape = {}
    for i, x in ipairs(list) do
        local own = sizes(check_tensor("broadcast_tensors", "tensors", i, x))
        while #shape < #own do table.insert(shape, 1, 1) end
        for k = 1, #own do
            local at, size = #shape - k + 1, own[#own - k + 1]
            if size ~= 1 and shape[at] ~= 1 and size ~= shape[at] then
                raise("RuntimeError", "The size of tensor a (%d) must match the size of tensor b (%d) at " ..
                    "non-singleton dimension %d", shape[at], size, at - 1)
            end
            if size ~= 1 then shape[at] = size end
        end
    end
    local out = {}
    for i, x in ipairs(list) do
        local own = sizes(x)
        local same = #own == #shape
        for k = 1, #own do same = same and own[k] == shape[k] end
        out[i] = same and x or x:expand(shape)
    end
    return out
end

-- The sizes of f(x, 2, 3), f(x, {2, 3}) or f(x, size), given as `word` of function `name`.
local function variadic_sizes(name, word, first, ...)
    if first == nil then
        raise("TypeError", '%s() missing 1 required positional arguments: "%s"', name, word)
    end
    if math.type(first) == "integer" then first = {first, ...} end
    if type(first) == "table" then first = first.size or first.dims or first end
    return common.sizes_given(name, word, 2, first)
end

function T.broadcast_to(input, ...)
    check_tensor("broadcast_to", "input", 1, input)
    return input:expand(variadic_sizes("broadcast_to", "size", ...))
end

function T.tile(input, ...)
    check_tensor("tile", "input", 1, input)
    local dims = variadic_sizes("tile", "dims", ...)
    while #dims < input.ndim do table.insert(dims, 1, 1) end
    return input:rep(dims)
end

-- ---- turning over ----

function T.fliplr(input)
    check_tensor("fliplr", "input", 1, input)
    if input.ndim < 2 then raise("RuntimeError", "Input must be >= 2-d.") end
    return input:flip({1})
end

function T.flipud(input)
    check_tensor("flipud", "input", 1, input)
    if input.ndim < 1 then raise("RuntimeError", "Input must be >= 1-d.") end
    return input:flip({0})
end

-- ---- at least so many dims ----

local function at_least(name, raised)
    T[name] = function(...)
        local list = common.tensors(...)
        local out = {}
        for i, x in ipairs(list) do out[i] = raised(check_tensor(name, "tensors", i, x)) end
        if select("#", ...) == 1 and list ~= ... then return out[1] end
        return out
    end
    return raised
end

local at_least_1d = at_least("atleast_1d", function(x)
    return x.ndim == 0 and x:reshape({1}) or x
end)
local at_least_2d = at_least("atleast_2d", function(x)
    if x.ndim == 0 then return x:reshape({1, 1}) end
    return x.ndim == 1 and x:unsqueeze(0) or x
end)
local at_least_3d = at_least("atleast_3d", function(x)
    if x.ndim == 0 then return x:reshape({1, 1, 1}) end
    if x.ndim == 1 then return x:unsqueeze(0):unsqueeze(-1) end
    return x.ndim == 2 and x:unsqueeze(-1) or x
end)

-- ---- stacking ----

-- Declares T.NAME(tensors): each made ready, then joined along the dim that join_dim tells from the first.
local function stacking(name, ready, join_dim)
    local read = signature(name, {"tensors!", "out"})
    T[name] = function(...)
        local list, out = read(...)
        local parts = {}
        for i, x in ipairs(common.check_tensors(name, list)) do parts[i] = ready(x) end
        local dim = join_dim(parts[1])
        if out ~= nil then return torch.cat(parts, dim, {out = out}) end
        return torch.cat(parts, dim)
    end
end

stacking("hstack", at_least_1d, function(x) return x.ndim == 1 and 0 or 1 end)
stacking("vstack", at_least_2d, function() return 0 end)
stacking("dstack", at_least_3d, function() return 2 end)
stacking("column_stack", function(x) return x.ndim < 2 and x:reshape({x:numel(), 1}) or x end,
    function() return 1 end)
T.row_stack = T.vstack

-- The matrix with the given matrices along its diagonal; vectors and numbers count as one row.
function T.block_diag(...)
    local list, width = common.tensors(...), 0
    if #list == 0 then return torch.empty(1, 0) end
    local blocks, of_dims, of_numbers = {}, nil, nil
    for i, x in ipairs(list) do
        if not torch.is_tensor(x) then
            raise("TypeError", "expected Tensor as element %d in argument 0, but got %s", i - 1,
                support.type_word(x))
        end
        if x.ndim > 2 then
            raise("RuntimeError", "torch.block_diag: Input tensors must have 2 or fewer dimensions. " ..
                "Input %d has %d dimensions", i - 1, x.ndim)
        end
        blocks[i] = at_least_2d(x)
        if x.ndim > 0 then
            of_dims = of_dims and torch.promote_types(of_dims, x.dtype) or x.dtype
        else
            of_numbers = of_numbers and torch.promote_types(of_numbers, x.dtype) or x.dtype
        end
        width = width + blocks[i].shape[1]
    end
    local dtype = of_dims or of_numbers
    if of_dims and of_numbers then
        dtype = torch.result_type(torch.empty(1, {dtype = of_dims}), torch.empty({}, {dtype = of_numbers}))
    end
    local rows, before = {}, 0
    for i, block in ipairs(blocks) do
        local height, own = block.shape[0], block.shape[1]
        local left = block:new_zeros({height, before}, {dtype = dtype})
        local right = block:new_zeros({height, width - before - own}, {dtype = dtype})
        rows[i] = torch.cat({left, block:to(dtype), right}, 1)
        before = before + own
    end
    return torch._named("BlockDiagBackward0", torch.cat(rows, 0))
end

-- ---- splitting ----

-- Where x[first:last] begins and how long it is, as Python's slices have it.
local function slice_bounds(first, last, n)
    if first < 0 then first = first + n end
    if last < 0 then last = last + n end
    first, last = math.max(0, math.min(first, n)), math.max(0, math.min(last, n))
    return first, math.max(last - first, 0)
end

local function split_sections(x, sections, dim)
    if sections <= 0 then
        raise("RuntimeError", "number of sections must be larger than 0, got %d", sections)
    end
    local n, at, out = x.shape[dim], 0, {}
    for i = 1, sections do
        local length = n // sections + (i <= n % sections and 1 or 0)
        out[i] = x:narrow(dim, at, length)
        at = at + length
    end
    return out
end

local function split_indices(x, indices, dim)
    local n, from, out = x.shape[dim], 0, {}
    for i, to in ipairs(indices) do
        out[i] = x:narrow(dim, slice_bounds(from, to, n))
        from = to
    end
    out[#out + 1] = x:narrow(dim, slice_bounds(from, n, n))
    return out
end

-- Where to split, however it was said: a number of sections or a table of places.
local function split_places(name, where)
    if where == nil then
        raise("TypeError", '%s() missing 1 required positional arguments: "indices_or_sections"', name)
    end
    if not torch.is_tensor(where) then return math.type(where) and where or integers(where) end
    if where.dtype ~= torch.int64 then
        raise("RuntimeError", "%s expected tensor_indices_or_sections to have dtype of long, but got %s",
            name, where:type():match("torch%.(%w+)Tensor"))
    end
    if where.ndim > 1 then
        raise("RuntimeError", "%s expected tensor_indices_or_sections to be a zero-dimensional or " ..
            "one-dimensional tensor, but got a tensor with %d dims", name, where.ndim)
    end
    return where.ndim == 0 and where:item() or where:tolist()
end

local WHERE = {"indices_or_sections:tuple of ints", "sections:int", "indices:tuple of ints"}

local read_split = signature("tensor_split", {"input!", WHERE[1], "dim:int", WHERE[2], WHERE[3]}, {dim = 0})

function T.tensor_split(...)
    local input, where, dim, sections, indices = read_split(...)
    if input.ndim == 0 then
        raise("RuntimeError", "tensor_split expected at least a 1-dimensional tensor, but got a " ..
            "tensor with 0 dims")
    end
    dim = common.wrap_dim(dim, input.ndim)
    where = split_places("tensor_split", where or sections or indices)
    if math.type(where) then return split_sections(input, where, dim) end
    return split_indices(input, where, dim)
end

-- Declares hsplit, vsplit and dsplit: input of at least `least` dims, split along the dim of along(input).
local function splitting(name, least, along)
    local read = signature(name, {"input!", table.unpack(WHERE)})
    T[name] = function(...)
        local input, where, sections, indices = read(...)
        where = split_places(name, where or sections or indices)
        if input.ndim < least then
            raise("RuntimeError", "torch.%s requires a tensor with at least %d dimension, but got a " ..
                "tensor with %d dimensions!", name, least, input.ndim)
        end
        local dim = along(input)
        if not math.type(where) then return split_indices(input, where, dim) end
        local n = input.shape[dim]
        if where == 0 or n % where ~= 0 then
            raise("RuntimeError", "torch.%s attempted to split along dimension %d, but the size of the " ..
                "dimension %d is not divisible by the split_size %d!", name, dim, n, where)
        end
        return split_sections(input, where, dim)
    end
end

splitting("hsplit", 1, function(x) return x.ndim == 1 and 0 or 1 end)
splitting("vsplit", 2, function() return 0 end)
splitting("dsplit", 3, function() return 2 end)

-- ---- grids and indices ----

function T.cartesian_prod(...)
    local list = common.tensors(...)
    if #list == 1 then return list[1] end
    local grids = torch.meshgrid(list, {indexing = "ij"})
    for i, grid in ipairs(grids) do grids[i] = grid:flatten() end
    return torch.stack(grids, 1)
end

local read_combinations = signature("combinations", {"input!", "r:int", "with_replacement"},
    {r = 2, with_replacement = false})

function T.combinations(...)
    local input, r, with_replacement = read_combinations(...)
    if input.ndim ~= 1 then
        raise("RuntimeError", "Expect a 1D vector, but got shape [%s]", table.concat(sizes(input), ", "))
    end
    if r < 0 then raise("RuntimeError", "Expect a non-negative number, but got %d", r) end
    if r == 0 then return input:new_empty({0}) end
    local values, places = {}, {}
    local range = torch.arange(input:numel(), {device = input.device})
    for i = 1, r do values[i], places[i] = input, range end
    values, places = torch.meshgrid(values, {indexing = "ij"}), torch.meshgrid(places, {indexing = "ij"})
    local mask = torch.ones_like(places[1], {dtype = torch.bool})
    for i = 1, r - 1 do
        mask = mask & (with_replacement and places[i]:le(places[i + 1]) or places[i]:lt(places[i + 1]))
    end
    for i, grid in ipairs(values) do values[i] = grid:masked_select(mask) end
    return torch.stack(values, 1)
end

local read_diagflat = signature("diagflat", {"input!", "offset:int"}, {offset = 0})

function T.diagflat(...)
    local input, offset = read_diagflat(...)
    return check_tensor("diagflat", "input", 1, input):flatten():diag(offset)
end

-- Declares tril_indices and triu_indices: the places that torch.tril or torch.triu keeps, row above column.
local function triangle_indices(name, keep)
    local read = signature(name, {"row:int!", "col:int!", "offset:int", "dtype", "device"},
        {offset = 0, dtype = torch.int64})
    T[name] = function(...)
        local row, col, offset, dtype, device = read(...)
        for word, n in pairs({row = row, col = col}) do
            if n < 0 then raise("RuntimeError", "%s must be non-negative, got%d", word, n) end
        end
        local ones = torch.ones({row, col}, {dtype = torch.float32, device = device})
        return keep(ones, offset):nonzero():t():contiguous():to(dtype)
    end
end

triangle_indices("tril_indices", torch.tril)
triangle_indices("triu_indices", torch.triu)

local read_unravel = signature("unravel_index", {"indices:Tensor!", "shape:tuple of ints!"})

-- The coordinates of flat indices in a tensor of the given shape, a tensor a dim.
function T.unravel_index(...)
    local indices, shape = read_unravel(...)
    if indices.dtype == torch.bool or indices:is_floating_point() then
        raise("TypeError", "expected 'indices' to be integer dtype, but got %s", tostring(indices.dtype))
    end
    indices = indices:to(torch.int64)
    local out, rest, dims = {}, indices, integers(shape)
    for i = #dims, 1, -1 do
        out[i] = rest % dims[i]
        rest = rest // dims[i]
    end
    return out
end

return T
