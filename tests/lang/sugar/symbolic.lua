-- Symbolic tensors for the translator's tests: each operation on one builds the text of the operation, and
-- what changes something is logged. Returns a table of functions.
local sugar = require "sugar"

local Tensor = {__istensor = true}
local log = {} -- in-place operations, assignments and calls, in order

local function tensor(text, truth) return setmetatable({text = text, value = truth}, Tensor) end

local show

local function slice_text(start, stop, step)
  local text = (start and show(start) or "") .. ":" .. (stop and show(stop) or "")
  return step and text .. ":" .. show(step) or text
end

-- A value inside an index, a call or an operation.
function show(v, depth)
  depth = depth or 0
  if getmetatable(v) == Tensor then return rawget(v, "text") end
  if type(v) == "table" and v.slice then return slice_text(v.start, v.stop, v.step) end
  if type(v) == "function" then return "function" end
  if type(v) == "table" then
    local parts = {}
    if depth > 3 then return "{...}" end
    for i = 1, v.n or #v do parts[i] = v[i] == nil and "None" or show(v[i], depth + 1) end
    local names = {}
    for k in pairs(v) do if type(k) == "string" and k ~= "n" then names[#names + 1] = k end end
    table.sort(names)
    for _, k in ipairs(names) do parts[#parts + 1] = k .. "=" .. show(v[k], depth + 1) end
    return "{" .. table.concat(parts, ", ") .. "}"
  end
  return tostring(v)
end

local function key_text(key)
  local list = type(key) == "table" and not key.slice and getmetatable(key) ~= Tensor
  return list and show(key):sub(2, -2) or show(key)
end

local in_place = {add_ = "+=", sub_ = "-=", mul_ = "*=", div_ = "/="}
local methods = {}
for _, name in ipairs {"eq", "ne", "lt", "le", "gt", "ge", "matmul", "rep"} do
  methods[name] = function(self, ...)
    local args = {...}
    for i = 1, #args do args[i] = show(args[i]) end
    return tensor(("%s(%s, %s)"):format(name, show(self), table.concat(args, ", ")), rawget(self, "value"))
  end
end
for name, op in pairs(in_place) do
  methods[name] = function(self, v)
    log[#log + 1] = ("%s %s %s"):format(show(self), op, show(v))
    return self
  end
end
methods["end"] = function(self, ...) return "end", self, ... end

function methods:item() return methods.truth(self) end

function methods:truth()
  local v = rawget(self, "value")
  if v == "many" then error("Boolean value of Tensor with more than one value is ambiguous", 0) end
  if v == nil then return true end
  return v
end

function Tensor.__index(t, k)
  if methods[k] then return methods[k] end
  return tensor(("%s[%s]"):format(show(t), key_text(k)))
end
function Tensor.__newindex(t, k, v) log[#log + 1] = ("%s[%s] = %s"):format(show(t), key_text(k), show(v)) end
for op, sign in pairs {add = "+", sub = "-", mul = "*", pow = "^", band = "&", bor = "|"} do
  Tensor["__" .. op] = function(a, b) return tensor(("(%s %s %s)"):format(show(a), sign, show(b))) end
end
function Tensor.__unm(a) return tensor("-" .. show(a)) end
function Tensor.__lt(a, b) return methods.truth(getmetatable(a) == Tensor and a or b) end
Tensor.__le, Tensor.__eq = Tensor.__lt, Tensor.__lt

package.loaded.torch = {__sugar = sugar.support, s = sugar.support.s, newaxis = tensor("None")}

local function new_env()
  local env = setmetatable({torch = package.loaded.torch}, {__index = _G})
  for name in ("a b c d m w lr g idx mask"):gmatch("%S+") do env[name] = tensor(name) end
  env.yes, env.no, env.many = tensor("yes", true), tensor("no", false), tensor("many", "many")
  env.i, env.j, env.x, env.k = 1, 5, tensor("x"), 2
  function env.f(...)
    local args = table.pack(...)
    for n = 1, args.n do args[n] = show(args[n]) end
    log[#log + 1] = "f(" .. table.concat(args, ", ") .. ")"
    return tensor("f()")
  end
  function env.two() return 3, 4 end
  function env.none() end
  return env
end

local own_arithmetic = {} -- the string library's metamethods

-- Lets numbers, strings, nil, booleans and functions take part in any operation, so that random programs get
-- far before their first error; permissive(false) takes it back.
local function permissive(on)
  local meta = {__index = function() end, __newindex = function() end, __call = function(_, x) return x end}
  for name in ("add sub mul div mod idiv pow band bor unm len"):gmatch("%a+") do
    meta["__" .. name] = function() return 2 end
  end
  function meta.__concat() return "c" end
  function meta.__lt(x, y) return type(x) < type(y) end
  function meta.__le(x, y) return type(x) <= type(y) end
  if not on then meta = nil end
  for _, v in ipairs {0, true, print} do debug.setmetatable(v, meta) end
  debug.setmetatable(nil, meta)
  local strings = getmetatable("")
  for name in ("add sub mul div mod idiv pow unm"):gmatch("%a+") do
    own_arithmetic[name] = own_arithmetic[name] or strings["__" .. name]
    strings["__" .. name] = meta and meta["__" .. name] or own_arithmetic[name]
  end
  for _, name in ipairs {"__newindex", "__call", "__band", "__bor", "__lt", "__le", "__concat"} do
    strings[name] = meta and meta[name]
  end
end

return {
  new_env = new_env,
  permissive = permissive,
  show = show,
  -- Calls f with an empty log; returns what it logged and returned as one text.
  observe = function(f)
    log = {}
    local results = table.pack(pcall(f))
    local parts = {}
    if not results[1] then parts[1] = "error: " .. tostring(results[2]) end
    for n = 2, results[1] and results.n or 0 do parts[#parts + 1] = show(results[n]) end
    return table.concat(log, "; ") .. " -> " .. table.concat(parts, ", ")
  end,
}
