-- What the files of the Lua library share: errors, argument reading, ordered tables, Python's spelling of
-- values.
--
-- How the library is loaded. Every file below lang/lua is embedded by its path without the ending and found
-- as require "torch.<path with dots>": "nn/module" is require "torch.nn.module". A chunk's name is
-- "=[torch]nn/module", so that errors are reported at the user's own line. Files return their table and load
-- what they need with require, `require "torch"` being the table that the C side fills. init.lua hangs
-- functional, nn, optim, data and progress on torch, at the first touch of a name where that matters for
-- start-up.
local support = {}

local LIBRARY = "=[torch]"

-- "file:line: " of the innermost line outside the library, "" where there is none.
local function user_line()
    local level = 3
    while true do
        local info = debug.getinfo(level, "Sl")
        if not info then return "" end
        if info.currentline > 0 and info.source:sub(1, #LIBRARY) ~= LIBRARY then
            return ("%s:%d: "):format(info.short_src, info.currentline)
        end
        level = level + 1
    end
end

-- Raises "file:line: Kind: text" at the innermost line outside the library.
function support.raise(kind, format, ...)
    local text = select("#", ...) > 0 and format:format(...) or format
    error(user_line() .. kind .. ": " .. text, 0)
end

local warned = {}

-- Says "file:line: UserWarning: text" on stderr, once for a line and text.
function support.warn(format, ...)
    local text = user_line() .. "UserWarning: " .. (select("#", ...) > 0 and format:format(...) or format)
    if warned[text] then return end
    warned[text] = true
    io.stderr:write(text, "\n")
end
local raise = support.raise

local torch

local function is_tensor(v)
    if type(v) ~= "userdata" then return false end
    torch = torch or require "torch"
    return torch.is_tensor(v)
end

-- Python's word for a value's type, as PyTorch's messages use it.
function support.type_word(v)
    local kind = type(v)
    if kind == "nil" then return "NoneType" end
    if kind == "boolean" then return "bool" end
    if kind == "string" then return "str" end
    if kind == "number" then return math.type(v) == "integer" and "int" or "float" end
    if is_tensor(v) then return "Tensor" end
    local meta = debug.getmetatable(v)
    local name = (kind == "table" or kind == "userdata") and meta and meta.__name
    return type(name) == "string" and name or kind
end

-- ---- Python's spelling ----

local function float_text(v)
    if v ~= v then return "nan" end
    if v == math.huge then return "inf" end
    if v == -math.huge then return "-inf" end
    local digits
    for precision = 0, 16 do
        digits = ("%%.%de"):format(precision):format(v)
        if tonumber(digits) == v then break end
    end
    local mantissa, exponent = digits:match("^(.-)e([-+]%d+)$")
    local power = tonumber(exponent)
    if power < -4 or power >= 16 then
        return ("%se%s%02d"):format(mantissa, power < 0 and "-" or "+", math.abs(power))
    end
    local places = math.max(1, #mantissa:gsub("[-.]", "") - 1 - power)
    return ("%%.%df"):format(places):format(v)
end

-- A value as Python's repr shows it: True, 0.01, 'mean', (3, 3), None.
function support.repr(v)
    local kind = math.type(v) or type(v)
    if kind == "float" then return float_text(v) end
    if kind == "nil" then return "None" end
    if kind == "boolean" then return v and "True" or "False" end
    if kind == "string" then
        local quote = v:find("'", 1, true) and not v:find('"', 1, true) and '"' or "'"
        v = v:gsub("[\\\n\t\r]", {["\\"] = "\\\\", ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r"})
        return quote .. (quote == "'" and v:gsub("'", "\\'") or v) .. quote
    end
    if kind == "table" and not getmetatable(v) then
        local parts = {}
        for i, item in ipairs(v) do parts[i] = support.repr(item) end
        return "(" .. table.concat(parts, ", ") .. (#parts == 1 and ",)" or ")")
    end
    return tostring(v)
end

-- x rounded to float32, the precision of the scalars that PyTorch's optimizers keep as tensors.
function support.float32(x)
    return (string.unpack("f", string.pack("f", x)))
end

-- ---- argument reading ----

-- A trailing table with string keys only is a call's named arguments.
local function is_options(t)
    return type(t) == "table" and getmetatable(t) == nil and type(next(t)) == "string" and rawlen(t) == 0
end
support.is_options = is_options

-- {name = value}, or nothing where there is no value: for calls that pass an option on.
function support.option(name, value)
    if value ~= nil then return {[name] = value} end
end

local function quoted_list(names)
    for i, name in ipairs(names) do names[i] = "'" .. name .. "'" end
    local last = table.remove(names)
    if #names == 0 then return last end
    return table.concat(names, ", ") .. (#names > 1 and ", and " or " and ") .. last
end

-- Edits (insert, delete, replace, swap) between two words.
local function edit_distance(a, b)
    local before, row = {}, {}
    for j = 0, #b do row[j] = j end
    for i = 1, #a do
        local nextrow = {[0] = i}
        for j = 1, #b do
            local same = a:byte(i) == b:byte(j)
            local best = math.min(row[j - 1] + (same and 0 or 1), row[j] + 1, nextrow[j - 1] + 1)
            if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
                best = math.min(best, before[j - 2] + 1)
            end
            nextrow[j] = best
        end
        before, row = row, nextrow
    end
    return row[#b]
end

-- The candidate nearest to a misspelt word, nil if none is near.
function support.nearest(word, candidates)
    local best, limit = nil, #word < 3 and 2 or (#word + 5) // 3
    for _, candidate in ipairs(candidates) do
        if candidate:lower() == word:lower() then return candidate end
        local d = edit_distance(word, candidate)
        if d < limit and d < #candidate then best, limit = candidate, d end
    end
    return best
end

local function check_option_names(name, options, at, names, given, values)
    for key in pairs(options) do
        local i = at[key]
        if not i then
            local near = type(key) == "string" and support.nearest(key, names)
            raise("TypeError", "%s() got an unexpected keyword argument '%s'%s", name, key,
                near and (". Did you mean '%s'?"):format(near) or "")
        end
        if i <= given and values[i] ~= nil then
            raise("TypeError", "%s() got multiple values for argument '%s'", name, key)
        end
    end
end

local function too_many(name, required, most, given)
    local method = name:find("__init__", 1, true) and 1 or 0
    local takes = required == most and tostring(most + method) or
        ("from %d to %d"):format(required + method, most + method)
    raise("TypeError", "%s() takes %s positional argument%s but %d %s given", name, takes,
        required == most and most + method == 1 and "" or "s", given + method, given + method == 1 and
            "was" or "were")
end

-- What a parameter's kind lets through; the words are those of PyTorch's messages.
local function is_integer(v) return math.type(v) == "integer" or is_tensor(v) end
local function is_number(v) return type(v) == "number" or is_tensor(v) end

local function is_named(v, name)
    local meta = type(v) == "userdata" and debug.getmetatable(v)
    return meta and meta.__name == name
end

local kinds = {
    Tensor = is_tensor,
    int = is_integer,
    float = is_number,
    Number = is_number,
    bool = function(v) return type(v) == "boolean" end,
    str = function(v) return type(v) == "string" end,
    callable = function(v)
        local meta = type(v) ~= "function" and debug.getmetatable(v)
        return type(v) == "function" or meta and meta.__call ~= nil
    end,
    ["tuple of ints"] = function(v)
        return is_integer(v) or type(v) == "table" or is_named(v, "torch.Size")
    end,
    ["tuple of floats"] = function(v)
        if type(v) ~= "table" then return is_number(v) end
        for i = 1, #v do
            if not is_number(v[i]) then return false end
        end
        return true
    end,
    ["torch.dtype"] = function(v) return is_named(v, "torch.dtype") end,
    list = function(v) return type(v) == "table" end,
    any = function() return true end,
}

-- The kinds of the parameters that mean the same wherever they stand, in functions and in constructors of
-- modules; another meaning is said where it is: "weight:any".
local everywhere = {
    Tensor = "weight pos_weight",
    int = "groups upscale_factor downscale_factor num_groups blank",
    float = "alpha lower upper margin delta lambd negative_slope min_val max_val max_norm norm_type",
    bool = [[keepdim ceil_mode return_indices count_include_pad inplace align_corners log_input full swap
        zero_infinity scale_grad_by_freq sparse include_last_offset]],
    str = "mode padding_mode",
    ["tuple of ints"] = "dim kernel_size stride dilation output_size normalized_shape",
    ["torch.dtype"] = "dtype",
}
local in_functions = {
    Tensor = [[input other bias running_mean running_var input1 input2 x1 x2 query w_ih w_hh b_ih b_hh theta
        grid log_probs anchor positive negative logits per_sample_weights tensor]],
    float = "eps beta momentum tau dropout_p",
    bool = [[training hard periodic increasing density wrap with_replacement requires_grad create_graph strict
        is_causal]],
    str = "interpolation",
}
local in_constructors = {
    int = [[in1_features in2_features in_channels out_channels num_features num_channels num_parameters
        num_layers num_embeddings embedding_dim embed_dim num_heads d_model nhead
        num_encoder_layers num_decoder_layers dim_feedforward kdim vdim start_dim end_dim padding_idx
        proj_size]],
    float = "p dropout init threshold",
    bool = [[bias affine track_running_stats elementwise_affine batch_first bidirectional norm_first
        add_bias_kv add_zero_attn]],
    str = "nonlinearity",
}

-- The tables of words above as one from a word to its kind.
local function by_word(...)
    local kind_of = {}
    for _, words_of in ipairs {...} do
        for kind, words in pairs(words_of) do
            for word in words:gmatch("%S+") do kind_of[word] = kind end
        end
    end
    return kind_of
end
local usual, usual_of_init = by_word(everywhere, in_functions), by_word(everywhere, in_constructors)

-- The place and type of what in a tuple of ints is no int (false stands for None), nil where all are.
local function strange_element(v)
    if type(v) ~= "table" then return nil end
    for i = 1, #v do
        if v[i] and not is_integer(v[i]) then return i - 1, support.type_word(v[i]) end
    end
end

-- Raises PyTorch's TypeError unless v, argument `word` at position i, is of the kind.
local function check_kind(name, word, i, kind, v)
    if kinds[kind](v) then
        if kind ~= "tuple of ints" then return end
        local place, element = strange_element(v)
        if not place then return end
        raise("TypeError", "%s(): argument '%s' (position %d) must be tuple of ints, but found element of " ..
            "type %s at pos %d", name, word, i, element, place)
    end
    raise("TypeError", "%s(): argument '%s' (position %d) must be %s, not %s", name, word, i, kind,
        support.type_word(v))
end

support.check_kind = check_kind

-- "input:Tensor!" read: the name, its kind if it has one, whether it must be given.
local function read_param(param, usual_kinds)
    local word, kind, must = param:match("^([%w_]+):?([%w%. ]*)(!?)$")
    kind = kind ~= "" and kind or usual_kinds[word]
    assert(not kind or kinds[kind], param)
    return word, kind, must == "!"
end

local readers = setmetatable({}, {__mode = "k"})

-- {name, params, defaults} of a reader that signature() made, nil for other functions: for help and completion.
function support.reader(f)
    return readers[f]
end

-- A reader of one function's arguments (the everyday calls with one or two of them take the short way).
-- `params` lists them as "name" (of the usual kind, if its name has one) or "name:kind" with one of the kinds
-- above, and "!" behind those that must be given; `defaults` maps names to values. The reader takes a
-- call's arguments and returns the values in order.
function support.signature(name, params, defaults)
    local names, at, fallback, required, kind, count = {}, {}, {}, {}, {}, #params
    local nrequired, usual_kinds = 0, name:find("__init__", 1, true) and usual_of_init or usual
    for i, param in ipairs(params) do
        local word
        word, kind[i], required[i] = read_param(param, usual_kinds)
        names[i], at[word] = word, i
        if required[i] then nrequired = nrequired + 1 end
        fallback[i] = defaults and defaults[word]
    end
    local kind1, kind2 = kind[1], kind[2]
    local function read(...)
        local given = select("#", ...)
        if given == 1 and nrequired <= 1 then
            local first = ...
            if first ~= nil and type(first) ~= "table" then
                if kind1 then check_kind(name, names[1], 1, kind1, first) end
                return first, table.unpack(fallback, 2, count)
            end
        elseif given == 2 and nrequired <= 2 and count >= 2 then
            local first, second = ...
            if first ~= nil and second ~= nil and type(second) ~= "table" then
                if kind1 then check_kind(name, names[1], 1, kind1, first) end
                if kind2 then check_kind(name, names[2], 2, kind2, second) end
                return first, second, table.unpack(fallback, 3, count)
            end
        end
        local values = {...}
        local options = values[given]
        if is_options(options) then
            given = given - 1
            values[given + 1] = nil
            check_option_names(name, options, at, names, given, values)
        else
            options = nil
        end
        if given > count then
            while given > count and values[given] == nil do given = given - 1 end
            if given > count then too_many(name, nrequired, count, given) end
        end
        local missing
        for i = 1, count do
            local v = values[i]
            if v == nil then
                if options then v = options[names[i]] end
                if v == nil then v = fallback[i] end
                if v == nil and required[i] and i > given then
                    missing = missing or {}
                    missing[#missing + 1] = names[i]
                end
                values[i] = v
            end
            if kind[i] and (v ~= nil or required[i] and i <= given) then
                check_kind(name, names[i], i, kind[i], v)
            end
        end
        if missing then
            raise("TypeError", "%s() missing %d required positional argument%s: %s", name, #missing,
                #missing == 1 and "" or "s", quoted_list(missing))
        end
        return table.unpack(values, 1, count)
    end
    readers[read] = {name = name, params = names, required = required, defaults = defaults or {}}
    return read
end

-- ---- ordered tables: string keys in the order of their first assignment ----

local orders = setmetatable({}, {__mode = "k"})
local Ordered = {__name = "OrderedDict"}

function Ordered.__newindex(t, key, value)
    local order = orders[t]
    if not order.known[key] then
        order.known[key] = true
        order[#order + 1] = key
    end
    rawset(t, key, value)
end

local function ordered_items(t)
    local order, i = orders[t], 0
    return function()
        local value
        repeat
            i = i + 1
            if order[i] == nil then return nil end
            value = rawget(t, order[i])
        until value ~= nil
        return order[i], value
    end
end

function Ordered.__pairs(t)
    return ordered_items(t)
end

-- `for name, p in net:named_parameters() do`: the table is its own iterator.
function Ordered.__call(t)
    local order = orders[t]
    order.items = order.items or ordered_items(t)
    local key, value = order.items()
    if key == nil then order.items = nil end
    return key, value
end

function Ordered.__len(t)
    local n = 0
    for _ in ordered_items(t) do n = n + 1 end
    return n
end

function Ordered.__tostring(t)
    local parts = {}
    for key, value in ordered_items(t) do
        parts[#parts + 1] = ("(%s, %s)"):format(support.repr(key), support.repr(value))
    end
    return "OrderedDict(" .. (#parts > 0 and "[" .. table.concat(parts, ", ") .. "]" or "") .. ")"
end

-- A table that keeps its string keys in order: pairs() and # follow it, and it can stand after `in` itself.
function support.ordered(pairs_list)
    local t = {}
    orders[t] = {known = {}}
    setmetatable(t, Ordered)
    for _, pair in ipairs(pairs_list or {}) do t[pair[1]] = pair[2] end
    return t
end

-- ---- lazy tables ----

-- The table t as module `name` ("torch.nn"), its fields coming from library files at their first touch.
-- `files` maps a file to the names it returns, separated by blanks. A name that is in none of them is an
-- error.
function support.lazy(name, t, files)
    local home = {}
    for file, names in pairs(files) do
        for word in names:gmatch("%S+") do home[word] = file end
    end
    local function load(word)
        local file = home[word]
        for key, value in pairs(require("torch." .. file)) do
            if home[key] == file and rawget(t, key) == nil then rawset(t, key, value) end
        end
        return rawget(t, word)
    end
    local function missing(word)
        local known = {}
        for other in pairs(home) do known[#known + 1] = other end
        for other in next, t do known[#known + 1] = other end
        table.sort(known)
        local near = support.nearest(tostring(word), known)
        raise("AttributeError", "module '%s' has no attribute '%s'%s", name, tostring(word),
            near and (". Did you mean: '%s'?"):format(near) or "")
    end
    return setmetatable(t, {
        __index = function(_, word) return home[word] and load(word) or missing(word) end,
        __pairs = function()
            for word in pairs(home) do
                if rawget(t, word) == nil then load(word) end
            end
            return next, t, nil
        end,
        __tostring = function() return ("<module '%s'>"):format(name) end,
        names = home,
    })
end

-- ---- copies ----

local function copy_value(v, seen)
    if type(v) == "userdata" and is_tensor(v) then
        if seen[v] then return seen[v] end
        local torch = require "torch"
        if not v.is_leaf then
            raise("RuntimeError", "Only Tensors created explicitly by the user (graph leaves) support " ..
                "the deepcopy protocol " ..
                "at the moment.  If you were attempting to deepcopy a module, this may be because of a " ..
                    "torch.nn.utils.weight_norm usage")
        end
        local copy = v:detach():clone()
        if v.is_parameter then
            copy = torch.nn.Parameter(copy, v.requires_grad)
        elseif v.requires_grad then
            copy:requires_grad_()
        end
        local grad = v.grad
        if grad ~= nil then copy.grad = grad:detach():clone() end
        seen[v] = copy
        return copy
    end
    if type(v) ~= "table" then return v end
    if seen[v] then return seen[v] end
    local copy = {}
    seen[v] = copy
    local order = orders[v]
    if order then orders[copy] = {known = {}} end
    for _, key in ipairs(order or {}) do
        orders[copy].known[key] = true
        table.insert(orders[copy], key)
    end
    for key, value in next, v do copy[copy_value(key, seen)] = copy_value(value, seen) end
    return setmetatable(copy, getmetatable(v))
end

-- A copy that shares no tensor and no table with v; what v shares within itself stays shared within the copy.
function support.deepcopy(v)
    return copy_value(v, {})
end

return support
