"""Golden files: cases with PyTorch's answers as text; tests/goldens/run.lua reads them."""

import torch

import known
import rules
from evaluate import Unsuitable, answer
from noise import floors
from spelling import NoSpelling

HEADER = """\
# {title}: {count} cases
# PyTorch {version} with ATEN_CPU_CAPABILITY=default; made by `make goldens PYTHON=...` from tests/oracle/sweep
"""


def block(case, surface):
    """The case's text in a golden file; None if it is left out, has no answer to keep or no Tide spelling."""
    try:
        if not surface.has(case):
            return None
        lines = [f"case {case.name}"] + [case.input_line(n) for n in case.inputs]
        source = case.tide()
        wanted = answer(case)
    except (Unsuitable, NoSpelling):
        return None
    if not wanted or "\n" in source or case.works and wanted[0].startswith("!"):
        return None
    lines.append("> " + source)
    if case.rule:
        lines.append("~ " + case.rule)
    if rules.is_measured(case.name):
        lines.append("floor " + " ".join(f"{v:.2g}" for v in floors(case)))
    if case.double:
        lines.append("double")
    text = "\n".join(lines + wanted) + "\n"
    return text if known.reason(case.name, text) is None else None


def write(path, title, blocks):
    with open(path, "w") as f:
        f.write(HEADER.format(title=title, count=len(blocks), version=torch.__version__))
        for text in blocks:
            f.write("\n" + text)
