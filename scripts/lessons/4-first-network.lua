-- Lesson 4: a first network. Two layers learn XOR, which one layer cannot.
--
-- Step through it at the prompt with `%lesson scripts/lessons/4-first-network.lua`. Between two cells you may type what
-- you like; Enter goes on.

--%% What is to be learned: XOR
-- Four examples of two inputs; the answer is 1 where exactly one of them is 1.
torch.manual_seed(0)
X = torch.tensor({{0., 0.}, {0., 1.}, {1., 0.}, {1., 1.}})
y = torch.tensor({{0.}, {1.}, {1.}, {0.}})
X.shape, y.shape
--> (torch.Size([4, 2]), torch.Size([4, 1]))

--%% A layer multiplies by weights and adds a bias
-- weight has one row for each output; both start as small random numbers.
layer = nn.Linear(2, 3)
layer.weight
--> Parameter containing:
--> tensor([[-0.0053,  0.3793],
-->         [-0.5820, -0.5204],
-->         [-0.2723,  0.1896]], requires_grad=True)

--%% What happens to the shapes
-- Four examples come in with 2 numbers each and leave with 3 each.
%explain layer(X)
--> layer(X): linear, each element a sum of 2 products
-->   X              4   [2]
-->   layer.weight   3   [2]
-->   layer.bias    +1*   3
-->   result         4    3    float32, new, 48 bytes
-->   layer.weight is used transposed
-->   +1 inserted   * stretched   [ ] summed over

--%% One of its numbers
-- The second example's first output: inputs times weights, and the bias.
%trace layer(X)[1, 0]
--> layer(X)[1, 0] = 0.3653
-->   X[1, 0]             0.0
-->   layer.weight[0, 0]  -0.0053
-->   X[1, 1]             1.0
-->   layer.weight[0, 1]  0.3793
-->   layer.bias[0]       -0.014
-->   layer(X)[1, 0] = 0.0 * (-0.0053) + 1.0 * 0.3793 + (-0.014) = 0.3653

--%% A network is layers in a row
-- Between them stands tanh: without something curved, two layers are no more than one.
net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1), nn.Sigmoid())
net
--> Sequential(
-->   (0): Linear(in_features=2, out_features=4, bias=True)
-->   (1): Tanh()
-->   (2): Linear(in_features=4, out_features=1, bias=True)
-->   (3): Sigmoid()
--> )

--%% How many numbers it can turn
count = 0
for _, p in ipairs(net:parameters()) do count += p:numel() end
count
--> 17

--%% Before learning it answers about the same to everything
net(X)
--> tensor([[0.5332],
-->         [0.4958],
-->         [0.5175],
-->         [0.4906]], grad_fn=<SigmoidBackward0>)

--%% The loss says how wrong that is
-- 0.69 is -log(0.5): as good as tossing a coin.
loss = F.binary_cross_entropy(net(X), y)
loss
--> tensor(0.6992, grad_fn=<BinaryCrossEntropyBackward0>)

--%% Everything that led to the loss
-- The leaves, AccumulateGrad, are what can be turned: the weights and biases, by their names.
%graph loss
--> BinaryCrossEntropyBackward0 ()             saves 32 bytes   In [9]:2
--> SigmoidBackward0 (4, 1)                    saves 16 bytes   In [9]:2
--> AddmmBackward0 (4, 1)                      saves 80 bytes   In [9]:2
--> |- AccumulateGrad net[2].bias (1)
--> |- TanhBackward0 (4, 4)                    saves 64 bytes   In [9]:2
--> |  AddmmBackward0 (4, 4)                   saves 32 bytes   In [9]:2
--> |  |- AccumulateGrad net[0].bias (4)
--> |  `- TBackward0 (2, 4)                    In [9]:2
--> |     AccumulateGrad net[0].weight (4, 2)
--> `- TBackward0 (4, 1)                       In [9]:2
-->    AccumulateGrad net[2].weight (1, 4)

--%% One step
-- The gradient says in which direction each number makes the loss grow; the optimizer goes the other way.
optimizer = optim.Adam(net:parameters(), lr=0.1)
optimizer:zero_grad()
loss:backward()
optimizer:step()
F.binary_cross_entropy(net(X), y):item() < loss:item()
--> true

--%% Two hundred steps
for step = 1, 200 do
  local loss = F.binary_cross_entropy(net(X), y)
  optimizer:zero_grad()
  loss:backward()
  optimizer:step()
  if step % 50 == 0 then print(("step %3d  loss %.4f"):format(step, loss:item())) end
end
--> step  50  loss 0.0095
--> step 100  loss 0.0032
--> step 150  loss 0.0020
--> step 200  loss 0.0014

--%% What it says now
net(X):round()
--> tensor([[0.],
-->         [1.],
-->         [1.],
-->         [0.]], grad_fn=<RoundBackward0>)

--%% All four are right
(net(X):round() == y):all()
--> tensor(True)

--%% What it does in between
-- The answer changes smoothly between the corners; the middle is no corner at all.
net(torch.tensor({{0.5, 0.5}, {0.9, 0.1}})).shape
--> torch.Size([2, 1])

--%% Feeding it the wrong shape
-- Three inputs instead of two: the picture shows which sizes should have been the same.
net(torch.ones(4, 3))
--> RuntimeError: mat1 and mat2 shapes cannot be multiplied (4x3 and 2x4)
-->   In [16]:2: net(torch.ones(4, 3))
-->   input           4   [3]
-->   net[0].weight   4   [2]
-->                        ^
-->   net[0].bias    +1*   4

--%% For you
-- Take nn.Tanh() out of the network and run the lesson again: the loss stays near 0.69. One straight line cannot
-- separate XOR.
nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 1)):parameters()[1].shape
--> torch.Size([4, 2])
