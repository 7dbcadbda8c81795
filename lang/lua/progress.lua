-- progress(iterable): a bar on standard error with rate and time left; plain lines where that is no terminal.
--
--     for i, x, y in pairs(progress(loader, {desc = "epoch 1"})) do … end
--
-- Takes what pairs() takes, a count (0, 1, …), or an iterator as generic for does. bar:set_postfix{loss =
-- 0.5} shows values beside the bar, bar:update(n) moves a bar without iterable, bar:close() ends it early.
local torch = require "torch"
local support = require "torch.support"

local REDRAW_SECONDS, LINE_SECONDS = 0.1, 10
local PARTS = {"▏", "▎", "▍", "▌", "▋", "▊", "▉"}

local Bar = {}

-- 75.2 → "01:15", 3700 → "1:01:40".
local function clock(seconds)
    if seconds ~= seconds or seconds == math.huge then return "?" end
    local s = math.floor(seconds)
    if s >= 3600 then return ("%d:%02d:%02d"):format(s // 3600, s // 60 % 60, s % 60) end
    return ("%02d:%02d"):format(s // 60, s % 60)
end

local function rate_text(n, seconds, unit)
    if n == 0 or seconds <= 0 then return "?" .. unit .. "/s" end
    local rate = n / seconds
    if rate < 1 then return ("%.2fs/%s"):format(1 / rate, unit) end
    return (rate < 100 and "%.2f%s/s" or "%.0f%s/s"):format(rate, unit)
end

local function bar_text(fraction, width)
    local eighths = math.floor(fraction * width * 8)
    local full, part = eighths // 8, eighths % 8
    return ("█"):rep(full) .. (part > 0 and PARTS[part] or "") ..
        (" "):rep(width - full - (part > 0 and 1 or 0))
end

local function status(self, elapsed)
    local rate = rate_text(self.n, elapsed, self.unit)
    local total = self.total
    if not total then
        return ("%d%s [%s, %s%s]"):format(self.n, self.unit, clock(elapsed), rate, self.postfix)
    end
    local left = self.n > 0 and (total - self.n) * elapsed / self.n or math.huge
    return ("%d/%d [%s<%s, %s%s]"):format(self.n, total, clock(elapsed), clock(math.max(left, 0)), rate,
        self.postfix)
end

local function draw(self, now)
    local text = status(self, now - self.start)
    local head = self.desc == "" and "" or self.desc .. ": "
    if not self.total then
        text = head .. text
    else
        local fraction = self.total > 0 and math.min(self.n / self.total, 1) or 1
        head = ("%s%3d%%"):format(head, math.floor(fraction * 100))
        if self.columns then
            local room = self.columns - 1 - utf8.len(head) - 2 - (utf8.len(text) or #text) - 1
            head = room >= 4 and ("%s|%s| "):format(head, bar_text(fraction, math.min(room, 40))) or head ..
                " "
        else
            head = head .. " "
        end
        text = head .. text
    end
    self.drawn = now
    io.stderr:write(self.columns and "\r" .. text .. "\27[K" or text .. "\n")
end

-- Draws when the last picture is old enough to be worth it.
local function moved(self)
    local now = torch.perf_counter()
    if now - self.drawn >= (self.columns and REDRAW_SECONDS or LINE_SECONDS) then draw(self, now) end
end

function Bar:update(n)
    self.n = self.n + (n or 1)
    moved(self)
end

local function value_text(value)
    if torch.is_tensor(value) then value = value:item() end
    return math.type(value) == "float" and ("%.3g"):format(value) or tostring(value)
end

-- set_postfix{loss = 0.25, step = 3}: "loss=0.25, step=3" beside the bar, in the order of the names.
function Bar:set_postfix(values)
    local parts = {}
    for name, value in pairs(values) do parts[#parts + 1] = ("%s=%s"):format(name, value_text(value)) end
    table.sort(parts)
    self.postfix = #parts > 0 and ", " .. table.concat(parts, ", ") or ""
end

function Bar:set_description(text)
    self.desc = text or ""
end

function Bar:close()
    if self.closed then return end
    self.closed = true
    draw(self, torch.perf_counter())
    if self.columns then io.stderr:write(self.leave and "\n" or "\r\27[K") end
end

-- Counts what the iterator gives, and closes the bar when it ends. The first value is no step done yet.
local function counted(self, advance, state, control)
    local started = false
    local function pass(first, ...)
        control = first
        if started then
            self.n = self.n + 1
            moved(self)
        end
        started = true
        if first == nil then
            self:close()
            return nil
        end
        return first, ...
    end
    return function() return pass(advance(state, control)) end
end

local function iterator_of(self)
    local source = self.iterable
    if type(source) == "number" then
        local i = -1
        return function()
            i = i + 1
            if i < source then return i end
        end
    end
    if type(source) == "function" then return source, self.state, self.control end
    return pairs(source)
end

local function restart(self)
    self.n, self.closed, self.start, self.drawn = 0, false, torch.perf_counter(), torch.perf_counter()
    if self.columns and not self.disable then draw(self, self.start) end
end

local meta = {__name = "progress", __index = Bar, __close = Bar.close}

function meta.__pairs(self)
    if self.disable then return iterator_of(self) end
    restart(self)
    return counted(self, iterator_of(self))
end

-- `for i, x in progress(loader) do`: the bar is its own iterator.
function meta.__call(self)
    if not self.step then self.step = meta.__pairs(self) end
    return self.step()
end

function meta.__len(self)
    return self.total or 0
end

function meta.__gc(self)
    if self.columns and not self.closed and not self.disable then io.stderr:write("\n") end
end

local function length_of(source)
    if type(source) == "number" then return source end
    local own = type(source) == "table" and getmetatable(source)
    if type(source) == "table" and not (own and own.__pairs and not own.__len) then return #source end
    return torch.is_tensor(source) and #source or nil
end

local read = support.signature("progress",
    {"iterable", "desc", "total", "leave", "unit", "disable", "state", "control"},
    {desc = "", leave = true, unit = "it", disable = false})

-- progress(iterable, {desc="", total=nil, leave=true, unit="it", disable=false})
return function(...)
    local self = {columns = torch._terminal_columns(), postfix = ""}
    if type((...)) == "function" then
        self.iterable, self.state, self.control = ...
        self.desc, self.leave, self.unit, self.disable = "", true, "it", false
    else
        self.iterable, self.desc, self.total, self.leave, self.unit, self.disable = read(...)
    end
    self.total = self.total or length_of(self.iterable)
    setmetatable(self, meta)
    if self.iterable == nil then restart(self) end
    return self
end
