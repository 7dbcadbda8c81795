-- Training: a network of plain tensors, SGD, momentum; then the same with modules, on any device.

--%% Three layers as plain tensors
-- N240
-- F.relu after the last layer is the notes' own; what it does to the loss shows below.
torch.manual_seed(0)
w1, b1 = torch.randn(200, 784, requires_grad=true), torch.zeros(200, requires_grad=true)
w2, b2 = torch.randn(200, 200, requires_grad=true), torch.zeros(200, requires_grad=true)
w3, b3 = torch.randn(10, 200, requires_grad=true), torch.zeros(10, requires_grad=true)

function forward(x)
    x = x @ w1:t() + b1
    x = F.relu(x)
    x = x @ w2:t() + b2
    x = F.relu(x)
    x = x @ w3:t() + b3
    x = F.relu(x)
    return x
end

--%% Data: four batches of 20 random pictures with random labels
-- N241
torch.manual_seed(0)
train_loader = {}
for i = 1, 4 do train_loader[i] = {torch.rand(20, 1, 28, 28), torch.randint(0, 10, {20})} end
losses = {}

--%% The loop: forward, loss, backward, step
-- N242
epochs = 10
optimizer = optim.SGD({w1, b1, w2, b2, w3, b3}, lr=1e-3)
criteon = nn.CrossEntropyLoss()
for epoch = 1, epochs do
    for batch_idx, batch in ipairs(train_loader) do
        local data, target = table.unpack(batch)
        data = data:view(-1, 28*28)
        local logits = forward(data)
        local loss = criteon(logits, target)
        optimizer:zero_grad()
        loss:backward()
        optimizer:step()
        losses[#losses + 1] = loss:item()
    end
end

--%% The losses, batch by batch
-- N243
-- Weights of size one make the first ones huge. log(10) = 2.3026 is the loss of a network that says
-- nothing: the last relu has cut every logit off. Four digits: the order of a matrix product's sums is the
-- BLAS library's own.
local text = {}
for i, v in ipairs(losses) do text[i] = ("%.4g"):format(v) end
print(#losses, table.concat(text, " ", 1, 8))
print(table.concat(text, " ", 33, 40))
--> 40	1948 1255 1194 201.6 84.47 12.57 47.6 15.95
--> 2.303 2.303 2.303 2.187 2.303 2.303 2.303 2.187

--%% A parameter that is listed twice, as in the notes, and how an optimizer prints
-- N244
optim.SGD({w1, b1, w1, b2, w3, b3}, lr=1e-3)
--> ...UserWarning: optimizer contains a parameter group with duplicate parameters; in future, this will cause an error; see github.com/pytorch/pytorch/issues/40967 for more information
--> SGD (
--> Parameter Group 0
-->     dampening: 0
-->     differentiable: False
-->     foreach: None
-->     fused: None
-->     lr: 0.001
-->     maximize: False
-->     momentum: 0
-->     nesterov: False
-->     weight_decay: 0
--> )

--%% Momentum: the step before goes on
-- N245
wm = torch.tensor({1., 2.}, requires_grad=true)
om = optim.SGD({wm}, lr=0.1, momentum=0.9)
tr = {}
for k = 1, 5 do
    local lm = (wm ** 2):sum()
    om:zero_grad()
    lm:backward()
    om:step()
    tr[k] = wm:tolist()
end
tr
--> {{0.800000011920929, 1.600000023841858},
-->  {0.46000000834465027, 0.9200000166893005},
-->  {0.062000006437301636, 0.12400001287460327},
-->  {-0.3086000084877014, -0.6172000169754028},
-->  {-0.5804200172424316, -1.1608400344848633}}

--%% A device: PyTorch's names for GPUs mean OpenCL devices
-- N270
torch.device("cuda:0")
--> device(type='opencl', index=0)

--%% The network as a module
-- N271
MLP = nn.class("MLP")
function MLP:init()
    self.model = nn.Sequential(
        nn.Linear(784, 200),
        nn.LeakyReLU(inplace=true),
        nn.Linear(200, 200),
        nn.LeakyReLU(inplace=true),
        nn.Linear(200, 10),
        nn.LeakyReLU(inplace=true))
end
function MLP:forward(x) return self.model(x) end
learning_rate = 1e-3
MLP()
--> MLP(
-->   (model): Sequential(
-->     (0): Linear(in_features=784, out_features=200, bias=True)
-->     (1): LeakyReLU(negative_slope=0.01, inplace=True)
-->     (2): Linear(in_features=200, out_features=200, bias=True)
-->     (3): LeakyReLU(negative_slope=0.01, inplace=True)
-->     (4): Linear(in_features=200, out_features=10, bias=True)
-->     (5): LeakyReLU(negative_slope=0.01, inplace=True)
-->   )
--> )

--%% Moving it to the GPU, if there is one
-- N272
-- Without one PyTorch says "Torch not compiled with CUDA enabled".
device = torch.device(torch.opencl.is_available() and "cuda:0" or "cpu")
net = MLP():to(device)
net.model[0].weight.device == device
--> true

--%% parameters() is a list already: no braces around it
-- N273
optim.SGD({MLP():parameters()}, lr=learning_rate)
--> TypeError: optimizer can only optimize Tensors, but one of the params is Module.parameters
--> ...

--%% The training loop with everything on one device, here the CPU
-- N274
torch.manual_seed(0)
device = torch.device("cpu")
net = MLP():to(device)
optimizer = optim.SGD(net:parameters(), lr=learning_rate)
criteon = nn.CrossEntropyLoss():to(device)
gpu_losses = {}
for epoch = 1, epochs do
    for batch_idx, batch in ipairs(train_loader) do
        local data, target = table.unpack(batch)
        data = data:view(-1, 28*28)
        data, target = data:to(device), target:to(device)
        local logits = net(data)
        local loss = criteon(logits, target)
        optimizer:zero_grad()
        loss:backward()
        optimizer:step()
        gpu_losses[#gpu_losses + 1] = loss:item()
    end
end

--%% Its losses start near log(10) and fall slowly
-- N275
local text = {}
for i, v in ipairs(gpu_losses) do text[i] = ("%.4f"):format(v) end
print(#gpu_losses, table.concat(text, " ", 1, 8))
print(table.concat(text, " ", 33, 40))
--> 40	2.3054 2.3201 2.3035 2.3100 2.3046 2.3199 2.3029 2.3097
--> 2.2997 2.3185 2.2990 2.3071 2.2990 2.3183 2.2984 2.3066

--%% cuda() moves a single tensor too, where there is a device
-- N276
local target = train_loader[1][2]
if torch.opencl.is_available() then target = target:cuda() end
target.shape
--> torch.Size([20])
