-- torch.autograd.Function: ops whose forward and backward are written in Lua.
--
--     local Exp = torch.autograd.Function("Exp")          -- or nn.class("Exp", torch.autograd.Function)
--     function Exp.forward(ctx, x)
--         local y = x:exp()
--         ctx:save_for_backward(y)
--         return y
--     end
--     function Exp.backward(ctx, g)                       -- one gradient a result; returns one an argument
--         return g * ctx.saved_tensors[1]
--     end
--     local y = Exp.apply(x)                              -- grad_fn=<ExpBackward>
--
-- With Exp.setup_context(ctx, inputs, output), forward takes no ctx. The graph's node holds ctx; what it saves
-- is kept apart, so that it can go when the graph is used up, and results are saved outside the graph, or they
-- would keep their own node alive.
local torch = require "torch"
local support = require "torch.support"
local class = require "torch.nn.class"
local raise, is_tensor = support.raise, torch.is_tensor

-- ---- ctx ----

local hidden = setmetatable({}, {__mode = "k"}) -- ctx → its own state

local methods = {}

-- Tensors (or nil) that backward finds in ctx.saved_tensors.
function methods:save_for_backward(...)
    local list = table.pack(...)
    for i = 1, list.n do
        if list[i] ~= nil and not is_tensor(list[i]) then
            raise("TypeError", "save_for_backward can only save variables, but argument %d is of type %s",
                i - 1, support.type_word(list[i]))
        end
    end
    hidden[self].to_save = list
end

-- These inputs were written to in place; they must be among the results.
function methods:mark_dirty(...)
    hidden[self].dirty = {...}
end

-- These results have no gradient.
function methods:mark_non_differentiable(...)
    hidden[self].constant = {...}
end

-- false: backward sees nil, not zeros, for results to which no gradient came.
function methods:set_materialize_grads(value)
    hidden[self].materialize = value
end

-- What was saved, as a table with nil where nil was saved. `node` is the graph's node, nil during forward.
local function saved_tensors(state)
    local saved = state.saved
    if not state.node then return state.to_save and {table.unpack(state.to_save, 1, state.to_save.n)} or {} end
    if not saved then
        raise("RuntimeError", "Trying to backward through the graph a second time (or directly access " ..
            "saved tensors after they have already been freed). Saved intermediate values of the graph are " ..
            "freed when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to " ..
            "backward through the graph a second time or if you need to access saved tensors after calling " ..
            "backward.")
    end
    local list = {}
    for i = 1, saved.n do
        local entry = saved[i]
        if entry and entry.output then
            list[i] = torch.autograd._saved(entry[1], entry.version, state.node, entry.output - 1)
        elseif entry then
            list[i] = torch.autograd._saved(entry[1], entry.version)
        end
    end
    return {table.unpack(list, 1, saved.n)}
end

local function field(self, key)
    local state = hidden[self]
    if methods[key] then return methods[key] end
    if key == "saved_tensors" then return saved_tensors(state) end
    if key == "needs_input_grad" then return state.needs end
    local value = state.fields[key]
    if value == nil and not state.known[key] then
        raise("AttributeError", "'%s' object has no attribute '%s'", getmetatable(self).__name, tostring(key))
    end
    return value
end

local function set_field(self, key, value)
    local state = hidden[self]
    state.known[key], state.fields[key] = true, value
end

-- Looks up ctx[key] for the node that holds it.
local function read_for_node(self, node, saved, key)
    local state = hidden[self]
    local former, former_saved = state.node, state.saved
    state.node, state.saved = node, saved
    local value = field(self, key)
    state.node, state.saved = former, former_saved
    return value
end

-- ---- backward ----

local function check_gradient(name, g, i, wanted)
    if g == nil then return end
    if not is_tensor(g) then
        raise("RuntimeError", "expected Variable or None (got %s)", support.type_word(g))
    elseif not wanted then
        raise("RuntimeError", "function %s returned a gradient different than None at position %d, but the " ..
            "corresponding forward input was not a Variable", name, i)
    end
end

-- The gradients that a class's backward returned, as a list with one entry for each tensor argument.
local function gradients_of(ctx, results)
    local state, name, list = hidden[ctx], getmetatable(ctx).__name, {}
    local n = state.needs.n
    if results.n == 0 then results.n = 1 end
    while results.n > n and results[results.n] == nil do results.n = results.n - 1 end
    if results.n ~= n then
        raise("RuntimeError", "function %s returned an incorrect number of gradients (expected %d, got %d)",
            name, n, results.n)
    end
    for i = 1, n do
        check_gradient(name, results[i], i, state.tensor[i])
        if state.tensor[i] then list[state.tensor[i]] = results[i] or false end
    end
    return list
end

local function run_backward(self, node, saved, grads)
    local state, Class = hidden[self], getmetatable(self).__class
    local backward = Class.backward or Class.vjp
    if not backward then
        raise("NotImplementedError", "You must implement either the backward or vjp method for your custom " ..
            "autograd.Function to use it with backward mode AD.")
    end
    for i = 1, #grads do grads[i] = grads[i] or nil end
    state.node, state.saved = node, saved
    local results = table.pack(pcall(backward, self, table.unpack(grads, 1, state.outputs)))
    state.node, state.saved = nil, nil
    if not results[1] then error(results[2], 0) end
    table.remove(results, 1)
    results.n = results.n - 1
    return gradients_of(self, results)
end

-- ---- apply ----

local function new_context(Class)
    local self = setmetatable({}, Class._context)
    hidden[self] = {fields = {}, known = {}, materialize = true, needs = {}, tensor = {}}
    return self
end

local function contains(list, value)
    for _, v in ipairs(list or {}) do
        if rawequal(v, value) then return true end
    end
    return false
