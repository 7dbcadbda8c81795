-- RNN, LSTM, GRU and their cells.
local torch = require "torch"
local support = require "torch.support"
local class = require "torch.nn.class"
local Module = require "torch.nn.module".Module
local init = require "torch.nn.init"
local rnn = require "torch.nn.utils_rnn"
local raise, repr, signature = support.raise, support.repr, support.signature

local recurrent = {}

local function placed(device, dtype)
    return (device ~= nil or dtype ~= nil) and {device = device, dtype = dtype} or nil
end

-- Every weight and bias between -1 / sqrt(hidden_size) and its negative, in the order of registration.
local function reset_parameters(self)
    local bound = self.hidden_size > 0 and 1 / math.sqrt(self.hidden_size) or 0
    for _, p in ipairs(self:parameters()) do init.uniform_(p, -bound, bound) end
end

-- A size as PyTorch prints a list: [1, 2, 4].
local function list_text(shape)
    local parts = {}
    for i = 1, #shape do parts[i] = tostring(shape[i - 1]) end
    return "[" .. table.concat(parts, ", ") .. "]"
end

-- ---- layers over sequences ----

local GATES = {RNN_TANH = 1, RNN_RELU = 1, GRU = 3, LSTM = 4}
local RUNS = {RNN_TANH = "rnn_tanh", RNN_RELU = "rnn_relu", GRU = "gru", LSTM = "lstm"}
local SIZES = {"input_size!", "hidden_size!", "num_layers", "bias", "batch_first", "dropout",
    "bidirectional", "proj_size", "device", "dtype"}
local DEFAULTS = {num_layers = 1, bias = true, batch_first = false, dropout = 0.0, bidirectional = false,
    proj_size = 0}

local function check_type(name, value, word)
    if support.type_word(value) ~= word then
        raise("TypeError", "%s should be of type %s, got: %s", name, word, support.type_word(value))
    end
end

local function check_options(self)
    local dropout = self.dropout
    if type(dropout) ~= "number" or dropout < 0 or dropout > 1 then
        raise("ValueError", "dropout should be a number in range [0, 1] representing the probability " ..
            "of an " ..
            "element being zeroed")
    end
    self.dropout = dropout + 0.0
    if dropout > 0 and self.num_layers == 1 then
        support.warn("dropout option adds dropout after all but last recurrent layer, so non-zero dropout " ..
            "expects num_layers greater than 1, but got dropout=%s and num_layers=%d", repr(dropout),
            self.num_layers)
    end
    check_type("bias", self.bias, "bool")
    check_type("batch_first", self.batch_first, "bool")
    check_type("input_size", self.input_size, "int")
    if self.input_size <= 0 then raise("ValueError", "input_size must be greater than zero") end
    check_type("hidden_size", self.hidden_size, "int")
    if self.hidden_size <= 0 then raise("ValueError", "hidden_size must be greater than zero") end
    if self.num_layers <= 0 then raise("ValueError", "num_layers must be greater than zero") end
    if self.proj_size < 0 then
        raise("ValueError", "proj_size should be a positive integer or zero to disable projections")
    end
    if self.proj_size >= self.hidden_size then
        raise("ValueError", "proj_size has to be smaller than hidden_size")
    end
end

