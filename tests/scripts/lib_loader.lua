-- Which samples loaders, samplers and splits give after a seed; the .out file is what tests/oracle/lib_loader.py prints.
local data = torch.utils.data
local x, y = torch.arange(10):float():view(10, 1), torch.arange(10)
local set = data.TensorDataset(x, y)

local function list(t) return "[" .. table.concat(torch.is_tensor(t) and t:tolist() or t, ", ") .. "]" end
local function order(sampler) print(list(sampler:order())) end
local function draw() print(("%.9g"):format(torch.rand(1):item())) end

torch.manual_seed(5)
for epoch = 1, 2 do
    for i, a, b in pairs(data.DataLoader(set, batch_size=4, shuffle=true)) do print(i, list(a:flatten():long()), list(b)) end
end
draw()
local g = torch.Generator()
g:manual_seed(7)
for i, a, b in pairs(data.DataLoader(set, batch_size=3, shuffle=true, drop_last=true, generator=g)) do print(i, list(b)) end
draw()
for i, a, b in pairs(data.DataLoader(set, batch_size=4)) do print(i, list(b)) end
draw()
local parts = data.random_split(set, {7, 3})
print(list(parts[1].indices), list(parts[2].indices), #parts[1])
for i, a, b in pairs(data.DataLoader(parts[1], batch_size=4, shuffle=true)) do print(i, list(b)) end
parts = data.random_split(set, {0.55, 0.45})
print(#parts[1], #parts[2], parts[1][0][2]:item())
order(data.RandomSampler(set, replacement=true, num_samples=40))
order(data.RandomSampler(set, num_samples=14))
order(data.SubsetRandomSampler({3, 5, 7}))
order(data.WeightedRandomSampler({0.1, 0.9, 0.4}, 8))
order(data.WeightedRandomSampler({0.1, 0.9, 0.4}, 3, replacement=false))

local Squares = nn.class("Squares", data.Dataset)
function Squares:__len() return 5 end
function Squares:__getitem(i) return i * i, i / 2, {name="n" .. i, t=torch.ones(2) * i} end
for i, a, b, c in pairs(data.DataLoader(Squares(), batch_size=2)) do
    print(i, a, b, list(c.name), c.t)
end
local loader = data.DataLoader(Squares(), batch_size=2, drop_last=true)
print(#loader, #data.DataLoader(Squares(), batch_size=2), #Squares())
for i, a in pairs(data.DataLoader(Squares(), sampler={4, 1}, batch_size=false)) do print(i, a) end
for i, a in pairs(data.DataLoader(Squares(), batch_sampler={{4, 1}, {0}})) do print(i, a) end
print(#data.ConcatDataset({set, Squares()}), data.ConcatDataset({set, Squares()})[12][1])
