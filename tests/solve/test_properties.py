"""What must hold of every optimum: exactness on closed grids, monotone in the actions, convergent in the cells, equivariant,
and two closed forms."""
import itertools
import os
import tempfile

import numpy as np

import oracle
from cases import A2, CASES, READOUT, V2, population, sequences, tokens, with_targets
from harness import run, solve, tap
from oracle import problem


def rollout(result, name):
    return float(result.attributes["rollout"][name])


def closed_grid():
    """v = b2 moves tokens from centre to centre (h = 1, shifts -1, 0, 1): nothing is rounded, and the value is the cost."""
    shift = {"W1": {"form": "fixed", "value": [0, 0]}, "b1": {"form": "fixed", "value": [0]},
             "W2": {"form": "fixed", "value": [0, 0]}, "b2": {"form": "full", "range": [-1, 1], "levels": 3}}
    rows = [(0, 0, (1.0, -2.0), (0, 0)), (0, 1, (2.0, -1.0), (1, 0)), (1, 0, (0.0, -2.0), (0, 1))]
    p = problem(rows=rows, targets=True, heads=0, feedforward="relu", width=1, step=1.0, lower=[-3.5, -3.5], upper=[3.5, 3.5],
                cells=[7, 7], control=shift)
    for transition in ("nearest", "split"):
        result = solve({**p, "transition": transition}, "-space", "reachable")
        assert result.value == rollout(result, "cost"), (result.value, rollout(result, "cost"))
    exact = solve({**p, "cells": 0})
    assert exact.value == result.value and exact.actions == result.actions
    # y - z = (1, -2), (1, -1), (0, -3): the best shift is (1, -2), off by 0, 1 and 1 + 1
    assert result.value == (0 + 1 + 2) / 3, result.value


def nested_actions():
    """A larger set contains the smaller: the optimum cannot rise."""
    p = problem(rows=with_targets(sequences(3, 2, seed=31)), targets=True, cells=0,
                control={"A": {"form": "full", "range": [-2, 2]}, "V": {"form": "full", "range": [-1, 1]}})
    for kind in ("sample", "halton"):
        values = [solve({**p, "action": {"kind": kind, "count": count, "seed": 5}}).value for count in (1, 2, 5, 12, 30, 70)]
        assert all(b <= a for a, b in zip(values, values[1:])), (kind, values)
        assert values[-1] < values[0], (kind, values)


def refinement():
    """n -> 2^20 cells an axis: V_0 tends to the unquantized optimum, at rate 1 in h."""
    p = CASES["causal, encoded, two heads"]
    exact = solve({**p, "cells": 0}).value
    errors = [abs(solve({**p, "cells": [2**k, 2**k]}, "-space", "reachable").value - exact) for k in range(4, 21, 4)]
    print("# error at 2^4, 2^8, .. 2^20 cells an axis: " + " ".join("%.2e" % e for e in errors))
    for k, e in zip(range(4, 21, 4), errors):
        assert e <= 8 * 3.0 / 2**k, (k, e)
    rate = np.polyfit(range(4, 21, 4), np.log2(np.maximum(errors, 1e-16)), 1)[0]
    assert -1.5 < rate < -0.6, rate


def permutations():
    """The order of tokens in the table, and the numbers of the sequences, do not matter."""
    for name in ("two contexts of two tokens", "population, atoms given", "shapes mixed"):
        p = CASES[name]
        one = solve(p, "-space", "reachable")
        order = np.random.default_rng(1).permutation(len(p["rows"]))
        shuffled = solve({**p, "rows": [p["rows"][i] for i in order]}, "-space", "reachable")
        assert shuffled.value == one.value and shuffled.actions == one.actions
        names = {0: 5, 1: 3, 2: 4}
        renamed = solve({**p, "rows": [(names[s], n, tag, z) for s, n, tag, z in p["rows"]]}, "-space", "full")
        assert abs(renamed.value - one.value) < 1e-14 and renamed.actions == one.actions


