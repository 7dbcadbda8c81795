-- The nodes recorded for every expression of data/node_names.txt; the .out file is what tests/oracle/node_names.py prints.
local function leaf(...)
    local n = 1
    for _, size in ipairs {...} do n = n * size end
    return (torch.arange(1.0, n + 1.0) / 10):reshape({...}):requires_grad_()
end

local function chain(node, depth)
    if not node then return "-" end
    local inputs = {}
    for i, pair in ipairs(node.next_functions) do inputs[i] = chain(pair[1], depth - 1) end
    if depth == 0 or #inputs == 0 then return node:name() end
    return node:name() .. "(" .. table.concat(inputs, ", ") .. ")"
end

local function show(...)
    local parts, list = {}, table.pack(...)
    if list.n == 1 and type(list[1]) == "table" then list = table.pack(table.unpack(list[1])) end
    for i = 1, list.n do
        if torch.is_tensor(list[i]) then parts[#parts + 1] = chain(list[i].grad_fn, 2) end
    end
    return table.concat(parts, "; ")
end

function L(...) return {...} end
function N() return X:clone() end

for line in io.lines("tests/scripts/data/node_names.txt") do
    torch.manual_seed(0)
    X, Y, U, M, V3, V1, S = leaf(2, 3), leaf(2, 3), leaf(2, 3), leaf(3, 3), leaf(3), leaf(1), leaf()
    B3, B333, B4, P4, B34 = leaf(3, 3, 3), leaf(3, 3, 3), leaf(2, 2, 3, 3), leaf(1, 4, 2, 2), leaf(1, 3, 4)
    SPD = torch.tensor({{4., 1., 0.}, {1., 5., 2.}, {0., 2., 6.}}, requires_grad=true)
    I, IV, IT = torch.tensor({{0, 1, 2}, {2, 1, 0}}), torch.tensor({0, 1}), torch.tensor({0, 2})
    BM = torch.tensor({{true, false, true}, {false, true, true}})
    local text = line:gsub("True", "true"):gsub("False", "false"):gsub("None", "nil"):gsub(":repeat%(", ":rep(")
    print(line .. " => " .. show(assert(load("return " .. text))()))
end
