-- Runs a plain Lua program with every chunk it loads passed through the translator, and reports each
-- difference from Lua: text that one of them refuses, and other error messages.
-- Usage: LUA_CPATH=... lua5.4 rule_zero.lua PROGRAM [ARG...]
local sugar = require "sugar"
local lua_load, type, error, pcall, io_open, select = load, type, error, pcall, io.open, select
local translate, skip_prefix = sugar.translate, sugar.skip_prefix
local sub, gsub, find, concat, stderr = string.sub, string.gsub, string.find, table.concat, io.stderr
package.loaded.torch = {__sugar = sugar.support}
local support = '("").__tide'
string.__tide = sugar.support

local function report(kind, name, ...)
  stderr:write("rule zero: ", kind, " in ", sub(name or "?", 1, 60), "\n")
  for i = 1, select("#", ...) do stderr:write("    ", sub(select(i, ...), 1, 300), "\n") end
end

local function outcome(ok, message)
  return ok and "ok" or message
end

-- What `load` gives for the text, by way of the translator.
local function load_text(text, name, ...)
  if sub(text, 1, 1) == "\27" then return lua_load(text, name, ...) end
  local f, lua_message = lua_load(text, name, ...)
  local out, message, line = translate(text, name or text, false, support)
  if not out then
    if f then
      report("refused", name or text, message)
    elseif not find(lua_message, ":" .. line .. ": " .. message, 1, true) then
      report("message", name or text, lua_message, line .. ": " .. message)
    end
    return f, lua_message
  end
  local g, message = lua_load(out, name or text, ...)
  if outcome(f, lua_message) ~= outcome(g, message) then
    report("outcome", name or text, outcome(f, lua_message), outcome(g, message), out)
    return f, lua_message
  end
  if g and out == text then return f end
  return g, message
end

local function read_pieces(reader)
  local pieces = {}
  while true do
    local ok, piece = pcall(reader)
    if not ok then return nil, piece end
    if piece == nil or piece == "" then return concat(pieces) end
    if type(piece) ~= "string" then return nil, "reader function must return a string" end
    pieces[#pieces + 1] = piece
  end
end

function load(chunk, name, ...)
  if type(chunk) == "function" then
    local text, message = read_pieces(chunk)
    if not text then return nil, message end
    return load_text(text, name or "=(load)", ...)
  elseif type(chunk) ~= "string" then
    return lua_load(chunk, name, ...)
  end
  return load_text(chunk, name or chunk, ...)
end

local function load_file(path, ...)
  local f, message = io_open(path, "rb")
  if not f then return nil, "cannot open " .. path end
  local text = f:read("a")
  f:close()
  text = gsub(sub(text, skip_prefix(text) + 1), "^\r", "")
  return load_text(text, "@" .. path, ...)
end

local lua_loadfile, lua_dofile = loadfile, dofile
function loadfile(path, ...)
  if path == nil then return lua_loadfile(path, ...) end
  return load_file(path, ...)
end

function dofile(path)
  if path == nil then return lua_dofile(path) end
  local f, message = load_file(path)
  if not f then error(message, 0) end
  return f()
end

table.insert(package.searchers, 2, function(name)
  local path = package.searchpath(name, package.path)
  if not path then return nil end
  return assert(load_file(path)), path
end)

local program = table.remove(arg, 1)
arg[0] = program
local f = assert(load_file(program))
f(table.unpack(arg))
