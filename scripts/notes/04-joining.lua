-- Joining tensors and taking them apart: cat, stack, split, chunk.

--%% cat joins along a dim that is there: classes of 32 pupils with 8 marks
-- N082
torch.manual_seed(0)
a = torch.rand(4, 32, 8)
b = torch.rand(5, 32, 8)
torch.cat({a, b}, dim=0).shape
--> torch.Size([9, 32, 8])

--%% stack makes a new dim
-- N083
a1 = torch.rand(32, 8)
b1 = torch.rand(32, 8)
c = torch.stack({a1, b1}, dim=0)
c.shape
--> torch.Size([2, 32, 8])

--%% So the sizes must be equal
-- N084
torch.stack({a, b}, dim=0).shape
--> RuntimeError: stack expects each tensor to be equal size, but got [4, 32, 8] at entry 0 and [5, 32, 8] at entry 1
--> ...

--%% Two classes
-- N085
c.shape
--> torch.Size([2, 32, 8])

--%% split by the lengths of the parts
-- N086
-- A number of parts that depends on the arguments comes as a Lua table: table.unpack makes several values
-- of it.
aa, bb = table.unpack(c:split({1, 1}, dim=0))
aa.shape, bb.shape
--> (torch.Size([1, 32, 8]), torch.Size([1, 32, 8]))

--%% Or by one length for all
-- N087
aa, bb = table.unpack(c:split(1, dim=0))
aa.shape, bb.shape
--> (torch.Size([1, 32, 8]), torch.Size([1, 32, 8]))

--%% A length of 2 gives one part only
-- N088
-- Python complains: "not enough values to unpack (expected 2, got 1)". Lua leaves the second variable nil.
local parts = c:split(2, dim=0)
aa, bb = table.unpack(parts)
#parts, aa.shape, bb
--> (1, torch.Size([2, 32, 8]), nil)

--%% Still two classes
-- N089
c.shape
--> torch.Size([2, 32, 8])

--%% chunk asks for a number of parts
-- N090
m, n = table.unpack(c:chunk(2, dim=0))
m.shape, n.shape
--> (torch.Size([1, 32, 8]), torch.Size([1, 32, 8]))

--%% c itself is never changed
-- N091
c.shape
--> torch.Size([2, 32, 8])
