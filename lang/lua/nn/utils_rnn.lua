-- torch.nn.utils.rnn: sequences of several lengths as one tensor, and back.
local torch = require "torch"
local support = require "torch.support"
local raise, signature = support.raise, support.signature

local rnn = {}

local read_pad = signature("pad_sequence", {"sequences!", "batch_first", "padding_value", "padding_side"},
    {batch_first = false, padding_value = 0.0, padding_side = "right"})

-- Tensors (length, …) as one (longest, n, …), with batch_first (n, longest, …).
function rnn.pad_sequence(...)
    local sequences, batch_first, value, side = read_pad(...)
    if torch.is_tensor(sequences) then sequences = sequences:unbind(0) end
    if type(sequences) ~= "table" then
        raise("RuntimeError", "pad_sequence: Expected iterable for input sequences, but got arg of type: " ..
            "<class '%s'>", support.type_word(sequences))
    end
    if #sequences == 0 then raise("RuntimeError", "received an empty list of sequences") end
    if side ~= "left" and side ~= "right" then
        raise("RuntimeError", 'Expected padding_side to be one of left or right, but got %s.', tostring(side))
    end
    local longest = 0
    for _, t in ipairs(sequences) do longest = math.max(longest, t.shape[0]) end
    local padded = {}
    for i, t in ipairs(sequences) do
        local room, pad = longest - t.shape[0], {}
        for d = 1, 2 * (t.ndim - 1) do pad[d] = 0 end
        table.insert(pad, side == "left" and room or 0)
        table.insert(pad, side == "left" and 0 or room)
        padded[i] = torch.constant_pad_nd(t, pad, value)
    end
    return torch.stack(padded, batch_first and 0 or 1)
end

-- ---- packed: at each step only the sequences that are not over ----

local Packed = {__name = "PackedSequence"}
Packed.__index = Packed

function Packed:__tostring()
    return ("PackedSequence(data=%s, batch_sizes=%s, sorted_indices=%s, unsorted_indices=%s)"):format(
        self.data, self.batch_sizes, self.sorted_indices or "None", self.unsorted_indices or "None")
end

function Packed:to(...)
    return rnn.PackedSequence(self.data:to(...), self.batch_sizes, self.sorted_indices, self.unsorted_indices)
end

function rnn._is_packed(v) return getmetatable(v) == Packed end

local function inverse(order)
    return order ~= nil and torch.empty_like(order):scatter_(0, order, torch.arange(order:numel())) or nil
end

-- data (all steps, …), batch_sizes (steps): the rows of step t follow those of step t - 1. sorted_indices: in
-- which order the sequences stand, unsorted_indices: how to undo it.
function rnn.PackedSequence(data, batch_sizes, sorted_indices, unsorted_indices)
    if batch_sizes == nil then raise("AssertionError", "Expected data to be a list or tuple of length 2") end
    return setmetatable({data = data, batch_sizes = batch_sizes, sorted_indices = sorted_indices,
        unsorted_indices = unsorted_indices or inverse(sorted_indices)}, Packed)
end

