"""What `bellformer certify` claims of symmetries holds, and cuts the search; what is no symmetry is not claimed, and refused by `check`."""
import os
import sys
import tempfile

import h5py
import numpy as np

from certify_cases import LINE, PAIR, certify, cost, ranges, walk
from symmetry_cases import draw, image, inequalities, reduced
import oracle
from harness import Result, run, tap
from oracle import problem

QUICK = "quick" in sys.argv
SEEDS = (37, 82, 104, 197, 39, 40, 44, 127, 137, 143, 146)  # with symmetries of each kind, and without
HEADS = problem(rows=PAIR, horizon=1, heads=2, terminal="token_cross_entropy", readout={"kind": "fixed", "matrix": [-3, 3], "bias": [0, 0.5]}, **LINE)


def claimed(p, *options):
    """(rows of /certificate/symmetry, free numbers) of a search of one box, from the middle of the ranges."""
    with tempfile.TemporaryDirectory(prefix="bf_certify_") as folder:
        found, (lower, upper) = os.path.join(folder, "found.h5"), ranges(p)
        with h5py.File(found, "w") as f:
            controls = p["horizon"] * oracle.matrices(p)[1]
            f["/rollout/controls"] = np.reshape((lower + upper)[:controls] / 2, (p["horizon"], -1))
            if len(lower) > controls: f["/rollout/readout"] = (lower + upper)[controls:] / 2
        out = os.path.join(folder, "c.h5")
        done = run(["certify", oracle.write(p, folder), "-o", out, "-found", found, "-boxes", 1, *options])
        assert done.returncode == 0, done
        r, done = Result(out), run(["check", out])
        assert done.returncode == 0 or "there is nothing to verify" in done.stderr, done
    rows, free = r.data.get("certificate/symmetry", np.zeros((0, 2), int)), r.data["certificate/free"]
    assert [(k + 1, sign * (j + 1)) for k, j, sign in inequalities(p, rows[:, 2:], free)] == [tuple(row[:2]) for row in rows], rows
    return rows[:, 2:], free


def invariant():
    """On problems of all kinds: every row leaves J as it is at any point, and every point has an image of the same J where all inequalities hold."""
    kinds = {"data": 0, "signs": 0, "heads": 0, "none": 0}
    for seed in SEEDS[:4] if QUICK else SEEDS:
        p, rng = draw(seed), np.random.default_rng(seed)
        rows, free = claimed(p)
        lower, upper = ranges(p)
        u = lower + (upper - lower) * rng.uniform(size=(8, len(lower)))
        J = cost(p, u)
        for row in rows:
            v = image(p, row, u)
            assert (v >= lower).all() and (v <= upper).all(), (seed, row)
            assert np.allclose(cost(p, v), J, rtol=1e-9, atol=1e-12), (seed, row, J, cost(p, v))
        chosen = inequalities(p, rows, free)
        assert len(set(chosen)) == len(rows), (seed, chosen)
        v = reduced(p, rows, free, u, chosen)
        assert np.allclose(cost(p, v), J, rtol=1e-9, atol=1e-12) and all((v[:, free[k]] <= s * v[:, free[j]]).all() for k, j, s in chosen), seed
        d = p["dim"]
        kinds["data"] += any((row[:d] != np.arange(1, d + 1)).any() for row in rows)
        kinds["signs"] += any((row[d:] < 0).any() for row in rows)
        kinds["heads"] += p["heads"] > 1 and len(rows) > 0
        kinds["none"] += len(rows) == 0
    assert QUICK or min(kinds.values()) >= 2, kinds


def looked_for():
    """What there is is found: of heads, of units, of signs, of data; and what just is none is not."""
    tanh = problem(rows=PAIR, horizon=1, heads=0, feedforward="tanh", width=3, terminal="token_cross_entropy", readout={"kind": "fixed", "matrix": [-3, 3]},
                   **{**LINE, "lower": [-1.5], "upper": [1.5], "control": {name: {"form": "full", "range": [-1, 1], "levels": 2} for name in ("W1", "b1", "W2", "b2")}})
    mirrored = {**HEADS, "rows": [(0, 0, 0, [-0.5]), (0, 1, 1, [0.5])], "lower": [-1.5], "upper": [1.5], "readout": {"kind": "fixed", "matrix": [-3, 3]}}
    odd = {**tanh, "rows": mirrored["rows"]}
    three = {**HEADS, "heads": 3}
    for p, wanted in ((HEADS, 1), (three, 2), ({**HEADS, "control": {**HEADS["control"], "V_1": {"form": "scalar", "range": [-2, 1], "levels": 3}}}, 0),
                      (tanh, 2 + 3), ({**tanh, "feedforward": "relu"}, 2), (mirrored, 1), (odd, None)):
        rows, free = claimed(p)
        assert wanted is None or len(rows) == wanted, (p, rows)
        assert not len(claimed(p, "-symmetry", 0)[0])
    # z -> -z with the classes: all of b2 changes sign, which signs of units alone do not
    assert any(row[0] == -1 and (row[1:3] == [3, 2]).all() for row in rows), rows


