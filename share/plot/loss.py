#!/usr/bin/env python3
"""Loss against the number of actions.

usage: loss.py RUN10.h5 RUN20.h5 ... -o FIGURE.png

One run a value of K, of the same problem: the value V_0(mu_0) that the dynamic program attains on its quantized space,
the loss of the rolled-out, unquantized model on the training table, and on the test table where there is one.
"""
import argparse

import style
from runfile import Run
from style import plt
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

SERIES = (  # attribute of /rollout, legend, colour, marker, line
    ("quantized_cost", r"optimal value $V_0(\mu_0)$", "black", "x", (0, (4, 2))),
    ("loss", "training loss, unquantized", style.colour(0), "o", "-"),
    ("test_loss", "test loss, unquantized", style.colour(1), "s", "-"),
)


def figure(runs):
    runs = sorted(runs, key=lambda run: int(run.file.attrs["actions"]))
    fig, axes = plt.subplots(figsize=(3.6, 2.7))
    for attribute, label, colour, marker, line in SERIES:
        points = [(int(run.file.attrs["actions"]), run.measure(attribute)) for run in runs]
        points = [point for point in points if point[1] is not None]
        if points:
            face = "none" if marker != "x" else colour
            axes.plot(*zip(*points), color=colour, marker=marker, ls=line, label=label, mfc=face, ms=4.5, mew=1.0)
    axes.set_xscale("log")
    axes.set_yscale("log")
    actions = sorted({int(run.file.attrs["actions"]) for run in runs})
    # Labels thinned so that neighbours stay a tenth of the axis apart.
    shown = []
    for k in actions:
        if not shown or k / shown[-1] > (actions[-1] / actions[0]) ** 0.1:
            shown.append(k)
    axes.set_xticks(shown, [str(k) for k in shown])
    axes.set_xticks(actions, minor=True)
    axes.xaxis.set_minor_formatter(NullFormatter())
    low, high = axes.get_ylim()
    if high / low < 30:
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(ScalarFormatter())
        axes.ticklabel_format(axis="y", style="plain")
    axes.set_xlabel(r"number of actions $K$")
    axes.set_ylabel("loss")
    axes.grid(which="major", color=style.LIGHT, lw=0.4)
    axes.set_axisbelow(True)
    axes.set_title(rf"{runs[0].name},  $T={runs[0].layers}$")
    axes.legend()
    return fig


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("runs", nargs="+", metavar="RUN.h5")
    parser.add_argument("-o", required=True, metavar="FIGURE", dest="out", help="PNG, PDF or SVG")
    options = parser.parse_args()
    style.save(figure([Run(path) for path in options.runs]), options.out)


if __name__ == "__main__":
    main()
