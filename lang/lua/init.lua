-- init: hangs the library's Lua files on torch, each loaded at the first touch of its name.
-- Called with the table torch and a function that raises the error for a name it does not have.
local torch, missing = ...

local homes = {nn = "torch.nn", autograd = "torch.autograd", optim = "torch.optim", utils = "torch.utils",
    progress = "torch.progress", linalg = "torch.linalg"}

-- Functions written in Lua, and methods of tensors written in Lua.
local functions = {
    ["torch.tensor.shape"] = "broadcast_shapes broadcast_tensors broadcast_to tile fliplr flipud " ..
        "atleast_1d atleast_2d atleast_3d hstack vstack dstack column_stack row_stack block_diag " ..
        "tensor_split hsplit vsplit dsplit cartesian_prod combinations diagflat tril_indices " ..
        "triu_indices unravel_index",
    ["torch.tensor.statistics"] = "aminmax nanmean msort quantile nanquantile cov corrcoef histogram",
    ["torch.tensor.calculus"] = "diff trapezoid trapz cumulative_trapezoid float_power searchsorted",
    ["torch.tensor.forms"] = "select_scatter diagonal_scatter split_with_sizes adjoint positive vander " ..
        "is_nonzero is_same_size",
    ["torch.tensor.products"] = "tensordot einsum matrix_power",
    ["torch.tensor.linalg"] = "svd qr pinverse lu lu_solve lu_unpack chain_matmul svd_lowrank pca_lowrank",
    ["torch.functional.recurrent"] = "rnn_tanh rnn_relu lstm gru rnn_tanh_cell rnn_relu_cell lstm_cell " ..
        "gru_cell",
}
local methods = {
    ["torch.tensor.shape"] = "broadcast_to tile fliplr flipud tensor_split hsplit vsplit dsplit diagflat",
    ["torch.tensor.statistics"] = "aminmax nanmean msort quantile nanquantile cov corrcoef histogram",
    ["torch.tensor.calculus"] = "diff float_power",
    ["torch.tensor.forms"] = "select_scatter diagonal_scatter reshape_as split_with_sizes adjoint " ..
        "positive float_power_ is_nonzero is_same_size",
    ["torch.tensor.products"] = "matrix_power",
    ["torch.tensor.linalg"] = "svd qr pinverse lu lu_solve",
}

-- The row takes what PyTorch's keywords side and sorter say only after Lua has read them.
torch._searchsorted, torch.searchsorted = torch.searchsorted, nil

for home, names in pairs(functions) do
    for name in names:gmatch("%S+") do homes[name] = home end
end
for home, names in pairs(methods) do
    for name in names:gmatch("%S+") do
        torch._methods[name] = function(...) return require(home)[name](...) end
    end
end

setmetatable(torch, {
    __index = function(t, name)
        local home = homes[name]
        if not home then return missing(t, name) end
        local value = require(home)
        if functions[home] then value = value[name] end
        rawset(t, name, value)
        return value
    end,
    names = homes,
})
