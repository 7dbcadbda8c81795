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
    {"SGD", lr=0.1, momentum=0.5, foreach=true}, {"SGD", lr=0.1, fused=true},
    {"Adam", lr=0.01, eps=0.001, weight_decay=0.1, decoupled_weight_decay=true},
    {"Adam", lr=0.01, foreach=false}, {"Adam", lr=0.01, fused=true},
    {"AdamW", lr=0.01, betas={0.5, 0.6}, eps=0.01, weight_decay=0.3, maximize=true},
    {"Adamax", lr=0.01, betas={0.5, 0.6}, eps=0.01, maximize=true},
    {"NAdam", lr=0.01, betas={0.5, 0.6}, eps=0.01, momentum_decay=0.02, weight_decay=0.1, maximize=true},
    {"RAdam", lr=0.05, betas={0.5, 0.6}, eps=0.01, weight_decay=0.1, maximize=true},
    {"RMSprop", lr=0.01, alpha=0.8, eps=0.01, centered=true, momentum=0.5, maximize=true},
    {"Adagrad", lr=0.1, eps=0.01, maximize=true}, {"Adadelta", lr=1.0, eps=0.01, maximize=true},
    {"Rprop", lr=0.05, etas={0.4, 1.5}, step_sizes={0.001, 0.1}, maximize=true},
    {"ASGD", lr=0.05, alpha=0.5, maximize=true},
    {"Adafactor"}, {"Adafactor", lr=0.1, beta2_decay=-0.5, eps={0.01, 0.01}, d=2.0, weight_decay=0.1},
    {"Adafactor", lr=0.05, maximize=true},
    {"LBFGS", lr=0.5, max_iter=3}, {"LBFGS", line_search_fn="strong_wolfe", max_iter=2, history_size=2},
}

local function numbers(t, digits)
    local words = {}
    for i, v in ipairs(t:flatten():tolist()) do words[i] = ("%." .. digits .. "g"):format(v) end
    return table.concat(words, " ")
end

for _, options in ipairs(cases) do
    local name = table.remove(options, 1)
    torch.manual_seed(0)
    local w, b = torch.randn(4, 3, requires_grad=true), torch.randn(3, requires_grad=true)
    local x, y = torch.randn(4, 3), torch.randn(4, 3)
    local opt = optim[name]({w, b}, next(options) and options or nil)
    local function closure()
        local loss = ((w * x - y) * (w * x - y) * 0.2):sum() + ((b * b - 0.3) * b):sum() * 0.01
        opt:zero_grad()
        loss:backward()
        return loss
    end
    for _ = 1, name == "LBFGS" and 2 or 20 do opt:step(closure) end
    print(opt)
    local digits = name == "LBFGS" and 4 or 6
    print(numbers(w, digits), numbers(b, digits))
end
