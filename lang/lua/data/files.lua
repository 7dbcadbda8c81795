-- Reading data files: idx (MNIST's format, in C) and comma-separated values.
local torch = require "torch"
local support = require "torch.support"
local raise = support.raise

local KINDS = {[2] = "FileNotFoundError", [13] = "PermissionError", [21] = "IsADirectoryError"}

local function fail(path, message, number)
    raise(KINDS[number] or "OSError", "[Errno %d] %s: '%s'", number or 0, message:gsub("^.*: ", ""), path)
end

-- A record's fields; quotes may hold the delimiter, and doubled quotes stand for one. Returns nil for an open
-- quote.
local function split_record(line, delimiter)
    local fields, at = {}, 1
    while true do
        if line:sub(at, at) == '"' then
            local text = {}
            at = at + 1
            while true do
                local stop = line:find('"', at, true)
                if not stop then return nil end
                text[#text + 1] = line:sub(at, stop - 1)
                at = stop + 1
                if line:sub(at, at) ~= '"' then break end
                text[#text + 1] = '"'
                at = at + 1
            end
            fields[#fields + 1] = table.concat(text)
            at = line:find(delimiter, at, true)
        else
            local stop = line:find(delimiter, at, true)
            fields[#fields + 1] = line:sub(at, stop and stop - 1)
            at = stop
        end
        if not at then return fields end
        at = at + #delimiter
    end
end

local read_options = support.signature("read_csv", {"path!", "delimiter", "header", "dtype"},
    {delimiter = ",", dtype = torch.float32})

local function numbers_of(fields, path, row, width, values)
    if #fields ~= width then
        raise("ValueError", "'%s', line %d: expected %d fields, saw %d", path, row, width, #fields)
    end
    for column, field in ipairs(fields) do
        local word = field:match("^%s*(.-)%s*$")
        local value = tonumber(word)
        if not value then
            local lower = word:lower()
            value = (lower == "" or lower == "nan") and 0 / 0 or (lower == "inf" or lower == "+inf") and
                math.huge or
                lower == "-inf" and -math.huge or nil
        end
        if not value then
            raise("ValueError", "'%s', line %d, column %d: could not convert string to float: %s", path, row,
                column - 1, support.repr(field))
        end
        values[#values + 1] = value
    end
end

-- read_csv(path, {delimiter=",", header=nil, dtype=torch.float32}): a tensor (rows, columns) of the numbers
-- in the file, and the column names. header true or false says whether the first line holds names; nil:
-- whether it is not numbers. Empty fields are NaN.
local function read_csv(...)
    local path, delimiter, header, dtype = read_options(...)
    if type(path) ~= "string" then
        raise("TypeError", "read_csv(): argument 'path' (position 1) must be str, not %s",
            support.type_word(path))
    end
    local file, message, number = io.open(path, "r")
    if not file then fail(path, message, number) end
    local closing <close> = file
    local text, why, code = closing:read("a")
    if not text then fail(path, why, code) end
    local names, values, width, rows, row = nil, {}, nil, 0, 0
    for line in (text:gsub("^\xEF\xBB\xBF", "") .. "\n"):gmatch("(.-)\r?\n") do
        row = row + 1
        if line ~= "" then
            local fields = split_record(line, delimiter)
            if not fields then raise("ValueError", "'%s', line %d: a quote is not closed", path, row) end
            if not width then
                width = #fields
                if header == nil then header = tonumber(fields[1]) == nil and fields[1] ~= "" end
                if header then
                    names = {}
                    for i, field in ipairs(fields) do names[i] = field:match("^%s*(.-)%s*$") end
                end
            end
            if header then
                header = false
            else
                numbers_of(fields, path, row, width, values)
                rows = rows + 1
            end
        end
    end
    if not width then raise("ValueError", "No columns to parse from file '%s'", path) end
    return torch.tensor(values, {dtype = dtype}):reshape({rows, width}), names
end

return {read_csv = read_csv, read_idx = torch._read_idx}
