-- Sequential, ModuleList, ModuleDict, ParameterList, ParameterDict: modules that hold others, counted from 0.
local torch = require "torch"
local support = require "torch.support"
local class = require "torch.nn.class"
local module = require "torch.nn.module"
local Module, is_module = module.Module, module.is_module
local raise = support.raise

local container = {}

-- ---- what containers of numbered members share; `kind` is "_modules" or "_parameters" ----

local function position(self, kind, i)
    if math.type(i) ~= "integer" then
        raise("TypeError", "'%s' object cannot be interpreted as an integer", support.type_word(i))
    end
    local n = #self._order[kind]
    if i < -n or i >= n then raise("IndexError", "index %d is out of range", i) end
    return i % n
end

-- Renumbers the members after one came or went.
local function renumber(self, kind, values)
    self[kind], self._order[kind] = {}, {}
    for name, known in pairs(self._kind) do
        if known == kind then self._kind[name] = nil end
    end
    for i, value in ipairs(values) do
        local name = tostring(i - 1)
        self[kind][name], self._kind[name], self._order[kind][i] = value, kind, name
    end
end

local function values_of(self, kind)
    local values = {}
    for i, name in ipairs(self._order[kind]) do values[i] = self[kind][name] end
    return values
end

local function numbered(Class, kind)
    function Class:__len()
        return #self._order[kind]
    end
    function Class:__getitem(i)
        return self[kind][self._order[kind][position(self, kind, i) + 1]]
    end
    function Class:__setitem(i, value)
        self[self._order[kind][position(self, kind, i) + 1]] = value
    end
    -- pairs(container): 0, first member; 1, second; …
    function Class:__iterate()
        local i, order = -1, self._order[kind]
        return function()
            i = i + 1
            if order[i + 1] then return i, self[kind][order[i + 1]] end
        end
    end
    function Class:insert(i, value)
        local values = values_of(self, kind)
        local n = #values
        i = i < 0 and math.max(0, i + n) or math.min(i, n)
        self:append(value)
        values = values_of(self, kind)
        table.insert(values, i + 1, table.remove(values))
        renumber(self, kind, values)
        return self
    end
    function Class:extend(list)
        local walk = is_module(list) and pairs or ipairs
        for _, value in walk(list) do self:append(value) end
        return self
    end
    function Class:pop(i)
        local values = values_of(self, kind)
        local value = table.remove(values, position(self, kind, i or -1) + 1)
        renumber(self, kind, values)
        return value
    end
end

