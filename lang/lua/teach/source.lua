-- The expressions of a source as a tree, each with its text, and the same source with its expressions
-- reported as they are evaluated.
local teach = require("torch")._teach

local source = {}

-- A node is a span of torch._teach.spans with parent, children (in order, the base of an index, field or
-- call first) and number. Returns the list of all nodes, inner ones first, and the outermost ones; nil and a
-- message for what is no code.
function source.parse(text, chunkname, cell)
    local nodes, message = teach.spans(text, chunkname, cell)
    if not nodes then return nil, message end
    local open = {}
    for number, node in ipairs(nodes) do
        local first = #open + 1
        while first > 1 and open[first - 1].from >= node.from do first = first - 1 end
        node.number = number
        node.children = table.move(open, first, #open, 1, {})
        for i = #open, first, -1 do open[i] = nil end
        for _, child in ipairs(node.children) do child.parent = node end
        open[#open + 1] = node
    end
    for _, node in ipairs(nodes) do
        node.text = text:sub(node.from, node.to):gsub("%s+", " ")
    end
    return nodes, open
end

-- What is inside any parentheses around it.
function source.bare(node)
    while node and node.kind == "paren" do node = node.children[1] end
    return node
end

-- The arguments of a call, options aside; the object of a method call comes first.
function source.arguments(node)
    local list = {}
    for i, child in ipairs(node.children) do
        if child.kind ~= "named" and not (i == 1 and node.kind == "call") then list[#list + 1] = child end
    end
    return list
end

local function inside_function(node)
    while node do
        if node.kind == "function" then return true end
        node = node.parent
    end
    return false
end

-- Whether the expression stands where its value, not its truth, is wanted.
local function is_value(node)
    if node.condition then return false end
    local parent = node.parent
    if not parent then return true end
    if parent.kind == "paren" then return is_value(parent) end
    if parent.kind == "unary" then return parent.sign ~= "not" end
    return not (parent.kind == "binary" and (parent.sign == "and" or parent.sign == "or"))
end

local comparisons = {["<"] = true, [">"] = true, ["<="] = true, [">="] = true, ["=="] = true, ["~="] = true,
    ["!="] = true}

local function is_base(node)
    local parent = node.parent
    return parent and parent.children[1] == node and (parent.kind == "call" or parent.kind == "field")
end

-- Whether a call of a reporting function may stand around the expression without changing what it means.
local function can_report(node)
    local parent, kind = node.parent, node.kind
    if node.target or (parent and parent.kind == "slice") or inside_function(node) then return false end
    if kind == "call" or kind == "method" or kind == "index" then return true end
    if kind == "field" then return not is_base(node) end
    if kind == "unary" then return node.sign == "-" and source.bare(node.children[1]).kind ~= "literal" end
    if kind ~= "binary" or node.sign == ".." or node.sign == "and" or node.sign == "or" then return false end
    return not comparisons[node.sign] or is_value(node)
end

-- The text in which each expression that can be is reported as __mark(number, values...).
function source.instrument(text, nodes)
    local pieces = {}
    for _, node in ipairs(nodes) do
        if can_report(node) then
            -- outer expressions begin first and end last
            pieces[#pieces + 1] = {at = node.from, order = -node.number, text = "__mark(" .. node.number .. ","}
            pieces[#pieces + 1] = {at = node.to + 1, order = node.number - #nodes * 2, text = ")"}
        end
    end
    table.sort(pieces, function(a, b)
        if a.at ~= b.at then return a.at < b.at end
        return a.order < b.order
    end)
    local out, from = {}, 1
    for _, piece in ipairs(pieces) do
        out[#out + 1] = text:sub(from, piece.at - 1)
        out[#out + 1] = piece.text
        from = piece.at
    end
    out[#out + 1] = text:sub(from)
    return table.concat(out)
end

-- Text of at most `most` characters.
function source.shorten(text, most)
    if utf8.len(text) and utf8.len(text) > most then
        return text:sub(1, utf8.offset(text, most - 2) - 1) .. "..."
    end
    return text
end

return source
