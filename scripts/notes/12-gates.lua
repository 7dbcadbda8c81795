-- Logic gates from perceptrons: AND, OR, NAND, and XOR out of two layers.

--%% The four inputs, each after a constant 1
-- N246
X = torch.tensor({{1, 0, 0}, {1, 1, 0}, {1, 0, 1}, {1, 1, 1}}, dtype=torch.float32)
X
--> tensor([[1., 0., 0.],
-->         [1., 1., 0.],
-->         [1., 0., 1.],
-->         [1., 1., 1.]])

--%% A logistic perceptron for AND
-- N247
-- The notes' function overwrites the w that it is given; so does this one.
andgate = torch.tensor({{0}, {0}, {0}, {1}}, dtype=torch.float32)
function LogisticR(X, w)
    w = torch.tensor({-0.2, 0.15, 0.15}, dtype=torch.float32)
    local zhat = torch.mv(X, w)
    local sigma = 1 / (1 + torch.exp(-zhat))
    local andhat = (sigma >= 0.5):float()
    return sigma, andhat
end

--%% Probabilities and decisions
-- N248
sigma, andhat = LogisticR(X, nil)
sigma, andhat
--> (tensor([0.4502, 0.4875, 0.4875, 0.5250]), tensor([0., 0., 0., 1.]))

--%% What AND should say, as a column
-- N249
-- The notes print it flat: they ran a later definition first.
andgate
--> tensor([[0.],
-->         [0.],
-->         [0.],
-->         [1.]])

--%% The picture of AND: points and the line between them
-- N250
-- A scatter plot with a dashed line comes with the chapter on pictures.

--%% Its points are two columns of X
-- N251
X[:, 1], X[:, 2]
--> (tensor([0., 1., 0., 1.]), tensor([0., 0., 1., 1.]))

--%% Its line: where 0.15 x + 0.15 y = 0.23
-- N252
x = torch.arange(-1, 3, 0.5, dtype=torch.float64)
x, (0.23 - 0.15 * x) / 0.15
--> (tensor([-1.0000, -0.5000,  0.0000,  0.5000,  1.0000,  1.5000,  2.0000,  2.5000],
-->         dtype=torch.float64),
-->  tensor([ 2.5333,  2.0333,  1.5333,  1.0333,  0.5333,  0.0333, -0.4667, -0.9667],
-->         dtype=torch.float64))

--%% OR
-- N253
-- The notes compute yhat, with a threshold that no zhat reaches, and return the right answers instead.
X = torch.tensor({{1, 0, 0}, {1, 1, 0}, {1, 0, 1}, {1, 1, 1}}, dtype=torch.float32)
orgate = torch.tensor({0, 1, 1, 1}, dtype=torch.float32)
function OR(X)
    local w = torch.tensor({-0.08, 0.15, 0.15}, dtype=torch.float32)
    local zhat = torch.mv(X, w)
    local yhat = (zhat >= 0.5):float()
    return orgate
end

--%% A threshold of 0 would have done: these are the zhat
-- N254
-- torch.torch is torch.
torch.mv(X, torch.torch.tensor({-0.08, 0.15, 0.15}, dtype=torch.float32))
--> tensor([-0.0800,  0.0700,  0.0700,  0.2200])

--%% The picture of OR
-- N255
-- It comes with the chapter on pictures.

--%% NAND
-- N256
nandgate = torch.tensor({1, 1, 1, 0}, dtype=torch.float32)
function NAND(X)
    local w = torch.tensor({0.23, -0.15, -0.15}, dtype=torch.float32)
    local zhat = torch.mv(X, w)
    local yhat = (zhat >= 0):float()
    return nandgate
end

--%% Its zhat: positive for all but 1 and 1
-- N257
torch.mv(X, torch.tensor({0.23, -0.15, -0.15}, dtype=torch.float32))
--> tensor([ 0.2300,  0.0800,  0.0800, -0.0700])

--%% The picture of NAND
-- N258
-- It comes with the chapter on pictures.

--%% XOR: no line separates the ones from the zeros, so it takes two layers
-- N259
X = torch.tensor({{1, 0, 0}, {1, 1, 0}, {1, 0, 1}, {1, 1, 1}}, dtype=torch.float32)
xorgate = torch.tensor({0, 1, 1, 0}, dtype=torch.float32)

--%% The picture of XOR
-- N260
-- It comes with the chapter on pictures.

--%% The first layer: NAND
-- N261
sigma_nand = NAND(X)
sigma_nand
--> tensor([1., 1., 1., 0.])

--%% And OR
-- N262
sigma_or = OR(X)
sigma_or
--> tensor([0., 1., 1., 1.])

--%% The constant of the second layer
-- N263
x0 = torch.tensor({1, 1, 1, 1}, dtype=torch.float32)
x0
--> tensor([1., 1., 1., 1.])

--%% Side by side, as columns: the second layer's input
-- N264
input_2 = torch.cat({x0:view(4, 1), sigma_nand:view(4, 1), sigma_or:view(4, 1)}, dim=1)
input_2
--> tensor([[1., 1., 0.],
-->         [1., 1., 1.],
-->         [1., 1., 1.],
-->         [1., 0., 1.]])

--%% Not as columns they would be one after the other
-- N265
torch.cat({x0, sigma_nand, sigma_or}, dim=0)
--> tensor([1., 1., 1., 1., 1., 1., 1., 0., 0., 1., 1., 1.])

--%% And have no second dim to be joined along
-- N266
torch.cat({x0, sigma_nand, sigma_or}, dim=1)
--> IndexError: Dimension out of range (expected to be in range of [-1, 0], but got 1)
--> ...

--%% The second layer: AND
-- N267
andgate = torch.tensor({0, 0, 0, 1}, dtype=torch.float32)
function AND(X)
    local w = torch.tensor({-0.2, 0.15, 0.15}, dtype=torch.float32)
    local zhat = torch.mv(X, w)
    return (zhat >= 0):float()
end

--%% AND of NAND and OR is XOR
-- N268
AND(input_2)
--> tensor([0., 1., 1., 0.])

--%% What AND should say, flat
-- N269
andgate
--> tensor([0., 0., 0., 1.])
