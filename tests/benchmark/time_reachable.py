#!/usr/bin/env python3
"""The reachable space on asy26-toy, tokens not quantized: microseconds a (sequence of 4 tokens, layer) evaluation, and K = 3000,
nine million two-layer models; beside it a plain numpy loop, as a researcher would write it."""
import os
import re
import subprocess
import time

import numpy as np

from verdict import end, verdict

BELLFORMER, PROBLEMS = os.environ["BELLFORMER"], os.environ["BELLFORMER_PROBLEMS"]
TOY = os.path.join(PROBLEMS, "asy26-toy", "asy26-toy.yaml")
SEQUENCES = 35


def bellformer(count, ranks):
    """(wall seconds, mean seconds of expansion over ranks, best loss)"""
    begin = time.perf_counter()
    out = subprocess.run(["mpirun", "-n", str(ranks), BELLFORMER, "solve", TOY, "-action_count", str(count)],
                         capture_output=True, text=True, check=True).stdout
    wall = time.perf_counter() - begin
    return (wall, float(re.search(r"expand +[0-9.]+ +([0-9.]+)", out).group(1)),
            float(re.search(r"\nquantized cost ([0-9.e+-]+)", out).group(1)))


def data():
    folder = os.path.dirname(TOY)
    table = np.genfromtxt(os.path.join(folder, "train.csv"), delimiter=",", names=True)
    z = np.stack([table["z0"], table["z1"]], 1).reshape(SEQUENCES, 4, 2)
    y = np.stack([table["y0"], table["y1"]], 1).reshape(SEQUENCES, 4, 2)
    return z, y


def layer(z, u):
    A, V, W1, W2 = (u[i:i + 4].reshape(2, 2) for i in (0, 4, 8, 14))
    b1, b2 = u[12:14], u[18:20]
    k = np.exp(0.5 * z @ A @ z.T)
    attention = (k @ z) / k.sum(1, keepdims=True) @ V.T
    return np.clip(attention + np.maximum(z @ W1.T + b1, 0) @ W2.T + b2, -4, 4)


def python_loop(U):
    """All pairs of layers, one sequence after the other. (seconds, best loss)"""
    z, y = data()
    begin, best = time.perf_counter(), np.inf
    for first in U:
        middle = [layer(x, first) for x in z]
        for second in U:
            loss = sum(((layer(x, second) - t) ** 2).sum() for x, t in zip(middle, y)) / (4 * SEQUENCES)
            best = min(best, loss)
    return time.perf_counter() - begin, best


def controls(count):
    """The first of the problem's sampled controls, from a result file."""
    import tempfile

    import h5py
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "run.h5")
        subprocess.run([BELLFORMER, "solve", TOY, "-action_count", str(count), "-o", out, "-quiet"], check=True)
        with h5py.File(out) as f:
            return f["actions/controls"][()]


def evaluations(K):
    return SEQUENCES * (K + K * K)


K = 10
seconds, best = python_loop(controls(K))
plain = seconds / evaluations(K) * 1e6
ours = bellformer(K, 1)
print("numpy loop, K = %d: %.3g s, %.3g us an evaluation; best loss %.10g, bellformer %.10g" % (K, seconds, plain, best, ours[2]))
for K in (100, 1000):
    wall, expand, _ = min(bellformer(K, 1) for _ in range(3))
    each = expand / evaluations(K) * 1e6
    print("bellformer, K = %d, one core: %.3g s to expand, %.0f times as fast as the numpy loop" % (K, expand, plain / each))
    verdict("us a (sequence, layer) evaluation", each, 0.25, False, "us")
print("  bound by arithmetic: 12 exp, 8 divisions and some 400 multiplications and additions an evaluation, in lanes of 8")
wall, expand, loss = bellformer(3000, 2)
print("bellformer, K = 3000, two ranks: best loss of %d two-layer models %.10g; numpy would take %.2g h" %
      (3000**2, loss, plain * evaluations(3000) / 3.6e9))
verdict("seconds in all", wall, 120, False, "s")
end()
