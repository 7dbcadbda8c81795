-- Conv1d, Conv2d, Conv3d and their transposes.
local torch = require "torch"
local support = require "torch.support"
local class = require "torch.nn.class"
local Module = require "torch.nn.module".Module
local init = require "torch.nn.init"
local F = require "torch.functional"
local raise, repr, signature = support.raise, support.repr, support.signature

local conv = {}

local PADDING_MODES = {zeros = true, reflect = true, replicate = true, circular = true}

-- A number for every dim, or a table of them, as a table of n.
local function tuple(v, n)
    local t = {}
    for i = 1, n do t[i] = type(v) == "number" and v or v[i] end
    return t
end

local function check(self, n_in, n_out)
    if self.groups <= 0 then raise("ValueError", "groups must be a positive integer") end
    if n_in % self.groups ~= 0 then raise("ValueError", "in_channels must be divisible by groups") end
    if n_out % self.groups ~= 0 then raise("ValueError", "out_channels must be divisible by groups") end
    if type(self.padding) == "string" then
        if self.padding ~= "same" and self.padding ~= "valid" then
            raise("ValueError", "Invalid padding string %s, should be one of {'valid', 'same'}",
                repr(self.padding))
        end
        for _, s in ipairs(self.stride) do
            if self.padding == "same" and s ~= 1 then
                raise("ValueError", "padding='same' is not supported for strided convolutions")
            end
        end
    end
    if not PADDING_MODES[self.padding_mode] then
        raise("ValueError", "padding_mode must be one of {'zeros', 'reflect', 'replicate', 'circular'}, " ..
            "but got padding_mode='%s'", self.padding_mode)
    end
end

