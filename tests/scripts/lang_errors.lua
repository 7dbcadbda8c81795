-- Errors reach pcall as strings: the user's own line, the kind, the text.
local function try(f, ...)
    print(select(2, pcall(f, ...)))
end
local a = torch.ones(2, 3)
try(function() return a:sum(5) end)
try(function()
    local b = a
    return b[{0, 7}]
end)
try(function() return a + torch.ones(4) end)
try(function() return nn.Linear("x", 3) end) -- the library's own lines are not the user's
try(function() torch.softmaxx(a) end)
try(function() return load("return a[")() end)
print(load("x = = 1", "=chunk"))
print(load("return torch.ones(2)[5]", "@somewhere.lua") ~= nil, select(2, pcall(load("return torch.ones(2)[5]", "@somewhere.lua"))))
print(load(function() return nil end) ~= nil, load("return x", "=x", "t", {x = 7})())
print(select(2, load("\27", "=b", "t")))
print(undefined_in_a_script) -- scripts keep Lua's meaning
-- a tensor method that failed leaves the next one alone
for _ = 1, 3 do pcall(a.view, a, 7) end
print(a:sum():item())
-- errors are Lua's own values
print(pcall(error, {}) == false, select(2, pcall(error, "as it is", 0)))
error("the end")
