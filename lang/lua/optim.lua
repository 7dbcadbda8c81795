-- torch.optim and torch.optim.lr_scheduler: each file loaded at the first use of one of its names.
local support = require "torch.support"

local lr_scheduler = support.lazy("torch.optim.lr_scheduler", {}, {
    ["optim.schedule"] = "LRScheduler LambdaLR MultiplicativeLR StepLR MultiStepLR ConstantLR LinearLR " ..
        "ExponentialLR PolynomialLR " ..
        "CosineAnnealingLR",
    ["optim.cycles"] = "CosineAnnealingWarmRestarts CyclicLR OneCycleLR ReduceLROnPlateau SequentialLR " ..
        "ChainedScheduler",
})

return support.lazy("torch.optim", {lr_scheduler = lr_scheduler}, {
    ["optim.optimizer"] = "Optimizer",
    ["optim.sgd"] = "SGD ASGD",
    ["optim.adam"] = "Adam AdamW Adamax NAdam RAdam",
    ["optim.rms"] = "RMSprop Adagrad Adadelta Rprop",
    ["optim.lbfgs"] = "LBFGS",
    ["optim.adafactor"] = "Adafactor Muon",
})
