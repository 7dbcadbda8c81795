-- Runs a golden file: what PyTorch answered (tests/oracle/sweep) beside what Tide answers; TAP on stdout.
-- tide run.lua FILE: a worker process does the cases; when it dies, its case has failed and another goes on after it.

local FLOATS = {float16 = 2.0 ^ -10, bfloat16 = 2.0 ^ -7, float32 = 2.0 ^ -23, float64 = 2.0 ^ -52}
local SMALLEST = {float16 = 2.0 ^ -24, bfloat16 = 2.0 ^ -133, float32 = 2.0 ^ -149, float64 = 2.0 ^ -1074}

-- ---- reading ----------------------------------------------------------------------------------------------------

local function read_cases(path)
    local cases, case = {}, nil
    for line in io.lines(path) do
        local name = line:match("^case (.*)")
        if name then
            case = {name = name, inputs = {}, want = {}, value_rule = {}, grad_rule = {},
                floors = {}}
            cases[#cases + 1] = case
        elseif line:find("^> ") then
            case.source = line:sub(3)
        elseif line:find("^~ ") then
            local kind, n, grad_kind, grad_n = line:match("^~ (%a+) (%d+)%s*(%a*)%s*(%d*)")
            case.value_rule = {kind = kind, n = tonumber(n)}
            case.grad_rule = grad_n ~= "" and {kind = grad_kind, n = tonumber(grad_n)} or case.value_rule
        elseif line:find("^floor ") then
            for word in line:gmatch("%S+", 7) do case.floors[#case.floors + 1] = tonumber(word) end
        elseif line == "double" then
            case.double = true
        elseif line:find("^[=!]") or line:find("^grad2?[ !]") then
            case.want[#case.want + 1] = line
        elseif case and line ~= "" then
            case.inputs[#case.inputs + 1] = line
        end
    end
    return cases
end

local NAN = string.unpack("<d", "\0\0\0\0\0\0\xf8\x7f") -- 0 / 0 has its sign set on some machines

local function round_to(dtype, v)
    return dtype == "float64" and v or (string.unpack("f", string.pack("f", v)))
end

local function number_of(dtype, word)
    if FLOATS[dtype] then
        local v = word == "nan" and NAN or word == "inf" and math.huge or word == "-inf" and -math.huge
            or word == "-0" and -0.0 or tonumber(word) + 0.0
        return round_to(dtype, v)
    end
    return math.tointeger(tonumber(word))
end

local function numbers_of(dtype, text)
    local out = {}
    for word in text:gmatch("%S+") do
        local one, count = word:match("^([^*]+)%*(%d+)$")
        local v = number_of(dtype, one or word)
        for _ = 1, count and tonumber(count) or 1 do out[#out + 1] = v end
    end
    return out
end

local function integers_of(text)
    local out = {}
    for n in text:gmatch("%d+") do out[#out + 1] = math.tointeger(tonumber(n)) end
    return out
end

-- ---- inputs -----------------------------------------------------------------------------------------------------

local function strided(values, dtype, shape, strides)
    local extent, at = 1, {}
    for i, n in ipairs(shape) do
        extent = extent + (n - 1) * strides[i]
        at[i] = 0
    end
    local memory = {}
    for i = 1, extent do memory[i] = dtype == "bool" and false or 0 end
    for _, v in ipairs(values) do
        local offset = 1
        for i, s in ipairs(strides) do offset = offset + at[i] * s end
        memory[offset] = v
        for i = #shape, 1, -1 do
            at[i] = at[i] + 1
            if at[i] < shape[i] then break end
            at[i] = 0
        end
    end
    return torch.tensor(memory, {dtype = torch[dtype]}):as_strided(shape, strides)
end

local function input_of(line)
    local name, dtype, shape, more, text = line:match("^(%w+) (%w+) %[([%d,]*)%]([^:]*):(.*)")
    local values, sizes = numbers_of(dtype, text), integers_of(shape)
    if dtype == "bool" then
        for i, v in ipairs(values) do values[i] = v ~= 0 end
    end
    local strides, t = more:match("strides %[([%d,]*)%]"), nil
    if strides and #values > 0 then
        t = strided(values, dtype, sizes, integers_of(strides)):detach()
    else
        t = torch.tensor(values, {dtype = torch[dtype]}):reshape(sizes):detach()
    end
    if more:find("grad", 1, true) then t = t:detach():requires_grad_() end
    return name, t
end

-- ---- what Tide answers, as lines --------------------------------------------------------------------------------

local function escaped(text)
    return (text:gsub("\\", "\\\\"):gsub("\n", "\\n"))
end

local function shape_text(t)
    local sizes = {}
    for i = 0, t.ndim - 1 do sizes[i + 1] = t.shape[i] end
    return "[" .. table.concat(sizes, ",") .. "]"
end

local function number_text(v)
    if v ~= v then return "nan" end
    if v == math.huge or v == -math.huge then return v > 0 and "inf" or "-inf" end
    if math.type(v) == "float" and v == 0 and 1 / v < 0 then return "-0" end
    local whole = math.tointeger(v)
    return whole and ("%d"):format(whole) or ("%.17g"):format(v)
end

local function elements(t)
    local values = t:detach():reshape({-1}):tolist()
    for i, v in ipairs(values) do
        if type(v) == "boolean" then values[i] = v and 1 or 0 end
    end
    return values
end

-- A line that stands for a tensor: what comes before the colon is compared as text, the elements by the rule.
local function tensor_line(head, t, node)
    local dtype = tostring(t.dtype):gsub("^torch%.", "")
    return {text = ("%s %s %s%s:"):format(head, dtype, shape_text(t), node), dtype = dtype, values = elements(t)}
end

local function result_line(v)
    if torch.is_tensor(v) then
        local node = v.grad_fn and " " .. v.grad_fn:name() or v.requires_grad and " grad" or ""
        return tensor_line("=", v, node)
    end
    if math.type(v) == "integer" then return {text = ("= int %d"):format(v)} end
    if type(v) == "number" then return {text = "= float:", dtype = "float64", values = {v}} end
    if type(v) == "string" then return {text = '= "' .. escaped(v) .. '"'} end
    if type(v) == "userdata" then return {text = "= " .. torch.repr(v)} end
    return {text = "= " .. tostring(v)}
end

local function flatten(out, ...)
    for i = 1, select("#", ...) do
        local v = select(i, ...)
        if type(v) == "table" then
            flatten(out, table.unpack(v))
        else
            out[#out + 1] = v == nil and "nil" or {v}
        end
    end
    return out
end

-- What stands before the kind is the place; Tide's own further lines come after PyTorch's text.
local function error_line(mark, message)
    message = tostring(message)
    local text = message:match("^[^\n]-:%d+: ([%w_.]+: .*)") or message
    return {text = mark .. "! " .. text:gsub("%s+$", ""), is_error = true}
end

local function weighted(t)
    local w, n = {}, t:numel()
    for i = 0, n - 1 do w[i + 1] = ((7 * i + 3) % 11 - 4.5) / 4 end
    return (t * torch.tensor(w, {dtype = t.dtype}):reshape(t.shape)):sum()
end

local function total(tensors)
    local sum
    for _, t in ipairs(tensors) do
        if torch.is_tensor(t) and t.requires_grad then sum = sum and sum + weighted(t) or weighted(t) end
    end
    return sum
end

-- Adds the gradients' lines; returns the gradients that are there.
local function gradients(lines, mark, loss, names, leaves, create_graph)
    local ok, grads = pcall(torch.autograd.grad, loss, leaves, {create_graph = create_graph, allow_unused = true})
    local there = {}
    if not ok then
        lines[#lines + 1] = error_line(mark, grads)
        return there
    end
    for i, name in ipairs(names) do
        local g = grads[i]
        if g then
            lines[#lines + 1] = tensor_line(mark .. " " .. name, g, "")
            there[#there + 1] = g
        else
            lines[#lines + 1] = {text = mark .. " " .. name .. " none"}
        end
    end
    return there
end

local function answer(case)
    local scope, names, leaves = setmetatable({inf = math.huge, nan = 0 / 0}, {__index = _G}), {}, {}
    for _, line in ipairs(case.inputs) do
        local name, t = input_of(line)
        scope[name] = t
        if t.requires_grad then
            names[#names + 1], leaves[#leaves + 1] = name, t
        end
    end
    torch.manual_seed(0)
    local chunk, trouble = load(case.source, "=case", "t", scope)
    if not chunk then return {error_line("", trouble)} end
    local got = table.pack(pcall(chunk))
    if not got[1] then return {error_line("", got[2])} end
    local lines, results = {}, {}
    for _, v in ipairs(flatten({}, table.unpack(got, 2, got.n))) do
        local value
        if v ~= "nil" then value = v[1] end
        lines[#lines + 1] = result_line(value)
        results[#results + 1] = torch.is_tensor(value) and value or nil
    end
    local loss = #leaves > 0 and total(results)
    if not loss then return lines end
    loss = total(gradients(lines, "grad", loss, names, leaves, case.double))
    if case.double and loss then gradients(lines, "grad2", loss, names, leaves, false) end
    return lines
end

-- ---- comparing --------------------------------------------------------------------------------------------------

local function largest(values)
    local most = 0
    for _, v in ipairs(values) do
        if v == v and math.abs(v) > most and math.abs(v) < math.huge then most = math.abs(v) end
    end
    return most
end

local function same_exactly(a, b)
    return a == b and (a ~= 0 or math.type(a) == "integer" or 1 / a == 1 / b) or a ~= a and b ~= b
end

-- ulp N: within N units in the last place of the wanted element; near N: of the wanted tensor's largest element, or
-- of `least`, the size of the terms that it was summed from, if that is larger; or within the line's floor, an absolute
-- difference.
local function first_difference(rule, dtype, want, got, least, floor)
    local scale = rule.kind == "near" and math.max(largest(want), least) or 0
    for i, w in ipairs(want) do
        local g = got[i]
        local slack = 0
        if rule.kind and FLOATS[dtype] then
            slack = rule.n * math.max(FLOATS[dtype] * math.max(math.abs(w), scale), SMALLEST[dtype])
            slack = math.max(slack, floor)
        end
        local close = slack > 0 and slack < math.huge and math.abs(w - g) <= slack
        if not close and not same_exactly(w, g) then return i end
    end
end

local function line_text(line)
    local words = {}
    for i, v in ipairs(line.values or {}) do words[i] = " " .. number_text(v) end
    return (line.is_error and escaped(line.text) or line.text) .. table.concat(words)
end

-- The largest element of the gradients: the gradient of a gradient is made of terms of their size, which cancel.
local function largest_gradient(case)
    local most = 0
    for _, want in ipairs(case.want) do
        local dtype, text = want:match("^grad [^ ]+ ([^ ]+) [^:]*:(.*)")
        if dtype then most = math.max(most, largest(numbers_of(dtype, text))) end
    end
    return most
end

-- Why the line is not what is wanted; nil if it is.
local function difference(case, at, line)
    local want = case.want[at]
    if line == nil then return "missing" end
    if line.is_error then
        local text = want:gsub("\\(.)", {n = "\n", ["\\"] = "\\"})
        local got = line.text
        -- The list of C++ signatures is PyTorch's own affair: its refusal is met by a TypeError of any words.
        if text:find("received an invalid combination of arguments", 1, true) then
            return not got:find("^!%s?TypeError: ") and "another answer" or nil
        end
        if got == text or got:sub(1, #text + 1) == text .. "\n" then return end
        return "another answer"
    end
    if not line.values then return line.text ~= want and "another answer" or nil end
    local head, elements_text = want:match("^(=[^:]*:)(.*)")
    if not head then head, elements_text = want:match("^(grad2? [^:]*:)(.*)") end
    if want:find("^= float ") then head, elements_text = "= float:", want:sub(9) end
    if head ~= line.text then return "another answer" end
    local wanted = numbers_of(line.dtype, elements_text)
    if #wanted ~= #line.values then return "another number of elements" end
    local rule = want:find("^=") and case.value_rule or case.grad_rule
    local least = want:find("^grad2") and rule.kind == "near" and largest_gradient(case) or 0
    local i = first_difference(rule, line.dtype, wanted, line.values, least, case.floors[at] or 0)
    return i and ("element %d is %s, not %s"):format(i - 1, number_text(line.values[i]), number_text(wanted[i])) or nil
end

local function report(case, lines, at, why)
    local out = {}
    for _, line in ipairs(case.inputs) do out[#out + 1] = "# " .. line end
    out[#out + 1] = "# > " .. case.source
    out[#out + 1] = "# wanted " .. (case.want[at] or "nothing more")
    out[#out + 1] = "# got    " .. (lines[at] and line_text(lines[at]) or "nothing more")
    out[#out + 1] = "# " .. why
    print(table.concat(out, "\n"))
end

local function check(case, number)
    local ok, lines = pcall(answer, case)
    if not ok then lines = {{text = "! outside the case: " .. tostring(lines), is_error = true}} end
    for at = 1, math.max(#case.want, #lines) do
        local want = case.want[at]
        local why = want and difference(case, at, lines[at]) or not want and "more than wanted" or nil
        if why then
            print(("not ok %d - %s"):format(number, case.name))
            return report(case, lines, at, why)
        end
    end
    print(("ok %d - %s"):format(number, case.name))
end

-- ---- the two processes ------------------------------------------------------------------------------------------

local function work(path, first)
    io.stdout:setvbuf("line")
    local cases = read_cases(path)
    for number = first, #cases do check(cases[number], number) end
end

local function quoted(word)
    return "'" .. word:gsub("'", "'\\''") .. "'"
end

-- Passes a worker's lines on; returns the number of the last case that it reported.
local function supervise(path, first)
    local command = table.concat({quoted(arg[-1]), quoted(arg[0]), quoted(path), first}, " ")
    local worker = io.popen(command .. " 2>&1") -- in one stream warnings cannot cut a line in two
    local last = first - 1
    for line in worker:lines() do
        last = tonumber(line:match("^ok (%d+)") or line:match("^not ok (%d+)")) or last
        print(line)
    end
    worker:close()
    return last
end

local path, first = arg[1], tonumber(arg[2])
if first then return work(path, first) end
local cases = read_cases(path)
print("1.." .. #cases)
local done = 0
while done < #cases do
    done = supervise(path, done + 1)
    if done < #cases then
        done = done + 1
        print(("not ok %d - %s"):format(done, cases[done].name))
        report(cases[done], {}, 1, "the process died")
    end
end
