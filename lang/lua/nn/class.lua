-- class("Name"[, Parent]): classes with single inheritance, for modules, datasets and whatever else a script
-- declares.
--
-- A class is a table of methods that makes an instance when called: it prepares the instance as the class's
-- root does (Module, Dataset), then runs its method init. An instance's metatable comes from the root too, so
-- that registration by assignment, calls, # and printing are the root's business. Inherited methods are
-- looked up when used: Parent.method(self, …) reaches an overridden one. `v.__class__` is the class of v.
local support = require "torch.support"

local function construct(Class, ...)
    local self = setmetatable(Class._state(), Class._meta)
    Class.init(self, ...)
    return self
end

local function describe(Class)
    return ("<class '%s'>"):format(Class._name)
end

-- A class without parent: `state` makes an instance's fields, `metatable(Class)` the instances' metatable.
local function root(name, state, metatable)
    local Class = setmetatable({_name = name, _state = state, _metatable = metatable, init = function() end},
        {__call = construct, __tostring = describe, __name = "type"})
    Class.__class__ = Class
    Class._meta = metatable(Class)
    return Class
end

local function derive(name, Parent)
    if type(name) ~= "string" then
        support.raise("TypeError", "class(): argument 'name' (position 1) must be str, not %s",
            support.type_word(name))
    end
    if type(Parent) ~= "table" or rawget(Parent, "_meta") == nil then
        support.raise("TypeError", "class(): argument 'parent' (position 2) must be a class, not %s",
            support.type_word(Parent))
    end
    local Class = setmetatable({_name = name, _parent = Parent},
        {__index = Parent, __call = construct, __tostring = describe, __name = "type"})
    Class.__class__ = Class
    Class._meta = Parent._metatable(Class)
    return Class
end

-- Whether v is an instance of Class or of a class derived from it.
local function is_instance(v, Class)
    local meta = type(v) == "table" and getmetatable(v)
    local own = meta and meta.__class
    while own do
        if own == Class then return true end
        own = rawget(own, "_parent")
    end
    return false
end

return {root = root, derive = derive, is_instance = is_instance}
