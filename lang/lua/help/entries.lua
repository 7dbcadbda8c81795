-- The texts of lang/help: chapters of entries, each with the names it explains, signatures, words and examples.
--
-- A file is a chapter. Its first line is "# title"; an entry begins with "@ NAME NAME…", where a name is spelled
-- as torch.sum, Tensor.view, F.relu, nn.Linear, nn.Module.parameters, %time, @for or the like; names with " = "
-- between them are names for the same. Under it stand
-- "= name(arguments)", the signatures that neither the op table nor the code tells; words, of which the first
-- line says what it is unless the op table does; and examples, from the first ">>> " to the end. The examples are
-- run by the tests: the files are documents for --doctest.
local entries = {}

local chapters, index

local function read_entry(chapter, names, body)
    local entry = {names = {}, chapter = chapter, signatures = {}, words = {}, example = {}}
    entry.synonyms = names:find(" = ", 1, true) ~= nil
    for name in names:gmatch("[^%s=]+") do entry.names[#entry.names + 1] = name end
    local part
    for line in body:gmatch("([^\n]*)\n") do
        if line:find("^>>>") then part = entry.example end
        if part then
            part[#part + 1] = line
        elseif line:find("^= ") then
            entry.signatures[#entry.signatures + 1] = line:sub(3)
        elseif line ~= "" then
            entry.words[#entry.words + 1] = line
        end
    end
    while entry.example[#entry.example] == "" do table.remove(entry.example) end
    return entry
end

local function load()
    chapters, index = {}, {}
    for _, file in ipairs(require("torch")._help.texts()) do
        local chapter = {name = file.name, title = file.text:match("^# ([^\n]*)"), entries = {}}
        chapters[#chapters + 1], chapters[file.name] = chapter, chapter
        local text, at = file.text .. "\n@ ", file.text:find("\n@ ", 1, true)
        while at and at < #file.text do
            local next_at = text:find("\n@ ", at + 1, true)
            local names, body = text:sub(at + 3, next_at):match("^([^\n]*)\n(.*)$")
            at = next_at
            local entry = read_entry(chapter, names, body)
            chapter.entries[#chapter.entries + 1] = entry
            for _, name in ipairs(entry.names) do index[name] = entry end
        end
    end
end

-- The chapters in order, by name too: each has name, title and entries.
function entries.chapters()
    if not chapters then load() end
    return chapters
end

-- The entry with this very name, nil if there is none.
function entries.find(name)
    if not chapters then load() end
    return index[name]
end

return entries
