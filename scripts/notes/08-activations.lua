-- Activation functions: sigmoid, tanh, the ReLUs, sign.

--%% Ten numbers from -100 to 100
-- N170
z = torch.linspace(-100, 100, 10)
z
--> tensor([-100.0000,  -77.7778,  -55.5556,  -33.3333,  -11.1111,   11.1111,
-->           33.3333,   55.5556,   77.7778,  100.0000])

--%% sigmoid squeezes them between 0 and 1
-- N171
-- Numbers of such different sizes are printed with exponents.
torch.sigmoid(z)
--> tensor([0.0000e+00, 1.6655e-34, 7.4564e-25, 3.3382e-15, 1.4945e-05, 9.9999e-01,
-->         1.0000e+00, 1.0000e+00, 1.0000e+00, 1.0000e+00])

--%% Its derivative is f(1 - f), largest at 0
-- N172
t = torch.tensor({-2., -1., 0., 1., 2.}, requires_grad=true)
f1 = torch.sigmoid(t)
torch.autograd.grad(f1:sum(), {t})[1], f1 * (1 - f1)
--> (tensor([0.1050, 0.1966, 0.2500, 0.1966, 0.1050]),
-->  tensor([0.1050, 0.1966, 0.2500, 0.1966, 0.1050], grad_fn=<MulBackward0>))

--%% Ten numbers from -1 to 1
-- N173
a = torch.linspace(-1, 1, 10)
a
--> tensor([-1.0000, -0.7778, -0.5556, -0.3333, -0.1111,  0.1111,  0.3333,  0.5556,
-->          0.7778,  1.0000])

--%% tanh goes from -1 to 1
-- N174
torch.tanh(a)
--> tensor([-0.7616, -0.6514, -0.5047, -0.3215, -0.1107,  0.1107,  0.3215,  0.5047,
-->          0.6514,  0.7616])

--%% It is a sigmoid, stretched
-- N175
2 * torch.sigmoid(2 * a) - 1
--> tensor([-0.7616, -0.6514, -0.5047, -0.3215, -0.1107,  0.1107,  0.3215,  0.5047,
-->          0.6514,  0.7616])

--%% The ten numbers again
-- N176
a
--> tensor([-1.0000, -0.7778, -0.5556, -0.3333, -0.1111,  0.1111,  0.3333,  0.5556,
-->          0.7778,  1.0000])

--%% ReLU cuts the negative ones off
-- N177
torch.relu(a)
--> tensor([0.0000, 0.0000, 0.0000, 0.0000, 0.0000, 0.1111, 0.3333, 0.5556, 0.7778,
-->         1.0000])

--%% LeakyReLU leaves them a small slope: a network with it
-- N178
torch.manual_seed(0)
model = nn.Sequential(
    nn.Linear(784, 200),
    nn.LeakyReLU(inplace=true),
    nn.Linear(200, 200),
    nn.LeakyReLU(inplace=true),
    nn.Linear(200, 10),
    nn.LeakyReLU(inplace=true))
model
--> Sequential(
-->   (0): Linear(in_features=784, out_features=200, bias=True)
-->   (1): LeakyReLU(negative_slope=0.01, inplace=True)
-->   (2): Linear(in_features=200, out_features=200, bias=True)
-->   (3): LeakyReLU(negative_slope=0.01, inplace=True)
-->   (4): Linear(in_features=200, out_features=10, bias=True)
-->   (5): LeakyReLU(negative_slope=0.01, inplace=True)
--> )

--%% The slope is 0.01 unless it is given
-- N179
nn.LeakyReLU(0.02)(torch.linspace(-1, 1, 10))
--> tensor([-0.0200, -0.0156, -0.0111, -0.0067, -0.0022,  0.1111,  0.3333,  0.5556,
-->          0.7778,  1.0000])

--%% SELU bends smoothly
-- N180
nn.SELU()(torch.linspace(-1, 1, 10))
--> tensor([-1.1113, -0.9504, -0.7494, -0.4984, -0.1849,  0.1167,  0.3502,  0.5837,
-->          0.8172,  1.0507])

--%% softplus is a smooth ReLU
-- N181
nn.Softplus()(torch.linspace(-1, 1, 10))
--> tensor([0.3133, 0.3780, 0.4535, 0.5403, 0.6391, 0.7502, 0.8736, 1.0090, 1.1558,
-->         1.3133])

--%% sign: -1, 0 or 1
-- N182
torch.sign(torch.tensor({-2., 0., 3.}))
--> tensor([-1.,  0.,  1.])

--%% A perceptron decides by the sign: here it computes AND
-- N183
-- Each row of X is the constant 1 and the two inputs; w holds the bias and two weights. Where Python turns
-- a mask into numbers one by one, `(zhat >= 0):float()` does it at once.
X = torch.tensor({{1, 0, 0}, {1, 1, 0}, {1, 0, 1}, {1, 1, 1}}, dtype=torch.float32)
andgate = torch.tensor({{0}, {0}, {0}, {1}}, dtype=torch.float32)
w = torch.tensor({-0.2, 0.15, 0.15}, dtype=torch.float32)
function LinearRwithsign(X, w)
    local zhat = torch.mv(X, w)
    local andhat = (zhat >= 0):float()
    return zhat, andhat
end

--%% Only 1 AND 1 comes out positive
-- N184
zhat, andhat = LinearRwithsign(X, w)
zhat, andhat
--> (tensor([-0.2000, -0.0500, -0.0500,  0.1000]), tensor([0., 0., 0., 1.]))
