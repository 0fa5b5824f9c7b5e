"""Values, policies and every other number of a result are the same bits on 1, 2, 3, 4 and 7 ranks, whatever -node_size and -sync are."""
import itertools
import os
import sys

from bits import difference
from cases import CASES, UNIONS
from harness import names, solve, tap

PROBLEMS = ["nine contexts of one token: joint lanes and mids", "population, split", "shapes mixed", "more lanes than a block"]


def same(one, other, what):
    """Every number and text, but for the provenance."""
    assert not difference(one, other), (what, difference(one, other))


# Ranks and node sizes; a sanitized program, which is slow, tries two of them, on half of the problems.
QUICK = "quick" in sys.argv
LAYOUTS = [(3, 2), (4, 1)] if QUICK else [(4, 3), (2, 1), (7, 3), (3, 0)]
SYNCS = names("solve", "sync")
# Two a problem, in turns: what is other numbers on other ranks is so in more than one problem.
TURNS = {"full": itertools.cycle([(*layout, ["-sync", sync]) for sync in SYNCS for layout in LAYOUTS]),
         "reachable": itertools.cycle([(*layout, []) for layout in LAYOUTS])}


def invariant(p, space, options=()):
    one = solve(p, "-space", space, *options)
    for ranks, node_size, sync in itertools.islice(TURNS[space], 2):
        other = solve(p, "-space", space, "-node_size", node_size, *sync, *options, ranks=ranks)
        same(one, other, "%d ranks, node_size %d, %s" % (ranks, node_size, sync))


def pieces():
    """M = 1365^2, several pieces, so that nodes reduce one while they compute the next."""
    p = {**CASES["more lanes than a block"], "cells": [4, 3]}
    one = solve(p, "-space", "full")
    assert len(SYNCS) > 1, SYNCS
    for sync, (ranks, node_size) in [(sync, (3, 2)) for sync in SYNCS] + ([] if QUICK else [(SYNCS[0], (4, 1))]):
        same(one, solve(p, "-space", "full", "-node_size", node_size, "-sync", sync, ranks=ranks), "%d ranks, %s" % (ranks, sync))


checks = [("%s space: %s" % (space, name), lambda p=CASES[name], space=space: invariant(p, space))
          for name in (PROBLEMS[::2] if QUICK else PROBLEMS) for space in ("full", "reachable")]
checks.append(("reachable space, unquantized", lambda: invariant(
    {**CASES["causal, encoded, two heads"], "cells": 0}, "reachable")))
checks.append(("full space, images that ranks share", lambda: invariant(UNIONS, "full")))
checks.append(("full space, several pieces between nodes", pieces))
checks.append(("stability", lambda: invariant(CASES["population, atoms given"], "full", ("-stability", 1))))
os.environ.setdefault("OMPI_MCA_mpi_yield_when_idle", "1")
tap(checks)