local function check_lengths(input, list, batch)
    if input:numel() == 0 then raise("RuntimeError", "Cannot pack empty tensors.") end
    if #list ~= batch then
        raise("RuntimeError", "Expected `len(lengths)` to be equal to batch_size, but got %d (batch_size=%d)",
            #list, batch)
    end
    if list[#list] <= 0 then
        raise("RuntimeError", "Length of all samples has to be greater than 0, but found an element in " ..
            "'lengths' that is <= 0")
    end
    for k = 2, #list do
        if list[k] > list[k - 1] then
            raise("RuntimeError", "`lengths` array must be sorted in decreasing order when " ..
                "`enforce_sorted` is True. You can pass `enforce_sorted=False` to pack_padded_sequence and/or " ..
                "pack_sequence to sidestep this requirement if you do not need ONNX exportability.")
        end
    end
end

-- How many sequences of these lengths, longest first, are not over at each step.
local function sizes_of_steps(lengths)
    local sizes, alive = {}, #lengths
    for t = 1, lengths[1] do
        while lengths[alive] < t do alive = alive - 1 end
        sizes[t] = alive
    end
    return sizes
end

-- Where the rows of packed data stand in a tensor (steps * batch, …).
local function places(sizes, batch)
    local at = {}
    for t, size in ipairs(sizes) do
        for k = 0, size - 1 do at[#at + 1] = (t - 1) * batch + k end
    end
    return torch.tensor(at)
end

local read_pack = signature("pack_padded_sequence", {"input!", "lengths!", "batch_first", "enforce_sorted"},
    {batch_first = false, enforce_sorted = true})

-- input (longest, n, …), with batch_first (n, longest, …); lengths a tensor (n) or a table.
function rnn.pack_padded_sequence(...)
    local input, lengths, batch_first, enforce_sorted = read_pack(...)
    local order
    if not torch.is_tensor(lengths) then lengths = torch.tensor(lengths) end
    if batch_first then input = input:transpose(0, 1) end
    if not enforce_sorted then
        lengths, order = lengths:sort(-1, true)
        input = input:index_select(1, order)
    end
    local list, batch = lengths:tolist(), input.shape[1]
    check_lengths(input, list, batch)
    local sizes = sizes_of_steps(list)
    local data = input:flatten(0, 1):index_select(0, places(sizes, batch):to(input.device))
    return rnn.PackedSequence(torch._named("PackPaddedSequenceBackward0", data), torch.tensor(sizes), order)
end

local read_pad_packed = signature("pad_packed_sequence",
    {"sequence!", "batch_first", "padding_value", "total_length"}, {batch_first = false, padding_value = 0.0})

-- The padded tensor (longest, n, …), with batch_first (n, longest, …), and the lengths (n).
function rnn.pad_packed_sequence(...)
    local packed, batch_first, value, total = read_pad_packed(...)
    local sizes, data = packed.batch_sizes:tolist(), packed.data
    local longest, batch, lengths = #sizes, sizes[1], {}
    if total ~= nil and total < longest then
        raise("ValueError", "Expected total_length to be at least the length of the longest sequence in input, " ..
            "but got total_length=%d and max sequence length being %d", total, longest)
    end
    for t, size in ipairs(sizes) do
        for k = 1, size do lengths[k] = t end
    end
    local shape = {(total or longest) * batch}
    for d = 2, data.ndim do shape[d] = data.shape[d - 1] end
    local flat = data:new_full(shape, value):index_copy(0, places(sizes, batch):to(data.device), data)
    local y, of = flat:unflatten(0, {total or longest, batch}), torch.tensor(lengths)
    if packed.unsorted_indices ~= nil then
        y, of = y:index_select(1, packed.unsorted_indices), of:index_select(0, packed.unsorted_indices)
    end
    return batch_first and y:transpose(0, 1) or y, of
end

local read_pack_sequence = signature("pack_sequence", {"sequences!", "enforce_sorted"},
    {enforce_sorted = true})

function rnn.pack_sequence(...)
    local sequences, enforce_sorted = read_pack_sequence(...)
    local lengths = {}
    for k, t in ipairs(sequences) do lengths[k] = t.shape[0] end
    return rnn.pack_padded_sequence(rnn.pad_sequence(sequences), lengths, false, enforce_sorted)
end

-- What pack_sequence was given.
function rnn.unpack_sequence(packed)
    return rnn.unpad_sequence(rnn.pad_packed_sequence(packed))
end

local read_unpad = signature("unpad_sequence", {"padded_sequences!", "lengths!", "batch_first"},
    {batch_first = false})

-- What pad_sequence was given, as a table; lengths (n).
function rnn.unpad_sequence(...)
    local padded, lengths, batch_first = read_unpad(...)
    local list = {}
    for i, t in ipairs(padded:unbind(batch_first and 0 or 1)) do
        list[i] = t:narrow(0, 0, math.tointeger(lengths[i - 1]:item()))
    end
    return list
end

return rnn
