-- What PyTorch's errors call the element type of a tensor: the C++ name.
local NAMES = {["torch.float32"] = "float", ["torch.float64"] = "double", ["torch.float16"] = "c10::Half",
    ["torch.bfloat16"] = "c10::BFloat16", ["torch.int64"] = "long int", ["torch.int32"] = "int",
    ["torch.int16"] = "short int", ["torch.int8"] = "signed char", ["torch.uint8"] = "unsigned char",
    ["torch.bool"] = "bool"}

return function(t) return NAMES[tostring(t.dtype)] end
