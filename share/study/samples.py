#!/usr/bin/env python3
"""Samples: empirical against population risk, where the law is known.

usage: samples.py FOLDER

Sequences of three tokens in Z = [-2, 2]^2, independent: a label 0 or 1 with probability 1/2, tokens normal of deviation 0.8 around (-0.5, 0.3) or
(0.5, -0.3), clipped to Z. The class: T = 2 layers out of K = 64 sampled controls. The model: the dynamic program's, trained on 64
sequences. Its risk on N sequences is off by the order N^-1/2; so is the largest error over (32 members drawn from) the class, which the bound for
finite classes B sqrt((T log K + log(2 / delta)) / (2 N)) holds above, and over the box of controls the metric-entropy bound
min over r of 2 Lip r + B sqrt((T q log(1 + D / r) + log(2 / delta)) / (2 N)), D the box's diameter, Lip the largest |dJ/du| measured over the
members (a measured number, no proof). B = log(1 + e^s), s the largest difference of logits on Z. delta = 0.05.
"""
import os

from runs import Study, arguments, axes, rate, series
import h5py
import numpy as np


R, HALF, T, K, DELTA = np.array([[1.0, -0.5], [-1.0, 0.5]]), 2.0, 2, 64, 0.05
PROBLEM = """# Two classes of normal tokens, for a study of sample sizes.
name: samples
horizon: %d
step: 0.5
token: {dim: 2, lower: [-2, -2], upper: [2, 2], projection: clip}
data: {file: %s}
layer: {residual: 1, heads: 1, feedforward: tanh, width: 2}
control:
  A: {form: scalar, range: [-2, 2]}
  V: {form: scalar, range: [-1, 1]}
  W1: {range: [-2, 2]}
  b1: {range: [-1, 1]}
  W2: {range: [-1, 1]}
  b2: {range: [-1, 1]}
action: {kind: sample, count: %d, seed: 0}
cost: {terminal: pooled_cross_entropy, readout: {kind: fixed, matrix: [1, -0.5, -1, 0.5]}}
quantize: {cells: 0}
"""


def table(path, count, seed):
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, count)
    mean = np.where(label[:, None], 1, -1) * np.array([0.5, -0.3])
    z = np.clip(mean[:, None, :] + 0.8 * rng.normal(size=(count, 3, 2)), -HALF, HALF).reshape(-1, 2)
    with h5py.File(path, "w") as f:
        f["sequence"], f["position"], f["label"] = np.repeat(np.arange(count), 3), np.tile(np.arange(3), count), np.repeat(label, 3)
        f["z0"], f["z1"] = z[:, 0], z[:, 1]


def losses(study, model, name):
    """Of every sequence of the population under a model."""
    out = study.path(name + "-population.h5")
    study.command("eval", study.path(model + ".h5"), "-data", study.path("population.table.h5"), "-o", out, "-overwrite")
    with h5py.File(out) as f:
        return f["loss"][()]


def members(study, problem, count):
    """Models of the class, drawn: their names, and the largest |dJ/du|."""
    rng, names, lipschitz = np.random.default_rng(1), [], 0
    with h5py.File(study.path("trained.h5")) as f:
        actions = f["actions/controls"][()]
    for i in range(count):
        init = study.controls("member-%d" % i, actions[rng.integers(0, K, T)])
        run = study.run("member-%d" % i, "flow", problem, "-scheme", "layers", "-tao_max_it", 0, "-init", init)
        lipschitz = max(lipschitz, np.linalg.norm(run["flow/gradient"][()]))
        names.append("member-%d" % i)
    return names, lipschitz, actions.shape[1]


def main():
    parser = arguments(__doc__, problem=False)
    parser.add_argument("-population", type=int, default=2**16)
    options = parser.parse_args()
    study = Study(options, "samples")
    problem = study.path("samples.yaml")
    table(study.path("train.table.h5"), 64, 0)
    table(study.path("population.table.h5"), options.population, 1)
    with open(problem, "w") as f:
        f.write(PROBLEM % (T, "train.table.h5", K))
    study.run("trained", "solve", problem, "-space", "reachable")
    names, lipschitz, q = members(study, problem, 32)
    trained, every = losses(study, "trained", "trained"), np.array([losses(study, n, n) for n in names])
    B = np.log1p(np.exp(HALF * np.abs(R[0] - R[1]).sum()))
    box = np.linalg.norm(np.tile([4, 2] + [4] * 4 + [2] * 2 + [2] * 4 + [2] * 2, T))
    study.say("population risk of the trained model %.6f, B = %.3f, Lip = %.3g, q = %d" % (trained.mean(), B, lipschitz, q))
    study.say("%6s %6s %14s %14s %14s %14s" % ("N", "seeds", "rms error", "mean sup", "finite class", "metric entropy"))
    sizes, rows = [2**k for k in range(4, 12)], []
    for N in sizes:
        blocks = options.population // N
        own = trained[:blocks * N].reshape(blocks, N).mean(1) - trained.mean()
        sup = np.abs(every[:, :blocks * N].reshape(len(names), blocks, N).mean(2) - every.mean(1)[:, None]).max(0)
        r = np.logspace(-6, 1, 400)
        entropy = (2 * lipschitz * r + B * np.sqrt((T * q * np.log1p(box / r) + np.log(2 / DELTA)) / (2 * N))).min()
        rows.append([np.sqrt(np.mean(own**2)), sup.mean(), B * np.sqrt((T * np.log(K) + np.log(2 / DELTA)) / (2 * N)), entropy])
        study.say("%6d %6d %14.6g %14.6g %14.6g %14.6g" % (N, blocks, *rows[-1]))
    rows = np.array(rows)
    rates = [-rate(sizes, rows[:, i]) for i in range(2)]
    study.say("rates: trained model %.3f, supremum %.3f (1/2 expected)" % tuple(rates))
    figure, ax = axes(r"sequences $N$", "|empirical - population risk|")
    for k, label in enumerate(("trained model (rms), rate %.2f" % rates[0], "sup over 32 members (mean), rate %.2f" % rates[1],
                               "finite-class bound", "metric-entropy bound")):
        series(ax, k, sizes, rows[:, k], label)
    ax.set_ylim(top=rows.max() * 1000)
    ax.legend()
    study.finish(figure)


if __name__ == "__main__":
    main()
