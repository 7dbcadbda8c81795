-- torch.trace_element: the arithmetic behind one element of a result, from the input elements on, in steps.
--
-- The expression is evaluated once, watched. Then the element is followed backwards through the ops: each
-- op's rule says which elements of its operands made it and how they are written. Operands that no op of the
-- expression made are the inputs.
local torch = require "torch"
local support = require "torch.support"
local source = require "torch.teach.source"
local explain = require "torch.teach.explain"
local lookup = require "torch.teach.names"
local teach = torch._teach

local trace = {}

local MOST_TERMS, MOST_LINES, WIDTH = 24, 24, 80

-- ---- elements ----

local function read(t, index)
    if t.ndim == 0 then return t:item() end
    return t[index]:item()
end

-- A value as tensors print it: four digits.
local function number_text(v)
    if math.type(v) == "integer" or type(v) == "boolean" then return tostring(v) end
    if v ~= v or v == math.huge or v == -math.huge then return support.repr(v) end
    local text = ("%.4f"):format(v)
    if v ~= 0 and (math.abs(v) < 1e-3 or math.abs(v) >= 1e5) then return ("%.4e"):format(v) end
    return (text:gsub("(%.%d-)0+$", "%1"):gsub("%.$", ".0"))
end

local function signed(v)
    local text = number_text(v)
    return text:sub(1, 1) == "-" and "(" .. text .. ")" or text
end

