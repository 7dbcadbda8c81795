-- torch.special: values, gradients, dtypes and refusals; the .out file is what tests/oracle/special.py prints.
local points = {
    {"bessel_j0", {-3.0, 0.0, 1e-06, 0.5, 3.0, 10.0, 24.0, 26.0, 100.0, math.huge}},
    {"bessel_j1", {-3.0, 0.0, 1e-06, 0.5, 3.0, 10.0, 24.0, 26.0, 100.0}},
    {"bessel_y0", {-1.0, 0.0, 1e-06, 0.5, 3.0, 10.0, 24.0, 26.0, 100.0}},
    {"bessel_y1", {-1.0, 0.0, 1e-06, 0.5, 3.0, 10.0, 24.0, 26.0, 100.0}},
    {"entr", {-1.0, 0.0, 0.1, 1.0, 7.5, math.huge}},
    {"erfcx", {-30.0, -3.0, -0.5, 0.0, 0.5, 1.9, 2.0, 3.0, 30.0, 1000000.0}},
    {"exp2", {3.0}},
    {"expit", {-2.0, 3.0}},
    {"expm1", {1e-09}},
    {"gammaln", {0.5, 3.0}},
    {"i0", {-2.0, 0.0, 3.0, 40.0}},
    {"i0e", {-40.0, -2.0, 0.5, 3.0, 29.0, 31.0, 800.0}},
    {"i1", {-2.0, 0.5, 3.0, 29.0, 31.0}},
    {"i1e", {-40.0, -2.0, 0.0, 0.5, 3.0, 31.0, 800.0}},
    {"log1p", {1e-09}},
    {"log_ndtr", {-40.0, -9.0, -1.5, -0.5, 0.0, 3.0, 9.0}},
    {"modified_bessel_i0", {-2.0, 0.0, 5.0}},
    {"modified_bessel_i1", {-2.0, 0.0, 5.0}},
    {"modified_bessel_k0", {-1.0, 0.0, 1e-06, 0.1, 1.0, 5.0, 50.0}},
    {"modified_bessel_k1", {-1.0, 0.0, 1e-06, 0.1, 1.0, 5.0, 50.0}},
    {"ndtr", {-9.0, -1.0, 0.0, 0.5, 3.0}},
    {"ndtri", {0.0, 1e-300, 1e-09, 0.1, 0.5, 0.7, 1.0}},
    {"psi", {0.5, 3.0}},
    {"scaled_modified_bessel_k0", {1e-06, 0.1, 1.0, 5.0, 50.0, 3000.0}},
    {"scaled_modified_bessel_k1", {1e-06, 0.1, 1.0, 5.0, 50.0, 3000.0}},
    {"sinc", {0.0, 0.3}},
    {"spherical_bessel_j0", {-3.0, 0.0, 0.001, 0.4, 2.0, math.huge}},
    {"chebyshev_polynomial_t",
        {0.3, 0.3, 0.3, 0.3, 0.3, -1.0, 1.0, 0.0, 1.5, 0.7},
        {-1.0, 0.0, 1.0, 5.0, 20.0, 3.0, 3.0, 4.0, 6.0, 2.9}},
    {"chebyshev_polynomial_u",
        {0.3, 0.3, 0.3, 0.3, 0.3, -1.0, 1.0, 0.0, 1.5, 0.7},
        {-1.0, 0.0, 1.0, 5.0, 20.0, 3.0, 3.0, 4.0, 6.0, 2.9}},
    {"chebyshev_polynomial_v",
        {0.3, 0.3, 0.3, 0.3, 0.3, -1.0, 1.0, 0.0, 1.5, 0.7},
        {-1.0, 0.0, 1.0, 5.0, 20.0, 3.0, 3.0, 4.0, 6.0, 2.9}},
    {"chebyshev_polynomial_w",
        {0.3, 0.3, 0.3, 0.3, 0.3, -1.0, 1.0, 0.0, 1.5, 0.7},
        {-1.0, 0.0, 1.0, 5.0, 20.0, 3.0, 3.0, 4.0, 6.0, 2.9}},
    {"gammainc", {2.0}, {3.0}},
    {"gammaincc", {2.0}, {3.0}},
    {"hermite_polynomial_h",
        {0.3, 0.3, 0.3, 0.3, 0.3, -1.0, 1.0, 0.0, 1.5, 0.7},
        {-1.0, 0.0, 1.0, 5.0, 20.0, 3.0, 3.0, 4.0, 6.0, 2.9}},
    {"hermite_polynomial_he",
        {0.3, 0.3, 0.3, 0.3, 0.3, -1.0, 1.0, 0.0, 1.5, 0.7},
        {-1.0, 0.0, 1.0, 5.0, 20.0, 3.0, 3.0, 4.0, 6.0, 2.9}},
    {"laguerre_polynomial_l",
        {0.3, 0.3, 0.3, 0.3, 0.3, -1.0, 1.0, 0.0, 1.5, 0.7},
        {-1.0, 0.0, 1.0, 5.0, 20.0, 3.0, 3.0, 4.0, 6.0, 2.9}},
    {"legendre_polynomial_p",
        {0.3, 0.3, 0.3, 0.3, 0.3, -1.0, 1.0, 0.0, 1.5, 0.7},
        {-1.0, 0.0, 1.0, 5.0, 20.0, 3.0, 3.0, 4.0, 6.0, 2.9}},
    {"shifted_chebyshev_polynomial_t",
        {0.3, 0.3, 0.3, 0.3, 0.3, -1.0, 1.0, 0.0, 1.5, 0.7},
        {-1.0, 0.0, 1.0, 5.0, 20.0, 3.0, 3.0, 4.0, 6.0, 2.9}},
    {"shifted_chebyshev_polynomial_u",
        {0.3, 0.3, 0.3, 0.3, 0.3, -1.0, 1.0, 0.0, 1.5, 0.7},
        {-1.0, 0.0, 1.0, 5.0, 20.0, 3.0, 3.0, 4.0, 6.0, 2.9}},
    {"shifted_chebyshev_polynomial_v",
        {0.3, 0.3, 0.3, 0.3, 0.3, -1.0, 1.0, 0.0, 1.5, 0.7},
        {-1.0, 0.0, 1.0, 5.0, 20.0, 3.0, 3.0, 4.0, 6.0, 2.9}},
    {"shifted_chebyshev_polynomial_w",
        {0.3, 0.3, 0.3, 0.3, 0.3, -1.0, 1.0, 0.0, 1.5, 0.7},
        {-1.0, 0.0, 1.0, 5.0, 20.0, 3.0, 3.0, 4.0, 6.0, 2.9}},
    {"xlog1py", {0.0, 2.0, 1.5}, {-1.0, 3.0, 0.25}},
    {"xlogy", {0.0, 2.0}, {0.0, 3.0}},
    {"zeta", {1.0, 0.5, 2.0, 3.5, 2.0, 2.0, 2.5, 40.0}, {2.0, 1.0, 1.0, 0.25, -1.5, -3.0, -1.5, 7.0}},
}

