#!/usr/bin/env python3
"""A gradient of the flow (J and dJ/du, T = 16 layers by Euler) against PyTorch's autograd on the same data and controls, one thread each, in
turns; what a gradient costs in forward solves; scheme layers against Euler's; starts in groups of ranks; two
ranks against one."""
import os
import re
import subprocess
import sys
import tempfile
import time

import h5py
import numpy as np

from verdict import end, verdict

try:
    import torch
except ImportError:
    torch = None

BELLFORMER, T = os.environ["BELLFORMER"], 16


def write(folder, S, N, d):
    """Data, controls and a problem file."""
    rng = np.random.default_rng(0)
    z, control = rng.uniform(-1, 1, (S, N, d)), rng.uniform(-1, 1, (T, 2 * d * d)) / np.sqrt(d)
    label, R = np.arange(S) % 2, np.zeros((2, d))
    R[:, 0] = 1, -1
    with h5py.File(os.path.join(folder, "data.h5"), "w") as f:
        f["sequence"], f["position"], f["label"] = np.repeat(np.arange(S), N), np.tile(np.arange(N), S), np.repeat(label, N)
        for a in range(d):
            f["z%d" % a] = z[:, :, a].ravel()
    with h5py.File(os.path.join(folder, "init.h5"), "w") as f:
        f["/rollout/controls"] = control
    path = os.path.join(folder, "problem.yaml")
    with open(path, "w") as f:
        f.write("""horizon: %d
step: 0.0625
token: {dim: %d, lower: %s, upper: %s}
data: {file: data.h5}
layer: {residual: 1, heads: 1}
control:
  A: {range: [-2, 2]}
  V: {range: [-2, 2]}
action: {kind: sample, count: 2}
cost: {terminal: pooled_cross_entropy, readout: {kind: fixed, matrix: %s}}
quantize: {cells: 0}
""" % (T, d, [-9] * d, [9] * d, [float(x) for x in R.ravel()]))
    return path, os.path.join(folder, "init.h5"), z, control, label, R


def ours(path, init, scheme, steps, ranks=1):
    """Seconds of a forward solve and of a gradient."""
    launch = ["mpirun", "-n", str(ranks)] if ranks > 1 else []
    count = ["-steps", str(steps)] if scheme != "layers" else []
    out = subprocess.run(launch + [BELLFORMER, "flow", path, "-init", init, "-scheme", scheme, *count, "-time_gradient"],
                         capture_output=True, text=True, check=True).stdout
    return [float(x) for x in re.search(r"forward ([0-9.e+-]+) s, gradient ([0-9.e+-]+) s", out).groups()]


def loss_of(folder, path, init):
    run = os.path.join(folder, "run.h5")
    subprocess.run([BELLFORMER, "flow", path, "-init", init, "-scheme", "euler", "-tao_max_it", "0", "-quiet", "-o", run], check=True)
    with h5py.File(run) as f:
        return float(f["flow"].attrs["cost"]), f["flow/gradient"][()]


def starts(path, group):
    """Seconds of 8 starts on two ranks, in groups of so many."""
    out = subprocess.run(["mpirun", "-n", "2", BELLFORMER, "flow", path, "-scheme", "layers", "-starts", "8", "-tao_max_it", "30", "-start_ranks",
                          str(group)], capture_output=True, text=True, check=True).stdout
    return float(re.search(r"\n  flow +[0-9.]+ +[0-9.]+ +([0-9.]+)", out).group(1))


def autograd(z, control, label, R):
    """A function that computes J and its gradient."""
    d = z.shape[2]
    z0, R, label = torch.tensor(z), torch.tensor(R), torch.tensor(label)
    u = torch.tensor(control, requires_grad=True)

    def gradient():
        x = z0
        for t in range(T):
            A, V = u[t, :d * d].view(d, d), u[t, d * d:].view(d, d)
            weight = torch.softmax((x @ A) @ x.transpose(1, 2), dim=2)
            x = x + 0.0625 * (weight @ (x @ V.T))
        J = torch.nn.functional.cross_entropy(x.mean(1) @ R.T, label)
        return J, torch.autograd.grad(J, u)[0]
    return gradient


def least(function, seconds=2):
    best, end = np.inf, time.perf_counter() + seconds
    while time.perf_counter() < end:
        begin = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - begin)
    return best


def compare(S, N, d, wanted):
    with tempfile.TemporaryDirectory() as folder:
        path, init, z, control, label, R = write(folder, S, N, d)
        print("%d sequences of %d tokens, d = %d, T = %d" % (S, N, d, T))
        best = ours(path, init, "euler", 1)
        if torch:
            torch.set_num_threads(1)
            function = autograd(z, control, label, R)
            J, g = function()
            mine, gradient = loss_of(folder, path, init)
            assert abs(J.item() - mine) < 1e-12 and np.abs(g.numpy() - gradient).max() < 1e-10 * np.abs(gradient).max(), (J.item(), mine)
            theirs = min(least(function), least(function))
            best = np.minimum(best, ours(path, init, "euler", 1))
            print("  a gradient: PyTorch %.4g s, bellformer %.4g s" % (theirs, best[1]))
            verdict("times as fast as PyTorch's autograd", theirs / best[1], wanted)
        for scheme in ("euler", "rk4"):
            forward, with_gradient = ours(path, init, scheme, 1)
            verdict("%s: adjoint solve, in forward solves" % scheme, (with_gradient - forward) / forward, 3, False)
            print("  %-72s %8.3g" % ("%s: forward and adjoint together, in forward solves" % scheme, with_gradient / forward))
        turns = np.min([[ours(path, init, scheme, 1)[1] for scheme in ("layers", "euler")] for _ in range(4)], axis=0)
        verdict("a gradient of layers, times as fast as Euler's", turns[1] / turns[0], 0.9)
        alone, together = np.min([[starts(path, group) for group in (1, 2)] for _ in range(3)], axis=0)
        print("  8 starts: groups of one rank %.3g s, one group of two %.3g s" % (alone, together))
        verdict("8 starts on two ranks in groups of one, times as fast as in one group", together / alone, 1)
        if N * d >= 256:
            one, two = ours(path, init, "euler", 1)[1], ours(path, init, "euler", 1, 2)[1]
            verdict("two ranks, times as fast as one", one / two, 1.8)


if not torch:
    print("no comparison with PyTorch, which is not there: apt-get install python3-torch, and again")
compare(35, 4, 2, 5)
compare(256, 64, 16, 1)
end()
