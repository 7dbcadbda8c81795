-- Choosing element by element: where, and gather, which looks labels up.

--%% Probabilities
-- N161
cond = torch.tensor({{0.6769, 0.7271}, {0.8884, 0.4163}})
cond
--> tensor([[0.6769, 0.7271],
-->         [0.8884, 0.4163]])

--%% Taken where the condition holds
-- N162
a = torch.full({2, 2}, 0.)
a
--> tensor([[0., 0.],
-->         [0., 0.]])

--%% Taken elsewhere
-- N163
b = torch.full({2, 2}, 1.)
b
--> tensor([[1., 1.],
-->         [1., 1.]])

--%% where chooses for each element
-- N164
torch.where(cond > 0.5, a, b)
--> tensor([[0., 0.],
-->         [0., 1.]])

--%% What a classifier says about 4 pictures and 10 classes
-- N165
-- Long rows are broken at 80 columns.
torch.manual_seed(0)
prob = torch.randn(4, 10)
prob
--> tensor([[-1.1258, -1.1524, -0.2506, -0.4339,  0.8487,  0.6920, -0.3160, -2.1152,
-->           0.3223, -1.2633],
-->         [ 0.3500,  0.3081,  0.1198,  1.2377,  1.1168, -0.2473, -1.3527, -1.6959,
-->           0.5667,  0.7935],
-->         [ 0.5988, -1.5551, -0.3414,  1.8530, -0.2159, -0.7425,  0.5627,  0.2596,
-->          -0.1740, -0.6787],
-->         [ 0.9383,  0.4889,  1.2032,  0.0845, -1.2001, -0.0048, -0.5181, -0.3067,
-->          -1.5810,  1.7066]])

--%% The three best classes of each picture
-- N166
prob:topk(dim=1, k=3)
--> torch.return_types.topk(
--> values=tensor([[0.8487, 0.6920, 0.3223],
-->         [1.2377, 1.1168, 0.7935],
-->         [1.8530, 0.5988, 0.5627],
-->         [1.7066, 1.2032, 0.9383]]),
--> indices=tensor([[4, 5, 8],
-->         [3, 4, 9],
-->         [3, 0, 6],
-->         [9, 2, 0]]))

--%% Only where they stand: the second result
-- N167
-- Python takes `idx[1]` of the pair; Lua takes the second value.
local values, idx = prob:topk(dim=1, k=3)
idx
--> tensor([[4, 5, 8],
-->         [3, 4, 9],
-->         [3, 0, 6],
-->         [9, 2, 0]])

--%% The classes' real numbers
-- N168
label = torch.arange(10) + 100
label
--> tensor([100, 101, 102, 103, 104, 105, 106, 107, 108, 109])

--%% gather looks each index up in its row of the first argument
-- N169
torch.gather(label:expand(4, 10), dim=1, index=idx:long())
--> tensor([[104, 105, 108],
-->         [103, 104, 109],
-->         [103, 100, 106],
-->         [109, 102, 100]])

--%% With the numbers that the notes printed
-- L011
prob = torch.tensor({
    {2.5846, 0.1205, 0.9951, -0.3636, 0.3576, 1.6804, -0.4364, -0.7844, 0.4014, 0.1721},
    {3.4028, -0.1766, -0.7051, 1.3496, -0.8652, -1.1937, -0.0648, -1.0526, -0.8368, -0.2342},
    {-1.9581, 1.1129, 1.2058, -1.0913, 1.5528, 0.6695, 1.0291, 1.4307, -1.2577, -0.7917},
    {-0.2095, 0.6609, -0.7099, 0.6236, -1.5831, 0.6597, 1.2883, -1.1838, -0.4961, -0.6793}})
prob
--> tensor([[ 2.5846,  0.1205,  0.9951, -0.3636,  0.3576,  1.6804, -0.4364, -0.7844,
-->           0.4014,  0.1721],
-->         [ 3.4028, -0.1766, -0.7051,  1.3496, -0.8652, -1.1937, -0.0648, -1.0526,
-->          -0.8368, -0.2342],
-->         [-1.9581,  1.1129,  1.2058, -1.0913,  1.5528,  0.6695,  1.0291,  1.4307,
-->          -1.2577, -0.7917],
-->         [-0.2095,  0.6609, -0.7099,  0.6236, -1.5831,  0.6597,  1.2883, -1.1838,
-->          -0.4961, -0.6793]])

--%% Their three best classes
-- L012
prob:topk(dim=1, k=3)
--> torch.return_types.topk(
--> values=tensor([[ 2.5846,  1.6804,  0.9951],
-->         [ 3.4028,  1.3496, -0.0648],
-->         [ 1.5528,  1.4307,  1.2058],
-->         [ 1.2883,  0.6609,  0.6597]]),
--> indices=tensor([[0, 5, 2],
-->         [0, 3, 6],
-->         [4, 7, 2],
-->         [6, 1, 5]]))

--%% And their labels
-- L013
values, idx = prob:topk(dim=1, k=3)
label = torch.arange(10) + 100
torch.gather(label:expand(4, 10), dim=1, index=idx:long())
--> tensor([[100, 105, 102],
-->         [100, 103, 106],
-->         [104, 107, 102],
-->         [106, 101, 105]])
