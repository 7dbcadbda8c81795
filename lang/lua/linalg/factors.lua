-- torch.linalg's factorisations whose options are words or may be left out, and what they give.
local torch = require "torch"
local support = require "torch.support"
local common = require "torch.tensor.common"
local rows = torch._linalg
local raise, signature, check_tensor = support.raise, support.signature, common.check_tensor

local L = {}

-- Raises PyTorch's TypeError unless value is a string (position 0: it came by name).
local function check_word(name, word, position, value)
    if type(value) ~= "string" then
        local where = position > 0 and (" (position %d)"):format(position) or ""
        raise("TypeError", "%s(): argument '%s'%s must be str, not %s", name, word, where,
            support.type_word(value))
    end
    return value
end

local function check_flag(name, word, position, value)
    if type(value) ~= "boolean" then
        raise("TypeError", "%s(): argument '%s' (position %d) must be bool, not %s", name, word, position,
            support.type_word(value))
    end
    return value
end

-- ---- QR ----

local QR_MODES = {reduced = 0, complete = 1, r = 2}
local read_qr = signature("linalg_qr", {"A!", "mode"}, {mode = "reduced"})

function L.qr(...)
    local A, mode = read_qr(...)
    check_tensor("linalg_qr", "A", 1, A)
    local code = QR_MODES[check_word("linalg_qr", "mode", 2, mode)]
    if not code then
        raise("RuntimeError", "qr received unrecognized mode '%s' but expected one of 'reduced' (default), " ..
            "'r', or 'complete'", mode)
    end
    return rows.qr(A, code)
end

-- ---- singular values and eigenvalues ----

local read_svd = signature("linalg_svd", {"A!", "full_matrices", "driver"}, {full_matrices = true})

function L.svd(...)
    local A, full, driver = read_svd(...)
    check_tensor("linalg_svd", "A", 1, A)
    check_flag("linalg_svd", "full_matrices", 2, full)
    if driver ~= nil then
        raise("RuntimeError", "torch.linalg.svd: keyword argument `driver=` is only supported on CUDA inputs " ..
            "with cuSOLVER backend.")
    end
    return rows.svd(A, full and 0 or 1)
end

local function is_upper(name, word)
    local letter = check_word(name, "UPLO", 2, word):upper()
    if letter ~= "L" and letter ~= "U" then
        raise("RuntimeError", "Expected UPLO argument to be 'L' or 'U', but got %s", word)
    end
    return letter == "U"
end

local read_eigh = signature("linalg_eigh", {"A!", "UPLO"}, {UPLO = "L"})
function L.eigh(...)
    local A, uplo = read_eigh(...)
    check_tensor("linalg_eigh", "A", 1, A)
    return rows.eigh(A, is_upper("linalg_eigh", uplo), true)
end

local read_eigvalsh = signature("linalg_eigvalsh", {"A!", "UPLO"}, {UPLO = "L"})
function L.eigvalsh(...)
    local A, uplo = read_eigvalsh(...)
    check_tensor("linalg_eigvalsh", "A", 1, A)
    return (rows.eigh(A, is_upper("linalg_eigvalsh", uplo), false))
end

-- ---- pseudoinverses and ranks ----

-- A tolerance as a tensor in A's dtype; nil where none is given.
local function tolerance(A, value)
    if value == nil or torch.is_tensor(value) then return value end
    return torch.tensor(value, {dtype = A.dtype, device = A.device})
end

local read_pinv = signature("linalg_pinv", {"A!", "rcond", "hermitian", "atol", "rtol"}, {hermitian = false})

function L.pinv(...)
    local A, rcond, hermitian, atol, rtol = read_pinv(...)
    check_tensor("linalg_pinv", "A", 1, A)
    if rtol == nil then rtol = rcond end
    return rows.pinv(A, tolerance(A, atol), tolerance(A, rtol), hermitian)
end

local read_rank = signature("linalg_matrix_rank", {"input!", "tol", "hermitian", "atol", "rtol"},
    {hermitian = false})

function L.matrix_rank(...)
    local A, tol, hermitian, atol, rtol = read_rank(...)
    check_tensor("linalg_matrix_rank", "input", 1, A)
    if tol ~= nil then atol, rtol = tol, 0. end
    return rows.matrix_rank(A, tolerance(A, atol), tolerance(A, rtol), hermitian)
end

-- ---- systems of equations ----

local DRIVERS = {gels = 0, gelsy = 1, gelsd = 2, gelss = 3}
local read_lstsq = signature("linalg_lstsq", {"input!", "b!", "rcond", "driver"})

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
    check_tensor("linalg_lstsq", "input", 1, A)
    check_tensor("linalg_lstsq", "b", 2, B)
    driver = driver == nil and "gelsy" or check_word("linalg_lstsq", "driver", 0, driver)
    local code = DRIVERS[driver]
    if not code then
        raise("RuntimeError", "torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)")
    end
    local X, ranks, S = rows.lstsq(A, B, rcond or 0/0, code)
    local left = residuals(A, B, X, ranks, driver)
    local vectors = B.ndim == 1 or B.ndim < A.ndim
    X = X:narrow(vectors and -1 or -2, 0, A.shape[A.ndim - 1])
    return torch._returns("linalg_lstsq", rows.lstsq_solution(A, B, X), rows.lstsq_residuals(A, B, left), ranks, S)
end

local read_triangular = signature("linalg_solve_triangular", {"A!", "B!", "upper", "left", "unitriangular"},
    {left = true, unitriangular = false})

function L.solve_triangular(...)
    local A, B, upper, left, unitriangular = read_triangular(...)
    check_tensor("linalg_solve_triangular", "A", 1, A)
    check_tensor("linalg_solve_triangular", "B", 2, B)
    if upper == nil then
        raise("TypeError", 'linalg_solve_triangular() missing 1 required positional arguments: "upper"')
    end
    return rows.solve_triangular(A, B, upper, left, unitriangular)
end

return L
