-- What can be said about an error beyond its message: which part of the user's line failed, and the shapes
-- that did not fit. Called from the message handler, while the frames still stand; it runs no code of the
-- user's.
local torch = require "torch"
local source = require "torch.teach.source"
local picture = require "torch.teach.picture"
local names = require "torch.teach.names"
local teach = torch._teach

local errors = {}

-- Which signs of the source call a metamethod, or a function of the translator's.
local signs = {
    add = "+", sub = "-", mul = "*", div = "/", mod = "%", pow = "^ **", idiv = "//", concat = "..", eq = "==",
    ne = "~= !=", lt = "< >", le = "<= >=", gt = "< >", ge = "<= >=", band = "&", bor = "|", bxor = "~",
    shl = "<<", shr = ">>", is_eq = "==", is_ne = "~= !=", matmul = "@", unm = "-", bnot = "~", len = "#",
    add_ = "+=", sub_ = "-=", mul_ = "*=", div_ = "/=", add_at = "+=", sub_at = "-=", mul_at = "*=",
    div_at = "/=",
}

local function has_sign(name, sign)
    for word in (signs[name] or ""):gmatch("%S+") do
        if word == sign then return true end
    end
    return false
end

local operators = {binary = true, unary = true, augment = true}

-- Whether the node may be what called the function of this name.
local function may_call(node, name, metamethod, attribute)
    local kind = node.kind
    if attribute then return (kind == "field" or kind == "method") and node.sign == attribute end
    if metamethod == "metamethod" then
        if name == "index" then return kind == "index" and not node.target end
        if name == "newindex" then return (kind == "index" or kind == "field") and node.target end
        return operators[kind] and has_sign(name, node.sign)
    end
    if (kind == "method" or kind == "call") and node.sign == name then return true end
    return operators[kind] and has_sign(name, node.sign)
end

