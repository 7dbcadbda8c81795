-- Adam walks down Himmelblau's function from (0, 0) to its minimum at (3, 2).
local function himmelblau(x)
    return (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2
end

local x = torch.tensor({0., 0.}, requires_grad=true)
local opt = optim.Adam({x}, lr=1e-3)
for step = 0, 19999 do
    local f = himmelblau(x)
    opt:zero_grad()
    f:backward()
    opt:step()
    if step % 2000 == 0 then
        local at = x:tolist()
        print(("step %d: x = [%s, %s], f(x) = %s"):format(step, torch.repr(at[1]), torch.repr(at[2]), torch.repr(f:item())))
    end
end
