-- What torch.save writes, torch.load reads back: dtypes, views, names, order, state dicts.
local path = os.tmpname()

local function there_and_back(value, ending)
    local file = path .. (ending or "")
    torch.save(value, file)
    local result = table.pack(torch.load(file))
    if file ~= path then os.remove(file) end
    return table.unpack(result, 1, result.n)
end

local function same(a, b)
    return torch.equal(a, b) and a.dtype == b.dtype and a.shape == b.shape and b:is_contiguous()
end

for _, name in ipairs {"bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64"} do
    local t = (torch.arange(24):view(2, 3, 4) - 2):to(torch[name])
    for _, view in ipairs {t, t:permute(2, 0, 1), t[":, 1:, ::2"], t[0][0][3], t[":0"], t[":1"]:expand(3, 3, 4)} do
        local ok = same(view, there_and_back(view))
        if name ~= "bfloat16" then
            ok = ok and same(view, there_and_back(view, ".npy")) and same(view, there_and_back({view}, ".npz").arr_0)
        end
        if not ok then print("different", name, view.shape) end
    end
end

-- names of all kinds, tables in tables
local one, two = torch.ones(1), torch.full({2}, 2.5):half()
local odd = 'a "quoted"\\name\n\1é'
local flat = there_and_back({z = one, list = {two, one}, a = {b = {c = two}}, [odd] = one, [7] = torch.tensor(true)})
print(torch.repr(flat))
print(same(flat[odd], one))
print(torch.repr(there_and_back({one, x = two}, ".npz")), torch.repr(there_and_back({})), torch.repr(there_and_back({}, ".npz")))
print(torch.repr(there_and_back(one, ".npz")))

-- a checkpoint: numbers, strings and booleans among the tensors, lists and tables as they were
local checkpoint = there_and_back {
    epoch = 3, loss = 0.1 + 0.2, name = "a \"quoted\"\nname\0é", best = true, empty = {},
    extremes = {math.maxinteger, math.mininteger, 1 / 0, -1 / 0, 0 / 0, 5e-324, -0.0, 1e308, 2.0},
    history = {{0.5, one}, {0.25, two}}, by_step = {[0] = "first", [10] = "last"},
    state = nn.Linear(1, 1):state_dict(),
}
for _, key in ipairs {"epoch", "name", "best", "empty", "extremes", "history", "by_step"} do
    print(key, torch.repr(checkpoint[key]))
end
print(checkpoint.loss == 0.1 + 0.2, math.type(checkpoint.epoch), math.type(checkpoint.extremes[9]))
for name in pairs(checkpoint.state) do print(name) end

-- metadata comes back as a second value
local tensors, metadata = there_and_back({x = one, __metadata__ = {author = "me", ["k\"ey"] = "väl\t"}})
print(torch.repr(tensors), metadata.author, metadata['k"ey'])
print(select("#", there_and_back({tensor = one})), torch.repr(there_and_back({tensor = one})), there_and_back(one))

-- parameters and tensors with gradients give their elements
local w = nn.Parameter(torch.ones(2))
local back = there_and_back({w = w, y = w * 2})
print(back.w, back.y)

-- a model's state keeps its order and goes back
local function make() return nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2), nn.Linear(2, 1)) end
local net, other = make(), make()
net(torch.rand(4, 3))
print(other:load_state_dict(there_and_back(net:state_dict(), ".pt")))
local x = torch.rand(5, 3)
print(torch.equal(net:eval()(x), other:eval()(x)))
for _, ending in ipairs {"", ".npz"} do
    local names = {}
    for name in pairs(there_and_back(net:state_dict(), ending)) do names[#names + 1] = name end
    print(table.concat(names, " "))
end

-- one file replaces another only when it is whole
torch.save({kept = one}, path)
print(torch.repr(torch.load(path)), select(2, pcall(torch.save, {a = print}, path)))
print(torch.repr(torch.load(path)))

-- every length that is too short is an error, and so is every file that is too long
local function bytes_of(file)
    local f <close> = assert(io.open(file, "rb"))
    return f:read("a")
end
local function write(bytes)
    local f <close> = assert(io.open(path, "wb"))
    f:write(bytes)
end
for _, ending in ipairs {".safetensors", ".npy", ".npz", ".pt"} do
    local file = path .. ending
    local whole
    if ending == ".pt" then
        whole = bytes_of("tests/scripts/data/store_pickle5.pt")
    else
        torch.save(ending == ".npy" and two or {one, two}, file)
        whole = bytes_of(file)
        os.remove(file)
    end
    local accepted = 0
    for n = 0, #whole - 1 do
        write(whole:sub(1, n))
        if pcall(torch.load, path) then accepted = accepted + 1 end
    end
    write(whole)
    print(ending, "truncated files read", accepted, "whole", (pcall(torch.load, path)))
    -- any byte changed: an error or other values, nothing worse
    for n = 1, #whole do
        for _, byte in ipairs {0, 255, 128, whole:byte(n) ~ 1} do
            write(whole:sub(1, n - 1) .. string.char(byte) .. whole:sub(n + 1))
            pcall(torch.load, path)
        end
    end
end
os.remove(path)