local function append_module(self, value)
    self:add_module(tostring(#self), value)
    return self
end

-- The members named by a table: {name, value} pairs, an ordered table, or name = value sorted by name.
-- `name` is the class that they are for.
local function named_members(name, t)
    local list = {}
    if type(t) ~= "table" then
        support.raise("TypeError", "%s.update should be called with an iterable of key/value pairs, but " ..
            "got %s", name, support.type_word(t))
    end
    if #t > 0 and getmetatable(t) == nil then
        for i, pair in ipairs(t) do
            if type(pair) ~= "table" then
                support.raise("TypeError", "%s update sequence element #%d should be Iterable; is%s", name,
                    i - 1, support.type_word(pair))
            end
            list[i] = {pair[1], pair[2]}
        end
        return list
    end
    for name, value in pairs(t) do list[#list + 1] = {name, value} end
    if getmetatable(t) == nil then
        table.sort(list, function(a, b) return a[1] < b[1] end)
    end
    return list
end

-- ---- Sequential ----

local Sequential = class.derive("Sequential", Module)
numbered(Sequential, "_modules")
container.Sequential = Sequential

-- Sequential(m1, m2, …), Sequential({m1, m2, …}) or Sequential({{"name", m1}, {"other", m2}}).
function Sequential:init(...)
    local first = ...
    if select("#", ...) == 1 and type(first) == "table" and not is_module(first) then
        if is_module(first[1]) then return self:extend(first) end
        for _, pair in ipairs(named_members("Sequential", first)) do self:add_module(pair[1], pair[2]) end
        return
    end
    for i = 1, select("#", ...) do self:add_module(tostring(i - 1), (select(i, ...))) end
end

Sequential.append = append_module

function Sequential:forward(input)
    local modules = self._modules
    for _, name in ipairs(self._order._modules) do input = modules[name](input) end
    return input
end

-- ---- ModuleList ----

local ModuleList = class.derive("ModuleList", Module)
numbered(ModuleList, "_modules")
container.ModuleList = ModuleList

local function check_iterable(name, values)
    if type(values) ~= "table" then
        support.raise("TypeError", "%s.extend should be called with an iterable, but got %s", name,
            support.type_word(values))
    end
end

function ModuleList:init(modules)
    if modules ~= nil then check_iterable("ModuleList", modules) end
    if modules ~= nil then self:extend(modules) end
end

ModuleList.append = append_module

-- Equal neighbours are shown once: (0-2): 3 x Linear(…).
function ModuleList:__repr()
    local runs = {}
    for i, value in ipairs(values_of(self, "_modules")) do
        local text, last = value:__repr(), runs[#runs]
        if last and last.text == text then
            last.stop = i - 1
        else
            runs[#runs + 1] = {text = text, start = i - 1, stop = i - 1}
        end
    end
    if #runs == 0 then return self:_get_name() .. "()" end
    local lines = {}
    for i, run in ipairs(runs) do
        local text = run.text
        local label = ("(%d)"):format(run.start)
        if run.stop > run.start then
            label = ("(%d-%d)"):format(run.start, run.stop)
            text = ("%d x %s"):format(run.stop - run.start + 1, text)
        end
        lines[i] = (label .. ": " .. text):gsub("\n", "\n  ")
    end
    return self:_get_name() .. "(\n  " .. table.concat(lines, "\n  ") .. "\n)"
end

-- ---- ModuleDict ----

local ModuleDict = class.derive("ModuleDict", Module)
container.ModuleDict = ModuleDict

function ModuleDict:init(modules)
    if modules ~= nil then self:update(modules) end
end

function ModuleDict:update(modules)
    for _, pair in ipairs(named_members("ModuleDict", modules)) do self:add_module(pair[1], pair[2]) end
end

function ModuleDict:__len()
    return #self:keys()
end

function ModuleDict:keys()
    local names = {}
    for _, name in ipairs(self._order._modules) do
        if self._modules[name] then names[#names + 1] = name end
    end
    return names
end

function ModuleDict:values()
    return values_of(self, "_modules")
end

function ModuleDict:contains(name)
    return self._modules[name] ~= nil
end

function ModuleDict:__iterate()
    local i, names = 0, self:keys()
    return function()
        i = i + 1
        if names[i] then return names[i], self._modules[names[i]] end
    end
end

-- ---- lists and dicts of parameters ----

local function as_parameter(value)
    return torch.is_tensor(value) and not value.is_parameter and torch.nn.Parameter(value) or value
end

local function describe_parameter(name, p)
    local sizes = {}
    for i = 1, p.ndim do sizes[i] = p.shape[i - 1] end
    local place = p.device.type ~= "cpu" and (" (%s)"):format(tostring(p.device)) or ""
    return ("  (%s): Parameter containing: [%s of size %s%s]"):format(name, tostring(p.dtype),
        table.concat(sizes, "x"), place)
end

local function describe_parameters(self)
    local lines = {}
    for i, name in ipairs(self._order._parameters) do
        lines[i] = describe_parameter(name, self._parameters[name])
    end
    return table.concat(lines, "\n")
end

local ParameterList = class.derive("ParameterList", Module)
numbered(ParameterList, "_parameters")
container.ParameterList = ParameterList
ParameterList.extra_repr = describe_parameters

function ParameterList:init(values)
    if values ~= nil then check_iterable("ParameterList", values) end
    if values ~= nil then self:extend(values) end
end

function ParameterList:append(value)
    self:register_parameter(tostring(#self), as_parameter(value))
    return self
end

local ParameterDict = class.derive("ParameterDict", Module)
container.ParameterDict = ParameterDict
ParameterDict.extra_repr = describe_parameters

function ParameterDict:init(values)
    if values == nil then return end
    for _, pair in ipairs(named_members("ParameterDict", values)) do
        self:register_parameter(pair[1], as_parameter(pair[2]))
    end
end

function ParameterDict:__len()
    return #self._order._parameters
end

function ParameterDict:keys()
    return table.move(self._order._parameters, 1, #self._order._parameters, 1, {})
end

function ParameterDict:__iterate()
    local i, names = 0, self._order._parameters
    return function()
        i = i + 1
        if names[i] then return names[i], self._parameters[names[i]] end
    end
end

return container
