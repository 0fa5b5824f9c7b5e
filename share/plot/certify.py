#!/usr/bin/env python3
"""How a certificate closed: lower bound and found cost against boxes and seconds; of two free numbers the boxes themselves.

usage: certify.py CERT.h5 -o FIGURE.png

Left: what was proved of the least J over the whole box, and the best that was found, a mark a target. Where J depends on two numbers, right: the boxes
that were left, coloured by how often they were halved or cut (what is white was cut away), and lines of equal J; the cross is the best that was found. Where
there is a table whose tokens have two numbers, right: its cells that have a minorant, coloured by how often they were halved (smaller ones in front of those
that they are of), and where the best that was found goes. Else, right: which numbers cost most, by how many boxes were halved there.
"""
import argparse
import sys

import style  # first: it looks for an interpreter that has the others
import numpy as np
from matplotlib.collections import PatchCollection
from matplotlib.patches import Rectangle
from runfile import Run
from style import plt

LINES = 61  # points of J an axis
SHOWN = 10  # bars


def size(tree, at, n):
    """Bytes of the record's entry at a byte of the tree, n numbers."""
    code = chr(tree[at])
    return 2 + (int(tree[at + 1]) + 2) * n if code == "M" else {"S": 2, "C": 1 + 3 * n, "L": 1 + n}.get(code, 1)


def roots_of(tree, n):
    """How many boxes the list of tasks began with, one a readout: records in all, but for those of boxes that others left open."""
    data, records, opened, at = tree.tobytes(), 0, 0, 0
    while at < len(data):
        records, missing = records + 1, 1
        while missing:
            code = chr(data[at])
            missing += {"S": 1, "C": 0, "M": 0}.get(code, -1)
            opened += code == "O"
            at += size(data, at, n)
    return records - opened


def narrow(rows, low, high):
    """The box as far as the inequalities of symmetries leave it by its ends, in place."""
    before = None
    while before is None or (before != (low, high)).any():
        before = np.array((low, high))
        for k, j in ((row[0] - 1, row[1]) for row in rows):
            i = abs(j) - 1
            high[k] = min(high[k], 0 if i == k else high[i] if j > 0 else -low[i])
            if i != k and j > 0: low[i] = max(low[i], low[k])
            if i != k and j < 0: high[i] = min(high[i], -low[k])
        if (low > high).any(): return


def leaves(tree, lower, upper, rows=(), width=0):
    """(depth, low, high) of every leaf of the records; rows: of symmetries; width: of rounds, 0 without bound. share/doc/formats.md."""
    n, at, turn, waiting = len(lower), 0, [], [(0, lower.copy(), upper.copy()) for _ in range(roots_of(tree, len(lower)))]
    while turn or waiting:
        if not turn: turn, waiting = waiting[-width:], waiting[:-width] if width else []
        stack = [turn.pop(0)]
        while stack:
            depth, low, high = stack.pop()
            narrow(rows, low, high)
            code = chr(tree[at])
            at += 1
            if code == "S":
                k = tree[at]
                at += 1
                middle = 0.5 * low[k] + 0.5 * high[k]
                for side in (1, 0):  # the first child is on top
                    a, b = low.copy(), high.copy()
                    (a if side else b)[k] = middle
                    stack.append((depth + 1, a, b))
            elif code in "CM":
                at += size(tree, at - 1, n) - 1
                cut = tree[at - 2 * n:at].reshape(n, 2) / 256.0
                stack.append((depth + 1, low + (high - low) * cut[:, 0], high - (high - low) * cut[:, 1]))
            elif code == "L":
                at += n
                yield depth, low, high
            elif code == "O":
                waiting.append((depth, low, high))
            elif code == "X":
                continue
            else:
                sys.exit("the tree is damaged: code %d at byte %d" % (tree[at - 1], at - 1))


