-- Reading idx and CSV files: good ones, damaged ones, and what is no file.
local data = torch.utils.data
local path = os.tmpname()

local function write(bytes)
    local file = assert(io.open(path, "wb"))
    file:write(bytes)
    file:close()
end

-- The error's text, without its position and with the file's name in place of its path.
local function try(f, ...)
    local ok, message = pcall(f, ...)
    print(ok and "no error" or (message:gsub("^[^:]*:%d+: ", ""):gsub(path:gsub("%p", "%%%0"), "FILE")))
end

local function idx(code, sizes, elements)
    return "\0\0" .. string.char(code, #sizes) .. string.pack(">" .. ("I4"):rep(#sizes), table.unpack(sizes)) .. elements
end

write(idx(0x08, {2, 3}, "\1\2\3\4\5\255"))
print(data.read_idx(path))
write(idx(0x09, {2}, "\1\255"))
print(data.read_idx(path))
write(idx(0x0B, {2}, string.pack(">i2i2", 258, -2)))
print(data.read_idx(path))
write(idx(0x0C, {1, 2}, string.pack(">i4i4", 65536, -2)))
print(data.read_idx(path))
write(idx(0x0D, {3}, string.pack(">fff", 1.5, -2, 0)))
print(data.read_idx(path))
write(idx(0x0E, {1}, string.pack(">d", 0.1)))
print(data.read_idx(path))
write(idx(0x08, {}, "\7"))
print(data.read_idx(path))
write(idx(0x08, {0, 3}, ""))
print(data.read_idx(path).shape)

for _, bytes in ipairs {"", "\0\0\8", "hello", idx(0x07, {1}, "x"), idx(0x08, {3}, "ab"), idx(0x08, {2}, "abc"),
    idx(0x0E, {2}, string.pack(">d", 1)), "\0\0\8\255", idx(0x08, {0xffffffff, 0xffffffff, 0xffffffff}, ""),
    idx(0x08, {0xffffffff}, "abc"), "\31\139\8\0\0\0\0\0\0\3", "\31\139\8\0\0\0\0\0\0\3\255\255\255\255"} do
    write(bytes)
    try(data.read_idx, path)
end
try(data.read_idx, "no/such/file")
try(data.read_idx, "tests")
try(data.read_idx)
try(data.read_idx, 5)
print(data.read_idx("scripts/data/mnist/t10k-images-idx3-ubyte.gz").shape)
print(data.read_idx("scripts/data/mnist/t10k-labels-idx1-ubyte.gz"))

write('width, height,"the name, quoted"\n1,2,3\n4.5,-1e3,\n\n" 7 ",inf,nan\r\n')
local values, names = data.read_csv(path)
print(values, torch.repr(names))
write("1;2\n3;4")
print(data.read_csv(path, delimiter=";", dtype=torch.int64))
values, names = data.read_csv(path, delimiter=";", header=true)
print(values, torch.repr(names))
for _, text in ipairs {"", "a,b\n1,2,3\n", "a\n1\nx\n", 'a\n"1\n'} do
    write(text)
    try(data.read_csv, path)
end
try(data.read_csv, "no/such/file")
try(data.read_csv, "tests")
try(data.read_csv)
try(data.read_csv, path, {delimitter=";"})
os.remove(path)
