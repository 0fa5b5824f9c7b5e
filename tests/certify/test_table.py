"""Boxes of early controls alone, later ones by minorants of the value function W_t(z) = min over u of J_t(z, u), J_t the cost of the layers from t on, on cells of the tokens z_t
(share/doc/formats.md, A table): every plane is below J_t, together they prove the bound, which is that of a search over all controls."""
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time

import h5py
import numpy as np

from certify_cases import LINE, PAIR, answer, cost, ranges, terminal
import oracle
from cases import READOUT, sequences
from harness import BELLFORMER, Result, run, tap
from oracle import problem

QUICK = "quick" in sys.argv  # under sanitizers: wider gaps, fewer kinds
FIXED = {"kind": "fixed", "matrix": [-3, 3], "bias": [0, 0.5]}
DECISION = {"kind": "decision", "classes": 2, "matrix": [3, -3, -3, 3]}
CLASSES, SQUARES = dict(rows=PAIR, terminal="token_cross_entropy"), dict(rows=[(0, 0, (0.5,), [-0.7]), (0, 1, (-0.3,), [0.4])], targets=True)


def scalars(end):
    return {name: {"form": "scalar", "range": [-end, end], "levels": 3} for name in "AV"}


def fixed(x):
    return {"form": "fixed", "value": x}


# Two tokens on a line are two axes; a layer has two numbers.
THREE = {"squares": problem(horizon=3, **SQUARES, **LINE), "classes": problem(horizon=3, readout=FIXED, **CLASSES, **LINE)}
FOUR = problem(horizon=4, **SQUARES, **LINE)  # which a search over all eight numbers does not bound within a million boxes
TWO = {"horizon": 2, **LINE}
PLANE = dict(rows=[(0, 0, 0, [0.5, -1.0]), (0, 1, 1, [-0.7, 0.4])], horizon=2, terminal="token_cross_entropy", readout=READOUT, dim=2, lower=[-1.5] * 2, upper=[1.6] * 2, cells=[2] * 2,
             weight_decay=2**-4, control=scalars(0.75))
KINDS = {
    "a decision": problem(readout=DECISION, **CLASSES, **TWO),
    "a readout that is trained": problem(readout={"kind": "trained", "matrix": {"range": [-2, 2]}}, **CLASSES, **TWO),
    "two sequences": problem(rows=[(0, 0, 0, [-0.7]), (0, 1, 0, [0.4]), (1, 0, 1, [0.9]), (1, 1, 1, [-0.2])], terminal="pooled_cross_entropy", readout=FIXED, **TWO),
    "causal, encoded": problem(readout=FIXED, mask="causal", encoding=[0.3, -0.2], **CLASSES, **TWO),
    "no residual": problem(readout=FIXED, residual=0, **CLASSES, **TWO),
    "two heads": problem(readout=FIXED, heads=2, **CLASSES, **{**TWO, "weight_decay": 2**-4, "control": scalars(0.75)}),
    "rms": problem(norm="rms", **PLANE),
    "sphere": problem(projection="sphere", **PLANE),
    "feed-forward": problem(readout=FIXED, feedforward="tanh", width=1, **CLASSES, **{**TWO, "control": {"A": fixed([1]), "V": scalars(2)["V"], "W1": fixed([1]), "b1": fixed([0.5]), "W2": scalars(2)["V"], "b2": fixed([0])}}),
}


# ---- runs --------------------------------------------------------------------------------------------------------------


def descend(J, x, lower, upper, steps=200):
    """Points x [B, n] after random steps that shrink, within lower and upper, and J there: what a bound that is wrong somewhere would be seen by."""
    draw, least = np.random.default_rng(5), J(x)
    for i in range(steps):
        y = np.clip(x + 0.5 * 0.001 ** (i / steps) * (upper - lower) * draw.normal(size=x.shape), lower, upper)
        new = J(y)
        x, least = np.where((new < least)[:, None], y, x), np.minimum(new, least)
    return x, least


