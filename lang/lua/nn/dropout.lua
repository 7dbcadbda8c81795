-- Dropout and its relatives.
local support = require "torch.support"
local class = require "torch.nn.class"
local Module = require "torch.nn.module".Module
local F = require "torch.functional"

local dropout = {}

local function declare(name, f)
    local Class = class.derive(name, Module)
    local read = support.signature(name .. ".__init__", {"p", "inplace"}, {p = 0.5, inplace = false})
    function Class:init(...)
        local p, inplace = read(...)
        if p < 0 or p > 1 then
            support.raise("ValueError", "dropout probability has to be between 0 and 1, but got %s",
                support.repr(p))
        end
        self.p, self.inplace = p, inplace
    end
    function Class:forward(input)
        return f(input, self.p, self.training, self.inplace)
    end
    function Class:extra_repr()
        return ("p=%s, inplace=%s"):format(support.repr(self.p), support.repr(self.inplace))
    end
    dropout[name] = Class
end

declare("Dropout", F.dropout)
declare("Dropout1d", F.dropout1d)
declare("Dropout2d", F.dropout2d)
declare("Dropout3d", F.dropout3d)
declare("AlphaDropout", F.alpha_dropout)
declare("FeatureAlphaDropout", F.feature_alpha_dropout)

return dropout
