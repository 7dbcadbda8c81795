-- The names of torch.nn that are no modules: class, Module, Parameter, init, utils.
local torch = require "torch"
local class = require "torch.nn.class"
local module = require "torch.nn.module"

-- nn.class("Name"[, Parent]): a class of modules, or of whatever Parent is the class of.
local function declare(name, Parent)
    return class.derive(name, Parent == nil and module.Module or Parent)
end

return {class = declare, Module = module.Module, Parameter = torch._parameter, init = require "torch.nn.init",
    utils = require "torch.nn.utils"}
