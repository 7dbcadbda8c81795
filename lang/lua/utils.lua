-- torch.utils and torch.utils.data, each file loaded at the first use of one of its names.
local support = require "torch.support"

local data = support.lazy("torch.utils.data", {}, {
    ["data.dataset"] = "Dataset TensorDataset Subset ConcatDataset random_split",
    ["data.sampler"] = "Sampler SequentialSampler RandomSampler SubsetRandomSampler WeightedRandomSampler",
    ["data.loader"] = "DataLoader default_collate",
    ["data.files"] = "read_csv read_idx",
})

local checkpoint = support.lazy("torch.utils.checkpoint", {}, {
    ["autograd.checkpoint"] = "checkpoint checkpoint_sequential",
})

return support.lazy("torch.utils", {data = data, checkpoint = checkpoint}, {})
