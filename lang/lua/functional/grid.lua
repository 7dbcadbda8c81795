-- affine_grid and grid_sample: images read at places that a grid names.
local torch = require "torch"
local support = require "torch.support"
local raise, repr, signature = support.raise, support.repr, support.signature

local F = {}

local DEFAULT_CHANGED = "Default grid_sample and affine_grid behavior has changed to " ..
    "align_corners=False since " ..
    "1.3.0. Please specify align_corners=True if the old behavior is desired. See the documentation of " ..
    "grid_sample for details."

local function list_of(size)
    if type(size) == "table" then return size end
    local list = {}
    for i = 1, #size do list[i] = size[i - 1] end
    return list
end

local function bracketed(t)
    local parts = {}
    for i, v in ipairs(list_of(t)) do parts[i] = repr(v) end
    return "[" .. table.concat(parts, ", ") .. "]"
end

-- ---- affine_grid ----

-- The middles of n places between -1 and 1, or from -1 to 1 themselves.
local function places(n, align_corners, like)
    local options = {dtype = like.dtype, device = like.device}
    if n <= 1 then return torch.zeros({n}, options) end
    local line = torch.linspace(-1, 1, n, options)
    return align_corners and line or line * ((n - 1) / n)
end

local read_affine = signature("affine_grid", {"theta!", "size:tuple of ints!", "align_corners"})

