-- One layer at a time: perceptrons, linear regression, what float32 can hold, nn.Linear.

--%% Ten inputs, one output
-- N277
torch.manual_seed(0)
x = torch.randn(1, 10)
w = torch.randn(1, 10, requires_grad=true)
o = torch.sigmoid(x @ w:t())
o.shape
--> torch.Size([1, 1])

--%% The loss is one number, a tensor of no dims
-- N278
loss = F.mse_loss(torch.ones(1, 1), o)
loss.shape
--> torch.Size([])

--%% Its gradient by each weight
-- N279
loss:backward()
w.grad
--> tensor([[-0.0013,  0.0003,  0.0019, -0.0005,  0.0009,  0.0012, -0.0003, -0.0007,
-->           0.0006,  0.0003]])

--%% Linear regression: a row is the constant 1 and two features
-- N280
X = torch.tensor({{1, 0, 0}, {1, 1, 0}, {1, 0, 1}, {1, 1, 1}}, dtype=torch.float32)
w = torch.tensor({-0.2, 0.15, 0.15})
X, w
--> (tensor([[1., 0., 0.],
-->          [1., 1., 0.],
-->          [1., 0., 1.],
-->          [1., 1., 1.]]),
-->  tensor([-0.2000,  0.1500,  0.1500]))

--%% float() makes floats of integers
-- N281
torch.tensor({{1, 0, 0}, {1, 1, 0}, {1, 0, 1}, {1, 1, 1}}):float()
--> tensor([[1., 0., 0.],
-->         [1., 1., 0.],
-->         [1., 0., 1.],
-->         [1., 1., 1.]])

--%% A matrix and a vector must have the same dtype
-- N282
torch.mv(torch.tensor({{1, 0, 0}, {1, 1, 0}, {1, 0, 1}, {1, 1, 1}}), w)
--> RuntimeError: addmv input tensors must have the same dtype, but got Float, Long, and Float
--> ...

--%% The forward pass
-- N283
function LinearR(X, w)
    local zhat = torch.mv(X, w)
    return zhat
end
zhat = LinearR(X, w)
zhat
--> tensor([-0.2000, -0.0500, -0.0500,  0.1000])

--%% torch.Tensor makes floats of everything
-- N284
torch.Tensor({{1, 0, 0}, {1, 1, 0}, {1, 0, 1}, {1, 1, 1}})
--> tensor([[1., 0., 0.],
-->         [1., 1., 0.],
-->         [1., 0., 1.],
-->         [1., 1., 1.]])

--%% torch.tensor looks at what it is given
-- N285
local t = {{1, 0, 0}, {1, 1, 0}}
torch.tensor(t).dtype, torch.Tensor(t).dtype, torch.tensor({true, false}).dtype, torch.tensor({1.5}).dtype
--> (torch.int64, torch.float32, torch.bool, torch.float32)

--%% The right answers, written down
-- N286
z = torch.tensor({-0.2000, -0.0500, -0.0500, 0.1000})
z.ndim
--> 1

--%% They are not what was computed
-- N287
zhat == z
--> tensor([ True, False, False, False])

--%% By very little
-- N288
zhat - z
--> tensor([0.0000e+00, 3.7253e-09, 3.7253e-09, 7.4506e-09])

--%% The sum of the squared errors
-- N289
-- As Python's sum adds it up, one after the other.
function sum(t)
    local total = 0
    for _, element in pairs(t) do total = total + element end
    return total
end
SSE = sum((zhat - z) ** 2)
SSE
--> tensor(8.3267e-17)

--%% Thirty digits show where they differ
-- N290
torch.set_printoptions(precision=30)
zhat, z
--> (tensor([-0.200000002980232238769531250000, -0.049999997019767761230468750000,
-->          -0.049999997019767761230468750000,  0.100000008940696716308593750000]),
-->  tensor([-0.200000002980232238769531250000, -0.050000000745058059692382812500,
-->          -0.050000000745058059692382812500,  0.100000001490116119384765625000]))

