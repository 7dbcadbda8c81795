-- torch.nn.functional.bilinear.
local support = require "torch.support"
local signature = support.signature

local F = {}

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

return F
