"""-zoom R: every round's set from its definition, its answer that of a separate solve with that set as action.file, to the bit; values never
rise; -best; the tolerance; stops in every round; what readers make of the result."""
import glob
import itertools
import os
import sys
import tempfile

import numpy as np

import oracle
from bits import difference
from cases import CASES
from harness import Result, run, solve, tap

GRID = CASES["two contexts of two tokens"]
SAMPLE = {**CASES["feed-forward, relu, sampled"], "cells": [12, 12]}
HALTON = {**CASES["points of Halton, rotated"], "cells": [4, 4]}
DECISION = {**CASES["four contexts, a decision, three layers"], "cells": [5, 5]}


def boxes(p):
    """lower, upper, levels [q]"""
    lower, upper, levels = [], [], []
    for _, _, _, _, _, free, spec in oracle.matrices(p)[0]:
        bounds = spec.get("range", [])
        for i in range(free):
            lo, hi = bounds if len(bounds) == 2 else bounds[2 * i:2 * i + 2]
            lower, upper, levels = lower + [lo], upper + [hi], levels + [spec.get("levels", 1)]
    return np.array(lower, float), np.array(upper, float), levels


def unique(rows):
    seen = {}
    for row in rows:
        seen.setdefault(tuple(float(x) + 0.0 for x in row), row)
    return np.array(list(seen.values()))


