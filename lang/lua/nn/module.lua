-- Module: the root of everything with parameters. Registration by assignment, walks over the tree,
-- conversion, state.
local torch = require "torch"
local support = require "torch.support"
local class = require "torch.nn.class"
local raise, ordered = support.raise, support.ordered
local is_tensor = torch.is_tensor

-- An instance holds name → value in _parameters, _buffers and _modules, which of them a name belongs to in
-- _kind, and each one's names in order in _order. A name once registered stays, with nil for its value, as
-- None does in PyTorch.
local function state()
    return {training = true, _hooked = false, _parameters = {}, _buffers = {}, _modules = {}, _kind = {},
        _order = {_parameters = {}, _buffers = {}, _modules = {}}, _transient = {}}
end

local function is_module(v)
    local meta = type(v) == "table" and getmetatable(v)
    return meta and meta.__module or false
end

local function forget(self, name)
    local kind = self._kind[name]
    if not kind then return end
    self[kind][name], self._kind[name] = nil, nil
    for i, other in ipairs(self._order[kind]) do
        if other == name then table.remove(self._order[kind], i) break end
    end
end

local function register(self, kind, name, value)
    if self._kind[name] ~= kind then
        forget(self, name)
        rawset(self, name, nil)
        self._kind[name] = kind
        local order = self._order[kind]
        order[#order + 1] = name
    end
    self[kind][name] = value
end

local WORDS = {_parameters = {"parameter", "torch.nn.Parameter"},
    _modules = {"child module", "torch.nn.Module"},
    _buffers = {"buffer", "torch.nn.Buffer, torch.Tensor"}}

local function long_type(v)
    if not is_tensor(v) then return support.type_word(v) end
    return v.is_parameter and "torch.nn.parameter.Parameter" or v:type()
end

local function assign(self, name, value)
    local kind = self._kind[name]
    if type(name) == "string" then
        if is_tensor(value) then
            if value.is_parameter then return register(self, "_parameters", name, value) end
            if kind == "_buffers" then return register(self, kind, name, value) end
        elseif is_module(value) then
            return register(self, "_modules", name, value)
        end
    end
    if not kind then return rawset(self, name, value) end
    if value ~= nil then
        raise("TypeError", "cannot assign '%s' as %s '%s' (%s or None expected)", long_type(value),
            WORDS[kind][1], name,
            WORDS[kind][2])
    end
    self[kind][name] = nil
end

local Module

local function call_hooked(self, ...)
    local input = table.pack(...)
    for _, hook in ipairs(self._hooks.forward_pre) do
        local result = hook.f(self, {table.unpack(input, 1, input.n)})
        if result ~= nil then
            input = type(result) == "table" and not getmetatable(result) and
                table.pack(table.unpack(result)) or table.pack(result)
        end
    end
    local backward = #self._hooks.full_backward > 0 and require("torch.nn.hooks").around(self, input)
    local output = table.pack(self:forward(table.unpack(input, 1, input.n)))
    for _, hook in ipairs(self._hooks.forward) do
        local result = table.pack(hook.f(self, {table.unpack(input, 1, input.n)},
            table.unpack(output, 1, output.n)))
        if result[1] ~= nil then output = result end
    end
    if backward then backward(output) end
    return table.unpack(output, 1, output.n)
end

local function metatable(Class)
    return {
        __name = Class._name,
        __class = Class,
        __module = true,
        __index = function(self, key)
            local v = self._parameters[key]
            if v ~= nil then return v end
            v = self._modules[key]
            if v ~= nil then return v end
            v = Class[key]
            if v ~= nil then return v end
            v = self._buffers[key]
            if v ~= nil then return v end
            local item = Class.__getitem
            if item and key ~= nil and type(key) ~= "string" then return item(self, key) end
            return nil
        end,
        __newindex = function(self, key, value)
            if math.type(key) == "integer" and Class.__setitem then
                return Class.__setitem(self, key, value)
            end
            assign(self, key, value)
        end,
        __call = function(self, ...)
            if self._hooked then return call_hooked(self, ...) end
            return self:forward(...)
        end,
        __len = function(self)
            if not Class.__len then raise("TypeError", "object of type '%s' has no len()", Class._name) end
            return Class.__len(self)
        end,
        __pairs = function(self)
            if Class.__iterate then return Class.__iterate(self) end
            return next, self, nil
        end,
        __tostring = function(self) return self:__repr() end,
    }
end

Module = class.root("Module", state, metatable)

function Module:forward()
    raise("NotImplementedError", 'Module [%s] is missing the required "forward" function', self:_get_name())
end

-- ---- registration ----

local OWN = {parameter = "_parameters", buffer = "_buffers", module = "_modules"}

local function check_name(self, name, what)
    if type(name) ~= "string" then
        raise("TypeError", "%s name should be a string. Got %s", what == "module" and what or what,
            support.type_word(name))
    end
    if name:find(".", 1, true) then
        raise("KeyError", what == "module" and [['module name can\'t contain ".", got: %s']] or
            ([['%s name can\'t contain "."']]):format(what), name)
    end
    if name == "" then raise("KeyError", [['%s name can\'t be empty string ""']], what) end
    if self._kind[name] ~= OWN[what] and (self._kind[name] ~= nil or self[name] ~= nil) then
        raise("KeyError", [["attribute '%s' already exists"]], name)
    end
end

function Module:register_parameter(name, param)
    check_name(self, name, "parameter")
    if param ~= nil and not (is_tensor(param) and param.is_parameter) then
        raise("TypeError", "cannot assign '%s' object to parameter '%s' (torch.nn.Parameter or None " ..
            "required)",
            long_type(param), name)
    end
    register(self, "_parameters", name, param)
end

local read_buffer = support.signature("Module.register_buffer", {"name!", "tensor:any", "persistent"},
    {persistent = true})
function Module:register_buffer(...)
    local name, tensor, persistent = read_buffer(...)
    check_name(self, name, "buffer")
    if tensor ~= nil and not is_tensor(tensor) then
        raise("TypeError", "cannot assign '%s' object to buffer '%s' (torch Tensor or None required)",
            long_type(tensor), name)
    end
    register(self, "_buffers", name, tensor)
    self._transient[name] = not persistent or nil
end

function Module:add_module(name, module)
    if module ~= nil and not is_module(module) then
        raise("TypeError", "%s is not a Module subclass", support.type_word(module))
    end
    check_name(self, name, "module")
    register(self, "_modules", name, module)
end
Module.register_module = Module.add_module

-- ---- walks ----

-- Calls visit(prefix, module) for the tree below and with self, each module once.
local function walk(self, prefix, visit, seen)
    if seen[self] then return end
    seen[self] = true
    visit(prefix, self)
    for _, name in ipairs(self._order._modules) do
        local child = self._modules[name]
        if child then walk(child, prefix == "" and name or prefix .. "." .. name, visit, seen) end
    end
end

-- {name, value} of one kind's values, each value once.
local function members(self, kind, prefix, recurse)
    local list, seen = {}, {}
    local function visit(path, module)
        for _, name in ipairs(module._order[kind]) do
            local value = module[kind][name]
            if value ~= nil and not seen[value] then
                seen[value] = true
                list[#list + 1] = {path == "" and name or path .. "." .. name, value}
            end
        end
    end
    if recurse == false then visit(prefix or "", self) else walk(self, prefix or "", visit, {}) end
    return list
end

local function values_of(list, name)
    for i, pair in ipairs(list) do list[i] = pair[2] end
    return setmetatable(list, {__name = name})
end

local read_recurse = support.signature("Module.parameters", {"recurse"}, {recurse = true})
local read_named = support.signature("Module.named_parameters", {"prefix", "recurse"},
    {prefix = "", recurse = true})

function Module:parameters(...)
    return values_of(members(self, "_parameters", "", read_recurse(...)), "Module.parameters")
end

function Module:named_parameters(...)
    return ordered(members(self, "_parameters", read_named(...)))
end

function Module:buffers(...)
    return values_of(members(self, "_buffers", "", read_recurse(...)), "Module.buffers")
end

function Module:named_buffers(...)
    return ordered(members(self, "_buffers", read_named(...)))
end

local function child_list(self)
    local list, seen = {}, {}
    for _, name in ipairs(self._order._modules) do
        local child = self._modules[name]
        if child and not seen[child] then
            seen[child] = true
            list[#list + 1] = {name, child}
        end
    end
    return list
end

function Module:children()
    return values_of(child_list(self), "Module.children")
end

function Module:named_children()
    return ordered(child_list(self))
end

local function module_list(self, prefix)
    local list = {}
    walk(self, prefix or "", function(path, module) list[#list + 1] = {path, module} end, {})
    return list
end

function Module:modules()
    return values_of(module_list(self), "Module.modules")
end

function Module:named_modules(prefix)
    return ordered(module_list(self, prefix))
end

-- Calls f on every module, children first.
function Module:apply(f)
    for _, child in ipairs(self:children()) do child:apply(f) end
    f(self)
    return self
end

local function find(self, path, kind)
    local module = self
    local way, last = path:match("^(.*)%.([^.]*)$")
    if kind == "_modules" then way, last = path, nil end
    for name in (way or ""):gmatch("[^.]+") do
        local child = module._modules[name]
        if child == nil and module[name] ~= nil then
            raise("AttributeError", "`%s` is not an nn.Module", name)
        elseif child == nil then
            raise("AttributeError", "%s has no attribute `%s`", module:_get_name(), name)
        end
        module = child
    end
    return module, last or path
end

function Module:get_submodule(path)
    return (find(self, path, "_modules"))
end

local function get_member(self, path, kind, word)
    local module, name = find(self, path, kind)
    local value = module[kind][name]
    if value == nil then
        if module[name] == nil then
            raise("AttributeError", "%s has no attribute `%s`", module:_get_name(), name)
        end
        raise("AttributeError", "`%s` is not %s", name, word)
    end
    return value
end

function Module:get_parameter(path)
    return get_member(self, path, "_parameters", "an nn.Parameter")
end

function Module:get_buffer(path)
    return get_member(self, path, "_buffers", "a buffer")
end

-- ---- modes and gradients ----

function Module:train(mode)
    if mode == nil then mode = true end
    if type(mode) ~= "boolean" then raise("ValueError", "training mode is expected to be boolean") end
    for _, module in ipairs(self:modules()) do module.training = mode end
    return self
end

function Module:eval()
    return self:train(false)
end

function Module:requires_grad_(flag)
    for _, p in ipairs(self:parameters()) do p:requires_grad_(flag ~= false) end
    return self
end

function Module:zero_grad(set_to_none)
    if type(set_to_none) == "table" then set_to_none = set_to_none.set_to_none end
    for _, p in ipairs(self:parameters()) do
        local grad = p.grad
        if grad ~= nil and set_to_none == false then
            if grad.grad_fn then p.grad = grad:detach():zero_() else grad:requires_grad_(false):zero_() end
        else
            p.grad = nil
        end
    end
end

-- ---- conversion: parameters keep their identity, their elements change ----

local function convert_all(self, convert)
    for _, p in ipairs(self:parameters()) do
        local grad = p.grad
        p.grad = nil
        p.data = convert(p.data)
        if grad ~= nil then
            local flag = grad.requires_grad
            p.grad = convert(grad.data):requires_grad_(flag)
        end
    end
    for _, module in ipairs(self:modules()) do
        for name, buffer in pairs(module._buffers) do module._buffers[name] = convert(buffer) end
    end
    return self
end

local function to_float_type(self, dtype)
    return convert_all(self, function(t) return t:is_floating_point() and t:to(dtype) or t end)
end

function Module:float() return to_float_type(self, torch.float32) end
function Module:double() return to_float_type(self, torch.float64) end
function Module:half() return to_float_type(self, torch.float16) end
function Module:bfloat16() return to_float_type(self, torch.bfloat16) end
function Module:type(dtype) return convert_all(self, function(t) return t:to(dtype) end) end
function Module:cpu() return convert_all(self, function(t) return t:cpu() end) end
function Module:cuda(device) return convert_all(self, function(t) return t:cuda(device) end) end

local read_to = support.signature("to", {"device", "dtype", "non_blocking"})
-- to(device), to(dtype), to(device, dtype), to(tensor), or by name.
function Module:to(...)
    local device, dtype = read_to(...)
    if is_tensor(device) then device, dtype = device.device, device.dtype end
    if support.type_word(device) == "torch.dtype" then device, dtype = nil, device end
    if dtype ~= nil and not dtype.is_floating_point then
        raise("TypeError", "nn.Module.to only accepts floating point or complex dtypes, but got desired " ..
            "dtype=%s", tostring(dtype))
    end
    return convert_all(self, function(t)
        if device ~= nil then t = t:to(device) end
        return dtype ~= nil and t:is_floating_point() and t:to(dtype) or t
    end)
end

function Module:deepcopy()
    return support.deepcopy(self)
end

-- ---- state ----

local read_state = support.signature("Module.state_dict", {"destination", "prefix", "keep_vars"},
    {prefix = "", keep_vars = false})

local function save_state(self, into, prefix, keep)
    for _, kind in ipairs {"_parameters", "_buffers"} do
        for _, name in ipairs(self._order[kind]) do
            local value = self[kind][name]
            if value ~= nil and not (kind == "_buffers" and self._transient[name]) then
                into[prefix .. name] = keep and value or value:detach()
            end
        end
    end
    for _, name in ipairs(self._order._modules) do
        local child = self._modules[name]
        if child then save_state(child, into, prefix .. name .. ".", keep) end
    end
    return into
end

function Module:state_dict(...)
    local destination, prefix, keep = read_state(...)
    return save_state(self, destination or ordered(), prefix, keep)
end

local function same_shape(a, b)
    return a.ndim == b.ndim and tostring(a.shape) == tostring(b.shape)
end

local function load_state(self, from, prefix, found)
    for _, kind in ipairs {"_parameters", "_buffers"} do
        for _, name in ipairs(self._order[kind]) do
            local value, key = self[kind][name], prefix .. name
            local given = from[key]
            if value ~= nil and not (kind == "_buffers" and self._transient[name]) then
                found.keys[key] = true
                if given == nil then
                    table.insert(found.missing, key)
                elseif not is_tensor(given) then
                    table.insert(found.errors, ('While copying the parameter named "%s", expected ' ..
                        'torch.Tensor or Tensor-like object from checkpoint but received %s')
                        :format(key, support.type_word(given)))
                elseif not same_shape(value, given) then
                    table.insert(found.errors, ("size mismatch for %s: copying a param with shape %s " ..
                        "from checkpoint, the shape in current model is %s.")
                        :format(key, tostring(given.shape), tostring(value.shape)))
                else
                    local _ <close> = torch.no_grad()
                    value:copy_(given)
                end
            end
        end
    end
    for _, name in ipairs(self._order._modules) do
        local child = self._modules[name]
        if child then load_state(child, from, prefix .. name .. ".", found) end
    end
end

local Incompatible = {__name = "_IncompatibleKeys"}
function Incompatible.__tostring(t)
    if #t.missing_keys == 0 and #t.unexpected_keys == 0 then return "<All keys matched successfully>" end
    local function list(keys)
        local words = {}
        for i, key in ipairs(keys) do words[i] = support.repr(key) end
        return "[" .. table.concat(words, ", ") .. "]"
    end
    return ("_IncompatibleKeys(missing_keys=%s, unexpected_keys=%s)"):format(list(t.missing_keys),
        list(t.unexpected_keys))
end

local function key_list(word, keys)
    local quoted = {}
    for i, key in ipairs(keys) do quoted[i] = ('"%s"'):format(key) end
    return ("%s key(s) in state_dict: %s. "):format(word, table.concat(quoted, ", "))
end

local read_strict = support.signature("Module.load_state_dict", {"strict"}, {strict = true})
-- Copies tensors into parameters and buffers of the same names; missing, surplus and misfitting ones are one
-- error.
function Module:load_state_dict(from, ...)
    local strict = read_strict(...)
    if type(from) ~= "table" then
        raise("TypeError", "Expected state_dict to be dict-like, got <class '%s'>.", support.type_word(from))
    end
    local found = {keys = {}, missing = {}, unexpected = {}, errors = {}}
    load_state(self, from, "", found)
    for key in pairs(from) do
        if not found.keys[key] then table.insert(found.unexpected, key) end
    end
    if getmetatable(from) == nil then table.sort(found.unexpected) end
    local messages = {}
    if strict and #found.missing > 0 then table.insert(messages, key_list("Missing", found.missing)) end
    if strict and #found.unexpected > 0 then
        table.insert(messages, key_list("Unexpected", found.unexpected))
    end
    table.move(found.errors, 1, #found.errors, #messages + 1, messages)
    if #messages > 0 then
        raise("RuntimeError", "Error(s) in loading state_dict for %s:\n\t%s", self:_get_name(),
            table.concat(messages, "\n\t"))
    end
    return setmetatable({missing_keys = found.missing, unexpected_keys = found.unexpected}, Incompatible)
end

-- ---- hooks ----

local function add_hook(self, kind, f)
    local hooks = rawget(self, "_hooks")
    if not hooks then
        hooks = {forward = {}, forward_pre = {}, full_backward = {}}
        rawset(self, "_hooks", hooks)
    end
    local hook = {f = f}
    table.insert(hooks[kind], hook)
    self._hooked = true
    return setmetatable({remove = function()
        for i, other in ipairs(hooks[kind]) do
            if other == hook then table.remove(hooks[kind], i) break end
        end
        self._hooked = #hooks.forward + #hooks.forward_pre + #hooks.full_backward > 0
    end}, {__name = "RemovableHandle", __close = function(handle) handle:remove() end})
end

-- hook(module, {inputs…}, output): what it returns replaces the output.
function Module:register_forward_hook(hook) return add_hook(self, "forward", hook) end
-- hook(module, {inputs…}): what it returns (a table or one value) replaces the inputs.
function Module:register_forward_pre_hook(hook) return add_hook(self, "forward_pre", hook) end
-- hook(module, {grad_inputs…}, {grad_outputs…}): what it returns replaces the gradients of the inputs.
function Module:register_full_backward_hook(hook) return add_hook(self, "full_backward", hook) end

-- ---- printing ----

function Module:_get_name()
    return getmetatable(self).__class._name
end

function Module:extra_repr()
    return ""
end

local function indented(text)
    return (text:gsub("\n", "\n  "))
end

function Module:__repr()
    local lines, extra = {}, self:extra_repr()
    if extra ~= "" then lines[1] = indented(extra) end
    for _, name in ipairs(self._order._modules) do
        local child = self._modules[name]
        lines[#lines + 1] = ("(%s): %s"):format(name, child and indented(child:__repr()) or "None")
    end
    local head = self:_get_name() .. "("
    if #lines == 0 then return head .. ")" end
    if #lines == 1 and extra ~= "" and not extra:find("\n", 1, true) then return head .. extra .. ")" end
    return head .. "\n  " .. table.concat(lines, "\n  ") .. "\n)"
end

return {Module = Module, is_module = is_module}
