#!/usr/bin/env python3
"""The differential oracle. Run with PyTorch 2.13:

python3 tests/oracle/sweep goldens TIDE FOLDER [WORD]      writes the golden files of the families whose name has WORD
python3 tests/oracle/sweep diff TIDE N SEED [WORD]         N random cases against TIDE; 1 if any differs
"""

import os
import sys

os.environ["ATEN_CPU_CAPABILITY"] = "default"  # read when torch is loaded
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import torch

import differ
import golden
import sources
from surface import Surface

torch.set_num_threads(1)


def goldens(tide, folder, word=""):
    surface = Surface(tide)
    for name, title, cases in sources.golden_cases(surface, word):
        blocks = [text for text in (golden.block(c, surface) for c in cases) if text is not None]
        golden.write(os.path.join(folder, name + ".txt"), title, blocks)
        print(f"{name:16} {len(blocks):5} cases", flush=True)
    print("names that Tide lacks: " + " ".join(sorted(surface.missed)))
    return 0


def diff(tide, count, seed, word=""):
    return differ.run(tide, int(count), int(seed), word)


if __name__ == "__main__":
    commands = {"goldens": goldens, "diff": diff}
    if len(sys.argv) < 4 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    sys.exit(commands[sys.argv[1]](*sys.argv[2:]))
