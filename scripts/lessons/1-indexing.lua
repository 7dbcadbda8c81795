-- Lesson 1: indexing. How to pick elements out of a tensor, and what it costs.
--
-- Step through it at the prompt with `%lesson scripts/lessons/1-indexing.lua`. Between two cells you may type what
-- you like; Enter goes on. What a cell prints stands under it after -->.

--%% A tensor is a block of numbers with a shape
-- arange counts from 0; reshape folds the row of 24 numbers into 2 tables of 3 rows and 4 columns.
a = torch.arange(24):reshape(2, 3, 4)
a
--> tensor([[[ 0,  1,  2,  3],
-->          [ 4,  5,  6,  7],
-->          [ 8,  9, 10, 11]],
-->
-->         [[12, 13, 14, 15],
-->          [16, 17, 18, 19],
-->          [20, 21, 22, 23]]])

--%% The shape says how many there are along each dim
-- Dims are numbered from 0, as elements are: dim 0 has 2 tables, dim 1 has 3 rows, dim 2 has 4 columns.
a.shape
--> torch.Size([2, 3, 4])

--%% One number in the brackets picks along dim 0, and that dim is gone
a[1]
--> tensor([[12, 13, 14, 15],
-->         [16, 17, 18, 19],
-->         [20, 21, 22, 23]])

--%% Three numbers pick one element: a tensor without dims
-- Table 1, row 0, column 2.
a[1, 0, 2]
--> tensor(14)

--%% item() makes it a number of Lua's
a[1, 0, 2]:item() + 0.5
--> 14.5

--%% Negative numbers count from the end
-- The last table's last row.
a[-1, -1]
--> tensor([20, 21, 22, 23])

--%% Beyond the end there is nothing
-- The message says which dim; the line shows which of the two indices it was.
a[0, 2] + a[0, 3]
--> IndexError: index 3 is out of bounds for dimension 1 with size 3
-->   In [8]:2: a[0, 2] + a[0, 3]
-->                       ~^~~~~~

--%% A slice takes several and keeps the dim
-- start:stop is half-open: rows 0 and 1. A colon alone takes all.
a[0, 0:2, :]
--> tensor([[0, 1, 2, 3],
-->         [4, 5, 6, 7]])

--%% What each index did
-- %explain runs an expression once and shows what became of every dim.
%explain a[0, 0:2, ::2]
--> a[0, 0:2, ::2]: index
-->   a (2, 3, 4)
-->   0    dim 0  2       element 0, the dim goes
-->   0:2  dim 1  3 -> 2  elements 0 and 1
-->   ::2  dim 2  4 -> 2  elements 0 and 2
-->   result (2, 2)   int64, view: shares the memory of a

--%% Three dots stand for all the dims in between
%explain a[..., -1]
--> a[..., -1]: index
-->   a (2, 3, 4)
-->   ...  dims 0 to 1     kept
-->   -1   dim 2        4  element 3, the dim goes
-->   result (2, 3)   int64, view: shares the memory of a

--%% A view shares memory: nothing was copied
-- b looks at the same numbers as a's first table, so writing through b is seen in a.
b = a[0]
b[0, 0] = 100
a[0, 0]
--> tensor([100,   1,   2,   3])

--%% clone() makes a copy of its own
c = a[0]:clone()
c[0, 0] = -1
a[0, 0, 0]
--> tensor(100)

--%% A list of indices picks in any order, also twice
-- The braces inside the brackets are a list: rows 2, 0 and 2 of every table.
a[:, {2, 0, 2}].shape
--> torch.Size([2, 3, 4])

--%% Lists copy: there is no regular step between rows 2, 0 and 2
-- "new" in the last line says so; a view would say whose memory it shares.
%explain a[:, {2, 0, 2}]
--> a[:, {2, 0, 2}]: index
-->   a (2, 3, 4)
-->   :          dim 0  2 -> 2  whole
-->   {2, 0, 2}  dim 1  3       picked by the index
-->              dim 2          kept, not named
-->   result (2, 3, 4)   int64, new, 192 bytes

--%% A comparison makes a mask of true and false
m = a > 20
m[1]
--> tensor([[False, False, False, False],
-->         [False, False, False, False],
-->         [False,  True,  True,  True]])

--%% A mask picks the elements where it is true, as one row
a[m]
--> tensor([100,  21,  22,  23])

--%% Writing through a mask
a[a > 20] = 0
a[1]
--> tensor([[12, 13, 14, 15],
-->         [16, 17, 18, 19],
-->         [20,  0,  0,  0]])

--%% nil puts in a dim of size 1
-- Shapes have to be brought side by side now and then; the next lesson needs this.
%explain a[:, nil, 0]
--> a[:, nil, 0]: index
-->   a (2, 3, 4)
-->   :    dim 0  2 -> 2  whole
-->   nil         -> 1    a new dim
-->   0    dim 1  3       element 0, the dim goes
-->        dim 2          kept, not named
-->   result (2, 1, 4)   int64, view: shares the memory of a

--%% For you
-- Which index takes the middle row of both tables, without the first and last columns? Try it before you go on.
a[:, 1, 1:-1]
--> tensor([[ 5,  6],
-->         [17, 18]])
