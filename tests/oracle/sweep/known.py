"""Cases left out, by pattern of their name, with the reason: differences that are meant to stay.

open.txt beside this file names the single golden cases whose difference is a fault of Tide's still to be mended.
"""

from fnmatch import fnmatchcase
from pathlib import Path

KNOWN = {}

OPEN = set((Path(__file__).parent / "open.txt").read_text().split("\n"))


def reason(name):
    """Why the case is left out; None when it is not."""
    if name in OPEN:
        return "open"
    return next((why for pattern, why in KNOWN.items() if fnmatchcase(name, pattern)), None)
