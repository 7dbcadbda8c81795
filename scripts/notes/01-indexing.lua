-- Picking elements out of a tensor: indices, slices, steps, index_select and the ellipsis.
--
-- Step through it with `%lesson scripts/notes/01-indexing.lua`; what a cell prints stands under it after -->.
-- Dims and elements count from 0, and a batch of images is [batch, channels, height, width].

--%% Four images
-- N001, N002
-- torch is there from the start; nothing has to be imported.
torch.manual_seed(0)
a = torch.rand(4, 3, 28, 28)
-- One index takes the first dim away: the first image.
a[0].shape
--> torch.Size([3, 28, 28])

--%% Two indices: the first image's first channel
-- N003
a[0, 0].shape
--> torch.Size([28, 28])

--%% Four indices: one pixel, a tensor of no dims
-- N004
a[0, 0, 2, 4]
--> tensor(0.7262)

--%% A slice keeps its dim: the first two images
-- N005
-- `:n` is everything before n, `n:` everything from n on, `:` everything.
a[:2].shape
--> torch.Size([2, 3, 28, 28])

--%% A slice for each dim
-- N006
a[:2, :1, :, :].shape
--> torch.Size([2, 1, 28, 28])

--%% From channel 1 to the end
-- N007
a[:2, 1:, :, :].shape
--> torch.Size([2, 2, 28, 28])

--%% From the last channel to the end: negative numbers count from the end
-- N008
a[:2, -1:, :, :].shape
--> torch.Size([2, 1, 28, 28])

--%% Everything
-- N009
a[:].shape
--> torch.Size([4, 3, 28, 28])

--%% A slice with both ends, half-open: images 1 and 2
-- N010
a[1:3].shape
--> torch.Size([2, 3, 28, 28])

--%% Every other row and column: start:end:step
-- N011
a[:, :, 0:28:2, 0:28:2].shape
--> torch.Size([4, 3, 14, 14])

--%% The same, shorter
-- N012
a[:, :, ::2, ::2].shape
--> torch.Size([4, 3, 14, 14])

--%% index_select takes the listed indices of one dim: images 0 and 2
-- N013
a:index_select(0, torch.tensor({0, 2})).shape
--> torch.Size([2, 3, 28, 28])

--%% Channels 1 and 2
-- N014
a:index_select(1, torch.tensor({1, 2})).shape
--> torch.Size([4, 2, 28, 28])

--%% The first 8 rows
-- N015
a:index_select(2, torch.arange(8)).shape
--> torch.Size([4, 3, 8, 28])

--%% The first 12 columns
-- N016
a:index_select(3, torch.arange(12)).shape
--> torch.Size([4, 3, 28, 12])

--%% The ellipsis stands for as many full slices as are missing
-- N017
a[...].shape
--> torch.Size([4, 3, 28, 28])

--%% All of the first image
-- N018
a[0, ...].shape
--> torch.Size([3, 28, 28])

--%% The first channel of every image
-- N019
a[:, 0, ...].shape
--> torch.Size([4, 28, 28])

--%% The last dim is named from the right: two columns of everything
-- N020
a[..., :2].shape
--> torch.Size([4, 3, 28, 2])

--%% One image, every other column
-- N021
a[0, ..., ::2].shape
--> torch.Size([3, 28, 14])
