-- Shapes drawn under each other: which dims an op inserts, stretches, contracts, drops or refuses.
--
-- An operand is {name, shape = {sizes...}, number, listed, param, strides}; a drawing is made of rows of
-- cells, one a column, a column being an axis of the result where there is one.
local source = require "torch.teach.source"

local picture = {}

local WIDTH, NAME_WIDTH = 80, 24
local axis_colours = {"\27[36m", "\27[33m", "\27[35m", "\27[32m", "\27[34m", "\27[96m", "\27[93m", "\27[95m"}
local BAD, PLAIN = "\27[1;31m", "\27[0m"

-- (2, 3)
function picture.tuple(shape)
    return "(" .. table.concat(shape, ", ") .. ")"
end
local tuple = picture.tuple

-- ---- cells and rows ----

local function cell(size, left, right, bad)
    return {text = tostring(size), left = left or "", right = right or "", bad = bad}
end

-- cells[c] for the columns that have one; columns are numbered from 1
local function row(name, cells, tail)
    return {name = name, cells = cells, tail = tail}
end

-- A shape with its last dim in column `last`.
local function aligned(name, shape, last, decorate)
    local cells = {}
    for d = 1, #shape do
        local c = last - #shape + d
        local left, right, bad
        if decorate then left, right, bad = decorate(d, c) end
        cells[c] = cell(shape[d], left, right, bad)
    end
    return row(name, cells)
end

-- ---- broadcasting ----

