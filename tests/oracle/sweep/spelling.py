"""Python's spelling of a tensor program turned into Tide's: a walk over the syntax tree."""

import ast
import math

MODULES = {"torch", "F", "nn"}  # what stands before a plain dot; anything else is a value and its methods
PROPERTIES = {
    "shape",
    "dtype",
    "device",
    "ndim",
    "T",
    "mT",
    "data",
    "grad",
    "grad_fn",
    "requires_grad",
    "is_leaf",
    "itemsize",
    "nbytes",
    "output_nr",
    "names",
}
BUILTINS = {"str": "tostring", "repr": "torch.repr"}
OPERATORS = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.MatMult: "@",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "~",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "~=",
    ast.USub: "-",
    ast.UAdd: "",
    ast.Invert: "~",
}
KEYWORDS = {"end", "repeat", "then", "local", "function", "until", "elseif", "do", "goto"}


class NoSpelling(Exception):
    """The program uses what Tide cannot spell."""


def number(value):
    """The number as Lua reads it back exactly, with its kind."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise NoSpelling("an integer beyond 64 bits")
        return "math.mininteger" if value == -(2**63) else repr(value)
    if math.isnan(value):
        return "(0/0)"
    if math.isinf(value):
        return "math.huge" if value > 0 else "-math.huge"
    return repr(value)


def is_none(node):
    return isinstance(node, ast.Constant) and node.value is None


class Speller(ast.NodeVisitor):
    def generic_visit(self, node):
        raise NoSpelling(type(node).__name__)

    def visit_Constant(self, node):
        v = node.value
        if v is None:
            return "nil"
        if v is Ellipsis:
            return "..."
        if isinstance(v, str):
            return '"' + v.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
        if isinstance(v, (bool, int, float)):
            return number(v)
        raise NoSpelling(f"a constant {v!r}")

    def visit_Name(self, node):
        if node.id in ("inf", "nan"):
            return number(float(node.id))
        return node.id

    def visit_Attribute(self, node):
        return f"{self.visit(node.value)}.{node.attr}"

    def visit_Tuple(self, node):
        """A missing element is false: a table cannot hold nil."""
        return "{" + ", ".join("false" if is_none(e) else self.visit(e) for e in node.elts) + "}"

    visit_List = visit_Tuple

    def visit_BinOp(self, node):
        return f"{self.operand(node.left)} {OPERATORS[type(node.op)]} {self.operand(node.right)}"

    def visit_UnaryOp(self, node):
        if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            return number(-node.operand.value)
        if isinstance(node.op, ast.Not):
            raise NoSpelling("not")
        return OPERATORS[type(node.op)] + self.operand(node.operand)

    def visit_Compare(self, node):
        if len(node.ops) != 1 or type(node.ops[0]) not in OPERATORS:
            raise NoSpelling("a chained comparison")
        return f"{self.operand(node.left)} {OPERATORS[type(node.ops[0])]} {self.operand(node.comparators[0])}"

    def operand(self, node):
        text = self.visit(node)
        compound = isinstance(node, (ast.BinOp, ast.UnaryOp, ast.Compare))
        return f"({text})" if compound or text.startswith("-") else text

    def visit_Call(self, node):
        f = node.func
        if isinstance(f, ast.Name) and f.id in BUILTINS:
            name = BUILTINS[f.id]
        elif isinstance(f, ast.Attribute) and not self.is_module(f.value):
            name = f"{self.operand(f.value)}:{f.attr}"
        else:
            name = self.visit(f)
        args = [self.visit(a) for a in node.args]
        while args and args[-1] == "nil":  # what is not given and nil are one in Lua
            args.pop()
        args += [
            f"{k.arg}={self.visit(k.value)}"
            for k in node.keywords
            if not is_none(k.value)
        ]
        if any(k.arg is None or k.arg in KEYWORDS for k in node.keywords):
            raise NoSpelling("a keyword's name")
        return f"{name}({', '.join(args)})"

    def is_module(self, node):
        if isinstance(node, ast.Name):
            return node.id in MODULES
        return isinstance(node, ast.Attribute) and self.is_module(node.value) and node.attr not in PROPERTIES

    def visit_Subscript(self, node):
        return f"{self.operand(node.value)}[{self.index(node.slice)}]"

    def index(self, node):
        """A whole table is a list of indices; one among others is an index tensor."""
        if isinstance(node, ast.Tuple):
            if len(node.elts) < 2:
                return "{" + ", ".join(self.item(e) for e in node.elts) + "}"
            return ", ".join(self.item(e) for e in node.elts)
        if isinstance(node, ast.List):
            return "{" + self.visit(node) + "}"
        if is_none(node):
            return "torch.newaxis"
        if isinstance(node, ast.Constant) and node.value is Ellipsis:
            return '"..."'
        return self.item(node)

    def item(self, node):
        if isinstance(node, ast.Slice):
            low, high, step = (
                "" if p is None else self.visit(p) for p in (node.lower, node.upper, node.step)
            )
            return f"{low}:{high}" + (f":{step}" if step else "")
        return self.visit(node)

    def visit_Expr(self, node):
        return self.visit(node.value)

    def visit_Assign(self, node):
        target = node.targets[0]
        several = isinstance(target, ast.Tuple)
        left = ", ".join(self.visit(t) for t in target.elts) if several else self.visit(target)
        return f"{left} = {self.visit(node.value)}"

    def visit_AugAssign(self, node):
        if type(node.op) not in (ast.Add, ast.Sub, ast.Mult, ast.Div):
            raise NoSpelling("this assignment")
        return f"{self.visit(node.target)} {OPERATORS[type(node.op)]}= {self.visit(node.value)}"


def tide(program):
    """A Python program, its last statement an expression, as a Tide chunk that returns that expression."""
    body = ast.parse(program).body
    lines = [Speller().visit(s) for s in body]
    return "; ".join(lines[:-1] + ["return " + lines[-1]])
