-- torch.autograd.graph: small tools about the recorded graph.
local torch = require "torch"
local support = require "torch.support"

local graph = {}

-- Counts an in-place write to a tensor, or to each of a table of them, that autograd cannot see.
function graph.increment_version(tensor)
    for _, t in ipairs(torch.is_tensor(tensor) and {tensor} or tensor) do torch.autograd._bump(t) end
end

local Edge = {__name = "GradientEdge"}

function Edge:__tostring()
    return ("GradientEdge(node=%s, output_nr=%d, ownership_token=None)"):format(self.node, self.output_nr)
end

-- The place in the graph that the tensor's gradient goes to.
function graph.get_gradient_edge(tensor)
    if not tensor.requires_grad then
        support.raise("RuntimeError", "It is not possible to get the gradient edge for a Tensor that does " ..
            "not require gradients")
    end
    local node = tensor.grad_fn or tensor:view_as(tensor).grad_fn.next_functions[1][1]
    return setmetatable({node = node, output_nr = tensor.output_nr}, Edge)
end

return graph
