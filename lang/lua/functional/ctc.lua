-- ctc_loss: PyTorch's forms of its arguments over the op table's row.
local torch = require "torch"
local support = require "torch.support"
local rows = torch._nn
local raise, signature = support.raise, support.signature

local F = {}

-- Lengths given as a tensor, a table or a number, as a table.
local function list_of(lengths)
    if torch.is_tensor(lengths) then
        local list = lengths:flatten():tolist()
        for i, n in ipairs(list) do list[i] = math.tointeger(n) or n end
        return list
    end
    return type(lengths) == "number" and {lengths} or lengths
end

local WHERE = " (while checking arguments for ctc_loss_allocate_outputs)"

local function check_lengths(name, lengths, most)
    for _, n in ipairs(lengths) do
        if n < 0 then
            raise("RuntimeError", "Expected %s to have value at least 0, but got value %d%s", name, n, WHERE)
        end
        if most and n > most then
            raise("RuntimeError", "Expected %s to have value at most %d, but got value %d%s", name, most,
                n, WHERE)
        end
    end
end

-- The labels as (samples, the most of them); given as such, or one sample after the other.
local function table_of_targets(targets, lengths)
    local most, total = 0, 0
    for _, n in ipairs(lengths) do most, total = math.max(most, n), total + n end
    if targets.ndim == 2 then
        if targets.shape[1] < most then
            raise("RuntimeError",
                "Expected tensor to have size at least %d at dimension 1, but got size %d for " ..
                "argument #2 'targets'%s", most, targets.shape[1], WHERE)
        end
        local y = targets:narrow(1, 0, most):to(torch.int64, {copy = true})
        for i, n in ipairs(lengths) do
            if n < most then y:narrow(0, i - 1, 1):narrow(1, n, most - n):fill_(0) end
        end
        return y
    end
    if targets.shape[0] ~= total then
        raise("RuntimeError",
            "Expected tensor to have size %d at dimension 0, but got size %d for argument #2 " ..
            "'targets'%s", total, targets.shape[0], WHERE)
    end
    local y, at = torch.zeros({#lengths, most}, {dtype = torch.int64, device = targets.device}), 0
    for i, n in ipairs(lengths) do
        if n > 0 then y[i - 1]:narrow(0, 0, n):copy_(targets:narrow(0, at, n)) end
        at = at + n
    end
    return y
end

local read = signature("ctc_loss",
    {"log_probs!", "targets:Tensor!", "input_lengths:tuple of ints!", "target_lengths:tuple of ints!",
        "blank",
        "reduction:str", "zero_infinity"},
    {blank = 0, reduction = "mean", zero_infinity = false})

-- log_probs (steps, n, classes) or (steps, classes), targets (n, labels) or (all labels), input_lengths and
-- target_lengths n numbers each.
function F.ctc_loss(...)
    local log_probs, targets, input_lengths, target_lengths, blank, reduction, zero_infinity = read(...)
    local batched = log_probs.ndim == 3
    if not batched then log_probs = log_probs:unsqueeze(1) end
    local steps, n, classes = log_probs.shape[0], log_probs.shape[1], log_probs.shape[2]
    local inputs, labels = list_of(input_lengths), list_of(target_lengths)
    if blank < 0 or blank >= classes then raise("RuntimeError", "blank must be in label range") end
    if #inputs ~= n then raise("RuntimeError", "input_lengths must be of size batch_size") end
    if #labels ~= n then raise("RuntimeError", "target_lengths must be of size batch_size") end
    check_lengths("target_lengths", labels)
    local lengths = torch.tensor({inputs, labels}, {dtype = torch.int64, device = log_probs.device})
    if targets.ndim ~= 2 then targets = targets:flatten() end
    targets = table_of_targets(targets, labels)
    check_lengths("input_lengths", inputs, steps)
    local loss = rows.ctc_loss(log_probs, targets, lengths, blank, zero_infinity)
    if zero_infinity then
        loss = torch.where(loss:eq(math.huge), torch.zeros({}, {dtype = loss.dtype, device = loss.device}),
            loss)
    end
    if reduction == "mean" then return (loss / lengths[1]:clamp_min(1):to(loss.dtype)):mean() end
    if reduction == "sum" then return loss:sum() end
    if reduction ~= "none" then
        raise("ValueError", "%s is not a valid value for reduction", tostring(reduction))
    end
    return batched and loss or loss:squeeze(0)
end

return F
