-- LBFGS: the limited-memory quasi-Newton method, with the strong Wolfe line search on request.
local torch = require "torch"
local support = require "torch.support"
local class = require "torch.nn.class"
local optimizer = require "torch.optim.optimizer"
local raise = support.raise

local LBFGS = class.derive("LBFGS", optimizer.Optimizer)
LBFGS._keys = {"lr", "max_iter", "max_eval", "tolerance_grad", "tolerance_change", "history_size",
    "line_search_fn"}
local read = support.signature("LBFGS.__init__", {"params!", table.unpack(LBFGS._keys)},
    {lr = 1, max_iter = 20, tolerance_grad = 1e-07, tolerance_change = 1e-09, history_size = 100})

function LBFGS:init(...)
    local values = table.pack(read(...))
    local options = {}
    for i, key in ipairs(LBFGS._keys) do options[key] = values[i + 1] end
    if optimizer.number(options.lr) < 0.0 then
        raise("ValueError", "Invalid learning rate: %s", support.repr(options.lr))
    end
    options.max_eval = options.max_eval or options.max_iter * 5 // 4
    if options.line_search_fn ~= nil and options.line_search_fn ~= "strong_wolfe" then
        raise("RuntimeError", "only 'strong_wolfe' is supported")
    end
    optimizer.Optimizer.init(self, values[1], options)
    if #self.param_groups ~= 1 then
        raise("ValueError", "LBFGS doesn't support per-parameter options (parameter groups)")
    end
    self._params = self.param_groups[1].params
end

-- ---- all parameters as one vector ----

local function flat_gradient(params)
    local pieces = {}
    for i, p in ipairs(params) do
        local grad = p.grad
        pieces[i] = grad and grad:reshape({-1}) or
            torch.zeros({p:numel()}, {dtype = p.dtype, device = p.device})
    end
    return torch.cat(pieces)
end

-- params += size * direction
local function move(params, size, direction)
    local at = 0
    for _, p in ipairs(params) do
        local n = p:numel()
        p:add_(direction:narrow(0, at, n):view_as(p) * size)
        at = at + n
    end
end

local function largest(vector)
    return vector:abs():max():item()
end

-- ---- the line search: numbers are Lua's, vectors tensors ----

-- The minimum between two points of the cubic through values and slopes there.
local function cubic_minimum(a, b, low, high)
    if not low then low, high = math.min(a.t, b.t), math.max(a.t, b.t) end
    local d1 = a.slope + b.slope - 3 * (a.f - b.f) / (a.t - b.t)
    local square = d1 ^ 2 - a.slope * b.slope
    if not (square >= 0) then return (low + high) / 2.0 end
    local d2, at = math.sqrt(square), nil
    if a.t <= b.t then
        at = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    else
        at = a.t - (a.t - b.t) * ((a.slope + d2 - d1) / (a.slope - b.slope + 2 * d2))
    end
    return math.min(math.max(at, low), high)
end

local C1, C2 = 1e-4, 0.9

-- The first two points with a good step between them, or one point that is good enough (and true).
local function find_bracket(evaluate, start, t, most)
    local before, tries = start, 0
    local point = evaluate(t)
    while tries < most do
        if point.f > start.f + C1 * point.t * start.slope or (tries > 1 and point.f >= before.f) then
            return before, point, tries
        end
        if math.abs(point.slope) <= -C2 * start.slope then return point, nil, tries end
        if point.slope >= 0 then return before, point, tries end
        local next_t = cubic_minimum(before, point, point.t + 0.01 * (point.t - before.t), point.t * 10)
        before = point
        point = evaluate(next_t)
        tries = tries + 1
    end
    return start, point, tries
end

-- Keeps a trial step away from the bracket's ends unless it moved away the last time.
local function kept_inside(t, low, high, stuck)
    local margin = 0.1 * (high - low)
    if math.min(high - t, t - low) >= margin then return t, false end
    if not (stuck or t >= high or t <= low) then return t, true end
    return math.abs(t - high) < math.abs(t - low) and high - margin or low + margin, false
end

