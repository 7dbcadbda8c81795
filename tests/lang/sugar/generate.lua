-- Random programs in two spellings: Tide's, and a reference in plain Lua that spells every comparison,
-- condition, index and in-place operation as an explicit call, after SPEC's rules and without the translator.
-- Both must do the same. Returns check(seed, count), which runs that many programs and returns the number of
-- differences, printed.
local sugar = require "sugar"
local symbolic = dofile "tests/lang/sugar/symbolic.lua"
local random = math.random

local function pick(list) return list[random(#list)] end
local function chance(p) return random() < p end

-- ---- the grammar: a tree of tables {kind, ...} -----------------------------------------------------------

local expression, block

local globals = {"a", "b", "x", "yes", "no", "i", "j", "k", "n", "s", "t", "u", "mask"}
local constants = {"0", "1", "2", "0x10", "3.", ".5", "1e2", "'s'", '"k"', "[[l]]", "nil", "true", "false"}
local keywords = {"end", "in", "while"}
local names -- the local variables in scope

local function name()
  if #names > 0 and chance(0.5) then return {"name", pick(names)} end
  return {"name", pick(globals)}
end

local function arguments(depth)
  local args = {"args"}
  for _ = 1, random(0, 2) do args[#args + 1] = expression(depth) end
  if chance(0.3) then
    args.named = {{"dim", expression(depth)}}
    if chance(0.5) then args.named[2] = {chance(0.5) and "keepdim" or "end", expression(depth)} end
  end
  return args
end

local function bound(depth)
  if chance(0.3) then return nil end
  if chance(0.6) then return {"constant", tostring(random(0, 3))} end
  if chance(0.2) then return {"unary", "-", {"constant", tostring(random(1, 3))}} end
  return expression(depth)
end

local function index_items(depth)
  local items = {}
  for n = 1, pick {1, 1, 1, 2, 2, 3} do
    local r = random()
    if r < 0.45 then items[n] = {"value", expression(depth)}
    elseif r < 0.9 then
      items[n] = {"slice", bound(depth), bound(depth), chance(0.3) and (bound(depth) or false) or nil}
    else items[n] = {"ellipsis"} end
  end
  if #items == 1 and items[1][1] == "ellipsis" then items[2] = {"value", {"constant", "0"}} end
  return items
end

local function prefix(depth)
  local p = chance(0.8) and name() or {"paren", expression(depth)}
  while depth > 0 and chance(0.4) do
    depth = depth - 1
    local r = random()
    if r < 0.3 then p = {"index", p, index_items(depth)}
    elseif r < 0.5 then p = {"field", p, chance(0.3) and pick(keywords) or pick {"x", "y"}}
    elseif r < 0.8 then p = {"call", {"name", pick {"f", "two", "none", "id"}}, arguments(depth)}
    else p = {"method", p, pick {"end", "repeat", "matmul"}, arguments(depth)} end
  end
  return p
end

local binary = {
  {"or", 1, 1}, {"and", 2, 2}, {"<", 3, 3}, {">", 3, 3}, {"<=", 3, 3}, {">=", 3, 3}, {"==", 3, 3},
  {"~=", 3, 3}, {"!=", 3, 3}, {"|", 4, 4}, {"&", 6, 6}, {"..", 9, 8}, {"+", 10, 10}, {"-", 10, 10},
  {"*", 11, 11}, {"@", 11, 11}, {"/", 11, 11}, {"%", 11, 11}, {"//", 11, 11}, {"^", 14, 13}, {"**", 14, 13},
}

function expression(depth)
  local r = random()
  if depth <= 0 or r < 0.15 then return chance(0.5) and {"constant", pick(constants)} or name() end
  depth = depth - 1
  if r < 0.5 then
    local op = chance(0.5) and binary[random(1, 9)] or pick(binary)
    return {"binary", op, expression(depth), expression(depth)}
  elseif r < 0.6 then return {"unary", pick {"not", "-", "#"}, expression(depth)}
  elseif r < 0.68 then return {"paren", expression(depth)}
  elseif r < 0.74 then return {"table", expression(depth), expression(depth)}
  elseif r < 0.78 then
    local outer = names
    names = {table.unpack(outer)}
    local body = block(depth, 2)
    names = outer
    return {"function", body, expression(0)}
  end
  return prefix(depth)
end

local function target(depth)
  local r = random()
  if r < 0.5 then return name() end
  if r < 0.7 then return {"field", name(), chance(0.3) and pick(keywords) or pick {"x", "y"}} end
  return {"index", name(), index_items(depth)}
end

local function statement(depth)
  local r = random()
  if r < 0.2 then
    return {"local", {"v" .. random(6)}, {expression(depth)}, declare = true}
  elseif r < 0.35 then return {"assign", {target(depth)}, {expression(depth)}}
  elseif r < 0.4 then
    return {"assign", {target(depth), target(depth)}, {expression(depth), expression(depth)}}
  elseif r < 0.55 then return {"augment", target(depth), pick {"+=", "-=", "*=", "/="}, expression(depth)}
  elseif r < 0.7 or depth <= 0 then return {"call statement", {"name", "f"}, arguments(depth)}
  elseif r < 0.85 then
    return {"if", expression(depth), block(depth - 1, 2), chance(0.5) and block(depth - 1, 2) or nil}
  elseif r < 0.9 then return {"while", expression(depth), block(depth - 1, 2)}
  elseif r < 0.95 then return {"repeat", block(depth - 1, 2), expression(depth - 1)}
  end
  local outer = names
  names = {table.unpack(outer)}
  names[#names + 1] = "v" .. random(6)
  local node = {"for", names[#names], block(depth - 1, 2)}
  names = outer
  return node
end

function block(depth, length)
  local outer, list = names, {}
  names = {table.unpack(names)}
  for n = 1, random(length) do
    list[n] = statement(depth)
    if list[n].declare then
      for _, v in ipairs(list[n][2]) do names[#names + 1] = v end
    end
  end
  names = outer
  return list
end

-- ---- Tide's spelling -------------------------------------------------------------------------------------

local typed, typed_block

local function typed_args(args)
  local parts = {}
  for n = 2, #args do parts[#parts + 1] = typed(args[n], 0) end
  for _, pair in ipairs(args.named or {}) do parts[#parts + 1] = pair[1] .. "=" .. typed(pair[2], 0) end
  return "(" .. table.concat(parts, ", ") .. ")"
end

local function is_int(e) return e[1] == "constant" and e[2]:find "^%d+$" end
local function is_literal(e)
  return not e or is_int(e) or (e[1] == "unary" and e[2] == "-" and is_int(e[3]))
end

-- In an index a bare name before `:` and a call could be read as a method call.
local function typed_bound(e)
  if not e then return "" end
  return is_literal(e) and typed(e, 0):gsub(" ", "") or "(" .. typed(e, 0) .. ")"
end

local function typed_items(items)
  local parts = {}
  for n, item in ipairs(items) do
    if item[1] == "value" then parts[n] = typed(item[2], 0)
    elseif item[1] == "ellipsis" then parts[n] = "..."
    else
      parts[n] = typed_bound(item[2]) .. ":" .. typed_bound(item[3])
      if item[4] ~= nil then parts[n] = parts[n] .. ":" .. typed_bound(item[4]) end
    end
  end
  return "[ " .. table.concat(parts, ", ") .. " ]"
end

local suffixable = {name = true, paren = true, index = true, field = true, call = true, method = true}

local function typed_prefix(e) return suffixable[e[1]] and typed(e, 0) or "(" .. typed(e, 0) .. ")" end

-- `limit`: the priority of the operator to whose operand this is; a looser operator needs parentheses.
function typed(e, limit)
  local kind = e[1]
  if kind == "constant" or kind == "name" then return e[2] end
  if kind == "paren" then return "(" .. typed(e[2], 0) .. ")" end
  if kind == "table" then return "{" .. typed(e[2], 0) .. ", x = " .. typed(e[3], 0) .. "}" end
  if kind == "function" then
    return "(function(...) " .. typed_block(e[2], " ") .. " return " .. typed(e[3], 0) .. " end)"
  end
  if kind == "unary" then
    local text = e[2] .. " " .. typed(e[3], 12)
    return limit > 12 and "(" .. text .. ")" or text
  end
  if kind == "binary" then
    local op, left, right = table.unpack(e[2])
    local text = typed(e[3], left) .. " " .. op .. " " .. typed(e[4], right + (left == right and 1 or 0))
    return (limit > left or limit > right) and "(" .. text .. ")" or text
  end
  if kind == "index" then return typed_prefix(e[2]) .. typed_items(e[3]) end
  if kind == "field" then return typed_prefix(e[2]) .. "." .. e[3] end
  if kind == "call" then return typed_prefix(e[2]) .. typed_args(e[3]) end
  return typed_prefix(e[2]) .. ":" .. e[3] .. typed_args(e[4])
end

local function list_of(print_one, list, ...)
  local parts = {}
  for n, e in ipairs(list) do parts[n] = print_one(e, ...) end
  return table.concat(parts, ", ")
end

local loops = 0 -- every loop ends by itself after a few turns

local function loop_guard(nl)
  loops = loops + 1
  local v = "c" .. loops
  return "local " .. v .. " = 0" .. nl, v .. " = " .. v .. " + 1 if " .. v .. " > 3 then break end "
end

local function typed_statement(s, nl)
  local kind = s[1]
  if kind == "local" then return "local " .. s[2][1] .. " = " .. list_of(typed, s[3], 0) end
  if kind == "assign" then return list_of(typed, s[2], 0) .. " = " .. list_of(typed, s[3], 0) end
  if kind == "augment" then return typed(s[2], 0) .. " " .. s[3] .. " " .. typed(s[4], 0) end
  if kind == "call statement" then return typed(s[2], 0) .. typed_args(s[3]) end
  if kind == "if" then
    local text = "if " .. typed(s[2], 0) .. " then" .. nl .. typed_block(s[3], nl)
    return text .. (s[4] and nl .. "else" .. nl .. typed_block(s[4], nl) or "") .. nl .. "end"
  end
  if kind == "for" then
    return "for " .. s[2] .. " = 1, 2 do" .. nl .. typed_block(s[3], nl) .. nl .. "end"
  end
  local before, guard = loop_guard(nl)
  if kind == "while" then
    local head = before .. "while " .. typed(s[2], 0) .. " do " .. guard
    return head .. nl .. typed_block(s[3], nl) .. nl .. "end"
  end
  return before .. "repeat " .. guard .. nl .. typed_block(s[2], nl) .. nl .. "until " .. typed(s[3], 0)
end

function typed_block(list, nl)
  local parts = {}
  for n, s in ipairs(list) do parts[n] = typed_statement(s, nl) .. ";" end
  return table.concat(parts, nl)
end

-- ---- the reference ---------------------------------------------------------------------------------------

local plain, plain_block

local function plain_args(args)
  local parts = {}
  for n = 2, #args do parts[#parts + 1] = plain(args[n], "value") end
  if args.named then
    local fields = {}
    for n, pair in ipairs(args.named) do fields[n] = '["' .. pair[1] .. '"] = ' .. plain(pair[2], "value") end
    parts[#parts + 1] = "{" .. table.concat(fields, ", ") .. "}"
  end
  return parts
end

local function plain_key(items)
  local all, special, parts, texts = true, false, {}, {}
  for n, item in ipairs(items) do
    local kind, i, j, k = table.unpack(item, 1, 4)
    if kind == "value" then
      all = all and is_literal(i)
      texts[n], parts[n] = typed(i, 0):gsub(" ", ""), plain(i, "value") -- the text matters for literals only
    elseif kind == "ellipsis" then
      special, texts[n], parts[n] = true, "...", '"..."'
    else
      special = true
      local literal = is_literal(i) and is_literal(j) and is_literal(k)
      all = all and literal
      local step = k ~= nil and ":" .. typed_bound(k) or ""
      texts[n] = (typed_bound(i) .. ":" .. typed_bound(j) .. step):gsub(" ", "")
      parts[n] = literal and '"' .. texts[n] .. '"' or ("V.s((%s), (%s), (%s))"):format(
        i and plain(i, "value") or "nil", j and plain(j, "value") or "nil", k and plain(k, "value") or "nil")
    end
  end
  if all and special then return '"' .. table.concat(texts, ", ") .. '"' end
  if #items == 1 then return parts[1] end
  return "{" .. table.concat(parts, ", ") .. ", n = " .. #items .. "}"
end

local function plain_prefix(e) return e[1] == "name" and e[2] or "(" .. plain(e, "value") .. ")" end

local helper = {
  ["<"] = "lt", [">"] = "gt", ["<="] = "le", [">="] = "ge", ["=="] = "eq", ["~="] = "ne", ["!="] = "ne",
}

-- `use`: value, left (of and/or in a value) or condition.
function plain(e, use)
  local kind, text = e[1], nil
  if kind == "paren" then return "(" .. plain(e[2], use) .. ")" end
  if kind == "binary" then
    local op = e[2][1]
    if op == "and" or op == "or" then
      return ("(%s %s %s)"):format(plain(e[3], use == "condition" and use or "left"), op, plain(e[4], use))
    end
    local l, r = plain(e[3], "value"), plain(e[4], "value")
    if op == "@" then text = ("V.matmul((%s), (%s))"):format(l, r)
    elseif not helper[op] then text = ("((%s) %s (%s))"):format(l, op == "**" and "^" or op, r)
    elseif use == "value" then return ("V.%s((%s), (%s))"):format(helper[op], l, r)
    elseif helper[op] == "eq" or helper[op] == "ne" then
      return ("V.is_%s((%s), (%s))"):format(helper[op], l, r)
    else return ("((%s) %s (%s))"):format(l, op, r) end
  elseif kind == "unary" then
    if e[2] == "not" then return "(not " .. plain(e[3], "condition") .. ")" end
    text = "(" .. e[2] .. " " .. plain(e[3], "value") .. ")"
  elseif kind == "constant" or kind == "name" then text = e[2]
  elseif kind == "table" then text = "{" .. plain(e[2], "value") .. ", x = " .. plain(e[3], "value") .. "}"
  elseif kind == "function" then
    text = "(function(...) " .. plain_block(e[2], " ") .. " return " .. plain(e[3], "value") .. " end)"
  elseif kind == "index" then text = plain_prefix(e[2]) .. "[ " .. plain_key(e[3]) .. " ]"
  elseif kind == "field" then text = plain_prefix(e[2]) .. '["' .. e[3] .. '"]'
  elseif kind == "call" then text = plain_prefix(e[2]) .. "(" .. table.concat(plain_args(e[3]), ", ") .. ")"
  else
    local args = plain_args(e[4])
    if e[3] == "end" then
      text = "V.method(" .. table.concat({plain(e[2], "value"), '"end"', table.unpack(args)}, ", ") .. ")"
    else
      local method = e[3] == "repeat" and "rep" or e[3]
      text = plain_prefix(e[2]) .. ":" .. method .. "(" .. table.concat(args, ", ") .. ")"
    end
  end
  return use == "condition" and "V.truth(" .. text .. ")" or text
end

local in_place = {["+="] = "add", ["-="] = "sub", ["*="] = "mul", ["/="] = "div"}

local function plain_statement(s, nl)
  local kind = s[1]
  if kind == "local" then return "local " .. s[2][1] .. " = " .. list_of(plain, s[3], "value") end
  if kind == "assign" then return list_of(plain, s[2], "value") .. " = " .. list_of(plain, s[3], "value") end
  if kind == "augment" then
    local to, op, e = s[2], in_place[s[3]], plain(s[4], "value")
    if to[1] == "name" then return ("%s = V.%s_(%s, (%s))"):format(to[2], op, to[2], e) end
    local key = to[1] == "field" and '"' .. to[3] .. '"' or plain_key(to[3])
    return ("V.%s_at(%s, (%s), (%s))"):format(op, plain(to[2], "value"), key, e)
  end
  if kind == "call statement" then return s[2][2] .. "(" .. table.concat(plain_args(s[3]), ", ") .. ")" end
  if kind == "if" then
    local text = "if " .. plain(s[2], "condition") .. " then" .. nl .. plain_block(s[3], nl)
    return text .. (s[4] and nl .. "else" .. nl .. plain_block(s[4], nl) or "") .. nl .. "end"
  end
  if kind == "for" then
    return "for " .. s[2] .. " = 1, 2 do" .. nl .. plain_block(s[3], nl) .. nl .. "end"
  end
  local before, guard = loop_guard(nl)
  if kind == "while" then
    local head = before .. "while " .. plain(s[2], "condition") .. " do " .. guard
    return head .. nl .. plain_block(s[3], nl) .. nl .. "end"
  end
  local body = before .. "repeat " .. guard .. nl .. plain_block(s[2], nl)
  return body .. nl .. "until " .. plain(s[3], "condition")
end

function plain_block(list, nl)
  local parts = {}
  for n, s in ipairs(list) do parts[n] = plain_statement(s, nl) .. ";" end
  return table.concat(parts, nl)
end

-- ---- running both ----------------------------------------------------------------------------------------

local function environment()
  local env = symbolic.new_env()
  env.n, env.s, env.t, env.V = 2, "s", {1, 2, x = 3, k = {}}, sugar.support
  function env.id(...) return ... end
  return env
end

-- Positions stay in the messages; the names of variables, which the reference changes, do not, nor do the
-- positions of the string library's own complaints, which it takes from its caller, and of division by zero,
-- which Lua 5.4.4 misplaces.
local function outcome(text, lenient)
  local f, message = load(text, "=program", "t", environment())
  if not f then return "refused: " .. message end
  symbolic.permissive(lenient)
  local seen = symbolic.observe(f)
  symbolic.permissive(false)
  seen = seen:gsub("program:%d+: (attempt to %a+ a ')", "%1")
  seen = seen:gsub("program:%d+: (attempt to perform 'n)", "%1"):gsub("program:%d+: (attempt to divide by zero)", "%1")
  return (seen:gsub(" %(%a+ '[^']*'%)", ""):gsub(" %(constant '[^']*'%)", ""):gsub(" %(field '%?'%)", ""))
end

return function(seed, count)
  local differences = 0
  math.randomseed(seed)
  for n = 1, count do
    names = {}
    local program = block(3, 6)
    local result = expression(2)
    loops = 0
    local source = typed_block(program, "\n") .. "\nreturn " .. typed(result, 0)
    loops = 0
    local reference = plain_block(program, "\n") .. "\nreturn " .. plain(result, "value")
    local text, message, line = sugar.translate(source, "=program")
    local lenient = n % 2 == 0
    local got = text and outcome(text, lenient) or "refused: " .. line .. ": " .. message
    local wanted = outcome(reference, lenient)
    if got ~= wanted then
      differences = differences + 1
      print(("---- program %d of seed %d\n%s\n---- reference\n%s"):format(n, seed, source, reference))
      print(("---- got\n%s\n---- wanted\n%s"):format(got, wanted))
      if differences == 5 then return differences end
    end
  end
  return differences
end
