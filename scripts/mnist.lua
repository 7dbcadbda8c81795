-- Trains a 784-200-200-10 network to read MNIST's handwritten digits.
--
--     tide scripts/mnist.lua [FOLDER [EPOCHS]]
--
-- FOLDER holds the four idx files, gzipped or not: the full set of 70,000 digits, say. Without it, the 10,000 digits
-- that come with Tide are used.
local data = torch.utils.data
local folder = arg[1] or (arg[0]:match("^.*/") or "./") .. "data/mnist"
local epochs = tonumber(arg[2] or 10)

local function exists(path)
    local file = io.open(path)
    return file and file:close()
end

local function read(name)
    local path = folder .. "/" .. name
    return data.read_idx(exists(path) and path or path .. ".gz")
end

-- Images (n, 28, 28) of bytes become rows (n, 784) of numbers from 0 to 1, less their mean.
local function digits(part)
    local images, labels = read(part .. "-images-idx3-ubyte"), read(part .. "-labels-idx1-ubyte")
    return data.TensorDataset(images:view(-1, 28 * 28):float() / 255 - 0.1307, labels:long())
end

torch.manual_seed(0)
local train, test = digits("train"), digits("t10k")
local loader = data.DataLoader(train, batch_size=64, shuffle=true)

local net = nn.Sequential(
    nn.Linear(784, 200), nn.LeakyReLU(inplace=true),
    nn.Linear(200, 200), nn.LeakyReLU(inplace=true),
    nn.Linear(200, 10), nn.LeakyReLU(inplace=true))
local opt = optim.SGD(net:parameters(), lr=0.1, momentum=0.9)

local function accuracy(set)
    local _ <close> = torch.no_grad()
    local x, y = table.unpack(set.tensors)
    return (net(x):argmax(1) == y):float():mean():item()
end

print(net)
print(("%d digits to learn from, %d held out"):format(#train, #test))
for epoch = 1, epochs do
    local total = 0
    for _, x, y in pairs(progress(loader, desc=("epoch %d"):format(epoch))) do
        local loss = F.cross_entropy(net(x), y)
        opt:zero_grad()
        loss:backward()
        opt:step()
        total += loss:item() * #x
    end
    print(("epoch %2d: loss %.4f, accuracy %.2f%%"):format(epoch, total / #train, 100 * accuracy(test)))
end
