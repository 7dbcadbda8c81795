-- Files that PyTorch, numpy and safetensors wrote (tests/oracle/store_fixtures.py), as torch.load gives them.
local function open(name, ...) return torch.load("tests/scripts/data/store_" .. name, ...) end

local types, metadata = open("types.safetensors")
local arrays = open("arrays.npz")
for _, name in ipairs {"bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64"} do
    local expected = torch.arange(6):view(2, 3):to(torch[name])
    print(name, types[name].dtype, torch.equal(types[name], expected),
        arrays[name] ~= nil and torch.equal(arrays[name], expected) and arrays[name].dtype == expected.dtype)
end
print(types.scalar, types.empty, types['odd "näme"\n'], torch.repr(metadata))
print(open("fortran.npy"), open("fortran.npy"):stride())
print(open("pickle5.pt"))

local c = open("checkpoint.pt")
for name, value in pairs(c) do print(name, torch.repr(value)) end
c.base[{1, 0}] = 40 -- tensors of one storage share it
print(c.row, c.transposed[0], c.weight.is_leaf, c.grad.requires_grad)
print(open("checkpoint.pt", map_location="cpu", weights_only=true).half)

local net = nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2))
print(net:load_state_dict(open("state.pt")))
torch.manual_seed(0)
print(torch.equal(net[0].weight, nn.Linear(3, 2).weight), net[1].weight)

for _, name in ipairs {"evil.pt", "legacy.pt", "unsigned.npy"} do
    print(select(2, pcall(open, name)))
end
