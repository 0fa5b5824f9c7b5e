"""Problems whose cost depends on few numbers, runs of `bellformer certify`, and its tree as share/doc/formats.md tells it."""
import os
import struct
import sys
import tempfile

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "solve"))
import oracle
from cases import READOUT, sequences, tokens, with_targets
from harness import Result, run
from oracle import problem

XOR = os.path.join(os.environ["BELLFORMER_PROBLEMS"], "xor", "xor.yaml")
FULL_A, FULL_V = {"form": "full", "range": [-2, 2], "levels": 1}, {"form": "full", "range": [-1, 1], "levels": 1}
SCALAR = {"form": "scalar", "range": [-2, 2], "levels": 3}
# A matrix A with more numbers than J sees logits of.
WIDE = dict(lower=[-2] * 3, upper=[2] * 3, dim=3, cells=[2] * 3, weight_decay=2**-8, targets=True,
            control={"A": {"form": "full", "range": [-2, 2], "levels": 1}, "V": {"form": "scalar", "range": [-2, 2], "levels": 1}})
PAIR = [(0, 0, 0, [-0.7]), (0, 1, 1, [0.4])]
LINE = dict(dim=1, lower=[-1.5], upper=[1.61], cells=[6], control={"A": SCALAR, "V": SCALAR}, weight_decay=2**-7)
CASES = {
    "a pair on a line": problem(rows=PAIR, horizon=1, terminal="token_cross_entropy", readout={"kind": "fixed", "matrix": [-3, 3], "bias": [0, 0.5]}, **LINE),
    "squared error, two sequences": problem(rows=with_targets(sequences(2, 2, seed=5)), targets=True, horizon=1, weight_decay=2**-6,
                                            control={"A": {"form": "diagonal", "range": [-2, 2], "levels": 2}, "V": SCALAR}),
    "logits, two sequences": problem(rows=with_targets(sequences(2, 2, dim=3, seed=32)), horizon=1, **WIDE),
    "logits, causal, encoded, normed": problem(rows=sequences(2, 2, dim=3, seed=9), horizon=1, mask="causal", encoding=[0.3, -0.2, 0.1, 0.4, 0.2, 0.2], norm="rms",
                                               terminal="pooled_cross_entropy", readout={"kind": "fixed", "matrix": [1, 0, -1, -1, 0.5, 0], "bias": [0, 0.5]},
                                               **{**WIDE, "targets": False}),
    "logits, two layers": problem(rows=with_targets(sequences(1, 2, dim=3, seed=42)), horizon=2, step=0.5, **WIDE),
    "hinge, causal, encoded, last": problem(rows=sequences(2, 3, seed=9), horizon=1, mask="causal", encoding=[0.3, -0.2, 0.1, 0.4, 0.2, 0.2], pooling="last",
                                            terminal="hinge", readout=READOUT, weight_decay=2**-5, control={"A": SCALAR, "V": SCALAR}),
    "a decision, sphere": problem(rows=sequences(2, 2, seed=3), horizon=1, projection="sphere", terminal="pooled_cross_entropy", weight_decay=2**-5,
                                  readout={"kind": "decision", "classes": 2, "matrix": [4, 0, -4, 0, 0, 4, 0, -4]}, control={"A": SCALAR, "V": SCALAR}),
    "the origin, which has no direction": problem(rows=[(0, 0, 0, [0.0, 0.0]), (0, 1, 1, [0.0, 0.0]), (1, 0, 1, [1.0, -1.0]), (1, 1, 0, [0.0, 1.0])], horizon=1,
                                                  residual=0, mask="causal", projection="sphere", terminal="token_cross_entropy", readout=READOUT,
                                                  weight_decay=2**-5, control={"A": SCALAR, "V": {**SCALAR, "range": [0.5, 2]}}),
    "a readout that is trained": problem(rows=sequences(2, 2, seed=4), horizon=1, terminal="pooled_cross_entropy", weight_decay=2**-5,
                                         readout={"kind": "trained", "matrix": {"range": [0, 0.5]}}, control={"A": {"form": "fixed", "value": [1, 0, 0, 1]}, "V": SCALAR}),
    "two layers, feed-forward": problem(rows=PAIR, horizon=2, feedforward="tanh", width=1, residual=1, terminal="token_cross_entropy",
                                        readout={"kind": "fixed", "matrix": [-3, 3], "bias": [0, 0.5]},
                                        **{**LINE, "control": {"A": {"form": "fixed", "value": [1]}, "V": SCALAR, "W1": {"form": "fixed", "value": [1]},
                                                               "b1": {"form": "fixed", "value": [0.5]}, "W2": SCALAR, "b2": {"form": "fixed", "value": [0]}}}),
}