def laid(p, round_, factor, centres, first):
    """The set of a round around centres [m, q], and how many points of the sequence it takes."""
    lower, upper, levels = boxes(p)
    kind, m = p["action"]["kind"], len(centres)
    rows, half = [centres], 0.5 * factor**round_ * (upper - lower)
    each = int(np.prod(levels)) if kind == "grid" else -(-p["action"]["count"] // m)
    for i, c in enumerate(centres):
        lo, hi = np.maximum(lower, c - half), np.minimum(upper, c + half)
        if kind == "grid":
            axes = [[(a + b) / 2] if n == 1 else [a] + [(a * (n - 1 - k) + b * k) / (n - 1) for k in range(1, n - 1)] + [b]
                    for a, b, n in zip(lo, hi, levels)]
            rows.append(np.array(list(itertools.product(*axes))))
            continue
        at = first + i * each
        if kind == "halton":
            x = oracle.halton(at + each, len(lower), p["action"]["seed"])[at:]
        else:
            draws = list(itertools.islice(oracle.splitmix(p["action"]["seed"]), (at + each) * len(lower)))
            x = np.reshape(draws, (-1, len(lower)))[at:]
        rows.append(lo + (hi - lo) * x)
    return unique(np.concatenate(rows)), m * each


def of_file(p, u, folder, options):
    """A solve with these actions alone."""
    table = os.path.join(folder, "actions.csv")
    with open(table, "w") as out:
        out.writelines(",".join(repr(float(x)) for x in row) + "\n" for row in u)
    return solve({**p, "action": {"kind": "file", "file": table}}, *options)


def rounds_of(result):
    return int(result.attributes["zoom"]["rounds"])


def rounds(p, space, rounds=3, best=0, factor=0.5, exact=True):
    options = ["-space", space] + (["-best", best] if best else [])
    result = solve(p, *options, "-zoom", rounds, "-zoom_factor", factor)
    get = lambda r, name: result.data["zoom/%04d/%s" % (r, name)]
    assert rounds_of(result) == rounds + 1
    first, values = len(get(0, "controls")), result.data["zoom/quantized_cost"]
    with tempfile.TemporaryDirectory() as folder:
        for r in range(rounds + 1):
            u, actions = get(r, "controls"), get(r, "actions")
            if r:
                before = get(r - 1, "controls")[get(r - 1, "actions")]
                wanted, taken = laid(p, r, factor, unique(before.reshape(-1, before.shape[2])), first)
                first += taken
                assert u.shape == wanted.shape and np.abs(u - wanted).max() <= 4e-16 * np.abs(wanted).max(), r
                assert {tuple(x) for x in before.reshape(-1, before.shape[2])} <= {tuple(x) for x in u}
            alone = of_file(p, u, folder, options)
            assert alone.value == values[r] == get(r, "quantized_cost")[0] and alone.actions == actions[0].tolist(), r
            if best:
                for name in ("actions", "quantized_cost"):
                    assert (alone.data["rollout/best/" + name] == get(r, name)).all(), (r, name)
            assert alone.attributes["rollout"]["cost"] == result.data["zoom/cost"][r]
            assert result.data["zoom/actions"][r] == len(u) and abs(result.data["zoom/part"][r] - factor**r) < 1e-15
    assert (np.diff(values) <= 0).all() and values[-1] < values[0], values
    # What the result is besides is of the last round.
    told = ("rollout", "statement")  # of whose actions the answer is the best
    assert not [x for x in difference(alone, result, ("provenance", "problem", "zoom", "options", "control")) if x not in (("", "name"), told)]
    alone_says, says = (of.attributes["rollout"]["statement"] for of in (alone, result))
    assert says != alone_says == says.replace(b"the last round's ", b""), (alone_says, says)
    assert result.data["actions/controls"].shape == u.shape and result.value == values[-1]


def tolerance():
    """The first round that gains less is the last one, and the tables are its own."""
    for space in ("full", "reachable"):
        whole = solve(GRID, "-space", space, "-zoom", 5)
        gains = -np.diff(whole.data["zoom/quantized_cost"])
        least = float(sorted(gains)[-2]) * (1 + 1e-9)
        last = 1 + int(np.argmax(gains < least))
        assert last < 5
        ended, short = solve(GRID, "-space", space, "-zoom", 5, "-zoom_tolerance", least), solve(GRID, "-space", space, "-zoom", last)
        assert rounds_of(ended) == last + 1
        assert not difference(ended, short, ("provenance", "options")), difference(ended, short, ("provenance", "options"))


def layouts():
    for space in ("full", "reachable"):
        one = solve(HALTON, "-space", space, "-zoom", 2, "-best", 3)
        other = solve(HALTON, "-space", space, "-zoom", 2, "-best", 3, "-node_size", 2, ranks=3)
        assert not difference(one, other), difference(one, other)


def stopped(space, *options):
    """Stopped again and again, on 1 and 3 ranks in turn, once with the newest checkpoint cut: the same result."""
    arguments = ["-space", space, "-zoom", 2, "-best", 2, *options]
    with tempfile.TemporaryDirectory() as f:
        path, out = oracle.write(HALTON, f), os.path.join(f, "run.h5")
        wanted = solve(HALTON, *arguments)
        rounds_seen, stops = set(), 0
        for number in range(40):
            line = [path, "-o", out, "-restart", "auto", *arguments] if number % 2 == 0 else ["-restart", out]
            done = run(["solve", *line, "-maxh", 1e-9, "-checkpoint_interval", 0], 3 if number % 4 == 1 else 0)
            assert done.returncode in (0, 75), (done.returncode, done.stderr)
            rounds_seen |= {x for x in done.stdout.splitlines() if x.startswith("restored: ") and x.endswith("complete")}
            stops += done.returncode == 75
            if done.returncode == 0:
                break
            if stops == 5:
                os.truncate(sorted(glob.glob(out + ".checkpoint/*.h5"))[-1], 4096)
        assert stops > 5 and len(rounds_seen) >= 2, (stops, rounds_seen)
        assert not difference(wanted, Result(out)), difference(wanted, Result(out))
        assert not os.path.exists(out + ".checkpoint")


def read_again():
    """eval and the closed loop take the last set."""
    with tempfile.TemporaryDirectory() as f:
        path, out = oracle.write(GRID, f), os.path.join(f, "run.h5")
        assert run(["solve", path, "-space", "full", "-zoom", 2, "-o", out]).returncode == 0
        result, done = Result(out), run(["eval", out, "-closed_loop"])
        assert done.returncode == 0, done
        told = " ".join(map(str, result.actions)) + "; quantized cost %.10g" % result.value
        assert "actions of the open loop: " + told in done.stdout and "actions of the closed loop: " + told in done.stdout, done.stdout
        assert "finished" in run(["solve", "-restart", out]).stdout


def followed_cells():
    """A warning exactly where the last round's unquantized cost is more than 1 % above an earlier one's."""
    path = os.path.join(os.path.dirname(__file__), "../../share/problems/xor/xor.yaml")
    for cells, zoom, told in (("3,3", 2, True), ("0", 1, False)):
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "run.h5")
            done = run(["solve", path, "-o", out, "-zoom", zoom, "-space", "reachable", "-quantize_cells", cells])
            cost = Result(out).data["zoom/cost"]
            assert done.returncode == 0 and (cost[-1] > 1.01 * cost.min()) == told == ("zooming followed the cells" in done.stderr), (cost, done.stderr)


