-- torch.func: functions made from functions, loaded at the first use of one of them.
local support = require "torch.support"

return support.lazy("torch.func", {}, {
    ["autograd.func"] = "grad grad_and_value vjp jvp jacrev jacfwd hessian vmap functional_call",
})