def swap():
    """x = (0, 1), y = (1, 0), p = (1/2, 1), lambda = 3/2: the swap costs 3/8, the identity 1; a warning is given."""
    p = problem(rows=[(0, 0, (1.0,), (0,)), (0, 1, (0.0,), (1,))], targets=True, dim=1, lower=[0], upper=[1], horizon=1, cells=0,
                terminal="wasserstein", position_weight=1.5,
                control={"A": {"form": "fixed", "value": [0]}, "V": {"form": "full", "range": [0, 0], "levels": 1}})
    assert solve(p).value == 0.375
    assert solve({**p, "position_weight": "auto"}).value == 1.0
    with tempfile.TemporaryDirectory() as folder:
        warned = run(["solve", oracle.write(p, folder), "-o", folder + "/run.h5"])
        assert "warning" in warned.stderr and "position_weight" in warned.stderr, warned.stderr
        quiet = run(["solve", oracle.write({**p, "position_weight": "auto"}, folder), "-o", folder + "/auto.h5"])
        assert "warning" not in quiet.stderr, quiet.stderr


def auto_weight():
    """position_weight auto keeps positions, and wasserstein is squared error, also where targets lie outside Z and for longer
    sequences of a test table."""
    rows = [(0, 0, (5.0,), (-1,)), (0, 1, (-5.0,), (1,)), (1, 0, (0.5,), (0.25,))]
    p = problem(rows=rows, targets=True, dim=1, lower=[-1], upper=[1], horizon=1, cells=0, residual=1, step=1.0,
                control={"A": {"form": "fixed", "value": [0]}, "V": {"form": "fixed", "value": [0]}})
    longer = [(0, n, (float((-1) ** n),), (float((-1) ** (n + 1)),)) for n in range(8)]
    free = {**p, "rows": [rows[0], (0, 1, (-5.0,), (0.5,))], "projection": "none", "control": {**p["control"], "V": {"form": "fixed", "value": [4]}}}  # tokens leave Z
    squares, weighed = (solve({**free, **change}) for change in (
        {"terminal": "squared_error"}, {"terminal": "wasserstein", "position_weight": "auto"}))
    assert np.abs(squares.data["rollout/tokens"][-1]).max() > 1, squares.data["rollout/tokens"]
    assert rollout(squares, "loss") == rollout(weighed, "loss") > 0, (rollout(squares, "loss"), rollout(weighed, "loss"))
    losses = []
    for change in ({"terminal": "wasserstein", "position_weight": "auto"}, {"terminal": "squared_error"}):
        with tempfile.TemporaryDirectory() as folder:
            path = oracle.write({**p, **change}, folder)
            oracle.write({**p, "rows": longer}, folder, "longer")
            result = solve(path, "-data_test", "longer.csv")
            losses.append((rollout(result, "loss"), rollout(result, "test_loss")))
    (w, w_test), (e, e_test) = losses
    # squared error is a mean over all tokens, wasserstein one over contexts of a mean
    assert abs(w - ((36 + 36) / 2 + 0.0625) / 2) < 1e-12 and abs(e - (36 + 36 + 0.0625) / 3) < 1e-12, losses
    assert abs(w_test - 4) < 1e-12 and abs(e_test - 4) < 1e-12, losses


def merged_permutations():
    """Without cells, laws that are equal up to the order of a tag's tokens are one measure."""
    p = problem(rows=[(0, 0, 0, (0.5,)), (0, 0, 0, (-0.5,))], dim=1, lower=[-4], upper=[4], cells=0, beta=1e4, residual=0, step=1.0,
                terminal="token_cross_entropy", readout={"kind": "fixed", "matrix": [1, -1], "bias": [0, 0]},
                control={"A": {"form": "fixed", "value": [1]}, "V": {"form": "full", "range": [-1, 1], "levels": 2}})
    assert len(solve(p).data["layers/0001/value"]) == 1


def uniform_attention():
    """A = 0: every token sees the mean m of its context; m' = (r I + eps V) m."""
    for residual in (0, 1):
        p = problem(rows=with_targets(sequences(2, 3, seed=33)), targets=True, residual=residual, lower=[-90, -90], upper=[90, 90],
                    horizon=3, cells=0, control={"A": {"form": "fixed", "value": [0] * 4}, "V": {"form": "full", **V2}})
        result = solve(p)
        z, U = result.data["rollout/tokens"], result.data["rollout/controls"]
        for t in range(3):
            step = residual * np.eye(2) + 0.5 * U[t].reshape(2, 2)
            for context in (slice(0, 3), slice(3, 6)):
                assert np.abs(z[t + 1, context].mean(0) - step @ z[t, context].mean(0)).max() < 1e-13


