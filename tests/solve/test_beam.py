"""`-beam B`: the lower bound is never above the optimum over every list of layers, nor the answer below it; the beam of an independent
program keeps the same; a beam that drops nothing changes no bit; doublings end with the optimum; the same bits on any number of ranks, and
after stops."""
import glob
import os
import sys
import tempfile

import h5py
import numpy as np

import oracle
from bits import difference
from cases import CASES, READOUT, sequences
from harness import Result, run, solve, tap

QUICK = "quick" in sys.argv
LARGE = 10**6
DEEP = oracle.problem(rows=sequences(3, 2, seed=4), horizon=4, terminal="pooled_cross_entropy", readout=READOUT, weight_decay=0.03, cells=[5, 4],
                      control={"A": {"form": "scalar", "range": [-2.5, 1.75], "levels": 2}, "V": {"form": "full", "range": [-1.25, 0.875], "levels": 2}})
WIDTHS = {  # cases whose contexts alone have tables: one and several, shapes mixed, a decision, each kind of cost
    "two contexts of two tokens": (1, 2), "four contexts, a decision, three layers": (1, 2), "shapes mixed": (1, 3),
    "hinge, a decision between two readouts of three classes": (1, 2), "wasserstein": (1, 4), "feed-forward, relu, sampled": (2,)}
PROBLEMS = {**{name: CASES[name] for name in WIDTHS}, "four layers": DEEP}
WIDTHS["four layers"] = (1, 2, 5, 20)


def beam(p, width, *options, ranks=0):
    return solve(p, "-beam", width, *options, ranks=ranks)


def of(result):
    rollout = result.attributes["rollout"]
    return float(rollout["lower_bound"]), int(rollout["dropped"]), int(rollout["optimal"])


def bounded(exact, result):
    """The answer lies between the optimum and what it says of itself."""
    lower, dropped, optimal = of(result)
    assert lower <= exact.value <= result.value, (lower, exact.value, result.value)
    assert not optimal or result.value == exact.value, (exact.value, result.value)
    assert dropped or optimal
    return lower


def same_without_dropping(exact, result):
    """Every bit of a run without a beam, but for the successors, which a beam leaves out."""
    assert of(result) == (exact.value, 0, 1), of(result)
    differ = [name for name in difference(exact, result, leave=("provenance", "options")) if "successors" not in name]
    assert not [d for d in differ if d != "options" and d[1] not in ("beam", "dropped", "optimal", "lower_bound")], differ


def simulated(p, width):
    """(answer, lower bound) of a beam of that width; None where a tie leaves open what is kept."""
    next_, g = oracle.tables(p)
    everyone, U, T = oracle.contexts(p), oracle.actions(p), p["horizon"]
    c, S = np.array([oracle.stage(p, u) for u in U]), len(next_)
    mass = [x["masses"].sum() for x in everyone]
    pooled = p["terminal"] in ("pooled_cross_entropy", "hinge", "wasserstein")
    share = [1 / S if pooled else m / sum(mass) for m in mass]
    V = [[x.min(axis=0)] for x in g]  # of each context, from the last depth
    for s in range(S):
        for _ in range(T):
            V[s].insert(0, (share[s] * c + V[s][0][next_[s]]).min(axis=1))
    start = tuple(int(oracle.rank(p, x, oracle.initial(p, x)[None])[0]) for x in everyone)
    layer, least = {start: 0.0}, np.inf
    for t in range(1, T):
        found = {}
        for state, spent in layer.items():
            for k, column in enumerate(zip(*(next_[s][state[s]] for s in range(S)))):
                found[column] = min(found.get(column, np.inf), spent + c[k])
        keys = sorted((spent + sum(V[s][t][j] for s, j in enumerate(state)), state) for state, spent in found.items())
        if len(keys) > width:
            if keys[width][0] - keys[width - 1][0] < 1e-12:
                return None
            least = min(least, keys[width][0])
        layer = {state: found[state] for _, state in keys[:width]}
    answer = min(spent + c[k] + min(sum(g[s][r][j] for s, j in enumerate(column)) for r in range(len(g[0])))
                 for state, spent in layer.items() for k, column in enumerate(zip(*(next_[s][state[s]] for s in range(S)))))
    return answer, min(least, answer)


def with_tables(name):
    p = PROBLEMS[name]
    exact = solve(p, "-space", "reachable")
    for width in WIDTHS[name]:
        result, expected = beam(p, width), simulated(p, width)
        lower = bounded(exact, result)
        if expected:
            assert np.allclose((result.value, lower), expected, rtol=0, atol=1e-11), (width, result.value, lower, expected)
    same_without_dropping(exact, beam(p, LARGE))


