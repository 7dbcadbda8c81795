-- Recurrent networks as functions of torch: lstm, gru, rnn_tanh, rnn_relu and one step of each.
local torch = require "torch"
local support = require "torch.support"
local F = require "torch.functional"
local raise, signature = support.raise, support.signature

local recurrent = {}

-- One step of each kind: from the input's gates (…, gates * n), the state, and the weights of the hidden
-- side, the
-- next state. A state is {h} or {h, c}.
local steps = {}

local function simple(nonlinearity)
    return function(gates, state, weight, bias)
        return {nonlinearity(F.linear(state[1], weight, bias) + gates)}
    end
end
steps.rnn_tanh, steps.rnn_relu = simple(torch.tanh), simple(torch.relu)

function steps.lstm(gates, state, weight, bias, projection)
    local all = (F.linear(state[1], weight, bias) + gates):chunk(4, -1)
    local c = all[2]:sigmoid() * state[2] + all[1]:sigmoid() * all[3]:tanh()
    local h = all[4]:sigmoid() * c:tanh()
    return {projection ~= nil and F.linear(h, projection) or h, c}
end

function steps.gru(gates, state, weight, bias)
    local input, hidden = gates:chunk(3, -1), F.linear(state[1], weight, bias):chunk(3, -1)
    local reset, update = (hidden[1] + input[1]):sigmoid(), (hidden[2] + input[2]):sigmoid()
    local new = (input[3] + hidden[3] * reset):tanh()
    return {(state[1] - new) * update + new}
end

-- ---- one step as a function ----

local function check_step(input, state, weight)
    local n, wide = weight[1].shape[0], input.shape[-1]
    if weight[1].shape[1] ~= wide then
        raise("RuntimeError", "input has inconsistent input_size: got %d expected %d", wide,
            weight[1].shape[1])
    end
    local hidden = weight[2].shape[1]
    for i, h in ipairs(state) do
        if h.shape[0] ~= input.shape[0] then
            raise("RuntimeError", "Input batch size %d doesn't match hidden%d batch size %d",
                input.shape[0], i - 1,
                h.shape[0])
        end
        if h.shape[1] ~= hidden then
            raise("RuntimeError", "hidden%d has inconsistent hidden_size: got %d, expected %d", i - 1,
                h.shape[1],
                hidden)
        end
    end
    return n
end

-- torch.NAME_cell(input, hx, w_ih, w_hh, b_ih, b_hh): input (n, in), each state (n, hidden).
local function cell(name)
    local step = steps[name]
    local read = signature(name .. "_cell", {"input!", "hx!", "w_ih!", "w_hh!", "b_ih", "b_hh"})
    recurrent[name .. "_cell"] = function(...)
        local input, hx, w_ih, w_hh, b_ih, b_hh = read(...)
        local state = torch.is_tensor(hx) and {hx} or hx
        check_step(input, state, {w_ih, w_hh})
        return table.unpack(step(F.linear(input, w_ih, b_ih), state, w_hh, b_hh))
    end
end

-- ---- sequences ----

-- One layer in one direction over inputs (time, n, in): the outputs in the order of time, and the last state.
local function run_layer(step, inputs, state, params, reverse)
    local gates = F.linear(inputs, params.w_ih, params.b_ih):unbind(0)
    local outputs, first, last, by = {}, 1, #gates, 1
    if reverse then first, last, by = #gates, 1, -1 end
    for t = first, last, by do
        state = step(gates[t], state, params.w_hh, params.b_hh, params.w_hr)
        outputs[t] = state[1]
    end
    local y = torch.stack(outputs, 0)
    if step ~= steps.lstm or params.w_hr ~= nil or inputs.dtype ~= torch.float32 then return y, state end
    return torch._named("MkldnnRnnLayerBackward0", y), state
end

local function rows_of(state, from, count)
    local part = {}
    for k, h in ipairs(state) do part[k] = h:narrow(0, from, count) end
    return part
end

local function joined(a, b)
    local both = {}
    for k, h in ipairs(a) do both[k] = torch.cat({h, b[k]}, 0) end
    return both
end

