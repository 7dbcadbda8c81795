-- init: hangs the library's Lua files on torch, each loaded at the first touch of its name.
-- Called with the table torch and a function that raises the error for a name it does not have.
local torch, missing = ...

local homes = {nn = "torch.nn", autograd = "torch.autograd", func = "torch.func", optim = "torch.optim",
    utils = "torch.utils", progress = "torch.progress", linalg = "torch.linalg", special = "torch.special"}

-- Functions written in Lua, and methods of tensors written in Lua.
local functions = {
    ["torch.tensor.shape"] = "broadcast_shapes broadcast_tensors broadcast_to tile fliplr flipud " ..
        "atleast_1d atleast_2d atleast_3d hstack vstack dstack column_stack row_stack block_diag " ..
        "tensor_split hsplit vsplit dsplit cartesian_prod combinations diagflat tril_indices " ..
        "triu_indices unravel_index",
    ["torch.tensor.statistics"] = "aminmax nanmean msort quantile nanquantile cov corrcoef histogram " ..
        "histogramdd",
    ["torch.tensor.calculus"] = "diff trapezoid trapz cumulative_trapezoid float_power searchsorted",
    ["torch.tensor.forms"] = "split_with_sizes adjoint positive vander is_nonzero is_same_size " ..
        "unsafe_split unsafe_split_with_sizes unsafe_chunk real imag conj conj_physical conj_physical_ " ..
        "resolve_conj resolve_neg is_conj is_neg is_distributed",
    ["torch.tensor.make"] = "hamming_window hann_window blackman_window bartlett_window kaiser_window range " ..
        "scalar_tensor empty_permuted",
    ["torch.tensor.elements"] = "nonzero_static isreal gradient typename set_float32_matmul_precision " ..
        "get_float32_matmul_precision use_deterministic_algorithms are_deterministic_algorithms_enabled",
    ["torch.tensor.products"] = "tensordot einsum matrix_power",
    ["torch.autograd.func"] = "vmap",
    ["torch.tensor.linalg"] = "svd qr pinverse lu lu_solve lu_unpack chain_matmul svd_lowrank pca_lowrank",
    ["torch.functional.recurrent"] = "rnn_tanh rnn_relu lstm gru rnn_tanh_cell rnn_relu_cell lstm_cell " ..
        "gru_cell",
    ["torch.functional.top"] = "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d " ..
        "max_pool1d max_pool2d max_pool3d max_pool1d_with_indices avg_pool1d adaptive_avg_pool1d " ..
        "adaptive_max_pool1d batch_norm instance_norm layer_norm group_norm rms_norm embedding dropout " ..
        "dropout_ alpha_dropout alpha_dropout_ feature_dropout feature_dropout_ feature_alpha_dropout " ..
        "feature_alpha_dropout_ threshold threshold_ prelu rrelu rrelu_ hardshrink celu celu_ " ..
        "binary_cross_entropy_with_logits kl_div poisson_nll_loss hinge_embedding_loss margin_ranking_loss " ..
        "cosine_embedding_loss triplet_margin_loss ctc_loss cosine_similarity pairwise_distance bilinear " ..
        "channel_shuffle native_channel_shuffle",
}
functions["torch.teach.explain"] = "explain"
functions["torch.teach.trace"] = "trace_element"
functions["torch.teach.graph"] = "graph"
functions["torch.help"] = "help"
local methods = {
    ["torch.tensor.shape"] = "broadcast_to tile fliplr flipud tensor_split hsplit vsplit dsplit diagflat",
    ["torch.tensor.statistics"] = "aminmax nanmean msort quantile nanquantile cov corrcoef histogram",
    ["torch.tensor.calculus"] = "diff float_power",
    ["torch.tensor.forms"] = "reshape_as split_with_sizes adjoint positive float_power_ is_nonzero " ..
        "is_same_size unsafe_split unsafe_split_with_sizes unsafe_chunk conj conj_physical conj_physical_ " ..
        "resolve_conj resolve_neg is_conj is_neg is_distributed is_pinned is_shared prelu hardshrink",
    ["torch.tensor.make"] = "new",
    ["torch.tensor.elements"] = "apply_ map_ map2_ fill_diagonal_ nonzero_static isreal dim_order",
    ["torch.tensor.products"] = "matrix_power",
    ["torch.tensor.linalg"] = "svd qr pinverse lu lu_solve",
}

-- The row takes what PyTorch's keywords side and sorter say only after Lua has read them.
torch._searchsorted, torch.searchsorted = torch.searchsorted, nil

torch._nn.pdist = torch.pdist
torch.nan, torch.inf, torch.pi, torch.e = -(0 / 0), math.huge, math.pi, math.exp(1)

-- Methods that PyTorch has as functions too.
for name in ("detach detach_ fill_ zero_ index_put_ as_strided_ clamp_min_ clamp_max_ gcd_ lcm_ ldexp_ logit_ " ..
    "nan_to_num_ xlogy_ addmv_ get_device"):gmatch("%S+") do
    torch[name] = torch._methods[name]
end

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
