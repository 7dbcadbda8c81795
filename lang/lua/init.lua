-- init: hangs the library's Lua files on torch, each loaded at the first touch of its name.
-- Called with the table torch and a function that raises the error for a name it does not have.
local torch, missing = ...

local homes = {nn = "torch.nn", optim = "torch.optim", utils = "torch.utils", progress = "torch.progress"}

setmetatable(torch, {
    __index = function(t, name)
        local home = homes[name]
        if not home then return missing(t, name) end
        local value = require(home)
        rawset(t, name, value)
        return value
    end,
    names = homes,
})
