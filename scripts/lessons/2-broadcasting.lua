-- Lesson 2: broadcasting. How tensors of different shapes are added, and why it sometimes fails.
--
-- Step through it at the prompt with `%lesson scripts/lessons/2-broadcasting.lua`. Between two cells you may type what
-- you like; Enter goes on.

--%% Two tensors of one shape are added element by element
prices = torch.tensor({{1., 2., 3.}, {4., 5., 6.}})
prices + prices
--> tensor([[ 2.,  4.,  6.],
-->         [ 8., 10., 12.]])

--%% A number fits every element
prices * 10
--> tensor([[10., 20., 30.],
-->         [40., 50., 60.]])

--%% A row fits every row
-- Three columns and three numbers: the row is used once for each row of prices.
rebate = torch.tensor({0.5, 0., 1.})
prices - rebate
--> tensor([[0.5000, 2.0000, 2.0000],
-->         [3.5000, 5.0000, 5.0000]])

--%% How that was meant
-- Shapes are written right-aligned. rebate has no dim 0: one of size 1 is put in (+1), and stretched (*) to 2.
%explain prices - rebate
--> prices - rebate: sub, broadcast
-->   prices   2   3
-->   rebate  +1*  3
-->   result   2   3   float32, new, 24 bytes
-->   +1 inserted   * stretched

--%% The whole rule
-- 1. Write the shapes right-aligned. 2. Where one has no dim, put in a 1. 3. Sizes must be equal, or one of them is 1,
-- which is stretched. Nothing is copied: a stretched dim has stride 0, it reads the same number again and again.
rebate:expand(2, 3):stride()
--> (0, 1)

--%% Columns do not fit by themselves
-- One number for each row would be nice, but on the right stand 3 and 2.
rows = torch.tensor({10., 20.})
prices + rows
--> RuntimeError: The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 1
-->   In [7]:3: prices + rows
-->   prices   2   3
-->   rows    +1*  2
-->                ^

--%% A dim of size 1 makes a column of it
-- rows[:, nil] has the shape (2, 1); its dim 1 is stretched to 3.
prices + rows[:, nil]
--> tensor([[11., 12., 13.],
-->         [24., 25., 26.]])

--%% Look at it
%explain prices + rows[:, nil]
--> rows[:, nil]: index
-->   rows (2)
-->   :    dim 0  2 -> 2  whole
-->   nil         -> 1    a new dim
-->   result (2, 1)   float32, view: shares the memory of rows
--> prices + rows[:, nil]: add, broadcast
-->   prices        2  3
-->   rows[:, nil]  2  1*
-->   result        2  3    float32, new, 24 bytes
-->   * stretched

--%% A table of products: a column times a row
-- Both are stretched, each in the dim the other has.
n = torch.arange(1, 6)
n[:, nil] * n
--> tensor([[ 1,  2,  3,  4,  5],
-->         [ 2,  4,  6,  8, 10],
-->         [ 3,  6,  9, 12, 15],
-->         [ 4,  8, 12, 16, 20],
-->         [ 5, 10, 15, 20, 25]])

--%% One element of it
-- %trace writes out where a single number came from.
%trace (n[:, nil] * n)[2, 3]
--> (n[:, nil] * n)[2, 3] = 12
-->   n[2]  3
-->   n[3]  4
-->   (n[:, nil] * n)[2, 3] = 3 * 4 = 12

--%% keepdim leaves a 1 behind, which broadcasts back
-- Each row divided by its own sum. Without keepdim the sums have the shape (2), which does not fit (2, 3).
share = prices / prices:sum(1, keepdim=true)
share
--> tensor([[0.1667, 0.3333, 0.5000],
-->         [0.2667, 0.3333, 0.4000]])

--%% All steps of it
%explain prices / prices:sum(1, keepdim=true)
--> prices:sum(1, keepdim=true): sum over dim 1
-->   prices  2  [3]
-->   result  2   1    float32, new, 8 bytes
-->   [ ] kept as 1: each result is made of 3
--> prices / prices:sum(1, keepdim=true): div, broadcast
-->   prices                    2  3
-->   prices:sum(1, keepdim...  2  1*
-->   result                    2  3    float32, new, 24 bytes
-->   * stretched

--%% Broadcasting that was not meant
-- A target with a dim too many is no error: (4) and (4, 1) make (4, 4), and the mean of that is a wrong loss.
predicted = torch.tensor({1., 2., 3., 4.})
target = predicted[:, nil]
errors = (predicted - target) ** 2
errors:mean()
--> tensor(2.5000)

--%% The picture gives it away
%explain (predicted - target) ** 2
--> predicted - target: sub, broadcast
-->   predicted  +1*  4
-->   target      4   1*
-->   result      4   4    float32, new, 64 bytes
-->   +1 inserted   * stretched
--> (predicted - target) ** 2: pow
-->   predicted - target  4  4
-->   2                          a number
-->   result              4  4   float32, new, 64 bytes

--%% For you
-- What shape do (3, 1, 5) and (4, 1) make? Decide, then look.
%explain torch.zeros(3, 1, 5) + torch.zeros(4, 1)
--> torch.zeros(3, 1, 5) + torch.zeros(4, 1): add, broadcast
-->   torch.zeros(3, 1, 5)   3   1*  5
-->   torch.zeros(4, 1)     +1*  4   1*
-->   result                 3   4   5    float32, new, 240 bytes
-->   +1 inserted   * stretched
