#!/usr/bin/env python3
"""Starts: `solve` then `flow`, against `flow` from many random starts, on the same function: the cost of the layers themselves, with P
(scheme layers).

usage: starts.py FOLDER PROBLEM.yaml [PROBLEM.yaml ...] [-starts S]

For each problem: J of the dynamic program's layers, which is the cost that it tells, J after their refinement off the grid, and the final J of S uniform starts in the box, sorted;
how often a random start ends above each.
"""
import os

from runs import Study, arguments, style
import numpy as np


def name_of(problem):
    return os.path.splitext(os.path.basename(problem))[0]


def one(study, problem, count, ax):
    name, layers = name_of(problem), ("-scheme", "layers")
    study.run(name + "-solve", "solve", problem, "-space", "reachable")
    init = ("-init", study.path(name + "-solve.h5"))
    grid = float(study.run(name + "-grid", "flow", problem, *layers, *init, "-tao_max_it", 0)["flow"].attrs["cost"])
    refined = float(study.run(name + "-refined", "flow", problem, *layers, *init)["flow"].attrs["cost"])
    random = np.sort(study.run(name + "-random", "flow", problem, *layers, "-starts", count)["flow/starts/cost"][()])
    above = [100 * np.mean(random > J * (1 + 1e-6)) for J in (grid, refined)]
    study.say("%-12s dynamic program %.6g, refined %.6g; %d starts: best %.6g, median %.6g, worst %.6g; above the program %.0f %%, above the "
              "refined %.0f %%" % (name, grid, refined, count, random[0], np.median(random), random[-1], *above))
    ax.plot(np.arange(1, count + 1) / count, random, color=style.colour(0), label="random starts, sorted")
    ax.axhline(grid, color="black", ls=(0, (4, 2)), lw=0.8, label="dynamic program")
    ax.axhline(refined, color=style.colour(1), lw=1.0, label="program, then flow")
    ax.set(yscale="log", xlabel="part of the starts", title=name)
    ax.grid(which="major", color=style.LIGHT, lw=0.4)


def main():
    parser = arguments(__doc__, problem=False)
    parser.add_argument("-starts", type=int, default=100)
    parser.add_argument("problems", nargs="+", metavar="PROBLEM.yaml")
    options = parser.parse_args()
    study = Study(options, "starts")
    figure, every = style.plt.subplots(1, len(options.problems), figsize=(2.5 * len(options.problems), 2.5), squeeze=False)
    for problem, ax in zip(options.problems, every[0]):
        one(study, problem, options.starts, ax)
    every[0][0].set_ylabel(r"final $J$")
    every[0][0].legend()
    study.finish(figure)


if __name__ == "__main__":
    main()