-- start: {t = 0, f, g, slope}: the step, the value, the gradient there and its product with the direction.
-- evaluate(t) gives the same at a step t. Returns the point chosen and how often it evaluated.
local function strong_wolfe(evaluate, start, t, direction_size, tolerance, most)
    local first, second, tries = find_bracket(evaluate, start, t, most)
    if not second then return first, tries + 1 end
    local bracket, stuck = {first, second}, false
    local low, high = 1, 2
    local function order()
        low, high = 1, 2
        if bracket[1].f > bracket[2].f then low, high = 2, 1 end
    end
    order()
    while tries < most and math.abs(bracket[2].t - bracket[1].t) * direction_size >= tolerance do
        local near, far = math.min(bracket[1].t, bracket[2].t), math.max(bracket[1].t, bracket[2].t)
        local trial
        trial, stuck = kept_inside(cubic_minimum(bracket[1], bracket[2]), near, far, stuck)
        local point = evaluate(trial)
        tries = tries + 1
        if point.f > start.f + C1 * trial * start.slope or point.f >= bracket[low].f then
            bracket[high] = point
            order()
        else
            local good = math.abs(point.slope) <= -C2 * start.slope
            if not good and point.slope * (bracket[high].t - bracket[low].t) >= 0 then
                bracket[high] = bracket[low]
            end
            bracket[low] = point
            if good then break end
        end
    end
    return bracket[low], tries + 1
end

-- ---- steps ----

-- The direction from the gradient and the remembered changes (two-loop recursion); pushes the newest pair
-- first.
local function next_direction(state, g, history_size)
    if state.n_iter == 1 then
        state.old_dirs, state.old_stps, state.ro, state.H_diag = {}, {}, {}, 1
        return -g
    end
    local dirs, steps, ro = state.old_dirs, state.old_stps, state.ro
    local y, s = g - state.prev_flat_grad, state.d * state.t
    local ys = y:dot(s):item()
    if ys > 1e-10 then
        if #dirs == history_size then
            table.remove(dirs, 1)
            table.remove(steps, 1)
            table.remove(ro, 1)
        end
        dirs[#dirs + 1], steps[#steps + 1], ro[#ro + 1] = y, s, 1.0 / ys
        state.H_diag = ys / y:dot(y):item()
    end
    local q, al = -g, {}
    for i = #dirs, 1, -1 do
        al[i] = steps[i]:dot(q):item() * ro[i]
        q:add_(dirs[i] * -al[i])
    end
    local r = q * state.H_diag
    for i = 1, #dirs do r:add_(steps[i] * (al[i] - dirs[i]:dot(r):item() * ro[i])) end
    return r
end

-- evaluate(t) for the line search: goes t along d from where the parameters are, looks, and goes back.
local function evaluator(params, closure, d)
    local at = {}
    for i, p in ipairs(params) do at[i] = p:clone() end
    return function(t)
        move(params, t, d)
        local f = closure()
        local g = flat_gradient(params)
        for i, p in ipairs(params) do p:copy_(at[i]) end
        return {t = t, f = f, g = g, slope = g:dot(d):item()}
    end
end

-- One iteration from the value f and gradient g; returns both where it ended and how often it evaluated.
local function iterate(self, closure, state, group, f, g, left, last)
    local params, d = self._params, state.d
    if group.line_search_fn then
        local start = {t = 0, f = f, g = g, slope = g:dot(d):item()}
        local point, count = strong_wolfe(evaluator(params, closure, d), start, state.t, largest(d), 1e-9,
            left)
        state.t = point.t
        move(params, state.t, d)
        return point.f, point.g, count
    end
    move(params, state.t, d)
    if last then return f, g, 0 end
    return closure(), flat_gradient(params), 1
end

-- Up to max_iter iterations; closure clears the gradients, computes the loss, calls backward and returns the
-- loss.
function LBFGS:step(closure)
    self._opt_called = true
    local _ <close> = torch.no_grad()
    local function evaluate()
        local _ <close> = torch.enable_grad()
        return closure()
    end
    local function value() return evaluate():item() end
    local group, params = self.param_groups[1], self._params
    local state = self.state[params[1]] or {func_evals = 0, n_iter = 0}
    self.state[params[1]] = state
    local lr, tolerance = optimizer.number(group.lr), group.tolerance_change
    local original = evaluate()
    local f, evaluations = original:item(), 1
    state.func_evals = state.func_evals + 1
    local g = flat_gradient(params)
    if largest(g) <= group.tolerance_grad then return original end
    for n = 1, group.max_iter do
        state.n_iter = state.n_iter + 1
        state.d = next_direction(state, g, group.history_size)
        state.prev_flat_grad, state.prev_loss = g:clone(), f
        state.t = state.n_iter == 1 and math.min(1.0, 1.0 / g:abs():sum():item()) * lr or lr
        if g:dot(state.d):item() > -tolerance then break end
        local count
        f, g, count = iterate(self, value, state, group, f, g, group.max_eval - evaluations,
            n == group.max_iter)
        evaluations, state.func_evals = evaluations + count, state.func_evals + count
        if evaluations >= group.max_eval or largest(g) <= group.tolerance_grad or
            largest(state.d * state.t) <= tolerance or
            math.abs(f - state.prev_loss) < tolerance then
            break
        end
    end
    return original
end

return {LBFGS = LBFGS}
