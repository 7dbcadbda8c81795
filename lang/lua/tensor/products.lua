-- Products over chosen dims: tensordot, einsum, powers of matrices.
local torch = require "torch"
local support = require "torch.support"
local common = require "torch.tensor.common"
local raise, signature = support.raise, support.signature
local check_tensor, integers, sizes = common.check_tensor, common.integers, common.sizes

local T = {}

local function product(list)
    local n = 1
    for _, v in ipairs(list) do n = n * v end
    return n
end

local function append(...)
    local all = {}
    for _, list in ipairs({...}) do table.move(list, 1, #list, #all + 1, all) end
    return all
end

-- ---- tensordot ----

-- The two lists of dims that dims stands for: a number of last and first dims, or two lists.
local function contracted(a, dims)
    if math.type(dims) ~= "integer" then
        if torch.is_tensor(dims) then dims = dims:tolist() end
        return common.sizes_given("tensordot", "dims", 3, dims[1]),
            common.sizes_given("tensordot", "dims", 3, dims[2])
    end
    if dims < 0 then raise("RuntimeError", "tensordot expects dims >= 0, but got dims=%d", dims) end
    local left, right = {}, {}
    for k = 1, dims do left[k], right[k] = k - 1 - dims, k - 1 end
    return left, right
end

-- The dims of x that are not in `taken`, and their sizes.
local function remaining(x, taken)
    local out, size, is_taken = {}, {}, {}
    for _, d in ipairs(taken) do is_taken[d] = true end
    for d = 0, x.ndim - 1 do
        if not is_taken[d] then
            out[#out + 1] = d
            size[#size + 1] = x.shape[d]
        end
    end
    return out, size
end

local read_tensordot = signature("tensordot", {"a!", "b!", "dims"}, {dims = 2})

function T.tensordot(...)
    local a, b, dims = read_tensordot(...)
    check_tensor("tensordot", "a", 1, a)
    check_tensor("tensordot", "b", 2, b)
    local left, right = contracted(a, dims)
    if #left ~= #right then raise("RuntimeError", "both dimension lists should have same length") end
    if a.dtype ~= b.dtype then raise("RuntimeError", "both inputs should have same dtype") end
    local shared = {}
    for k = 1, #left do
        local i, j = common.wrap_dim(left[k], a.ndim), common.wrap_dim(right[k], b.ndim)
        if a.shape[i] ~= b.shape[j] then
            if a.shape[i] == 1 then
                b = b:sum(j, true, {dtype = b.dtype})
            elseif b.shape[j] == 1 then
                a = a:sum(i, true, {dtype = a.dtype})
            else
                raise("RuntimeError", "contracted dimensions need to match, but first has size %d in dim " ..
                    "%d and second has size %d in dim %d", a.shape[i], left[k], b.shape[j], right[k])
            end
        end
        left[k], right[k], shared[k] = i, j, a.shape[i]
    end
    local rows, row_sizes = remaining(a, left)
    local columns, column_sizes = remaining(b, right)
    local x = a:permute(append(rows, left)):reshape({product(row_sizes), product(shared)})
    local y = b:permute(append(right, columns)):reshape({product(shared), product(column_sizes)})
    return x:mm(y):reshape(append(row_sizes, column_sizes))
end

-- ---- einsum: every operand becomes a tensor with a name for each dim; two at a time are multiplied ----

local function fail(format, ...)
    raise("RuntimeError", "einsum(): " .. format, ...)
end

-- "ij,...k" as lists of names, "..." standing where an ellipsis does.
local function parse_terms(text, base)
    local terms, term, at = {{}}, nil, 1
    term = terms[1]
    while at <= #text do
        local c = text:sub(at, at)
        if text:sub(at, at + 2) == "..." then
            if term.ellipsis then
                fail("found '.' for operand %d for which an ellipsis was already found", #terms - 1)
            end
            term[#term + 1], term.ellipsis = "...", true
            at = at + 2
        elseif c == "." then
            fail("found '.' for operand %d that is not part of any ellipsis", #terms - 1)
        elseif c == "," then
            term = {}
            terms[#terms + 1] = term
        elseif c:match("%a") then
            term[#term + 1] = c
        elseif c ~= " " then
            fail("invalid subscript given at index %d in the equation string, subscripts must be in [a-zA-Z]",
                base + at - 1)
        end
        at = at + 1
    end
    return terms
end

-- Puts names for the dims under an ellipsis into a term: "-1" is the last of them.
local function spread_ellipsis(term, covered)
    local names = {}
    for _, name in ipairs(term) do
        if name == "..." then
            for k = covered, 1, -1 do names[#names + 1] = tostring(-k) end
        else
            names[#names + 1] = name
        end
    end
    return names
end

-- One operand with names that differ: repeated ones are replaced by their diagonal.
local function without_repeats(x, names, index)
    local first, at = {}, 1
    while at <= #names do
        local name = names[at]
        local before = first[name]
        if before then
            if x.shape[before - 1] ~= x.shape[at - 1] then
                fail("subscript %s is repeated for operand %d but the sizes don't match, %d != %d", name,
                    index - 1, x.shape[at - 1], x.shape[before - 1])
            end
            x = x:diagonal(0, before - 1, at - 1):movedim(-1, before - 1)
            table.remove(names, at)
        else
            first[name] = at
            at = at + 1
        end
    end
    return x
end

local function check_term(term, x, index)
    local named = #term - (term.ellipsis and 1 or 0)
    if not term.ellipsis and named ~= x.ndim then
        fail("the number of subscripts in the equation (%d) does not match the number of dimensions (%d) " ..
            "for operand %d and no ellipsis was given", named, x.ndim, index - 1)
    elseif named > x.ndim then
        fail("the number of subscripts in the equation (%d) is more than the number of dimensions (%d) " ..
            "for operand %d", named, x.ndim, index - 1)
    end
    return x.ndim - named
end

local function refuse_size(name, n, operand, dim, seen)
    if name:find("^%a") then
        fail("subscript %s has size %d for operand %d which does not broadcast with previously seen size %d",
            name, n, operand, seen)
    end
    fail("dimension %d covered by ellipsis in operand %dhas size %d which does not broadcast with " ..
        "previously seen ellipsis with size %d for the respective dimension", dim, operand, n, seen)
end

-- The operands as {x = tensor, names = list}, and how many dims the widest ellipsis covers.
local function read_operands(terms, tensors)
    if #tensors < #terms then fail("fewer operands were provided than specified in the equation") end
    if #tensors > #terms then fail("more operands were provided than specified in the equation") end
    local operands, size, widest = {}, {}, 0
    for i, x in ipairs(tensors) do
        local covered = check_term(terms[i], x, i)
        local names = spread_ellipsis(terms[i], covered)
        widest = math.max(widest, covered)
        x = without_repeats(x, names, i)
        for k, name in ipairs(names) do
            local n = x.shape[k - 1]
            local seen = size[name]
            if n ~= 1 and seen and seen ~= 1 and seen ~= n then refuse_size(name, n, i - 1, k - 1, seen) end
            if not seen or seen == 1 then size[name] = n end
        end
        operands[i] = {x = x, names = names}
    end
    return operands, widest
end

-- The result's names: those behind "->", else the ellipsis's and then, in order, those that occur once.
local function output_names(terms, text, base, widest)
    local count = {}
    for _, term in ipairs(terms) do
        for _, name in ipairs(term) do count[name] = (count[name] or 0) + 1 end
    end
    if not text then
        local once = {}
        for name, n in pairs(count) do
            if n == 1 and name ~= "..." then once[#once + 1] = name end
        end
        table.sort(once)
        return append(spread_ellipsis({"..."}, widest), once)
    end
    local given, seen = parse_terms(text, base)[1], {}
    for _, name in ipairs(given) do
        if seen[name] then fail("output subscript %s appears more than once in the output", name) end
        if name ~= "..." and not count[name] then
            fail("output subscript %s does not appear in the equation for any input operand", name)
        end
        seen[name] = true
    end
    return spread_ellipsis(given, widest)
end

local function set_of(...)
    local set = {}
    for _, list in ipairs({...}) do
        for _, name in ipairs(list) do set[name] = true end
    end
    return set
end

-- An operand's dims brought into the order of names; nothing where they are so already.
local function arranged(operand, names)
    local at, order, moved = {}, {}, false
    for k, name in ipairs(operand.names) do at[name] = k - 1 end
    for k, name in ipairs(names) do
        order[k] = at[name]
        moved = moved or order[k] ~= k - 1
    end
    return moved and operand.x:permute(order) or operand.x
end

-- The operand summed over the names that nobody else wants.
local function summed(operand, wanted)
    local dims, names = {}, {}
    for k, name in ipairs(operand.names) do
        if wanted[name] then
            names[#names + 1] = name
        else
            dims[#dims + 1] = k - 1
        end
    end
    if #dims == 0 then return operand end
    return {x = operand.x:sum(dims), names = names}
end

-- Drops dims of size 1 that the other operand has larger: they stretch, or sum to themselves.
local function without_ones(operand, other)
    local size, x, names = {}, operand.x, {}
    for k, name in ipairs(other.names) do size[name] = other.x.shape[k - 1] end
    for k = #operand.names, 1, -1 do
        local name = operand.names[k]
        if x.shape[k - 1] == 1 and (size[name] or 1) ~= 1 then
            x = x:squeeze(k - 1)
        else
            table.insert(names, 1, name)
        end
    end
    return {x = x, names = names}
end

local function sizes_of(operand, names)
    local at, out = {}, {}
    for k, name in ipairs(operand.names) do at[name] = operand.x.shape[k - 1] end
    for k, name in ipairs(names) do out[k] = at[name] end
    return out
end

-- Names of both that are wanted later (batches) and not (contracted), and each one's own.
local function sort_names(a, b, wanted)
    local in_a, in_b = set_of(a.names), set_of(b.names)
    local batch, inner, left, right = {}, {}, {}, {}
    for _, name in ipairs(a.names) do
        local list = not in_b[name] and left or wanted[name] and batch or inner
        list[#list + 1] = name
    end
    for _, name in ipairs(b.names) do
        if not in_a[name] then right[#right + 1] = name end
    end
    return batch, inner, left, right
end

-- The names as the output has them, then those that only later operands want.
local function in_order(names, output)
    local there, kept, out = set_of(names), set_of(output), {}
    for _, name in ipairs(output) do
        if there[name] then out[#out + 1] = name end
    end
    for _, name in ipairs(names) do
        if not kept[name] then out[#out + 1] = name end
    end
    return out
end

-- An operand with a dim for each name, of size 1 where it has none. Its unnamed dims, of size 1, go.
local function stretched(operand, names, unnamed)
    local own, order, size = set_of(operand.names), {}, {}
    for k, name in ipairs(names) do
        if own[name] then order[#order + 1] = name end
        size[k] = own[name] and sizes_of(operand, {name})[1] or 1
    end
    return arranged(operand, append(order, unnamed)):reshape(size)
end

-- Two operands as one: a batched matrix product, or a broadcast product where no sum has several terms.
local function multiply(a, b, wanted, output)
    a, b = without_ones(a, b), without_ones(b, a)
    local both = set_of(a.names)
    a = summed(a, setmetatable({}, {__index = function(_, n) return wanted[n] or set_of(b.names)[n] end}))
    b = summed(b, setmetatable({}, {__index = function(_, n) return wanted[n] or both[n] end}))
    local batch, inner, left, right = sort_names(a, b, wanted)
    local products = append(batch, left, right)
    local names = in_order(products, output)
    local n, k = product(sizes_of(a, batch)), product(sizes_of(a, inner))
    if k == 1 then return {x = stretched(a, names, inner) * stretched(b, names, inner), names = names} end
    local rows, columns = sizes_of(a, left), sizes_of(b, right)
    local x = arranged(a, append(batch, left, inner)):reshape({n, product(rows), k})
    local y = arranged(b, append(batch, inner, right)):reshape({n, k, product(columns)})
    local z = {x = x:bmm(y):reshape(append(sizes_of(a, batch), rows, columns)), names = products}
    return {x = arranged(z, names), names = names}
end

-- As in PyTorch a view comes last where operands were multiplied and something was summed.
local function finished(result, operands, output)
    local wanted, reduced = set_of(output), false
    for _, operand in ipairs(operands) do
        for _, name in ipairs(operand.names) do reduced = reduced or not wanted[name] end
    end
    local y = arranged(summed(result, wanted), output)
    return #operands > 1 and reduced and y:view(sizes(y)) or y
end

-- The letters of a list of subscripts, numbers 0 … 51 and torch.Ellipsis.
local function subscript_letters(list)
    local letters = {}
    for i, n in ipairs(list) do
        if rawequal(n, torch.Ellipsis) then
            letters[i] = "..."
        elseif math.type(n) ~= "integer" or n < 0 or n >= 52 then
            raise("ValueError", "einsum(): subscript in subscript list is not within the valid range [0, 52)")
        else
            letters[i] = string.char(n < 26 and 65 + n or 97 + n - 26)
        end
    end
    return table.concat(letters)
end

-- einsum(A, {0, 1}, B, {1, 2}, {0, 2}) as an equation and its tensors.
local function from_subscripts(...)
    local given, terms, tensors = {...}, {}, {}
    for i = 2, #given, 2 do
        support.check_kind("einsum", "subscripts", i, "list", given[i])
        tensors[i // 2], terms[i // 2] = given[i - 1], subscript_letters(given[i])
    end
    local equation = table.concat(terms, ",")
    if #given % 2 == 0 then return equation, tensors end
    support.check_kind("einsum", "subscripts", #given, "list", given[#given])
    return equation .. "->" .. subscript_letters(given[#given]), tensors
end

function T.einsum(equation, ...)
    local tensors = common.tensors(...)
    if torch.is_tensor(equation) and #tensors > 0 then equation, tensors = from_subscripts(equation, ...) end
    if type(equation) ~= "string" or #tensors == 0 then
        raise("ValueError", "einsum(): must specify the equation string and at least one operand, or at " ..
            "least one operand and its subscripts list")
    end
    local arrow = equation:find("->", 1, true)
    local terms = parse_terms(arrow and equation:sub(1, arrow - 1) or equation, 0)
    for i, x in ipairs(tensors) do check_tensor("einsum", "operands", i + 1, x) end
    local operands, widest = read_operands(terms, tensors)
    local output = output_names(terms, arrow and equation:sub(arrow + 2), arrow and arrow + 1, widest)
    local result = operands[1]
    for i = 2, #operands do
        local later = {output}
        for k = i + 1, #operands do later[#later + 1] = operands[k].names end
        result = multiply(result, operands[i], set_of(table.unpack(later)), output)
    end
    return finished(result, operands, output)
end

-- ---- powers of matrices ----

local read_power = signature("matrix_power", {"input!", "n:int!"})

function T.matrix_power(...)
    local input, n = read_power(...)
    check_tensor("matrix_power", "input", 1, input)
    if input.ndim < 2 then
        raise("RuntimeError", "linalg.matrix_power: The input tensor A must have at least 2 dimensions.")
    end
    local rows, columns = input.shape[-2], input.shape[-1]
    if rows ~= columns then
        raise("RuntimeError", "linalg.matrix_power: A must be batches of square matrices, but they are %d " ..
            "by %d matrices", rows, columns)
    end
    if n == 0 then
        return input:clone():copy_(torch.eye(rows, {dtype = input.dtype, device = input.device}))
    end
    if n == 1 then return input:clone() end
    if n < 0 then input, n = torch.linalg.inv(input), -n end
    local square, result = nil, nil
    while n > 0 do
        square = square and square:matmul(square) or input
        if n % 2 == 1 then result = result and result:matmul(square) or square end
        n = n // 2
    end
    return result
end

return T
