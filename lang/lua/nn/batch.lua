-- BatchNorm1d … 3d, InstanceNorm1d … 3d, GroupNorm.
local torch = require "torch"
local support = require "torch.support"
local class = require "torch.nn.class"
local Module = require "torch.nn.module".Module
local init = require "torch.nn.init"
local F = require "torch.functional"
local raise, repr, signature = support.raise, support.repr, support.signature

local batch = {}

local function options_of(device, dtype)
    return (device ~= nil or dtype ~= nil) and {device = device, dtype = dtype} or nil
end

local function affine(self, n, weight, bias, options)
    self:register_parameter("weight", weight and torch.nn.Parameter(torch.empty({n}, options)) or nil)
    self:register_parameter("bias", bias and torch.nn.Parameter(torch.empty({n}, options)) or nil)
end

local function reset_parameters(self)
    if self.reset_running_stats then self:reset_running_stats() end
    if self.weight ~= nil then init.ones_(self.weight) end
    if self.bias ~= nil then init.zeros_(self.bias) end
end

-- ---- with running statistics ----

local PARAMS = {"num_features!", "eps:float", "momentum", "affine", "track_running_stats", "bias", "device",
    "dtype"}

-- What the layers over running statistics share; momentum false is PyTorch's None: the mean of all batches.
local function declare(name, dims, defaults)
    local Norm = class.derive(name, Module)
    local read = signature(name .. ".__init__", PARAMS, defaults)

    function Norm:init(...)
        local bias, device, dtype
        self.num_features, self.eps, self.momentum, self.affine, self.track_running_stats, bias, device,
            dtype = read(...)
        local n, options = self.num_features, options_of(device, dtype)
        affine(self, n, self.affine, self.affine and bias, options)
        local track = self.track_running_stats
        self:register_buffer("running_mean", track and torch.zeros({n}, options) or nil)
        self:register_buffer("running_var", track and torch.ones({n}, options) or nil)
        self:register_buffer("num_batches_tracked", track and
            torch.tensor(0, {dtype = torch.int64, device = device}) or nil)
        self:reset_parameters()
    end

    function Norm:reset_running_stats()
        if not self.track_running_stats then return end
        self.running_mean:zero_()
        self.running_var:fill_(1)
        self.num_batches_tracked:zero_()
    end

    function Norm:_check(input)
        for _, n in ipairs(dims) do
            if input.ndim == n then return end
        end
        local words = #dims == 1 and dims[1] .. "D" or ("%dD or %dD"):format(dims[1], dims[2])
        raise("ValueError", "expected %s input (got %dD input)", words, input.ndim)
    end

    function Norm:extra_repr()
        return ("%s, eps=%s, momentum=%s, affine=%s, bias=%s, track_running_stats=%s"):format(
            repr(self.num_features), repr(self.eps), self.momentum and repr(self.momentum) or "None",
            repr(self.affine), repr(self.bias ~= nil), repr(self.track_running_stats))
    end
    Norm.reset_parameters, Norm._dims = reset_parameters, dims
    batch[name] = Norm
    return Norm
end

local function batch_norm(self, input)
    self:_check(input)
    local momentum = self.momentum or 0.0
    if self.training and self.num_batches_tracked ~= nil then
        self.num_batches_tracked:add_(1)
        if not self.momentum then momentum = 1.0 / self.num_batches_tracked:item() end
    end
    local training = self.training or self.running_mean == nil
    local kept = not self.training or self.track_running_stats
    return F.batch_norm(input, kept and self.running_mean or nil, kept and self.running_var or nil,
        self.weight, self.bias, training, momentum, self.eps)
end

local DEFAULTS = {eps = 1e-05, momentum = 0.1, affine = true, track_running_stats = true, bias = true}
declare("BatchNorm1d", {2, 3}, DEFAULTS).forward = batch_norm
declare("BatchNorm2d", {4}, DEFAULTS).forward = batch_norm
declare("BatchNorm3d", {5}, DEFAULTS).forward = batch_norm

-- input with or without a batch dim.
local function instance_norm(self, input)
    self:_check(input)
    local single = input.ndim == self._dims[1]
    local channels = input.shape[single and 0 or 1]
    if channels ~= self.num_features then
        if self.affine then
            raise("ValueError", "expected input's size at dim=%d to match num_features (%d), but got: %d.",
                single and 0 or 1, self.num_features, channels)
        end
        support.warn("input's size at dim=%d does not match num_features. You can silence this warning " ..
            "by not " ..
            "passing in num_features, which is not used because affine=False", single and 0 or 1)
    end
    local y = F.instance_norm(single and input:unsqueeze(0) or input, self.running_mean, self.running_var,
        self.weight, self.bias, self.training or not self.track_running_stats, self.momentum or 0.0, self.eps)
    return single and y:squeeze(0) or y
end

for n = 1, 3 do
    declare(("InstanceNorm%dd"):format(n), {n + 1, n + 2},
        {eps = 1e-05, momentum = 0.1, affine = false, track_running_stats = false, bias = true})
        .forward = instance_norm
end

-- ---- GroupNorm ----

local GroupNorm = class.derive("GroupNorm", Module)
local read_group = signature("GroupNorm.__init__",
    {"num_groups!", "num_channels!", "eps:float", "affine", "device", "dtype", "bias"},
    {eps = 1e-05, affine = true, bias = true})

function GroupNorm:init(...)
    local device, dtype, bias
    self.num_groups, self.num_channels, self.eps, self.affine, device, dtype, bias = read_group(...)
    if self.num_groups == 0 then raise("ZeroDivisionError", "integer modulo by zero") end
    if self.num_channels % self.num_groups ~= 0 then
        raise("ValueError", "num_channels (%d) must be divisible by num_groups (%d)", self.num_channels,
            self.num_groups)
    end
    affine(self, self.num_channels, self.affine, self.affine and bias, options_of(device, dtype))
    self:reset_parameters()
end
GroupNorm.reset_parameters = reset_parameters

function GroupNorm:forward(input)
    return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)
end

function GroupNorm:extra_repr()
    return ("%s, %s, eps=%s, affine=%s, bias=%s"):format(repr(self.num_groups), repr(self.num_channels),
        repr(self.eps), repr(self.affine), repr(self.bias ~= nil))
end
batch.GroupNorm = GroupNorm

return batch