-- The parameters of every layer and direction; their names in order are kept for the forward.
local function build(self, options)
    local gates, directions = GATES[self.mode] * self.hidden_size, self.bidirectional and 2 or 1
    local state = self.proj_size > 0 and self.proj_size or self.hidden_size
    local names = {}
    local function add(name, ...)
        names[#names + 1] = name
        self[name] = torch.nn.Parameter(torch.empty({...}, options))
    end
    for layer = 0, self.num_layers - 1 do
        for direction = 1, directions do
            local suffix = ("_l%d%s"):format(layer, direction == 2 and "_reverse" or "")
            add("weight_ih" .. suffix, gates, layer == 0 and self.input_size or state * directions)
            add("weight_hh" .. suffix, gates, state)
            if self.bias then
                add("bias_ih" .. suffix, gates)
                add("bias_hh" .. suffix, gates)
            end
            if self.proj_size > 0 then add("weight_hr" .. suffix, self.proj_size, self.hidden_size) end
        end
    end
    self._weight_names = names
end

local function extra_repr(self)
    local s = ("%d, %d"):format(self.input_size, self.hidden_size)
    for _, field in ipairs {{"proj_size", 0}, {"num_layers", 1}, {"bias", true}, {"batch_first", false},
        {"dropout", 0.0}, {"bidirectional", false}} do
        local name, usual = field[1], field[2]
        if self[name] ~= usual then s = ("%s, %s=%s"):format(s, name, repr(self[name])) end
    end
    return s
end

local function check_input(self, input)
    local weight = self[self._weight_names[1]]
    if input.dtype ~= weight.dtype then
        raise("ValueError", "RNN input dtype (%s) does not match weight dtype (%s). Convert input: " ..
            "input.to(%s), " ..
            "or convert model: model.to(%s)", tostring(input.dtype), tostring(weight.dtype),
            tostring(weight.dtype), tostring(input.dtype))
    end
    if input.shape[-1] ~= self.input_size then
        raise("RuntimeError", "input.size(-1) must be equal to input_size. Expected %d, got %d",
            self.input_size,
            input.shape[-1])
    end
end

local function check_state(h, layers, n, size, format)
    local shape = h.shape
    if shape[0] ~= layers or shape[1] ~= n or shape[2] ~= size then
        raise("RuntimeError", format, repr {layers, n, size}, list_text(shape))
    end
end

-- What the caller gave as the first state, as a table of tensors (layers, n, size); zeros for nothing.
local function first_state(self, input, hx, batched)
    local n = input.shape[self.batch_first and 0 or 1]
    local layers = self.num_layers * (self.bidirectional and 2 or 1)
    local sizes = {self.proj_size > 0 and self.proj_size or self.hidden_size}
    local cell = self.mode == "LSTM"
    if cell then sizes[2] = self.hidden_size end
    local state = {}
    if hx == nil then
        for k, size in ipairs(sizes) do state[k] = torch.zeros({layers, n, size}, {dtype = input.dtype,
            device = input.device}) end
        check_input(self, input)
        return state
    end
    state = torch.is_tensor(hx) and {hx} or {hx[1], hx[2]}
    local wanted = batched and 3 or 2
    local words = batched and "For batched 3-D input" or "For unbatched 2-D input"
    if cell and (state[1].ndim ~= wanted or state[2].ndim ~= wanted) then
        raise("RuntimeError", "%s, hx and cx should also be %d-D but got (%d-D, %d-D) tensors", words, wanted,
            state[1].ndim, state[2].ndim)
    elseif state[1].ndim ~= wanted then
        raise("RuntimeError", "%s, hx should also be %d-D but got %d-D tensor", words, wanted, state[1].ndim)
    end
    check_input(self, input)
    for k, size in ipairs(sizes) do
        if not batched then state[k] = state[k]:unsqueeze(1) end
        check_state(state[k], layers, n, size, cell and
            ("Expected hidden[%d] size %%s, got %%s"):format(k - 1) or
            "Expected hidden size %s, got %s")
    end
    return state
end

-- The layer over a PackedSequence: its outputs packed alike, the states in the order of the sequences
-- as they were given.
local function forward_packed(self, input, hx)
    local sizes, weights, state = input.batch_sizes:tolist(), {}, {}
    local layers = self.num_layers * (self.bidirectional and 2 or 1)
    local widths = {self.proj_size > 0 and self.proj_size or self.hidden_size,
        self.mode == "LSTM" and self.hidden_size or nil}
    check_input(self, input.data)
    hx = torch.is_tensor(hx) and {hx} or hx
    for k, width in ipairs(widths) do
        local h = hx and hx[k] or torch.zeros({layers, sizes[1], width}, {dtype = input.data.dtype,
            device = input.data.device})
        if hx and input.sorted_indices ~= nil then h = h:index_select(1, input.sorted_indices) end
        check_state(h, layers, sizes[1], width, #widths == 2 and
            ("Expected hidden[%d] size %%s, got %%s"):format(k - 1) or "Expected hidden size %s, got %s")
        state[k] = h
    end
    for i, name in ipairs(self._weight_names) do weights[i] = self[name] end
    local packed = require("torch.functional.recurrent").packed
    local y, h, c = packed(RUNS[self.mode], input.data, sizes, state, {params = weights,
        has_biases = self.bias, num_layers = self.num_layers, dropout = self.dropout, train = self.training,
        bidirectional = self.bidirectional})
    if input.unsorted_indices ~= nil then
        h = h:index_select(1, input.unsorted_indices)
        c = c and c:index_select(1, input.unsorted_indices)
    end
    y = rnn.PackedSequence(y, input.batch_sizes, input.sorted_indices, input.unsorted_indices)
    return y, c and {h, c} or h
end

-- input (time, n, in), with batch_first (n, time, in), unbatched (time, in) → outputs and the last state,
-- of LSTM
-- a table {h, c}.
local function forward(self, input, hx)
    if rnn._is_packed(input) then return forward_packed(self, input, hx) end
    if input.ndim ~= 2 and input.ndim ~= 3 then
        raise("ValueError", "%s: Expected input to be 2D or 3D, got %dD%s instead", self._get_name(self),
            input.ndim,
            self.mode:find("^RNN") and " tensor" or "")
    end
    local batched, batch_dim = input.ndim == 3, self.batch_first and 0 or 1
    if not batched then input = input:unsqueeze(batch_dim) end
    local state, weights = first_state(self, input, hx, batched), {}
    for i, name in ipairs(self._weight_names) do weights[i] = self[name] end
    local y, h, c = torch[RUNS[self.mode]](input, state, weights, self.bias, self.num_layers, self.dropout,
        self.training, self.bidirectional, self.batch_first)
    if not batched then
        y, h, c = y:squeeze(batch_dim), h:squeeze(1), c ~= nil and c:squeeze(1) or nil
    end
    return y, c ~= nil and {h, c} or h
end

-- Declares the layer NAME; mode(self, nonlinearity) says which network it is.
local function declare(name, params, defaults, mode)
    local Layer = class.derive(name, Module)
    local read = signature(name .. ".__init__", params, defaults)
    local fields = {}
    for i, param in ipairs(params) do fields[i] = param:gsub("!$", "") end
    function Layer:init(...)
        local options = select(select("#", ...), ...)
        if name ~= "LSTM" and support.is_options(options) and options.proj_size ~= nil then
            raise("ValueError", "proj_size argument is only supported for LSTM, not RNN or GRU")
        end
        local values, given = table.pack(read(...)), {proj_size = 0}
        for i, field in ipairs(fields) do given[field] = values[i] end
        local device, dtype = given.device, given.dtype
        given.device, given.dtype = nil, nil
        self.mode = mode(given.nonlinearity)
        for field, value in pairs(given) do rawset(self, field, value) end
        check_options(self)
        build(self, placed(device, dtype))
        reset_parameters(self)
    end
    Layer.forward, Layer.extra_repr, Layer.reset_parameters = forward, extra_repr, reset_parameters
    Layer.flatten_parameters = function() end
    recurrent[name] = Layer
end

local function without_projection(params)
    local list = {}
    for _, param in ipairs(params) do
        if param ~= "proj_size" then list[#list + 1] = param end
    end
    return list
end

declare("LSTM", SIZES, DEFAULTS, function() return "LSTM" end)
declare("GRU", without_projection(SIZES), DEFAULTS, function() return "GRU" end)

local rnn_params, rnn_defaults = without_projection(SIZES), {nonlinearity = "tanh"}
table.insert(rnn_params, 4, "nonlinearity")
for key, value in pairs(DEFAULTS) do rnn_defaults[key] = value end
declare("RNN", rnn_params, rnn_defaults, function(nonlinearity)
    if nonlinearity == "tanh" then return "RNN_TANH" end
    if nonlinearity == "relu" then return "RNN_RELU" end
    raise("ValueError", "Unknown nonlinearity '%s'. Select from 'tanh' or 'relu'.", tostring(nonlinearity))
end)

-- ---- cells: one step ----

local function check_step(self, input, hx)
    local name = self:_get_name()
    if input.ndim ~= 1 and input.ndim ~= 2 then
        raise("ValueError", "%s: Expected input to be 1D or 2D, got %dD instead", name, input.ndim)
    end
    for i, h in ipairs(hx or {}) do
        if h.ndim ~= 1 and h.ndim ~= 2 then
            raise("ValueError", "%s: Expected %s to be 1D or 2D, got %dD instead", name,
                name == "LSTMCell" and ("hx[%d]"):format(i - 1) or "hidden", h.ndim)
        end
    end
end

local function declare_cell(name, gates, states)
    local Cell = class.derive(name, Module)
    local params = {"input_size:int!", "hidden_size:int!", "bias", "device", "dtype"}
    local defaults = {bias = true}
    if name == "RNNCell" then
        table.insert(params, 4, "nonlinearity")
        defaults.nonlinearity = "tanh"
    end
    local read = signature(name .. ".__init__", params, defaults)

    function Cell:init(...)
        local values, device, dtype = table.pack(read(...)), nil, nil
        self.input_size, self.hidden_size, self.bias = values[1], values[2], values[3]
        if name == "RNNCell" then
            self.nonlinearity, device, dtype = values[4], values[5], values[6]
        else
            device, dtype = values[4], values[5]
        end
        local n, options = gates * self.hidden_size, placed(device, dtype)
        self.weight_ih = torch.nn.Parameter(torch.empty({n, self.input_size}, options))
        self.weight_hh = torch.nn.Parameter(torch.empty({n, self.hidden_size}, options))
        for _, bias in ipairs {"bias_ih", "bias_hh"} do
            self:register_parameter(bias, self.bias and torch.nn.Parameter(torch.empty({n}, options)) or nil)
        end
        reset_parameters(self)
    end
    Cell.reset_parameters = reset_parameters

    -- input (n, in) or (in), hx (n, hidden) or (hidden), of LSTMCell {h, c} → the next state, of LSTMCell
    -- two.
    function Cell:forward(input, hx)
        local state = torch.is_tensor(hx) and {hx} or hx
        check_step(self, input, state)
        local batched = input.ndim == 2
        if not batched then input = input:unsqueeze(0) end
        if not state then
            local zeros = torch.zeros({input.shape[0], self.hidden_size}, {dtype = input.dtype,
                device = input.device})
            state = {zeros, states == 2 and zeros or nil}
        elseif not batched then
            state = {state[1]:unsqueeze(0), states == 2 and state[2]:unsqueeze(0) or nil}
        end
        local kind = name:gsub("Cell", ""):lower()
        if name == "RNNCell" then
            if self.nonlinearity ~= "tanh" and self.nonlinearity ~= "relu" then
                raise("RuntimeError", "Unknown nonlinearity: %s", tostring(self.nonlinearity))
            end
            kind = "rnn_" .. self.nonlinearity
        end
        local h, c = torch[kind .. "_cell"](input, state, self.weight_ih, self.weight_hh, self.bias_ih,
            self.bias_hh)
        if not batched then h, c = h:squeeze(0), c ~= nil and c:squeeze(0) or nil end
        if states == 2 then return h, c end
        return h
    end

    function Cell:extra_repr()
        local s = ("%d, %d"):format(self.input_size, self.hidden_size)
        if not self.bias then s = s .. ", bias=False" end
        if self.nonlinearity and self.nonlinearity ~= "tanh" then s = s .. ", nonlinearity=" ..
            self.nonlinearity end
        return s
    end
    recurrent[name] = Cell
end

declare_cell("RNNCell", 1, 1)
declare_cell("LSTMCell", 4, 2)
declare_cell("GRUCell", 3, 1)

return recurrent
