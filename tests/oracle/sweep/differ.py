"""The live random run: batches of cases as passing golden files, which the runner of the goldens checks."""

import os
import subprocess
import sys
import tempfile
from collections import Counter

import golden
import sources
from surface import Surface

RUNNER = os.path.join(os.path.dirname(__file__), "..", "..", "goldens", "run.lua")
BATCH = 1000


def findings(tide, batch):
    """Runs a batch of (case, text); yields each failing case with the runner's lines about it."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "batch.txt")
        golden.write(path, "random cases", [text for _, text in batch])
        out = subprocess.run([tide, RUNNER, path], stdout=subprocess.PIPE, text=True, errors="replace").stdout
    lines, at = out.splitlines(), 0
    reported = 0
    while at < len(lines):
        words = lines[at].split(" ", 3)
        reported += words[0] == "ok" or words[:2] == ["not", "ok"]
        if words[:2] == ["not", "ok"]:
            end = at + 1
            while end < len(lines) and lines[end].startswith("#"):
                end += 1
            yield batch[int(words[2]) - 1][0], lines[at + 1 : end]
        at += 1
    if reported != len(batch):
        sys.exit(f"the runner reported {reported} of {len(batch)} cases:\n" + "\n".join(lines[-5:]))


def reproducer(case, lines):
    inputs = [line for line in lines if not line.startswith(("# > ", "# wanted", "# got"))][:-1]
    rest = [line for line in lines if line not in inputs]
    return "\n".join(
        [
            f"--- {case.name}",
            *(line.removeprefix("# ") for line in inputs),
            "python> " + case.python.replace("\n", "; "),
            *(
                "tide" + line.removeprefix("# ") if line.startswith("# > ") else line.removeprefix("# ")
                for line in rest
            ),
        ]
    )


def run(tide, count, seed, word):
    """Checks `count` random cases; prints what differs and the totals; 1 if anything differs."""
    batch, done, found = [], Counter(), Counter()
    surface = Surface(tide)

    def check():
        for case, lines in findings(tide, batch):
            found[case.name.rsplit("/", 1)[0]] += 1
            print(reproducer(case, lines), flush=True)
        batch.clear()

    for case in sources.random_cases(surface, seed, word):
        text = golden.block(case, surface)
        if text is None:
            done["left out"] += 1
            continue
        batch.append((case, text))
        done[case.name.split("/")[0]] += 1
        total = sum(done.values()) - done["left out"]
        if len(batch) == BATCH or total >= count:
            check()
        if total >= count:
            break
    print("cases: " + ", ".join(f"{k} {n}" for k, n in done.most_common()))
    for name, n in found.most_common():
        print(f"{n:6} {name}")
    print(
        f"{sum(found.values())} findings in {sum(n for k, n in done.items() if k != 'left out')} cases, seed {seed}"
    )
    return 1 if found else 0