def refused():
    with tempfile.TemporaryDirectory() as f:
        rows = os.path.join(f, "u.csv")
        with open(rows, "w") as out:
            out.write("\n".join(",".join(repr(float(x)) for x in u) for u in oracle.actions(GRID)[:3]) + "\n")
        grid = oracle.write(GRID, f)
        file = oracle.write({**GRID, "action": {"kind": "file", "file": rows}}, f, "file")
        nothing = oracle.write(CASES["nothing to choose"], f, "nothing")
        for path, options, word in ((file, ["-zoom", 1], "action.kind must be grid, sample or halton, not file"),
                                    (nothing, ["-zoom", 1], "no matrix has free numbers"),
                                    (grid, ["-zoom_factor", 0.3], "option -zoom_factor has no meaning without -zoom"),
                                    (grid, ["-zoom_tolerance", 0.3], "option -zoom_tolerance has no meaning without -zoom"),
                                    (grid, ["-zoom", -1], "between 0 and 1000"), (grid, ["-zoom", 1, "-zoom_factor", 0], "between 1e-06 and 1"),
                                    (grid, ["-zoom", 1, "-zoom_factor", 1.5], "between 1e-06 and 1"),
                                    (grid, ["-zoom", 1, "-zoom_tolerance", -1], "-zoom_tolerance"),
                                    (grid, ["-zoom", 1, "-zoom_tolerance", 0.1, "-stability", 1], "-stability and -zoom_tolerance"),
                                    (grid, ["-zoom", 1, "-beam", 3], "-zoom and -beam")):
            for command in ("solve", "info"):
                done = run([command, path, *options])
                assert done.returncode == 2 and word in done.stderr and len(done.stderr.strip().splitlines()) == 1, (options, done.stderr)
        done = run(["info", grid, "-zoom", 2, "-best", 3])
        assert "2 rounds more, of at most 294 actions around at most 6 controls" in done.stdout and ", zoom " in done.stdout, done.stdout
        assert run(["solve", grid, "-zoom", 0, "-zoom_factor", 0.3]).returncode == 0


quick = "quick" in sys.argv
checks = [("grid, full space", lambda: rounds(GRID, "full")), ("grid, reachable, best 3", lambda: rounds(GRID, "reachable", best=3)),
          ("sample, reachable, a third", lambda: rounds(SAMPLE, "reachable", factor=0.3)), ("halton, full, best 4", lambda: rounds(HALTON, "full", best=4)),
          ("a decision, unquantized", lambda: rounds({**DECISION, "cells": 0}, "reachable", rounds=2))]
checks = (checks[1:4:2] if quick else checks) + [("tolerance", tolerance), ("ranks", layouts), ("stopped, full space", lambda: stopped("full")),
                                                 ("stopped, reachable space", lambda: stopped("reachable")), ("read again", read_again), ("cells that are followed", followed_cells), ("refused", refused)]
os.environ.setdefault("OMPI_MCA_mpi_yield_when_idle", "1")
tap(checks)
