-- Help: what ?name and torch.help say of a name, the lists of chapters and names, options for completion.
--
-- What a name does, its arguments and its grad_fn come from the op table; signatures of Lua functions from their
-- readers of arguments; everything else, and the examples, from the texts in lang/help.
local torch = require "torch"
local support = require "torch.support"
local entries = require "torch.help.entries"
local names = require "torch.help.names"
local signature = require "torch.help.signature"

local help = {}

local WIDTH = 80

-- ---- finding ----

-- Names under which the same may be explained: those of the twins in torch, Tensor and F, without the "_" of forms
-- in place, and of the classes a method is inherited from.
local function candidates(full)
    local list = {full}
    local family, word, method = names.split(full)
    if not family then return list end
    if method then
        local Class = names.table_of(family)[word]
        while names.is_class(Class) do
            list[#list + 1] = family.prefix .. Class._name .. "." .. method
            Class = rawget(Class, "_parent")
        end
        list[#list + 1] = "nn.Module." .. method
        return list
    end
    local twins = {"torch.", "Tensor.", "F."}
    local words = {word}
    if word:find("[^_]_$") then words[2] = word:sub(1, -2) end
    for _, w in ipairs(words) do
        list[#list + 1] = family.prefix .. w
        for _, prefix in ipairs(twins) do
            if family.prefix == "torch." or family.prefix == "Tensor." or family.prefix == "F." then
                list[#list + 1] = prefix .. w
            end
        end
    end
    return list
end

-- What the op table calls the families whose rows have tables of their own.
local HOMES = {["F."] = "F", ["linalg."] = "linalg", ["special."] = "special"}

-- The row of the op table that the name stands for, nil if none does.
local function row_of(full)
    local family, word, method = names.split(full)
    if not family or method then return nil end
    local _, _, row = signature.params(names.value(full))
    if row then return row end
    local home = HOMES[family.prefix] or "torch"
    if home == "torch" and family.prefix ~= "torch." and family.prefix ~= "Tensor." then return nil end
    return torch._help.row(word, home)
end

-- The entry that explains a full name and the name under which it does, nil without one.
local function entry_of(full, row)
    for _, name in ipairs(candidates(full)) do
        local entry = entries.find(name)
        if entry then return entry, name end
    end
    if not row then return nil end
    for _, name in ipairs(candidates((names.split(full)).prefix .. row.name)) do
        local entry = entries.find(name)
        if entry then return entry, name end
    end
end

-- Everything known of a full name: {full, entry, row, signatures, doc, words, example, code}; nil for a name that
-- stands for nothing.
function help.about(full)
    local value = names.value(full)
    local row = value ~= nil and row_of(full) or nil
    local entry, under = entry_of(full, row)
    if value == nil and not (entry and entry.names[1] and entries.find(full)) then return nil end
    local about = {full = full, entry = entry, row = row, value = value, words = {}, example = {}}
    local family, word, method = names.split(full)
    local spelled, is_method = names.spelled(full), family and (family.prefix == "Tensor." or method ~= nil)
    local params, code, direct
    if value ~= nil then params, code, direct = signature.params(value) end
    about.code = code
    about.signatures = {}
    if entry and #entry.signatures > 0 and not direct then
        local skip = is_method and not method and not under:find("^Tensor%.")
        for i, text in ipairs(entry.signatures) do
            about.signatures[i] = signature.text(spelled, signature.parse(text), skip)
        end
    elseif params then
        about.signatures[1] = signature.text(spelled, params, is_method and not method)
    else
        about.signatures[1] = spelled
    end
    for i, text in ipairs(entry and entry.words or {}) do about.words[i] = text end
    if direct and under ~= full and under and not select(3, signature.params(names.value(under))) then
        table.remove(about.words, 1) -- what the entry says in the row's place
    end
    about.doc = direct and row.doc or table.remove(about.words, 1) or row and row.doc
    about.in_place = word and word:find("[^_]_$") and not (under and under:find("_$")) or false
    if entry then about.example = entry.example end
    return about
end

-- ---- writing ----

-- Appends the text to out in lines of at most WIDTH, those behind the first indented by `hang` blanks.
local function wrap(out, text, indent, hang)
    local line, margin = (" "):rep(indent), indent
    local fresh = true
    for word in text:gmatch("%S+") do
        if not fresh and #line + 1 + #word > WIDTH then
            out[#out + 1] = line
            line, margin, fresh = (" "):rep(indent + hang), indent + hang, true
        end
        line = line .. (fresh and "" or " ") .. word
        fresh = false
    end
    if #line > margin then out[#out + 1] = line end
end

-- The other names of the same: aliases, the method, the module of the same letters.
local function relatives(about)
    local list, seen = {}, {[about.full] = true}
    local family, word, method = names.split(about.full)
    if not family or method then return list end
    local plain = word:gsub("_$", "")
    local function add(full)
        if not seen[full] and names.value(full) ~= nil then
            seen[full] = true
            list[#list + 1] = names.spelled(full)
        end
    end
    for _, prefix in ipairs {"torch.", "Tensor.", "F."} do
        if family.prefix == "torch." or family.prefix == "Tensor." or family.prefix == "F." then
            add(prefix .. plain)
            add(prefix .. plain .. "_")
        end
    end
    if about.row then
        local home = family.prefix == "Tensor." and "torch." or family.prefix
        add(home .. about.row.name)
        for alias in (about.row.alias or ""):gmatch("[^,]+") do add(home .. alias) end
    end
    if about.entry and about.entry.synonyms then
        for _, other in ipairs(about.entry.names) do add(other) end
    end
    return list
end

local function add_definition(out, about)
    local row = about.row
    if row then
        wrap(out, ("Row %s of the op table, format %s"):format(row.row, row.format), 0, 4)
        for _, column in ipairs {"forward", "combine", "finish"} do
            if row[column] then wrap(out, column .. ": " .. row[column], 4, 4) end
        end
    end
    if about.code then
        local info = debug.getinfo(about.code, "S")
        local file = info.source:match("^=%[torch%](.*)$")
        local text = file and torch._help.source(file)
        if text then
            out[#out + 1] = ("lang/lua/%s.lua:%d:"):format(file, info.linedefined)
            local number = 0
            for line in text:gmatch("([^\n]*)\n") do
                number = number + 1
                if number >= info.linedefined and number <= info.lastlinedefined then
                    out[#out + 1] = "    " .. line
                end
            end
        end
    elseif not row and type(about.value) == "function" then
        out[#out + 1] = "Written in C."
    end
end

local function page(about, source)
    local out = {}
    for _, text in ipairs(about.signatures) do wrap(out, text, 0, 8) end
    if about.doc then wrap(out, about.doc .. (about.in_place and ", in place" or ""), 4, 0) end
    for _, text in ipairs(about.words) do wrap(out, text, 4, 4) end
    if about.row and about.row.node then out[#out + 1] = "    grad_fn: " .. about.row.node end
    local others = relatives(about)
    if #others > 0 then wrap(out, "also: " .. table.concat(others, ", "), 4, 6) end
    if #about.example > 0 then
        out[#out + 1] = "Example:"
        for _, line in ipairs(about.example) do out[#out + 1] = line == "" and "" or "    " .. line end
    end
    if source then add_definition(out, about) end
    return table.concat(out, "\n") .. "\n"
end

local function chapter_list()
    local out = {"Chapters (? and a chapter's name lists what is in it):"}
    for _, chapter in ipairs(entries.chapters()) do
        out[#out + 1] = ("  %-14s%s"):format(chapter.name, chapter.title)
    end
    out[#out + 1] = "?NAME explains a name, ??NAME shows where it is defined too;"
    out[#out + 1] = 'torch.help("WORD") finds names by a word; %help lists the commands.'
    return table.concat(out, "\n") .. "\n"
end

-- How a name is listed in its chapter: as it is written, but torch's own without "torch.".
local function listed(name)
    local family = names.split(name)
    if family and family.prefix == "torch." then return name:sub(7) end
    return family and names.spelled(name) or (name:gsub("^@", ""))
end

local function chapter_page(chapter)
    local words, seen = {}, {}
    for _, entry in ipairs(chapter.entries) do
        for _, name in ipairs(entry.names) do
            local word = listed(name)
            if not seen[word] then words[#words + 1] = word end
            seen[word] = true
        end
    end
    local prefix = words[1] and words[1]:match("^(.*[.:])[^.:]*$")
    for _, word in ipairs(words) do
        if prefix and word:sub(1, #prefix) ~= prefix then prefix = nil end
    end
    local title = chapter.title
    if prefix then
        title = title .. " (" .. prefix .. "...)"
        for i, word in ipairs(words) do words[i] = word:sub(#prefix + 1) end
    end
    local out = {title}
    wrap(out, table.concat(words, ", "), 2, 0)
    return table.concat(out, "\n") .. "\n"
end

-- ---- values ----

-- What a user's own value is: {text} or the full name of what explains it.
local function of_value(asked, v)
    local known = (type(v) == "function" or type(v) == "table") and names.of_value(v)
    if known then return known end
    if torch.is_tensor(v) then
        return nil, ("%s: a tensor of dtype %s and shape %s on %s%s\n    t:name? explains a method, ?tensor lists them\n")
            :format(asked, tostring(v.dtype), tostring(v.shape), tostring(v.device),
                v.grad_fn and (", grad_fn " .. tostring(v.grad_fn)) or v.requires_grad and ", requires_grad" or "")
    end
    if type(v) == "function" then
        local info = debug.getinfo(v, "S")
        local params = signature.params(v)
        if not params then return nil, asked .. ": a function written in C\n" end
        return nil, ("%s\n    defined in %s, line %d\n"):format(signature.text(asked, params), info.short_src,
            info.linedefined)
    end
    local meta = type(v) == "table" and getmetatable(v)
    if type(meta) == "table" and meta.__class then
        local Class = meta.__class
        while Class do
            known = names.of_value(Class)
            if known then return known end
            Class = rawget(Class, "_parent")
        end
    end
    if type(v) == "number" or type(v) == "string" or type(v) == "boolean" then
        return nil, ("%s: a %s, %s\n"):format(asked, type(v), tostring(v))
    end
    return nil, ("%s: a %s\n"):format(asked, support.type_word(v))
end

-- The value of a dotted name among the user's globals; the object and the last word where that is a field.
local function global_value(asked)
    local v, holder, last = nil, _G, nil
    for word in asked:gmatch("[^.:]+") do
        if last then
            holder = v
            if type(holder) ~= "table" and type(holder) ~= "userdata" then return nil end
        end
        local ok, field
        if last then ok, field = pcall(function() return holder[word] end) else ok, field = true, rawget(_G, word) end
        v, last = ok and field or nil, word
        if v == nil then return nil, holder, word end
    end
    return v, holder, last
end

-- "net.fc1:forward" or "x:sum", where net and x are the user's, to the full name.
local function of_object(asked)
    local head, word = asked:match("^(.*)[.:]([%w_]+)$")
    local object = head and global_value(head)
    if object == nil then return nil end
    if torch.is_tensor(object) then
        local full = "Tensor." .. word
        return names.value(full) ~= nil and full or nil
    end
    local meta = getmetatable(object)
    local Class = type(meta) == "table" and meta.__class
    while type(Class) == "table" do
        local known = names.of_value(Class)
        if known and help.about(known .. "." .. word) then return known .. "." .. word end
        Class = rawget(Class, "_parent")
    end
end

-- ---- what is asked ----

-- Pages are written with what the user's cells see for globals.
local function resolve(asked)
    local full = names.normal(asked)
    if full then
        local family, word = full:match("^(.-%.)([%w_.]*)$")
        if family and word ~= "" and help.about(full) then return full end
    end
    if entries.find(asked) then return asked end
    if entries.find("@" .. asked) then return "@" .. asked end
    full = of_object(asked)
    if full then return full end
    local v = not asked:find("^torch%f[.:\0]") and global_value(asked)
    if v ~= nil and v ~= false then
        local known, text = of_value(asked, v)
        return known, text
    end
    local method = asked:match(":([%w_]+)$")
    for _, prefix in ipairs {"Tensor.", "nn.Module.", "optim.Optimizer."} do
        if method and help.about(prefix .. method) then return prefix .. method end
    end
    local homes = names.homes(asked)
    for _, home in ipairs(homes) do
        if help.about(home) then return home, nil, homes end
    end
end

local MODULES = {torch = "creation", F = "functional", nn = "nn", ["nn.functional"] = "functional", ["nn.init"] = "init",
    ["optim.lr_scheduler"] = "schedules", ["utils.data"] = "data", ["nn.utils"] = "nn"}

-- The page on what was asked, "" asking for the chapters; nil when nothing is known of it.
function help.text(asked, source)
    if asked == "" then return chapter_list() end
    local chapters = entries.chapters()
    local module = asked:gsub("^torch%.", "")
    local chapter = chapters[asked] or chapters[MODULES[module] or module]
    if chapter then return chapter_page(chapter) end
    local full, text, homes = resolve(asked)
    if text then return text end
    local about = full and help.about(full)
    if not about then return nil end
    if about.entry and about.entry.names[1]:find("^[%%@]") then about.signatures = about.entry.signatures end
    text = page(about, source)
    local others = {}
    local shown = {}
    for _, name in ipairs(relatives(about)) do shown[name] = true end
    for _, home in ipairs(homes or {}) do
        local name = names.spelled(home)
        if home ~= full and not shown[name] then others[#others + 1] = name end
    end
    if #others == 0 then return text end
    local out = {}
    wrap(out, "See also " .. table.concat(others, ", ") .. ".", 0, 4)
    return text .. table.concat(out, "\n") .. "\n"
end

-- ---- searching ----

local function one_line(name, doc)
    local line = ("%-26s %s"):format(name, doc or "")
    local most = WIDTH - 4 -- so that a list fits into an example too
    if utf8.len(line) and utf8.len(line) > most then line = line:sub(1, utf8.offset(line, most - 2) - 1) .. "..." end
    return (line:gsub("%s+$", ""))
end

-- Lists the names and descriptions in which the word occurs, names first.
local function search(word)
    local by_name, by_doc, plain = {}, {}, word:lower()
    for _, family in ipairs(names.families) do
        for _, name in ipairs(names.list(family)) do
            local full = family.prefix .. name
            local in_name = name:lower():find(plain, 1, true)
            local about = not (family.prefix == "Tensor." and (names.value("torch." .. name) ~= nil or name:find("_$")))
                and help.about(full)
            if about then
                local text = (about.doc or "") .. " " .. table.concat(about.words, " ")
                local list = in_name and by_name or text:lower():find(plain, 1, true) and by_doc
                if list then list[#list + 1] = one_line(names.spelled(full), about.doc) end
            end
        end
    end
    for _, chapter in ipairs(entries.chapters()) do
        for _, entry in ipairs(chapter.entries) do
            local name = entry.names[1]
            local text = name .. " " .. table.concat(entry.words, " ")
            if name:find("^[%%@]") and text:lower():find(plain, 1, true) then
                by_doc[#by_doc + 1] = one_line(listed(name), entry.words[1])
            end
        end
    end
    table.move(by_doc, 1, #by_doc, #by_name + 1, by_name)
    return by_name
end

-- torch.help("scatter") lists the names that have to do with the word, torch.help(torch.softmax) explains a function
-- or class, torch.help() lists the chapters.
function help.help(what)
    if what == nil then
        io.stdout:write(chapter_list())
    elseif type(what) == "string" then
        local found = search(what)
        if #found == 0 then support.raise("ValueError", "help(): nothing has to do with '%s'", what) end
        io.stdout:write(table.concat(found, "\n"), "\n")
    else
        local full, text = of_value("value", what)
        io.stdout:write(full and page(help.about(full), false) or text)
    end
end

-- ---- for completion ----

-- The names of the options of a function or class as a list, nil when they are not known. Runs library code only.
function help.options(v)
    local params = signature.params(v)
    local code = type(v) == "function" and debug.getinfo(v, "S")
    if params and code and code.what ~= "C" and code.source:sub(1, 8) ~= "=[torch]" then return nil end
    if not params or #params == 0 or params[1][1] == "..." then
        local full = (type(v) == "function" or type(v) == "table") and names.of_value(v)
        local about = full and help.about(full)
        params = {}
        for _, text in ipairs(about and about.signatures or {}) do
            for _, p in ipairs(signature.parse(text)) do params[#params + 1] = p end
        end
    end
    local list, seen = {}, {}
    for i, p in ipairs(params) do
        local name = p[1]
        if name:find("^[%a_][%w_]*$") and not seen[name] and (i > 1 or p[2] or type(v) == "table") then
            seen[name] = true
            list[#list + 1] = name
        end
    end
    return list
end

return help