def write(p, folder):
    """The problem, and good controls as the file that -found takes: neither solve nor flow is run."""
    (lower, upper), path = ranges(p), os.path.join(folder, "found.h5")
    x = np.random.default_rng(3).uniform(lower, upper, (4000, len(lower)))
    x, J = descend(lambda x: cost(p, x), x[np.argsort(cost(p, x))[:30]], lower, upper)
    controls = p["horizon"] * oracle.matrices(p)[1]
    with h5py.File(path, "w") as f:
        f["rollout/controls"] = x[J.argmin()][:controls].reshape(p["horizon"], -1)
        if len(lower) > controls:
            C = (len(lower) - controls) // (p["dim"] + 1)
            f["model/readout/R"], f["model/readout/b"] = x[J.argmin()][controls:-C].reshape(C, -1), x[J.argmin()][-C:]
    return [oracle.write(p, folder), "-found", path]


def certify(line, *options, checked=1, ranks=0):
    """A result, that `check` has proved by bounds of its own."""
    out = os.path.join(os.path.dirname(line[0]), "run.h5")
    done = run(["certify", *line, "-o", out, "-overwrite", *options], ranks)
    assert done.returncode == 0, done
    r = Result(out)
    r.text, r.certificate = done.stdout, r.attributes["certificate"]
    r.levels = [int(x) for x in r.data["certificate/history/finished"]]
    if checked:
        done = run(["check", out])
        assert done.returncode == 0 and "verified: " in done.stdout and (" planes" in done.stdout) == ("table" in r.certificate), done
    return r


# ---- cells, as share/doc/formats.md tells them --------------------------------------------------------------------------


def skip(data, at, n):
    """Behind a record of n variables."""
    left = 1
    while left:
        tag, left = data[at:at + 1], left - 1
        if tag == b"S":
            assert data[at + 1] < n, (at, data[at + 1])
            at, left = at + 2, left + 2
        elif tag == b"L": at += 1 + n
        else:
            assert tag in (b"C", b"M"), (at, tag)
            at, left = at + (1 + n if tag == b"C" else 2 + data[at + 1] * n) + 2 * n, left + 1
    return at


def planes(r, late, roots=1):
    """A tuple of arrays a plane: readout, lower and upper ends [D] of its cell, c, g [D]; all bytes are read."""
    data, ends, out, at = r.data["certificate/cells"].tobytes(), r.data["certificate/axis_range"], [], 0
    D = len(ends)
    for root in range(roots):
        stack = [(ends[:, 0], ends[:, 1])]
        while stack:
            lower, upper = stack.pop()
            kind, at = data[at], at + 1
            assert kind <= 3, (at, kind)
            if kind & 1:
                c, *g = struct.unpack_from("<%dd" % (D + 1), data, at)
                out.append((root, lower, upper, c, np.array(g)))
                at = skip(data, at + 8 * (D + 1), D + late)
            if kind & 2:
                a, at = data[at], at + 1
                middle = 0.5 * lower + 0.5 * upper
                stack += [(np.where(np.arange(D) == a, middle, lower), upper), (lower, np.where(np.arange(D) == a, middle, upper))]
    assert at == len(data), (at, len(data))
    return [np.array(column) for column in zip(*out)]


def rest(p, t, axes, readout):
    """J_t of points [B, D + late]: tokens before layer t, then numbers of layers from t on, then those of a trained readout; by its definition."""
    D, q, d = len(axes), oracle.matrices(p)[1], p["dim"]
    controls, contexts = (p["horizon"] - t) * q, [oracle.unquantized(c)[0] for c in oracle.contexts({**p, "atoms": 0})]

    def J(x):
        late = x[:, D:]
        total = p["step"] * p["weight_decay"] / 2 * (late[:, :controls] ** 2).sum(1)
        for s, c in enumerate(contexts):
            z = np.zeros((len(x), len(c["positions"]), d))
            for a, (of, token, component) in enumerate(axes):
                if of == s: z[:, token, component] = x[:, a]
            for i in range(p["horizon"] - t):
                z = oracle.layer(p, z, c["positions"], c["masses"], late[:, i * q:(i + 1) * q])
            total = total + terminal(p, c, z, readout, late[:, controls:])
        return total
    return J


