-- Distances and directions of torch.nn.functional.
local torch = require "torch"
local support = require "torch.support"
local signature = support.signature

local F = {}

local read_normalize = signature("normalize", {"input!", "p", "dim", "eps"}, {p = 2.0, dim = 1, eps = 1e-12})

function F.normalize(...)
    local input, p, dim, eps = read_normalize(...)
    return input / input:norm(p, dim, true):clamp_min(eps):expand_as(input)
end

local read_cosine = signature("cosine_similarity", {"x1!", "x2!", "dim", "eps"}, {dim = 1, eps = 1e-08})

-- The norm along dim, kept from below by eps outside autograd.
local function bounded_norm(x, dim, eps)
    local norm = x:norm(2, dim, true):clone()
    local _ <close> = torch.no_grad()
    return norm:clamp_min_(eps)
end

function F.cosine_similarity(...)
    local x1, x2, dim, eps = read_cosine(...)
    local common = torch.result_type(x1, x2)
    if not common.is_floating_point then
        support.raise("RuntimeError", "expected common dtype to be floating point, yet common dtype is %s",
            torch.empty({0}, {dtype = common}):type():match("torch%.(%w+)Tensor"))
    end
    x1, x2 = table.unpack(torch.broadcast_tensors(x1, x2))
    return ((x1 / bounded_norm(x1, dim, eps)) * (x2 / bounded_norm(x2, dim, eps))):sum(dim)
end

local read_pairwise = signature("pairwise_distance", {"x1!", "x2!", "p", "eps", "keepdim"},
    {p = 2.0, eps = 1e-06, keepdim = false})

function F.pairwise_distance(...)
    local x1, x2, p, eps, keepdim = read_pairwise(...)
    return torch._named("NormBackward1", torch._scalar_overload(x1 - x2 + eps):norm(p, -1, keepdim))
end

return F