--%% The cell of the notes shows a later layer's zhat: those numbers, fed back in
-- L020
w30 = torch.tensor({
    {0.695239484310150146484375},
    {0.566381037235260009765625},
    {1.09414064884185791015625},
    {0.965282201766967773437500}}, requires_grad=true)
zh30 = torch.addmm(torch.zeros(4, 1), w30, torch.ones(1, 1))
zh30, z
--> (tensor([[0.695239484310150146484375000000],
-->          [0.566381037235260009765625000000],
-->          [1.094140648841857910156250000000],
-->          [0.965282201766967773437500000000]], grad_fn=<AddmmBackward0>),
-->  tensor([-0.200000002980232238769531250000, -0.050000000745058059692382812500,
-->          -0.050000000745058059692382812500,  0.100000001490116119384765625000]))

--%% Back to four digits
-- L021
torch.set_printoptions(precision=4)

--%% Eighty million numbers
-- N291
preds = torch.ones(300, 68, 64, 64)
preds.shape
--> torch.Size([300, 68, 64, 64])

--%% Exactly so many
-- N292
a = 300*68*64*64
a
--> 83558400

--%% A tenth each, times ten: 72 are lost to rounding
-- N293
-- float32 has seven digits; how much is lost depends on the order of the sum, which is PyTorch's.
preds = torch.ones(300, 68, 64, 64) * 0.1
preds:sum() * 10
--> tensor(83558328.)

--%% Ones lose nothing
-- N294
preds = torch.ones(300, 68, 64, 64)
preds:sum()
--> tensor(83558400.)

--%% Hence allclose instead of ==
-- N295
torch.allclose(zhat, z)
--> true

--%% 330 megabytes given back
-- N296
preds = nil
collectgarbage();

--%% nn.Linear adds the constant itself
-- N297
torch.set_printoptions(precision=4)
X = torch.tensor({{0, 0}, {1, 0}, {0, 1}, {1, 1}}, dtype=torch.float32)
X
--> tensor([[0., 0.],
-->         [1., 0.],
-->         [0., 1.],
-->         [1., 1.]])

--%% A layer with two inputs and one output starts with random weights
-- N298
torch.manual_seed(0)
output = torch.nn.Linear(2, 1)
zhat = output(X)
zhat
--> tensor([[-0.5820],
-->         [-0.5873],
-->         [-0.2027],
-->         [-0.2080]], grad_fn=<AddmmBackward0>)

--%% The weights and the bias
-- N299
output.weight, output.bias
--> (Parameter containing:
-->  tensor([[-0.0053,  0.3793]], requires_grad=True),
-->  Parameter containing:
-->  tensor([-0.5820], requires_grad=True))

--%% Without a bias there is none
-- N300
output = torch.nn.Linear(2, 1, bias=false)
print(output.bias)
--> nil

--%% Seed 420 gives the notes' own numbers
-- N301
torch.random.manual_seed(420)
output = torch.nn.Linear(2, 1)
zhat = output(X)
zhat, zhat.shape
--> (tensor([[0.6730],
-->          [1.1048],
-->          [0.2473],
-->          [0.6792]], grad_fn=<AddmmBackward0>),
-->  torch.Size([4, 1]))

--%% From these weights
-- N302
output.weight, output.bias
--> (Parameter containing:
-->  tensor([[ 0.4318, -0.4256]], requires_grad=True),
-->  Parameter containing:
-->  tensor([0.6730], requires_grad=True))

--%% The notes' unseeded layer, with the weights that they printed
-- L018
X = torch.tensor({{0, 0}, {1, 0}, {0, 1}, {1, 1}}, dtype=torch.float32)
output = torch.nn.Linear(2, 1)
output.weight.data = torch.tensor({{-0.2522, -0.0387}})
output.bias.data = torch.tensor({0.1788})
output(X)
--> tensor([[ 0.1788],
-->         [-0.0734],
-->         [ 0.1401],
-->         [-0.1121]], grad_fn=<AddmmBackward0>)

