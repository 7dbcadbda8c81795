-- Convolutions: the op table's rows, with padding by word.
local torch = require "torch"
local support = require "torch.support"
local common = require "torch.tensor.common"
local rows = torch._nn
local raise = support.raise

local F = {}

local function entry(v, i)
    if type(v) == "number" then return v end
    return v[#v == 1 and 1 or i]
end

-- padding "same" for a kernel: what the row pads on both sides, and F.pad's list for the odd end, if any.
local function same_padding(kernel, stride, dilation)
    local both, ends, odd = {}, {}, false
    local n = #kernel
    for i = 1, n do
        if entry(stride, i) ~= 1 then
            raise("RuntimeError", "padding='same' is not supported for strided convolutions")
        end
        local total = entry(dilation, i) * (kernel[i] - 1)
        both[i] = total // 2
        ends[2 * (n - i) + 1], ends[2 * (n - i) + 2] = 0, total % 2
        odd = odd or total % 2 == 1
    end
    return both, odd and ends or nil
end

local function shape_text(t)
    return "[" .. table.concat(common.sizes(t), ", ") .. "]"
end

-- Padding by the kernel's size needs a kernel of as many dims as the input, taken as a batch, has.
local function check_same(input, weight, spatial)
    local batched = input.ndim == spatial + 1 and input:unsqueeze(0) or input
    if batched.ndim == spatial + 2 and weight.ndim ~= batched.ndim then
        raise("RuntimeError", "Expected %d-dimensional input for %d-dimensional weight%s, but got %d-dimensional " ..
            "input of size %s instead", weight.ndim, weight.ndim, shape_text(weight), batched.ndim,
            shape_text(batched))
    end
end

-- Declares F.conv<n>d.
local function convolution(name)
    local read = support.signature(name,
        {"input!", "weight!", "bias", "stride", "padding", "dilation", "groups"},
        {stride = 1, padding = 0, dilation = 1, groups = 1})
    local row, spatial = rows[name], tonumber(name:match("%d"))
    F[name] = function(...)
        local input, weight, bias, stride, padding, dilation, groups = read(...)
        if type(padding) == "string" then
            local ends
            if padding == "same" then
                check_same(input, weight, spatial)
                local kernel = {}
                for i = 2, weight.ndim - 1 do kernel[i - 1] = weight.shape[i] end
                padding, ends = same_padding(kernel, stride, dilation)
            elseif padding == "valid" then
                padding = 0
            else
                raise("RuntimeError", "Invalid padding string: '%s'", padding)
            end
            if ends then input = require("torch.functional").pad(input, ends) end
        end
        return row(input, weight, bias, stride, padding, dilation, groups)
    end
end

convolution("conv1d")
convolution("conv2d")
convolution("conv3d")

return F
