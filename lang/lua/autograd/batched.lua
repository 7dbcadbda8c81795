-- torch.autograd.grad with is_grads_batched: the first dim of each gradient counts calls, whose results are stacked.
local torch = require "torch"
local support = require "torch.support"

local function as_list(v)
    return torch.is_tensor(v) and {v} or v
end

local function check_shapes(outputs, grads)
    for i, g in ipairs(grads) do
        local row = g:dim() > 0 and g[0].shape or g.shape
        if row ~= outputs[i].shape then
            support.raise("RuntimeError", "If `is_grads_batched=True`, we interpret the first dimension of " ..
                "each grad_output as the batch dimension. The sizes of the remaining dimensions are expected " ..
                "to match the shape of corresponding output, but a mismatch was detected: grad_output[%d] has " ..
                "a shape of %s and output[%d] has a shape of %s. If you only want some tensors in " ..
                "`grad_output` to be considered batched, consider using vmap.",
                i - 1, tostring(row), i - 1, tostring(outputs[i].shape))
        end
    end
end

return function(outputs, inputs, grad_outputs, retain_graph, create_graph, allow_unused, materialize_grads)
    outputs, inputs, grad_outputs = as_list(outputs), as_list(inputs), as_list(grad_outputs or {})
    check_shapes(outputs, grad_outputs)
    local n = grad_outputs[1] and grad_outputs[1].shape[0] or 0
    local rows = {}
    for k = 0, n - 1 do
        local row = {}
        for i, g in ipairs(grad_outputs) do row[i] = g[k] end
        local keep = k < n - 1 or retain_graph
        rows[k + 1] = torch.autograd.grad(outputs, inputs, {grad_outputs = row, retain_graph = keep or create_graph,
            create_graph = create_graph, allow_unused = allow_unused, materialize_grads = materialize_grads})
    end
    local results = {}
    for i = 1, #inputs do
        local column = {}
        for k = 1, n do column[k] = rows[k][i] end
        results[i] = #column > 0 and torch.stack(column) or nil
    end
    return results
end