--%% Its weights
-- L019
output.weight, output.bias
--> (Parameter containing:
-->  tensor([[-0.2522, -0.0387]], requires_grad=True),
-->  Parameter containing:
-->  tensor([0.1788], requires_grad=True))

--%% Logistic regression: sigmoid of the layer, then a threshold
-- N303
-- In Python `[int(x) for x in sigma >= 0.5]`.
X = torch.tensor({{0, 0}, {1, 0}, {0, 1}, {1, 1}}, dtype=torch.float32)
torch.random.manual_seed(420)
dense = torch.nn.Linear(2, 1)
zhat = dense(X)
sigma = F.sigmoid(zhat)
y = (sigma >= 0.5):int():flatten():tolist()
y
--> {1, 1, 1, 1}

--%% The probabilities
-- N304
sigma
--> tensor([[0.6622],
-->         [0.7512],
-->         [0.5615],
-->         [0.6636]], grad_fn=<SigmoidBackward0>)

--%% The sign
-- N305
zhat, torch.sign(zhat)
--> (tensor([[0.6730],
-->          [1.1048],
-->          [0.2473],
-->          [0.6792]], grad_fn=<AddmmBackward0>),
-->  tensor([[1.],
-->          [1.],
-->          [1.],
-->          [1.]], grad_fn=<SignBackward0>))

--%% relu
-- N306
F.relu(zhat)
--> tensor([[0.6730],
-->         [1.1048],
-->         [0.2473],
-->         [0.6792]], grad_fn=<ReluBackward0>)

--%% tanh
-- N307
torch.tanh(zhat)
--> tensor([[0.5869],
-->         [0.8022],
-->         [0.2424],
-->         [0.5910]], grad_fn=<TanhBackward0>)

--%% Two outputs: w has two rows
-- N308
torch.manual_seed(0)
x = torch.randn(1, 10)
w = torch.randn(2, 10, requires_grad=true)
o = torch.sigmoid(x @ w:t())
o.shape
--> torch.Size([1, 2])

--%% One loss for both
-- N309
loss = F.mse_loss(torch.ones(1, 2), o)
loss
--> tensor(0.1225, grad_fn=<MseLossBackward0>)

--%% And a gradient for all twenty weights
-- N310
loss:backward()
w.grad
--> tensor([[-3.8412e-05,  7.3143e-06,  5.4311e-05, -1.4169e-05,  2.7034e-05,
-->           3.4863e-05, -1.0054e-05, -2.0890e-05,  1.7929e-05,  1.0054e-05],
-->         [-1.9068e-01,  3.6309e-02,  2.6961e-01, -7.0338e-02,  1.3420e-01,
-->           1.7306e-01, -4.9911e-02, -1.0370e-01,  8.9002e-02,  4.9910e-02]])

--%% Of the weights' shape
-- N311
w.grad.shape
--> torch.Size([2, 10])

--%% How the notes' gradient of one output was laid out
-- L024
torch.tensor({{-0.1313, 0.0248, 0.0298, -0.0075, -0.0821, 0.0185, 0.0354, 0.0332, -0.0105, 0.0642}})
--> tensor([[-0.1313,  0.0248,  0.0298, -0.0075, -0.0821,  0.0185,  0.0354,  0.0332,
-->          -0.0105,  0.0642]])

--%% And that of two
-- L025
torch.tensor({
    {0.0167, 0.0093, 0.0218, -0.0144, 0.0156, -0.0078, -0.0311, -0.0236, 0.0132, 0.0180},
    {0.0020, 0.0011, 0.0026, -0.0017, 0.0019, -0.0009, -0.0037, -0.0028, 0.0016, 0.0022}})
--> tensor([[ 0.0167,  0.0093,  0.0218, -0.0144,  0.0156, -0.0078, -0.0311, -0.0236,
-->           0.0132,  0.0180],
-->         [ 0.0020,  0.0011,  0.0026, -0.0017,  0.0019, -0.0009, -0.0037, -0.0028,
-->           0.0016,  0.0022]])