def before(p, t, axes, x):
    """Decay of early controls x [B, t q], and z_t [B, D]."""
    q, z = oracle.matrices(p)[1], []
    for c in oracle.contexts({**p, "atoms": 0}):
        c, tokens = oracle.unquantized(c)
        tokens = np.repeat(tokens[None], len(x), 0)
        for i in range(t):
            tokens = oracle.layer(p, tokens, c["positions"], c["masses"], x[:, i * q:(i + 1) * q])
        z.append(tokens)
    return p["step"] * p["weight_decay"] / 2 * (x**2).sum(1), np.stack([z[s][:, token, component] for s, token, component in axes], 1)


def minorants():
    """J_t is above every plane by a twentieth of the gap (for other programs' enclosures) at points of its cell by chance, and where random steps lead down from the least of these; of some plane by no
    more than the gap. The tree says that for all early controls the highest plane of the cells that z_t is in, with their decay, is at least lower: so at those of `found` it is within the gap of W_t."""
    for name, t, gap in (("squares", 2, 0.1), ("classes", 2, 0.3), ("squares", 1, 0.5)):
        p, draw = THREE[name], np.random.default_rng(7)
        with tempfile.TemporaryDirectory(prefix="bf_certify_") as folder:
            r = certify(write(p, folder), "-gap", gap, "-table", t)
        low, found, axes, early, (lower, upper) = r.certificate["lower"], r.certificate["found"], r.data["certificate/axes"], t * oracle.matrices(p)[1], ranges(p)
        assert r.certificate["table"] == t and axes.tolist() == [[0, 0, 0], [0, 1, 0]] and 0 < found - low <= gap * found * (1 + 1e-9), (axes, r.certificate)
        _, bottom, top, c, g = planes(r, sum(r.data["certificate/free"] >= early))
        J, count, D, K = rest(p, t, axes, oracle.readouts(p)[0] if p["readout"] else None), len(c), len(axes), 16
        first, last = (np.concatenate([cell, np.tile(end[early:], (count, 1))], 1) for cell, end in ((bottom, lower), (top, upper)))
        x = draw.uniform(np.repeat(first, K, 0), np.repeat(last, K, 0))
        side = draw.uniform(size=x.shape)
        x = np.where(side < 0.1, np.repeat(first, K, 0), np.where(side > 0.9, np.repeat(last, K, 0), x))

        def above(x, n=np.arange(count)):
            return J(x) - c[n] - (g[n] * x[:, :D]).sum(1)
        each = above(x, np.repeat(np.arange(count), K)).reshape(count, K)
        _, least = descend(above, x.reshape(count, K, -1)[np.arange(count), each.argmin(1)], first, last)
        assert each.min() >= least.min() >= 0.05 * (found - low) * (1 - 1e-9) and least.min() < found - low and count > 40, (name, t, least.min(), found - low)

        def proved(x):
            decay, z = before(p, t, axes, x)
            return decay + np.where(((z[:, None] >= bottom) & (z[:, None] <= top)).all(2), c + z @ g.T, -np.inf).max(1)
        x = draw.uniform(lower[:early], upper[:early], (4000, early))
        _, bound = descend(proved, x[np.argsort(proved(x))[:50]], lower[:early], upper[:early])
        at = proved(r.data["rollout/controls"].ravel()[None, :early])[0]
        assert proved(x).min() >= bound.min() >= low and low <= at <= found, (name, t, bound.min(), at, low, found)


