-- What translated programs do, on symbolic tensors: each operation on one builds the text of the operation,
-- so that a form and its plain Lua spelling can be compared. Run by tests/lang/test_sugar.c with the module
-- `sugar`; prints failures.
local sugar = require "sugar"
local symbolic = dofile "tests/lang/sugar/symbolic.lua"
local new_env = symbolic.new_env
local failures = 0

local function check(what, got, wanted)
  if got ~= wanted then
    failures = failures + 1
    print(("%s\n  got    %s\n  wanted %s"):format(what, tostring(got), tostring(wanted)))
  end
end

-- Runs a cell; returns what it shows and did.
local function run(source)
  local text, message = sugar.translate(source, "=cell", true)
  if not text then return "error: " .. message end
  local f, problem = load(text, "=cell", "t", new_env())
  if not f then return "lua: " .. problem end
  return symbolic.observe(f)
end

-- ---- every form means what its plain spelling means ------------------------------------------------------
for _, row in ipairs(sugar.forms) do
  local form, before, after = table.unpack(row)
  check(form .. ": plain Lua takes it", (load(after) or load("return " .. after)) ~= nil, true)
  local typed, plain = run(before), run(after)
  if before:find("-=", 1, true) then plain = plain:gsub("%-> .*", "-> ") end -- an assignment has no value
  check(form .. ": " .. before, typed, plain)
end

