-- Optimizers that scale by running squares or signs of gradients: RMSprop, Adagrad, Adadelta, Rprop.
local torch = require "torch"
local support = require "torch.support"
local optimizer = require "torch.optim.optimizer"
local declare, number, next_step = optimizer.declare, optimizer.number, optimizer.next_step

local function decayed(p, grad, group)
    return group.weight_decay ~= 0 and grad + p * group.weight_decay or grad
end

local function rmsprop_update(_, p, grad, state, group)
    if not state.step then
        state.step, state.square_avg = torch.tensor(0.0), torch.zeros_like(p)
        if group.momentum > 0 then state.momentum_buffer = torch.zeros_like(p) end
        if group.centered then state.grad_avg = torch.zeros_like(p) end
    end
    state.step:add_(1)
    local lr, alpha = number(group.lr), group.alpha
    grad = decayed(p, grad, group)
    state.square_avg:mul_(alpha):add_((grad * (1 - alpha)):mul_(grad))
    local average
    if group.centered then
        state.grad_avg:lerp_(grad, 1 - alpha)
        average = (state.square_avg - state.grad_avg * state.grad_avg):sqrt_()
    else
        average = state.square_avg:sqrt()
    end
    average:add_(group.eps)
    if group.momentum > 0 then
        state.momentum_buffer:mul_(group.momentum):add_(grad / average)
        p:add_(state.momentum_buffer * -lr)
    else
        p:add_((grad * -lr):div_(average))
    end
end

local RMSprop = declare("RMSprop",
    {{"lr", 0.01}, {"alpha", 0.99}, {"eps", 1e-08}, {"weight_decay", 0}, {"momentum", 0}, {"centered", false},
        {"capturable", false}, {"foreach"}, {"maximize", false}, {"differentiable", false}},
    {{"lr", "learning rate"}, {"eps", "epsilon value"}, {"momentum", "momentum value"},
        {"weight_decay", "weight_decay value"},
        {"alpha", "alpha value"}}, rmsprop_update)

local function adagrad_update(_, p, grad, state, group)
    if not state.step then
        state.step, state.sum = torch.tensor(0.0), torch.full_like(p, group.initial_accumulator_value)
    end
    local step = next_step(state)
    grad = decayed(p, grad, group)
    local rate = number(group.lr) / (1 + (step - 1) * group.lr_decay)
    state.sum:add_(grad * grad)
    p:add_((grad * -rate):div_(state.sum:sqrt():add_(group.eps)))
end

local Adagrad = declare("Adagrad",
    {{"lr", 0.01}, {"lr_decay", 0}, {"weight_decay", 0}, {"initial_accumulator_value", 0}, {"eps", 1e-10},
        {"foreach"}, {"maximize", false}, {"differentiable", false}, {"fused"}},
    {{"lr", "learning rate"}, {"lr_decay", "lr_decay value"}, {"weight_decay", "weight_decay value"},
        {"initial_accumulator_value", "initial_accumulator_value value"}, {"eps", "epsilon value"}},
            adagrad_update)

local function adadelta_update(_, p, grad, state, group)
    if not state.step then
        state.step, state.square_avg, state.acc_delta = torch.tensor(0.0), torch.zeros_like(p), torch.zeros_like(p)
    end
    state.step:add_(1)
    local rho, eps = group.rho, group.eps
    grad = decayed(p, grad, group)
    state.square_avg:mul_(rho):add_((grad * (1 - rho)):mul_(grad))
    local std = (state.square_avg + eps):sqrt_()
    local delta = (state.acc_delta + eps):sqrt_():div_(std):mul_(grad)
    state.acc_delta:mul_(rho):add_((delta * (1 - rho)):mul_(delta))
    p:add_(delta * -number(group.lr))
end

local Adadelta = declare("Adadelta",
    {{"lr", 1.0}, {"rho", 0.9}, {"eps", 1e-06}, {"weight_decay", 0}, {"foreach"}, {"capturable", false},
        {"maximize", false}, {"differentiable", false}},
    {{"lr", "learning rate"}, {"rho", "rho value", 1.0}, {"eps", "epsilon value"},
        {"weight_decay", "weight_decay value"}},
    adadelta_update)

local function rprop_update(_, p, grad, state, group)
    if not state.step then
        state.step, state.prev, state.step_size = torch.tensor(0.0), torch.zeros_like(p),
            torch.full_like(p, number(group.lr))
    end
    state.step:add_(1)
    local shrink, grow = group.etas[1], group.etas[2]
    local agreement = grad * state.prev
    local turned = agreement:lt(0)
    local factor = torch.ones_like(p):masked_fill(turned, shrink):masked_fill(agreement:gt(0), grow)
    state.step_size:mul_(factor):clamp_(group.step_sizes[1], group.step_sizes[2])
    grad = grad:masked_fill(turned, 0)
    p:sub_(grad:sign():mul_(state.step_size))
    state.prev:copy_(grad)
end

local Rprop = declare("Rprop",
    {{"lr", 0.01}, {"etas", {0.5, 1.2}}, {"step_sizes", {1e-06, 50}}, {"capturable", false}, {"foreach"},
        {"maximize", false}, {"differentiable", false}},
    {{"lr", "learning rate"}}, rprop_update,
    function(o)
        local shrink, grow = o.etas[1], o.etas[2]
        if not (0.0 < shrink and shrink < 1.0 and 1.0 < grow) then
            support.raise("ValueError", "Invalid eta values: %s, %s", support.repr(shrink),
                support.repr(grow))
        end
    end)

return {RMSprop = RMSprop, Adagrad = Adagrad, Adadelta = Adadelta, Rprop = Rprop}