def transport(p, c, x, y):
    """W1 of two measures of one context, within tags, for |z - z'|, in data tokens: the best of all couplings of atoms."""
    z, total = oracle.points(p), 0
    for a, b in zip(c["first"], c["first"][1:]):
        total += c["masses"][a] * min(sum(np.linalg.norm(z[x[a + i]] - z[y[a + j]]) for i, j in enumerate(way))
                                      for way in itertools.permutations(range(b - a)))
    return total


def stability():
    """-stability K: V_0 at all measures within K atom moves, and the largest |dV_0| / W1 among them."""
    for name, moves in (("population, atoms given", 2), ("two contexts of two tokens", 1)):
        p = CASES[name]
        result = solve(p, "-space", "full", "-stability", moves)
        everyone = oracle.contexts(p)
        measures = [oracle.all_measures(p, c) for c in everyone]
        sizes = [len(m) for m in measures]
        start = [oracle.initial(p, c) for c in everyone]

        def distance(cells):  # least number of atom moves: atoms that are not matched within their tag
            total = 0
            for c, x, y in zip(everyone, cells, start):
                for a, b in zip(c["first"], c["first"][1:]):
                    left = list(y[a:b])
                    for atom in x[a:b]:
                        if atom in left:
                            left.remove(atom)
                    total += len(left)
            return total

        near = {}
        for i in range(int(np.prod(sizes))):
            cells = [m[j] for m, j in zip(measures, np.unravel_index(i, sizes))]
            if distance(cells) <= moves:
                near[i] = cells
        index = result.data["stability/index"]
        assert sorted(index) == sorted(near), (len(index), len(near))
        V = result.data["value"][0]
        assert (result.data["stability/value"] == V[index]).all()
        assert [distance(near[i]) for i in index] == list(result.data["stability/moves"])
        tokens_all = sum(c["masses"].sum() for c in everyone)
        modulus = 0
        for i, j in itertools.combinations(near, 2):
            w1 = sum(transport(p, c, x, y) for c, x, y in zip(everyone, near[i], near[j])) / tokens_all
            modulus = max(modulus, abs(V[i] - V[j]) / w1)
        found = result.attributes["stability"]["modulus"]
        assert abs(found - modulus) < 1e-12 * modulus, (name, found, modulus)


def covering():
    """-covering N: a grid of L levels a number covers U with radius sqrt(q) / (2 (L - 1)), in sides; points see it from below, whatever the ranks. Of random points: no
    point of U is farther than that, but for what N points leave unseen. Actions that are points of Halton's themselves do not hide what lies between them."""
    p = problem(rows=with_targets(sequences(2, 2, seed=7)), targets=True, cells=0,
                control={"A": {"form": "scalar", "range": [-4, 4], "levels": 3}, "V": {"form": "diagonal", "range": [-1, 0], "levels": 3}})
    exact, found = 3**0.5 / 4, [float(solve(p, "-covering", 20000, ranks=ranks).attributes["actions"]["covering_radius"]) for ranks in (1, 3)]
    assert found[0] == found[1] and 0.93 * exact < found[0] <= exact * (1 + 1e-12), (found, exact)
    result = solve({**p, "action": {"kind": "sample", "count": 40, "seed": 2}}, "-covering", 20000)
    radius, u = float(result.attributes["actions"]["covering_radius"]), result.data["actions/controls"]
    sides, rng = np.array([8, 1, 1]), np.random.default_rng(0)
    x = rng.uniform(0, 1, (20000, 3)) * sides + [-4, -1, -1]
    far = np.sqrt((((x[:, None] - u) / sides) ** 2).sum(2).min(1)).max()
    assert abs(far - radius) < 0.07 * radius, (far, radius)
    for seed in (0, 5):
        own, many = (float(solve({**p, "action": {"kind": "halton", "count": 40, "seed": seed}}, "-covering", count).attributes["actions"]["covering_radius"])
                     for count in (40, 20000))
        assert 0.5 * many < own <= many, (seed, own, many)


tap([("a closed grid is exact", closed_grid), ("nested actions are monotone", nested_actions),
     ("refinement in n", refinement), ("permutation of tokens and sequences", permutations), ("the swap", swap), ("auto weight", auto_weight),
     ("permuted tokens merge", merged_permutations),
     ("uniform attention", uniform_attention), ("stability", stability), ("covering radius", covering)])
