-- Pooling layers.
local support = require "torch.support"
local class = require "torch.nn.class"
local Module = require "torch.nn.module".Module
local F = require "torch.functional"
local repr, signature = support.repr, support.signature

local pool = {}

local function max_pool(name, f)
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
        return ("kernel_size=%s, stride=%s, padding=%s, dilation=%s, ceil_mode=%s"):format(
            repr(self.kernel_size), repr(self.stride), repr(self.padding), repr(self.dilation),
            repr(self.ceil_mode))
    end
    pool[name] = Pool
end

max_pool("MaxPool1d", F.max_pool1d)
max_pool("MaxPool2d", F.max_pool2d)

-- A layer of one dim keeps its options as tables of one, as PyTorch prints them.
local function avg_pool(name, f, single)
    local Pool = class.derive(name, Module)
    local read = signature(name .. ".__init__",
        {"kernel_size!", "stride", "padding", "ceil_mode", "count_include_pad",
            not single and "divisor_override" or nil},
        {padding = 0, ceil_mode = false, count_include_pad = true})
    local function kept(v) return single and type(v) == "number" and {v} or v end

    function Pool:init(...)
        local kernel, stride, padding
        kernel, stride, padding, self.ceil_mode, self.count_include_pad, self.divisor_override = read(...)
        self.kernel_size, self.padding = kept(kernel), kept(padding)
        self.stride = kept(stride == nil and kernel or stride)
    end

    function Pool:forward(input)
        return f(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad,
            self.divisor_override)
    end

    function Pool:extra_repr()
        return ("kernel_size=%s, stride=%s, padding=%s"):format(repr(self.kernel_size), repr(self.stride),
            repr(self.padding))
    end
    pool[name] = Pool
end

avg_pool("AvgPool1d", F.avg_pool1d, true)
avg_pool("AvgPool2d", F.avg_pool2d, false)

local function adaptive(name, f, with_indices)
    local Pool = class.derive(name, Module)
    local read = signature(name .. ".__init__", {"output_size!", with_indices and "return_indices" or nil})

    function Pool:init(...)
        self.output_size, self.return_indices = read(...)
    end

    function Pool:forward(input)
        return f(input, self.output_size, self.return_indices)
    end

    function Pool:extra_repr()
        return "output_size=" .. repr(self.output_size)
    end
    pool[name] = Pool
end

adaptive("AdaptiveAvgPool1d", F.adaptive_avg_pool1d)
adaptive("AdaptiveAvgPool2d", F.adaptive_avg_pool2d)
adaptive("AdaptiveMaxPool2d", F.adaptive_max_pool2d, true)

return pool
