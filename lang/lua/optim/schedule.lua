-- LRScheduler, the root of learning rate schedules, and the schedules that are one formula.
--
-- A schedule has get_lr(self), the groups' next rates from their present ones, and, where there is one, a
-- closed form used when a chained schedule starts in the middle. Epochs count from 0; making a schedule
-- performs its step 0.
local support = require "torch.support"
local class = require "torch.nn.class"
local optimizer = require "torch.optim.optimizer"
local raise = support.raise

local function metatable(Class)
    return {__name = Class._name, __class = Class, __index = Class,
        __tostring = function() return ("<torch.optim.lr_scheduler.%s object>"):format(Class._name) end}
end

local LRScheduler = class.root("LRScheduler", function() return {} end, metatable)

local function rates(self)
    local list = {}
    for i, group in ipairs(self.optimizer.param_groups) do list[i] = group.lr end
    return list
end

-- Attaches to the optimizer and takes step 0, or goes on after last_epoch.
function LRScheduler:init(opt, last_epoch)
    if not class.is_instance(opt, optimizer.Optimizer) then
        raise("TypeError", "%s is not an Optimizer", support.type_word(opt))
    end
    self.optimizer, self.last_epoch = opt, last_epoch or -1
    self.base_lrs = {}
    for i, group in ipairs(opt.param_groups) do
        if self.last_epoch == -1 then
            group.initial_lr = group.initial_lr or group.lr
        elseif group.initial_lr == nil then
            raise("KeyError", [["param 'initial_lr' is not specified in param_groups[%d] when resuming " ..
                "an optimizer"]], i - 1)
        end
        self.base_lrs[i] = group.initial_lr
    end
    self:_initial_step()
end

function LRScheduler:_initial_step()
    self._step_count, self._is_initial = 0, true
    self:step()
    self._is_initial = false
end

function LRScheduler:get_last_lr()
    return self._last_lr
end

function LRScheduler:get_lr()
    raise("NotImplementedError", "a schedule needs the method get_lr")
end

-- epoch: jump there, by the closed form where the schedule has one.
function LRScheduler:_update_lr(epoch)
    local values
    if epoch == nil then
        self.last_epoch = self.last_epoch + 1
        values = self:get_lr()
    else
        self.last_epoch = epoch
        values = self._closed_form and self:_closed_form() or self:get_lr()
    end
    for i, group in ipairs(self.optimizer.param_groups) do group.lr = values[i] end
    self._last_lr = rates(self)
end

local TOO_EARLY = "Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch 1.1.0 and later, you " ..
    "should call them in the opposite order: `optimizer.step()` before `lr_scheduler.step()`.  Failure to do this " ..
    "will result in PyTorch skipping the first value of the learning rate schedule. See more details at " ..
    "https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"
local EPOCH_GIVEN = "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where " ..
    "possible. Please use `scheduler.step()` to step the scheduler. During the deprecation, if epoch is different " ..
    "from None, the closed form is used instead of the new chainable form, where available. Please open an issue " ..
    "if you are unable to replicate your use case: https://github.com/pytorch/pytorch/issues/new/choose."

function LRScheduler:step(epoch)
    if self._step_count == 1 and not self.optimizer._opt_called then support.warn("%s", TOO_EARLY) end
    if epoch ~= nil then support.warn("%s", EPOCH_GIVEN) end
    self._step_count = self._step_count + 1
    self:_update_lr(epoch)
end

-- What the schedule needs to go on later: every field but the optimizer (and functions, which cannot be
-- saved).
function LRScheduler:state_dict()
    local saved = {}
    for key, value in pairs(self) do
        if key ~= "optimizer" and type(value) ~= "function" then saved[key] = support.deepcopy(value) end
    end
    return saved
end

function LRScheduler:load_state_dict(saved)
    for key, value in pairs(saved) do self[key] = support.deepcopy(value) end
end

-- ---- schedules of one formula ----

local schedules = {LRScheduler = LRScheduler}

-- Declares a schedule. rate(self, lr, base, i) is a group's next rate; closed(self, base) the closed form;
-- check(self) looks at the arguments.
local function declare(name, params, defaults, rate, closed, check)
    local Class = class.derive(name, LRScheduler)
    local read = support.signature(name .. ".__init__", {"optimizer!", table.unpack(params)}, defaults)
    function Class:init(...)
        local values = table.pack(read(...))
        local last_epoch
        for i, param in ipairs(params) do
            local field = param:gsub("!$", "")
            if field == "last_epoch" then last_epoch = values[i + 1] else self[field] = values[i + 1] end
        end
        if check then check(self, values[1]) end
        LRScheduler.init(self, values[1], last_epoch)
    end
    function Class:get_lr()
        local list = {}
        for i, group in ipairs(self.optimizer.param_groups) do
            list[i] = rate(self, group.lr, self.base_lrs[i], i)
        end
        return list
    end
    if closed then
        function Class:_closed_form()
            local list = {}
            for i, base in ipairs(self.base_lrs) do list[i] = closed(self, base) end
            return list
        end
    end
    schedules[name] = Class
    return Class
end
schedules._declare = declare

