"""-best B: the B open loops of least quantized cost whose trajectories differ, against all K^T lists of layers, to the bit: V_T is that of
the result, stage costs are exact, successors are the oracle's. Both spaces, 1 and 3 ranks."""
import itertools
import math
import os
import sys

import numpy as np

import oracle
from cases import CASES
from harness import run, solve, tap

ALL = 10000  # more than there are trajectories


def ways(p, exact=False):
    """Actions, trajectory and last state, cells of every context (or rounded tokens), of every list of layers."""
    U, everyone = oracle.actions(p), oracle.contexts(p)
    pairs = [oracle.unquantized(c) if exact else (c, oracle.initial(p, c)) for c in everyone]
    everyone, known = [c for c, _ in pairs], {}

    def step(s, x, k):
        if (s, x, k) not in known:
            z = np.array(x)[None]
            z = oracle.layer(p, z, everyone[s]["positions"], everyone[s]["masses"], U[k]).round(9) if exact else oracle.transition(
                p, everyone[s], z, U[k])
            known[s, x, k] = tuple(map(tuple, z[0].tolist())) if exact else tuple(z[0].tolist())
        return known[s, x, k]

    start = tuple(tuple(map(tuple, x.tolist())) if exact else tuple(x.tolist()) for _, x in pairs)
    for actions in itertools.product(range(len(U)), repeat=p["horizon"]):
        way = [start]
        for k in actions:
            way.append(tuple(step(s, x, k) for s, x in enumerate(way[-1])))
        yield list(actions), tuple(way)


def order(p, actions, g, c):
    """[cost, first action, cost of what follows, second action, ...]: what lists are compared by."""
    out = []
    for k in reversed(actions):
        g = c[k] + g
        out = [g, k] + out
    return out


def expected(p, last):
    """Cost, actions and readout of the best list of every trajectory, in order. last: V_T by number of the measure."""
    everyone, c, best = oracle.contexts(p), [oracle.stage(p, u) for u in oracle.actions(p)], {}
    n = len(oracle.points(p))
    sizes = [int(np.prod([math.comb(b - a + n - 1, b - a) for a, b in zip(x["first"], x["first"][1:])])) for x in everyone]
    strides = [int(np.prod(sizes[s + 1:])) for s in range(len(sizes))]
    for actions, way in ways(p):
        number = sum(d * int(oracle.rank(p, x, np.array(cells)[None])[0]) for d, x, cells in zip(strides, everyone, way[-1]))
        new = order(p, actions, last[number], c)
        if way not in best or new < best[way]:
            best[way] = new
    ends = sorted((o, way[-1]) for way, o in best.items())
    costs = [[sum(oracle.terminal(p, x, oracle.points(p)[np.array(cells)[None]], r, everyone)[0] for x, cells in zip(everyone, end))
              for r in oracle.readouts(p)] for _, end in ends]
    return [o[0] for o, _ in ends], [o[1::2] for o, _ in ends], [int(np.argmin(g)) for g in costs]


def found(result):
    best = {key.split("/")[-1]: value for key, value in result.data.items() if key.startswith("rollout/best/")}
    assert set(best) - {"R", "b"} == {"actions", "controls", "quantized_cost", "readout"}
    assert (best["controls"] == result.data["actions/controls"][best["actions"]]).all()
    assert best["quantized_cost"][0] == result.value and list(best["actions"][0]) == result.actions
    assert best["readout"][0] == result.attributes["rollout"]["readout"]
    return best


def same(one, other, count=None):
    for key in one:
        assert (one[key][:count] == other[key]).all() and len(one[key][:count]) == len(other[key]), key


def enumeration(p, some):
    full = solve(p, "-space", "full", "-best", ALL)
    costs, lists, readouts = expected(p, full.data["value"][-1])
    every = found(full)
    assert list(every["quantized_cost"]) == costs, (every["quantized_cost"], costs)
    assert every["actions"].tolist() == lists, (every["actions"], lists)
    assert every["readout"].tolist() == readouts
    same(every, found(solve(p, "-space", "reachable", "-best", ALL)))
    same(every, found(solve(p, "-space", "full", "-store_value", 0, "-store_policy", 0, "-best", some)), some)


def layouts(p, some):
    every = found(solve(p, "-space", "full", "-best", some))
    for space in ("full", "reachable"):
        same(every, found(solve(p, "-space", space, "-best", some, "-node_size", 2, ranks=3)))


def unquantized(p):
    p = {**p, "cells": 0}
    best, known = found(solve(p, "-best", ALL)), dict(zip(*[[f(x) for x in ways(p, exact=True)] for f in (lambda x: tuple(x[0]), lambda x: x[1])]))
    lists = [tuple(a) for a in best["actions"].tolist()]
    assert {known[a] for a in lists} == set(known.values()) and len(set(lists)) == len(lists)  # more: tokens may differ by rounding alone
    assert (np.diff(best["quantized_cost"]) >= 0).all()
    same(best, found(solve(p, "-best", len(lists) // 2, ranks=3)), len(lists) // 2)


def refused():
    for value, word in (("-1", "between 0 and 10000"), ("10001", "between 0 and 10000"), ("x", "option -best")):
        done = run(["solve", "problem.yaml", "-best", value])
        assert done.returncode == 2 and word in done.stderr and len(done.stderr.strip().splitlines()) == 1, done.stderr


NAMES = ["causal, encoded, two heads", "four contexts, a decision, three layers", "one context, squared error, one layer", "shapes mixed",
         "population, atoms given", "population, split", "split in one dimension, three atoms", "feed-forward, relu, sampled",
         "hinge, a decision between two readouts of three classes", "nothing to choose"]
quick = "quick" in sys.argv
checks = [("all lists: " + name, lambda p=CASES[name]: enumeration(p, 5)) for name in NAMES[::3 if quick else 1]]
checks += [("ranks: " + name, lambda p=CASES[name]: layouts(p, 9)) for name in NAMES[1:7:5]]
checks += [("unquantized", lambda: unquantized(CASES["causal, encoded, two heads"])), ("refused", refused)]
os.environ.setdefault("OMPI_MCA_mpi_yield_when_idle", "1")
tap(checks)
