-- The benchmark's driver: asks each worker in turn for timings of one case, prints medians and ratios.
-- driver.lua FOLDER-OF-FIFOS FOLDER-OF-WORKERS TIDE GEMM PYTHON ONLY; an empty word means: not here; ONLY picks the
-- rows whose name has it. Plain Lua 5.4 but for torch.perf_counter.
-- A worker reads "NAME N" and answers with the seconds of N runs; "NAME 0" prepares the case and answers with its
-- checksum (or "-" for a case it does not have); "list" answers with the names in one line; "quit" ends it.
local work, here, tide, gemm, python, only = table.unpack(arg)
local ROUNDS, BATCH_SECONDS, SLOW_SECONDS = 7, 0.05, 1.0

local function quoted(word)
    return "'" .. word:gsub("'", "'\\''") .. "'"
end

local function start_worker(name, command)
    local fifo = work .. "/" .. name
    local answers = assert(io.popen("exec " .. command .. " <" .. quoted(fifo), "r"))
    local questions = assert(io.open(fifo, "w"))
    questions:setvbuf("no")
    return {
        name = name,
        ask = function(...)
            questions:write(table.concat({...}, " "), "\n")
            return answers:read("l") or error(name .. ": the worker ended", 0)
        end,
        stop = function()
            questions:write("quit\n") -- not just the end of its input: later workers have inherited this end of it
            questions:close()
            answers:close()
        end,
    }
end

-- Enough runs for a batch to be worth timing.
local function calibrate(worker, case)
    local runs = 1
    while true do
        local seconds = tonumber(worker.ask(case, runs))
        if seconds >= BATCH_SECONDS or runs >= 1e7 then
            return runs, seconds / runs >= SLOW_SECONDS and 3 or ROUNDS
        end
        runs = math.max(runs * 2, math.ceil(runs * BATCH_SECONDS * 1.2 / math.max(seconds, 1e-7) / 4))
    end
end

local function median(list)
    table.sort(list)
    local n = #list
    return n % 2 == 1 and list[n // 2 + 1] or (list[n // 2] + list[n // 2 + 1]) / 2
end

-- Seconds of one run of the case for each worker that has it, taken turn by turn.
local function measure(workers, case)
    local runs, times, checks, rounds = {}, {}, {}, 0
    for _, w in ipairs(workers) do
        local check = w.ask(case, 0)
        if check ~= "-" then
            checks[w.name] = tonumber(check)
            local wanted
            times[w.name] = {}
            runs[w.name], wanted = calibrate(w, case)
            rounds = math.max(rounds, wanted)
        end
    end
    for _ = 1, rounds do
        for _, w in ipairs(workers) do
            if runs[w.name] then
                table.insert(times[w.name], tonumber(w.ask(case, runs[w.name])) / runs[w.name])
            end
        end
    end
    local result = {}
    for name, list in pairs(times) do
        result[name] = median(list)
    end
    return result, checks
end

local function shown(seconds)
    if not seconds then return "" end
    for _, unit in ipairs {{1, "s "}, {1e-3, "ms"}, {1e-6, "µs"}} do
        if seconds >= unit[1] then return ("%.3g %s"):format(seconds / unit[1], unit[2]) end
    end
    return ("%.0f ns"):format(seconds * 1e9)
end

local function padded(text, width)
    return (" "):rep(width - utf8.len(text)) .. text
end

local function ratio(a, b)
    return a and b and ("%.2f"):format(a / b) or ""
end

local function print_row(case, t, show)
    show = show or shown
    print(("%-34s"):format(case) .. padded(show(t.tide), 11) .. padded(show(t.pytorch), 11)
        .. padded(ratio(t.tide, t.pytorch), 9) .. padded(show(t.openblas), 11) .. padded(ratio(t.tide, t.openblas), 9))
    io.stdout:flush()
end

local function differ(checks)
    local a, b = checks.tide, checks.pytorch
    return a and b and math.abs(a - b) > 1e-3 * math.max(math.abs(a), math.abs(b), 1e-3)
end

-- Start-up and peak memory: whole processes, each printing what it measured of itself or nothing.
local function run_process(command)
    local start = torch.perf_counter()
    local out = assert(io.popen(command, "r"))
    local text = out:read("a")
    out:close()
    return torch.perf_counter() - start, text
end

local function picked(row)
    return row:find(only, 1, true) ~= nil
end

local START_UP, PEAK = "start-up to the first result", "peak memory, MLP 784-200-200-10"

local function process_rows()
    local python_word = quoted(python)
    local first = {tide = quoted(tide) .. " -e 'print(torch.ones(2) + 1)'"}
    local train = {tide = quoted(tide) .. " " .. quoted(here .. "/cases.lua") .. " memory"}
    if python ~= "" then
        first.pytorch = python_word .. " -c 'import torch; print(torch.ones(2) + 1)'"
        train.pytorch = python_word .. " " .. quoted(here .. "/cases.py") .. " memory"
    end
    local times, peaks = {}, {}
    for _ = 1, picked(START_UP) and ROUNDS or 0 do
        for name, command in pairs(first) do
            times[name] = times[name] or {}
            table.insert(times[name], (run_process(command)))
        end
    end
    for name, list in pairs(times) do
        times[name] = median(list)
    end
    if picked(START_UP) then print_row(START_UP, times) end
    for name, command in pairs(picked(PEAK) and train or {}) do
        local _, text = run_process(command)
        peaks[name] = tonumber(text:match("%d+"))
    end
    if picked(PEAK) then
        print_row(PEAK, peaks, function(kilobytes)
            return kilobytes and ("%.0f MB"):format(kilobytes / 1024) or ""
        end)
    end
end

local workers = {start_worker("tide", quoted(tide) .. " " .. quoted(here .. "/cases.lua"))}
if python ~= "" then
    table.insert(workers, start_worker("pytorch", quoted(python) .. " " .. quoted(here .. "/cases.py")))
end
if gemm ~= "" then
    table.insert(workers, start_worker("openblas", quoted(gemm)))
end
local names = workers[1].ask("list")
print(("%-34s%11s%11s%9s%11s%9s"):format("median of one run", "Tide", python ~= "" and "PyTorch" or "",
    python ~= "" and "ratio" or "", gemm ~= "" and "OpenBLAS" or "", gemm ~= "" and "ratio" or ""))
local suspect = {}
for case in names:gmatch("%S+") do
    local row = case:gsub("_", " ")
    if picked(row) then
        local times, checks = measure(workers, case)
        print_row(row, times)
        if differ(checks) then table.insert(suspect, ("%s: %s, %s"):format(row, checks.tide, checks.pytorch)) end
    end
end
for _, w in ipairs(workers) do w.stop() end
process_rows()
if #suspect > 0 then
    print("\nThe two sides computed different values (Tide, PyTorch):\n" .. table.concat(suspect, "\n"))
    os.exit(1)
end
