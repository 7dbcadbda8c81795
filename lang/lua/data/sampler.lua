-- Samplers: in which order a DataLoader takes samples. sampler:order() is an int64 tensor of sample numbers.
local torch = require "torch"
local support = require "torch.support"
local class = require "torch.nn.class"
local raise, signature, option = support.raise, support.signature, support.option

-- pairs(sampler) gives 0, its first number; 1, its second; …
local function metatable(Class)
    return {
        __name = Class._name,
        __class = Class,
        __index = Class,
        __len = function(self) return Class.__len(self) end,
        __pairs = function(self)
            local i, numbers = -1, self:order():tolist()
            return function()
                i = i + 1
                if numbers[i + 1] then return i, numbers[i + 1] end
            end
        end,
        __tostring = function() return ("<%s object>"):format(Class._name) end,
    }
end

local Sampler = class.root("Sampler", function() return {} end, metatable)

function Sampler:__len()
    return self:order():numel()
end

-- A fresh seed from the default generator, as PyTorch draws one.
local function drawn_seed(generator)
    return torch.empty({}, {dtype = torch.int64}):random_(option("generator", generator)):item()
end

local SequentialSampler = class.derive("SequentialSampler", Sampler)
function SequentialSampler:init(data_source) self.data_source = data_source end
function SequentialSampler:order() return torch.arange(#self.data_source) end
function SequentialSampler:__len() return #self.data_source end

local RandomSampler = class.derive("RandomSampler", Sampler)
local read_random = signature("RandomSampler.__init__",
    {"data_source!", "replacement", "num_samples", "generator"}, {replacement = false})

function RandomSampler:init(...)
    self.data_source, self.replacement, self.num_samples, self.generator = read_random(...)
    local n = self.num_samples
    if n ~= nil and (math.type(n) ~= "integer" or n <= 0) then
        raise("ValueError", "num_samples should be a positive integer value, but got num_samples=%s",
            support.repr(n))
    end
end

function RandomSampler:__len()
    return self.num_samples or #self.data_source
end

function RandomSampler:order()
    local generator = self.generator
    if generator == nil then
        generator = torch.Generator()
        generator:manual_seed(drawn_seed())
    end
    local n, wanted, pieces = #self.data_source, #self, {}
    if self.replacement then
        for _ = 1, wanted // 32 do
            pieces[#pieces + 1] = torch.randint(n, {32}, option("generator", generator))
        end
        if wanted % 32 > 0 then
            pieces[#pieces + 1] = torch.randint(n, {wanted % 32}, option("generator", generator))
        end
    else
        for _ = 1, wanted // math.max(n, 1) do
            pieces[#pieces + 1] = torch.randperm(n, option("generator", generator))
        end
        if wanted % math.max(n, 1) > 0 then
            pieces[#pieces + 1] = torch.randperm(n, option("generator", generator)):narrow(0, 0, wanted % n)
        end
    end
    if #pieces == 0 then return torch.arange(0) end
    return #pieces == 1 and pieces[1] or torch.cat(pieces)
end

local SubsetRandomSampler = class.derive("SubsetRandomSampler", Sampler)
local read_subset = signature("SubsetRandomSampler.__init__", {"indices!", "generator"})
function SubsetRandomSampler:init(...) self.indices, self.generator = read_subset(...) end
function SubsetRandomSampler:__len() return #self.indices end
function SubsetRandomSampler:order()
    local numbers = torch.is_tensor(self.indices) and self.indices or
        torch.tensor(self.indices, {dtype = torch.int64})
    return numbers:index_select(0, torch.randperm(#self.indices, option("generator", self.generator)))
end

local WeightedRandomSampler = class.derive("WeightedRandomSampler", Sampler)
local read_weighted = signature("WeightedRandomSampler.__init__",
    {"weights!", "num_samples!", "replacement", "generator"}, {replacement = true})
function WeightedRandomSampler:init(...)
    self.weights, self.num_samples, self.replacement, self.generator = read_weighted(...)
    self.weights = torch.as_tensor(self.weights, {dtype = torch.float64})
end
function WeightedRandomSampler:__len() return self.num_samples end
function WeightedRandomSampler:order()
    return torch.multinomial(self.weights, self.num_samples, self.replacement,
        option("generator", self.generator))
end

return {Sampler = Sampler, SequentialSampler = SequentialSampler, RandomSampler = RandomSampler,
    SubsetRandomSampler = SubsetRandomSampler, WeightedRandomSampler = WeightedRandomSampler,
        drawn_seed = drawn_seed}