def certify(p, *options, ranks=0, name="problem"):
    """The result of a problem (a dictionary, or the path of a file), and what was printed."""
    with tempfile.TemporaryDirectory(prefix="bf_certify_") as folder:
        path = oracle.write(p, folder, name) if isinstance(p, dict) else p
        out = os.path.join(folder, "run.h5")
        done = run(["certify", path, "-o", out, *options], ranks)
        assert done.returncode == 0, done.stderr + done.stdout
        result = Result(out)
        result.text, result.certificate = done.stdout, result.attributes["certificate"]
        return result


def answer(result):
    """All of a certificate that does not depend on time."""
    history = {name: data.tobytes() for name, data in result.data.items() if name.startswith("certificate/") and not name.endswith("seconds")}
    return history, {k: v if k == "says" else float(v) for k, v in result.attributes["certificate"].items()}, result.data["rollout/controls"].tobytes()


# ---- the cost, from its definition ----------------------------------------------------------------------------------


def ranges(p):
    """[T q] lower and upper ends, then those of a trained readout."""
    lower, upper = [], []
    for _, _, _, _, _, free, spec in oracle.matrices(p)[0]:
        if free:
            lower += [spec["range"][0]] * free
            upper += [spec["range"][1]] * free
    lower, upper = lower * p["horizon"], upper * p["horizon"]
    if p["readout"] and p["readout"]["kind"] == "trained":
        C = 1 + max(row[2] for row in p["rows"])
        a, b = p["readout"]["matrix"]["range"]
        lower += [a] * (C * p["dim"]) + [0] * C
        upper += [b] * (C * p["dim"]) + [0] * C
    return np.array(lower, float), np.array(upper, float)


def cost(p, x):
    """J at points x [B, numbers], the least over readouts that are decided on."""
    q, d, trained = oracle.matrices(p)[1], p["dim"], p["readout"] and p["readout"]["kind"] == "trained"
    controls = p["horizon"] * q
    J, rows = np.zeros(len(x)), oracle.contexts({**p, "atoms": 0})
    J = sum(p["step"] * p["weight_decay"] / 2 * (x[:, :controls] ** 2).sum(1, keepdims=False) for _ in (0,))
    choices = [None] if p["terminal"] == "squared_error" or trained else oracle.readouts(p)
    totals = []
    for choice in choices:
        total = np.zeros(len(x))
        for c in rows:
            c, z = oracle.unquantized(c)
            z = np.repeat(z[None], len(x), 0)
            for t in range(p["horizon"]):
                z = oracle.layer(p, z, c["positions"], c["masses"], x[:, t * q:(t + 1) * q] if q else x[:, :0])
            total = total + terminal(p, c, z, choice, x[:, controls:])
        totals.append(total)
    return J + np.min(totals, 0)


def terminal(p, c, z, readout, numbers):
    tags = np.repeat(np.arange(len(c["tags"])), np.diff(c["first"]))
    count, everyone = len(oracle.contexts(p)), len(p["rows"])
    if p["terminal"] == "squared_error":
        y = np.array([c["tags"][g][1] for g in tags])
        return ((z - y) ** 2).sum((1, 2)) / everyone
    labels = np.array([c["tags"][g][1] for g in tags])
    if p["terminal"] != "token_cross_entropy":
        kept = c["positions"] == {"last": c["positions"].max(), "first": c["positions"].min()}[p["pooling"]] if p["pooling"] != "mean" else np.ones(len(tags), bool)
        z, labels, weight = z[:, kept].mean(1)[:, None], labels[:1], count
    else:
        weight = everyone
    if readout is None:
        C = numbers.shape[1] // (p["dim"] + 1)
        R, b = numbers[:, :C * p["dim"]].reshape(-1, C, p["dim"]), numbers[:, C * p["dim"]:]
        logits = z @ np.swapaxes(R, 1, 2) + b[:, None]
    else:
        logits = z @ np.asarray(readout[0]).T + readout[1]
    own = np.take_along_axis(logits, np.broadcast_to(labels[None, :, None], logits.shape[:2] + (1,)), 2)
    if p["terminal"] == "hinge":
        margin = logits - own + 1
        np.put_along_axis(margin, np.broadcast_to(labels[None, :, None], logits.shape[:2] + (1,)), 0, 2)
        return np.maximum(margin.max(2), 0).sum(1) / weight
    return (np.log(np.exp(logits - own).sum(2))).sum(1) / weight


