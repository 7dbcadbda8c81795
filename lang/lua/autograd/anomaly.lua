-- torch.autograd.detect_anomaly and set_detect_anomaly: the first gradient that is nan is an error.
local torch = require "torch"
local support = require "torch.support"

local anomaly = {}
local set = torch._autograd._set_anomaly

local Guard = {__name = "torch.autograd.anomaly_mode.detect_anomaly"}
Guard.__index = Guard

function Guard:close()
    if self.open then set(self.on, self.check_nan) end
    self.open = false
end
Guard.__close = Guard.close

-- A guard that puts the former mode back when it is closed.
local function switch(on, check_nan)
    local guard = setmetatable({on = torch.is_anomaly_enabled(),
        check_nan = torch.is_anomaly_check_nan_enabled(), open = true}, Guard)
    set(on, check_nan)
    return guard
end

-- detect_anomaly([check_nan]): `local _ <close> = torch.autograd.detect_anomaly()`; or
-- detect_anomaly(f, …): calls f within, and gives its results.
function anomaly.detect_anomaly(check_nan, ...)
    if type(check_nan) == "table" then check_nan = check_nan.check_nan end
    support.warn("Anomaly Detection has been enabled. This mode will increase the runtime and should " ..
        "only be enabled for debugging.")
    if type(check_nan) ~= "function" then return switch(true, check_nan ~= false) end
    local _ <close> = switch(true, true)
    local f = check_nan
    local results = table.pack(f(...))
    return table.unpack(results, 1, results.n)
end

local read = support.signature("set_detect_anomaly", {"mode:any!", "check_nan"}, {check_nan = true})

-- Switches for good, or until the guard that it returns is closed.
function anomaly.set_detect_anomaly(...)
    local mode, check_nan = read(...)
    if type(mode) ~= "boolean" then
        support.raise("TypeError", "set_anomaly_enabled(): argument 'enabled' (position 1) must be bool, not %s",
            support.type_word(mode))
    end
    return switch(mode, check_nan)
end

return anomaly
