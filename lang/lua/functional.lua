-- torch.nn.functional (F): some of the op table's rows, and files loaded at the first use of a name.
local torch = require "torch"
local support = require "torch.support"

local F = support.lazy("torch.nn.functional", {}, {
    ["functional.activation"] = "relu relu_ leaky_relu leaky_relu_ elu elu_ celu celu_ selu selu_ silu " ..
        "mish hardswish hardsigmoid " ..
        "threshold threshold_ logsigmoid softsign hardshrink softshrink softplus tanhshrink hardtanh " ..
            "hardtanh_ relu6 sigmoid tanh " ..
        "gelu glu prelu rrelu rrelu_ softmax log_softmax softmin gumbel_softmax",
    ["functional.dropout"] = "dropout dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout " ..
        "_feature_dropout",
    ["functional.loss"] = "mse_loss l1_loss smooth_l1_loss huber_loss binary_cross_entropy " ..
        "binary_cross_entropy_with_logits nll_loss " ..
        "cross_entropy kl_div poisson_nll_loss gaussian_nll_loss hinge_embedding_loss " ..
            "margin_ranking_loss soft_margin_loss " ..
        "cosine_embedding_loss multi_margin_loss triplet_margin_loss multilabel_margin_loss " ..
        "multilabel_soft_margin_loss triplet_margin_with_distance_loss",
    ["functional.ctc"] = "ctc_loss",
    ["functional.distance"] = "normalize cosine_similarity pairwise_distance",
    ["functional.pool"] = "max_pool1d max_pool2d max_pool3d max_pool1d_with_indices " ..
        "max_pool2d_with_indices max_pool3d_with_indices avg_pool1d avg_pool2d avg_pool3d " ..
            "adaptive_avg_pool1d " ..
        "adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d " ..
            "adaptive_max_pool3d " ..
        "adaptive_max_pool1d_with_indices adaptive_max_pool2d_with_indices " ..
            "adaptive_max_pool3d_with_indices " ..
        "max_unpool1d max_unpool2d max_unpool3d lp_pool1d lp_pool2d lp_pool3d",
    ["functional.pad"] = "pad",
    ["functional.fold"] = "fold unfold pixel_shuffle pixel_unshuffle channel_shuffle",
    ["functional.batch"] = "batch_norm group_norm instance_norm",
    ["functional.conv"] = "conv1d conv2d conv3d",
    ["functional.norm"] = "layer_norm rms_norm local_response_norm",
    ["functional.attention"] = "scaled_dot_product_attention multi_head_attention_forward _canonical_mask",
    ["functional.resample"] = "interpolate upsample upsample_nearest upsample_bilinear",
    ["functional.embedding"] = "embedding embedding_bag",
    ["functional.grid"] = "affine_grid grid_sample",
    ["functional.bilinear"] = "bilinear",
})

-- Rows that are what PyTorch's F has as they stand; the others in torch._nn are parts of functions.
for _, name in ipairs {"one_hot", "linear", "pdist", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"} do
    F[name] = torch._nn[name]
end

return F
