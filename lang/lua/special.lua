-- torch.special: the op table's rows special_<name>, and functions of torch under the names they have here.
local torch = require "torch"
local support = require "torch.support"

local special = {}

for name, f in pairs(torch._special) do special[name] = f end
for name in ("digamma erf erfc erfinv exp2 expm1 i0 log1p log_softmax logit logsumexp polygamma round sinc " ..
    "softmax xlogy"):gmatch("%S+") do
    special[name] = torch[name]
end
special.expit, special.psi, special.gammaln = torch.sigmoid, torch.digamma, torch.lgamma
special.multigammaln, special.gammainc, special.gammaincc = torch.mvlgamma, torch.igamma, torch.igammac

local read_ndtr = support.signature("special_ndtr", {"input:Tensor!"})

-- The share of the normal distribution below each element.
function special.ndtr(...)
    local erf = (read_ndtr(...) * math.sqrt(0.5)):erf()
    return torch._scalar_overload(torch._scalar_overload(erf + 1) * 0.5)
end

return support.lazy("torch.special", special, {})
