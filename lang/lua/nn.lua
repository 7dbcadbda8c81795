-- torch.nn: modules, each file loaded at the first use of one of its names.
local support = require "torch.support"

local nn = {functional = require "torch.functional"}

return support.lazy("torch.nn", nn, {
    ["nn.names"] = "class Module Parameter init utils",
    ["nn.linear"] = "Identity Linear Bilinear",
    ["nn.container"] = "Sequential ModuleList ModuleDict ParameterList ParameterDict",
    ["nn.activation"] = "ReLU ReLU6 SELU SiLU Mish Hardswish Hardsigmoid LeakyReLU ELU CELU Hardtanh " ..
        "Threshold Softplus GELU GLU " ..
        "Softmax LogSoftmax Softmin Softmax2d Sigmoid Tanh LogSigmoid Softsign Tanhshrink Hardshrink " ..
            "Softshrink RReLU PReLU",
    ["nn.dropout"] = "Dropout Dropout1d Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout",
    ["nn.pool"] = "MaxPool1d MaxPool2d MaxPool3d AvgPool1d AvgPool2d AvgPool3d AdaptiveAvgPool1d " ..
        "AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d " ..
        "MaxUnpool1d MaxUnpool2d MaxUnpool3d LPPool1d LPPool2d LPPool3d",
    ["nn.pad"] = "ZeroPad1d ZeroPad2d ZeroPad3d ConstantPad1d ConstantPad2d ConstantPad3d ReflectionPad1d " ..
        "ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d ReplicationPad3d CircularPad1d " ..
        "CircularPad2d CircularPad3d",
    ["nn.fold"] = "Fold Unfold PixelShuffle PixelUnshuffle ChannelShuffle",
    ["nn.batch"] = "BatchNorm1d BatchNorm2d BatchNorm3d InstanceNorm1d InstanceNorm2d InstanceNorm3d " ..
        "GroupNorm",
    ["nn.conv"] = "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d",
    ["nn.norm"] = "LayerNorm RMSNorm LocalResponseNorm",
    ["nn.embedding"] = "Embedding EmbeddingBag",
    ["nn.attention"] = "MultiheadAttention",
    ["nn.transformer"] = "Transformer TransformerEncoder TransformerEncoderLayer TransformerDecoder " ..
        "TransformerDecoderLayer",
    ["nn.upsample"] = "Upsample UpsamplingNearest2d UpsamplingBilinear2d",
    ["nn.recurrent"] = "RNN LSTM GRU RNNCell LSTMCell GRUCell",
    ["nn.flatten"] = "Flatten Unflatten",
    ["nn.loss"] = "MSELoss L1Loss SmoothL1Loss HuberLoss BCELoss BCEWithLogitsLoss NLLLoss " ..
        "CrossEntropyLoss KLDivLoss " ..
        "PoissonNLLLoss GaussianNLLLoss HingeEmbeddingLoss MarginRankingLoss SoftMarginLoss " ..
            "CosineEmbeddingLoss MultiMarginLoss " ..
        "TripletMarginLoss CosineSimilarity PairwiseDistance CTCLoss " ..
        "MultiLabelMarginLoss MultiLabelSoftMarginLoss TripletMarginWithDistanceLoss",
})
