-- Names of tensors, found by looking and never by running code: variables of a frame, fields of tables,
-- parameters of modules.
local torch = require "torch"
local teach = torch._teach

local names = {}

function names.is_tensor(v)
    return type(v) == "userdata" and torch.is_tensor(v)
end
local is_tensor = names.is_tensor

-- t[name] without metamethods; a module's members are found where it keeps them.
function names.field(t, name)
    if type(t) ~= "table" then return nil end
    local v = rawget(t, name)
    if v ~= nil then return v end
    for _, kind in ipairs {"_parameters", "_buffers", "_modules"} do
        local members = rawget(t, kind)
        v = type(members) == "table" and rawget(members, name)
        if v then return v end
    end
    return nil
end

-- Calls found(tensor, name) for the tensors in a table: its fields, and the parameters and buffers of
-- modules below.
function names.members(t, prefix, found, depth)
    depth = depth or 0
    if type(t) ~= "table" or depth > 8 then return end
    for _, kind in ipairs {"_parameters", "_buffers"} do
        local members = rawget(t, kind)
        if type(members) == "table" then
            for name, v in next, members do
                if is_tensor(v) then found(v, prefix .. "." .. name) end
            end
        end
    end
    local modules = rawget(t, "_modules")
    if type(modules) == "table" then
        for name, v in next, modules do
            local index = tonumber(name)
            names.members(v, prefix .. (index and "[" .. name .. "]" or "." .. name), found, depth + 1)
        end
    end
end

-- The variables of the function at this level of the caller's: name -> {value}; inner ones hide outer ones.
function names.frame(level)
    local variables = {}
    local info = debug.getinfo(level + 1, "f")
    if not info then return variables end
    for i = 1, 255 do
        local name, value = debug.getupvalue(info.func, i)
        if not name then break end
        variables[name] = {value}
    end
    for i = 1, 255 do
        local name, value = debug.getlocal(level + 1, i)
        if not name then break end
        if name:find("^[%a_]") then variables[name] = {value} end
    end
    return variables
end

-- The value of a plain name among these variables, then among the globals.
function names.value(variables, name)
    local box = variables[name]
    if box then return box[1] end
    return rawget(_G, name)
end

-- The name of the tensor with this id among variables, or in a module or table among them.
function names.search(variables, id)
    local order = {}
    for name in next, variables do order[#order + 1] = name end
    table.sort(order)
    for _, name in ipairs(order) do
        local v = variables[name][1]
        if is_tensor(v) and teach.id(v) == id then return name end
    end
    for _, name in ipairs(order) do
        local v, best = variables[name][1], nil
        if type(v) == "table" and name ~= "_ENV" then
            names.members(v, name, function(t, path)
                if teach.id(t) == id and (not best or #path < #best) then best = path end
            end)
        end
        if best then return best end
    end
    return nil
end

-- The globals as such variables.
function names.globals()
    local variables = {}
    for name, v in next, _G do
        if type(name) == "string" and (type(v) == "userdata" or type(v) == "table") and name ~= "_G"
            and name ~= "package" and name ~= "Out" and name ~= "_" and name ~= "__" and v ~= torch then
            variables[name] = {v}
        end
    end
    return variables
end

return names
