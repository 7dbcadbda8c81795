-- The shell's teaching commands: what stands behind %explain and its like, given the code that was typed.
local support = require "torch.support"

local commands = {}

-- Each is called with the code and the name of the cell.
function commands.explain(code, chunkname)
    if not code:find("%S") then support.raise("ValueError", "%%explain needs an expression") end
    local _, text = require("torch.teach.explain").run(code, chunkname, nil)
    if text ~= "" then io.stdout:write(text, "\n") end
end

function commands.trace(code, chunkname)
    if not code:find("%S") then support.raise("ValueError", "%%trace needs an expression") end
    io.stdout:write(require("torch.teach.trace").run(code, chunkname, nil).text, "\n")
end

function commands.graph(code, chunkname)
    if not code:find("%S") then support.raise("ValueError", "%%graph needs a tensor") end
    require("torch.teach.graph").command(code, chunkname)
end

return commands
