-- torch.explain: an expression evaluated once, and what each op in it did to the shapes.
local torch = require "torch"
local support = require "torch.support"
local source = require "torch.teach.source"
local picture = require "torch.teach.picture"
local lookup = require "torch.teach.names"
local teach = torch._teach

local explain = {}

local MOST_SHOWN = 40

local function shape_of(t)
    local shape = {}
    for i = 0, t.ndim - 1 do shape[i + 1] = t.shape[i] end
    return shape
end

local is_tensor = lookup.is_tensor

local function dtype_word(t)
    return (tostring(t.dtype):gsub("^torch%.", ""))
end

-- ---- the names that an expression finds ----

-- The caller's variables, and after them the globals: an environment for code given as text; nil where the
-- caller has none of its own.
local function caller_environment(level)
    local values, known = {}, {}
    local function add(name, value)
        if not name:find("^[%a_][%w_]*$") or name == "_ENV" then return end
        values[name], known[name] = value, true
    end
    local info = debug.getinfo(level, "f")
    if not info then return nil end
    for i = 1, math.huge do
        local name, value = debug.getupvalue(info.func, i)
        if not name then break end
        add(name, value)
    end
    for i = 1, math.huge do
        local name, value = debug.getlocal(level, i)
        if not name then break end
        add(name, value)
    end
    known.__tide, known.__mark = nil, nil
    if next(known) == nil then return nil end
    return setmetatable({}, {
        __index = function(_, name)
            if known[name] then return values[name] end
            return _G[name]
        end,
        __newindex = function(_, name, value)
            if known[name] then values[name] = value else _G[name] = value end
        end,
    })
end

-- The value of a plain name, nothing being run.
local function variable(env, name)
    if env then return env[name] end
    return rawget(_G, name)
end

-- ---- running ----