def draw_history(axes, run):
    history = run.file["certificate/history"]
    boxes, lower, found = (history[name][()] for name in ("boxes", "lower", "found"))
    seconds = history["seconds"][()]
    known = np.isfinite(lower)
    axes.step(boxes, found, where="post", color=style.colour(1), marker="v", ms=4.5, label="found")
    axes.step(boxes[known], lower[known], where="post", color=style.colour(0), marker="^", ms=4.5, label="lower bound")
    axes.set_xscale("log")
    axes.set_xlabel("boxes")
    axes.set_ylabel("least cost over the box")
    axes.grid(which="major", color=style.LIGHT, lw=0.4)
    axes.legend(loc="center left")  # the bound has yet to rise there
    top = axes.twiny()  # the same steps, labelled by their seconds
    top.set_xscale("log")
    top.set_xlim(axes.get_xlim())
    shown, (left, right) = [], axes.get_xlim()
    apart = (right / left) ** 0.15  # room for a label
    for i in range(len(boxes) - 1, -1, -1):
        if boxes[i] > 0 and (not shown or boxes[i] < boxes[shown[-1]] / apart):
            shown.append(i)
    top.set_xticks([boxes[i] for i in shown], ["%.2g s" % seconds[i] for i in shown])
    top.set_xticks([], minor=True)


class Number:
    """A free number of a layer, by its place among all of them: t q + j."""

    def __init__(self, run, k):
        self.layer, self.place = divmod(int(k), run.control.shape[1])
        self.form = next(form for form in run.forms.values() if form.offset <= self.place < form.offset + form.free)
        self.basis = self.form.basis[self.place - self.form.offset]
        self.found = run.control[self.layer, self.place]
        row, column = np.argwhere(self.basis)[0]
        self.name = "%s[%d, %d] of layer %d" % (self.form.name, row, column, self.layer)

    def put(self, run, x):
        matrix = run.matrix[self.layer][self.form.name]
        matrix += (self.basis * (x - run.control[self.layer, self.place])).reshape(matrix.shape)
        run.control[self.layer, self.place] = x


def costs(run, numbers, x, y):
    """J where the two numbers are x and y, the others as they were found."""
    J = np.empty((len(y), len(x)))
    for i, j in np.ndindex(J.shape):
        for number, value in zip(numbers, (x[j], y[i])):
            number.put(run, value)
        J[i, j] = run.objective(run.data)
    return J


def draw_boxes(axes, run, pair, low, high):
    certificate = run.file["certificate"]
    rows = certificate["symmetry"][()] if "symmetry" in certificate else ()
    parts = list(leaves(certificate["tree"][()], low, high, rows, int(certificate.attrs.get("width", 0))))
    patches = PatchCollection([Rectangle(a, *(b - a)) for _, a, b in parts], cmap="viridis", edgecolor="white", lw=0.2)
    patches.set_array([depth for depth, _, _ in parts])
    axes.add_collection(patches)
    numbers = [Number(run, k) for k in pair]
    found = [number.found for number in numbers]
    x, y = (np.linspace(low[k], high[k], LINES) for k in (0, 1))
    axes.contour(x, y, costs(run, numbers, x, y), levels=12, colors="black", linewidths=0.5)
    axes.plot(*found, "x", color=style.colour(1), ms=7, mew=1.6)
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    axes.set_xlabel(numbers[0].name)
    axes.set_ylabel(numbers[1].name)
    plt.colorbar(patches, ax=axes, label="halved or cut so often")


def skip_proof(cells, at, m):
    """Where the record of a proof over m variables ends."""
    missing = 1
    while missing:
        missing += {"S": 1, "C": 0, "M": 0}.get(chr(cells[at]), -1)
        at += size(cells, at, m)
    return at


def minorants(cells, lower, upper, late):
    """(depth, low, high, c, g) of every cell that has a plane, larger ones first; late: numbers behind the table. share/doc/formats.md."""
    D, at, open_ = len(lower), 0, []
    while at < len(cells) or open_:
        depth, low, high = open_.pop() if open_ else (0, lower.copy(), upper.copy())  # another readout's
        kind, at = cells[at], at + 1
        if kind & 1:
            plane = np.frombuffer(cells[at:at + 8 * (D + 1)].tobytes(), "<f8")
            yield depth, low, high, plane[0], plane[1:]
            at = skip_proof(cells, at + 8 * (D + 1), D + late)
        if kind & 2:
            axis, at = int(cells[at]), at + 1
            inner_high, inner_low = high.copy(), low.copy()
            inner_high[axis] = inner_low[axis] = 0.5 * low[axis] + 0.5 * high[axis]
            open_ += [(depth + 1, inner_low, high), (depth + 1, low, inner_high)]