-- The same over sequences of several lengths, longest first: inputs (all steps, in) holds at each step the rows
-- of the sequences that are not over, sizes[t] of them. Forwards the state loses the rows of those that end, which
-- are last states; backwards it gains those that begin.
local function run_packed_layer(step, inputs, state, params, reverse, sizes)
    local gates = F.linear(inputs, params.w_ih, params.b_ih):split(sizes, 0)
    local outputs, first, last, by, from = {}, 1, #gates, 1, state
    local ended
    if reverse then
        first, last, by = #gates, 1, -1
        state = rows_of(from, 0, sizes[#sizes])
    end
    for t = first, last, by do
        local have, size = state[1].shape[0], sizes[t]
        if size > have then state = joined(state, rows_of(from, have, size - have)) end
        if size < have then
            local over = rows_of(state, size, have - size)
            ended = ended and joined(over, ended) or over
            state = rows_of(state, 0, size)
        end
        state = step(gates[t], state, params.w_hh, params.b_hh, params.w_hr)
        outputs[t] = state[1]
    end
    return torch.cat(outputs, 0), ended and joined(state, ended) or state
end

-- The flat list of weights as one table for each layer and direction.
local function by_layer(flat, biased, count)
    local list, each = {}, #flat // count
    for i = 1, count do
        local at = (i - 1) * each
        local p = {w_ih = flat[at + 1], w_hh = flat[at + 2]}
        if biased then p.b_ih, p.b_hh = flat[at + 3], flat[at + 4] end
        if each == 3 or each == 5 then p.w_hr = flat[at + each] end
        list[i] = p
    end
    return list
end

local function run(step, input, hx, options)
    local directions = options.bidirectional and 2 or 1
    local params = by_layer(options.params, options.has_biases, options.num_layers * directions)
    local sizes, layer_run = options.sizes, options.sizes and run_packed_layer or run_layer
    if options.batch_first then input = input:transpose(0, 1) end
    if input.shape[0] == 0 then raise("RuntimeError",
        "Expected sequence length to be larger than 0 in RNN") end
    local start, final = {}, {}
    for k, h in ipairs(hx) do start[k], final[k] = h:unbind(0), {} end
    for layer = 1, options.num_layers do
        local sides = {}
        for d = 1, directions do
            local i, state = (layer - 1) * directions + d, {}
            for k = 1, #hx do state[k] = start[k][i] end
            sides[d], state = layer_run(step, input, state, params[i], d == 2, sizes)
            for k = 1, #hx do final[k][i] = state[k] end
        end
        input = directions == 2 and torch.cat(sides, -1) or sides[1]
        if options.dropout ~= 0 and options.train and layer < options.num_layers then
            input = F.dropout(input, options.dropout)
        end
    end
    for k = 1, #hx do final[k] = torch.stack(final[k], 0) end
    return options.batch_first and input:transpose(0, 1) or input, table.unpack(final)
end

-- torch.NAME(input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first): the
-- outputs
-- (time, n, hidden * directions) and the last states (layers * directions, n, hidden). hx is a tensor, of
-- lstm
-- {h, c}; params the list of all layers' weights.
local function sequence(name)
    local words = {"input!", "hx!", "params!", "has_biases!", "num_layers!", "dropout!", "train!",
        "bidirectional!",
        "batch_first!"}
    local read, step = signature(name, words), steps[name]
    recurrent[name] = function(...)
        local input, hx, params, has_biases, num_layers, dropout, train, bidirectional,
            batch_first = read(...)
        return run(step, input, torch.is_tensor(hx) and {hx} or hx,
            {params = params, has_biases = has_biases, num_layers = num_layers, dropout = dropout,
                train = train,
                bidirectional = bidirectional, batch_first = batch_first})
    end
end

-- The network NAME over packed sequences: data (all steps, in), sizes the rows of each step, state a table of
-- tensors; options as above. Returns the outputs (all steps, hidden * directions) and the last states.
function recurrent.packed(name, data, sizes, state, options)
    options.sizes = sizes
    return run(steps[name], data, state, options)
end

for name in pairs(steps) do
    cell(name)
    sequence(name)
end

return recurrent