-- The broadcast of the shapes, from column 1; bad[c] where they do not fit.
local function broadcast(shapes)
    local n, result, bad = 0, {}, {}
    for _, shape in ipairs(shapes) do n = math.max(n, #shape) end
    for c = 1, n do
        result[c] = 1
        for _, shape in ipairs(shapes) do
            local size = shape[c - n + #shape]
            if size and size ~= 1 then
                if result[c] ~= 1 and result[c] ~= size then bad[c] = true end
                if result[c] == 1 then result[c] = size end
            end
        end
    end
    return result, bad
end

-- A row of an operand that broadcasts to columns 1..#result; notes what was done to it.
local function broadcast_row(operand, result, bad, marks)
    local n, cells = #result, {}
    operand.inserted, operand.stretched = {}, {}
    for c = 1, n do
        local size = operand.shape[c - n + #operand.shape]
        local stretched = (size or 1) == 1 and result[c] ~= 1
        if not size then
            operand.inserted[#operand.inserted + 1] = c - 1
            marks.inserted = true
        end
        if stretched then
            operand.stretched[#operand.stretched + 1] = c - 1
            marks.stretched = true
        end
        cells[c] = cell(size or 1, size and "" or "+", stretched and "*" or "", bad[c] and size and size ~= 1)
    end
    return row(operand.name, cells)
end

local function legend(marks, drawing)
    local words = {}
    if marks.inserted then words[#words + 1] = "+1 inserted" end
    if marks.stretched then words[#words + 1] = "* stretched" end
    if marks.contracted then words[#words + 1] = "[ ] summed over" end
    if marks.joined then words[#words + 1] = "< > joined" end
    if #words > 0 then drawing.notes[#drawing.notes + 1] = table.concat(words, "   ") end
end

local function new_drawing()
    return {rows = {}, notes = {}}
end

local function add_number(drawing, operand)
    drawing.rows[#drawing.rows + 1] = row(operand.name, {}, "a number")
end

function picture.elementwise(op)
    local drawing, shapes, marks = new_drawing(), {}, {}
    for _, o in ipairs(op.operands) do
        if not o.number then shapes[#shapes + 1] = o.shape end
    end
    local result, bad = broadcast(shapes)
    for _, o in ipairs(op.operands) do
        if o.number then
            add_number(drawing, o)
        else
            drawing.rows[#drawing.rows + 1] = broadcast_row(o, result, bad, marks)
        end
    end
    drawing.columns = #result
    legend(marks, drawing)
    drawing.title = (marks.inserted or marks.stretched) and op.op .. ", broadcast" or op.op
    return drawing
end

-- ---- products ----

-- Which operands are multiplied, by op: {left, right, added} as indices of operands; `transposed`: the right
-- one's last dim is contracted.
local products = {
    matmul = {1, 2}, mm = {1, 2}, bmm = {1, 2}, mv = {1, 2}, dot = {1, 2}, vdot = {1, 2}, inner = {1, 2,
        transposed = true}, linear = {1, 2, 3, transposed = true}, addmm = {2, 3, 1}, baddbmm = {2, 3, 1},
    addmv = {2, 3, 1},
}

function picture.product(op)
    local form = products[op.op]
    local a, b, added = op.operands[form[1]], op.operands[form[2]], op.operands[form[3]]
    if not a or not b or #a.shape == 0 or #b.shape == 0 then return picture.generic(op) end
    local drawing, marks = new_drawing(), {contracted = true}
    local batch_a, batch_b = {}, {}
    for d = 1, #a.shape - 2 do batch_a[d] = a.shape[d] end
    for d = 1, #b.shape - 2 do batch_b[d] = b.shape[d] end
    local batch, bad = broadcast({batch_a, batch_b})
    local n = #batch
    -- columns n + 1 and n + 2 hold the matrices
    local inner_a = a.shape[#a.shape]
    local inner_b = b.shape[(#b.shape == 1 or form.transposed) and #b.shape or #b.shape - 1]
    local differs = inner_a ~= inner_b
    local function matrix(o, batch_shape, inner_column, outer_column, inner, outer)
        local cells = {}
        if #o.shape > 1 then
            cells = broadcast_row({shape = batch_shape, name = o.name}, batch, bad, marks).cells
            cells[outer_column] = cell(outer)
        end
        cells[inner_column] = cell(inner, "[", "]", differs)
        return row(o.name, cells)
    end
    local outer_a = a.shape[#a.shape - 1]
    local outer_b = b.shape[form.transposed and #b.shape - 1 or #b.shape]
    drawing.rows[1] = matrix(a, batch_a, n + 2, n + 1, inner_a, outer_a)
    if form.transposed then
        drawing.rows[2] = matrix(b, batch_b, n + 2, n + 1, inner_b, outer_b)
        if #b.shape > 1 then
            drawing.notes[1] = source.shorten(b.name, NAME_WIDTH) .. " is used transposed"
        end
    else
        drawing.rows[2] = matrix(b, batch_b, n + 1, n + 2, inner_b, outer_b)
    end
    if added then
        local columns = {}
        for c = 1, n do columns[c] = batch[c] end
        if #a.shape > 1 then columns[#columns + 1] = outer_a end
        if #b.shape > 1 then columns[#columns + 1] = outer_b end
        local _, misfit = broadcast({columns, added.shape})
        drawing.rows[3] = #columns == n + 2 and broadcast_row(added, columns, misfit, marks)
            or aligned(added.name, added.shape, n + 1)
    end
    drawing.columns = n + 2
    -- a product with a vector has no column for the dim it lacks
    drawing.result_columns = {}
    for c = 1, n do drawing.result_columns[c] = c end
    if #a.shape > 1 then table.insert(drawing.result_columns, n + 1) end
    if #b.shape > 1 then table.insert(drawing.result_columns, n + 2) end
    legend(marks, drawing)
    drawing.title = differs and ("%s contracts %d with %d"):format(op.op, inner_a, inner_b)
        or ("%s, each element a sum of %d products"):format(op.op, inner_a)
    return drawing
end

-- ---- joins ----

local function wrapped(dim, n)
    return dim < 0 and dim + n or dim
end

function picture.join(op)
    local drawing, marks = new_drawing(), {joined = true}
    local stacked = op.op == "stack"
    local n = 0
    for _, o in ipairs(op.operands) do n = math.max(n, #o.shape) end
    local columns = stacked and n + 1 or n
    local at = wrapped(op.arguments.dim or 0, columns) + 1
    local first
    for _, o in ipairs(op.operands) do
        local cells, d = {}, 0
        local shape = o.shape
        local empty = #shape == 1 and shape[1] == 0 and not stacked
        first = first or (not empty and shape) or nil
        for c = columns - #shape + (stacked and 0 or 1), columns do
            if stacked and c == at then
                cells[c] = {text = "1", left = "<+", right = ">"}
            elseif d < #shape and c >= 1 then
                d = d + 1
                local bad = not empty and first and c ~= at and
                    (#shape ~= #first or shape[d] ~= first[d])
                cells[c] = cell(shape[d], c == at and "<" or "", c == at and ">" or "", bad)
            end
        end
        drawing.rows[#drawing.rows + 1] = row(o.name, cells)
    end
    drawing.columns = columns
    drawing.result_marks = {[at] = {"<", ">"}}
    legend(marks, drawing)
    drawing.title = (stacked and "stack along a new dim %d" or "cat along dim %d"):format(at - 1)
    return drawing
end

-- ---- reductions ----

function picture.reduction(op)
    local drawing, marks, x = new_drawing(), {contracted = true}, op.operands[1]
    local n, gone = #x.shape, {}
    local dims = op.arguments.dim
    if type(dims) == "number" then dims = {dims} end
    if dims and #dims == 0 then dims = nil end
    local names = {}
    for d = 1, n do gone[d] = dims == nil end
    for _, d in ipairs(dims or {}) do
        gone[wrapped(d, n) + 1] = true
        names[#names + 1] = tostring(wrapped(d, n))
    end
    local count = 1
    for d = 1, n do if gone[d] then count = count * x.shape[d] end end
    drawing.rows[1] = aligned(x.name, x.shape, n, function(d)
        if gone[d] then return "[", "]" end
    end)
    drawing.columns = n
    drawing.result_columns = {}
    for d = 1, n do
        if op.arguments.keepdim or not gone[d] then table.insert(drawing.result_columns, d) end
    end
    drawing.title = ("%s over %s"):format(op.op:gsub("_all$", ""):gsub("_dim$", ""), not dims and "all dims" or
        (#names == 1 and "dim " or "dims ") .. table.concat(names, ", "))
    drawing.notes[1] = ("[ ] %s: each result is made of %d"):format(
        op.arguments.keepdim and "kept as 1" or "gone", count)
    return drawing
end

-- ---- views ----

local function view_title(op)
    local a = op.arguments
    local sizes = a.size or a.shape or a.dims or a.dim
    if op.op == "transpose" then return ("transpose dims %d and %d"):format(a.dim0, a.dim1) end
    if type(sizes) == "table" then return op.op .. " " .. tuple(sizes) end
    if math.type(sizes) == "integer" then return op.op .. " dim " .. sizes end
    return op.op
end

-- The dims of x in the order of the result, where the op only moves them.
local function moved_dims(op)
    local n, order = #op.operands[1].shape, {}
    for d = 1, n do order[d] = d - 1 end
    if op.op == "permute" then
        for i, d in ipairs(op.arguments.dims or {}) do order[i] = wrapped(d, n) end
    elseif op.op == "t" and n == 2 then
        order = {1, 0}
    elseif op.op == "transpose" and n > 0 then
        local i, j = wrapped(op.arguments.dim0, n) + 1, wrapped(op.arguments.dim1, n) + 1
        order[i], order[j] = order[j], order[i]
    else
        return nil
    end
    return order
end

function picture.view(op)
    local drawing, x = new_drawing(), op.operands[1]
    local n = #x.shape
    if op.result then n = math.max(n, #op.result.shape) end
    if op.op == "expand" and op.result then
        local marks = {}
        drawing.rows[1] = broadcast_row(x, op.result.shape, {}, marks)
        legend(marks, drawing)
    else
        drawing.rows[1] = aligned(x.name, x.shape, n)
    end
    drawing.columns = n
    drawing.title = view_title(op)
    local order = moved_dims(op)
    if order then
        drawing.notes[#drawing.notes + 1] = "dims of the result were dims " .. table.concat(order, ", ")
    end
    if x.strides and op.result and op.result.strides then
        drawing.notes[#drawing.notes + 1] = ("strides %s before, %s after"):format(tuple(x.strides),
            tuple(op.result.strides))
    end
    return drawing
end

-- ---- everything else ----

local function argument_text(v)
    if type(v) == "table" then return tuple(v) end
    if math.type(v) == "float" then return ("%g"):format(v) end
    return tostring(v)
end

function picture.generic(op)
    local drawing, n = new_drawing(), op.result and #op.result.shape or 0
    for _, o in ipairs(op.operands) do n = math.max(n, #o.shape) end
    for _, o in ipairs(op.operands) do
        if o.number then
            add_number(drawing, o)
        else
            drawing.rows[#drawing.rows + 1] = aligned(o.name, o.shape, n)
        end
    end
    drawing.columns = n
    local words = {}
    for name, v in pairs(op.arguments) do words[#words + 1] = name .. "=" .. argument_text(v) end
    table.sort(words)
    drawing.title = op.op .. (#words > 0 and ", " .. table.concat(words, ", ") or "")
    return drawing
end

local elementwise = {unary = true, binary = true, ternary = true, compare = true, test = true}
local shape_errors = {}
for _, name in ipairs {"addcmul", "addcdiv", "ldexp", "masked_fill", "mse_loss", "l1_loss", "smooth_l1_loss",
    "huber_loss"} do
    shape_errors[name] = true
end
local reductions = {}
for _, name in ipairs {"argmax", "argmin", "max_dim", "min_dim", "median_dim", "nanmedian_dim", "mode", "logsumexp",
    "var", "std", "norm", "kthvalue", "max_all", "min_all", "median_all", "nanmedian_all"} do
    reductions[name] = true
end
local joins = {cat = true, stack = true}
local views = {reshape = true, flatten = true, unflatten = true, narrow = true, movedim = true, ravel = true,
    contiguous = true}

-- The drawing of an op; op = {op, format, operands, arguments, result}.
function picture.of(op)
    if products[op.op] then return picture.product(op) end
    if joins[op.op] then return picture.join(op) end
    if elementwise[op.format] or shape_errors[op.op] then return picture.elementwise(op) end
    if op.format == "reduce" or reductions[op.op] then return picture.reduction(op) end
    if op.format == "view" or views[op.op] then return picture.view(op) end
    return picture.generic(op)
end

-- Whether a failure of this op is one of shapes that have to fit.
function picture.explains_failure(op)
    return products[op.op] or joins[op.op] or elementwise[op.format] or shape_errors[op.op]
end

-- ---- drawing ----

local function pad(text, width)
    return (" "):rep(width - utf8.len(text)) .. text
end

local function result_row(drawing, result)
    local cells, n = {}, #result.shape
    for d = 1, n do
        local c = drawing.result_columns and drawing.result_columns[d] or drawing.columns - n + d
        local marks = drawing.result_marks and drawing.result_marks[c]
        cells[c] = cell(result.shape[d], marks and marks[1], marks and marks[2])
    end
    local tail = result.tail
    if n == 0 then tail = "()" .. (tail and "   " .. tail or "") end
    return row("result", cells, tail)
end

local function measure(rows, columns)
    local name, digits, left, right = 0, {}, {}, {}
    for c = 1, columns do digits[c], left[c], right[c] = 0, 0, 0 end
    for _, r in ipairs(rows) do
        name = math.max(name, utf8.len(r.name))
        for c, x in pairs(r.cells) do
            digits[c] = math.max(digits[c], #x.text)
            left[c] = math.max(left[c], #x.left)
            right[c] = math.max(right[c], #x.right)
        end
    end
    -- marks stand next to their digits: a column is as wide as its widest cell needs
    for c = 1, columns do
        local widest = 0
        for _, r in ipairs(rows) do
            local x = r.cells[c]
            if x then widest = math.max(widest, #x.left + #x.text) end
        end
        digits[c] = widest
    end
    return name, digits, right
end

-- The lines of the drawing, with `result` ({shape, tail}, may be nil) as its last row. colour: escape
-- sequences by axis.
function picture.lines(drawing, result, colour)
    local rows = table.move(drawing.rows, 1, #drawing.rows, 1, {})
    if result then rows[#rows + 1] = result_row(drawing, result) end
    for _, r in ipairs(rows) do r.name = source.shorten(r.name, NAME_WIDTH) end
    local name_width, digits, right = measure(rows, drawing.columns)
    local lines, marked, last = {}, {}, nil
    for i, r in ipairs(rows) do
        for c, x in pairs(r.cells) do
            if x.bad then
                marked[c], last = math.max(marked[c] or 0, #x.text), i
            end
        end
    end
    for i, r in ipairs(rows) do
        local head = "  " .. r.name .. (" "):rep(name_width - utf8.len(r.name))
        local parts, under, width = {head}, {(" "):rep(2 + name_width)}, 2 + name_width
        for c = 1, drawing.columns do
            local x = r.cells[c]
            local text = x and pad(x.left .. x.text, digits[c]) .. x.right .. (" "):rep(right[c] - #x.right)
                or (" "):rep(digits[c] + right[c])
            local mark = pad(("^"):rep(marked[c] or 0), digits[c]) .. (" "):rep(right[c])
            width = width + 2 + #text
            if colour and x then
                text = (x.bad and BAD or axis_colours[(c - 1) % #axis_colours + 1]) .. text .. PLAIN
            end
            parts[#parts + 1] = "  " .. text
            under[#under + 1] = "  " .. (colour and marked[c] and BAD .. mark .. PLAIN or mark)
        end
        if r.tail and width + 3 + #r.tail > WIDTH then
            lines[#lines + 1] = table.concat(parts)
            lines[#lines + 1] = "  " .. r.tail
        else
            lines[#lines + 1] = table.concat(parts) .. (r.tail and "   " .. r.tail or "")
        end
        if i == last then lines[#lines + 1] = table.concat(under) end
    end
    for i, line in ipairs(lines) do
        line = line:gsub("%s+$", "")
        if not colour then line = source.shorten(line, WIDTH) end
        lines[i] = line
    end
    for _, note in ipairs(drawing.notes) do lines[#lines + 1] = "  " .. source.shorten(note, WIDTH - 2) end
    return lines
end

return picture