end

-- Looks at the arguments: which want gradients, and which tensor each is. Returns the tensors.
local function look_at(state, arguments)
    local inputs, wanted = {}, false
    for i = 1, arguments.n do
        local v = arguments[i]
        if is_tensor(v) then
            inputs[#inputs + 1] = v
            state.tensor[i] = #inputs
            wanted = wanted or v.requires_grad
        end
        state.needs[i] = is_tensor(v) and v.requires_grad
    end
    state.arguments = arguments
    return inputs, wanted and torch.is_grad_enabled()
end

local function run_forward(Class, ctx, arguments)
    local _ <close> = torch.no_grad()
    if not rawget(Class, "setup_context") and not Class.setup_context then
        return table.pack(Class.forward(ctx, table.unpack(arguments, 1, arguments.n)))
    end
    local outputs = table.pack(Class.forward(table.unpack(arguments, 1, arguments.n)))
    Class.setup_context(ctx, {table.unpack(arguments, 1, arguments.n)},
        outputs.n == 1 and outputs[1] or {table.unpack(outputs, 1, outputs.n)})
    return outputs
end

local function check_dirty(state, outputs)
    for _, t in ipairs(state.dirty or {}) do
        if not contains(outputs, t) then
            raise("RuntimeError", "Some elements marked as dirty during the forward method were not " ..
                "returned as output. The inputs that are modified inplace must all be outputs of the Function.")
        end
        if t.requires_grad and t.is_leaf and torch.is_grad_enabled() then
            raise("RuntimeError", "a leaf Variable that requires grad has been used in an in-place operation.")
        end
        torch.autograd._bump(t)
    end
end

-- What save_for_backward was given, as the node keeps it.
local function to_keep(state, outputs)
    local list, kept = state.to_save or {n = 0}, {}
    for i = 1, list.n do
        local t, output = list[i], nil
        for k = 1, outputs.n do
            if t ~= nil and rawequal(outputs[k], t) and not (contains(state.arguments, t) and
                not contains(state.dirty, t)) then
                output = k
            end
        end
        kept[i] = t and {output and t:detach() or t, version = t._version, output = output}
    end
    kept.n = list.n
    state.to_save = nil
    return kept
end

-- Results that are arguments come back as views, so that both keep their own place in the graph.
local function separate(state, outputs)
    local _ <close> = torch.no_grad()
    for k = 1, outputs.n do
        local t = outputs[k]
        if is_tensor(t) and contains(state.arguments, t) and not contains(state.dirty, t) then
            outputs[k] = t:view_as(t)
        end
    end
end

local function record(Class, ctx, inputs, outputs)
    local state, tensors, differentiable = hidden[ctx], {}, {}
    local saved = to_keep(state, outputs)
    separate(state, outputs)
    for k = 1, outputs.n do
        local t = outputs[k]
        tensors[k] = is_tensor(t) and t or false
        differentiable[k] = is_tensor(t) and t:is_floating_point() and not contains(state.constant, t)
    end
    local materialize = state.materialize
    state.outputs, state.arguments, state.dirty, state.constant = outputs.n, nil, nil, nil
    torch.autograd._custom(ctx, saved, Class._context.__name, tensors, differentiable, inputs, materialize)
end

local function apply(Class, ...)
    if not Class.forward then
        raise("NotImplementedError", "You must implement the forward function for custom autograd.Function.")
    end
    local ctx, arguments = new_context(Class), table.pack(...)
    local state = hidden[ctx]
    local inputs, wanted = look_at(state, arguments)
    local outputs = run_forward(Class, ctx, arguments)
    state.needs.n = arguments.n
    check_dirty(state, outputs)
    if wanted then record(Class, ctx, inputs, outputs) else separate(state, outputs) end
    return table.unpack(outputs, 1, outputs.n)
end

-- ---- the class ----

local Function = class.root("Function", function() return {} end, function(Class)
    local name = Class._name .. "Backward"
    Class.apply = function(...) return apply(Class, ...) end
    Class._context = {__class = Class, __name = name, __index = field, __newindex = set_field,
        __backward = run_backward, __read = read_for_node,
        __tostring = function(self) return ("<torch.autograd.function.%s object at %p>"):format(name, self) end}
    return {__name = Class._name, __class = Class, __index = Class, __call = function()
        raise("RuntimeError", "Legacy autograd function with non-static forward method is deprecated. " ..
            "Please use new-style autograd function with static forward method. (Example: " ..
            "https://pytorch.org/docs/stable/autograd.html#torch.autograd.Function)")
    end}
end)
-- Function("Exp") declares a class; only what is declared so makes instances.
getmetatable(Function).__call = function(_, name) return class.derive(name, Function) end

-- ---- once_differentiable ----

local Once = class.derive("_DelayedError", Function)

function Once.forward(_, ...) return ... end

function Once.backward()
    raise("RuntimeError", "trying to differentiate twice a function that was marked with @once_differentiable")
end

-- A backward whose own derivative is unknown: its results cannot be differentiated further.
local function once_differentiable(backward)
    return function(ctx, ...)
        local results
        do
            local _ <close> = torch.no_grad()
            results = table.pack(backward(ctx, ...))
        end
        local given, wanted = {...}, false
        for _, g in pairs(given) do wanted = wanted or is_tensor(g) and g.requires_grad end
        if not (torch.is_grad_enabled() and wanted) then return table.unpack(results, 1, results.n) end
        for i = 1, results.n do
            if is_tensor(results[i]) then results[i] = results[i]:detach():requires_grad_() end
        end
        return Once.apply(table.unpack(results, 1, results.n))
    end
end

return {Function = Function, once_differentiable = once_differentiable}
