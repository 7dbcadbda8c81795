-- Schedules with a course of their own: warm restarts, cycles, plateaus, and schedules made of others.
local torch = require "torch"
local support = require "torch.support"
local class = require "torch.nn.class"
local schedule = require "torch.optim.schedule"
local LRScheduler, declare = schedule.LRScheduler, schedule._declare
local raise, signature, repr = support.raise, support.signature, support.repr

local cycles = {}

local WarmRestarts = declare("CosineAnnealingWarmRestarts", {"T_0!", "T_mult", "eta_min", "last_epoch"},
    {T_mult = 1, eta_min = 0.0},
    function(self, _, base)
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
    end, nil,
    function(self)
        if math.type(self.T_0) ~= "integer" or self.T_0 <= 0 then
            raise("ValueError", "Expected positive integer T_0, but got %s", repr(self.T_0))
        end
        if math.type(self.T_mult) ~= "integer" or self.T_mult < 1 then
            raise("ValueError", "Expected integer T_mult >= 1, but got %s", repr(self.T_mult))
        end
        self.T_i, self.T_cur = self.T_0, -1
    end)

-- Where epoch (which may lie between two) falls in the sequence of ever longer periods.
local function enter_period(self, epoch)
    if epoch < 0 then raise("ValueError", "Expected non-negative epoch, but got %s", repr(epoch)) end
    self.T_i, self.T_cur = self.T_0, epoch
    if epoch < self.T_0 then return end
    if self.T_mult == 1 then
        self.T_cur = epoch % self.T_0
        return
    end
    local n = math.floor(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
    self.T_cur = epoch - self.T_0 * (self.T_mult ^ n - 1) / (self.T_mult - 1)
    self.T_i = self.T_0 * self.T_mult ^ n
end

function WarmRestarts:step(epoch)
    if epoch == nil and self.last_epoch < 0 then epoch = 0 end
    if epoch == nil then
        epoch = self.last_epoch + 1
        self.T_cur = self.T_cur + 1
        if self.T_cur >= self.T_i then
            self.T_cur = self.T_cur % self.T_i
            self.T_i = self.T_i * self.T_mult
        end
    else
        enter_period(self, epoch)
    end
    self.last_epoch = math.floor(epoch) - 1
    self:_update_lr()
end
cycles.CosineAnnealingWarmRestarts = WarmRestarts

-- ---- cycles that move the momentum too ----

-- A value for each group from one value or a table of them.
local function per_group(name, opt, value)
    local n = #opt.param_groups
    if type(value) == "table" then
        if #value ~= n then
            raise("ValueError", "%s must have the same length as optimizer.param_groups. %s has %d " ..
                "values, param_groups has %d.",
                name, name, #value, n)
        end
        return value
    end
    local list = {}
    for i = 1, n do list[i] = value end
    return list
end

local function set_momentum(self, group, value)
    if self.use_beta1 then group.betas = {value, group.betas[2]} else group.momentum = value end
end

-- Reads base_momentum and max_momentum into the groups.
local function start_momentum(self, opt, base, max, last_epoch)
    self.use_beta1 = opt.defaults.betas ~= nil
    if not self.use_beta1 and opt.defaults.momentum == nil then
        raise("ValueError", "optimizer must support momentum or beta1 with `cycle_momentum` option enabled")
    end
    self.base_momentums, self.max_momentums = per_group("base_momentum", opt, base),
        per_group("max_momentum", opt, max)
    for i, group in ipairs(last_epoch == -1 and opt.param_groups or {}) do
        set_momentum(self, group, self.max_momentums[i])
        group.max_momentum, group.base_momentum = self.max_momentums[i], self.base_momentums[i]
    end
end

local CyclicLR = class.derive("CyclicLR", LRScheduler)
local read_cyclic = signature("CyclicLR.__init__",
    {"optimizer!", "base_lr!", "max_lr!", "step_size_up", "step_size_down", "mode", "gamma", "scale_fn",
        "scale_mode",
        "cycle_momentum", "base_momentum", "max_momentum", "last_epoch"},
    {step_size_up = 2000, mode = "triangular", gamma = 1.0, scale_mode = "cycle", cycle_momentum = true,
        base_momentum = 0.8,
        max_momentum = 0.9, last_epoch = -1})

local SCALES = {
    triangular = function() return 1.0 end,
    triangular2 = function(_, cycle) return 1 / (2.0 ^ (cycle - 1)) end,
    exp_range = function(self, iterations) return self.gamma ^ iterations end,
}

function CyclicLR:init(...)
    local opt, base_lr, max_lr, up, down, base_momentum, max_momentum, last_epoch
    opt, base_lr, max_lr, up, down, self.mode, self.gamma, self.scale_fn, self.scale_mode,
        self.cycle_momentum, base_momentum,
        max_momentum, last_epoch = read_cyclic(...)
    local bases = per_group("base_lr", opt, base_lr)
    for i, group in ipairs(last_epoch == -1 and opt.param_groups or {}) do group.lr = bases[i] end
    self.max_lrs = per_group("max_lr", opt, max_lr)
    self.total_size = up + (down or up)
    self.step_ratio = up / self.total_size
    if not SCALES[self.mode] and not self.scale_fn then
        raise("ValueError", "mode is invalid and scale_fn is None")
    end
    if not self.scale_fn then self.scale_mode = self.mode == "exp_range" and "iterations" or "cycle" end
    if self.cycle_momentum then start_momentum(self, opt, base_momentum, max_momentum, last_epoch) end
    LRScheduler.init(self, opt, last_epoch)
    self.base_lrs = bases
end

function CyclicLR:get_lr()
    local position = self.last_epoch / self.total_size
    local cycle = math.floor(1 + position)
    local x = 1.0 + position - cycle
    local height = x <= self.step_ratio and x / self.step_ratio or (x - 1) / (self.step_ratio - 1)
    local argument = self.scale_mode == "cycle" and cycle or self.last_epoch
    local scale = self.scale_fn and self.scale_fn(argument) or not self.scale_fn and
        SCALES[self.mode](self, argument)
    local list = {}
    for i, group in ipairs(self.optimizer.param_groups) do
        local base = self.base_lrs[i]
        list[i] = base + (self.max_lrs[i] - base) * height * scale
        if self.cycle_momentum then
            local top = self.max_momentums[i]
            set_momentum(self, group, top - (top - self.base_momentums[i]) * height * scale)
        end
    end
    return list
end
cycles.CyclicLR = CyclicLR

local OneCycleLR = class.derive("OneCycleLR", LRScheduler)
local read_one = signature("OneCycleLR.__init__",
    {"optimizer!", "max_lr!", "total_steps", "epochs", "steps_per_epoch", "pct_start", "anneal_strategy",
        "cycle_momentum",
        "base_momentum", "max_momentum", "div_factor", "final_div_factor", "three_phase", "last_epoch"},
    {pct_start = 0.3, anneal_strategy = "cos", cycle_momentum = true, base_momentum = 0.85,
        max_momentum = 0.95, div_factor = 25.0,
        final_div_factor = 10000.0, three_phase = false, last_epoch = -1})

local ANNEAL = {
    cos = function(from, to, part) return to + (from - to) / 2.0 * (math.cos(math.pi * part) + 1) end,
    linear = function(from, to, part) return (to - from) * part + from end,
}

local function check_count(word, value)
    if math.type(value) ~= "integer" or value <= 0 then
        raise("ValueError", "Expected positive integer %s, but got %s", word, repr(value))
    end
    return value
end

-- {last step, rate at the start, at the end, momentum at the start, at the end}; names are fields of the
-- groups.
local function phases(total, part, three)
    local up = {part * total - 1, "initial_lr", "max_lr", "max_momentum", "base_momentum"}
    if not three then return {up, {total - 1, "max_lr", "min_lr", "base_momentum", "max_momentum"}} end
    return {up, {2 * part * total - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum"},
        {total - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum"}}
end

function OneCycleLR:init(...)
    local opt, max_lr, total, epochs, per_epoch, part, strategy, cycle, base_momentum, max_momentum, div,
        final_div, three,
        last_epoch = read_one(...)
    if total == nil and (epochs == nil or per_epoch == nil) then
        raise("ValueError", "You must define either total_steps OR (epochs AND steps_per_epoch)")
    end
    self.total_steps = total ~= nil and check_count("total_steps", total) or
        check_count("epochs", epochs) * check_count("steps_per_epoch", per_epoch)
    if math.type(part) ~= "float" or part < 0 or part > 1 then
        raise("ValueError", "Expected float between 0 and 1 pct_start, but got %s", repr(part))
    end
    if not ANNEAL[strategy] then
        raise("ValueError", "anneal_strategy must be one of 'cos' or 'linear', instead got %s",
            tostring(strategy))
    end
    self.anneal_strategy, self.cycle_momentum = strategy, cycle
    self._phases = phases(self.total_steps, part, three)
    local highest = per_group("max_lr", opt, max_lr)
    for i, group in ipairs(last_epoch == -1 and opt.param_groups or {}) do
        group.initial_lr, group.max_lr = highest[i] / div, highest[i]
        group.min_lr = group.initial_lr / final_div
    end
    if cycle then start_momentum(self, opt, base_momentum, max_momentum, last_epoch) end
    LRScheduler.init(self, opt, last_epoch)
end

function OneCycleLR:get_lr()
    local step, list, anneal = self.last_epoch, {}, ANNEAL[self.anneal_strategy]
    if step > self.total_steps then
        raise("ValueError", "Tried to step %d times. The specified number of total steps is %d", step,
            self.total_steps)
    end
    local start, phase = 0.0, self._phases[1]
    for i, this in ipairs(self._phases) do
        phase = this
        if step <= this[1] or i == #self._phases then break end
        start = this[1]
    end
    local part = (step - start) / (phase[1] - start)
    for i, group in ipairs(self.optimizer.param_groups) do
        list[i] = anneal(group[phase[2]], group[phase[3]], part)
        if self.cycle_momentum then
            set_momentum(self, group, anneal(group[phase[4]], group[phase[5]], part))
        end
    end
    return list
end
cycles.OneCycleLR = OneCycleLR

-- ---- plateaus ----

local Plateau = class.derive("ReduceLROnPlateau", LRScheduler)
local read_plateau = signature("ReduceLROnPlateau.__init__",
    {"optimizer!", "mode", "factor", "patience", "threshold", "threshold_mode", "cooldown", "min_lr", "eps"},
    {mode = "min", factor = 0.1, patience = 10, threshold = 0.0001, threshold_mode = "rel", cooldown = 0,
        min_lr = 0, eps = 1e-08})

function Plateau:init(...)
    local opt, min_lr
    opt, self.mode, self.factor, self.patience, self.threshold, self.threshold_mode, self.cooldown, min_lr,
        self.eps = read_plateau(...)
    if self.factor >= 1.0 then raise("ValueError", "Factor should be < 1.0.") end
    if self.mode ~= "min" and self.mode ~= "max" then
        raise("ValueError", "mode %s is unknown!", tostring(self.mode))
    end
    if self.threshold_mode ~= "rel" and self.threshold_mode ~= "abs" then
        raise("ValueError", "threshold mode %s is unknown!", tostring(self.threshold_mode))
    end
    self.optimizer, self.min_lrs = opt, per_group("min_lr", opt, min_lr)
    self.best = self.mode == "min" and math.huge or -math.huge
    self.last_epoch, self.cooldown_counter, self.num_bad_epochs, self._last_lr = 0, 0, 0, {}
    for i, group in ipairs(opt.param_groups) do self._last_lr[i] = group.lr end
end

local function is_better(self, value)
    local down, margin = self.mode == "min", self.threshold
    if self.threshold_mode == "rel" then
        if down then return value < self.best * (1.0 - margin) end
        return value > self.best * (margin + 1.0)
    end
    if down then return value < self.best - margin end
    return value > self.best + margin
end

-- metrics: a number, or a tensor of one element.
function Plateau:step(metrics)
    local value = torch.is_tensor(metrics) and metrics:item() or metrics
    self.last_epoch = self.last_epoch + 1
    if is_better(self, value) then
        self.best, self.num_bad_epochs = value, 0
    else
        self.num_bad_epochs = self.num_bad_epochs + 1
    end
    if self.cooldown_counter > 0 then
        self.cooldown_counter = self.cooldown_counter - 1
        self.num_bad_epochs = 0
    end
    if self.num_bad_epochs > self.patience then
        for i, group in ipairs(self.optimizer.param_groups) do
            local lower = math.max(group.lr * self.factor, self.min_lrs[i])
            if group.lr - lower > self.eps then group.lr = lower end
        end
        self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
    end
    for i, group in ipairs(self.optimizer.param_groups) do self._last_lr[i] = group.lr end
end
cycles.ReduceLROnPlateau = Plateau

-- ---- schedules of schedules ----

local function check_members(name, opt, members)
    if #members < 1 then
        raise("ValueError", "%s expects at least one scheduler, but got no scheduler.", name)
    end
    for i, member in ipairs(members) do
        if not class.is_instance(member, LRScheduler) then
            raise("TypeError", "%s at index %d should have `optimizer` as its attribute.", name, i - 1)
        end
        if member.optimizer ~= opt then
            raise("ValueError", "%s expects all schedulers to belong to the same optimizer, but got " ..
                "scheduler %s at index %d",
                name, getmetatable(member).__class._name, i - 1)
        end
    end
end

local SequentialLR = class.derive("SequentialLR", LRScheduler)
local read_sequential = signature("SequentialLR.__init__",
    {"optimizer!", "schedulers!", "milestones!", "last_epoch"}, {last_epoch = -1})

-- Takes back the step that a schedule performed when it was made.
local function undo(scheduler)
    for _, member in ipairs(scheduler._schedulers or {}) do undo(member) end
    if not scheduler._schedulers then scheduler.last_epoch = scheduler.last_epoch - 1 end
end

local function passed(milestones, epoch)
    local n = 0
    for _, milestone in ipairs(milestones) do
        if milestone <= epoch then n = n + 1 end
    end
    return n
end

function SequentialLR:init(...)
    local opt, members, milestones, last_epoch = read_sequential(...)
    check_members("SequentialLR", opt, members)
    if #milestones ~= #members - 1 then
        raise("ValueError", "Sequential Schedulers expects number of schedulers provided to be one more " ..
            "than the number of milestone " ..
            "points, but got number of schedulers %d and the number of milestones to be equal to %d",
                #members, #milestones)
    end
    self.optimizer, self._schedulers, self._milestones, self.last_epoch = opt, members, milestones,
        last_epoch + 1
    for _, group in ipairs(opt.param_groups) do group.lr = group.initial_lr end
    undo(self)
    local first = members[passed(milestones, 0) + 1]
    first:_initial_step()
    self._last_lr = first:get_last_lr()
end

function SequentialLR:step()
    self.last_epoch = self.last_epoch + 1
    local i = passed(self._milestones, self.last_epoch)
    local member = self._schedulers[i + 1]
    if i > 0 and self._milestones[i] == self.last_epoch then member:_update_lr(0) else member:step() end
    self._last_lr = member:get_last_lr()
end
cycles.SequentialLR = SequentialLR

local ChainedScheduler = class.derive("ChainedScheduler", LRScheduler)
local read_chained = signature("ChainedScheduler.__init__", {"schedulers!", "optimizer"})

function ChainedScheduler:init(...)
    local members, opt = read_chained(...)
    opt = opt or members[1] and members[1].optimizer
    check_members("ChainedScheduler", opt, members)
    self.optimizer, self._schedulers = opt, members
    self._last_lr = members[#members]:get_last_lr()
end

function ChainedScheduler:step()
    for _, member in ipairs(self._schedulers) do member:step() end
    self._last_lr = self._schedulers[#self._schedulers]:get_last_lr()
end
cycles.ChainedScheduler = ChainedScheduler

-- Schedules of schedules save and restore their members one by one.
for _, Class in ipairs {SequentialLR, ChainedScheduler} do
    function Class:state_dict()
        local saved = {_schedulers = {}}
        for key, value in pairs(self) do
            if key ~= "optimizer" and key ~= "_schedulers" then saved[key] = support.deepcopy(value) end
        end
        for i, member in ipairs(self._schedulers) do saved._schedulers[i] = member:state_dict() end
        return saved
    end
    function Class:load_state_dict(saved)
        for key, value in pairs(saved) do
            if key ~= "_schedulers" then self[key] = support.deepcopy(value) end
        end
        for i, member in ipairs(self._schedulers) do member:load_state_dict(saved._schedulers[i]) end
    end
end

return cycles