local function text(v)
    if v ~= v then return "nan" end
    return math.abs(v) < 1e-300 and "0" or ("%.7g"):format(v)
end

local function texts(t)
    local parts = {}
    for i, v in ipairs(t:tolist()) do parts[i] = text(v) end
    return table.concat(parts, " ")
end

for _, case in ipairs(points) do
    local name, operands = case[1], {}
    for k = 2, #case do operands[k - 1] = torch.tensor(case[k], {dtype = torch.float64}) end
    local last = operands[#operands]:requires_grad_()
    local y = torch.special[name](table.unpack(operands))
    local line = name .. ": " .. texts(y:detach())
    if y.requires_grad then
        y:sum():backward()
        line = line .. " | " .. y.grad_fn:name() .. " " .. texts(last.grad)
    end
    print(line)
end

local function refusal(name, f, ...)
    local fine, what = pcall(f, ...)
    if not fine then print(name .. " " .. what:match("NotImplementedError[^\n]*")) end
    return fine and what
end

for _, name in ipairs {"bessel_j0", "erfcx", "entr", "i0e", "zeta"} do
    local f = torch.special[name]
    for _, dtype in ipairs {torch.int64, torch.float16, torch.bool} do
        local x = torch.ones(2, {dtype = dtype})
        local y = refusal(name, f, x, name == "zeta" and x or nil)
        if y then print(name .. " " .. tostring(y.dtype)) end
    end
end
local x = torch.tensor({1.5, 2.5}, {dtype = torch.float64, requires_grad = true})
for _, name in ipairs {"zeta", "gammainc"} do
    refusal(name, function() torch.special[name](x, x):sum():backward() end)
end
print(torch.special.zeta(2, x).grad_fn:name() .. " " .. torch.special.xlog1py(x, 2).grad_fn:name() .. " " ..
    torch.special.xlog1py(2, x).grad_fn:name())
print(texts(torch.special.multigammaln(x + 3, 2):detach()) .. " " .. texts(torch.special.polygamma(1, x):detach()))
