-- Helps `make fuzz`: keeps libFuzzer's corpus, a folder of files, as one file of Lua strings; runs random programs.
--   fuzz.lua unpack DIR        writes the kept texts into DIR
--   fuzz.lua pack DIR          keeps the texts in DIR instead
--   fuzz.lua programs COUNT [SEED]   runs random programs beside their references (needs the module sugar)
local kept = "tests/lang/sugar/corpus.lua"
local command, operand = arg[1], arg[2]

local function with_file(path, mode, f)
  local file = assert(io.open(path, mode))
  local result = f(file)
  file:close()
  return result
end

-- One line for each text, whatever its bytes.
local function quoted(text)
  return '"' .. text:gsub('[%c"\\\128-\255]', function(c) return ("\\x%02X"):format(c:byte()) end) .. '",\n'
end

if command == "unpack" then
  for i, text in ipairs(dofile(kept)) do
    with_file(("%s/kept%05d"):format(operand, i), "wb", function(file) file:write(text) end)
  end
elseif command == "pack" then
  local names = assert(io.popen("ls '" .. operand .. "'"))
  local texts = {}
  for name in names:lines() do
    texts[#texts + 1] = with_file(operand .. "/" .. name, "rb", function(file) return file:read "a" end)
  end
  names:close()
  table.sort(texts, function(a, b) return #a < #b or (#a == #b and a < b) end)
  with_file(kept, "w", function(file)
    file:write("-- Texts that reach every part of the translator that fuzzing has reached; written by fuzz.lua.\nreturn {\n")
    for _, text in ipairs(texts) do file:write(quoted(text)) end
    file:write("}\n")
  end)
elseif command == "programs" then
  local check = dofile "tests/lang/sugar/generate.lua"
  local count, seed = math.tointeger(operand) or error "programs COUNT", math.tointeger(arg[3]) or os.time()
  print(("%d random programs, seed %d"):format(count, seed))
  if check(seed, count) > 0 then os.exit(1) end
else
  error "fuzz.lua unpack DIR | pack DIR | programs COUNT [SEED]"
end