-- What F.pad adds at the ends of each dim, the last one first, for padding modes other than zeros.
local function ends_of(self)
    local ends, n = {}, #self.kernel_size
    for i = n, 1, -1 do
        local total = self.dilation[i] * (self.kernel_size[i] - 1)
        local left = self.padding == "valid" and 0 or self.padding == "same" and total // 2 or self.padding[i]
        ends[#ends + 1] = left
        ends[#ends + 1] = self.padding == "same" and total - left or left
    end
    return ends
end

-- The parameters; transposed weights are (in, out / groups, …), others (out, in / groups, …).
local function build(self, n_in, n_out, bias, transposed, device, dtype)
    check(self, n_in, n_out)
    local options = (device ~= nil or dtype ~= nil) and {device = device, dtype = dtype} or nil
    local first, second = transposed and n_in or n_out, (transposed and n_out or n_in) // self.groups
    local size = {first, second, table.unpack(self.kernel_size)}
    self.weight = torch.nn.Parameter(torch.empty(size, options))
    self:register_parameter("bias", bias and torch.nn.Parameter(torch.empty({n_out}, options)) or nil)
    self:reset_parameters()
end

local function reset(self)
    init.kaiming_uniform_(self.weight, math.sqrt(5))
    if self.bias == nil then return end
    local fan_in = init._calculate_fan_in_and_fan_out(self.weight)
    if fan_in ~= 0 then init.uniform_(self.bias, -1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in)) end
end

local function all_are(t, value)
    for _, v in ipairs(t) do
        if v ~= value then return false end
    end
    return true
end

local function describe(self)
    local s = ("%s, %s, kernel_size=%s, stride=%s"):format(repr(self.in_channels), repr(self.out_channels),
        repr(self.kernel_size), repr(self.stride))
    if type(self.padding) == "string" or not all_are(self.padding, 0) then
        s = s .. ", padding=" .. (type(self.padding) == "string" and self.padding or repr(self.padding))
    end
    if not all_are(self.dilation, 1) then s = s .. ", dilation=" .. repr(self.dilation) end
    if not all_are(self.output_padding, 0) then s = s .. ", output_padding=" .. repr(self.output_padding) end
    if self.groups ~= 1 then s = s .. ", groups=" .. repr(self.groups) end
    if self.bias == nil then s = s .. ", bias=False" end
    if self.padding_mode ~= "zeros" then s = s .. ", padding_mode=" .. self.padding_mode end
    return s
end

local function declare(n)
    local name = ("Conv%dd"):format(n)
    local f = F[name:lower()]
    local Conv = class.derive(name, Module)
    local read = signature(name .. ".__init__",
        {"in_channels!", "out_channels!", "kernel_size!", "stride", "padding", "dilation", "groups", "bias",
            "padding_mode", "device", "dtype"},
        {stride = 1, padding = 0, dilation = 1, groups = 1, bias = true, padding_mode = "zeros"})

    function Conv:init(...)
        local kernel, stride, padding, dilation, bias, device, dtype
        self.in_channels, self.out_channels, kernel, stride, padding, dilation, self.groups, bias,
            self.padding_mode, device, dtype = read(...)
        self.kernel_size, self.stride, self.dilation = tuple(kernel, n), tuple(stride, n), tuple(dilation, n)
        self.padding = type(padding) == "string" and padding or tuple(padding, n)
        self.output_padding = tuple(0, n)
        build(self, self.in_channels, self.out_channels, bias, false, device, dtype)
    end

    function Conv:forward(input)
        if self.padding_mode == "zeros" then
            return f(input, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)
        end
        return f(F.pad(input, ends_of(self), self.padding_mode), self.weight, self.bias, self.stride, 0,
            self.dilation, self.groups)
    end
    Conv.reset_parameters, Conv.extra_repr = reset, describe
    conv[name] = Conv
end

local function bracketed(t)
    return "[" .. table.concat(t, ", ") .. "]"
end

local function declare_transpose(n)
    local name = ("ConvTranspose%dd"):format(n)
    local f = F[("conv_transpose%dd"):format(n)]
    local Conv = class.derive(name, Module)
    local read = signature(name .. ".__init__",
        {"in_channels!", "out_channels!", "kernel_size!", "stride", "padding", "output_padding", "groups",
            "bias", "dilation", "padding_mode", "device", "dtype"},
        {stride = 1, padding = 0, output_padding = 0, groups = 1, bias = true, dilation = 1,
            padding_mode = "zeros"})

    function Conv:init(...)
        local kernel, stride, padding, extra, bias, dilation, device, dtype
        self.in_channels, self.out_channels, kernel, stride, padding, extra, self.groups, bias, dilation,
            self.padding_mode, device, dtype = read(...)
        if self.padding_mode ~= "zeros" then
            raise("ValueError", 'Only "zeros" padding mode is supported for %s', name)
        end
        self.kernel_size, self.stride, self.dilation = tuple(kernel, n), tuple(stride, n), tuple(dilation, n)
        self.padding, self.output_padding = tuple(padding, n), tuple(extra, n)
        build(self, self.in_channels, self.out_channels, bias, true, device, dtype)
    end

    -- The output padding that makes the result's spatial sizes output_size, a table or a torch.Size.
    local function extra_for(self, input, output_size)
        local wanted, least, most, extra = {}, {}, {}, {}
        for i = 1, #output_size do wanted[i] = type(output_size) == "table" and output_size[i] or
            output_size[i - 1] end
        local before = input.ndim == n + 2 and 2 or 1
        if #wanted == before + n then wanted = {table.unpack(wanted, before + 1)} end
        if #wanted ~= n then
            raise("ValueError", "ConvTranspose%dD: for %dD input, output_size must have %d or %d " ..
                "elements (got %d)", n,
                input.ndim, n, before + n, #wanted)
        end
        for i = 1, n do
            least[i] = (input.shape[before + i - 1] - 1) * self.stride[i] - 2 * self.padding[i] +
                self.dilation[i] * (self.kernel_size[i] - 1) + 1
            most[i], extra[i] = least[i] + self.stride[i] - 1, wanted[i] - least[i]
        end
        for i = 1, n do
            if wanted[i] < least[i] or wanted[i] > most[i] then
                local spatial = {}
                for d = 2, input.ndim - 1 do spatial[d - 1] = input.shape[d] end
                raise("ValueError", "requested an output size of %s, but valid sizes range from %s to " ..
                    "%s (for an " ..
                    "input of %s)", bracketed(wanted), bracketed(least), bracketed(most),
                        tostring(torch.Size(spatial)))
            end
        end
        return extra
    end

    function Conv:forward(input, output_size)
        if support.is_options(output_size) then output_size = output_size.output_size end
        local extra = output_size and extra_for(self, input, output_size) or self.output_padding
        return f(input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation)
    end
    Conv.reset_parameters, Conv.extra_repr = reset, describe
    conv[name] = Conv
end

for n = 1, 3 do
    declare(n)
    declare_transpose(n)
end

return conv
