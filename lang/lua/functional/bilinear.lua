-- torch.nn.functional.bilinear.
local support = require "torch.support"
local ctype = require "torch.ctypes"
local raise, signature = support.raise, support.signature

local F = {}

local read_bilinear = signature("bilinear", {"input1!", "input2!", "weight!", "bias"})

local function check_types(input1, input2, weight, bias)
    local dtype = weight.dtype
    local same = input1.dtype == dtype and input2.dtype == dtype and (bias == nil or bias.dtype == dtype)
    if same then return end
    raise("RuntimeError", "All tensors must have the same dtype, got input1: %s, input2: %s, weight: %s%s",
        ctype(input1), ctype(input2), ctype(weight),
        bias ~= nil and ", bias: " .. ctype(bias) or "")
end

-- input1 (…, in1), input2 (…, in2), weight (out, in1, in2), bias (out) → (…, out).
function F.bilinear(...)
    local input1, input2, weight, bias = read_bilinear(...)
    local n_out, n1, n2 = weight.shape[0], weight.shape[1], weight.shape[2]
    if input1.ndim ~= input2.ndim then
        raise("RuntimeError", "bilinear(): input dimensions do not match: got %d and %d", input1.ndim,
            input2.ndim)
    end
    check_types(input1, input2, weight, bias)
    for i = 0, input1.ndim - 2 do
        if input1.shape[i] ~= input2.shape[i] then
            raise("RuntimeError",
                "bilinear(): input batch dimensions do not match at dim %d: got %d and %d", i,
                input1.shape[i], input2.shape[i])
        end
    end
    if input1.shape[-1] ~= n1 then
        raise("RuntimeError", "bilinear(): input1 size does not match weight size: got %d but expected %d",
            input1.shape[-1], n1)
    end
    if input2.shape[-1] ~= n2 then
        raise("RuntimeError", "bilinear(): input2 size does not match weight size: got %d but expected %d",
            input2.shape[-1], n2)
    end
    if bias ~= nil and bias.shape[0] ~= n_out then
        raise("RuntimeError", "bilinear(): bias size does not match weight size: got %d but expected %d",
            bias.shape[0], n_out)
    end
    local lead = {}
    for i = 1, input1.ndim - 1 do lead[i] = input1.shape[i - 1] end
    local x1, x2 = input1:reshape({-1, n1}), input2:reshape({-1, n2})
    local left = x1:mm(weight:permute(1, 0, 2):reshape({n1, n_out * n2})):reshape({x1.shape[0], n_out, n2})
    lead[#lead + 1] = n_out
    local y = (left * x2:unsqueeze(1)):sum(-1, {dtype = weight.dtype}):reshape(lead)
    return bias ~= nil and y + bias or y
end

return F