def same():
    """With a table before any layer and without one: the gap that was asked for, and no bound above what another has found."""
    for p, gap, tables in ((THREE["squares"], 0.5, (0, 1, 2)), (THREE["squares"], 0.05, (0, 2)), (THREE["classes"], 0.4, (0, 2)), (FOUR, 0.5, (0, 3))):
        with tempfile.TemporaryDirectory(prefix="bf_certify_") as folder:
            line = write(p, folder)
            # of four layers a search over all controls proves what the whole box tells
            all_ = {t: certify(line, "-gap", gap, "-table", t, *(["-boxes", 20000] if (p is FOUR) > t else [])) for t in tables}
        for t, r in all_.items():
            assert r.certificate.get("table", 0) == t and r.certificate["format"] == (5 if t else 2) and ("table: before layer %d, where tokens have 2 numbers" % t in r.text) == (t > 0), (t, r.certificate)
            assert (p is FOUR) > t or r.certificate["gap"] <= gap * (1 + 1e-9), (t, r.certificate)
            assert all(r.certificate["lower"] <= other.certificate["found"] for other in all_.values()), {t: r.certificate for t, r in all_.items()}


def kinds():
    """Readouts that are decided on (each has cells of its own) or trained, two sequences, a mask, heads, norms, the sphere, a feed-forward part, no residual (cells about 0); planes are below J_t, `check` proves all of it once more."""
    for place, (name, p) in enumerate(KINDS.items()):
        if QUICK and (p["dim"] > 1 or place % 2): continue
        with tempfile.TemporaryDirectory(prefix="bf_certify_") as folder:
            r = certify(write(p, folder), "-gap", 0.5, "-table", 1, "-boxes", 100000)
        c, axes, (lower, upper), D = r.certificate, r.data["certificate/axes"], ranges(p), len({tuple(row[3]) for row in p["rows"]}) * p["dim"]
        assert c["table"] == 1 and c["gap"] <= 0.5 * (1 + 1e-9) and len(axes) == D == len({tuple(axis) for axis in axes}), (name, c, axes)
        early, roots = oracle.matrices(p)[1], 2 if p["readout"]["kind"] == "decision" else 1
        root, bottom, top, constant, g = planes(r, sum(r.data["certificate/free"] >= early), roots)
        assert set(root) == set(range(roots)), name
        for i in range(roots):
            first, last = (np.concatenate([cell[root == i], np.tile(end[early:], (sum(root == i), 1))], 1) for cell, end in ((bottom, lower), (top, upper)))
            J = rest(p, 1, axes, None if p["readout"]["kind"] == "trained" else oracle.readouts(p)[i])
            _, least = descend(lambda x: J(x) - constant[root == i] - (g[root == i] * x[:, :D]).sum(1), np.random.default_rng(6).uniform(first, last), first, last, 100)  # noqa: B023
            assert least.min() >= 0.05 * (c["found"] - c["lower"]) * (1 - 1e-9), (name, i, least.min(), c)
        assert not r.data["certificate/halved"][r.data["certificate/free"] >= early].any(), (name, r.data["certificate/halved"])
        # z_1 is in the root cell for all early controls
        _, z = before(p, 1, axes, np.random.default_rng(2).uniform(lower[:early], upper[:early], (2000, early)))
        assert (r.data["certificate/axis_range"][:, 0] <= z.min(0)).all() and (z.max(0) <= r.data["certificate/axis_range"][:, 1]).all(), (name, z.min(0), z.max(0))
        x = np.random.default_rng(4).uniform(lower, upper, (2000, len(lower)))
        assert descend(lambda x: cost(p, x), x[np.argsort(cost(p, x))[:20]], lower, upper)[1].min() >= c["lower"], (name, c)


def on_ranks():
    """The tree, the cells, their planes' proofs, how many boxes each level took: the same bits on any ranks, where a budget ends a level or rounds of tasks are bounded, too."""
    for p, options in ((FOUR, ["-gap", 0.5]), (THREE["squares"], ["-gap", 0.1, "-boxes", 4000, "-width", 3]), (KINDS["a decision"], ["-gap", 0.1]))[1 if QUICK else 0:]:
        with tempfile.TemporaryDirectory(prefix="bf_certify_") as folder:
            line = [*write(p, folder), "-table", p["horizon"] - 1, *options]
            whole = certify(line, checked="-width" in options)
            assert whole.certificate["table"] == p["horizon"] - 1 and len(whole.data["certificate/cells"]) > 1000 and ("width" in whole.certificate) == ("-width" in options), whole.certificate
            assert whole.levels[-1] == ("-boxes" not in options), whole.levels
            for ranks in (3,) if QUICK else (2, 3):
                assert answer(whole) == answer(certify(line, checked=0, ranks=ranks)), (ranks, options)


