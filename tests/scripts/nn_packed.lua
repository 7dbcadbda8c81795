-- Packed sequences; the .out file is what tests/oracle/nn_packed.py prints.
local rnn = nn.utils.rnn

local function text(t)
    local parts = {}
    for i, v in ipairs(t:detach():flatten():tolist()) do parts[i] = ("%.3g"):format(v) end
    return tostring(t.shape):match("%[.*%]") .. "\t" .. table.concat(parts, " ")
end

local function refusal(...)
    local _, what = pcall(...)
    print((what:gsub("^[^:]*:%d+: ", "")))
end

local x = torch.arange(12.0):view(4, 3)
local p = rnn.pack_padded_sequence(x, {4, 2, 1})
print(p)
local y, lengths = rnn.pad_packed_sequence(p, padding_value=-1, total_length=5)
print(text(y) .. " " .. text(lengths))
local q = rnn.pack_sequence({torch.ones(1), torch.ones(2)}, enforce_sorted=false)
print(q)
local back = rnn.unpack_sequence(q)
print(text(back[1]) .. " " .. text(back[2]))
print(rnn.pack_padded_sequence(x:clone():requires_grad_() * 2, {4, 2, 1}).data.grad_fn:name())
refusal(rnn.pack_padded_sequence, x, {1, 2, 4})
refusal(rnn.pack_padded_sequence, x, {4, 2})
refusal(rnn.pack_padded_sequence, x, {4, 2, 0})
refusal(rnn.pack_padded_sequence, torch.zeros(0, 3), {4, 2, 1})
refusal(rnn.pad_packed_sequence, p, {total_length = 2})
refusal(rnn.PackedSequence, torch.ones(3))

torch.manual_seed(0)
for _, net in ipairs {nn.LSTM(2, 2, 2, bidirectional=true), nn.GRU(2, 3, bidirectional=true), nn.RNN(2, 2),
    nn.LSTM(2, 4, proj_size=3)} do
    local x = (torch.arange(24.0):view(4, 3, 2) / 10):requires_grad_()
    local h, c
    for _, case in ipairs {{{2, 4, 1}, false}, {{4, 3, 3}, true}} do
        local y
        y, h = net(rnn.pack_padded_sequence(x, case[1], enforce_sorted=case[2]))
        if torch.is_tensor(h) then c = h else h, c = h[1], h[2] end
        print(text(y.data) .. " " .. text(h) .. " " .. text(c));
        (y.data:square():sum() + h:sum() + c:sum()):backward()
        print(text(x.grad) .. " " .. text(net.weight_hh_l0.grad) .. " " .. y.data.grad_fn:name())
    end
    local state = torch.ones(h.shape)
    if net.mode == "LSTM" then state = {state, torch.ones(c.shape)} end
    print(text((net(rnn.pack_padded_sequence(x, {2, 4, 1}, enforce_sorted=false), state)).data))
end
