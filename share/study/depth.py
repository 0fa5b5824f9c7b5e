#!/usr/bin/env python3
"""Depth: how far Euler's scheme with small steps (a Transformer of many layers that share controls) is from the flow.

usage: depth.py PROBLEM.yaml FOLDER [-init sample|RUN.h5]

At fixed controls, the largest |z_Euler - z| over tokens and layers' ends, and the largest |dJ/du_Euler - dJ/du|, against the step;
the flow is Dormand and Prince's at tolerance 1e-13. [HY26] says: rate 1, for both.
"""
from runs import Study, arguments, axes, rate, series
import numpy as np


STEPS = [2**k for k in range(9)]


def main():
    parser = arguments(__doc__)
    parser.add_argument("-init", default="sample")
    options = parser.parse_args()
    study = Study(options, "depth")
    fixed = ("-tao_max_it", 0, "-init", options.init)
    exact = study.run("flow", "flow", options.problem, *fixed, "-scheme", "dopri5", "-tolerance", 1e-13)
    eps = float(exact["layer"].attrs["step"])
    errors = []
    study.say("%8s %12s %14s %14s" % ("steps", "step", "tokens", "gradient"))
    for n in STEPS:
        run = study.run("euler-%d" % n, "flow", options.problem, *fixed, "-scheme", "euler", "-steps", n)
        errors.append([np.abs(run["flow/" + name][()] - exact["flow/" + name][()]).max() for name in ("tokens", "gradient")])
        study.say("%8d %12.6g %14.6g %14.6g" % (n, eps / n, *errors[-1]))
    step, errors = eps / np.array(STEPS), np.array(errors)
    half = len(STEPS) // 2
    rates = [rate(step[half:], errors[half:, i]) for i in range(2)]
    study.say("rates over the smaller half: tokens %.3f, gradient %.3f (1 expected)" % tuple(rates))
    figure, ax = axes(r"step $\epsilon$", "largest difference from the flow")
    series(ax, 0, step, errors[:, 0], r"tokens $z$, rate %.2f" % rates[0])
    series(ax, 1, step, errors[:, 1], r"gradient $dJ/du$, rate %.2f" % rates[1])
    ax.set_title(str(exact.attrs["name"], "ascii") if isinstance(exact.attrs["name"], bytes) else exact.attrs["name"])
    ax.legend()
    study.finish(figure)


if __name__ == "__main__":
    main()