-- A function for each group from one function or a table of them.
local function check_lambdas(self, opt)
    local given, n = self.lr_lambda, #opt.param_groups
    self.lr_lambda = nil
    self.lr_lambdas = given
    if type(given) == "function" then
        self.lr_lambdas = {}
        for i = 1, n do self.lr_lambdas[i] = given end
    elseif #given ~= n then
        raise("ValueError", "Expected %d lr_lambdas, but got %d", n, #given)
    end
end

declare("LambdaLR", {"lr_lambda!", "last_epoch"}, nil,
    function(self, _, base, i) return base * self.lr_lambdas[i](self.last_epoch) end, nil, check_lambdas)

declare("MultiplicativeLR", {"lr_lambda!", "last_epoch"}, nil,
    function(self, lr, _, i) return self._is_initial and lr or lr * self.lr_lambdas[i](self.last_epoch) end,
        nil, check_lambdas)

declare("StepLR", {"step_size!", "gamma", "last_epoch"}, {gamma = 0.1},
    function(self, lr)
        return (self.last_epoch == 0 or self.last_epoch % self.step_size ~= 0) and lr or lr * self.gamma
    end,
    function(self, base) return base * self.gamma ^ (self.last_epoch // self.step_size) end)

-- How many milestones are equal to the epoch, and how many lie at or before it.
local function milestones_at(self)
    local equal, passed = 0, 0
    for _, milestone in ipairs(self.milestones) do
        if milestone == self.last_epoch then equal = equal + 1 end
        if milestone <= self.last_epoch then passed = passed + 1 end
    end
    return equal, passed
end

declare("MultiStepLR", {"milestones!", "gamma", "last_epoch"}, {gamma = 0.1},
    function(self, lr)
        local equal = milestones_at(self)
        return equal == 0 and lr or lr * self.gamma ^ equal
    end,
    function(self, base)
        local _, passed = milestones_at(self)
        return base * self.gamma ^ passed
    end)

declare("ConstantLR", {"factor", "total_iters", "last_epoch"}, {factor = 1.0 / 3, total_iters = 5},
    function(self, lr)
        if self.last_epoch == 0 then return lr * self.factor end
        return self.last_epoch ~= self.total_iters and lr or lr * (1.0 / self.factor)
    end,
    function(self, base) return base *
        (self.factor + (self.last_epoch >= self.total_iters and 1 or 0) * (1 - self.factor)) end,
    function(self)
        if self.factor > 1.0 or self.factor < 0 then
            raise("ValueError", "Constant multiplicative factor expected to be between 0 and 1.")
        end
    end)

declare("LinearLR", {"start_factor", "end_factor", "total_iters", "last_epoch"},
    {start_factor = 1.0 / 3, end_factor = 1.0, total_iters = 5},
    function(self, lr)
        if self.last_epoch == 0 then return lr * self.start_factor end
        if self._is_initial or self.last_epoch > self.total_iters then return lr end
        local change = self.end_factor - self.start_factor
        return lr * (1.0 + change / (self.total_iters * self.start_factor + (self.last_epoch - 1) * change))
    end,
    function(self, base)
        local passed = math.min(self.total_iters, self.last_epoch)
        return base * (self.start_factor + (self.end_factor - self.start_factor) * passed / self.total_iters)
    end,
    function(self)
        if self.start_factor > 1.0 or self.start_factor <= 0 then
            raise("ValueError", "Starting multiplicative factor expected to be greater than 0 and less " ..
                "or equal to 1.")
        end
        if self.end_factor > 1.0 or self.end_factor < 0 then
            raise("ValueError", "Ending multiplicative factor expected to be between 0 and 1.")
        end
    end)

declare("ExponentialLR", {"gamma!", "last_epoch"}, nil,
    function(self, lr) return self._is_initial and lr or lr * self.gamma end,
    function(self, base) return base * self.gamma ^ self.last_epoch end)

declare("PolynomialLR", {"total_iters", "power", "last_epoch"}, {total_iters = 5, power = 1.0},
    function(self, lr)
        local n, total = self.last_epoch, self.total_iters
        if self._is_initial or n > total then return lr end
        return lr * ((1.0 - n / total) / (1.0 - (n - 1) / total)) ^ self.power
    end,
    function(self, base)
        return base * (1.0 - math.min(self.total_iters, self.last_epoch) / self.total_iters) ^ self.power
    end)

declare("CosineAnnealingLR", {"T_max!", "eta_min", "last_epoch"}, {eta_min = 0.0},
    function(self, lr, base)
        local n, T, low = self.last_epoch, self.T_max, self.eta_min
        if self._is_initial then return lr end
        if self._step_count == 1 and n > 0 then
            return low + (base - low) * (1 + math.cos(n * math.pi / T)) / 2
        end
        if (n - 1 - T) % (2 * T) == 0 then return lr + (base - low) * (1 - math.cos(math.pi / T)) / 2 end
        return (1 + math.cos(math.pi * n / T)) / (1 + math.cos(math.pi * (n - 1) / T)) * (lr - low) + low
    end,
    function(self, base)
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * self.last_epoch / self.T_max)) /
            2
    end)

return schedules
