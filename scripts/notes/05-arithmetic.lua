-- Arithmetic: elementwise, matrix products, powers, exp and log, rounding, clamp.

--%% A matrix
-- N092
torch.manual_seed(0)
a = torch.rand(3, 4)
a
--> tensor([[0.4963, 0.7682, 0.0885, 0.1320],
-->         [0.3074, 0.6341, 0.4901, 0.8964],
-->         [0.4556, 0.6323, 0.3489, 0.4017]])

--%% A row
-- N093
b = torch.rand(4)
b
--> tensor([0.0223, 0.1689, 0.2939, 0.5185])

--%% The row is added to each row of the matrix
-- N094
a + b
--> tensor([[0.5186, 0.9371, 0.3824, 0.6506],
-->         [0.3297, 0.8029, 0.7840, 1.4150],
-->         [0.4780, 0.8012, 0.6428, 0.9202]])

--%% The same as a function
-- N095
torch.add(a, b)
--> tensor([[0.5186, 0.9371, 0.3824, 0.6506],
-->         [0.3297, 0.8029, 0.7840, 1.4150],
-->         [0.4780, 0.8012, 0.6428, 0.9202]])

--%% Minus is sub
-- N096
torch.all(torch.eq(a - b, torch.sub(a, b)))
--> tensor(True)

--%% * is mul, element by element
-- N097
torch.all(torch.eq(a * b, torch.mul(a, b)))
--> tensor(True)

--%% / is div
-- N098
torch.all(torch.eq(a / b, torch.div(a, b)))
--> tensor(True)

--%% Two small matrices for the matrix product
-- N099
-- A literal with a decimal point makes float32, one without int64.
a = torch.tensor({{3., 3.}, {3., 3.}})
a
--> tensor([[3., 3.],
-->         [3., 3.]])

--%% Ones
-- N100
b = torch.ones(2, 2)
b
--> tensor([[1., 1.],
-->         [1., 1.]])

--%% mm multiplies two matrices
-- N101
torch.mm(a, b)
--> tensor([[6., 6.],
-->         [6., 6.]])

--%% matmul multiplies matrices, vectors and batches
-- N102
torch.matmul(a, b)
--> tensor([[6., 6.],
-->         [6., 6.]])

--%% @ is matmul
-- N103
a @ b
--> tensor([[6., 6.],
-->         [6., 6.]])

--%% A linear layer's product: 784 numbers in, 512 out, for a batch of 4
-- N104
-- The semicolon is needed: without it Lua takes the next line's parenthesis for a call's.
torch.manual_seed(0)
a = torch.rand(4, 784)
x = torch.rand(4, 784)
local w = torch.rand(512, 784);
(x @ w:t()).shape
--> torch.Size([4, 512])

--%% More than two dims: a batch of matrices, multiplied one by one
-- N105
a = torch.rand(4, 3, 28, 64)
b = torch.rand(4, 3, 64, 32)
a.shape, b.shape, torch.matmul(a, b).shape
--> (torch.Size([4, 3, 28, 64]),
-->  torch.Size([4, 3, 64, 32]),
-->  torch.Size([4, 3, 28, 32]))

--%% The batch dims are broadcast
-- N106
b1 = torch.rand(4, 1, 64, 32)
a.shape, b.shape, torch.matmul(a, b1).shape
--> (torch.Size([4, 3, 28, 64]),
-->  torch.Size([4, 3, 64, 32]),
-->  torch.Size([4, 3, 28, 32]))

--%% Or they do not match: [4, 3] and [4]
-- N107
b2 = torch.rand(4, 64, 32)
torch.matmul(a, b2)
--> RuntimeError: The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 1
--> ...

--%% Powers
-- N108
a = torch.full({2, 2}, 3.)
a:pow(2)
--> tensor([[9., 9.],
-->         [9., 9.]])

--%% As an operator; Lua's own spelling is a ^ 2
-- N109
a ** 2
--> tensor([[9., 9.],
-->         [9., 9.]])

