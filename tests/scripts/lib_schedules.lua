-- Every learning rate schedule over two groups; the .out file is what tests/oracle/lib_schedules.py prints.
local S = optim.lr_scheduler

local function sgd(groups) return optim.SGD(groups, lr=0.1, momentum=0.9) end
local function adam(groups) return optim.Adam(groups, lr=0.1) end

local function show(name, make, optimizer, metric)
    local p, q = torch.zeros(1, requires_grad=true), torch.zeros(1, requires_grad=true)
    local opt = (optimizer or sgd)({{params={p}}, {params={q}, lr=0.5}})
    local schedule, lines = make(opt), {}
    for i = 0, 15 do
        local one, two = opt.param_groups[1], opt.param_groups[2]
        lines[i + 1] = ("%.15g %.15g %.15g"):format(one.lr, two.lr, one.momentum or one.betas[1])
        if i < 13 then
            opt:step()
            schedule:step(metric and metric(i))
        end
    end
    print(name .. ": " .. table.concat(lines, "; "))
end

show("StepLR", function(o) return S.StepLR(o, step_size=3, gamma=0.5) end)
show("MultiStepLR", function(o) return S.MultiStepLR(o, milestones={2, 4, 4, 7}) end)
show("ConstantLR", function(o) return S.ConstantLR(o, factor=0.5, total_iters=4) end)
show("LinearLR", function(o) return S.LinearLR(o, start_factor=0.2, end_factor=0.9, total_iters=6) end)
show("ExponentialLR", function(o) return S.ExponentialLR(o, gamma=0.9) end)
show("PolynomialLR", function(o) return S.PolynomialLR(o, total_iters=8, power=2.0) end)
show("CosineAnnealingLR", function(o) return S.CosineAnnealingLR(o, T_max=5, eta_min=0.01) end)
show("LambdaLR", function(o) return S.LambdaLR(o, function(epoch) return 0.95 ** epoch end) end)
show("MultiplicativeLR", function(o) return S.MultiplicativeLR(o, function() return 0.95 end) end)
show("CosineAnnealingWarmRestarts", function(o) return S.CosineAnnealingWarmRestarts(o, T_0=3, T_mult=2, eta_min=0.001) end)
show("CyclicLR triangular", function(o) return S.CyclicLR(o, 0.01, 0.1, 3, 4) end)
show("CyclicLR triangular2", function(o) return S.CyclicLR(o, 0.01, {0.1, 0.2}, 3, mode="triangular2") end)
show("CyclicLR exp_range", function(o) return S.CyclicLR(o, 0.01, 0.1, 3, mode="exp_range", gamma=0.9) end)
show("OneCycleLR", function(o) return S.OneCycleLR(o, max_lr=0.3, total_steps=14) end)
show("OneCycleLR three phases", function(o)
    return S.OneCycleLR(o, max_lr=0.3, epochs=2, steps_per_epoch=7, anneal_strategy="linear", three_phase=true)
end)
show("OneCycleLR with Adam", function(o) return S.OneCycleLR(o, max_lr=0.3, total_steps=14) end, adam)
show("ReduceLROnPlateau", function(o) return S.ReduceLROnPlateau(o, patience=2, cooldown=1) end, sgd,
    function(i) return math.max(1 - i * 0.3, 0.2) end)
show("SequentialLR", function(o)
    return S.SequentialLR(o, {S.ConstantLR(o, 0.1, 20), S.ExponentialLR(o, 0.9), S.StepLR(o, 2)}, milestones={4, 8})
end)
show("ChainedScheduler", function(o) return S.ChainedScheduler({S.ConstantLR(o, 0.1, 5), S.ExponentialLR(o, 0.9)}) end)
