-- torch.linalg: the op table's rows linalg_<name>, and what reads words or is written with other functions.
local torch = require "torch"
local support = require "torch.support"

-- Rows that serve other functions only.
local inner = {lstsq_solution = true, lstsq_residuals = true, lu_unpack = true}

local linalg = support.lazy("torch.linalg", {}, {
    ["linalg.factors"] = "qr svd eigh eigvalsh lstsq pinv matrix_rank solve_triangular",
    ["linalg.norms"] = "norm vector_norm matrix_norm cond",
    ["linalg.products"] = "matmul multi_dot matrix_power vecdot cross diagonal vander " ..
        "tensorinv tensorsolve",
})

local meta = getmetatable(linalg)
for name, f in pairs(torch._linalg) do
    if not meta.names[name] and not inner[name] then linalg[name] = f end
end

-- The kind of errors about matrices that cannot be factored: text:find(torch.linalg.LinAlgError, 1, true).
linalg.LinAlgError = "torch._C._LinAlgError"

return linalg