--%% The square root
-- N110
aa = a ** 2
aa:sqrt()
--> tensor([[3., 3.],
-->         [3., 3.]])

--%% One over the square root
-- N111
aa:rsqrt()
--> tensor([[0.3333, 0.3333],
-->         [0.3333, 0.3333]])

--%% Any exponent
-- N112
aa ** (0.5)
--> tensor([[3., 3.],
-->         [3., 3.]])

--%% The notes print 32 rows of 8 random numbers here that belong to none of their cells
-- N113
-- A tensor of that shape, to see how it is laid out: more than 1000 elements would be summarised, 256 are
-- not.
torch.manual_seed(0)
torch.rand(1, 32, 8).shape
--> torch.Size([1, 32, 8])

--%% e to the power of one
-- N114
a = torch.exp(torch.ones(2, 2))
a
--> tensor([[2.7183, 2.7183],
-->         [2.7183, 2.7183]])

--%% And back, almost
-- N115
-- float32 holds e only to seven digits, and the logarithm of that number is 1 - 2^-24: hence 1.0000 and
-- not 1.
torch.log(a)
--> tensor([[1.0000, 1.0000],
-->         [1.0000, 1.0000]])

--%% One number
-- N116
a = torch.tensor(3.14)
a
--> tensor(3.1400)

--%% Down, up, towards zero, and what is behind the point
-- N117
a:floor(), a:ceil(), a:trunc(), a:frac()
--> (tensor(3.), tensor(4.), tensor(3.), tensor(0.1400))

--%% Rounding
-- N118
a = torch.tensor(3.499)
a:round()
--> tensor(3.)

--%% A half
-- N119
a = torch.tensor(3.5)
a:round()
--> tensor(4.)

--%% Halves go to the even neighbour, not always up
-- N120
torch.tensor({0.5, 1.5, 2.5, -0.5, -1.5}):round()
--> tensor([ 0.,  2.,  2., -0., -2.])

--%% A gradient that has grown too large
-- N121
torch.manual_seed(0)
grad = torch.rand(2, 3) * 15
grad
--> tensor([[ 7.4438, 11.5233,  1.3272],
-->         [ 1.9805,  4.6113,  9.5112]])

--%% Its largest element
-- N122
grad:max()
--> tensor(11.5233)

--%% The median of an even count is the lower one of the middle two
-- N123
grad:median()
--> tensor(4.6113)

--%% clamp with one number: nothing below 10
-- N124
grad:clamp(10)
--> tensor([[10.0000, 11.5233, 10.0000],
-->         [10.0000, 10.0000, 10.0000]])

--%% grad itself is as it was
-- N125
grad
--> tensor([[ 7.4438, 11.5233,  1.3272],
-->         [ 1.9805,  4.6113,  9.5112]])

--%% With two: nothing below 0, nothing above 10. This is what clips a gradient
-- N126
grad:clamp(0, 10)
--> tensor([[ 7.4438, 10.0000,  1.3272],
-->         [ 1.9805,  4.6113,  9.5112]])

--%% As a function
-- N127
torch.clamp(grad, 10)
--> tensor([[10.0000, 11.5233, 10.0000],
-->         [10.0000, 10.0000, 10.0000]])

--%% The same with the numbers that the notes printed
-- L004
grad = torch.tensor({{14.1900, 14.6534, 6.0197}, {7.3536, 5.4166, 11.4699}})
grad
--> tensor([[14.1900, 14.6534,  6.0197],
-->         [ 7.3536,  5.4166, 11.4699]])

--%% The largest
-- L005
grad:max()
--> tensor(14.6534)

--%% The median
-- L006
grad:median()
--> tensor(7.3536)

--%% Nothing below 10
-- L007
grad:clamp(10)
--> tensor([[14.1900, 14.6534, 10.0000],
-->         [10.0000, 10.0000, 11.4699]])

--%% Between 0 and 10
-- L008
grad:clamp(0, 10)
--> tensor([[10.0000, 10.0000,  6.0197],
-->         [ 7.3536,  5.4166, 10.0000]])
