-- torch.linalg's factorisations whose options are words or may be left out, and what they give.
local torch = require "torch"
local support = require "torch.support"
local rows = torch._linalg
local raise, signature = support.raise, support.signature

local L = {}

-- ---- QR ----

local QR_MODES = {reduced = 0, complete = 1, r = 2}
local read_qr = signature("linalg_qr", {"A:Tensor!", "mode:str"}, {mode = "reduced"})

function L.qr(...)
    local A, mode = read_qr(...)
    local code = QR_MODES[mode]
    if not code then
        raise("RuntimeError", "qr received unrecognized mode '%s' but expected one of 'reduced' " ..
            "(default), 'r', or 'complete'", mode)
    end
    return rows.qr(A, code)
end

-- ---- singular values and eigenvalues ----

local read_svd = signature("linalg_svd", {"A:Tensor!", "full_matrices:bool", "driver:str"},
    {full_matrices = true})

function L.svd(...)
    local A, full, driver = read_svd(...)
    if driver ~= nil then
        raise("RuntimeError", "torch.linalg.svd: keyword argument `driver=` is only supported on CUDA " ..
            "inputs with cuSOLVER backend.")
    end
    return rows.svd(A, full and 0 or 1)
end

local function is_upper(word)
    local letter = word:upper()
    if letter ~= "L" and letter ~= "U" then
        raise("RuntimeError", "Expected UPLO argument to be 'L' or 'U', but got %s", word)
    end
    return letter == "U"
end

local read_eigh = signature("linalg_eigh", {"input:Tensor!", "UPLO:str"}, {UPLO = "L"})
function L.eigh(...)
    local A, uplo = read_eigh(...)
    return rows.eigh(A, is_upper(uplo), true)
end

local read_eigvalsh = signature("linalg_eigvalsh", {"input:Tensor!", "UPLO:str"}, {UPLO = "L"})
function L.eigvalsh(...)
    local A, uplo = read_eigvalsh(...)
    return (rows.eigh(A, is_upper(uplo), false))
end

-- ---- pseudoinverses and ranks ----

-- A tolerance as a tensor in A's dtype; nil where none is given.
local function tolerance(A, value)
    if value == nil or torch.is_tensor(value) then return value end
    return torch.tensor(value, {dtype = A.dtype, device = A.device})
end

local read_pinv = signature("linalg_pinv",
    {"input:Tensor!", "rcond:Number", "hermitian:bool", "atol:Number", "rtol:Number"}, {hermitian = false})

function L.pinv(...)
    local A, rcond, hermitian, atol, rtol = read_pinv(...)
    if rtol == nil then rtol = rcond end
    return rows.pinv(A, tolerance(A, atol), tolerance(A, rtol), hermitian)
end

local read_rank = signature("linalg_matrix_rank",
    {"input:Tensor!", "tol:Number", "hermitian:bool", "atol:Number", "rtol:Number"},
    {hermitian = false})

function L.matrix_rank(...)
    local A, tol, hermitian, atol, rtol = read_rank(...)
    if tol ~= nil then atol, rtol = tol, 0. end
    return rows.matrix_rank(A, tolerance(A, atol), tolerance(A, rtol), hermitian)
end

-- ---- systems of equations ----

local DRIVERS = {gels = 0, gelsy = 1, gelsd = 2, gelss = 3}
local read_lstsq = signature("linalg_lstsq", {"input:Tensor!", "b:Tensor!", "rcond:float", "driver:str"})

-- Rows below the solution hold what is left of B; they count where every matrix has full rank.
local function residuals(A, B, X, ranks, driver)
    local m, n = A.shape[A.ndim - 2], A.shape[A.ndim - 1]
    local vectors = B.ndim == 1 or B.ndim < A.ndim
    if m <= n or driver == "gelsy" or (driver ~= "gels" and not ranks:eq(n):all():item()) then
        return X:new_empty({0})
    end
    local dim = vectors and -1 or -2
    return X:narrow(dim, n, m - n):pow(2):sum(dim)
end

function L.lstsq(...)
    local A, B, rcond, driver = read_lstsq(...)
    driver = driver or "gelsy"
    local code = DRIVERS[driver]
    if not code then
        raise("RuntimeError", "torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, " ..
            "gelsd, gelss)")
    end
    local X, ranks, S = rows.lstsq(A, B, rcond or 0/0, code)
    local left = residuals(A, B, X, ranks, driver)
    local vectors = B.ndim == 1 or B.ndim < A.ndim
    X = X:narrow(vectors and -1 or -2, 0, A.shape[A.ndim - 1])
    return torch._returns("linalg_lstsq", rows.lstsq_solution(A, B, X), rows.lstsq_residuals(A, B, left),
        ranks, S)
end

local read_triangular = signature("linalg_solve_triangular",
    {"input:Tensor!", "B:Tensor!", "upper:bool", "left:bool", "unitriangular:bool"},
    {left = true, unitriangular = false})

function L.solve_triangular(...)
    local A, B, upper, left, unitriangular = read_triangular(...)
    if upper == nil then
        raise("TypeError", 'linalg_solve_triangular() missing 1 required positional arguments: "upper"')
    end
    return rows.solve_triangular(A, B, upper, left, unitriangular)
end

return L