def without_tables(p, options, same=True):
    exact = solve(p, "-space", "reachable")
    for width in (1, 3):
        bounded(exact, beam(p, width, *options))
    same_without_dropping(exact, beam(p, LARGE, *options))


def unknown_bound():
    """Where tables would be too large they are left out, shape by shape, and the bound is weaker, never stronger."""
    p, bounds = CASES["shapes mixed"], []
    exact = solve(p, "-space", "reachable")
    for numbers in (0, 4000, 10**7):
        bounds.append(bounded(exact, beam(p, 1, "-beam_tables", numbers)))
    assert bounds[0] < bounds[2] and bounds[0] <= bounds[1] <= bounds[2], bounds


def doublings():
    exact = solve(DEEP, "-space", "reachable")
    result = beam(DEEP, 1, "-beam_doublings", 20)
    lower, _, optimal = of(result)
    assert optimal and result.value == lower == exact.value, (lower, result.value, exact.value)
    assert 1 < result.attributes["rollout"]["beam"] < 2**20
    one, two = beam(DEEP, 2), beam(DEEP, 2, "-beam_doublings", 2)
    assert two.value <= one.value and of(two)[0] >= of(one)[0]
    bounded(exact, two)


def ranks(p, width, *options):
    one = beam(p, width, *options)
    for number, node_size in ((3, 2),) if QUICK else ((3, 2), (4, 0)):
        other = beam(p, width, "-node_size", node_size, *options, ranks=number)
        assert not difference(one, other), (number, difference(one, other))


def stopped():
    """A time limit stops the run between layers and within them, and in the doubling, also on three ranks."""
    p, options = {**DEEP, "horizon": 3, "cells": 0}, ["-beam", 2, "-beam_doublings", 1]
    wanted, within = beam(p, *options[1:]), 0
    with tempfile.TemporaryDirectory(prefix="bf_beam_") as folder:
        path, out, stops = oracle.write(p, folder), os.path.join(folder, "run.h5"), 0
        for turn in range(30):
            arguments = [path, "-o", out, *options] if turn == 0 else ["-restart", out]
            done = run(["solve", *arguments, "-maxh", 1e-9, "-checkpoint_interval", 0], 3 if turn in (2, 7) else 0)
            assert done.returncode in (0, 75), done.stderr
            stops += done.returncode == 75
            if done.returncode == 0:
                break
            with h5py.File(max(glob.glob(out + ".checkpoint/*.h5"))) as f:
                within += "arrays/partial/edges" in f
        assert stops > 6 and within > 1 and done.returncode == 0, (stops, within)
        assert not difference(wanted, Result(out)), difference(wanted, Result(out))


def refusals():
    with tempfile.TemporaryDirectory(prefix="bf_beam_") as folder:
        path = oracle.write(DEEP, folder)
        for options, words in ((["-beam", 3, "-space", "full"], "-beam needs the reachable space, and -space is full"),
                               (["-beam", 3, "-stability", 1], "-beam needs the reachable space, and -stability the full one"),
                               (["-beam", 3, "-best", 2], "-best needs every measure"),
                               (["-beam_doublings", 3], "-beam_doublings needs -beam")):
            done = run(["solve", path, "-o", os.path.join(folder, "run.h5"), *options])
            assert done.returncode == 2 and words in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr


checks = [("bounds, and the beam of another program: " + name, lambda name=name: with_tables(name))
          for name in list(WIDTHS)[::2 if QUICK else 1]]
checks += [("bounds without cells", lambda: without_tables({**CASES["causal, encoded, two heads"], "cells": 0}, ())),
           ("bounds without cells: a decision", lambda: without_tables({**CASES["four contexts, a decision, three layers"], "cells": 0}, ())),
           ("bounds of a population without tables", lambda: without_tables(CASES["population, atoms given"], ("-beam_tables", 0))),
           ("tables of some shapes", unknown_bound), ("doublings", doublings),
           ("ranks", lambda: ranks(DEEP, 7)), ("ranks, without tables", lambda: ranks({**DEEP, "horizon": 3}, 7, "-beam_tables", 0)),
           ("stops", stopped), ("refusals", refusals)]
os.environ.setdefault("OMPI_MCA_mpi_yield_when_idle", "1")
tap(checks)
