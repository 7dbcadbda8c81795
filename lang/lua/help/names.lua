-- Where public names live: the tables that hold them, how a name is asked for, and what it stands for.
local torch = require "torch"

local names = {}

-- A family is a table of names: `prefix` in the texts of lang/help, `spelled` as users write it. The order is that
-- in which a bare name is looked for.
local families = {
    {prefix = "torch.", path = "", spelled = "torch."},
    {prefix = "Tensor.", path = "_methods", spelled = "t:"},
    {prefix = "F.", path = "nn.functional", spelled = "F."},
    {prefix = "nn.", path = "nn", spelled = "nn."},
    {prefix = "init.", path = "nn.init", spelled = "nn.init."},
    {prefix = "nn.utils.", path = "nn.utils", spelled = "nn.utils."},
    {prefix = "rnn.", path = "nn.utils.rnn", spelled = "nn.utils.rnn."},
    {prefix = "optim.", path = "optim", spelled = "optim."},
    {prefix = "lr_scheduler.", path = "optim.lr_scheduler", spelled = "optim.lr_scheduler."},
    {prefix = "linalg.", path = "linalg", spelled = "torch.linalg."},
    {prefix = "special.", path = "special", spelled = "torch.special."},
    {prefix = "data.", path = "utils.data", spelled = "torch.utils.data."},
    {prefix = "checkpoint.", path = "utils.checkpoint", spelled = "torch.utils.checkpoint."},
    {prefix = "utils.", path = "utils", spelled = "torch.utils."},
    {prefix = "autograd.functional.", path = "autograd.functional", spelled = "torch.autograd.functional."},
    {prefix = "autograd.function.", path = "autograd.function", spelled = "torch.autograd.function."},
    {prefix = "autograd.graph.", path = "autograd.graph", spelled = "torch.autograd.graph."},
    {prefix = "autograd.", path = "autograd", spelled = "torch.autograd."},
    {prefix = "func.", path = "func", spelled = "torch.func."},
    {prefix = "cuda.", path = "cuda", spelled = "torch.cuda."},
    {prefix = "opencl.", path = "opencl", spelled = "torch.opencl."},
    {prefix = "random.", path = "random", spelled = "torch.random."},
}
names.families = families

-- Modules as names have them → the prefix of what they hold.
local prefixes = {torch = "torch.", F = "F."}
for _, family in ipairs(families) do
    prefixes[family.path] = family.prefix
    prefixes[family.prefix:sub(1, -2)] = family.prefix
    prefixes["torch." .. family.path] = family.prefix
end

local tables = {}

-- The family's table.
function names.table_of(family)
    local t = tables[family]
    if not t then
        t = torch
        for word in family.path:gmatch("[^.]+") do t = t[word] end
        tables[family] = t
    end
    return t
end

local function is_class(v) return type(v) == "table" and rawget(v, "_meta") ~= nil end
names.is_class = is_class

-- Whether the table has the name, without loading what comes from a file at its first use.
local function has(t, name)
    if rawget(t, name) ~= nil then return true end
    local meta = getmetatable(t)
    return meta and type(meta.names) == "table" and meta.names[name] ~= nil or false
end

-- The family's public names, sorted.
function names.list(family)
    local t, list, seen = names.table_of(family), {}, {}
    local meta = getmetatable(t)
    local function add(name)
        if type(name) == "string" and not name:find("^_") and not seen[name] then
            seen[name] = true
            list[#list + 1] = name
        end
    end
    for name in next, t do add(name) end
    for name in next, meta and meta.names or {} do add(name) end
    table.sort(list)
    return list
end

-- The family a full name is of, its last word and, of "nn.Module.parameters", the class.
function names.split(full)
    for _, family in ipairs(families) do
        local n = #family.prefix
        if full:sub(1, n) == family.prefix then
            local word, method = full:sub(n + 1):match("^([%w_]+)%.?([%w_]*)$")
            if method == "" then method = nil end
            local t = word and names.table_of(family)
            if word and has(t, word) and (not method or is_class(t[word])) then return family, word, method end
        end
    end
end

-- What a full name stands for, nil for nothing.
function names.value(full)
    local family, word, method = names.split(full)
    if not family then return nil end
    local v = names.table_of(family)[word]
    if not method then return v end
    if not is_class(v) then return nil end
    while v do
        if rawget(v, method) ~= nil then return rawget(v, method) end
        v = rawget(v, "_parent")
    end
end

-- "torch.nn.functional.relu" or "F.relu" to "F.relu": how lang/help spells the name. nil for bare names.
function names.normal(asked)
    asked = asked:gsub(":", ".")
    local at = #asked
    while at do
        local head = asked:sub(1, at):match("^(.*)%.[^.]*$")
        if not head then return nil end
        if prefixes[head] then return prefixes[head] .. asked:sub(#head + 2) end
        at = #head
    end
end

-- The full names a bare word has, in the order of the families.
function names.homes(word)
    local list = {}
    for _, family in ipairs(families) do
        if has(names.table_of(family), word) then list[#list + 1] = family.prefix .. word end
    end
    return list
end

-- As users write it: "t:view", "torch.linalg.qr", "nn.Module:parameters".
function names.spelled(full)
    local family, word, method = names.split(full)
    if not family then return full end
    return family.spelled .. word .. (method and ":" .. method or "")
end

-- The full name of a function or class of the library's, nil for others.
function names.of_value(v)
    for _, family in ipairs(families) do
        for name, other in next, names.table_of(family) do
            if rawequal(other, v) and type(name) == "string" and not name:find("^_") then
                return family.prefix .. name
            end
        end
    end
end

return names
