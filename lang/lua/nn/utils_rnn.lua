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
        raise("RuntimeError", "pad_sequence: Expected iterable for input sequences, but got arg of type: %s",
            support.type_word(sequences))
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
