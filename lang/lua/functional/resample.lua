-- interpolate and its older names: PyTorch's checks over the op table's rows.
local support = require "torch.support"
local rows = require "torch"._nn
local raise, repr, signature = support.raise, support.repr, support.signature

local F = {}

-- The row of each mode by the number of dims resampled, and the error for the others.
local ROWS = {
    ["nearest"] = {rows.upsample_nearest1d, rows.upsample_nearest2d, rows.upsample_nearest3d},
    ["nearest-exact"] = {rows.upsample_nearest_exact1d, rows.upsample_nearest_exact2d,
        rows.upsample_nearest_exact3d},
    ["linear"] = {rows.upsample_linear1d},
    ["bilinear"] = {[2] = rows.upsample_bilinear2d},
    ["trilinear"] = {[3] = rows.upsample_trilinear3d},
    ["bicubic"] = {[2] = rows.upsample_bicubic2d},
}
local NEEDED = {linear = 3, bilinear = 4, trilinear = 5}
local AREA = {"adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d"}

local function spatial_list(input)
    local sizes = {}
    for i = 2, input.ndim - 1 do sizes[i - 1] = tostring(input.shape[i]) end
    return "[" .. table.concat(sizes, ", ") .. "]"
end

-- A number, or one for each dim, as a table.
local function each(input, value, words)
    local dims = input.ndim - 2
    if type(value) == "number" then
        local list = {}
        for i = 1, dims do list[i] = value end
        return list
    end
    if #value ~= dims then raise("ValueError", words, spatial_list(input), repr(value)) end
    return value
end

local function refuse_mode(input, mode)
    local needed = NEEDED[mode]
    if needed and input.ndim >= 3 and input.ndim <= 5 then
        raise("NotImplementedError", "Got %dD input, but %s mode needs %dD input", input.ndim, mode, needed)
    end
    raise("NotImplementedError",
        "Input Error: Only 3D, 4D and 5D input Tensors supported (got %dD) for the " ..
        "modes: nearest | linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact (got %s)",
        input.ndim, mode)
end

local SIZE_WORDS = "Input and output must have the same number of spatial dimensions, but got input " ..
    "with spatial " ..
    "dimensions of %s and output size of %s. Please provide input tensor in (N, C, d1, d2, ...,dK) " ..
        "format and " ..
    "output size in (o1, o2, ...,oK) format."
local SCALE_WORDS = "Input and scale_factor must have the same number of spatial dimensions, but got " ..
    "input with " ..
    "spatial dimensions of %s and scale_factor of shape %s. Please provide input tensor in (N, C, d1, " ..
        "d2, ...,dK) " ..
    "format and scale_factor in (s1, s2, ...,sK) format."

-- The result's sizes, and how many places an element makes in each dim where the caller said it.
local function sizes_of(input, size, scale_factor, recompute)
    if size ~= nil and scale_factor ~= nil then
        raise("ValueError", "only one of size or scale_factor should be defined")
    elseif size ~= nil then
        if recompute then
            raise("ValueError", "recompute_scale_factor is not meaningful with an explicit size.")
        end
        return each(input, size, SIZE_WORDS)
    elseif scale_factor == nil then
        raise("ValueError", "either size or scale_factor should be defined")
    end
    local scales, sizes = each(input, scale_factor, SCALE_WORDS), {}
    for i, scale in ipairs(scales) do sizes[i] = math.floor(input.shape[i + 1] * scale) end
    return sizes, not recompute and scales or nil
end

local read_interpolate = signature("interpolate",
    {"input!", "size:tuple of ints", "scale_factor:tuple of floats", "mode", "align_corners",
        "recompute_scale_factor:bool", "antialias:bool"},
    {mode = "nearest", antialias = false})

-- input (n, channels, d1, …) with its dims after the first two made `size`, or scale_factor times as large.
function F.interpolate(...)
    local input, size, scale_factor, mode, align_corners, recompute, antialias = read_interpolate(...)
    if align_corners ~= nil and (mode == "nearest" or mode == "area" or mode == "nearest-exact") then
        raise("ValueError", "align_corners option can only be set with the interpolating modes: linear | " ..
            "bilinear | bicubic | trilinear")
    end
    local sizes, scales = sizes_of(input, size, scale_factor, recompute or mode == "area" and size == nil)
    if antialias then
        raise("ValueError", "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes " ..
            "and requires " ..
            "a 4-D tensor as input")
    end
    local dims = input.ndim - 2
    if mode == "area" and AREA[dims] then
        return require("torch.functional")[AREA[dims]](input, dims == 1 and sizes[1] or sizes)
    end
    local row = ROWS[mode] and ROWS[mode][dims]
    if not row then refuse_mode(input, mode) end
    local by = {0.0, 0.0, 0.0}
    for i, scale in ipairs(scales or {}) do by[3 - dims + i] = scale + 0.0 end
    return row(input, sizes, align_corners == true, by[1], by[2], by[3])
end

local read_upsample = signature("upsample", {"input!", "size", "scale_factor", "mode", "align_corners"},
    {mode = "nearest"})
function F.upsample(...)
    support.warn("`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.")
    return F.interpolate(read_upsample(...))
end

for name, options in pairs {upsample_nearest = {"nearest"}, upsample_bilinear = {"bilinear", true}} do
    local read = signature(name, {"input!", "size", "scale_factor"})
    F[name] = function(...)
        support.warn("`nn.functional.%s` is deprecated. Use `nn.functional.interpolate` instead.", name)
        local input, size, scale_factor = read(...)
        return F.interpolate(input, size, scale_factor, options[1], options[2])
    end
end

return F
