-- torch.autograd: what C has of it, with the library's files loaded at the first use of one of their names.
local torch = require "torch"
local support = require "torch.support"

local autograd = torch._autograd

autograd.functional = support.lazy("torch.autograd.functional", {}, {
    ["autograd.functional"] = "jacobian hessian vjp jvp hvp vhp",
})
autograd["function"] = support.lazy("torch.autograd.function", {}, {
    ["autograd.function"] = "Function once_differentiable",
})
autograd.graph = support.lazy("torch.autograd.graph", {}, {
    ["autograd.graph"] = "increment_version get_gradient_edge",
})

return support.lazy("torch.autograd", autograd, {
    ["autograd.function"] = "Function",
    ["autograd.gradcheck"] = "gradcheck gradgradcheck",
    ["autograd.anomaly"] = "detect_anomaly set_detect_anomaly",
})