def draw_cells(axes, run):
    certificate = run.file["certificate"]
    named, (low, high), t = certificate["axes"][()], certificate["axis_range"][()].T, int(certificate.attrs["table"])
    late = int((certificate["free"][()] >= t * run.control.shape[1]).sum())
    parts = sorted(minorants(certificate["cells"][()], low, high, late), key=lambda part: part[0])
    patches = PatchCollection([Rectangle(part[1], *(part[2] - part[1])) for part in parts], cmap="viridis", edgecolor="white", lw=0.2)
    patches.set_array([part[0] for part in parts])
    axes.add_collection(patches)
    rows = [rows for _, rows in run.data.contexts()]
    found = [run.tokens[t, rows[sequence][token], component] for sequence, token, component in named]
    axes.plot(*found, "x", color=style.colour(1), ms=7, mew=1.6)
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    for label, (sequence, token, component) in zip((axes.set_xlabel, axes.set_ylabel), named):
        label("$z_{%d}[%d, %d]$ of sequence %d" % (t, token, component, sequence))
    plt.colorbar(patches, ax=axes, label="halved so often")


def names_of(run):
    """Of the variables that boxes are halved at: free numbers, then logits."""
    certificate, controls = run.file["certificate"], run.control.size
    numbers = [Number(run, k).name if k < controls else "readout number %d" % (k - controls) for k in certificate["free"][()]]
    logits = certificate["logits"][()] if "logits" in certificate else ()
    return numbers + ["delta_%d (sequence %d, layer %d, head %d, query %d)" % (key, s, t, h, query) for s, t, h, query, key in logits]


def draw_halvings(axes, run):
    """Which of them cost most: the SHOWN at which boxes were halved most often."""
    certificate = run.file["certificate"]
    count = np.concatenate([certificate[name][()] for name in ("halved", "halved_logits") if name in certificate])
    most, names = np.argsort(-count, kind="stable")[:SHOWN][::-1], names_of(run)
    axes.barh(range(len(most)), count[most], color=style.colour(0), height=0.7)
    axes.set_yticks(range(len(most)), [names[k] for k in most])
    axes.set_xlabel("boxes that were halved there")


def figure(run):
    certificate = run.file["certificate"]
    free = certificate["free"][()]
    known = "tree" in certificate and len(free) > 0
    table = known and "table" in certificate.attrs and len(certificate["axes"]) == 2
    two = known and len(free) == 2 and not {"logits", "cells"} & set(certificate) and free.max() < run.control.size and roots_of(certificate["tree"][()], 2) == 1
    fig, axes = plt.subplots(1, 1 + known, figsize=(3.6 + 3.6 * known, 2.9), squeeze=False)
    draw_history(axes[0, 0], run)
    if table:
        draw_cells(axes[0, 1], run)
    elif known and not two:
        draw_halvings(axes[0, 1], run)
    if two:
        box = [np.array([run.file["control/%s" % side][()][k % run.control.shape[1]] for k in free], float) for side in ("lower", "upper")]
        draw_boxes(axes[0, 1], run, free, *box)
    about = certificate.attrs
    fig.suptitle(rf"{run.name}, $T={run.layers}$: {about['lower']:.6g} $\leq$ min $\leq$ {about['found']:.6g}, {int(about['boxes']):,} boxes", fontsize="medium")
    return fig


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("run", metavar="CERT.h5")
    parser.add_argument("-o", required=True, metavar="FIGURE", dest="out", help="PNG, PDF or SVG")
    options = parser.parse_args()
    run = Run(options.run)
    if "certificate" not in run.file:
        sys.exit(f"{options.run}: not a result of bellformer certify")
    style.save(figure(run), options.out)


if __name__ == "__main__":
    main()
