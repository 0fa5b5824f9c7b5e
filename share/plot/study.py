#!/usr/bin/env python3
"""Value and loss against an option of the problem.

usage: study.py RUN1.h5 RUN2.h5 ... -option KEY -o FIGURE.png

One run a value of the option (`-option quantize_cells`), of the same problem: the value V_0(mu_0) that the dynamic program
attains on its quantized space, the loss of the rolled-out, unquantized model on the training table, and on the test table
where there is one. Also prints them. Values that are not positive numbers (or lists of them) are put side by side.
"""
import argparse
import sys

import style
from runfile import Run
from style import plt
from matplotlib.ticker import NullFormatter, NullLocator

SERIES = (  # attribute of /rollout, legend, colour, marker, line
    ("quantized_cost", r"optimal value $V_0(\mu_0)$", "black", "x", (0, (4, 2))),
    ("loss", "training loss, unquantized", style.colour(0), "o", "-"),
    ("test_loss", "test loss, unquantized", style.colour(1), "s", "-"),
)


def value(run, option):
    """The option's value on the command line of the run; the last one counts."""
    lines = run.file["problem/overrides"][()].tobytes().rstrip(b"\0").decode().splitlines()
    values = [line.split("=", 1)[1] for line in lines if line.startswith(option + "=")]
    if not values:
        sys.exit(f"{run.path}: -{option} was not given")
    return values[-1]


def size(label):
    """A number to order values by: the mean of a list such as 8,8; None where it is none."""
    try:
        numbers = [float(word) for word in label.split(",")]
    except ValueError:
        return None
    return sum(numbers) / len(numbers) if min(numbers) > 0 else None


def figure(runs, option):
    labels = [value(run, option) for run in runs]
    sizes = [size(label) for label in labels]
    ordered = None not in sizes and len(set(sizes)) == len(sizes)
    if ordered:
        order = sorted(range(len(runs)), key=sizes.__getitem__)
        runs, labels, sizes = ([x[i] for i in order] for x in (runs, labels, sizes))
    else:
        sizes = list(range(len(runs)))
    fig, axes = plt.subplots(figsize=(3.6, 2.7))
    for attribute, legend, colour, marker, line in SERIES:
        points = [(x, run.measure(attribute)) for x, run in zip(sizes, runs)]
        points = [point for point in points if point[1] is not None]
        if points:
            face = "none" if marker != "x" else colour
            axes.plot(*zip(*points), color=colour, marker=marker, ls=line, label=legend, mfc=face, ms=4.5, mew=1.0)
    if ordered and sizes[-1] / sizes[0] >= 4:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xticks(sizes, labels)
    if len(labels) > 8 or max(map(len, labels)) > 6:
        axes.tick_params(axis="x", labelrotation=40)
    axes.set_ylim(bottom=0)
    axes.set_xlabel(option.replace("_", ".", 1))
    axes.set_ylabel("cost")
    axes.grid(which="major", color=style.LIGHT, lw=0.4)
    axes.set_axisbelow(True)
    axes.set_title(rf"{runs[0].name},  $T={runs[0].layers}$")
    axes.legend()
    return fig, runs, labels


def table(runs, labels, option):
    columns = ("quantized_cost", "cost", "loss", "accuracy", "test_loss", "test_accuracy")
    width = max(map(len, (option, *labels)))
    print(option.ljust(width), *(name.rjust(14) for name in columns))
    for run, label in zip(runs, labels):
        numbers = (run.measure(name) for name in columns)
        print(label.ljust(width), *(("-" if x is None else f"{x:.8g}").rjust(14) for x in numbers))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("runs", nargs="+", metavar="RUN.h5")
    parser.add_argument("-option", required=True, metavar="KEY", help="the key, maps joined by _")
    parser.add_argument("-o", required=True, metavar="FIGURE", dest="out", help="PNG, PDF or SVG")
    options = parser.parse_args()
    fig, runs, labels = figure([Run(path) for path in options.runs], options.option.lstrip("-"))
    style.save(fig, options.out)
    table(runs, labels, options.option)


if __name__ == "__main__":
    main()
