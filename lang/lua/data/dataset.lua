-- Datasets: Dataset to derive from, TensorDataset, Subset, ConcatDataset, random_split. Samples count from 0.
--
-- A class derived from Dataset has the methods __getitem(i), which returns a sample's values, and __len(). A
-- sample of several values is a table of them where one value is wanted: dataset[0] is {x, y}.
local torch = require "torch"
local support = require "torch.support"
local class = require "torch.nn.class"
local raise, option = support.raise, support.option

local function packed(first, ...)
    if select("#", ...) == 0 then return first end
    return {first, ...}
end

-- Python's spelling of the two methods serves as well.
local function method(Class, name)
    return Class[name] or Class[name .. "__"]
end

local function metatable(Class)
    return {
        __name = Class._name,
        __class = Class,
        __index = function(self, key)
            if math.type(key) ~= "integer" then return Class[key] end
            local get = method(Class, "__getitem")
            if not get then
                raise("NotImplementedError", "Subclasses of Dataset should implement __getitem.")
            end
            return packed(get(self, key))
        end,
        __len = function(self)
            local length = method(Class, "__len")
            if not length then raise("TypeError", "object of type '%s' has no len()", Class._name) end
            return length(self)
        end,
        __pairs = function(self)
            local i, n = -1, #self
            return function()
                i = i + 1
                if i < n then return i, self[i] end
            end
        end,
        __tostring = function() return ("<%s object>"):format(Class._name) end,
    }
end

local Dataset = class.root("Dataset", function() return {} end, metatable)

local function wrapped(i, n)
    if i < -n or i >= n then
        raise("IndexError", "index %d is out of bounds for dimension 0 with size %d", i, n)
    end
    return i % n
end

-- ---- tensors whose first dim counts samples ----

local TensorDataset = class.derive("TensorDataset", Dataset)

function TensorDataset:init(...)
    self.tensors = {...}
    if #self.tensors == 0 then raise("IndexError", "tuple index out of range") end
    for _, t in ipairs(self.tensors) do
        if not torch.is_tensor(t) then
            raise("TypeError", "TensorDataset(): arguments must be Tensor, not %s", support.type_word(t))
        end
        if t.ndim == 0 or #t ~= #self.tensors[1] then
            raise("AssertionError", "Size mismatch between tensors")
        end
    end
end

function TensorDataset:__getitem(i)
    local values = {}
    for k, t in ipairs(self.tensors) do values[k] = t[i] end
    return values
end

function TensorDataset:__len()
    return #self.tensors[1]
end

-- The samples at `order` (an int64 tensor of their numbers) as one tensor each: what stacking them one by one
-- gives.
function TensorDataset:_batch(order)
    local values = {}
    for k, t in ipairs(self.tensors) do values[k] = t:index_select(0, order) end
    return values
end

-- ---- parts and sums of datasets ----

local Subset = class.derive("Subset", Dataset)
local read_subset = support.signature("Subset.__init__", {"dataset!", "indices!"})

-- indices: a table of sample numbers, or an integer tensor.
function Subset:init(...)
    local dataset, indices = read_subset(...)
    self.dataset = dataset
    self.indices = torch.is_tensor(indices) and indices:tolist() or indices
end

function Subset:__getitem(i)
    return self.dataset[self.indices[wrapped(i, #self.indices) + 1]]
end

function Subset:__len()
    return #self.indices
end

-- Rows of a TensorDataset are picked at once here too.
function Subset:_batch(order)
    if not self.dataset._batch then return nil end
    self._order = self._order or torch.tensor(self.indices, {dtype = torch.int64})
    return self.dataset:_batch(self._order:index_select(0, order))
end

local ConcatDataset = class.derive("ConcatDataset", Dataset)

function ConcatDataset:init(datasets)
    if #datasets == 0 then raise("AssertionError", "datasets should not be an empty iterable") end
    self.datasets, self.cumulative_sizes = datasets, {}
    local total = 0
    for i, dataset in ipairs(datasets) do
        total = total + #dataset
        self.cumulative_sizes[i] = total
    end
end

function ConcatDataset:__getitem(i)
    i = wrapped(i, #self)
    local before = 0
    for k, upto in ipairs(self.cumulative_sizes) do
        if i < upto then return self.datasets[k][i - before] end
        before = upto
    end
end

function ConcatDataset:__len()
    return self.cumulative_sizes[#self.cumulative_sizes]
end

-- ---- random_split ----

local function lengths_of_fractions(fractions, n)
    local lengths, total = {}, 0
    for i, fraction in ipairs(fractions) do
        if fraction < 0 or fraction > 1 then
            raise("ValueError", "Fraction at index %d is not between 0 and 1", i - 1)
        end
        lengths[i] = math.floor(n * fraction)
        total = total + lengths[i]
    end
    for i = 0, n - total - 1 do
        local k = i % #lengths + 1
        lengths[k] = lengths[k] + 1
    end
    return lengths
end

local read_split = support.signature("random_split", {"dataset!", "lengths!", "generator"})

-- Subsets of the given lengths (or fractions that add up to 1), drawn without overlap; a table counted from
-- 1.
local function random_split(...)
    local dataset, lengths, generator = read_split(...)
    local n, sum = #dataset, 0
    for _, length in ipairs(lengths) do sum = sum + length end
    if math.abs(sum - 1) < 1e-9 and sum <= 1 + 1e-9 and math.type(sum) == "float" then
        lengths, sum = lengths_of_fractions(lengths, n), n
    end
    if sum ~= n then
        raise("ValueError", "Sum of input lengths does not equal the length of the input dataset!")
    end
    local order = torch.randperm(n, option("generator", generator)):tolist()
    local parts, from = {}, 1
    for i, length in ipairs(lengths) do
        parts[i] = Subset(dataset, table.move(order, from, from + length - 1, 1, {}))
        from = from + length
    end
    return parts
end

return {Dataset = Dataset, TensorDataset = TensorDataset, Subset = Subset, ConcatDataset = ConcatDataset,
    random_split = random_split}
