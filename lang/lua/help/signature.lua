-- Signatures in Tide's spelling: from the op table's rows, from the readers of arguments, from the code.
local torch = require "torch"
local support = require "torch.support"

local signature = {}

-- A default as Tide spells it.
local function literal(v)
    if type(v) == "string" then return "'" .. v .. "'" end
    if type(v) == "table" and not getmetatable(v) then
        local parts = {}
        for i, item in ipairs(v) do parts[i] = literal(item) end
        return "{" .. table.concat(parts, ", ") .. "}"
    end
    if type(v) == "number" then return support.repr(v) end
    return tostring(v)
end

local function of_row(row)
    local list = {}
    for i, p in ipairs(row.params) do list[i] = {p.name, p.default} end
    if row.takes_dtype then list[#list + 1] = {"dtype", "nil"} end
    return list
end

local function of_reader(reader)
    local list = {}
    for i, name in ipairs(reader.params) do
        local default = reader.defaults[name]
        if default == nil and not reader.required[i] then default = "nil" else default = literal(default) end
        list[i] = {name, not reader.required[i] and default or nil}
    end
    return list
end

-- The reader that a function calls, looked for in what it and the functions within it hold.
local function reader_of(f, depth)
    local own = support.reader(f)
    if own then return own end
    if depth == 0 or debug.getinfo(f, "S").source:sub(1, 8) ~= "=[torch]" then return nil end
    for i = 1, 255 do
        local name, v = debug.getupvalue(f, i)
        if not name then return nil end
        if type(v) == "function" then
            local found = support.reader(v) or (depth > 1 and name ~= "init" and reader_of(v, depth - 1))
            if found then return found end
        end
    end
end

-- Methods written in Lua are loaded when called: what stands behind such a one.
local function unwrapped(f)
    local home, name
    for i = 1, 3 do
        local word, v = debug.getupvalue(f, i)
        if word == "home" then home = v end
        if word == "name" then name = v end
    end
    if type(home) == "string" and type(name) == "string" then return require(home)[name] end
    return f
end

local function of_code(f)
    local info, list = debug.getinfo(f, "u"), {}
    for i = 1, info.nparams do
        local name = debug.getlocal(f, i)
        if name ~= "self" then list[#list + 1] = {name} end
    end
    if info.isvararg then list[#list + 1] = {"..."} end
    return list
end

-- The parameters of a function or class as a list of {name, default as text}; nil when they are not known. The second
-- result is the Lua function behind it, the third the row.
function signature.params(v)
    local f = v
    if type(v) == "table" then
        f = rawget(v, "_meta") and v.init
        if type(f) ~= "function" then return nil end
    end
    if type(f) ~= "function" then return nil end
    local row = torch._help.row(f)
    if row then return of_row(row), nil, row end
    if debug.getinfo(f, "S").what == "C" then return nil end
    f = unwrapped(f)
    row = torch._help.row(f)
    if row then return of_row(row), nil, row end
    if debug.getinfo(f, "S").what == "C" then return nil end
    local reader = reader_of(f, 2)
    return reader and of_reader(reader) or of_code(f), f
end

-- "name(input, dim=-1)"; `skip` leaves the first parameter out.
function signature.text(name, params, skip)
    local parts = {}
    for i = skip and 2 or 1, #params do
        parts[#parts + 1] = params[i][1] .. (params[i][2] and "=" .. params[i][2] or "")
    end
    return name .. "(" .. table.concat(parts, ", ") .. ")"
end

-- The parameters in a signature's text, as signature.params gives them.
function signature.parse(text)
    local list, inner = {}, text:match("^[^(]*(%b())")
    if not inner then return list end
    inner = inner:sub(2, -2):gsub("%b()", function(s) return s:gsub(",", "\1") end)
    inner = inner:gsub("%b{}", function(s) return s:gsub(",", "\1") end)
    for part in inner:gmatch("[^,]+") do
        part = part:gsub("\1", ","):match("^%s*(.-)%s*$")
        local name, default = part:match("^([%a_][%w_]*)%s*=%s*(.*)$")
        list[#list + 1] = {name or part, default}
    end
    return list
end

return signature
