-- The functions of torch.nn.functional that are neither activations nor losses: linear, bilinear, one_hot.
local torch = require "torch"
local support = require "torch.support"
local raise, signature = support.raise, support.signature

local F = {}

local read_linear = signature("linear", {"input!", "weight!", "bias"})
local linear = torch._nn.linear

function F.linear(...)
    return linear(read_linear(...))
end

local read_bilinear = signature("bilinear", {"input1!", "input2!", "weight!", "bias"})

-- input1 (…, in1), input2 (…, in2), weight (out, in1, in2), bias (out) → (…, out).
function F.bilinear(...)
    local input1, input2, weight, bias = read_bilinear(...)
    local n_out, n1, n2 = weight.shape[0], weight.shape[1], weight.shape[2]
    local lead = {}
    for i = 1, input1.ndim - 1 do lead[i] = input1.shape[i - 1] end
    local x1, x2 = input1:reshape({-1, 1, n1}), input2:reshape({-1, 1, n2})
    local left = x1:matmul(weight:permute(1, 0, 2):reshape({n1, n_out * n2})):reshape({-1, n_out, n2})
    lead[#lead + 1] = n_out
    local y = (left * x2):sum(-1):reshape(lead)
    return bias ~= nil and y + bias or y
end

local read_one_hot = signature("one_hot", {"tensor!", "num_classes"}, {num_classes = -1})

function F.one_hot(...)
    local index, classes = read_one_hot(...)
    if not torch.is_tensor(index) or tostring(index.dtype) ~= "torch.int64" then
        raise("RuntimeError", "one_hot is only applicable to index tensor of type LongTensor.")
    end
    if index:numel() == 0 and classes <= 0 then
        raise("RuntimeError", "Can not infer total number of classes from empty tensor.")
    end
    if index:numel() > 0 then
        if index:min():item() < 0 then raise("RuntimeError", "Class values must be non-negative.") end
        local largest = index:max():item()
        if classes == -1 then classes = largest + 1 end
        if classes < 1 then raise("RuntimeError", "num_classes should be positive") end
        if largest >= classes then raise("RuntimeError", "Class values must be smaller than num_classes.") end
    end
    return index:unsqueeze(-1):eq(torch.arange(classes, {device = index.device})):long()
end

return F
