-- Changing the shape: masks, flat indices, view and reshape, dims of size one.

--%% A matrix of normal numbers
-- N022
torch.manual_seed(0)
x = torch.randn(3, 4)
x
--> tensor([[ 1.5410, -0.2934, -2.1788,  0.5684],
-->         [-1.0845, -1.3986,  0.4033,  0.8380],
-->         [-0.7193, -0.4033, -0.5966,  0.1820]])

--%% A comparison gives a mask: where x is 0.5 or more
-- N023
-- `x >= 0.5` says the same.
mask = x:ge(0.5)
mask
--> tensor([[ True, False, False,  True],
-->         [False, False, False,  True],
-->         [False, False, False, False]])

--%% The elements under the mask, in one dim
-- N024
torch.masked_select(x, mask)
--> tensor([1.5410, 0.5684, 0.8380])

--%% How many there are depends on the numbers, not on the shape
-- N025
torch.masked_select(x, mask).shape
--> torch.Size([3])

--%% The same with the numbers that the notes printed
-- L001
x = torch.tensor({
    {0.6480, 1.5947, 0.6264, 0.6051},
    {1.6784, 0.2768, -1.8780, -0.1133},
    {-0.6442, 0.8570, 0.1677, 0.2378}})
x
--> tensor([[ 0.6480,  1.5947,  0.6264,  0.6051],
-->         [ 1.6784,  0.2768, -1.8780, -0.1133],
-->         [-0.6442,  0.8570,  0.1677,  0.2378]])

--%% Its mask
-- L002
mask = x:ge(0.5)
mask
--> tensor([[ True,  True,  True,  True],
-->         [ True, False, False, False],
-->         [False,  True, False, False]])

--%% Its elements under the mask
-- L003
torch.masked_select(x, mask)
--> tensor([0.6480, 1.5947, 0.6264, 0.6051, 1.6784, 0.8570])

--%% A small matrix
-- N026
src = torch.tensor({{4, 3, 5}, {6, 7, 8}})
src
--> tensor([[4, 3, 5],
-->         [6, 7, 8]])

--%% take counts as if the tensor were flat
-- N027
torch.take(src, torch.tensor({0, 2, 5}))
--> tensor([4, 5, 8])

--%% A batch of images with one channel
-- N028
torch.manual_seed(0)
a = torch.rand(4, 1, 28, 28)
a.shape
--> torch.Size([4, 1, 28, 28])

--%% view gives the same numbers another shape: one row for each image
-- N029
-- More than 1000 elements are summarised.
a:view(4, 28*28)
--> tensor([[0.4963, 0.7682, 0.0885,  ..., 0.8071, 0.5523, 0.5288],
-->         [0.2231, 0.2903, 0.3538,  ..., 0.2163, 0.4165, 0.0808],
-->         [0.2179, 0.7086, 0.0341,  ..., 0.2152, 0.5165, 0.6124],
-->         [0.7244, 0.0387, 0.5245,  ..., 0.0164, 0.6003, 0.9770]])

--%% Its shape
-- N030
a:view(4, 28*28).shape
--> torch.Size([4, 784])

--%% One row for each line of pixels
-- N031
a:view(4*1*28, 28).shape
--> torch.Size([112, 28])

--%% Images and channels in one dim
-- N032
a:view(4*1, 28, 28).shape
--> torch.Size([4, 28, 28])

--%% A view shares its numbers with a
-- N033
b = a:view(4, 784)
b
--> tensor([[0.4963, 0.7682, 0.0885,  ..., 0.8071, 0.5523, 0.5288],
-->         [0.2231, 0.2903, 0.3538,  ..., 0.2163, 0.4165, 0.0808],
-->         [0.2179, 0.7086, 0.0341,  ..., 0.2152, 0.5165, 0.6124],
-->         [0.7244, 0.0387, 0.5245,  ..., 0.0164, 0.6003, 0.9770]])

--%% A view knows nothing of what its dims meant: any split of 784 will do
-- N034
b:view(4, 28, 28, 1).shape
--> torch.Size([4, 28, 28, 1])

--%% reshape is view where it can be, a copy where not
-- N035
a:reshape(4, 784).shape
--> torch.Size([4, 784])

--%% a is as it was
-- N036
a.shape
--> torch.Size([4, 1, 28, 28])

--%% unsqueeze puts in a dim of size one, in front of the dim that is named
-- N037
a:unsqueeze(0).shape
--> torch.Size([1, 4, 1, 28, 28])

--%% Negative dims count from behind the last one
-- N038
a:unsqueeze(-1).shape
--> torch.Size([4, 1, 28, 28, 1])

--%% The same place, counted from the front
-- N039
a:unsqueeze(4).shape
--> torch.Size([4, 1, 28, 28, 1])

--%% In the middle
-- N040
a:unsqueeze(-4).shape
--> torch.Size([4, 1, 1, 28, 28])

--%% In front of everything
-- N041
a:unsqueeze(-5).shape
--> torch.Size([1, 4, 1, 28, 28])

--%% Five places there are for four dims, from -5 to 4
-- N042
-- Under the error's own text Tide shows the line that made it; `...` stands for that here.
a:unsqueeze(5).shape
--> IndexError: Dimension out of range (expected to be in range of [-5, 4], but got 5)
--> ...

--%% Two numbers
-- N043
a = torch.tensor({1.2, 2.3})
a
--> tensor([1.2000, 2.3000])

--%% One dim
-- N044
a.shape
--> torch.Size([2])

--%% As a column
-- N045
a:unsqueeze(-1)
--> tensor([[1.2000],
-->         [2.3000]])

--%% Its shape
-- N046
a:unsqueeze(-1).shape
--> torch.Size([2, 1])

--%% As a row
-- N047
a:unsqueeze(0)
--> tensor([[1.2000, 2.3000]])

--%% Its shape
-- N048
a:unsqueeze(0).shape
--> torch.Size([1, 2])

--%% A bias for 32 channels
-- N049
b = torch.rand(32)
b.shape
--> torch.Size([32])

--%% Made to fit a batch of feature maps
-- N050
f = torch.rand(4, 32, 14, 14)
b = b:unsqueeze(1):unsqueeze(2):unsqueeze(0)
b.shape
--> torch.Size([1, 32, 1, 1])

--%% squeeze takes out every dim of size one
-- N051
b:squeeze().shape
--> torch.Size([32])

--%% Or just the one that is named
-- N052
b:squeeze(0).shape
--> torch.Size([32, 1, 1])

--%% The last
-- N053
b:squeeze(-1).shape
--> torch.Size([1, 32, 1])

--%% A dim of another size stays
-- N054
b:squeeze(1).shape
--> torch.Size([1, 32, 1, 1])

--%% The first, counted from the end
-- N055
b:squeeze(-4).shape
--> torch.Size([32, 1, 1])
