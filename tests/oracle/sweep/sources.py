"""Where cases come from: the families written by hand, PyTorch's own samples of ops and of modules."""

import random

import families
import opinfo
from draw import case_of


def pick_names(word):
    """The hand-written families and the sources of PyTorch's samples whose name has the word."""
    return [f for f in families.load().values() if word in f.name]


def golden_cases(surface, word):
    """Yields name, title and cases of every golden file."""
    for f in pick_names(word):
        yield f.name, f.title, [
            case_of(f"{f.name}/{op}/{i}", f, op, f"{f.name}/{op}/{i}") for op in f.ops for i in range(f.each)
        ]
    for group in opinfo.groups(surface):
        if word in group.name:
            yield group.name, group.title, group.cases(0)


def random_cases(surface, seed, word):
    """Yields cases without end, all drawn from the seed."""
    hand = pick_names(word)
    groups = [g for g in opinfo.groups(surface) if word in g.name]
    draw, at = random.Random(seed), 0
    while hand or groups:
        if groups and (not hand or draw.random() < 0.05):
            yield from draw.choice(groups).some_cases(draw)
        else:
            f = draw.choice(hand)
            op = draw.choice(f.ops)
            at += 1
            yield case_of(f"{f.name}/{op}/{seed}-{at}", f, op, f"{seed}/{f.name}/{op}/{at}")
