"""Targets of benchmarks: met or MISSED. A missed one fails the program only where BELLFORMER_STRICT=1 asks for it."""
import os
import sys

missed = []


def verdict(what, got, wanted, at_least=True, unit=""):
    met = got >= wanted if at_least else got <= wanted
    print("  %-72s %8.3g %s  wanted at %s %g: %s" % (what, got, unit, "least" if at_least else "most", wanted, "met" if met else "MISSED"))
    if not met:  # a number that is none, too
        missed.append(what)


def end():
    """Leave with 1 where a target was missed and that is to count. The last line of every benchmark."""
    sys.stdout.flush()
    sys.exit(bool(missed) and os.environ.get("BELLFORMER_STRICT", "0") not in ("", "0"))
