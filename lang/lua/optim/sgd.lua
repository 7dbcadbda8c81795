-- SGD with momentum, dampening, weight decay and Nesterov's variant; and averaged SGD.
local support = require "torch.support"
local torch = require "torch"
local optimizer = require "torch.optim.optimizer"
local declare, number, next_step = optimizer.declare, optimizer.number, optimizer.next_step

local function sgd_update(_, p, grad, state, group)
    local momentum, dampening, decay = group.momentum, group.dampening, group.weight_decay
    if decay ~= 0 then grad = grad + p * decay end
    if momentum ~= 0 then
        local buffer = state.momentum_buffer
        if not buffer then
            buffer = grad:detach():clone()
            state.momentum_buffer = buffer
        else
            buffer:mul_(momentum):add_(dampening == 0 and grad or grad * (1 - dampening))
        end
        grad = group.nesterov and grad + buffer * momentum or buffer
    end
    p:add_(grad * -number(group.lr))
end

local SGD = declare("SGD",
    {{"lr", 0.001}, {"momentum", 0}, {"dampening", 0}, {"weight_decay", 0}, {"nesterov", false},
        {"maximize", false}, {"foreach"}, {"differentiable", false}, {"fused"}},
    {{"lr", "learning rate"}, {"momentum", "momentum value"}, {"weight_decay", "weight_decay value"}},
        sgd_update,
    function(o)
        if o.nesterov and (o.momentum <= 0 or o.dampening ~= 0) then
            support.raise("ValueError", "Nesterov momentum requires a momentum and zero dampening")
        end
    end)

local function asgd_update(_, p, grad, state, group)
    if not state.step then
        state.step, state.mu, state.eta = torch.tensor(0.0), torch.tensor(1.0), torch.tensor(number(group.lr) + 0.0)
        state.ax = torch.zeros_like(p)
    end
    local step, eta, mu = next_step(state), state.eta:item(), state.mu:item()
    if group.weight_decay ~= 0 then grad = grad + p * group.weight_decay end
    p:mul_(1 - group.lambd * eta)
    p:add_(grad * -eta)
    if mu ~= 1 then
        state.ax:add_((p - state.ax):mul_(mu))
    else
        state.ax:copy_(p)
    end
    local lr = number(group.lr)
    state.eta:fill_(lr / ((1 + group.lambd * lr * step) ^ group.alpha))
    state.mu:fill_(1 / math.max(1, step - group.t0))
end

local ASGD = declare("ASGD",
    {{"lr", 0.01}, {"lambd", 0.0001}, {"alpha", 0.75}, {"t0", 1000000.0}, {"weight_decay", 0}, {"foreach"},
        {"maximize", false}, {"differentiable", false}, {"capturable", false}},
    {{"lr", "learning rate"}, {"weight_decay", "weight_decay value"}}, asgd_update)

return {SGD = SGD, ASGD = ASGD}