# ---- the tree -------------------------------------------------------------------------------------------------------


def narrow(order, lo, hi):
    """The box as far as inequalities x_k <= sign x_j leave it by its ends; None where nothing is left."""
    lo, hi, again = lo.copy(), hi.copy(), True
    while again:
        before = lo.copy(), hi.copy()
        for k, j, sign in order:
            hi[k] = min(hi[k], 0 if k == j else hi[j] if sign > 0 else -lo[j])
            if k != j and sign > 0: lo[j] = max(lo[j], lo[k])
            if k != j and sign < 0: hi[j] = min(hi[j], -lo[k])
        if (lo > hi).any(): return None
        again = (before[0] != lo).any() or (before[1] != hi).any()
    return lo, hi


def walk(result, lower, upper, roots=1):
    """(part of the volume in leaves, part cut away or excluded by inequalities, leaves, tasks) of the tree; every byte of it is read."""
    free = result.data["certificate/free"]
    numbers, tree, at = len(free), bytes(result.data["certificate/tree"]), 0
    low, high = lower[free], upper[free]
    if "certificate/logits" in result.data:
        ends = result.data["certificate/logit_range"]
        low, high = np.concatenate([low, ends[:, 0]]), np.concatenate([high, ends[:, 1]])
    n, halved, point = len(low), np.zeros(len(low), int), 3 * len(low) - 2 * numbers  # bytes of a tangent point
    order = [(row[0] - 1, abs(row[1]) - 1, np.sign(row[1])) for row in result.data.get("certificate/symmetry", ())]
    whole = np.prod(high - low)
    behind, turn = [(low, high)] * roots, []
    wide = int(result.certificate.get("width", 0))
    leaves = cut = count = tasks = 0
    while turn or behind:
        if not turn: turn, behind = behind[-wide:], behind[:-wide] if wide else []
        stack, tasks = [turn.pop(0)], tasks + 1
        while stack:
            lo, hi = stack.pop()
            volume, left = np.prod(hi - lo) / whole, narrow(order, lo, hi)
            tag = tree[at:at + 1]
            at += 1
            assert tag == b"O" or (left is None) == (tag == b"X"), (tag, at)
            if tag == b"O":
                behind.append((lo, hi))
                continue
            lo, hi = left or (lo, lo)
            cut += volume - np.prod(hi - lo) / whole
            if tag == b"S":
                k, at = tree[at], at + 1
                first, second = hi.copy(), lo.copy()
                first[k] = second[k] = 0.5 * lo[k] + 0.5 * hi[k] if k < numbers else struct.unpack("<f", tree[at:at + 4])[0]
                assert lo[k] < first[k] < hi[k], (k, lo[k], first[k], hi[k])
                at, halved[k] = at + (0 if k < numbers else 4), halved[k] + 1
                stack += [(second, hi), (lo, first)]
            elif tag in (b"C", b"M"):
                at += point if tag == b"C" else 1 + tree[at] * point
                away = np.frombuffer(tree[at:at + 2 * n], np.uint8).reshape(n, 2)
                at += 2 * n
                width = hi - lo
                stack.append((lo + width * (away[:, 0] / 256), hi - width * (away[:, 1] / 256)))
                cut += np.prod(width) / whole * (1 - np.prod(1 - away.sum(1) / 256))
            elif tag == b"L":
                at, leaves, count = at + point, leaves + np.prod(hi - lo) / whole, count + 1
            else:
                assert tag == b"X", (tag, at)
    assert at == len(tree), (at, len(tree))
    told = np.concatenate([result.data[name] for name in ("certificate/halved", "certificate/halved_logits") if name in result.data])
    assert (told == halved).all(), (told, halved)
    return leaves / roots, cut / roots, count, tasks
