-- Twenty steps of every optimizer, option by option; the .out file is what tests/oracle/lib_optim.py prints.
local cases = {
    {"SGD", lr=0.1}, {"SGD", lr=0.1, momentum=0.9}, {"SGD", lr=0.1, momentum=0.9, dampening=0.3, weight_decay=0.01},
    {"SGD", lr=0.1, momentum=0.9, nesterov=true, weight_decay=0.1}, {"SGD", lr=0.01, maximize=true},
    {"Adam", lr=0.01}, {"Adam", lr=0.01, amsgrad=true, weight_decay=0.1}, {"Adam", lr=0.01, betas={0.4, 0.9}, maximize=true},
    {"AdamW", lr=0.01}, {"AdamW", lr=0.01, amsgrad=true}, {"Adamax", lr=0.002}, {"Adamax", lr=0.01, weight_decay=0.1},
    {"NAdam", lr=0.002}, {"NAdam", lr=0.01, weight_decay=0.1, decoupled_weight_decay=true},
    {"RAdam", lr=0.1}, {"RAdam", lr=0.1, weight_decay=0.1, decoupled_weight_decay=true},
    {"RMSprop", lr=0.01}, {"RMSprop", lr=0.01, centered=true}, {"RMSprop", lr=0.01, momentum=0.9, weight_decay=0.1},
    {"Adagrad", lr=0.1}, {"Adagrad", lr=0.1, lr_decay=0.1, weight_decay=0.1, initial_accumulator_value=0.5},
    {"Adadelta", lr=1.0}, {"Adadelta", lr=0.5, rho=0.8, weight_decay=0.1},
    {"Rprop", lr=0.01}, {"ASGD", lr=0.01}, {"ASGD", lr=0.05, lambd=0.01, t0=5, weight_decay=0.1},
}

local function numbers(t)
    local words = {}
    for i, v in ipairs(t:flatten():tolist()) do words[i] = ("%.6g"):format(v) end
    return table.concat(words, " ")
end

for _, options in ipairs(cases) do
    local name = table.remove(options, 1)
    torch.manual_seed(0)
    local w, b = torch.randn(4, 3, requires_grad=true), torch.randn(3, requires_grad=true)
    local x, y = torch.randn(4, 3), torch.randn(4, 3)
    local opt = optim[name]({w, b}, options)
    for _ = 1, 20 do
        local loss = ((w * x - y) * (w * x - y) * 0.2):sum() + ((b * b - 0.3) * b):sum() * 0.01
        opt:zero_grad()
        loss:backward()
        opt:step()
    end
    print(opt)
    print(numbers(w), numbers(b))
end