local function on_line(nodes, line, accept)
    local found, wider = {}, {}
    for _, node in ipairs(nodes) do
        if accept(node) then
            if node.sign_line == line then
                found[#found + 1] = node
            elseif node.line == line then
                wider[#wider + 1] = node
            end
        end
    end
    return #found > 0 and found or wider
end

-- ---- telling candidates apart ----

-- The value of a plain name or of fields of one; known false where that would take running code.
local function value_of(node, variables)
    node = source.bare(node)
    if node.kind == "name" then return names.value(variables, node.text), true end
    if node.kind == "field" then
        local base, known = value_of(node.children[1], variables)
        if known and type(base) == "table" then return names.field(base, node.sign), true end
    end
    if node.kind == "literal" and tonumber(node.text) then return tonumber(node.text), true end
    return nil, false
end

-- The nodes of the operands: of an operator, a call or a method call; a table's items count singly.
local function operand_nodes(node)
    local list = {}
    local from = (operators[node.kind] or node.kind == "index") and node.children or source.arguments(node)
    for _, child in ipairs(from) do
        local bare = source.bare(child)
        if bare.kind == "table" then
            for _, item in ipairs(bare.children) do list[#list + 1] = item end
        else
            list[#list + 1] = child
        end
    end
    return list
end

-- Whether what is known of the node's operands speaks against its having been given the failed op's.
local function contradicts(node, failure, variables)
    local wanted = {}
    for _, o in ipairs(failure.operands) do wanted[o.id] = true end
    local seen_any, tensors = false, 0
    for _, child in ipairs(operand_nodes(node)) do
        local v, known = value_of(child, variables)
        if known and names.is_tensor(v) then
            tensors = tensors + 1
            if wanted[teach.id(v)] then seen_any = true elseif operators[node.kind] then return true end
        end
    end
    return tensors > 0 and not seen_any and node.kind ~= "call"
end

-- The indexed value and the key as the failed access had them.
local function other_index(node, base, key, variables)
    local v, known = value_of(node.children[1], variables)
    if known and not rawequal(v, base) then return true end
    if type(key) == "string" then -- literal slices, as one text
        return node.text:match("%[(.*)%]$"):gsub("%s", "") ~= key:gsub("%s", "")
    end
    for i = 2, #node.children do
        v, known = value_of(node.children[i], variables)
        local had = type(key) == "table" and rawget(key, i - 1) or key
        if known and type(v) == "number" and not rawequal(v, had) then return true end
    end
    return false
end

local function only(list, reject)
    local left
    for _, node in ipairs(list) do
        if not reject(node) then
            if left then return nil end
            left = node
        end
    end
    return left
end

-- ---- finding the place ----

-- The innermost level of the user's own, counted for the caller.
local function user_level()
    for level = 4, 250 do
        local info = debug.getinfo(level, "Sl")
        if not info then return nil end
        if info.currentline > 0 and info.source:sub(1, 8) ~= "=[torch]" then return level - 1, info end
    end
end

-- The node that Lua's own message speaks of: "attempt to call a nil value (global 'f')".
local function named_in(message, nodes, line)
    local what, name = message:match("%((%a+) '([%w_]+)'%)$")
    if not what then return nil end
    local kind = what == "method" and "method" or what == "field" and "field" or "name"
    local found = on_line(nodes, line, function(node)
        return node.kind == kind and node.sign == name and not node.target
    end)
    if message:find("^attempt to call") and #found > 1 then
        found = on_line(nodes, line, function(node)
            return node.kind == kind and node.sign == name and node.parent and node.parent.kind == "call"
                and node.parent.children[1] == node
        end)
    end
    return #found == 1 and found[1] or nil
end

local function undefined_name(message, nodes, line)
    local name = message:match("^NameError: name '([%w_]+)' is not defined")
    if not name then return nil end
    local found = on_line(nodes, line, function(node)
        return node.kind == "name" and node.text == name and not node.target
    end)
    return #found == 1 and found[1] or nil
end

-- The expression on the user's line that failed, nil where more than one may have.
local function find_node(message, nodes, level, line, failure, variables)
    local special = undefined_name(message, nodes, line)
    if special then return special end
    local callee = level > 3 and debug.getinfo(level, "n") -- levels count from one more here: it is the one inside
    if not callee or not callee.name then return named_in(message, nodes, line) end
    local name, how = callee.name, callee.namewhat
    if name == "error" or name == "assert" then return nil end
    local attribute = message:match("^AttributeError: .- has no attribute '([%w_]+)'")
    local found = on_line(nodes, line, function(node) return may_call(node, name, how, attribute) end)
    if #found <= 1 then return found[1] end
    if how == "metamethod" and name == "index" then
        local _, base = debug.getlocal(level, 1)
        local _, key = debug.getlocal(level, 2)
        return only(found, function(node) return other_index(node, base, key, variables) end)
    end
    if not failure then return nil end
    return only(found, function(node) return contradicts(node, failure, variables) end)
end

-- ---- names for the picture ----

local function operand_name(o, k, failure, node, variables, level)
    if o.number then return o.param end
    if node then
        local operands = operand_nodes(node)
        if o.listed then
            for _, child in ipairs(source.arguments(node)) do
                local bare = source.bare(child)
                if bare.kind == "table" then operands = bare.children break end
            end
        end
        for _, child in ipairs(operands) do
            local v, known = value_of(child, variables)
            if known and names.is_tensor(v) and teach.id(v) == o.id then return source.bare(child).text end
        end
        -- an operator's operands stand where they stood
        if #operands == #failure.operands and node.kind ~= "index" then
            local v, known = value_of(operands[k], variables)
            if not known or names.is_tensor(v) then return source.bare(operands[k]).text end
        end
    end
    local found = names.search(variables, o.id) or names.search(names.globals(), o.id)
    for inner = level, 5, -1 do -- the library's own frames
        found = found or names.search(names.frame(inner), o.id)
    end
    return found or o.param
end

-- The messages of shapes that do not fit each other; others speak of one operand alone.
local misfits = {"must match", "cannot be multiplied", "Sizes of tensors", "stack expects", "same number of dimensions",
    "inconsistent tensor size", "size mismatch", "Expected size for", "same number of elements"}

local function is_misfit(message)
    for _, words in ipairs(misfits) do
        if message:find(words, 1, true) then return true end
    end
    return false
end

local function draw(failure, node, variables, level)
    for k, o in ipairs(failure.operands) do
        o.name = operand_name(o, k, failure, node, variables, level + 1)
    end
    local drawing = picture.of(failure)
    local bad = false
    for _, row in ipairs(drawing.rows) do
        for _, cell in next, row.cells do bad = bad or cell.bad end
    end
    if not bad then return nil end
    drawing.notes = {}
    return table.concat(picture.lines(drawing, nil, teach.colour_errors), "\n")
end

-- What is known of the error with this message: the picture (nil: none) and, in the innermost line of the
-- user's, the first and last byte of the failing part in the text, and those of its sign. text: that frame's
-- source, or nil.
function errors.describe(message, text, cell)
    local level, info = user_level()
    if not level or message == "KeyboardInterrupt" then return nil end -- it could have come anywhere
    local failure = teach.failure(message)
    local variables = names.frame(level)
    local nodes = text and (source.parse(text, info.source, cell) or source.parse(text, info.source, not cell)) or {}
    local node = find_node(message, nodes, level, info.currentline, failure, variables)
    local remark = teach.remark(message)
    local drawn
    if failure and picture.explains_failure(failure) and is_misfit(message) then
        drawn = draw(failure, node, variables, level)
    end
    if remark then drawn = (drawn and drawn .. "\n" or "") .. "  " .. remark end
    if not node then return drawn end
    return drawn, node.from, node.to, node.sign_from, node.sign_to
end

return errors
