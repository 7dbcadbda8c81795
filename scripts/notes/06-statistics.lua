-- Numbers about numbers: norms, extremes, means, the largest few, comparisons.

--%% Eight ones
-- N128
a = torch.full({8}, 1.)
a, a.dtype
--> (tensor([1., 1., 1., 1., 1., 1., 1., 1.]), torch.float32)

--%% In two dims
-- N129
b = a:view(2, 4)
b, b.dtype
--> (tensor([[1., 1., 1., 1.],
-->          [1., 1., 1., 1.]]),
-->  torch.float32)

--%% In three
-- N130
c = a:view(2, 2, 2)
c, c.dtype
--> (tensor([[[1., 1.],
-->           [1., 1.]],
-->
-->          [[1., 1.],
-->           [1., 1.]]]),
-->  torch.float32)

--%% The 1-norm: the sum of the absolute values, whatever the shape
-- N131
a:norm(1), b:norm(1), c:norm(1)
--> (tensor(8.), tensor(8.), tensor(8.))

--%% Integers have no norm
-- N132
torch.ones(8, dtype=torch.int64):norm(1)
--> RuntimeError: linalg.vector_norm: Expected a floating point or complex tensor as input. Got Long
--> ...

--%% The 2-norm: the length
-- N133
a:norm(2), b:norm(2), c:norm(2)
--> (tensor(2.8284), tensor(2.8284), tensor(2.8284))

--%% Along a dim: a norm for each row
-- N134
b:norm(1, dim=1)
--> tensor([4., 4.])

--%% The length of each row
-- N135
b:norm(2, dim=1)
--> tensor([2., 2.])

--%% The dim that is named goes away
-- N136
c:norm(1, dim=0)
--> tensor([[2., 2.],
-->         [2., 2.]])

--%% The length along it
-- N137
c:norm(2, dim=0)
--> tensor([[1.4142, 1.4142],
-->         [1.4142, 1.4142]])

--%% Eight different numbers
-- N138
a = torch.arange(8):view(2, 4):float()
a
--> tensor([[0., 1., 2., 3.],
-->         [4., 5., 6., 7.]])

--%% Smallest, largest, mean, sum, product
-- N139
a:min(), a:max(), a:mean(), a:sum(), a:prod()
--> (tensor(0.), tensor(7.), tensor(3.5000), tensor(28.), tensor(0.))

--%% Where the largest and the smallest stand, counted as if flat
-- N140
a:argmax(), a:argmin()
--> (tensor(7), tensor(0))

--%% In each column
-- N141
a:argmax(dim=0), a:argmin(dim=0)
--> (tensor([1, 1, 1, 1]), tensor([0, 0, 0, 0]))

--%% In each row
-- N142
a:argmax(dim=1), a:argmin(dim=1)
--> (tensor([3, 3]), tensor([0, 0]))

--%% max along a dim has two results: what and where
-- N143
-- `local values, indices = a:max(dim=1)` takes both.
a:max(dim=1)
--> torch.return_types.max(
--> values=tensor([3., 7.]),
--> indices=tensor([3, 3]))

--%% keepdim leaves a dim of size one in its place
-- N144
a:max(dim=1, keepdim=true)
--> torch.return_types.max(
--> values=tensor([[3.],
-->         [7.]]),
--> indices=tensor([[3],
-->         [3]]))

--%% For argmax too
-- N145
a:argmax(dim=1, keepdim=true)
--> tensor([[3],
-->         [3]])

--%% The numbers again
-- N146
a
--> tensor([[0., 1., 2., 3.],
-->         [4., 5., 6., 7.]])

--%% The three largest of each row, and where they stand
-- N147
a:topk(3, dim=1)
--> torch.return_types.topk(
--> values=tensor([[3., 2., 1.],
-->         [7., 6., 5.]]),
--> indices=tensor([[3, 2, 1],
-->         [3, 2, 1]]))

--%% The three smallest
-- N148
a:topk(3, dim=1, largest=false)
--> torch.return_types.topk(
--> values=tensor([[0., 1., 2.],
-->         [4., 5., 6.]]),
--> indices=tensor([[0, 1, 2],
-->         [0, 1, 2]]))

--%% The 4th smallest of each row
-- N149
a:kthvalue(4, dim=1)
--> torch.return_types.kthvalue(
--> values=tensor([3., 7.]),
--> indices=tensor([3, 3]))

--%% The last dim is the default
-- N150
a:kthvalue(3)
--> torch.return_types.kthvalue(
--> values=tensor([2., 6.]),
--> indices=tensor([2, 2]))

--%% The 2nd smallest
-- N151
a:kthvalue(2, dim=1)
--> torch.return_types.kthvalue(
--> values=tensor([1., 5.]),
--> indices=tensor([1, 1]))

--%% Comparing element by element
-- N152
torch.eq(a, b)
--> tensor([[False,  True, False, False],
-->         [False, False, False, False]])

--%% Comparing as a whole: same shape, same numbers
-- N153
torch.equal(a, b)
--> false

--%% A name that is not there
-- N154
torch.eaqul(a, b)
--> AttributeError: module 'torch' has no attribute 'eaqul'...

--%% A comparison makes a mask; a stays what it was
-- N155
a > 0, a.dtype
--> (tensor([[False,  True,  True,  True],
-->          [ True,  True,  True,  True]]),
-->  torch.float32)

--%% As a function
-- N156
torch.gt(a, 0)
--> tensor([[False,  True,  True,  True],
-->         [ True,  True,  True,  True]])

--%% Not equal; Lua's own ~= does the same
-- N157
a != 0
--> tensor([[False,  True,  True,  True],
-->         [ True,  True,  True,  True]])

--%% Ones and normal numbers
-- N158
torch.manual_seed(0)
b = torch.ones(2, 3)
c = torch.randn(2, 3)
b, c
--> (tensor([[1., 1., 1.],
-->          [1., 1., 1.]]),
-->  tensor([[ 1.5410, -0.2934, -2.1788],
-->          [ 0.5684, -1.0845, -1.3986]]))

--%% Equal nowhere
-- N159
torch.eq(b, c)
--> tensor([[False, False, False],
-->         [False, False, False]])

--%% A tensor equals itself
-- N160
torch.equal(b, b)
--> true

--%% With the numbers that the notes printed
-- L009
b = torch.ones(2, 3)
c = torch.tensor({{-0.2182, -0.7458, -0.4226}, {-0.0562, -1.0081, 0.9595}})
b, c
--> (tensor([[1., 1., 1.],
-->          [1., 1., 1.]]),
-->  tensor([[-0.2182, -0.7458, -0.4226],
-->          [-0.0562, -1.0081,  0.9595]]))

--%% Equal nowhere either
-- L010
torch.eq(b, c)
--> tensor([[False, False, False],
-->         [False, False, False]])
