#!/usr/bin/env python3
"""Values: the optimal cost of T layers against that of the continuous problem of the same depth, and what the continuous
minimizer is worth as a list of layers.

usage: values.py PROBLEM.yaml FOLDER [-most T]

J_T: Euler's scheme with a step a layer, horizon T, step L / T, L the problem's horizon times its step. J: rk4 on twice as many intervals as
the largest T. The basin is that of the best of 8 starts at the problem's own horizon; the continuous problem starts there, every J_T from the
continuous minimizer u* sampled on its layers, whose own cost is the recovery: both gaps should fall at rate 1 or faster.
"""
import sys

from runs import Study, arguments, axes, rate, series
import numpy as np


def main():
    parser = arguments(__doc__)
    parser.add_argument("-most", type=int, default=64, help="the largest T")
    options = parser.parse_args()
    study = Study(options, "values")
    first = study.run("start", "flow", options.problem, "-scheme", "euler", "-starts", 8)
    if first["layer"].attrs["residual"] != 1:
        sys.exit("layer.residual is 0: a layer has no limit of small steps")
    T0, eps = int(first.attrs["horizon"]), float(first["layer"].attrs["step"])
    depth = T0 * eps

    def at(T):
        return ("-horizon", T, "-step", repr(depth / T))
    reference = 2 * options.most
    whole = study.run("continuous", "flow", options.problem, *at(reference), "-scheme", "rk4", "-steps", 2, "-init", study.path("start.h5"),
                      "-tao_max_it", 3000)
    J = float(whole["flow"].attrs["cost"])
    study.say("continuous, %d intervals: J = %.10g, residual %.2g" % (reference, J, whole["flow/history/residual"][-1]))
    study.say("%6s %16s %14s %14s" % ("T", "J_T", "|J_T - J|", "recovery gap"))
    layers, gaps = [], []
    T = max(2, T0)
    while T <= options.most:
        euler = (*at(T), "-scheme", "euler", "-init", study.path("continuous.h5"))
        sampled = study.run("sampled-%d" % T, "flow", options.problem, *euler, "-tao_max_it", 0)
        optimal = study.run("optimal-%d" % T, "flow", options.problem, *euler, "-tao_max_it", 3000)
        J_T, given = (float(r["flow"].attrs["cost"]) for r in (optimal, sampled))
        layers.append(T)
        gaps.append([abs(J_T - J), given - J_T])
        study.say("%6d %16.10g %14.6g %14.6g" % (T, J_T, *gaps[-1]))
        T *= 2
    gaps = np.array(gaps)
    half = len(layers) // 2
    rates = [-rate(layers[half:], gaps[half:, i]) for i in range(2)]
    study.say("rates over the larger half: value %.3f, recovery %.3f" % tuple(rates))
    figure, ax = axes(r"layers $T$", "gap")
    series(ax, 0, layers, gaps[:, 0], r"$|J_T - J|$, rate %.2f" % rates[0])
    series(ax, 1, layers, gaps[:, 1], r"$J_T(u^*) - J_T$, rate %.2f" % rates[1])
    ax.set_xticks(layers, [str(T) for T in layers])
    ax.set_xticks([], minor=True)
    ax.legend()
    study.finish(figure)


if __name__ == "__main__":
    main()
