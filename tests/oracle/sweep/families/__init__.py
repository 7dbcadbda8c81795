"""The families of cases written by hand; each module registers its own. opinfo.py has PyTorch's own samples."""

from dataclasses import dataclass
from typing import Callable

from rules import rule_for

FAMILIES = {}


@dataclass
class Family:
    """`draw(d, op)` draws one case of an op: it returns the program, d keeps the inputs. `each`: goldens by op."""

    name: str
    title: str
    ops: list
    each: int
    draw: Callable

    def rule(self, op, inputs):
        return rule_for(self.name, op, inputs)


def family(name, title, ops, each):
    def register(draw):
        FAMILIES[name] = Family(name, title, list(ops), each, draw)
        return draw

    return register


def load():
    """All families, in the order of their files."""
    from . import (
        elementwise,
        reductions,
        shapes,
        indexing,
        order,
        creation,
        products,
        nonlinear,
        images,  # noqa: F401
        inplace,
        printing,
    )

    return FAMILIES