-- theta (n, 2, 3) with size {n, channels, h, w} → (n, h, w, 2), and the same with one dim more: the places
-- (x, y)
-- that each output element is taken from.
function F.affine_grid(...)
    local theta, size, align_corners = read_affine(...)
    if align_corners == nil then
        support.warn(DEFAULT_CHANGED)
        align_corners = false
    end
    size = list_of(size)
    if not theta:is_floating_point() then
        raise("ValueError", "Expected theta to have floating point type, but got %s", tostring(theta.dtype))
    end
    local dims = #size - 2
    if dims ~= 2 and dims ~= 3 then
        raise("NotImplementedError",
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, " ..
            "respectively. Got size %s.", bracketed(size))
    end
    if theta.ndim ~= 3 or theta.shape[1] ~= dims or theta.shape[2] ~= dims + 1 then
        raise("ValueError", "Expected a batch of %dD affine matrices of shape Nx%dx%d for size %s. Got " ..
            "%s.", dims, dims,
            dims + 1, bracketed(size), tostring(theta.shape))
    end
    if math.min(table.unpack(size)) <= 0 then
        raise("ValueError", "Expected non-zero, positive output size. Got %s", bracketed(size))
    end
    local spatial, base, total = {table.unpack(size, 3)}, {}, 1
    for d = 1, dims do total = total * spatial[d] end
    for d = dims, 1, -1 do
        local shape = {}
        for k = 1, dims do shape[k] = k == d and spatial[d] or 1 end
        base[#base + 1] = places(spatial[d], align_corners,
            theta):view(shape):expand(spatial):reshape({total})
    end
    base[#base + 1] = torch.ones({total}, {dtype = theta.dtype, device = theta.device})
    local grid = torch.stack(base, 1):unsqueeze(0):expand(size[1], total, dims + 1):bmm(theta:transpose(1, 2))
    table.insert(spatial, 1, size[1])
    table.insert(spatial, dims)
    return torch._named("AffineGridGeneratorBackward0", grid:view(spatial))
end

-- ---- grid_sample ----

-- A place between -1 and 1 as an index of a dim.
local function index_of(place, size, align_corners)
    if align_corners then return (place + 1) / 2 * (size - 1) end
    return ((place + 1) * size - 1) / 2
end

-- Indices folded back at both ends of the dim.
local function reflected(index, size, align_corners)
    local low, span = align_corners and 0 or -0.5, align_corners and size - 1 or size
    if span == 0 then return index * 0 end
    local from = (index - low):abs()
    local extra, flips = from:fmod(span), (from / span):floor()
    return torch.where(flips:fmod(2):eq(0), extra + low, -extra + (span + low))
end

local function kept(index, size, padding, align_corners)
    if padding == "reflection" then index = reflected(index, size, align_corners) end
    return padding == "zeros" and index or index:clamp(0, size - 1)
end

-- The elements of input (n, channels, all places) at whole-numbered indices, a list of (n, outputs) by dim;
-- 0 outside.
local function pick(input, indices, sizes)
    local flat, inside
    for d, index in ipairs(indices) do
        local within = index:ge(0):logical_and(index:lt(sizes[d]))
        local at = index:clamp(0, sizes[d] - 1):to(torch.int64)
        flat = flat and flat * sizes[d] + at or at
        inside = inside and inside:logical_and(within) or within
    end
    local n, channels = input.shape[0], input.shape[1]
    local found = input:gather(2, flat:unsqueeze(1):expand(n, channels, flat.shape[1]))
    return found * inside:unsqueeze(1):to(input.dtype)
end

local function sample_nearest(input, indices, sizes)
    local whole = {}
    for d, index in ipairs(indices) do whole[d] = index:detach():round() end
    return pick(input, whole, sizes)
end

-- The sum over the corners around each place, each weighing what is on its far side.
local function sample_linear(input, indices, sizes)
    local dims, low, part, sum = #indices, {}, {}, nil
    for d, index in ipairs(indices) do
        low[d] = index:detach():floor()
        part[d] = index - low[d]
    end
    for corner = 0, 2 ^ dims - 1 do
        local at, weight = {}, nil
        for d = 1, dims do
            local high = corner >> (d - 1) & 1 == 1
            at[d] = high and low[d] + 1 or low[d]
            local w = high and part[d] or 1 - part[d]
            weight = weight and weight * w or w
        end
        local term = pick(input, at, sizes) * weight:unsqueeze(1)
        sum = sum and sum + term or term
    end
    return sum
end

local function check_grid(input, grid)
    local function text(t) return bracketed(t.shape) end
    if input.ndim ~= 4 and input.ndim ~= 5 or input.ndim ~= grid.ndim then
        raise("RuntimeError",
            "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but " ..
            "got input with sizes %s and grid with sizes %s", text(input), text(grid))
    end
    if input.shape[0] ~= grid.shape[0] then
        raise("RuntimeError",
            "grid_sampler(): expected grid and input to have same batch size, but got input with " ..
            "sizes %s and grid with sizes %s", text(input), text(grid))
    end
    if grid.shape[-1] ~= input.ndim - 2 then
        raise("RuntimeError",
            "grid_sampler(): expected grid to have size %d in last dimension, but got grid with " ..
            "sizes %s", input.ndim - 2, text(grid))
    end
end

local read_sample = signature("grid_sample", {"input!", "grid!", "mode", "padding_mode", "align_corners"},
    {mode = "bilinear", padding_mode = "zeros"})

-- input (n, channels, h, w), grid (n, out h, out w, 2) of places (x, y) from -1 to 1 → (n, channels, out h,
-- out w);
-- with three dims alike.
function F.grid_sample(...)
    local input, grid, mode, padding, align_corners = read_sample(...)
    if mode ~= "bilinear" and mode ~= "nearest" and mode ~= "bicubic" then
        raise("ValueError", "nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or " ..
            "'bicubic', " ..
            "but got: '%s'", tostring(mode))
    end
    if padding ~= "zeros" and padding ~= "border" and padding ~= "reflection" then
        raise("ValueError", "nn.functional.grid_sample(): expected padding_mode to be 'zeros', " ..
            "'border', or " ..
            "'reflection', but got: '%s'", tostring(padding))
    end
    if align_corners == nil then
        support.warn(DEFAULT_CHANGED)
        align_corners = false
    end
    check_grid(input, grid)
    if mode == "bicubic" then
        raise("NotImplementedError", "grid_sample(): mode 'bicubic' is not implemented")
    end
    local dims, indices, sizes, shape = input.ndim - 2, {}, {}, {input.shape[0], input.shape[1]}
    for d = 1, dims do
        sizes[d], shape[d + 2] = input.shape[d + 1], grid.shape[d]
        local index = index_of(grid:select(-1, dims - d):flatten(1), sizes[d], align_corners)
        indices[d] = kept(index, sizes[d], padding, align_corners)
    end
    local run = mode == "nearest" and sample_nearest or sample_linear
    local y = run(input:flatten(2), indices, sizes):view(shape)
    return torch._named(("GridSampler%dDBackward0"):format(dims), y)
end

return F
