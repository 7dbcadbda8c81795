-- Pooling layers.
local support = require "torch.support"
local class = require "torch.nn.class"
local Module = require "torch.nn.module".Module
local F = require "torch.functional"
local repr, signature = support.repr, support.signature

local pool = {}

local function windows_text(self)
    return ("kernel_size=%s, stride=%s, padding=%s"):format(repr(self.kernel_size), repr(self.stride),
        repr(self.padding))
end

local function max_pool(n)
    local name, f = ("MaxPool%dd"):format(n), F[("max_pool%dd"):format(n)]
    local Pool = class.derive(name, Module)
    local read = signature(name .. ".__init__",
        {"kernel_size!", "stride", "padding", "dilation", "return_indices", "ceil_mode"},
        {padding = 0, dilation = 1, return_indices = false, ceil_mode = false})

    function Pool:init(...)
        local stride
        self.kernel_size, stride, self.padding, self.dilation, self.return_indices, self.ceil_mode = read(...)
        self.stride = stride == nil and self.kernel_size or stride
    end

    function Pool:forward(input)
        return f(input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
            self.return_indices)
    end

    function Pool:extra_repr()
        return ("%s, dilation=%s, ceil_mode=%s"):format(windows_text(self), repr(self.dilation),
            repr(self.ceil_mode))
    end
    pool[name] = Pool
end

-- A layer of one dim keeps its options as tables of one, as PyTorch prints them.
local function kept(v, n)
    return n == 1 and type(v) == "number" and {v} or v
end

local function avg_pool(n)
    local name, f = ("AvgPool%dd"):format(n), F[("avg_pool%dd"):format(n)]
    local Pool = class.derive(name, Module)
    local read = signature(name .. ".__init__",
        {"kernel_size!", "stride", "padding", "ceil_mode", "count_include_pad", n > 1 and
            "divisor_override" or nil},
        {padding = 0, ceil_mode = false, count_include_pad = true})

    function Pool:init(...)
        local kernel, stride, padding
        kernel, stride, padding, self.ceil_mode, self.count_include_pad, self.divisor_override = read(...)
        self.kernel_size, self.padding = kept(kernel, n), kept(padding, n)
        self.stride = kept(stride == nil and kernel or stride, n)
    end

    function Pool:forward(input)
        return f(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad,
            self.divisor_override)
    end
    Pool.extra_repr = windows_text
    pool[name] = Pool
end

local function adaptive(name, f, with_indices)
    local Pool = class.derive(name, Module)
    local read = signature(name .. ".__init__", {"output_size!", with_indices and "return_indices" or nil},
        {return_indices = false})

    function Pool:init(...)
        self.output_size, self.return_indices = read(...)
    end

    function Pool:forward(input)
        return f(input, self.output_size, self.return_indices)
    end

    function Pool:extra_repr()
        return "output_size=" .. repr(self.output_size):gsub("False", "None")
    end
    pool[name] = Pool
end

-- A number for every dim, or a table of them, as a table of n.
local function tuple(v, n)
    local t = {}
    for i = 1, n do t[i] = type(v) == "number" and v or v[i] end
    return t
end

local function max_unpool(n)
    local name, f = ("MaxUnpool%dd"):format(n), F[("max_unpool%dd"):format(n)]
    local Pool = class.derive(name, Module)
    local read = signature(name .. ".__init__", {"kernel_size!", "stride", "padding"}, {padding = 0})

    function Pool:init(...)
        local kernel, stride, padding = read(...)
        self.kernel_size, self.stride = tuple(kernel, n), tuple(stride == nil and kernel or stride, n)
        self.padding = tuple(padding, n)
    end

    function Pool:forward(input, indices, output_size)
        if support.is_options(output_size) then output_size = output_size.output_size end
        return f(input, indices, self.kernel_size, self.stride, self.padding, output_size)
    end
    Pool.extra_repr = windows_text
    pool[name] = Pool
end

local function lp_pool(n)
    local name, f = ("LPPool%dd"):format(n), F[("lp_pool%dd"):format(n)]
    local Pool = class.derive(name, Module)
    local read = signature(name .. ".__init__", {"norm_type!", "kernel_size!", "stride", "ceil_mode"},
        {ceil_mode = false})

    function Pool:init(...)
        self.norm_type, self.kernel_size, self.stride, self.ceil_mode = read(...)
    end

    function Pool:forward(input)
        return f(input, self.norm_type + 0.0, self.kernel_size, self.stride, self.ceil_mode)
    end

    function Pool:extra_repr()
        return ("norm_type=%s, kernel_size=%s, stride=%s, ceil_mode=%s"):format(repr(self.norm_type),
            repr(self.kernel_size), repr(self.stride), repr(self.ceil_mode))
    end
    pool[name] = Pool
end

for n = 1, 3 do
    max_pool(n)
    avg_pool(n)
    adaptive(("AdaptiveAvgPool%dd"):format(n), F[("adaptive_avg_pool%dd"):format(n)])
    adaptive(("AdaptiveMaxPool%dd"):format(n), F[("adaptive_max_pool%dd"):format(n)], true)
    max_unpool(n)
    lp_pool(n)
end

return pool
