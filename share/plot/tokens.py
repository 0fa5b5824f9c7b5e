#!/usr/bin/env python3
"""Tokens moving through the layers of a trained model, and what its attention looks at.

usage: tokens.py RUN.h5 -o FIGURE.png [-axes 0 1] [-position P] [-head h] [-test]

Upper row: the tokens before the first layer and after each, with the way they came. Colour: label (or position, where
the data has targets; targets are crosses in the last panel). The frame is the box Z. Lower row: the attention of each
layer. Short contexts: matrices, queries down and keys across, of up to four contexts. Populations: a star is a query
token, one a label; discs are the tokens that it sees, with area in proportion to attention; the ring is their mean.
"""
import argparse

import numpy as np

import style
from runfile import Run
from style import plt

LONGEST = 24  # tokens of a context that still is shown as a matrix
SHOWN = 4     # contexts at most whose attention is shown
GOLDEN = np.pi * (3 - np.sqrt(5))  # the angle by which a sunflower turns from seed to seed


def classes(data):
    """What colours a token: its label, or its position where the data has targets. And the word for it."""
    return (data.label, "label") if data.label is not None else (data.position, "position")


def spread(points, radius):
    """Move coinciding points apart, onto a sunflower's spiral round their place, so that all are seen."""
    moved = points.copy()
    _, group = np.unique(np.round(points, 9), axis=0, return_inverse=True)
    for g in np.unique(group):
        same = np.flatnonzero(group == g)
        if len(same) > 1:
            k = np.arange(len(same)) + 0.5
            angle = GOLDEN * k
            away = radius * np.sqrt(k) * min(1.0, 6 / np.sqrt(len(same)))
            moved[same] += away[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return moved


def frame(axes, run, pair):
    """The box Z of two coordinates, equal scales, a little air round it."""
    lower, upper = run.lower[pair], run.upper[pair]
    air = 0.04 * (upper - lower).max()
    axes.set(xlim=(lower[0] - air, upper[0] + air), ylim=(lower[1] - air, upper[1] + air), aspect="equal")
    axes.add_patch(plt.Rectangle(lower, *(upper - lower), fill=False, ec=style.GREY, lw=0.6, ls=(0, (3, 2)), zorder=0))
    axes.set_xlabel(f"$z_{{{pair[0]}}}$", labelpad=1)


def draw_tokens(axes, run, t, pair, rows, trail):
    kinds, _ = classes(run.data)
    size = float(np.clip(900 / len(rows), 7, 26))
    for k in np.unique(kinds[rows]):
        mine = np.isin(rows, rows[kinds[rows] == k])
        if t > 0:
            ways = np.stack([trail[t - 1][mine], trail[t][mine]], axis=1)
            for way in ways:
                if np.hypot(*(way[1] - way[0])) > 1e-9:
                    axes.annotate("", way[1], way[0], zorder=1, annotation_clip=False, arrowprops=dict(
                        arrowstyle="-", color=style.colour(k), lw=0.5, alpha=0.4, shrinkA=0, shrinkB=0))
            axes.scatter(*trail[t - 1][mine].T, s=0.25 * size, color=style.colour(k), alpha=0.35, lw=0, zorder=2)
        axes.scatter(*trail[t][mine].T, s=size, color=style.colour(k), marker=style.marker(k), lw=0.4, ec="white",
                     zorder=3)
    if run.data.target is not None and t == run.layers:
        axes.scatter(*run.data.target[rows][:, pair].T, s=11, color="black", marker="x", lw=0.5, zorder=2.5)
    axes.set_title("$t=0$: data" if t == 0 else f"$t={t}$")


def draw_matrices(axes, run, t, contexts, head):
    """The attention matrices of up to four contexts, tiled; one context fills the panel."""
    axes.axis("off")
    axes.set_title(f"attention of layer {t}")
    side = 1 if len(contexts) == 1 else 2
    image = None
    for k, (s, rows) in enumerate(contexts):
        pad = 0.16 if side == 2 else 0.12
        box = [(k % side + pad) / side, 1 - (k // side + 1 - 0.5 * pad) / side, (1 - 1.3 * pad) / side,
               (1 - 1.5 * pad) / side]
        inset = axes.inset_axes(box)
        image = inset.imshow(run.attention(t, rows, head), cmap=style.WEIGHT, vmin=0, vmax=1)
        # Label the positions as far as they can be read; the sequence stands below its matrix.
        n = len(rows)
        step = max(1, -(-n // (4 if side == 2 else 8)))
        marks = np.arange(0, n, step)
        names = [str(run.data.position[rows[i]]) for i in marks]
        inset.set_xticks(marks, names)
        inset.set_yticks(marks, names)
        inset.tick_params(labelsize=6, length=1.5, pad=1)
        inset.set_title(f"sequence {s}", fontsize=7, pad=3)
        for spine in inset.spines.values():
            spine.set_color(style.GREY)
    return image


def queries(run, rows, t):
    """One token a kind: the one nearest to the mean of its kind in layer t."""
    kinds, _ = classes(run.data)
    z = run.tokens[t, rows]
    for k in np.unique(kinds[rows]):
        mine = np.flatnonzero(kinds[rows] == k)
        yield k, mine[np.argmin(((z[mine] - z[mine].mean(axis=0)) ** 2).sum(axis=1))]


def draw_population(axes, run, t, pair, context, head):
    """Discs of area N k(i, j) for a few query tokens i, over all tokens j in grey."""
    s, rows = context
    weight = run.attention(t, rows, head)
    z = run.tokens[t, rows]
    axes.scatter(*z[:, pair].T, s=2, color=style.LIGHT, lw=0, zorder=1)
    for k, i in queries(run, rows, t):
        area = np.minimum(14 * weight[i] * len(rows), 160)
        axes.scatter(*z[:, pair].T, s=area, color=style.colour(k), alpha=0.3, lw=0, zorder=2)
        mean = weight[i] @ z
        axes.plot(*zip(z[i, pair], mean[pair]), color=style.colour(k), lw=1.0, zorder=3)
        axes.scatter(*mean[pair], s=26, fc="white", ec=style.colour(k), lw=1.3, zorder=4)
        axes.scatter(*z[i, pair], s=75, color=style.colour(k), ec="black", lw=0.6, marker="*", zorder=5)
    axes.set_title(f"attention of layer {t}" + ("" if len(rows) == len(run.data.sequence) else f", sequence {s}"))


def legend(axes, run, rows):
    kinds, word = classes(run.data)
    handles = [plt.Line2D([], [], ls="none", marker=style.marker(k), mfc=style.colour(k), mec="white", ms=6,
                          label=f"{word} {k}") for k in np.unique(kinds[rows])]
    if run.data.target is not None:
        handles.append(plt.Line2D([], [], ls="none", marker="x", color="black", ms=5, label="target"))
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(0.0, 0.98), borderaxespad=0)


def figure(run, pair, position, head, test):
    contexts = list(run.data.contexts())
    population = max(len(rows) for _, rows in contexts) > LONGEST
    rows = np.concatenate([c for _, c in contexts])
    if position is not None:
        last = {s: run.data.position[c].max() for s, c in contexts}
        wanted = np.array([position if position >= 0 else last[s] + 1 + position for s in run.data.sequence[rows]])
        rows = rows[run.data.position[rows] == wanted]
    radius = 0.018 * (run.upper[pair] - run.lower[pair]).max()
    trail = [spread(z[rows][:, pair], radius) for z in run.tokens]
    columns = run.layers + 1
    sides = run.upper[pair] - run.lower[pair]
    height = style.PANEL * float(np.clip(sides[1] / sides[0], 0.5, 2))
    fig, grid = plt.subplots(2, columns, figsize=(style.PANEL * columns, 2 * height + 1.1), squeeze=False)
    fig.get_layout_engine().set(h_pad=0.07)
    for t in range(columns):
        frame(grid[0, t], run, pair)
        draw_tokens(grid[0, t], run, t, pair, rows, trail)
    image = None
    for t in range(run.layers):
        if population:
            frame(grid[1, t], run, pair)
            draw_population(grid[1, t], run, t, pair, contexts[0], head)
        else:
            image = draw_matrices(grid[1, t], run, t, contexts[:SHOWN], head)
    for axes in (grid[0, 0], grid[1, 0]) if population else (grid[0, 0],):
        axes.set_ylabel(f"$z_{{{pair[1]}}}$", labelpad=0)
    grid[1, -1].axis("off")
    if image is not None:
        place = grid[1, -1].inset_axes([0.05, 0.2, 0.75, 0.05])
        fig.colorbar(image, cax=place, orientation="horizontal", label="attention weight\n(queries down, keys across)")
    elif population:
        grid[1, -1].text(0.03, 0.3, "star: query token\ndisc: token seen, its area in\n    proportion to attention\n"
                         "ring: mean of what is seen", va="center", transform=grid[1, -1].transAxes, fontsize=8.5)
    fig.suptitle(run.title(test), fontsize=10.5)
    legend(grid[1, -1], run, rows)
    return fig


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", metavar="RUN.h5")
    parser.add_argument("-o", required=True, metavar="FIGURE", dest="out", help="PNG, PDF or SVG")
    parser.add_argument("-axes", nargs=2, type=int, default=(0, 1), metavar="j", help="coordinates shown: 0 1")
    parser.add_argument("-position", type=int, help="only tokens at this position; -1 is each sequence's last")
    parser.add_argument("-head", type=int, default=0, help="attention head: 0")
    parser.add_argument("-test", action="store_true", help="the test table in place of the training table")
    options = parser.parse_args()
    run = Run(options.run, options.test)
    if not all(0 <= j < run.dim for j in options.axes):
        parser.error(f"-axes: {options.run} has coordinates 0 .. {run.dim - 1}")
    if not 0 <= options.head < run.heads:
        parser.error(f"-head: {options.run} has heads 0 .. {run.heads - 1}")
    style.save(figure(run, list(options.axes), options.position, options.head, options.test), options.out)


if __name__ == "__main__":
    main()
