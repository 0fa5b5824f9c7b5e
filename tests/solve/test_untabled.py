"""`-tables none` has every number of `-tables stored`, bit by bit: in every way in which successors are found, on any ranks; where policies are
in the file alone, and where what follows the solve needs those of many measures. `auto` takes none where there is one layer."""
import os
import sys
import tempfile

import oracle
from bits import difference
from cases import CASES, UNIONS, population
from harness import run, solve, tap

QUICK = "quick" in sys.argv
ALONE = {name: p for name, p in CASES.items() if len({row[0] for row in p["rows"]}) == 1}
LAYOUTS = [(3, 2)] if QUICK else [(2, 1), (3, 2), (4, 0)]


def same(p, *options, layouts=()):
    stored = solve(p, "-space", "full", "-tables", "stored", *options)
    for ranks, node_size in [(0, 0), *layouts]:
        other = solve(p, "-space", "full", "-tables", "none", "-node_size", node_size, *options, ranks=ranks)
        assert not difference(stored, other), (ranks, node_size, difference(stored, other))


def every_problem():
    for name, p in list(ALONE.items())[::2 if QUICK else 1]:
        same(p)
    print("# %d problems of one sequence" % len(ALONE))


def refusals():
    with tempfile.TemporaryDirectory(prefix="bf_untabled_") as folder:
        two = oracle.write(CASES["two contexts of two tokens"], folder, "two")
        one = oracle.write(ALONE["population, split"], folder, "one")
        for path, options, status, words in ((two, ["-tables", "none"], 2, "option -tables none needs data of one sequence, and these have 2"),
                                             (one, ["-tables", "none", "-space", "reachable"], 2, "option -tables needs the full space, and -space is reachable"),
                                             (one, ["-space", "full", "-horizon", "1"], 0, ""), (one, ["-space", "full", "-horizon", "2"], 0, "")):
            done = run(["solve", path, "-o", os.path.join(folder, "x.h5"), "-overwrite", *options])
            assert done.returncode == status and words in done.stderr and len(done.stderr.splitlines()) == (status > 0), (options, done.stderr)
            assert status or (", without tables\n" in done.stdout) == (options[-1] == "1"), done.stdout
        said = run(["info", one, "-space", "full", "-tables", "none"]).stdout
        assert "none: as -tables says" in said and "ns without" in said, said


tap([("every problem of one sequence", every_problem),
     ("images that ranks share, on ranks and nodes", lambda: same(UNIONS, layouts=LAYOUTS)),
     ("pairs of tags, on ranks and nodes", lambda: same(CASES["more lanes than a block"], layouts=LAYOUTS)),
     ("ranks of laws, on ranks and nodes", lambda: same({**CASES["more lanes than a block"], "rows": population(10, seed=21)}, layouts=LAYOUTS)),
     ("policies of three layers in memory: the file has none", lambda: same(ALONE["split in one dimension, three atoms"], "-store_policy", 0, layouts=LAYOUTS[:1])),
     ("three layers, the file has the policies", lambda: same({**ALONE["population, split"], "horizon": 3}, layouts=LAYOUTS[:1])),
     ("the best open loops", lambda: same(ALONE["population, split"], "-best", 4, layouts=LAYOUTS[:1])),
     ("stability", lambda: same(CASES["population, atoms given"], "-stability", 1, layouts=LAYOUTS[:1])),
     ("a zoom", lambda: same(ALONE["population, split"], "-zoom", 2, layouts=LAYOUTS[:1])),
     ("refusals, and what is taken", refusals)])
