-- torch.optim: the optimizers, each file loaded at the first use of one of its names.
local support = require "torch.support"

local optim = support.lazy({}, {
    ["optim.optimizer"] = "Optimizer",
    ["optim.sgd"] = "SGD ASGD",
    ["optim.adam"] = "Adam AdamW Adamax NAdam RAdam",
    ["optim.rms"] = "RMSprop Adagrad Adadelta Rprop",
    ["optim.lbfgs"] = "LBFGS",
    ["optim.schedulers"] = "lr_scheduler",
})

return optim
