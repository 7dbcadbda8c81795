-- Adafactor, which keeps squared gradients of matrices as the product of a column and a row; and Muon, which makes the
-- momentum of matrices nearly orthogonal.
local torch = require "torch"
local support = require "torch.support"
local optimizer = require "torch.optim.optimizer"
local declare, number, next_step = optimizer.declare, optimizer.number, optimizer.next_step

-- ---- Adafactor ----

local function start(grad, state)
    state.step = torch.tensor(0.0)
    if grad:dim() <= 1 then
        state.variance = torch.zeros_like(grad)
        return
    end
    local rows, columns = {table.unpack(grad.shape:tolist())}, {table.unpack(grad.shape:tolist())}
    rows[#rows], columns[#columns - 1] = 1, 1
    state.row_var, state.col_var = grad:new_zeros(rows), grad:new_zeros(columns)
end

-- The mean of the squares along dim.
local function mean_square(grad, dim)
    return grad:norm(2, {dim = dim, keepdim = true}):square_():div_(grad:size(dim))
end

-- The running estimate of the squared gradient; `weight` is the new gradient's share.
local function estimate(grad, state, weight, eps)
    if grad:dim() <= 1 then return state.variance:lerp_(grad * grad, weight):clone() end
    local row = state.row_var:lerp_(mean_square(grad, -1), weight)
    local column = state.col_var:lerp_(mean_square(grad, -2), weight)
    return row:matmul(column):div_(row:mean({dim = -2, keepdim = true}):clamp_({min = eps}))
end

local function rms(t)
    return t:norm(2):item() / t:numel() ^ 0.5
end

local function adafactor_update(_, p, grad, state, group)
    if not state.step then start(grad, state) end
    local step, lr = next_step(state), number(group.lr)
    local eps1, eps2 = group.eps[1] or torch.finfo(p.dtype).eps, group.eps[2]
    local size = math.max(eps2, rms(p)) * math.min(lr, 1 / step ^ 0.5)
    if group.weight_decay ~= 0 then p:mul_(1 - lr * group.weight_decay) end
    local change = estimate(grad, state, step ^ group.beta2_decay, eps1):clamp_({min = eps1 * eps1}):rsqrt_()
    change:mul_(grad)
    p:add_(change, {alpha = -size / math.max(1.0, rms(change) / group.d)})
end

local Adafactor = declare("Adafactor",
    {{"lr", 0.01}, {"beta2_decay", -0.8}, {"eps", {nil, 0.001}}, {"d", 1.0}, {"weight_decay", 0.0}, {"foreach"},
        {"maximize", false}},
    {}, adafactor_update,
    function(o)
        local function refuse(text, value) support.raise("ValueError", "%s but is: %s", text, support.repr(value)) end
        if number(o.lr) < 0 then refuse("Learning rate should be >= 0", o.lr) end
        if o.beta2_decay > 0 then refuse("beta2_decay should be <= 0", o.beta2_decay) end
        if o.eps[1] and o.eps[1] < 0 then refuse("epsilon1 should be >= 0", o.eps[1]) end
        if o.eps[2] < 0 then refuse("epsilon2 should be >= 0", o.eps[2]) end
        if o.d < 1.0 then refuse("Clipping threshold d should be >= 1", o.d) end
        if o.weight_decay < 0 then refuse("weight_decay should be >= 0", o.weight_decay) end
    end)

-- ---- Muon ----

-- A matrix with grad's singular vectors and singular values near 1, by a quintic iteration in bfloat16.
local function orthogonalized(grad, group)
    if group.ns_steps >= 100 then
        support.raise("ValueError", "Number of steps must be less than 100 for computational efficiency")
    end
    local a, b, c = table.unpack(group.ns_coefficients)
    local tall = grad:size(0) > grad:size(1)
    local x = grad:bfloat16()
    if tall then x = x:t() end
    x = x / x:norm():clamp({min = group.eps})
    for _ = 1, group.ns_steps do
        local gram = x:matmul(x:t())
        x = torch.addmm(x, torch.addmm(gram, gram, gram, {beta = b, alpha = c}), x, {beta = a})
    end
    return tall and x:t() or x
end

local function adjusted(lr, how, shape)
    if how == "match_rms_adamw" then return lr * 0.2 * math.max(shape[0], shape[1]) ^ 0.5 end
    return lr * math.max(1, shape[0] / shape[1]) ^ 0.5
end

local function muon_update(_, p, grad, state, group)
    state.momentum_buffer = state.momentum_buffer or torch.zeros_like(grad)
    local buffer, lr = state.momentum_buffer:lerp_(grad, 1 - group.momentum), number(group.lr)
    local change = orthogonalized(group.nesterov and grad:lerp(buffer, group.momentum) or buffer, group)
    p:mul_(1 - lr * group.weight_decay)
    p:add_(change, {alpha = -adjusted(lr, group.adjust_lr_fn, p.shape)})
end

local Muon = declare("Muon",
    {{"lr", 0.001}, {"weight_decay", 0.1}, {"momentum", 0.95}, {"nesterov", true},
        {"ns_coefficients", {3.4445, -4.775, 2.0315}}, {"eps", 1e-07}, {"ns_steps", 5}, {"adjust_lr_fn"}},
    {}, muon_update,
    function(o)
        local function refuse(text, value) support.raise("ValueError", "%s but is: %s", text, support.repr(value)) end
        if number(o.lr) < 0 then refuse("Learning rate should be >= 0", o.lr) end
        if o.momentum < 0 then refuse("momentum should be >= 0", o.momentum) end
        if o.weight_decay < 0 then refuse("weight decay should be >= 0", o.weight_decay) end
        if o.adjust_lr_fn and o.adjust_lr_fn ~= "original" and o.adjust_lr_fn ~= "match_rms_adamw" then
            support.raise("ValueError", "Adjust learning rate function %s is not supported", o.adjust_lr_fn)
        end
    end)

-- Takes matrices only.
local init = Muon.init
function Muon:init(...)
    init(self, ...)
    for _, group in ipairs(self.param_groups) do
        for _, p in ipairs(group.params) do
            if p:dim() ~= 2 then
                support.raise("ValueError", "Muon only supports 2D parameters whereas we found a parameter with " ..
                    "size: %s", tostring(p.shape))
            end
        end
    end
end

return {Adafactor = Adafactor, Muon = Muon}
