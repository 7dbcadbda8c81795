-- Optimizer: parameter groups, state, printing; declare() makes one optimizer of its arguments and its
-- update.
local torch = require "torch"
local support = require "torch.support"
local class = require "torch.nn.class"
local raise, repr = support.raise, support.repr
local is_tensor = torch.is_tensor

local function state()
    return {param_groups = {}, state = {}}
end

local function metatable(Class)
    return {__name = Class._name, __class = Class, __index = Class,
        __tostring = function(self) return self:__repr() end}
end

local Optimizer = class.root("Optimizer", state, metatable)
Optimizer._keys = {}

-- params: tensors, or tables with `params` and options of their own. defaults: option → value for every
-- group.
function Optimizer:init(params, defaults)
    if is_tensor(params) then
        raise("TypeError", "params argument given to the optimizer should be an iterable of Tensors or " ..
            "dicts, but got %s", params:type())
    end
    if type(params) ~= "table" then
        raise("TypeError", "'%s' object is not iterable", support.type_word(params))
    end
    self.defaults = defaults or {}
    local list, names = {}, {}
    for name, item in (getmetatable(params) or {}).__pairs and pairs(params) or next, params do
        list[#list + 1] = item
        names[#list] = type(name) == "string" and is_tensor(item) and name or nil
    end
    if params.params ~= nil and #params == 0 then list = {params} end
    if #list == 0 then raise("ValueError", "optimizer got an empty parameter list") end
    if type(list[1]) == "table" and list[1].params ~= nil then
        for _, group in ipairs(list) do self:add_param_group(group) end
    else
        if params[1] ~= nil then list = table.move(params, 1, #params, 1, {}) end
        self:add_param_group {params = list, param_names = #names == #list and names or nil}
    end
end

local function check_param(p, differentiable)
    if not is_tensor(p) then
        raise("TypeError", "optimizer can only optimize Tensors, but one of the params is %s",
            support.type_word(p))
    end
    if not (differentiable or p.is_leaf or p.retains_grad) then
        raise("ValueError", "can't optimize a non-leaf Tensor")
    end
end

local DUPLICATES = "optimizer contains a parameter group with duplicate parameters; in future, this will cause an " ..
    "error; see github.com/pytorch/pytorch/issues/40967 for more information"

function Optimizer:add_param_group(group)
    if type(group) ~= "table" then
        raise("TypeError", "param_group must be a dict, but got <class '%s'>", support.type_word(group))
    end
    local own = {}
    for key, value in pairs(group) do own[key] = value end
    own.params = is_tensor(group.params) and {group.params} or
        table.move(group.params, 1, #group.params, 1, {})
    local known = {}
    for _, other in ipairs(self.param_groups) do
        for _, p in ipairs(other.params) do known[p] = true end
        if (own.param_names == nil) ~= (other.param_names == nil) then
            raise("ValueError", "all optimizer param groups should be with/without names. cannot add param " ..
                "group %s to the optimizer", own.param_names and "with names" or "without names")
        end
    end
    for key, value in pairs(self.defaults) do
        if own[key] == nil then own[key] = value end
    end
    local seen, twice = {}, false
    for _, p in ipairs(own.params) do
        check_param(p, self.defaults.differentiable)
        twice, seen[p] = twice or seen[p], true
    end
    if twice then support.warn("%s", DUPLICATES) end
    for _, p in ipairs(own.params) do
        if known[p] then raise("ValueError", "some parameters appear in more than one parameter group") end
    end
    table.insert(self.param_groups, own)
end

function Optimizer:zero_grad(set_to_none)
    if type(set_to_none) == "table" then set_to_none = set_to_none.set_to_none end
    for _, group in ipairs(self.param_groups) do
        for _, p in ipairs(group.params) do
            local grad = set_to_none == false and p.grad
            if not grad then
                p.grad = nil
            elseif grad.grad_fn then
                p.grad = grad:detach():zero_()
            else
                grad:requires_grad_(false):zero_()
            end
        end
    end
end

-- Applies the class's _update(self, p, grad, state, group) to every parameter with a gradient.
local function update_all(self)
    local _ <close> = torch.set_grad_enabled(self.defaults.differentiable == true)
    local states, update = self.state, self._update
    for _, group in ipairs(self.param_groups) do
        for _, p in ipairs(group.params) do
            local grad = p.grad
            if grad then
                if group.differentiable and p.is_leaf and p.requires_grad then
                    raise("RuntimeError", "a leaf Variable that requires grad is being used in an in-place " ..
                        "operation.")
                end
                local own = states[p]
                if not own then
                    own = {}
                    states[p] = own
                end
                update(self, p, group.maximize and -grad or grad, own, group)
            end
        end
    end
end

-- ---- hooks ----

local Handle = {__name = "torch.utils.hooks.RemovableHandle"}
Handle.__index = Handle

function Handle:remove()
    for i, entry in ipairs(self.list) do
        if entry == self then return table.remove(self.list, i) end
    end
end

local function register(kind)
    return function(self, hook, options)
        local hooks = rawget(self, "_hooks") or {}
        self._hooks = hooks
        hooks[kind] = hooks[kind] or {}
        local handle = setmetatable({list = hooks[kind], call = hook}, Handle)
        local first = options == true or type(options) == "table" and options.prepend
        table.insert(hooks[kind], first and 1 or #hooks[kind] + 1, handle)
        return handle
    end
end

-- Calls the hooks of a kind, each with what the one before it returned (if anything) as its last argument.
local function run_hooks(self, kind, value)
    local hooks = rawget(self, "_hooks")
    for _, handle in ipairs(hooks and hooks[kind] or {}) do
        local other = handle.call(self, value)
        if other ~= nil then value = other end
    end
    return value
end

Optimizer.register_step_pre_hook, Optimizer.register_step_post_hook = register("before"), register("after")
Optimizer.register_state_dict_pre_hook = register("before_saving")
Optimizer.register_state_dict_post_hook = register("after_saving")
Optimizer.register_load_state_dict_pre_hook = register("before_loading")
Optimizer.register_load_state_dict_post_hook = register("after_loading")

-- ---- steps ----

-- One step; a closure is called first, with gradients on, and its loss returned. Hooks get the optimizer and the
-- arguments as a table.
function Optimizer:step(closure)
    self._opt_called = true -- for schedules, which come after it
    local hooked = rawget(self, "_hooks")
    if hooked then closure = run_hooks(self, "before", {closure})[1] end
    local loss
    if closure then
        local _ <close> = torch.enable_grad()
        loss = closure()
    end
    update_all(self)
    if hooked then run_hooks(self, "after", {closure}) end
    return loss
end

-- ---- state ----

-- {state = {[i] = {…}}, param_groups = {{lr = …, params = {i, …}}, …}}, parameters numbered from 0 in order.
function Optimizer:state_dict()
    run_hooks(self, "before_saving")
    local numbers, count, groups, states = {}, 0, {}, {}
    for g, group in ipairs(self.param_groups) do
        local copy = {params = {}}
        for key, value in pairs(group) do
            if key ~= "params" then copy[key] = value end
        end
        for i, p in ipairs(group.params) do
            if not numbers[p] then
                numbers[p] = count
                count = count + 1
            end
            copy.params[i] = numbers[p]
        end
        groups[g] = copy
    end
    for p, own in pairs(self.state) do
        if numbers[p] then states[numbers[p]] = own end
    end
    return run_hooks(self, "after_saving", {state = states, param_groups = groups})
end

-- A parameter's saved state as its own: in its dtype and on its device, but the count of steps as it is.
local function adopt(key, value, p)
    if key == "step" and type(value) == "number" then return torch.tensor(value + 0.0) end
    if not is_tensor(value) then return support.deepcopy(value) end
    value = value:detach():clone()
    if key == "step" then return value end
    return p:is_floating_point() and value:to(p.device):to(p.dtype) or value:to(p.device)
end

function Optimizer:load_state_dict(from)
    from = run_hooks(self, "before_loading", from)
    local groups = from.param_groups
    if #groups ~= #self.param_groups then
        raise("ValueError", "loaded state dict has a different number of parameter groups")
    end
    local params = {}
    for g, group in ipairs(groups) do
        if #group.params ~= #self.param_groups[g].params then
            raise("ValueError", "loaded state dict contains a parameter group that doesn't match the " ..
                "size of optimizer's group")
        end
    end
    for g, group in ipairs(groups) do
        for i, number in ipairs(group.params) do params[number] = self.param_groups[g].params[i] end
    end
    self.state = {}
    for number, own in pairs(from.state) do
        local p, copy = params[number], {}
        for key, value in pairs(p and own or {}) do copy[key] = adopt(key, value, p) end
        if p then self.state[p] = copy end
    end
    for g, group in ipairs(groups) do
        local mine = {params = self.param_groups[g].params}
        for key, value in pairs(group) do
            if key ~= "params" then mine[key] = support.deepcopy(value) end
        end
        self.param_groups[g] = mine
    end
    run_hooks(self, "after_loading")
end

-- ---- printing ----

function Optimizer:__repr()
    local lines = {getmetatable(self).__class._name .. " ("}
    for g, group in ipairs(self.param_groups) do
        local keys, seen = {}, {params = true}
        local function add(key)
            if not seen[key] then
                seen[key] = true
                keys[#keys + 1] = key
            end
        end
        for _, key in ipairs(self._keys) do add(key) end
        for key in pairs(group) do add(key) end
        table.sort(keys)
        lines[#lines + 1] = ("Parameter Group %d"):format(g - 1)
        for _, key in ipairs(keys) do
            local value = group[key]
            local text = type(value) == "string" and value or repr(value)
            if type(value) == "table" and value[1] == nil and value[2] ~= nil then
                text = ("(None, %s)"):format(repr(value[2]))
            end
            if key == "param_names" then text = "[" .. text:gsub(",?%)$", ""):gsub("^%(", "") .. "]" end
            lines[#lines + 1] = ("    %s: %s"):format(key, text)
        end
    end
    lines[#lines + 1] = ")"
    return table.concat(lines, "\n")
end

-- ---- declaring optimizers ----

-- Raises unless 0 <= options[key]; `words` maps keys to what the message calls them.
local function check_ranges(options, words)
    for _, pair in ipairs(words) do
        local key, word = pair[1], pair[2]
        local value = options[key]
        if is_tensor(value) and key == "lr" and value:numel() ~= 1 then
            raise("ValueError", "Tensor lr must be 1-element")
        end
        if is_tensor(value) then value = value:item() end
        if type(value) ~= "number" then
            raise("TypeError", "'<=' not supported between instances of 'float' and '%s'",
                support.type_word(value))
        end
        if not (value >= 0.0 and value <= (pair[3] or math.huge)) then
            raise("ValueError", "Invalid %s: %s", word, repr(value))
        end
    end
    local betas = options.betas
    for i = 1, betas and 2 or 0 do
        local beta = is_tensor(betas[i]) and betas[i]:item() or betas[i]
        if not (beta and beta >= 0.0 and beta < 1.0) then
            raise("ValueError", "Invalid beta parameter at index %d: %s", i - 1, repr(betas[i]))
        end
    end
end

-- What may not be asked for together.
local function check_together(options)
    if options.fused and options.differentiable then
        raise("RuntimeError", "`fused` does not support `differentiable`")
    elseif options.fused and options.foreach then
        raise("RuntimeError", "`fused` and `foreach` cannot be `True` together.")
    end
end

-- An optimizer class. options: its arguments after params, in order, as {name, default}; a default may be
-- nil. fixed: what every group has besides, that is no argument. words: {option, its word in messages[, upper bound]} for the options that must not be negative.
-- check(options), if given, looks at them further. update: see update_all.
local function declare(name, options, words, update, check, fixed)
    local Class = class.derive(name, Optimizer)
    local params, defaults, keys = {"params!"}, {}, {}
    for i, option in ipairs(options) do
        params[i + 1], keys[i] = option[1], option[1]
        defaults[option[1]] = option[2]
    end
    local read = support.signature(name .. ".__init__", params, defaults)
    Class._keys, Class._update = keys, update
    function Class:init(...)
        local values = table.pack(read(...))
        local chosen = {}
        for key, value in pairs(fixed or {}) do chosen[key] = value end
        for i, key in ipairs(keys) do chosen[key] = values[i + 1] end
        check_ranges(chosen, words)
        if check then check(chosen) end
        Optimizer.init(self, values[1], chosen)
        check_together(chosen)
    end
    return Class
end

-- An option that may be a tensor of one element, as a number.
local function number(value)
    return type(value) == "number" and value or value:item()
end

-- Counts a step in the state, where the count is a tensor as in PyTorch's; returns it as a number.
local function next_step(state)
    return state.step:add_(1):item()
end

return {Optimizer = Optimizer, declare = declare, number = number, next_step = next_step}
