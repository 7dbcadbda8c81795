"""Which names Tide has: a case that calls another is left out, and the name is reported."""

import ast
import subprocess

import spelling

# Prints each name of stdin that there is. Methods and attributes are asked of a tensor.
ASK = """
local roots = {torch = torch, F = torch.nn.functional, nn = torch.nn, tensor = torch.ones(1)}
for name in io.lines() do
    local ok, value = pcall(function()
        local value
        for part in name:gmatch("[^.]+") do
            if value == nil then value = roots[part] else value = value[part] end
        end
        return value
    end)
    if ok and (value ~= nil or name == "tensor.grad" or name == "tensor.grad_fn") then print(name) end
end
"""


def names_of(program):
    """The names that the program uses, methods as tensor.NAME."""
    names = set()
    for node in ast.walk(ast.parse(program)):
        if not isinstance(node, ast.Attribute):
            continue
        parts, at = [node.attr], node.value
        while isinstance(at, ast.Attribute) and isinstance(at.value, (ast.Name, ast.Attribute)):
            parts.append(at.attr)
            at = at.value
        if isinstance(at, ast.Name) and at.id in spelling.MODULES:
            names.add(".".join([at.id, *reversed(parts)]))
        elif len(parts) == 1:
            names.add("tensor." + node.attr)
    return names


class Surface:
    def __init__(self, tide):
        self.tide = tide
        self.known = {}
        self.missed = {}  # name → how many cases were left out for it

    def ask(self, names):
        out = subprocess.run(
            [self.tide, "-e", ASK], input="\n".join(names) + "\n", stdout=subprocess.PIPE, text=True
        )
        there = set(out.stdout.split())
        self.known.update((n, n in there) for n in names)

    def has(self, case):
        names = names_of(case.python)
        new = [n for n in names if n not in self.known]
        if new:
            self.ask(new)
        lacking = [n for n in names if not self.known[n]]
        for n in lacking:
            self.missed[n] = self.missed.get(n, 0) + 1
        return not lacking
