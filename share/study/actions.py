#!/usr/bin/env python3
"""Actions: how densely K points fill the box U of controls, and what the optimum over them costs: uniform draws beside Halton's points.

usage: actions.py FOLDER [-most K] [-seeds S]

The problem: one layer of attention, A = a I and V = v I, on the tokens of two classes, not quantized; U = [-4, 4] x [-2, 2], q = 2. For K = 4, 8, ... and `action.kind`
sample and halton with seeds 1 .. S: the covering radius, max over u in U of min over k of |u - u_k|, in units of the sides of U, exactly (see covering_radius); and the
optimum V_0 over K actions, above the optimum J* over all of U, which `flow -scheme layers` finds from the best of all these actions. Medians over the seeds. Expected: the
radius falls at rate 1/2 (1/q), of draws at that of sqrt(log K / K). V_0 - J* is at most a Lipschitz constant of J times the radius: rate 1/2 is sure, a smooth minimum
inside of U gives its square.
"""
import itertools

from runs import Study, arguments, rate, series, style
from matplotlib.tri import Triangulation
import numpy as np


LOWER, UPPER = np.array([-4.0, -2.0]), np.array([4.0, 2.0])
PROBLEM = """# Two classes of tokens, a layer of two numbers: for a study of actions.
name: actions
horizon: 1
step: 0.5
token: {dim: 2, lower: [-2, -2], upper: [2, 2]}
data: {file: actions.csv}
layer: {heads: 1}
control:
  A: {form: scalar, range: [-4, 4]}
  V: {form: scalar, range: [-2, 2]}
action: {kind: sample, count: 1}
cost: {terminal: pooled_cross_entropy, pooling: last, readout: {matrix: [1.5, 0.5, -1.5, -0.5]}, weight_decay: 0.02}
quantize: {cells: 0}
"""


def table(path, count=24):
    rng = np.random.default_rng(0)
    with open(path, "w") as out:
        out.write("sequence,position,label,z0,z1\n")
        for s in range(count):
            centre = np.array([0.4, 0.1]) * (1 if s % 2 else -1)
            for p in range(3):
                z = np.clip(centre + 0.6 * rng.normal(size=2), -2, 2)
                out.write("%d,%d,%d,%r,%r\n" % (s, p, s % 2, float(z[0]), float(z[1])))


def circumcentres(points):
    """Of the triangles of Delaunay's triangulation."""
    a, b, c = (points[corner] for corner in Triangulation(*points.T).triangles.T)
    ab, ac = b - a, c - a
    twice = 2 * (ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0])
    with np.errstate(divide="ignore", invalid="ignore"):
        across = ab[:, ::-1] * (ac**2).sum(1)[:, None] - ac[:, ::-1] * (ab**2).sum(1)[:, None]
        return a + across * np.array([-1, 1]) / twice[:, None]


def covering_radius(u):
    """Of points in the unit square. The distance to the nearest one is largest at a corner, on a side where two are as near, or where three are: with the points' mirror
    images in the four sides all these but the corners are circumcentres of Delaunay's triangles. The distance itself is taken at every one of them."""
    mirrored = [np.where(np.arange(2) == j, 2 * side - u, u) for j in range(2) for side in (0, 1)]
    centres = circumcentres(np.concatenate([u] + mirrored))
    inside = centres[(np.abs(centres - 0.5) <= 0.5 + 1e-9).all(1)]
    places = np.concatenate([np.clip(inside, 0, 1), list(itertools.product((0.0, 1.0), repeat=2))])
    return max(np.sqrt(((part[:, None] - u) ** 2).sum(2).min(1)).max() for part in np.array_split(places, 1 + len(places) // 1000))


def main():
    parser = arguments(__doc__, problem=False)
    parser.add_argument("-most", type=int, default=1024, help="the largest K")
    parser.add_argument("-seeds", type=int, default=5)
    options = parser.parse_args()
    study, kinds = Study(options, "actions"), ("sample", "halton")
    problem = study.path("actions.yaml")
    table(study.path("actions.csv"))
    with open(problem, "w") as out:
        out.write(PROBLEM)
    counts = [2**k for k in range(2, options.most.bit_length())]
    radius, value = (np.empty((len(kinds), len(counts), options.seeds)) for _ in range(2))
    best = (np.inf, None)
    for i, m, s in itertools.product(range(len(kinds)), range(len(counts)), range(options.seeds)):
        name = "%s-%d-%d" % (kinds[i], counts[m], s + 1)
        run = study.run(name, "solve", problem, "-action_kind", kinds[i], "-action_count", counts[m], "-action_seed", s + 1)
        radius[i, m, s] = covering_radius((run["actions/controls"][()] - LOWER) / (UPPER - LOWER))
        value[i, m, s] = run["rollout"].attrs["quantized_cost"]
        best = min(best, (value[i, m, s], name))
    least = float(study.run("refined", "flow", problem, "-scheme", "layers", "-init", study.path(best[1] + ".h5"))["flow"].attrs["cost"])
    study.say("J* = %.10g, from %s" % (least, best[1]))
    study.say("%6s %22s %22s" % ("K", "covering radius", "V_0 - J*"))
    study.say("%6s %11s %10s %11s %10s" % ("", *kinds, *kinds))
    middle = [np.median(x, axis=2) for x in (radius, np.maximum(value - least, 0))]
    for m, K in enumerate(counts):
        study.say("%6d %11.4f %10.4f %11.3g %10.3g" % (K, *middle[0][:, m], *middle[1][:, m]))
    rates = [[-rate(counts, x[i]) for i in range(2)] for x in middle]
    study.say("rates in K: radius %.2f and %.2f, V_0 - J* %.2f and %.2f" % (*rates[0], *rates[1]))
    figure, axes = style.plt.subplots(1, 2, figsize=(6.6, 2.6))
    for ax, x, fits, every, label in zip(axes, middle, rates, (radius, value - least), ("covering radius", "$V_0 - J^*$")):
        for i, kind in enumerate(kinds):
            series(ax, i, counts, x[i], "%s, rate %.2f" % (kind, fits[i]))
            ax.fill_between(counts, every[i].min(1), every[i].max(1), color=style.colour(i), alpha=0.15, lw=0)
        ax.set(xscale="log", yscale="log", xlabel="actions $K$", ylabel=label)
        ax.set_xticks(counts[::2], [str(K) for K in counts[::2]])
        ax.set_xticks([], minor=True)
        ax.grid(which="major", color=style.LIGHT, lw=0.4)
        ax.set_axisbelow(True)
        ax.legend()
    study.finish(figure)


if __name__ == "__main__":
    main()
