-- Expanding, repeating, transposing, and how shapes are made to match.

--%% A bias with one dim for each of a's, and three more
-- N056
torch.manual_seed(0)
a = torch.rand(4, 32, 14, 14)
b = torch.rand(1, 32, 1, 1)
b = b:unsqueeze(1):unsqueeze(2):unsqueeze(0)
b.shape
--> torch.Size([1, 1, 1, 1, 32, 1, 1])

--%% expand stretches dims of size one, without a copy
-- N057
b = torch.rand(1, 32, 1, 1)
b:expand(4, 32, 14, 14).shape
--> torch.Size([4, 32, 14, 14])

--%% -1 keeps a size
-- N058
b:expand(-1, 32, -1, -1).shape
--> torch.Size([1, 32, 1, 1])

--%% Another negative size is an error
-- N059
-- Old versions of PyTorch answered [1, 32, 1, -4] here.
b:expand(-1, 32, -1, -4).shape
--> RuntimeError: numel: integer multiplication overflow
--> ...

--%% b is as it was
-- N060
b.shape
--> torch.Size([1, 32, 1, 1])

--%% repeat says how often, not how large, and copies the numbers
-- N061
b:repeat(4, 32, 1, 1).shape
--> torch.Size([4, 1024, 1, 1])

--%% Only the first dim, four times
-- N062
b:repeat(4, 1, 1, 1).shape
--> torch.Size([4, 32, 1, 1])

--%% Memory for 4 * 32 * 32 * 32 numbers
-- N063
b:repeat(4, 1, 32, 32).shape
--> torch.Size([4, 32, 32, 32])

--%% A matrix
-- N064
torch.manual_seed(0)
a = torch.randn(3, 4)
a.shape
--> torch.Size([3, 4])

--%% Transposed
-- N065
a:t()
--> tensor([[ 1.5410, -1.0845, -0.7193],
-->         [-0.2934, -1.3986, -0.4033],
-->         [-2.1788,  0.4033, -0.5966],
-->         [ 0.5684,  0.8380,  0.1820]])

--%% Its shape
-- N066
a:t().shape
--> torch.Size([4, 3])

--%% transpose swaps two dims; what view makes of it afterwards depends on the order in memory
-- N067
-- contiguous() lays the numbers down in their new order, which view needs. a1 forgets that the dims had
-- been swapped, a2 swaps them back.
a = torch.rand(4, 3, 32, 32)
a1 = a:transpose(1, 3):contiguous():view(4, 3*32*32):view(4, 3, 32, 32)
a2 = a:transpose(1, 3):contiguous():view(4, 3*32*32):view(4, 32, 32, 3):transpose(1, 3)
a1.shape, a2.shape
--> (torch.Size([4, 3, 32, 32]), torch.Size([4, 3, 32, 32]))

--%% The shapes agree, the numbers do not
-- N068
torch.all(torch.eq(a, a1))
--> tensor(False)

--%% Swapped back they do
-- N069
torch.all(torch.eq(a, a2))
--> tensor(True)

--%% Without contiguous() there is no such view
-- N070
a:transpose(1, 3):view(4, 3*32*32)
--> RuntimeError: view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous subspaces). Use .reshape(...) instead.
--> ...

--%% [batch, channels, height, width] to [batch, width, height, channels]
-- N071
a = torch.rand(4, 3, 28, 28)
a:transpose(1, 3).shape
--> torch.Size([4, 28, 28, 3])

--%% With sides of different length one sees what went where
-- N072
b = torch.rand(4, 3, 28, 32)
b:transpose(1, 3).shape
--> torch.Size([4, 32, 28, 3])

--%% Two swaps: [batch, height, width, channels]
-- N073
b:transpose(1, 3):transpose(1, 2).shape
--> torch.Size([4, 28, 32, 3])

--%% permute does it at once: it lists the old dims in their new order
-- N074
b:permute(0, 2, 3, 1).shape
--> torch.Size([4, 28, 32, 3])

--%% Broadcasting: dims are matched from the right, missing ones and those of size one are stretched
-- N075
-- [32, 1, 1] => [1, 32, 1, 1] => [4, 32, 14, 14]
(torch.rand(4, 32, 14, 14) + torch.rand(32, 1, 1)).shape
--> torch.Size([4, 32, 14, 14])

--%% One number for all
-- N076
-- [1] => [1, 1, 1] => [4, 32, 8]
(torch.rand(4, 32, 8) + torch.tensor({5.0})).shape
--> torch.Size([4, 32, 8])

--%% A plain number is a tensor of no dims
-- N077
(torch.rand(4, 32, 8) + 5.0).shape
--> torch.Size([4, 32, 8])

--%% A bias for each channel
-- N078
(torch.rand(4, 32, 14, 14) + torch.rand(1, 32, 1, 1)).shape
--> torch.Size([4, 32, 14, 14])

--%% Four classes of 32 pupils with 8 marks: five points more in the third subject
-- N079
(torch.rand(4, 32, 8) + torch.tensor({0, 0, 5, 0, 0, 0, 0, 0}):view(1, 1, 8)).shape
--> torch.Size([4, 32, 8])

--%% The same pattern on every feature map
-- N080
(torch.rand(4, 32, 14, 14) + torch.rand(14, 14)).shape
--> torch.Size([4, 32, 14, 14])

--%% 4 and 2 do not match, and neither is one
-- N081
torch.rand(4, 32, 14, 14) + torch.rand(2, 32, 14, 14)
--> RuntimeError: The size of tensor a (4) must match the size of tensor b (2) at non-singleton dimension 0
--> ...
