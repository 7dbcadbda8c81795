-- DataLoader: batches of a dataset in order or shuffled, with PyTorch's draws.
--
--     for i, x, y in pairs(DataLoader(TensorDataset(X, y), {batch_size = 64, shuffle = true})) do … end
--
-- i counts from 0; what follows are the batch's values, one for each value of a sample.
local torch = require "torch"
local support = require "torch.support"
local class = require "torch.nn.class"
local sampler = require "torch.data.sampler"
local raise, option = support.raise, support.option

-- ---- collating ----

local collate

local function is_list(v)
    return type(v) == "table" and getmetatable(v) == nil and #v > 0
end

-- A list of tables of the same fields as one table of collated fields.
local function collate_fields(samples, fields, walk)
    local batch = {}
    for key in walk(fields) do
        local column = {}
        for i, sample in ipairs(samples) do
            column[i] = sample[key]
            if column[i] == nil then
                raise("RuntimeError", "each element in list of batch should be of equal size")
            end
        end
        batch[key] = collate(column)
    end
    return batch
end

-- default_collate: samples, a list, as one batch: tensors stacked, numbers made tensors, tables field by
-- field.
function collate(samples)
    local first = samples[1]
    if torch.is_tensor(first) then return torch.stack(samples, 0) end
    if math.type(first) == "float" then return torch.tensor(samples, {dtype = torch.float64}) end
    if type(first) == "number" or type(first) == "boolean" then return torch.tensor(samples) end
    if type(first) == "string" then return samples end
    if is_list(first) then return collate_fields(samples, first, ipairs) end
    if type(first) == "table" and getmetatable(first) == nil then
        return collate_fields(samples, first, pairs)
    end
    raise("TypeError", "default_collate: batch must contain tensors, numbers, dicts or lists; found %s",
        support.type_word(first))
end

-- ---- the loader ----

local DataLoader

local function metatable(Class)
    return {
        __name = Class._name,
        __class = Class,
        __index = Class,
        __len = function(self) return Class.__len(self) end,
        __pairs = function(self) return Class.__iterate(self) end,
        __tostring = function() return "<DataLoader object>" end,
    }
end

DataLoader = class.root("DataLoader", function() return {} end, metatable)

local read_loader = support.signature("DataLoader.__init__",
    {"dataset!", "batch_size", "shuffle", "sampler", "batch_sampler", "num_workers", "collate_fn",
        "pin_memory", "drop_last",
        "timeout", "worker_init_fn", "multiprocessing_context", "generator", "prefetch_factor",
            "persistent_workers", "pin_memory_device"},
    {batch_size = 1, shuffle = false, num_workers = 0, drop_last = false})

-- batch_size false: single samples, not batches. num_workers and what goes with it is accepted; loading is
-- never slower than the step here, so that there are no workers.
function DataLoader:init(...)
    local _
    self.dataset, self.batch_size, self.shuffle, self.sampler, self.batch_sampler, self.num_workers,
        self.collate_fn, _,
        self.drop_last, _, _, _, self.generator = read_loader(...)
    if self.sampler and self.shuffle then
        raise("ValueError", "sampler option is mutually exclusive with shuffle")
    end
    if self.num_workers < 0 then
        raise("ValueError", "num_workers option should be non-negative; use num_workers=0 to disable " ..
            "multiprocessing.")
    end
    if self.batch_sampler and (self.shuffle or self.sampler or self.drop_last or self.batch_size ~= 1) then
        raise("ValueError", "batch_sampler option is mutually exclusive with batch_size, shuffle, " ..
            "sampler, and drop_last")
    end
    local size = self.batch_size
    if size and (math.type(size) ~= "integer" or size <= 0) then
        raise("ValueError", "batch_size should be a positive integer value, but got batch_size=%s",
            support.repr(size))
    end
    if type(self.drop_last) ~= "boolean" then
        raise("ValueError", "drop_last should be a boolean value, but got drop_last=%s",
            support.repr(self.drop_last))
    end
    if not self.sampler then
        self.sampler = self.shuffle and sampler.RandomSampler(self.dataset,
            option("generator", self.generator)) or
            sampler.SequentialSampler(self.dataset)
        if self.shuffle and #self.dataset == 0 then
            raise("ValueError", "num_samples should be a positive integer value, but got num_samples=0")
        end
    end
end

function DataLoader:__len()
    if self.batch_sampler then return #self.batch_sampler end
    local n, size = #self.sampler, self.batch_size
    if not size then return n end
    return self.drop_last and n // size or (n + size - 1) // size
end

-- A sampler's numbers as an int64 tensor; tables of numbers are samplers too.
local function order_of(source)
    if torch.is_tensor(source) then return source end
    if type(source) == "table" and getmetatable(source) == nil then
        return torch.tensor(source, {dtype = torch.int64})
    end
    if source.order then return source:order() end
    local numbers = {}
    for _, number in pairs(source) do numbers[#numbers + 1] = number end
    return torch.tensor(numbers, {dtype = torch.int64})
end

-- dataset[i]; a plain table of samples counts from 1.
local function sample(dataset, i)
    if type(dataset) == "table" and getmetatable(dataset) == nil then return dataset[i + 1] end
    return dataset[i]
end

local function values_of(batch)
    if is_list(batch) then return table.unpack(batch) end
    return batch
end

-- The batch of the samples whose numbers are in the tensor `order`.
local function fetch(self, order)
    if not self.collate_fn then
        local whole = type(self.dataset) == "table" and self.dataset._batch
        local batch = whole and whole(self.dataset, order)
        if batch then return table.unpack(batch) end
    end
    local samples = {}
    for k, i in ipairs(order:tolist()) do samples[k] = sample(self.dataset, i) end
    if self.collate_fn then return self.collate_fn(samples) end
    return values_of(collate(samples))
end

local function iterate_batches(self, batches)
    local i = -1
    local advance, state, control = pairs(batches)
    return function()
        local numbers
        control, numbers = advance(state, control)
        if control == nil then return nil end
        i = i + 1
        return i, fetch(self, order_of(numbers))
    end
end

-- pairs(loader). The first draw is the seed PyTorch gives its workers; the sampler draws next.
function DataLoader:__iterate()
    sampler.drawn_seed(self.generator)
    if self.batch_sampler then return iterate_batches(self, self.batch_sampler) end
    local order, i, size, count = order_of(self.sampler), -1, self.batch_size, #self
    local n = order:numel()
    return function()
        i = i + 1
        if i >= count then return nil end
        if not size then
            local one = sample(self.dataset, order[i]:item())
            if self.collate_fn then return i, self.collate_fn(one) end
            return i, values_of(one)
        end
        return i, fetch(self, order:narrow(0, i * size, math.min(size, n - i * size)))
    end
end

return {DataLoader = DataLoader, default_collate = collate}