-- What was seen of a run: steps (torch._teach.stop), marks {number, at, value, several} in the order they
-- fired, values by node.
local function watch(run, on_error)
    local marks, values = {}, {}
    local function mark(number, ...)
        marks[#marks + 1] = {number = number, at = teach.count(), value = (...)}
        values[number] = {(...)}
        return ...
    end
    teach.start()
    local seen = {marks = marks, values = values}
    local results
    do
        local guard <close> = setmetatable({}, {__close = function(_, err)
            seen.steps = teach.stop()
            if err ~= nil and on_error then on_error(seen) end
        end})
        results = table.pack(run(mark))
    end
    return seen, results
end

-- The node that step k belongs to: the first to be reported after it.
local function node_of(k, seen, nodes)
    for _, m in ipairs(seen.marks) do
        if m.at >= k then return nodes[m.number], m end
    end
end

-- ---- operands and their names ----

local Names = {}
Names.__index = Names

local function new_names(nodes, env)
    local names = setmetatable({by_id = {}}, Names)
    for _, node in ipairs(nodes) do
        if node.kind == "name" then names:add(variable(env, node.text), node.text) end
    end
    return names
end

-- A variable's value: itself if it is a tensor, the parameters and buffers in it if it is a module.
function Names:add(value, name)
    if is_tensor(value) then self:set(value, name, true) end
    lookup.members(value, name, function(t, path) self:set(t, path, true) end)
end

function Names:set(t, name, keep)
    local id = teach.id(t)
    if not (keep and self.by_id[id]) then self.by_id[id] = name end
end

function Names:of(t) return self.by_id[teach.id(t)] end

-- The value a node had: reported, or a variable's or literal's.
local function value_of(node, seen, env)
    node = source.bare(node)
    if not node then return nil end
    local reported = seen.values[node.number]
    if reported then return reported[1] end
    if node.kind == "name" then return variable(env, node.text) end
    if node.kind == "literal" then return tonumber(node.text) end
    if node.kind == "unary" and node.children[1].kind == "literal" then
        local v = tonumber(node.children[1].text)
        return v and -v
    end
    return nil
end

-- Names the operands of one step: by the node's own operands where they are the same tensors, else by what
-- is known.
local function name_operands(step, node, names, seen, env)
    local candidates = {}
    if node then
        for _, child in ipairs(node.kind == "binary" and node.children or source.arguments(node)) do
            local bare = source.bare(child)
            if bare.kind == "table" then
                for _, item in ipairs(bare.children) do candidates[#candidates + 1] = item end
            else
                candidates[#candidates + 1] = child
            end
        end
    end
    local operands, used = {}, {}
    for _, o in ipairs(step.operands) do
        if is_tensor(o.tensor) then
            local name
            for i, child in ipairs(candidates) do
                local value = value_of(child, seen, env)
                if not used[i] and is_tensor(value) and teach.id(value) == teach.id(o.tensor) then
                    used[i], name = true, source.bare(child).text
                    break
                end
            end
            if o.number then
                name = support.repr(o.tensor:item())
            end
            operands[#operands + 1] = {
                name = name or names:of(o.tensor) or o.param, shape = shape_of(o.tensor), number = o.number,
                dtype = dtype_word(o.tensor), listed = o.listed, param = o.param, tensor = o.tensor,
                strides = {o.tensor:stride()},
            }
        end
    end
    return operands
end

-- ---- what became of memory ----

-- "view", "in place", "itself" or "new", and the operand that it is a view of.
local function memory_of(result, operands, in_place)
    if in_place then return "in place", operands[1] end
    for _, o in ipairs(operands) do
        if teach.id(o.tensor) == teach.id(result) then return "itself", o end
    end
    for _, o in ipairs(operands) do
        if not o.number and teach.memory(o.tensor) == teach.memory(result) then return "view", o end
    end
    return "new"
end

local memory_words = {
    view = "view: shares the memory of %s", ["in place"] = "written into %s", itself = "%s itself, no copy",
}

local function describe_result(step, result)
    local memory, of = memory_of(result, step.operands, step.in_place)
    step.memory, step.of = memory, of and of.name
    step.result = {shape = shape_of(result), dtype = dtype_word(result), strides = {result:stride()},
        bytes = memory == "new" and result.nbytes or 0}
    local where = memory == "new" and ("new, %d bytes"):format(result.nbytes)
        or memory_words[memory]:format(source.shorten(of.name, 24))
    step.result.tail = step.result.dtype .. ", " .. where
end

-- ---- indices ----

-- The items of an index as {text, kind, value}; strings are the plain spelling of a list.
local function index_items(node, seen, env)
    local children = {table.unpack(node.children, 2)}
    if #children == 1 and children[1].kind == "table" then children = children[1].children end
    local items = {}
    for _, child in ipairs(children) do
        local text = child.kind == "literal" and child.text:match("^[\"'](.*)[\"']$")
        if text then
            for piece in (text .. ","):gmatch("%s*(.-)%s*,") do
                items[#items + 1] = {text = piece, slice = piece:find(":", 1, true) ~= nil,
                    value = math.tointeger(piece), whole = piece == "..."}
            end
        else
            local dots = child.text == "..."
            items[#items + 1] = {text = child.text, slice = child.kind == "slice" and not dots, whole = dots,
                none = child.text == "nil" or child.text:find("newaxis$") ~= nil,
                value = child.kind ~= "slice" and value_of(child, seen, env) or nil}
        end
    end
    return items
end

local function is_mask(v)
    return v.dtype == torch.bool or v.dtype == torch.uint8
end

-- How many dims of the tensor an item names.
local function dims_of(item)
    if item.none or item.whole or type(item.value) == "boolean" then return 0 end
    if is_tensor(item.value) and is_mask(item.value) then return item.value.ndim end
    return 1
end

local function elements(first, last, step)
    if last < first then return "no elements" end
    if first == last then return "element " .. first end
    if first + step == last then return ("elements %d and %d"):format(first, last) end
    if step == 1 then return ("elements %d to %d"):format(first, last) end
    return ("elements %d, %d ... %d"):format(first, first + step, last)
end

-- What a slice did: from the op it was, which is none where it takes the whole dim.
local function slice_effect(size, step)
    if not step then return size, "whole" end
    local a = step.arguments
    local function bound(v) return math.max(0, math.min(v < 0 and v + size or v, size)) end
    local first, stop = bound(a.start), bound(a["end"])
    local count = math.max(0, (stop - first + a.step - 1) // a.step)
    return count, elements(first, first + (count - 1) * a.step, a.step)
end

-- One line an item: its text, its dim, the sizes before and after, words.
local function index_effects(base, items, steps)
    local shape, effects = shape_of(base), {}
    local named = 0
    for _, item in ipairs(items) do named = named + dims_of(item) end
    local dim, out, next_step = 0, 0, 1
    local function take(op)
        local step = steps[next_step]
        if step and step.op == op and (op ~= "slice" or step.arguments.dim == out) then
            next_step = next_step + 1
            return step
        end
    end
    for _, item in ipairs(items) do
        local size, n = shape[dim + 1], dims_of(item)
        local effect = {item = item.text, dim = dim}
        if item.whole then
            n = #shape - named
            effect.dims, effect.words = n, n == 0 and "no dims are left to keep" or "kept"
            out = out + n
        elseif item.none then
            take("unsqueeze")
            effect.dim, effect.after, effect.words = nil, 1, "a new dim"
            out = out + 1
        elseif item.slice then
            effect.before, effect.after, effect.words = size, nil, nil
            effect.after, effect.words = slice_effect(size, take("slice"))
            out = out + 1
        elseif math.type(item.value) == "integer" or (is_tensor(item.value) and item.value.ndim == 0
            and not is_mask(item.value)) then
            local step = take("select")
            local i = step and step.arguments.index or 0
            effect.before, effect.words = size, ("element %d, the dim goes"):format(i < 0 and i + size or i)
        elseif is_tensor(item.value) and is_mask(item.value) then
            effect.dims, effect.words = n, "where the mask is true"
            out = out + n
        else
            effect.before = size
            effect.words = is_tensor(item.value) and "picked by the index " .. picture.tuple(shape_of(item.value))
                or "picked by the index"
            out = out + 1
        end
        dim = dim + n
        effects[#effects + 1] = effect
    end
    if dim < #shape then
        effects[#effects + 1] = {item = "", dim = dim, dims = #shape - dim, words = "kept, not named"}
    end
    return effects
end

local function dims_words(effect)
    if not effect.dim then return "" end
    local n = effect.dims or 1
    if n == 0 then return "" end
    if n == 1 then return "dim " .. effect.dim end
    return ("dims %d to %d"):format(effect.dim, effect.dim + n - 1)
end

local function index_lines(step)
    local rows, wide = {}, {0, 0, 0}
    for _, e in ipairs(step.effects) do
        local sizes = e.before and e.after and ("%d -> %d"):format(e.before, e.after) or e.before and tostring(e.before)
            or e.after and "-> " .. e.after or ""
        local fields = {source.shorten(e.item, 20), dims_words(e), sizes}
        for i, text in ipairs(fields) do wide[i] = math.max(wide[i], utf8.len(text)) end
        rows[#rows + 1] = {fields, e.words}
    end
    local lines = {}
    for _, r in ipairs(rows) do
        local line = " "
        for i, text in ipairs(r[1]) do
            if wide[i] > 0 then line = line .. " " .. text .. (" "):rep(wide[i] - utf8.len(text) + 1) end
        end
        lines[#lines + 1] = source.shorten((line .. " " .. r[2]):gsub("%s+$", ""), 80)
    end
    return lines
end

-- ---- einsum ----

local function einsum_drawing(step, equation)
    local inputs, output = equation:gsub("%s", ""):match("^(.-)%->(.*)$")
    if not inputs or equation:find("...", 1, true) then return nil end
    local letters, columns, sizes = {}, {}, {}
    for letter in (output .. inputs):gmatch("%a") do
        if not columns[letter] then
            letters[#letters + 1] = letter
            columns[letter] = #letters
        end
    end
    local drawing, k = {rows = {}, notes = {}, columns = #letters}, 0
    local head = {}
    for letter, c in pairs(columns) do head[c] = {text = letter, left = "", right = ""} end
    drawing.rows[1] = {name = "", cells = head}
    for term in (inputs .. ","):gmatch("(.-),") do
        k = k + 1
        local o, cells = step.operands[k], {}
        if not o or #term ~= #o.shape then return nil end
        for d = 1, #term do
            local letter = term:sub(d, d)
            local summed = not output:find(letter, 1, true)
            sizes[letter] = o.shape[d]
            cells[columns[letter]] = {text = tostring(o.shape[d]), left = summed and "[" or "",
                right = summed and "]" or ""}
        end
        drawing.rows[#drawing.rows + 1] = {name = o.name, cells = cells}
    end
    drawing.result_columns = {}
    for letter in output:gmatch("%a") do table.insert(drawing.result_columns, columns[letter]) end
    local summed = {}
    for _, letter in ipairs(letters) do
        if not output:find(letter, 1, true) then summed[#summed + 1] = ("%s (%d)"):format(letter, sizes[letter]) end
    end
    if #summed > 0 then drawing.notes[1] = "[ ] summed over: " .. table.concat(summed, ", ") end
    drawing.title = "einsum " .. equation
    return drawing
end

-- ---- steps ----

-- Consecutive steps of one node are a group.
local function groups_of(seen, nodes)
    local groups = {}
    for k in ipairs(seen.steps) do
        local node, mark = node_of(k, seen, nodes)
        local last = groups[#groups]
        if not last or last.mark ~= mark or not mark then
            last = {node = node, mark = mark}
            groups[#groups + 1] = last
        end
        table.insert(last, k)
    end
    return groups
end

local function index_step(group, seen, names, env)
    local node = group.node
    local raw = {}
    for _, k in ipairs(group) do raw[#raw + 1] = seen.steps[k] end
    local base = raw[1].operands[1].tensor
    local step = {op = "index", text = node.text, arguments = {}, operands = {{name =
        source.bare(node.children[1]).text, shape = shape_of(base), tensor = base, dtype = dtype_word(base),
        strides = {base:stride()}}}}
    step.effects = index_effects(base, index_items(node, seen, env), raw)
    local result = raw[#raw].result
    if result then describe_result(step, result) end
    step.title = "index"
    return step
end

local function plain_step(k, text, node, seen, names, env)
    local raw = seen.steps[k]
    local step = {op = raw.op, format = raw.format, text = text, arguments = raw.arguments, in_place = raw.in_place}
    step.operands = name_operands(raw, node, names, seen, env)
    if raw.result then describe_result(step, raw.result) end
    step.drawing = picture.of(step)
    step.title = step.drawing.title
    return step
end

-- torch.einsum("ij,jk->ik", a, b) as one step, though it is several ops.
local function einsum_step(group, seen, names, env)
    local node = group.node
    if not node or node.kind ~= "call" or node.sign ~= "einsum" or not group.mark then return nil end
    local arguments = source.arguments(node)
    local equation = arguments[1] and arguments[1].text:match("^[\"'](.*)[\"']$")
    if not equation or not is_tensor(group.mark.value) then return nil end
    local step = {op = "einsum", text = node.text, arguments = {equation = equation}, operands = {}}
    for i = 2, #arguments do
        local t = value_of(arguments[i], seen, env)
        if not is_tensor(t) then return nil end
        step.operands[#step.operands + 1] = {name = arguments[i].text, shape = shape_of(t), tensor = t,
            dtype = dtype_word(t), strides = {t:stride()}}
    end
    step.drawing = einsum_drawing(step, equation)
    if not step.drawing then return nil end
    describe_result(step, group.mark.value)
    step.title = step.drawing.title
    return step
end

local function steps_of(seen, nodes, env, names)
    local steps = {left_out = seen.steps.left_out}
    for _, group in ipairs(groups_of(seen, nodes)) do
        local node = group.node
        local whole = einsum_step(group, seen, names, env)
        if node and node.kind == "index" then whole = index_step(group, seen, names, env) end
        if whole then
            steps[#steps + 1] = whole
        else
            for _, k in ipairs(group) do
                local text = #group == 1 and node and node.text or nil
                local step = plain_step(k, text, node, seen, names, env)
                steps[#steps + 1] = step
                if not text then
                    step.label, step.within = "#" .. #steps, node and node.text
                    if seen.steps[k].result then names:set(seen.steps[k].result, step.label, true) end
                end
            end
        end
        if group.mark and is_tensor(group.mark.value) then names:set(group.mark.value, node.text, true) end
    end
    return steps
end

-- ---- text ----

local function heading(step)
    local name = step.text or step.label
    local text = name .. ": " .. step.title
    if step.within then text = text .. "   in " .. step.within end
    return source.shorten(text, 80)
end

local function step_lines(step, colour)
    local lines = {heading(step)}
    local function add(list)
        table.move(list, 1, #list, #lines + 1, lines)
    end
    if step.effects then
        local o = step.operands[1]
        lines[#lines + 1] = source.shorten(("  %s %s"):format(o.name, picture.tuple(o.shape)), 80)
        add(index_lines(step))
        if step.result then
            lines[#lines + 1] = source.shorten(("  result %s   %s"):format(picture.tuple(step.result.shape),
                step.result.tail), 80)
        end
        return lines
    end
    add(picture.lines(step.drawing, step.result, colour))
    return lines
end

local function text_of(steps, colour)
    local lines = {}
    for i, step in ipairs(steps) do
        if i > MOST_SHOWN then
            lines[#lines + 1] = ("(and %d ops more)"):format(#steps - MOST_SHOWN + (steps.left_out or 0))
            break
        end
        for _, line in ipairs(step_lines(step, colour)) do lines[#lines + 1] = line end
    end
    return table.concat(lines, "\n")
end

-- An expression without an op: what it is.
local function describe_value(value, text)
    if not is_tensor(value) then return ("%s: no op of tensors"):format(source.shorten(text, 60)) end
    return ("%s: no op\n  %s %s, %d bytes"):format(source.shorten(text, 60), picture.tuple(shape_of(value)),
        dtype_word(value), value.nbytes)
end

-- ---- the public face ----

local Explanation = {__name = "torch.teach.Explanation"}
function Explanation.__tostring(e) return ("<explanation of %d op%s>"):format(#e, #e == 1 and "" or "s") end

-- Steps as the caller sees them: names and numbers, no tensors.
local function public(steps)
    local list = setmetatable({}, Explanation)
    for i, step in ipairs(steps) do
        local operands = {}
        for k, o in ipairs(step.operands) do
            operands[k] = {name = o.name, shape = o.shape, dtype = o.dtype, strides = o.strides,
                inserted = o.inserted, stretched = o.stretched}
        end
        list[i] = {op = step.op, text = step.text or step.label, operands = operands, arguments = step.arguments,
            memory = step.memory, of = step.of, effects = step.effects,
            result = step.result and {shape = step.result.shape, dtype = step.result.dtype,
                strides = step.result.strides, bytes = step.result.bytes}}
    end
    return list
end

local function show(text)
    if text ~= "" then io.stdout:write(text, "\n") end
end

local function run_text(code, chunkname, env)
    local nodes, message = source.parse(code, chunkname, true)
    if not nodes then support.raise("SyntaxError", "%s", message) end
    local f = teach.compile(source.instrument(code, nodes), chunkname, env)
    return nodes, f
end

-- What torch.explain and %explain share. chunkname: the cell's, for errors.
function explain.run(code, chunkname, env)
    local nodes, f, names = {}, code, nil
    if type(code) == "string" then
        nodes, f = run_text(code, chunkname, env)
    end
    names = new_names(nodes, env)
    if type(code) == "function" then
        for i = 1, math.huge do
            local name, value = debug.getupvalue(code, i)
            if not name then break end
            names:add(value, name)
        end
        for name, box in pairs(lookup.globals()) do names:add(box[1], name) end
    end
    local seen, results = watch(f, function(seen)
        table.remove(seen.steps) -- the failed op's picture stands under its error
        show(text_of(steps_of(seen, nodes, env, names), teach.colour))
    end)
    local steps = steps_of(seen, nodes, env, names)
    local text = #steps > 0 and text_of(steps, teach.colour)
        or describe_value(results[1], type(code) == "string" and code or "the function")
    local list = public(steps)
    list.text, list.value = text_of(steps), results[1]
    return list, text
end

--- torch.explain(expression): evaluates it once and draws what each op did: its operands' shapes under their
--- names, dims inserted, stretched, summed over or gone, the result's shape, whether it is a view, its bytes.
--- expression: text, read among the caller's variables, or a function. Prints the drawing; returns a list of
--- steps, each {op, text, operands, arguments, result, memory, of}, with the fields text and value.
function explain.explain(expression)
    if type(expression) ~= "string" and type(expression) ~= "function" then
        support.raise("TypeError", "explain(): argument 'expression' must be str or function, not %s",
            support.type_word(expression))
    end
    local env = type(expression) == "string" and caller_environment(3) or nil
    local list, text = explain.run(expression, "=(explain)", env)
    show(text)
    return list
end

explain.caller_environment, explain.variable = caller_environment, variable
explain.watch, explain.is_tensor = watch, is_tensor

return explain
