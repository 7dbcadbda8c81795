-- Every public name has help: its signature, a line on what it is, and an example.
local help = require "torch.help"
local names = require "torch.help.names"

local total = 0

local function check(full)
    total = total + 1
    local about = help.about(full)
    if not about or not about.doc then
        print(full .. ": no line that says what it is; its entry belongs into lang/help")
    elseif #about.example == 0 then
        print(full .. ": no example; its entry belongs into lang/help")
    elseif type(about.value) == "function" and not about.signatures[1]:find("%(") then
        print(full .. ": no signature; it belongs into its entry in lang/help, behind '= '")
    end
    if about then
        for line in help.text(full):gmatch("[^\n]+") do
            if utf8.len(line) > 80 and not line:find("^    [>.]") then print(full .. ": wider than 80: " .. line) end
        end
    end
end

for _, family in ipairs(names.families) do
    local list = names.list(family)
    for _, name in ipairs(list) do
        check(family.prefix .. name)
        local Class = names.value(family.prefix .. name)
        if names.is_class(Class) then
            local methods = {}
            for method, f in next, Class do
                if type(f) == "function" and not method:find("^_") then methods[#methods + 1] = method end
            end
            table.sort(methods)
            for _, method in ipairs(methods) do check(family.prefix .. name .. "." .. method) end
        end
    end
end
print(total > 1700)
