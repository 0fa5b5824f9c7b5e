"""Boxes that are halved at logits: fewer of them, the same bounds; the ranges hold what logits are; the least of J is that of a closed form."""
import os
import sys
import tempfile

import h5py
import numpy as np

from certify_cases import CASES, WIDE, certify, cost, ranges
import oracle
from harness import Result, run, tap
from oracle import problem

QUICK = "quick" in sys.argv  # under sanitizers: one layer, the wider gap
MOST = 2000 if QUICK else 20000  # boxes
LOGITS = {name: p for name, p in CASES.items() if name.startswith("logits") and (p["horizon"] == 1 or not QUICK)}


def sooner():
    """Within boxes that do not suffice without; neither bounds more than what the other has found."""
    for name, p in LOGITS.items():
        r, without = certify(p, "-gap", 0.02), certify(p, "-gap", 0.02, "-logits", 0, "-boxes", MOST)
        assert "certificate/logits" in r.data and r.certificate["format"] == 4 and "logits: %d differences" % len(r.data["certificate/logits"]) in r.text, name
        assert "certificate/logits" not in without.data and without.certificate["format"] == 2, name
        assert r.certificate["boxes"] < MOST and r.certificate["gap"] < 0.0201 < without.certificate["gap"], (name, r.certificate, without.certificate)
        assert r.certificate["lower"] <= without.certificate["found"] and without.certificate["lower"] <= r.certificate["found"], name


def see(p, z, position):
    """N(z) + e_p of tokens [B, N, d]."""
    e = np.zeros_like(z) if p["encoding"] is None else np.reshape(p["encoding"], (-1, p["dim"]))[position]
    return z / np.sqrt((z**2).mean(2, keepdims=True) + 1e-5) + e if p["norm"] == "rms" else z + e


def hold():
    """delta = beta <A^T s_i, s_j - s_i> at controls by chance, by its definition."""
    draw = np.random.default_rng(8)
    for name, p in LOGITS.items():
        r, q, d, (lower, upper) = certify(p, "-gap", 0.5), oracle.matrices(p)[1], p["dim"], ranges(p)
        x = np.where(draw.uniform(size=(4000, len(lower))) < 0.5, draw.uniform(lower, upper, (4000, len(lower))), np.where(draw.uniform(size=(4000, len(lower))) < 0.5, lower, upper))
        seen = []
        for (s, layer, h, i, j), (low, high) in zip(r.data["certificate/logits"], r.data["certificate/logit_range"]):
            c, z = oracle.unquantized(oracle.contexts({**p, "atoms": 0})[s])
            z = np.repeat(z[None], len(x), 0)
            for t in range(layer):
                z = oracle.layer(p, z, c["positions"], c["masses"], x[:, t * q:(t + 1) * q])
            A, saw = x[:, layer * q:layer * q + d * d].reshape(-1, d, d), see(p, z, c["positions"])
            delta = p["beta"] * np.einsum("na,nab,nb->n", saw[:, i], A, saw[:, j] - saw[:, i])
            assert h == 0 and low <= delta.min() and delta.max() <= high, (name, s, layer, i, j, low, delta.min(), delta.max(), high)
            assert high - low < 4 * (delta.max() - delta.min()) and (p["mask"] == "full" or j < i), (name, low, high, delta.min(), delta.max())
            seen.append((s, layer, i, j))
        assert len(set(seen)) == len(seen), seen


def closed_form():
    """One logit, delta, of a causal pair decides: the least |A|^2 with <A^T s, z - s> = delta is delta^2 / (|s|^2 |z - s|^2), and the least of J that over delta."""
    rows = [(0, 0, (0.0, 0.0, 0.0), (0.5, -1.0, 0.25)), (0, 1, (-0.5, -0.75, 0.5), (-1.0, 0.5, 0.75))]
    p = problem(rows=rows, horizon=1, step=1.0, residual=0, mask="causal", **{**WIDE, "control": {**WIDE["control"], "V": {"form": "fixed", "value": np.eye(3).ravel().tolist()}}, "weight_decay": 0.01})
    z, y = np.array([row[3] for row in rows]), np.array([row[2] for row in rows])
    delta = np.linspace(-8, 8, 400001)
    share = 1 / (1 + np.exp(-delta))  # of the first token, as the second sees it
    moved = z[1] + share[:, None] * (z[0] - z[1])
    J = (((z[0] - y[0]) ** 2).sum() + ((moved - y[1]) ** 2).sum(1)) / 2 + 0.005 * delta**2 / ((z[1] @ z[1]) * ((z[0] - z[1]) @ (z[0] - z[1])))
    r = certify(p, "-gap", 1e-4)
    c, least = r.certificate, J.min()
    A = np.outer(z[1], z[0] - z[1]) * delta[J.argmin()] / ((z[1] @ z[1]) * ((z[0] - z[1]) @ (z[0] - z[1])))
    assert np.abs(A).max() < 2 and abs(cost(p, A.ravel()[None])[0] - least) < 1e-12, A  # inside of the box
    assert len(r.data["certificate/logits"]) == 1 and list(r.data["certificate/logits"][0]) == [0, 0, 0, 1, 0], r.data["certificate/logits"]
    assert c["lower"] <= least <= c["found"] + 1e-9 and c["gap"] <= 1.0001e-4 and c["boxes"] < 500, (c, least)


