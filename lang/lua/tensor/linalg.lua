-- torch's own names for torch.linalg's functions, some with older options.
local torch = require "torch"
local support = require "torch.support"
local common = require "torch.tensor.common"
local rows = torch._linalg
local raise, signature = support.raise, support.signature

local T = {}

local read_svd = signature("svd", {"input:Tensor!", "some:bool", "compute_uv:bool"},
    {some = true, compute_uv = true})

function T.svd(...)
    local A, some, vectors = read_svd(...)
    if A.ndim < 2 then
        raise("RuntimeError", "linalg.svd: input should have at least 2 dimensions, but has %d dimensions " ..
            "instead", A.ndim)
    end
    if vectors then
        local U, S, Vh = rows.svd(A, some and 1 or 0)
        return torch._returns("svd", U, S, Vh.mT)
    end
    local batch = common.integers(A.shape)
    local n = table.remove(batch)
    local m = table.remove(batch)
    local function zeros(size)
        return A:new_zeros(table.move({size, size}, 1, 2, #batch + 1, table.move(batch, 1, #batch, 1, {})))
    end
    return torch._returns("svd", zeros(m), rows.svdvals(A), zeros(n).mT)
end

local read_qr = signature("qr", {"input:Tensor!", "some:bool"}, {some = true})

function T.qr(...)
    local A, some = read_qr(...)
    return torch._returns("qr", rows.qr(A, some and 0 or 1))
end

local read_pinverse = signature("pinverse", {"input:Tensor!", "rcond:float"}, {rcond = 1e-15})

function T.pinverse(...)
    local A, rcond = read_pinverse(...)
    return torch.linalg.pinv(A, rcond)
end

local read_lu_solve = signature("lu_solve", {"input:Tensor!", "LU_data:Tensor!", "LU_pivots:Tensor!"})

function T.lu_solve(...)
    local B, LU, pivots = read_lu_solve(...)
    return rows.lu_solve(LU, pivots, B)
end

local read_lu = signature("lu", {"A:Tensor!", "pivot:bool", "get_infos:bool"},
    {pivot = true, get_infos = false})

function T.lu(...)
    local A, pivot, infos = read_lu(...)
    if not infos then return torch._returns("", rows.lu_factor(A, pivot)) end
    return torch._returns("", rows.lu_factor_ex(A, pivot))
end

function T.lu_unpack(...)
    return rows.lu_unpack(...)
end

function T.chain_matmul(...)
    return require("torch.linalg.products").chain_matmul(...)
end

-- ---- the leading singular vectors ----

-- Columns that span nearly what the leading q left singular vectors do.
local function range_finder(A, q, niter)
    local width = A.shape[A.ndim - 1]
    local Q = torch.randn({width, q}, {dtype = A.dtype, device = A.device})
    Q = rows.qr(A:matmul(Q), 0)
    for _ = 1, niter do
        Q = rows.qr(A.mT:matmul(Q), 0)
        Q = rows.qr(A:matmul(Q), 0)
    end
    return Q
end

local function leading(A, q, niter, M)
    q = q == nil and 6 or q
    local m, n = A.shape[A.ndim - 2], A.shape[A.ndim - 1]
    if M ~= nil then A = A - M end
    local wide = m < n
    if wide then A = A.mT end
    local Q = range_finder(A, q, niter)
    local U, S, Vh = rows.svd(Q.mT:matmul(A), 1)
    local V = Vh.mT
    U = Q:matmul(U)
    if wide then U, V = V, U end
    return U, S, V
end

local read_svd_lowrank = signature("svd_lowrank", {"A:Tensor!", "q:int", "niter:int", "M:Tensor"},
    {q = 6, niter = 2})

function T.svd_lowrank(...)
    local A, q, niter, M = read_svd_lowrank(...)
    return leading(A, q, niter, M)
end

local read_pca_lowrank = signature("pca_lowrank", {"A:Tensor!", "q:int", "center:bool", "niter:int"},
    {center = true, niter = 2})

function T.pca_lowrank(...)
    local A, q, center, niter = read_pca_lowrank(...)
    local m, n = A.shape[A.ndim - 2], A.shape[A.ndim - 1]
    local most = math.min(m, n)
    q = q == nil and math.min(6, most) or q
    if q < 0 or q > most then
        raise("ValueError", "q(=%d) must be non-negative integer and not greater than min(m, n)=%d", q, most)
    end
    if niter < 0 then raise("ValueError", "niter(=%d) must be non-negative integer", niter) end
    return leading(center and A - A:mean(-2, true) or A, q, niter)
end

return T
