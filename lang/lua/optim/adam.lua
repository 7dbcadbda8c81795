-- Adam and its relatives: AdamW, Adamax, NAdam, RAdam. Updates follow PyTorch's order of operations, step by
-- step.
local torch = require "torch"
local support = require "torch.support"
local optimizer = require "torch.optim.optimizer"
local declare, number, next_step = optimizer.declare, optimizer.number, optimizer.next_step

-- The first call's state: zero averages under the names given.
local function prepare(p, state, ...)
    if state.step then return end
    state.step = torch.tensor(0.0)
    for _, name in ipairs {...} do state[name] = torch.zeros_like(p) end
end

-- average = average * beta + grad * grad * (1 - beta)
local function average_square(average, grad, beta)
    average:mul_(beta):add_((grad * (1 - beta)):mul_(grad))
end

local function decayed(p, grad, group, lr, decoupled)
    local decay = group.weight_decay
    if decay == 0 then return grad end
    if not decoupled then return grad + p * decay end
    p:mul_(1 - lr * decay)
    return grad
end

local function adam_update(_, p, grad, state, group)
    prepare(p, state, "exp_avg", "exp_avg_sq", group.amsgrad and "max_exp_avg_sq" or nil)
    local step = next_step(state)
    local lr, beta1, beta2 = number(group.lr), number(group.betas[1]), number(group.betas[2])
    grad = decayed(p, grad, group, lr, group.decoupled_weight_decay)
    state.exp_avg:lerp_(grad, 1 - beta1)
    average_square(state.exp_avg_sq, grad, beta2)
    local square = state.exp_avg_sq
    if group.amsgrad then
        square = torch.maximum(state.max_exp_avg_sq, square)
        state.max_exp_avg_sq = square
    end
    local denominator = square:sqrt():div_((1 - beta2 ^ step) ^ 0.5):add_(group.eps)
    p:add_((state.exp_avg * -(lr / (1 - beta1 ^ step))):div_(denominator))
end

local WORDS = {{"lr", "learning rate"}, {"eps", "epsilon value"}, {"weight_decay", "weight_decay value"}}

local function check_adam(o)
    if torch.is_tensor(o.lr) and o.foreach and not o.capturable then
        support.raise("ValueError", "lr as a Tensor is not supported for capturable=False and foreach=True")
    end
    if torch.is_tensor(o.betas[1]) ~= torch.is_tensor(o.betas[2]) or math.type(o.betas[1]) == "integer" or
        math.type(o.betas[2]) == "integer" then
        support.raise("ValueError", "betas must be either both floats or both Tensors")
    end
end

local Adam = declare("Adam",
    {{"lr", 0.001}, {"betas", {0.9, 0.999}}, {"eps", 1e-08}, {"weight_decay", 0}, {"amsgrad", false},
        {"foreach"}, {"maximize", false}, {"capturable", false}, {"differentiable", false}, {"fused"},
        {"decoupled_weight_decay", false}},
    WORDS, adam_update, check_adam)

local AdamW = declare("AdamW",
    {{"lr", 0.001}, {"betas", {0.9, 0.999}}, {"eps", 1e-08}, {"weight_decay", 0.01}, {"amsgrad", false},
        {"maximize", false}, {"foreach"}, {"capturable", false}, {"differentiable", false}, {"fused"}},
    WORDS, adam_update, check_adam, {decoupled_weight_decay = true})

local function adamax_update(_, p, grad, state, group)
    prepare(p, state, "exp_avg", "exp_inf")
    local step = next_step(state)
    local beta1, beta2 = group.betas[1], group.betas[2]
    grad = decayed(p, grad, group)
    state.exp_avg:lerp_(grad, 1 - beta1)
    state.exp_inf = torch.maximum(state.exp_inf * beta2, grad:abs():add_(group.eps))
    p:add_((state.exp_avg * -(number(group.lr) / (1 - beta1 ^ step))):div_(state.exp_inf))
end

local Adamax = declare("Adamax",
    {{"lr", 0.002}, {"betas", {0.9, 0.999}}, {"eps", 1e-08}, {"weight_decay", 0}, {"foreach"},
        {"maximize", false}, {"differentiable", false}, {"capturable", false}},
    WORDS, adamax_update)

local function nadam_update(_, p, grad, state, group)
    prepare(p, state, "exp_avg", "exp_avg_sq")
    state.mu_product = state.mu_product or torch.tensor(1.0)
    local step = next_step(state)
    local lr, beta1, beta2 = number(group.lr), group.betas[1], group.betas[2]
    grad = decayed(p, grad, group, lr, group.decoupled_weight_decay)
    local mu = beta1 * (1.0 - 0.5 * (0.96 ^ (step * group.momentum_decay)))
    local mu_next = beta1 * (1.0 - 0.5 * (0.96 ^ ((step + 1) * group.momentum_decay)))
    local product = state.mu_product:mul_(mu):item()
    state.exp_avg:lerp_(grad, 1 - beta1)
    average_square(state.exp_avg_sq, grad, beta2)
    local denominator = (state.exp_avg_sq / (1 - beta2 ^ step)):sqrt():add_(group.eps)
    p:add_((grad * (-lr * (1.0 - mu) / (1.0 - product))):div_(denominator))
    p:add_((state.exp_avg * ((-lr * mu_next) / (1.0 - product * mu_next))):div_(denominator))
end

local NAdam = declare("NAdam",
    {{"lr", 0.002}, {"betas", {0.9, 0.999}}, {"eps", 1e-08}, {"weight_decay", 0}, {"momentum_decay", 0.004},
        {"decoupled_weight_decay", false}, {"foreach"}, {"maximize", false}, {"capturable", false},
        {"differentiable", false}},
    {WORDS[1], WORDS[2], WORDS[3], {"momentum_decay", "momentum_decay value"}}, nadam_update)

local function radam_update(_, p, grad, state, group)
    prepare(p, state, "exp_avg", "exp_avg_sq")
    local step = next_step(state)
    local lr, beta1, beta2 = number(group.lr), group.betas[1], group.betas[2]
    grad = decayed(p, grad, group, lr, group.decoupled_weight_decay)
    state.exp_avg:lerp_(grad, 1 - beta1)
    average_square(state.exp_avg_sq, grad, beta2)
    local correction2 = 1 - beta2 ^ step
    local corrected = state.exp_avg / (1 - beta1 ^ step)
    local longest = 2 / (1 - beta2) - 1
    local length = longest - 2 * step * (beta2 ^ step) / correction2
    local change = corrected:mul_(lr)
    if length > 5.0 then
        local rectified = ((length - 4) * (length - 2) * longest /
            ((longest - 4) * (longest - 2) * length)) ^ 0.5
        local adaptive = state.exp_avg_sq:sqrt():add_(group.eps):reciprocal_():mul_(correction2 ^ 0.5)
        change = change:mul_(adaptive):mul_(rectified)
    end
    p:sub_(change)
end

local RAdam = declare("RAdam",
    {{"lr", 0.001}, {"betas", {0.9, 0.999}}, {"eps", 1e-08}, {"weight_decay", 0},
        {"decoupled_weight_decay", false}, {"foreach"}, {"maximize", false}, {"capturable", false},
        {"differentiable", false}},
    WORDS, radam_update)

return {Adam = Adam, AdamW = AdamW, Adamax = Adamax, NAdam = NAdam, RAdam = RAdam}
