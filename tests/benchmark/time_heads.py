#!/usr/bin/env python3
"""A gradient of the risk of 1024 heads a layer against PyTorch's autograd and against numpy, on the same data and heads, one thread each, in
turns, and what a logit (head, query, key) takes; two ranks against one, over heads and over sequences. Argument: time_law."""
import os
import re
import subprocess
import sys
import tempfile
import time

import numpy as np

from verdict import end, verdict

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "heads"))
import initial  # noqa: E402

try:
    import torch
except ImportError:
    torch = None

TIME_LAW, H, STEP, R = os.path.abspath(sys.argv[1]), 1024, 0.0625, np.array([[1.0, 0.0], [-1.0, 0.0]])


def write(folder, S, N, T):
    """Data and a problem: its path, tokens [S, N, 2], labels [S]."""
    rng = np.random.default_rng(0)
    z, label = rng.uniform(-1, 1, (S, N, 2)), np.arange(S) % 2
    with open(os.path.join(folder, "data.csv"), "w") as f:
        f.write("sequence,position,label,z0,z1\n")
        f.writelines("%d,%d,%d,%.17g,%.17g\n" % (s, i, label[s], *z[s, i]) for s in range(S) for i in range(N))
    path = os.path.join(folder, "problem.yaml")
    with open(path, "w") as f:
        f.write("""horizon: %d
step: %g
token: {dim: 2, lower: -99, upper: 99}
data: {file: data.csv}
control:
  A: {range: [-9, 9]}
  V: {range: [-9, 9]}
cost: {terminal: pooled_cross_entropy, readout: {kind: fixed, matrix: [1, 0, -1, 0]}}
heads: {count: %d, init: {kind: normal, A: 2, V: 0.5}, same: false}
""" % (T, STEP, H))
    return path, z, label


def ours(path, turns, ranks=1, parts=1):
    """Seconds forward and of a gradient; the risk, |gradient|."""
    launch = ["mpirun", "-n", str(ranks)] if ranks > 1 else []
    out = subprocess.run([*launch, TIME_LAW, path, str(parts), str(turns)], capture_output=True, text=True, check=True).stdout
    return np.array([float(x) for x in re.search(r"forward (\S+) s, gradient (\S+) s, risk (\S+), norm (\S+)", out).groups()])


def autograd(z, label, theta):
    """A function that computes the risk and its gradient."""
    u = torch.tensor(theta, requires_grad=True)
    readout, labels = torch.tensor(R), torch.tensor(label)

    def gradient():
        x = torch.tensor(z)
        for t in range(len(theta)):
            A, V = u[t, :, :4].view(H, 1, 2, 2), u[t, :, 4:].view(H, 1, 2, 2)
            mean = torch.softmax((x @ A) @ x.transpose(1, 2), dim=3) @ x
            x = x + STEP / H * (mean @ V.transpose(2, 3)).sum(0)
        loss = torch.nn.functional.cross_entropy(x.mean(1) @ readout.T, labels)
        return loss.item(), torch.autograd.grad(loss, u)[0].numpy()
    return gradient


def by_hand(z, label, theta):
    """The same in numpy, by the formulas of the adjoint."""
    S, N = z.shape[:2]

    def attend(x, A):
        logit = (x @ A) @ x.transpose(0, 2, 1)
        P = np.exp(logit - logit.max(3, keepdims=True))
        P /= P.sum(3, keepdims=True)
        return P, P @ x

    def gradient():
        T, xs, out = len(theta), [z], np.empty_like(theta)
        A, V = theta[:, :, :4].reshape(T, H, 1, 2, 2), theta[:, :, 4:].reshape(T, H, 1, 2, 2)
        for t in range(T):
            xs.append(xs[t] + STEP / H * np.einsum("hab,hsib->sia", V[t, :, 0], attend(xs[t], A[t])[1]))
        score = xs[T].mean(1) @ R.T
        pi = np.exp(score - score.max(1, keepdims=True))
        pi /= pi.sum(1, keepdims=True)
        loss = -np.log(pi[np.arange(S), label]).mean()
        pi[np.arange(S), label] -= 1
        p = np.repeat((pi @ R / S / N)[:, None], N, 1)
        for t in reversed(range(T)):
            x, w = xs[t], STEP / H
            P, mean = attend(x, A[t])
            dm = w * p @ V[t]
            dP = dm @ x.transpose(0, 2, 1)
            dl = P * (dP - (dm * mean).sum(3, keepdims=True))
            g = dl @ x
            out[t, :, :4] = np.einsum("sia,hsib->hab", x, g).reshape(H, 4)
            out[t, :, 4:] = w * np.einsum("sia,hsib->hab", p, mean).reshape(H, 4)
            p = p + (P.transpose(0, 1, 3, 2) @ dm + g @ A[t].transpose(0, 1, 3, 2) + dl.transpose(0, 1, 3, 2) @ (x @ A[t])).sum(0)
        return loss, out
    return gradient


def check(name, function, answer):
    risk, gradient = function()
    norm = np.sqrt((gradient ** 2).sum())
    assert abs(risk - answer[2]) < 1e-12 and abs(norm - answer[3]) < 1e-10 * answer[3], (name, risk, norm, answer)


def least(function, seconds=2):
    best, end = np.inf, time.perf_counter() + seconds
    while time.perf_counter() < end:
        begin = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - begin)
    return best


def compare(S, N, T, wanted):
    """T layers against the others, 16 alone."""
    with tempfile.TemporaryDirectory() as folder:
        print("%d sequences of %d tokens, d = 2, %d heads" % (S, N, H))
        path, z, label = write(folder, S, N, T)
        theta = initial.law(T, H, [-9] * 8, [9] * 8, 4, V=0.5, same=False)
        turns = 3 + int(1e8 / (T * H * S * N * N))
        best = ours(path, turns)
        for name, make, limit in (("PyTorch's autograd", autograd if torch else None, 10), ("numpy", by_hand, None)):
            if not make:
                continue
            function = make(z, label, theta)
            check(name, function, best)
            theirs = least(function)
            best = np.minimum(best, ours(path, turns))
            if limit:
                verdict("times as fast as %s" % name, theirs / best[1], limit)
            else:
                print("  %-72s %8.3g" % ("times as fast as %s" % name, theirs / best[1]))
        path = write(folder, S, N, 16)[0]
        each = 1e9 / (16 * H * S * N * N)
        turns = 3 + int(1e8 / (16 * H * S * N * N))
        one = ours(path, turns)
        verdict("T = 16: forward and adjoint, ns a logit", each * one[1], wanted, False)
        print("  %-72s %8.3g" % ("forward alone", each * one[0]))
        for parts, what in ((2, "heads"), (1, "sequences")):
            if parts == 1 and S < 2:
                continue
            two = ours(path, turns, 2, parts)
            assert (two[2:] == one[2:]).all(), (two, one)
            one = np.minimum(one, ours(path, turns))
            verdict("two ranks, over %s, times as fast as one" % what, one[1] / two[1], 1.8)


if torch:
    torch.set_num_threads(1)
else:
    print("no comparison with PyTorch, which is not there: apt-get install python3-torch, and again")
compare(1, 120, 2, 4)
compare(35, 4, 16, 8)
end()
