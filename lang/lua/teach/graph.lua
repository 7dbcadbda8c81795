-- torch.graph: the autograd graph behind a tensor, as a text tree or as Graphviz text.
local torch = require "torch"
local support = require "torch.support"
local source = require "torch.teach.source"
local picture = require "torch.teach.picture"
local explain = require "torch.teach.explain"
local names = require "torch.teach.names"
local teach = torch._teach

local graph = {}

local MOST_NODES, MOST_LINES, WIDTH = 10000, 200, 80

-- The nodes behind t, leaves named by the variables that hold them.
local function nodes_of(t, variables)
    local nodes = teach.graph(t, MOST_NODES)
    if not nodes then
        support.raise("RuntimeError", "graph(): the tensor has no graph: it %s",
            t.requires_grad and "is a leaf" or "does not require grad")
    end
    local globals
    for number, node in ipairs(nodes) do
        node.number, node.uses, node.inputs = number, 0, node.inputs or {}
        node.node = nil
    end
    for _, node in ipairs(nodes) do
        for _, i in ipairs(node.inputs) do
            if i and nodes[i] then nodes[i].uses = nodes[i].uses + 1 end
        end
        if node.variable then
            globals = globals or names.globals()
            local id = teach.id(node.variable)
            node.variable_name = names.search(variables, id) or names.search(globals, id)
        end
    end
    return nodes
end

local function where(node)
    if not node.place then return nil end
    return node.line > 0 and node.place .. ":" .. node.line or node.place
end

local function bytes_text(n)
    if n < 10000 then return n .. " bytes" end
    if n < 1e7 then return ("%.1f kB"):format(n / 1e3) end
    return ("%.1f MB"):format(n / 1e6)
end