def verified():
    """`check` proves it again by forms of its own, at several gaps; tokens that are alike, masses, two heads, a readout that is decided on."""
    (a, b, c), y = ([0.5, -1.0, 0.25], [-1.0, 0.5, 0.75], [0.3, 0.8, -0.6]), (0.25, 0.5, -0.5)
    alike = [(0, n, y, z) for n, z in enumerate((a, b, a, a))]
    wide = {**WIDE, "targets": False, "terminal": "pooled_cross_entropy"}
    trials = [*LOGITS.values(), problem(rows=alike, horizon=1, **WIDE), problem(rows=[(0, 0, y, z) for z in (a, b, b)], horizon=2, step=0.5, **WIDE),
              problem(rows=[(0, 0, y, a), (0, 1, y, b)], horizon=1, heads=2, norm="layer", **WIDE),
              problem(rows=[(0, 0, 0, a), (0, 1, 0, b), (1, 0, 1, c), (1, 1, 1, a)], horizon=1, mask="causal",
                      readout={"kind": "decision", "classes": 2, "matrix": [2, 0, 0, -2, 0, 0, 0, 2, 0, 0, -2, 0]}, **wide)]
    with tempfile.TemporaryDirectory(prefix="bf_certify_") as folder:
        out = os.path.join(folder, "c.h5")
        for i, (p, gap) in enumerate((p, gap) for p in trials for gap in ((0.3,) if QUICK else (0.3, 0.05))):
            path = oracle.write(p, folder)
            assert run(["certify", path, "-gap", gap, "-boxes", 4000, "-o", out, "-overwrite"]).returncode == 0
            assert "certificate/logits" in Result(out).data, i
            done = run(["check", out], 1 + i % 2)
            assert done.returncode == 0 and "verified" in done.stdout, (i, done)


def slivers():
    """Where a logit's interval touches the end of what numbers say, boxes of numbers become a few doubles: the search goes on, and ends."""
    control = {name: {"form": form, "range": [-2, 2], "levels": 1} for name, form in (("A", "full"), ("V", "scalar"))}
    p = problem(rows=[(0, 0, (1.0, 1.0), (0.5, -1.0)), (0, 1, (0.0, -1.0), (-0.7, 0.4))], targets=True, horizon=1, step=1.0, heads=2, lower=[-2] * 2, upper=[2] * 2, cells=[2] * 2,
                weight_decay=2**-6, control=control)
    controls = [0.9245251179848218, -1.0786125432587361, -1.0337078565724294, 1.2059926783114283, -2.0, 0.9245249655051782, -1.0786125973954803, -1.0337079606719524, 1.2059927827024466, -2.0]
    with tempfile.TemporaryDirectory(prefix="bf_certify_") as folder:
        path, found, out = oracle.write(p, folder), os.path.join(folder, "found.h5"), os.path.join(folder, "c.h5")
        with h5py.File(found, "w") as f:
            f["rollout/controls"] = [controls]
        done = run(["certify", path, "-found", found, "-gap", 0.05, "-boxes", MOST, "-o", out])
        assert done.returncode == 0 and Result(out).attributes["certificate"]["boxes"] >= MOST, done
        assert run(["check", out]).returncode == 0


def left_out():
    """Where A has no more numbers than there are logits, or where these may be the same function, boxes are those of before."""
    a, b, c = [0.5, -1.0, 0.25], [-1.0, 0.5, 0.75], [0.3, 0.8, -0.6]
    same = [problem(rows=[(s, n, (s, 0.0, 1.0), z) for s, pair in enumerate(pairs) for n, z in enumerate(pair)], horizon=1, mask=mask, **WIDE)
            for mask, pairs in (("full", ((a, b), (b, a))), ("causal", ((a, a, c),)), ("causal", ((a, c, a),)))]
    same.append(problem(rows=[(0, 0, (0, 0.0, 1.0), a), (0, 1, (1, 0.0, 1.0), a)], horizon=2, encoding=[0.1, 0, 0.2, 0.4, 0.2, -0.3], **WIDE))
    with tempfile.TemporaryDirectory(prefix="bf_certify_") as folder:
        for name, told, options in (("a pair on a line", False, []), ("logits, two sequences", True, []), ("logits, two sequences", False, ["-logits", 0])):
            done = run(["info", oracle.write(CASES[name], folder), "-command", "certify", *options])
            assert done.returncode == 0 and ("boxes are halved at 4 differences of logits, too" in done.stdout) == told, (name, done)
        for p in same:
            done = run(["info", oracle.write(p, folder), "-command", "certify"])
            assert done.returncode == 0 and "differences of logits" not in done.stdout, done
        for options, told in (([], False), (["-logits", 0], True)):  # 20 numbers; 4 logits and 2 of V
            done = run(["info", oracle.write(CASES["logits, two layers"], folder), "-command", "certify", *options])
            assert done.returncode == 0 and ("12 to 16 free numbers over wide ranges are out of reach" in done.stdout) == told, done


tap([("sooner", sooner), ("ranges", hold), ("a closed form", closed_form), ("checked", verified), ("slivers", slivers), ("where there are none", left_out)])