local function copy(list) return table.move(list, 1, #list, 1, {}) end

-- The element of an operand behind element `index` of a result it was broadcast to.
local function broadcast_index(t, index)
    local out, lead = {}, #index - t.ndim
    for d = 1, t.ndim do out[d] = t.shape[d - 1] == 1 and 0 or index[lead + d] end
    return out
end

local function wrapped(dim, n) return dim < 0 and dim + n or dim end

-- Calls visit(index) for every index of the sizes, in row-major order.
local function each(sizes, visit)
    local index = {}
    local function go(d)
        if d > #sizes then return visit(copy(index)) end
        for i = 0, sizes[d] - 1 do
            index[d] = i
            go(d + 1)
        end
    end
    go(1)
end

-- ---- rules ----
--
-- rule(step, index) gives the elements behind it, {operand number, index} each, and a function from their
-- texts to the arithmetic, which may span several pieces: {text...}, joined by the drawing. nil: not
-- followed.

local rules = {}

local infix = {add = " + ", sub = " - ", mul = " * ", div = " / ", pow = " ^ ", lt = " < ", le = " <= ", gt = " > ",
    ge = " >= ", eq = " == ", ne = " ~= ", remainder = " % ", floor_divide = " // "}

local function elementwise(step, index)
    local elements = {}
    for k, o in ipairs(step.operands) do elements[k] = {k, broadcast_index(o.tensor, index)} end
    return elements, function(texts)
        if infix[step.op] and #texts == 2 then return {texts[1] .. infix[step.op] .. texts[2]} end
        if step.op == "neg" then return {"-" .. texts[1]} end
        if step.op == "square" then return {texts[1] .. " ^ 2"} end
        for i, text in ipairs(texts) do texts[i] = text:gsub("^%((.*)%)$", "%1") end
        return {step.op .. "(" .. table.concat(texts, ", ") .. ")"}
    end
end

-- The elements of x that a reduction folds into result element `index`.
local function folded(step, index)
    local x, a = step.operands[1].tensor, step.arguments
    local dims = type(a.dim) == "number" and {a.dim} or a.dim
    if dims and #dims == 0 then dims = nil end
    local gone, sizes = {}, {}
    for _, d in ipairs(dims or {}) do gone[wrapped(d, x.ndim) + 1] = true end
    for d = 1, x.ndim do
        gone[d] = gone[d] or not dims
        if gone[d] then sizes[#sizes + 1] = x.shape[d - 1] end
    end
    local elements = {}
    each(sizes, function(inner)
        local at, i, k = {}, 0, 0
        for d = 1, x.ndim do
            if gone[d] then
                k = k + 1
                at[d] = inner[k]
                if a.keepdim then i = i + 1 end
            else
                i = i + 1
                at[d] = index[i]
            end
        end
        elements[#elements + 1] = {1, at}
    end)
    return elements
end

local function joined(texts, sign)
    local pieces = {}
    for i, text in ipairs(texts) do pieces[i] = i > 1 and sign .. text or text end
    return pieces
end

function rules.sum(step, index)
    return folded(step, index), function(texts) return joined(texts, " + ") end
end
rules.nansum = rules.sum
function rules.prod(step, index)
    return folded(step, index), function(texts) return joined(texts, " * ") end
end
function rules.mean(step, index)
    local elements = folded(step, index)
    return elements, function(texts)
        local pieces = joined(texts, " + ")
        pieces[1] = "(" .. (pieces[1] or "")
        pieces[#pieces] = pieces[#pieces] .. ") / " .. #texts
        return pieces
    end
end
local function listed(word)
    return function(step, index)
        return folded(step, index), function(texts)
            local pieces = joined(texts, ", ")
            pieces[1] = word .. "(" .. (pieces[1] or "")
            pieces[#pieces] = pieces[#pieces] .. ")"
            return pieces
        end
    end
end
for op, word in pairs {amax = "max", amin = "min", all = "all", any = "any", max_all = "max", min_all = "min",
    max_dim = "max", min_dim = "min", argmax = "argmax", argmin = "argmin", logsumexp = "logsumexp", var = "var",
    std = "std", norm = "norm", median_dim = "median", median_all = "median"} do
    rules[op] = listed(word)
end

-- Sum of products of a row of operand a and a column of operand b, `added` after it.
local function product(step, index, a, b, transposed, added)
    local x, y = step.operands[a].tensor, step.operands[b].tensor
    local inner, elements = x.shape[x.ndim - 1], {}
    local batch = #index - (x.ndim > 1 and 1 or 0) - (y.ndim > 1 and 1 or 0)
    local function at(t, row, column)
        if t.ndim == 1 then return {row or column} end
        local out, lead = {}, batch - (t.ndim - 2)
        for d = 1, t.ndim - 2 do out[d] = t.shape[d - 1] == 1 and 0 or index[lead + d] end
        out[#out + 1], out[#out + 2] = row, column
        return out
    end
    local row = x.ndim > 1 and index[batch + 1] or nil
    local column = y.ndim > 1 and index[#index] or nil
    for k = 0, inner - 1 do
        elements[#elements + 1] = {a, x.ndim > 1 and at(x, row, k) or {k}}
        if y.ndim == 1 then
            elements[#elements + 1] = {b, {k}}
        elseif transposed then
            elements[#elements + 1] = {b, at(y, column, k)}
        else
            elements[#elements + 1] = {b, at(y, k, column)}
        end
    end
    local bias = added and step.operands[added]
    if bias and not bias.tensor then bias = nil end
    if bias then elements[#elements + 1] = {added, broadcast_index(bias.tensor, index)} end
    return elements, function(texts)
        local pieces = {}
        for k = 1, inner do
            pieces[k] = (k > 1 and " + " or "") .. texts[2 * k - 1] .. " * " .. texts[2 * k]
        end
        if bias then pieces[#pieces + 1] = " + " .. texts[#texts] end
        return pieces
    end
end

local function plain_product(step, index) return product(step, index, 1, 2) end
for _, op in ipairs {"matmul", "mm", "bmm", "mv", "dot", "vdot"} do rules[op] = plain_product end
function rules.linear(step, index) return product(step, index, 1, 2, true, 3) end
local function added_product(step, index)
    if step.arguments.alpha ~= 1 or step.arguments.beta ~= 1 then return nil end
    return product(step, index, 2, 3, false, 1)
end
rules.addmm, rules.baddbmm, rules.addmv = added_product, added_product, added_product

-- Along dim: this element and all of its line.
local function line_of(step, index)
    local x, elements = step.operands[1].tensor, {}
    local dim = wrapped(step.arguments.dim, math.max(x.ndim, 1)) + 1
    elements[1] = {1, copy(index)}
    for i = 0, (x.ndim > 0 and x.shape[dim - 1] or 1) - 1 do
        local at = copy(index)
        if x.ndim > 0 then at[dim] = i end
        elements[#elements + 1] = {1, at}
    end
    return elements
end

function rules.softmax(step, index)
    return line_of(step, index), function(texts)
        local pieces = {"exp(" .. texts[1] .. ") / ("}
        for i = 2, #texts do pieces[i] = (i > 2 and " + " or "") .. "exp(" .. texts[i] .. ")" end
        pieces[#pieces] = pieces[#pieces] .. ")"
        return pieces
    end
end
function rules.log_softmax(step, index)
    return line_of(step, index), function(texts)
        local pieces = {texts[1] .. " - log("}
        for i = 2, #texts do pieces[i] = (i > 2 and " + " or "") .. "exp(" .. texts[i] .. ")" end
        pieces[#pieces] = pieces[#pieces] .. ")"
        return pieces
    end
end

function rules.cumsum(step, index)
    local x, elements = step.operands[1].tensor, {}
    local dim = wrapped(step.arguments.dim, x.ndim) + 1
    for i = 0, index[dim] do
        local at = copy(index)
        at[dim] = i
        elements[#elements + 1] = {1, at}
    end
    return elements, function(texts) return joined(texts, " + ") end
end

-- Convolutions: every weight of the channel times the input element under it; what lies in the padding is
-- zero.
local function convolution(dims)
    return function(step, index)
        local x, w = step.operands[1].tensor, step.operands[2].tensor
        if x.ndim ~= dims + 2 then return nil end
        local a = step.arguments
        local function given(list, fallback, d) return list and (list[d] or list[1]) or fallback end
        local channels = w.shape[1]
        local first = index[2] // (w.shape[0] // a.groups) * channels
        local sizes, elements = {channels}, {}
        for d = 1, dims do sizes[d + 1] = w.shape[d + 1] end
        each(sizes, function(k)
            local at, inside = {index[1], first + k[1]}, true
            for d = 1, dims do
                at[d + 2] = index[d + 2] * given(a.stride, 1, d) - given(a.padding, 0, d) +
                    k[d + 1] * given(a.dilation, 1, d)
                inside = inside and at[d + 2] >= 0 and at[d + 2] < x.shape[d + 1]
            end
            if inside then
                elements[#elements + 1] = {1, at}
                elements[#elements + 1] = {2, {index[2], table.unpack(k)}}
            end
        end)
        local terms = #elements // 2
        local bias = step.operands[3] and step.operands[3].tensor
        if bias then elements[#elements + 1] = {3, {index[2]}} end
        return elements, function(texts)
            local pieces = {}
            for k = 1, terms do
                pieces[k] = (k > 1 and " + " or "") .. texts[2 * k - 1] .. " * " .. texts[2 * k]
            end
            if bias then pieces[#pieces + 1] = (terms > 0 and " + " or "") .. texts[#texts] end
            return pieces
        end
    end
end
rules.conv1d, rules.conv2d, rules.conv3d = convolution(1), convolution(2), convolution(3)

-- Ops that only move elements: to the element of an operand.
local moves = {}

function moves.cat(step, index)
    local dim = wrapped(step.arguments.dim, #index) + 1
    local at, offset = copy(index), 0
    for k, o in ipairs(step.operands) do
        local n = o.tensor.ndim == #index and o.tensor.shape[dim - 1] or 0
        if index[dim] < offset + n then
            at[dim] = index[dim] - offset
            return {k, at}
        end
        offset = offset + n
    end
end
function moves.stack(step, index)
    local dim = wrapped(step.arguments.dim, #index) + 1
    local at = copy(index)
    return {table.remove(at, dim) + 1, at}
end

local views = {}
for _, op in ipairs {"view", "unsafe_view", "alias", "as_strided", "t", "transpose", "permute", "expand", "unsqueeze",
    "squeeze", "select", "slice", "split_piece", "unbind_piece", "diagonal", "unfold", "reshape", "flatten",
    "unflatten", "narrow", "movedim", "expand_as", "view_as", "ravel", "contiguous", "clone", "to_copy"} do
    views[op] = true
end

-- The element of x that is the element of its view y: the one at the same place in memory, or in the same
-- row-major order where a copy was made.
local function view_element(step, y, index)
    local x = step.operands[1].tensor
    if teach.memory(x) ~= teach.memory(y) then
        if step.op == "clone" or step.op == "to_copy" or step.op == "contiguous" then return {1, copy(index)} end
        local position, at = 0, {}
        for d = 1, y.ndim do position = position * y.shape[d - 1] + index[d] end
        for d = x.ndim, 1, -1 do
            at[d] = position % x.shape[d - 1]
            position = position // x.shape[d - 1]
        end
        return {1, at}
    end
    local place = y:storage_offset() - x:storage_offset()
    local strides = {y:stride()}
    for d = 1, y.ndim do place = place + index[d] * strides[d] end
    -- x's dims by falling stride; dims of stride 0 or size 1 hold the element 0
    local order, own, at = {}, {x:stride()}, {}
    for d = 1, x.ndim do
        at[d] = 0
        if own[d] ~= 0 and x.shape[d - 1] > 1 then order[#order + 1] = d end
    end
    table.sort(order, function(i, j) return own[i] > own[j] end)
    for _, d in ipairs(order) do
        at[d] = place // own[d]
        place = place - at[d] * own[d]
        if at[d] >= x.shape[d - 1] then return nil end
    end
    return place == 0 and {1, at} or nil
end

-- Masks become the index tensors of their true elements; then the rule of index tensors, adjacent or not.
function moves.index(step, index)
    local x, list = step.operands[1].tensor, {}
    for k = 2, #step.operands do
        local t = step.operands[k].tensor
        if t and (t.dtype == torch.bool or t.dtype == torch.uint8) then
            local places = torch.nonzero(t)
            for d = 0, t.ndim - 1 do list[#list + 1] = places:select(1, d) end
        else
            list[#list + 1] = t or false
        end
    end
    local shapes, first, last, count = {}, nil, nil, 0
    for d, t in ipairs(list) do
        if t then
            shapes[#shapes + 1], count = t.shape, count + 1
            first, last = first or d, d
        end
    end
    if not first then return nil end
    local width = #torch.broadcast_shapes(table.unpack(shapes))
    local start = last - first + 1 == count and first or 1
    local at, rest = {}, 0
    local inner = {table.unpack(index, start, start + width - 1)}
    for d = 1, x.ndim do
        if list[d] then
            local i = read(list[d], broadcast_index(list[d], inner))
            at[d] = i < 0 and i + x.shape[d - 1] or i
        else
            rest = rest + 1
            at[d] = index[rest < start and rest or rest + width]
        end
    end
    return {1, at}
end
function moves.index_select(step, index)
    local dim = wrapped(step.arguments.dim, #index) + 1
    local at = copy(index)
    at[dim] = read(step.operands[2].tensor, {index[dim]})
    return {1, at}
end
function moves.gather(step, index)
    local dim = wrapped(step.arguments.dim, #index) + 1
    local at = copy(index)
    at[dim] = read(step.operands[2].tensor, index)
    return {1, at}
end
function moves.embedding(step, index)
    local rows = step.operands[1].tensor
    return {2, {read(rows, {table.unpack(index, 1, rows.ndim)}), index[#index]}}
end
function moves.flip(step, index)
    local at, x = copy(index), step.operands[1].tensor
    for _, d in ipairs(step.arguments.dims or {}) do
        d = wrapped(d, x.ndim) + 1
        at[d] = x.shape[d - 1] - 1 - at[d]
    end
    return {1, at}
end

local formats = {unary = true, binary = true, ternary = true, compare = true, test = true}

-- ---- following an element ----

-- The step that made t, before step `limit`.
local function maker(steps, t, limit)
    local id = teach.id(t)
    for k = math.min(limit, #steps), 1, -1 do
        local result = steps[k].result
        if result and teach.id(result) == id then return k end
    end
end

local function element_name(name, index)
    if #index == 0 then return name end
    return ("%s[%s]"):format(source.shorten(name, 40), table.concat(index, ", "))
end

-- Follows the element until it is an input or arithmetic made it. Returns tensor, index, step number or nil.
local function settle(steps, t, index, limit)
    for _ = 1, 100 do
        local k = maker(steps, t, limit)
        if not k then return t, index end
        local step = steps[k]
        local moved
        if step.in_place then return t, index, k end
        if views[step.op] then
            moved = view_element(step, t, index)
        elseif moves[step.op] then
            moved = moves[step.op](step, index)
        end
        if not moved then return t, index, k end
        t, index, limit = step.operands[moved[1]].tensor, moved[2], k - 1
    end
    return t, index
end

local Walk = {}
Walk.__index = Walk

-- What the element is called and its value; arithmetic that made it is added to the walk, inner arithmetic
-- first.
function Walk:element(t, index, limit, number)
    local value = read(t, index)
    if number then return number_text(value), value end
    local at, where, k = settle(self.steps, t, index, limit)
    if not k then
        local name = self.name(at, nil, #where > 0)
        local label = element_name(name, where)
        if not self.inputs[label] then
            self.inputs[label] = true
            self.order[#self.order + 1] = {name = name, index = where, value = value, label = label}
        end
        return signed(value), value
    end
    self:compute(k, at, where)
    return signed(value), value
end

function Walk:compute(k, t, index)
    local key = k .. ":" .. table.concat(index, ",")
    if self.done[key] then return end
    self.done[key] = true
    local step, name = self.steps[k], self.name(t, k, #index > 0)
    local rule = rules[step.op] or (formats[step.format] and elementwise)
    local label, value = element_name(name, index), read(t, index)
    if not rule or step.in_place then
        self.lines[#self.lines + 1] = {label = label, value = value, op = step.op, pieces = nil}
        return
    end
    local elements, write = rule(step, index)
    if not elements then
        self.lines[#self.lines + 1] = {label = label, value = value, op = step.op, pieces = nil}
        return
    end
    local texts, terms = {}, {}
    for i, e in ipairs(elements) do
        local o = step.operands[e[1]]
        local v
        if i <= MOST_TERMS then
            texts[i], v = self:element(o.tensor, e[2], k - 1, o.number)
        else
            v = read(o.tensor, e[2])
            texts[i] = signed(v)
        end
        local name = not o.number and self.name(o.tensor, maker(self.steps, o.tensor, k - 1)) or nil
        terms[i] = {name = name, index = e[2], value = v}
    end
    self.lines[#self.lines + 1] = {label = label, value = value, op = step.op, terms = terms, pieces = write(texts)}
end

-- ---- drawing ----

local function wrap(label, pieces, value, more)
    local lines, line = {}, "  " .. label .. " = "
    local indent = (" "):rep(math.min(utf8.len(line), 24))
    local function add(piece)
        if utf8.len(line) + utf8.len(piece) > WIDTH and line:find("%S") then
            lines[#lines + 1] = (line:gsub("%s+$", ""))
            line = indent .. piece:gsub("^%s+", "")
        else
            line = line .. piece
        end
    end
    for i, piece in ipairs(pieces) do
        if i > MOST_TERMS then
            add((" ... %d more"):format(#pieces - MOST_TERMS))
            break
        end
        add(piece)
    end
    add(" = " .. number_text(value))
    lines[#lines + 1] = line
    return lines
end

local function text_of(walk, title)
    local lines = {title}
    local width = 0
    for i, e in ipairs(walk.order) do
        if i <= MOST_LINES then width = math.max(width, utf8.len(e.label)) end
    end
    for i, e in ipairs(walk.order) do
        if i > MOST_LINES then
            lines[#lines + 1] = ("  ... %d elements more"):format(#walk.order - MOST_LINES)
            break
        end
        lines[#lines + 1] = "  " .. e.label .. (" "):rep(width - utf8.len(e.label)) .. "  " .. number_text(e.value)
    end
    for i, l in ipairs(walk.lines) do
        if i > MOST_LINES then
            lines[#lines + 1] = ("  ... %d steps more"):format(#walk.lines - MOST_LINES)
            break
        end
        if l.pieces then
            table.move(wrap(l.label, l.pieces, l.value), 1, 99, #lines + 1, lines)
        else
            lines[#lines + 1] = ("  %s = %s, by %s"):format(l.label, number_text(l.value), l.op)
        end
    end
    return table.concat(lines, "\n")
end

-- ---- the public face ----

local Trace = {__name = "torch.teach.Trace"}
function Trace.__tostring(t) return ("<trace of %d step%s>"):format(#t, #t == 1 and "" or "s") end

function trace.run(code, chunkname, env)
    local nodes, message = source.parse(code, chunkname, true)
    if not nodes then support.raise("SyntaxError", "%s", message) end
    local f = teach.compile(source.instrument(code, nodes), chunkname, env)
    local seen, results = explain.watch(f)
    local value = results[1]
    if not lookup.is_tensor(value) then
        support.raise("TypeError", "trace_element(): the expression must give one element of a tensor, not %s",
            support.type_word(value))
    elseif value:numel() ~= 1 then
        support.raise("ValueError",
            "trace_element(): the expression gives %d elements; index one of them, as in (a + b)[0, 1]",
            value:numel())
    end
    local known, operator = {}, {}
    for _, m in ipairs(seen.marks) do
        if lookup.is_tensor(m.value) and not known[teach.id(m.value)] then
            local node = nodes[m.number]
            known[teach.id(m.value)] = node.text
            operator[node.text] = node.kind == "binary" or node.kind == "unary"
        end
    end
    for _, node in ipairs(nodes) do
        if node.kind == "name" then
            local v = explain.variable(env, node.text)
            if lookup.is_tensor(v) then known[teach.id(v)] = node.text end
            lookup.members(v, node.text, function(t, path) known[teach.id(t)] = known[teach.id(t)] or path end)
        end
    end
    local walk = setmetatable({steps = seen.steps, lines = {}, order = {}, inputs = {}, done = {}}, Walk)
    function walk.name(t, k, indexed)
        local name = known[teach.id(t)] or (k and "#" .. k) or "tensor"
        return indexed and operator[name] and "(" .. name .. ")" or name
    end
    local guard <close> = torch.no_grad()
    local index = {}
    for d = 1, value.ndim do index[d] = 0 end
    walk:element(value, index, #seen.steps)
    local title = ("%s = %s"):format(source.shorten(code:gsub("%s+", " "), 60), number_text(value:item()))
    local list = setmetatable({}, Trace)
    for i, l in ipairs(walk.lines) do
        list[i] = {element = l.label, op = l.op, value = l.value, terms = l.terms}
    end
    list.inputs, list.value, list.text = {}, value:item(), text_of(walk, title)
    for i, e in ipairs(walk.order) do list.inputs[i] = {name = e.name, index = e.index, value = e.value} end
    return list
end

--- torch.trace_element(expression): the input elements and the arithmetic behind one element of a result, in
--- steps for composed expressions. expression: text whose value has one element, read among the caller's
--- variables: "(a @ b)[0, 1]". Prints it; returns a list of steps, each {element, op, value, terms}, with
--- the fields inputs, value and text.
function trace.trace_element(expression)
    if type(expression) ~= "string" then
        support.raise("TypeError", "trace_element(): argument 'expression' must be str, not %s",
            support.type_word(expression))
    end
    local list = trace.run(expression, "=(trace)", explain.caller_environment(3))
    io.stdout:write(list.text, "\n")
    return list
end

return trace