-- "AccumulateGrad w (3, 4)"
local function title(node)
    local words = {node.name}
    if node.variable_name then words[#words + 1] = node.variable_name end
    if node.shape then words[#words + 1] = picture.tuple(node.shape) end
    return table.concat(words, " ")
end

-- ---- text ----

-- One line a node, what feeds it below: a chain straight down, branches set in. A node that feeds several is
-- shown once, with a number that the other places refer to.
local function tree(nodes)
    local lines, shown, labels = {}, {}, {}
    local function label(node)
        if node.uses < 2 then return "" end
        if not labels[node] then
            labels.n = (labels.n or 0) + 1
            labels[node] = labels.n
        end
        return " #" .. labels[node]
    end
    -- work: lines still to be written, last first: {node number, first prefix, further prefix}
    local work = {{1, "", ""}}
    while #work > 0 do
        local number, first, further = table.unpack(table.remove(work))
        local node = nodes[number]
        if #lines >= MOST_LINES then
            lines[#lines + 1] = {text = "... and more", right = ""}
            break
        end
        if shown[number] then
            lines[#lines + 1] = {text = first .. "see" .. label(node) .. " " .. node.name, right = ""}
        else
            shown[number] = true
            local right = {}
            if node.saved > 0 then right[1] = "saves " .. bytes_text(node.saved) end
            if node.name ~= "AccumulateGrad" then right[#right + 1] = where(node) end
            lines[#lines + 1] = {text = first .. title(node) .. label(node), right = table.concat(right, "   ")}
            local below = {}
            for _, i in ipairs(node.inputs) do
                if i and nodes[i] then below[#below + 1] = i end
            end
            for k = #below, 1, -1 do
                if #below == 1 then
                    work[#work + 1] = {below[1], further, further}
                else
                    local last = k == #below
                    local first_prefix = further .. (last and "`- " or "|- ")
                    work[#work + 1] = {below[k], first_prefix, further .. (last and "   " or "|  ")}
                end
            end
        end
    end
    return lines
end

local function text_of(nodes)
    local lines, out, width = tree(nodes), {}, 0
    for _, l in ipairs(lines) do width = math.max(width, utf8.len(l.text)) end
    width = math.min(width, 48)
    for _, l in ipairs(lines) do
        local line = l.text
        if l.right ~= "" then
            line = line .. (" "):rep(math.max(width - utf8.len(line), 0) + 2) .. l.right
        end
        out[#out + 1] = source.shorten(line, WIDTH)
    end
    return table.concat(out, "\n")
end

-- ---- Graphviz ----

local function quoted(text) return '"' .. text:gsub('[\\"]', "\\%0") .. '"' end

local function dot_of(nodes)
    local out = {"digraph autograd {", "  rankdir=BT;", "  node [shape=box, fontname=monospace];"}
    for number, node in ipairs(nodes) do
        local text = title(node)
        if where(node) and not node.variable then text = text .. "\n" .. where(node) end
        local label = quoted(text):gsub("\n", "\\n")
        out[#out + 1] = ("  n%d [label=%s%s];"):format(number, label, node.variable and ", style=filled" or "")
    end
    for number, node in ipairs(nodes) do
        for _, i in ipairs(node.inputs) do
            if i and nodes[i] then out[#out + 1] = ("  n%d -> n%d;"):format(i, number) end
        end
    end
    out[#out + 1] = "}"
    return table.concat(out, "\n") .. "\n"
end

local function write_file(path, text)
    local file, message = io.open(path, "w")
    if not file then support.raise("OSError", "graph(): %s", message) end
    local ok, problem = file:write(text)
    file:close()
    if not ok then support.raise("OSError", "graph(): %s", problem) end
end

local function draw_svg(path, text)
    if not os.execute("command -v dot >/dev/null 2>&1") then
        support.raise("OSError", "graph(): drawing .svg needs the program dot of Graphviz; .dot needs nothing")
    end
    local pipe, message = io.popen("dot -Tsvg -o '" .. path:gsub("'", "'\\''") .. "'", "w")
    if not pipe then support.raise("OSError", "graph(): %s", message) end
    pipe:write(text)
    if not pipe:close() then support.raise("OSError", "graph(): dot failed") end
end

local function save(nodes, path)
    if path:find("%.dot$") then return write_file(path, dot_of(nodes)) end
    if path:find("%.svg$") then return draw_svg(path, dot_of(nodes)) end
    support.raise("ValueError", "graph(): a file must end in .dot or .svg, not '%s'", path)
end

-- ---- the public face ----

local Graph = {__name = "torch.teach.Graph"}
function Graph.__tostring(g) return ("<graph of %d node%s>"):format(#g, #g == 1 and "" or "s") end

-- variables: names.frame's. Returns the nodes, with the field text.
function graph.of(t, variables)
    if not explain.is_tensor(t) then
        support.raise("TypeError", "graph(): argument 'tensor' must be Tensor, not %s", support.type_word(t))
    end
    local nodes = nodes_of(t, variables)
    nodes.text = text_of(nodes)
    return setmetatable(nodes, Graph)
end

--- torch.graph(tensor, file=nil): the autograd graph behind a tensor, as a text tree: each node's name,
--- result shape, the bytes it saved for backward, the cell and line that made it; leaves by the names of the
--- variables that hold them. Prints it, or writes it to a file ending in .dot (Graphviz text) or .svg (drawn
--- by dot). Returns the list of nodes, each {name, shape, saved, place, line, variable, inputs}, with the
--- field text.
function graph.graph(tensor, options)
    local nodes = graph.of(tensor, names.frame(2))
    local file = type(options) == "table" and options.file or options
    if file then save(nodes, file) else io.stdout:write(nodes.text, "\n") end
    return nodes
end

-- %graph EXPR [> FILE]
function graph.command(code, chunkname)
    local expression, file = code:match("^(.-)%s*>%s*([^%s>]+%.%a+)%s*$")
    if file and not file:find("%.dot$") and not file:find("%.svg$") then file = nil end
    if not file then expression = code end
    local f = teach.compile(expression, chunkname, nil)
    local nodes = graph.of((f(function(...) return select(2, ...) end)), {})
    if file then save(nodes, file) else io.stdout:write(nodes.text, "\n") end
end

return graph