def stopped():
    """-maxh on other ranks at every start, then kill -9: the same, from checkpoints with planes that are proved, and with cells of a level that is over."""
    draw, seen = random.Random(5), {"proofs": 0, "kept_cells": 0}
    with tempfile.TemporaryDirectory(prefix="bf_certify_") as folder:
        # a budget that does not end it: from rung to rung, the last in many pieces
        given, out = [*write(THREE["squares"], folder), "-gap", 0.03, "-table", 2, "-boxes", 400000], os.path.join(folder, "stopped.h5")
        whole = answer(certify(given, checked=0))
        line = ["certify", *given, "-o", out, "-overwrite", "-restart", "auto", "-checkpoint_interval", 0]
        for i in range(9):
            done = run([*line, "-maxh", 1e-9] if i % 3 else ["certify", *given, "-o", out, "-overwrite", "-restart", "auto", "-maxh", 1e-9], 1 + i % 3)
            assert done.returncode == 75 and "go on with: bellformer certify -restart" in done.stderr, (i, done)
            last = max(name for name in os.listdir(out + ".checkpoint") if name.endswith(".h5"))
            with h5py.File(os.path.join(out + ".checkpoint", last)) as f:
                f.visititems(lambda name, item: seen.update({key: max(seen[key], item.size) for key in seen if name.endswith("partial/" + key)}))
            if min(seen.values()) > 0 and i > 2: break
        assert min(seen.values()) > 0, seen
        for _ in range(1 if QUICK else 4):
            process = subprocess.Popen([str(x) for x in [BELLFORMER, *line]], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            time.sleep(draw.uniform(0.05, 0.4))
            process.send_signal(signal.SIGKILL)
            process.communicate()
        done = run(line, 2)
        assert done.returncode == 0, done
        assert answer(Result(out)) == whole
        assert not os.path.exists(out + ".checkpoint")


def one_quantity():
    """Axes that are one quantity whatever controls are, which the search takes as independent and `check` as one: of the first token that sequences share under a causal mask, of equal tokens there."""
    shared = [(s, n, s, [z]) for s, pair in enumerate(((-0.7, 0.4), (-0.7, 0.1))) for n, z in enumerate(pair)]
    equal = [(0, n, label, [z]) for n, (label, z) in enumerate(((0, -0.2), (1, -0.2), (1, -0.22)))]
    for rows, axes in ((shared, 4), (equal, 3)):
        with tempfile.TemporaryDirectory(prefix="bf_certify_") as folder:
            p = problem(**{**TWO, **CLASSES, "readout": FIXED, "rows": rows, "mask": "causal"})
            r = certify([*write(p, folder), "-gap", 0.3, "-table", 1])
        assert r.certificate["table"] == 1 and len(r.data["certificate/axes"]) == axes, (rows, r.certificate, r.data["certificate/axes"])


def stuck():
    """Where a box becomes a point with a table, and then without one, that is the end. (Costs near a million: the gap is below roundings.)"""
    p = problem(**TWO, rows=[(0, 0, (1000.5,), [-0.7]), (0, 1, (-999.3,), [0.4])], targets=True)
    with tempfile.TemporaryDirectory(prefix="bf_certify_") as folder:
        r = certify([*write(p, folder), "-gap", 0, "-table", 1, "-boxes", 10**6])
    assert "a box became a point: roundings are in the way of a smaller gap" in r.text and r.certificate["boxes"] < 10**5 and len(r.levels) < 40, (r.text, r.certificate)


def spent():
    """A budget that ends before a table tells anything leaves the whole box as it is; one that ends a later level, what the last one has proved: exit code 0, a bound that holds."""
    p = THREE["squares"]
    with tempfile.TemporaryDirectory(prefix="bf_certify_") as folder:
        line = [*write(p, folder), "-gap", 0.05, "-table", 2]
        rows = [certify(line, "-boxes", boxes) for boxes in (1, 100, 5000, 10000)]
    for boxes, r in zip((1, 100, 5000, 10000), rows):
        c = r.certificate
        told = ("format" in c and c["format"], c.get("table"), "certificate/cells" in r.data)
        assert told in ((2, None, False), (5, 2, True)) and 0 <= c["lower"] <= rows[-1].certificate["found"] and c["boxes"] <= 3 * boxes + 20000, (boxes, c)
        assert r.levels[-1] == 0 and (sum(r.levels) > 0) == (told[0] == 5), (boxes, r.levels)
    assert [r.certificate["format"] for r in rows][::3] == [2, 5], [r.certificate for r in rows]


def refusals():
    """One line, exit code 2: a layer that is none, tokens of too many numbers or of none, too many numbers behind them."""
    line = lambda **change: problem(**{**TWO, **CLASSES, "readout": FIXED, **change})  # noqa: E731
    deep = dict(dim=2, lower=[-2] * 2, upper=[2] * 2, cells=[2] * 2, weight_decay=2**-6, terminal="token_cross_entropy", readout=READOUT)
    diagonal = {name: {"form": "diagonal", "range": [-2, 2], "levels": 2} for name in "AV"}
    trials = [(line(), 2, "-table must be below horizon, which is 2, got 2"), (line(), -2, "-table"), (line(), "x", "-table"),
              (problem(rows=sequences(1, 7), horizon=2, control=scalars(2), **deep), 1, ": no table before layer 1: tokens have 14 numbers there, at most 12 can be"),
              (line(readout={"kind": "trained", "matrix": {"range": [-2, 2]}}, control={"A": fixed([1]), "V": fixed([1])}), 1, ": no table before layer 1: no number of tokens there depends on controls and counts"),
              (problem(rows=sequences(1, 6), horizon=63, control=diagonal, **deep), 1, ": no table before layer 1: too many numbers are behind it")]
    with tempfile.TemporaryDirectory(prefix="bf_certify_") as folder:
        out = os.path.join(folder, "c.h5")
        for p, t, told in trials:
            path = oracle.write(p, folder)
            done = run(["certify", path, "-table", t, "-o", out])
            assert done.returncode == 2 and told in done.stderr and len(done.stderr.splitlines()) == 1 and not os.path.exists(out), (told, done)


def chosen():
    """Without -table one before the last layer is tried behind 262,144 boxes without, for the same target; not with -table 0, where rungs follow."""
    p, gap = {**FOUR, "weight_decay": 2**-5, "control": scalars(1.2)}, 0.08
    with tempfile.TemporaryDirectory(prefix="bf_certify_") as folder:
        line = write(p, folder)
        for t, options in ((3, ["-table", -1]), (None, ["-table", 0])):
            r = certify(line, "-gap", gap, *options, checked=0)
            history = {name: r.data["certificate/history/" + name] for name in ("target", "boxes", "lower")}
            assert r.levels[:2] == [0, 1] and 2**18 <= history["boxes"][0] < 2**18 + 2**12 and history["lower"][0] == -np.inf, (t, r.levels, history)
            assert (history["target"][1] == history["target"][0]) == (t == 3) and r.certificate.get("table") == t and r.certificate["gap"] <= gap * (1 + 1e-9), (t, history, r.certificate)
            if t: assert history["boxes"][1] < 2**18 + 2**16 and len(r.levels) == 2, history
        c, easy = r.certificate, certify(line, "-gap", 0.5, checked=0).certificate  # what is over within these boxes needs none
        assert "table" not in easy and easy["boxes"] < 2**18 and easy["lower"] <= c["found"], easy


tap([("minorants", minorants), ("with a table and without", same), ("kinds", kinds), ("one quantity", one_quantity), ("ranks", on_ranks), ("stops and kills", stopped), ("roundings", stuck), ("a budget that is spent", spent), ("refusals", refusals),
     *([] if QUICK else [("the table that is tried", chosen)])])
