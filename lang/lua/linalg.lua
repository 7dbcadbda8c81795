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

local docs = {}
for line in ([[
qr(A, mode='reduced'): Q and R with A = Q R; mode is 'reduced', 'complete', or 'r' for R alone
svd(A, full_matrices=true, driver=nil): U, the singular values in descending order, and Vh, with A = U S Vh
eigh(A, UPLO='L'): the eigenvalues of a symmetric A in ascending order, and its eigenvectors
eigvalsh(A, UPLO='L'): the eigenvalues of a symmetric A in ascending order
lstsq(A, B, rcond=nil, driver=nil): the X nearest to A X = B, residuals, ranks and singular values
pinv(A, rcond=nil, hermitian=false, atol=nil, rtol=nil): the pseudoinverse of A
matrix_rank(A, tol=nil, hermitian=false, atol=nil, rtol=nil): how many singular values exceed a tolerance
solve_triangular(A, B, upper, left=true, unitriangular=false): solve that reads one triangle of A
norm(A, ord=nil, dim=nil, keepdim=false, dtype=nil): a norm of a vector or matrix
vector_norm(x, ord=2, dim=nil, keepdim=false, dtype=nil): the norm of order ord of the elements
matrix_norm(A, ord='fro', dim=(-2, -1), keepdim=false, dtype=nil): a norm of matrices
cond(A, p=nil): the condition number of A in the norm p
matmul(A, B): the product of matrices and vectors
multi_dot(tensors): the product of matrices, multiplied in the cheapest order
matrix_power(A, n): A multiplied with itself n times; negative powers are the inverse's
vecdot(x, y, dim=-1): the dot products of vectors along dim
cross(x, y, dim=-1): the cross products of vectors of three elements along dim
diagonal(A, offset=0, dim1=-2, dim2=-1): the diagonals of matrices
vander(x, N=nil): the powers of x's elements, from 0 on, along a new last dim
tensorinv(A, ind=2): the inverse of A as a map between tensors
tensorsolve(A, B, dims=nil): X with tensordot(A, X) = B
lu_solve(LU, pivots, B, left=true, adjoint=false): X with A X = B, from A's LU factors
ldl_solve(LD, pivots, B, hermitian=false): X with A X = B, from A's LDL factors
]]):gmatch("[^\n]+") do
    local call, text = line:match("^(.-%)): (.*)$")
    docs[call:match("^%w[%w_]*")] = ("torch.linalg.%s\n    %s\n"):format(call, text)
end
meta.docs = docs

return linalg