-- ---- cells and what they do ------------------------------------------------------------------------------
local cases = {
  -- indices
  {"a[:2, ..., ::2]", " -> a[:2, ..., ::2]"},
  {"a[0, 1]", " -> a[0, 1]"},
  {"a[0, ...]", " -> a[0, ...]"},
  {"a[...]", " -> a[...]"},
  {"a[i:j]", " -> a[1:5]"},
  {"a[i:j:k, 0]", " -> a[1:5:2, 0]"},
  {"a[i::k]", " -> a[1::2]"},
  {"a[::k]", " -> a[::2]"},
  {"a[:two()]", " -> a[:3]"},
  {"a[two():(two())]", " -> a[3:3]"},
  {"a[two():(two()):(two())]", " -> a[3:3:3]"},
  {"a[:two():1]", " -> a[:3:1]"},
  {"a[0, two()]", " -> a[0, 3]"},
  {"a[0, none()]", " -> a[0, None]"},
  {"a[0, (two())]", " -> a[0, 3]"},
  {"a[nil, :]", " -> a[None, :]"},
  {"a[:, nil]", " -> a[:, None]"},
  {"a[idx, i+1:j*2, x > 0.5]", " -> a[idx, 2:10, gt(x, 0.5)]"},
  {"x[x > 0.5]", " -> x[gt(x, 0.5)]"},
  {"a[{0, 2}, :]", " -> a[{0, 2}, :]"},
  {"a[{0, 2}]", " -> a[0, 2]"},
  {"a[b[i:j]:, c[0, 1]]", " -> a[b[1:5]:, c[0, 1]]"},
  {"a[0, 1][:, 2]", " -> a[0, 1][:, 2]"},
  {"a[:2, 0] = 5", "a[:2, 0] = 5 -> "},
  {"a[:2], b[i:j, 1], c[0, 1] = 1, 2, 3", "c[0, 1] = 3; b[1:5, 1] = 2; a[:2] = 1 -> "},
  {"a[i:(f(x))]", "f(x) -> a[1:f()]"},
  -- in place
  {"w -= lr * g; w", "w -= (lr * g) -> w"},
  {"a[mask] += 1", "a[mask] += 1; a[mask] = a[mask] -> "},
  {"a[:2, i] *= 2", "a[:2, 1] *= 2; a[:2, 1] = a[:2, 1] -> "},
  {"local t = {n = 1}; t.n += 4; t.n", " -> 5"},
  {"local t, n = {}, 0; t[1] = 1; local function g() n += 1 return t end; g()[1] += 2; t[1], n", " -> 3, 1"},
  {"local n = 2; n *= 3 + 1; n", " -> 8"},
  {"n = 10; n /= two(); n", " -> 3.3333333333333"},
  {"do local q = w; q += two() end", "w += 3 -> "},
  {"n += 1", " -> error: cell:1: attempt to perform arithmetic on a nil value (global 'n')"},
  {"t.x += 1", " -> error: cell:1: attempt to index a nil value (global 't')"},
  {"local t = {}; t.x += 1", " -> error: cell:1: attempt to perform arithmetic on a nil value (field 'x')"},
  {"do local s = {}; s.y.x += 1 end", " -> error: cell:1: attempt to index a nil value (field 'y')"},
  {"do local s; (function() s += 1 end)() end",
    " -> error: cell:1: attempt to perform arithmetic on a nil value (upvalue 's')"},
  -- operators
  {"a @ b @ c", " -> matmul(matmul(a, b), c)"},
  {"a + b @ c * 2", " -> (a + (matmul(b, c) * 2))"},
  {"-a @ b ** 2", " -> matmul(-a, (b ^ 2))"},
  {"2 ** 3 ** 2", " -> 512.0"},
  {"a < b, a <= 1, 2 > a, a >= b, a == 1, true ~= a, a != b",
    " -> lt(a, b), le(a, 1), lt(a, 2), ge(a, b), eq(a, 1), ne(a, true), ne(a, b)"},
  {"a == nil, a == 'x', 1 < 2, 'a' < 'b', nil == nil", " -> false, false, true, true, true"},
  {"(x > 0) & (x < 1)", " -> (gt(x, 0) & lt(x, 1))"},
  {"a == none()", " -> false"},
  {"1 == two()", " -> false"},
  -- conditions
  {"if yes then f(1) end if no then f(2) end", "f(1) -> "},
  {"if a then f(1) end", "f(1) -> "},
  {"if many then f(1) end", " -> error: Boolean value of Tensor with more than one value is ambiguous"},
  {"if many == 1 then f(1) end", " -> error: Boolean value of Tensor with more than one value is ambiguous"},
  {"if no == 1 then f(1) elseif yes ~= 1 then f(2) end", "f(2) -> "},
  {"if no == true then f(1) end", " -> "},
  {"not no, not yes, not a, not nil", " -> true, false, false, true"},
  {"while no do end repeat until yes", " -> "},
  {"no and 1, many or 2, nil or a", " -> 1, many, a"},
  {"no == 1 and 1 or 2", " -> 2"},
  {"nil or a == b", " -> eq(a, b)"},
  {"if a ~= nil and (no or (yes and not no)) then f(1) end", "f(1) -> "},
  {"if (function() return yes == 1 end)() then f(1) end", "f(1) -> "},
  -- named arguments
  {"f(x, dim=0, keepdim=true)", "f(x, {dim=0, keepdim=true}) -> f()"},
  {"f(dim=a == b)", "f({dim=eq(a, b)}) -> f()"},
  {"f(f(x, k=1), m='s')", "f(x, {k=1}); f(f(), {m=s}) -> f()"},
  {"f(two(), dim=two())", "f(3, {dim=3}) -> f()"},
  {"f(0, end=3)", "f(0, {end=3}) -> f()"},
  {"torch.g = f; torch.g{1}, torch['g'](y=2)", "f({1}); f({y=2}) -> f(), f()"},
  -- keywords
  {"a:repeat(4, 1)", " -> rep(a, 4, 1)"},
  {"('ab'):repeat(2)", " -> abab"},
  {"local t = {}; t.end = 1; t.and = {or = nil}", "error: unexpected symbol near 'or'"},
  {"local t = {}; t.end = 1; t['end'], t.end", " -> 1, 1"},
  {"a:end(1, two())", " -> end, a, 1, 3, 4"},
  {"a:end(), a:end{1}, a:end's'", " -> end, end, end, a, s"},
  {"M = {n = 2}; function M.end(x) return x end function M:in(x) return self.n, x end M.end(1), M:in(5)",
    " -> 1, 2, 5"},
  {"M = {end = 1}", "error: unexpected symbol near 'end'"},
  -- cells
  {"local x = 1; local y <const> = x + 1; local function h() return y end; h(), x, y", " -> 2, 1, 2"},
  {"1; 2; 3", " -> 3"},
  {"f(1); f(2)", "f(1); f(2) -> f()"},
  {"local u; u", " -> nil"},
  {"local c <close> = setmetatable({}, {__close = function() f(0) end}); f(1)", "f(1); f(0) -> f()"},
  {"two()", " -> 3, 4"},
}
for _, case in ipairs(cases) do
  local got = run(case[1])
  check(case[1], got, case[2])
end

-- Locals live on in later cells, also those of functions.
local env = new_env()
local function cell(source)
  return assert(load(assert(sugar.translate(source, "=cell", true)), "=cell", "t", env))()
end
cell "local n = 1"
cell "local function inc() n += 1 return n end"
check("locals live on", cell "inc() + n", 4)
-- A value is returned without a tail call, so that error levels find the cell.
local _, message = pcall(function() env.raise = function() error("here", 2) end return cell "\n raise()" end)
check("no tail call", message, "cell:2: here")

return failures