def saves():
    """The same bounds from fewer boxes, verified; leaves, cuts and what the inequalities exclude fill the box."""
    boxes = {}
    for symmetry in (1, 0):
        r = certify(HEADS, "-gap", 0.02, "-symmetry", symmetry)
        c, boxes[symmetry] = r.certificate, r.certificate["boxes"]
        assert c["gap"] <= 0.02 * (1 + 1e-9), c
        if symmetry: assert "1 pair of heads; 1 inequality" in r.text, r.text
        else: assert abs(c["lower"] - lower) <= 0.02 * c["found"], (c, lower)
        lower = c["lower"]
        leaves, cut, _, _ = walk(r, *ranges(HEADS))
        assert abs(leaves + cut - 1) < 1e-9, (symmetry, leaves, cut)
    assert boxes[1] < 0.75 * boxes[0], boxes


def put(path, rows):
    with h5py.File(path, "r+") as f:
        if "symmetry" in f["certificate"]: del f["certificate/symmetry"]
        if len(rows): f["certificate"].create_dataset("symmetry", data=np.array(rows, np.int32), chunks=np.shape(rows), fletcher32=True)


def forged():
    """A row that is no symmetry, an inequality too many, a row less: not verified."""
    with tempfile.TemporaryDirectory(prefix="bf_certify_") as folder:
        path, out = oracle.write(HEADS, folder), os.path.join(folder, "c.h5")
        assert run(["certify", path, "-o", out, "-gap", 0.1]).returncode == 0
        with h5py.File(out) as f:
            assert (f["certificate/symmetry"][()] == [[4, 2, 1, 2, 3, 5, 4]]).all()
        assert run(["check", out]).returncode == 0
        # x_3 <= x_1; places: the component, two classes, two heads
        for rows, told in (([[-1, 2, 3, 5, 4]], "symmetry 1 moves where tokens are clipped to"), ([[1, 3, 2, 5, 4]], "symmetry 1 changes the readout"),
                           ([[1, 2, 3, 4, 5]], "symmetry 1 moves no variable"), ([[1, 2, 3, 4, 4]], "symmetry 1 is no exchange"),
                           ([[1, 2, 3, -5, 4]], "symmetry 1 is no exchange"), ([[1, 2, 5, 3, 4]], "symmetry 1 is no exchange"),
                           ([[1, 2, 3, 5]], "a symmetry has 4 places, not 5"), ([], "not verified: "),
                           ([[1, 2, 3, 5, 4], [1, 2, 3, 5, -4]], "symmetry 2 is no exchange")):
            put(out, [[4, 2, *row] for row in rows])
            done = run(["check", out])
            left_out = not rows and done.returncode == 2 and "a box is left out that is not empty" in done.stderr
            assert left_out or done.returncode in (1, 2) and told in done.stderr + done.stdout, (rows, told, done)
        put(out, [[2, 4, 1, 2, 3, 5, 4]])
        done = run(["check", out])
        assert done.returncode == 1 and "symmetry 1 gives another inequality" in done.stderr, done
        fixed = lambda x: {"form": "fixed", "value": [x]}  # noqa: E731
        for more, row, told in (({"control": {**HEADS["control"], "V_1": {**HEADS["control"]["V"], "range": [-2, 1.5]}}}, [1, 2, 3, 5, 4], "symmetry 1 moves the box"),
                                ({"control": {"V": HEADS["control"]["V"], "A_0": fixed(1), "A_1": fixed(0.5)}}, [1, 2, 3, 5, 4], "symmetry 1 changes what the layers compute"),
                                ({"lower": [-1.61], "readout": {"kind": "fixed", "matrix": [-3, 3]}}, [-1, 3, 2, 4, 5], "symmetry 1 moves the data")):
            assert run(["certify", oracle.write({**HEADS, **more}, folder), "-o", out, "-overwrite", "-boxes", 1]).returncode == 0
            put(out, [[1, 3, *row]])
            done = run(["check", out])
            assert done.returncode == 1 and told in done.stderr, (row, told, done)


tap([("J is the same", invariant), ("what there is is found", looked_for), ("fewer boxes", saves), ("forged symmetries", forged)])
