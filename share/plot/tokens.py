#!/usr/bin/env python3
"""Tokens moving through the layers of a trained model, and what its attention looks at.

usage: tokens.py RUN.h5 -o FIGURE.png [-axes 0 1] [-position P] [-head h] [-test]

Tokens of two and more dimensions, upper row: two coordinates of the tokens before the first layer and after each, with the way they came; the
frame is the box Z. Tokens of one dimension: their paths against depth, and, where there are several positions, the tokens against position
after each layer. Colour: label (or position, where the data has targets; targets are crosses after the last layer). Tokens that coincide are
drawn as one, with their number beside it (or a larger area, where there are many such places); a pie where their colours differ.
Last row: the attention of each layer. Short contexts: matrices, queries down and keys across, of up to four contexts. Populations: a star is a
query token, one a label; discs are the tokens that it sees, with area in proportion to attention; the ring is their mean. (In one dimension:
N times the weight of every token, against its place.)
"""
import argparse

import style
import numpy as np

from runfile import Run
from style import plt

LONGEST = 24  # tokens of a context that still is shown as a matrix
SHOWN = 4     # contexts at most whose attention is shown


def frame(axes, run, pair):
    """The box Z of two coordinates, equal scales, a little air round it."""
    lower, upper = run.lower[pair], run.upper[pair]
    least, most = run.view(pair)
    air = 0.04 * (most - least).max()
    axes.set(xlim=(least[0] - air, most[0] + air), ylim=(least[1] - air, most[1] + air), aspect="equal")
    axes.add_patch(plt.Rectangle(lower, *(upper - lower), fill=False, ec=style.GREY, lw=0.6, ls=(0, (3, 2)), zorder=0))
    axes.set_xlabel(f"$z_{{{pair[0]}}}$", labelpad=1)


def band(axes, run):
    """The box Z of one coordinate, upwards."""
    least, most = run.view(0)
    air = 0.1 * (most - least)
    axes.set_ylim(least - air, most + air)
    for edge in (run.lower[0], run.upper[0]):
        axes.axhline(edge, color=style.GREY, lw=0.6, ls=(0, (3, 2)), zorder=0)


def size_of(rows):
    return float(np.clip(900 / len(rows), 7, 26))


def name_of(t):
    return "$t=0$: data" if t == 0 else f"$t={t}$"


def draw_tokens(axes, run, t, pair, rows, kinds):
    size, z, of = size_of(rows), run.tokens[:, rows][:, :, pair], kinds.of[rows]
    if t > 0:
        for k in np.unique(of):
            mine = of == k
            for way in np.stack([z[t - 1][mine], z[t][mine]], axis=1):
                axes.plot(*way.T, color=kinds.colour(k), lw=0.5, alpha=0.4, zorder=1)
            axes.scatter(*z[t - 1][mine].T, s=0.25 * size, color=kinds.colour(k), alpha=0.35, lw=0, zorder=2)
    if run.table.target is not None and t == run.layers:
        axes.scatter(*run.table.target[rows][:, pair].T, s=11, color="black", marker="x", lw=0.5, zorder=2.5)
    axes.set_title(name_of(t))
    return style.draw_places(axes, z[t], of, kinds, size, (run.upper[pair] - run.lower[pair]).max())


def draw_depth(axes, run, rows, kinds):
    """Paths of one-dimensional tokens against depth."""
    z, of, notes = run.tokens[:, rows, 0], kinds.of[rows], []
    for k in np.unique(of):
        axes.plot(np.arange(run.layers + 1), z[:, of == k], color=kinds.colour(k), lw=0.6, alpha=0.5, zorder=1)
    for t in range(run.layers + 1):
        points = np.stack([np.full(len(rows), float(t)), z[t]], axis=1)
        notes.append(style.draw_places(axes, points, of, kinds, size_of(rows), run.upper[0] - run.lower[0], most=5))
    if run.table.target is not None:
        axes.scatter(np.full(len(rows), run.layers + 0.12), run.table.target[rows, 0], s=11, color="black", marker="x", lw=0.5, zorder=2.5)
    band(axes, run)
    axes.set(xlabel="layers passed, $t$", ylabel="$z_0$", title="tokens against depth", xlim=(-0.25, run.layers + 0.35))
    axes.set_xticks(np.arange(run.layers + 1))
    return notes


def draw_positions(axes, run, t, rows, kinds):
    """One-dimensional tokens after layer t against their position; a thin line joins a sequence."""
    position, z, of = run.table.position[rows].astype(float), run.tokens[t, rows, 0], kinds.of[rows]
    for s in np.unique(run.table.sequence[rows]):
        mine = np.flatnonzero(run.table.sequence[rows] == s)
        mine = mine[np.argsort(position[mine], kind="stable")]
        axes.plot(position[mine], z[mine], color=style.LIGHT, lw=0.6, zorder=1)
    scale = run.upper[0] - run.lower[0]
    note = style.draw_places(axes, np.stack([position, z], axis=1), of, kinds, size_of(rows), scale)
    if run.table.target is not None and t == run.layers:
        axes.scatter(position + 0.12, run.table.target[rows, 0], s=11, color="black", marker="x", lw=0.5, zorder=2.5)
    band(axes, run)
    axes.set(title=name_of(t), xlim=(position.min() - 0.35, position.max() + 0.45))
    axes.set_xlabel("position", labelpad=1)
    axes.xaxis.set_major_locator(plt.MaxNLocator(integer=True))
    return note


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
        image = inset.imshow(run.seen(t, rows, head), cmap=style.WEIGHT, vmin=0, vmax=1)
        # Label the positions as far as they can be read; the sequence stands above its matrix.
        n = len(rows)
        step = max(1, -(-n // (4 if side == 2 else 8)))
        marks = np.arange(0, n, step)
        names = [str(run.table.position[rows[i]]) for i in marks]
        inset.set_xticks(marks, names)
        inset.set_yticks(marks, names)
        inset.tick_params(labelsize=6, length=1.5, pad=1)
        inset.set_title(f"sequence {s}", fontsize=7, pad=3)
        for spine in inset.spines.values():
            spine.set_color(style.GREY)
    return image


def queries(run, rows, t, kinds):
    """One token a kind: the one nearest to the mean of its kind in layer t. Of many kinds six."""
    z, of = run.tokens[t, rows], kinds.of[rows]
    every = np.unique(of)
    if len(every) > 6:
        every = every[np.linspace(0, len(every) - 1, 6).round().astype(int)]
    for k in every:
        mine = np.flatnonzero(of == k)
        yield k, mine[np.argmin(((z[mine] - z[mine].mean(axis=0)) ** 2).sum(axis=1))]


def population_title(run, t, context):
    s, rows = context
    return f"attention of layer {t}" + ("" if len(rows) == len(run.table) else f", sequence {s}")


def draw_population(axes, run, t, pair, context, head, kinds):
    """Discs of area N k(i, j) for a few query tokens i, over all tokens j in grey."""
    _, rows = context
    weight = run.seen(t, rows, head)
    z = run.tokens[t, rows]
    axes.scatter(*z[:, pair].T, s=2, color=style.LIGHT, lw=0, zorder=1)
    for k, i in queries(run, rows, t, kinds):
        area = np.minimum(14 * weight[i] * len(rows), 160)
        axes.scatter(*z[:, pair].T, s=area, color=kinds.colour(k), alpha=0.3, lw=0, zorder=2)
        mean = weight[i] @ z
        axes.plot(*zip(z[i, pair], mean[pair]), color=kinds.colour(k), lw=1.0, zorder=3)
        axes.scatter(*mean[pair], s=26, fc="white", ec=kinds.colour(k), lw=1.3, zorder=4)
        axes.scatter(*z[i, pair], s=75, color=kinds.colour(k), ec="black", lw=0.6, marker="*", zorder=5)
    axes.set_title(population_title(run, t, context))


def draw_weights(axes, run, t, context, head, kinds):
    """In one dimension: N k(i, j) against z_j for a few query tokens i."""
    _, rows = context
    weight, z = run.seen(t, rows, head), run.tokens[t, rows, 0]
    order = np.argsort(z, kind="stable")
    for k, i in queries(run, rows, t, kinds):
        axes.plot(z[order], weight[i, order] * len(rows), color=kinds.colour(k), marker=".", ms=3, lw=0.8)
        axes.plot(z[i], weight[i, i] * len(rows), color=kinds.colour(k), marker="*", ms=9, mec="black", mew=0.6, zorder=4)
    axes.axhline(1, color=style.GREY, lw=0.6, ls=(0, (3, 2)))
    axes.set_ylim(bottom=0)
    axes.set_xlabel("$z_0$ of the token seen", labelpad=1)
    axes.set_title(population_title(run, t, context))


# ---- the whole ------------------------------------------------------------------------------------------------------------------------


def chosen_rows(run, position):
    """All rows, or those at one position; negative: counted from each sequence's last."""
    rows = np.concatenate([c for _, c in run.table.contexts()])
    if position is None:
        return rows
    last = {s: run.table.position[c].max() for s, c in run.table.contexts()}
    wanted = np.array([position if position >= 0 else last[s] + 1 + position for s in run.table.sequence[rows]])
    return rows[run.table.position[rows] == wanted]


def draw_attention(row, run, pair, head, kinds):
    """Into the panels of the last row but the last, which is left for words. Returns an image for the colour bar, and words."""
    contexts = list(run.table.contexts())
    if run.heads == 0:
        for axes in row:
            axes.axis("off")
        return None, "no attention: the layers have no heads"
    if max(len(rows) for _, rows in contexts) <= LONGEST:
        for t in range(run.layers):
            image = draw_matrices(row[t], run, t, contexts[:SHOWN], head)
        return image, f"{SHOWN} of {len(contexts)} sequences shown" if len(contexts) > SHOWN else None
    context = max(contexts, key=lambda c: len(c[1])) if len(contexts[0][1]) <= LONGEST else contexts[0]
    for t in range(run.layers):
        if run.dim == 1:
            draw_weights(row[t], run, t, context, head, kinds)
        else:
            frame(row[t], run, pair)
            draw_population(row[t], run, t, pair, context, head, kinds)
    if run.dim == 1:
        row[0].set_ylabel("tokens $\\times$ weight")
        return None, "star: query token\ndots: what it sees; 1 is\n    an even look at all"
    row[0].set_ylabel(f"$z_{{{pair[1]}}}$", labelpad=0)
    return None, "star: query token\ndisc: token seen, its area in\n    proportion to attention\nring: mean of what is seen"


def words(fig, axes, run, rows, kinds, image, said):
    """The last panel: legend, colour bar, what is not shown."""
    axes.axis("off")
    handles = kinds.handles(kinds.of[rows])
    if run.table.target is not None:
        handles.append(plt.Line2D([], [], ls="none", marker="x", color="black", ms=5, label="target"))
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(0.0, 0.98), borderaxespad=0)
    if image is not None:
        place = axes.inset_axes([0.05, 0.2, 0.75, 0.05])
        label = "attention weight\n(queries down, keys across)" + (f"\n{said}" if said else "")
        fig.colorbar(image, cax=place, orientation="horizontal", label=label)
    elif said:
        axes.text(0.03, 0.02, said, va="bottom", transform=axes.transAxes, fontsize=8.5)


def finish(fig, run, notes, test):
    fig.suptitle(run.title(test), fontsize=10.5)
    caption = style.caption_of(notes)
    if caption:
        fig.supxlabel(caption, fontsize=8.5)
    return fig


def figure_plane(run, pair, position, head, test):
    rows, kinds, columns = chosen_rows(run, position), style.Kinds(run.table), run.layers + 1
    sides = np.subtract(*run.view(pair)[::-1])
    height = style.PANEL * float(np.clip(sides[1] / sides[0], 0.5, 2))
    fig, grid = plt.subplots(2, columns, figsize=(style.PANEL * columns, 2 * height + 1.2), squeeze=False)
    fig.get_layout_engine().set(h_pad=0.07)
    notes = []
    for t in range(columns):
        frame(grid[0, t], run, pair)
        notes.append(draw_tokens(grid[0, t], run, t, pair, rows, kinds))
    grid[0, 0].set_ylabel(f"$z_{{{pair[1]}}}$", labelpad=0)
    image, said = draw_attention(grid[1, :-1], run, pair, head, kinds)
    words(fig, grid[1, -1], run, rows, kinds, image, said)
    return finish(fig, run, notes, test)


def figure_line(run, position, head, test):
    """Of one dimension."""
    rows, kinds, columns = chosen_rows(run, position), style.Kinds(run.table), run.layers + 1
    several = len(np.unique(run.table.position[rows])) > 1
    names = [["depth"] * columns] + ([["p%d" % t for t in range(columns)]] if several else []) + [
        ["a%d" % t for t in range(run.layers)] + ["words"]]
    heights = [0.85] * (len(names) - 1) + [1.1]
    fig, axes = plt.subplot_mosaic(names, figsize=(style.PANEL * columns, style.PANEL * sum(heights) + 1.0), height_ratios=heights)
    fig.get_layout_engine().set(h_pad=0.07)
    notes = draw_depth(axes["depth"], run, rows, kinds)
    for t in range(columns if several else 0):
        notes.append(draw_positions(axes["p%d" % t], run, t, rows, kinds))
    if several:
        axes["p0"].set_ylabel("$z_0$")
    image, said = draw_attention([axes["a%d" % t] for t in range(run.layers)], run, None, head, kinds)
    words(fig, axes["words"], run, rows, kinds, image, said)
    return finish(fig, run, notes, test)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("run", metavar="RUN.h5")
    parser.add_argument("-o", required=True, metavar="FIGURE", dest="out", help="PNG, PDF or SVG")
    style.axes_option(parser)
    parser.add_argument("-position", type=int, help="only tokens at this position; -1 is each sequence's last")
    parser.add_argument("-head", type=int, default=0, help="attention head: 0")
    parser.add_argument("-test", action="store_true", help="the test table in place of the training table")
    options = style.parse(parser)
    run = Run(options.run, options.test)
    axes = style.chosen_axes(parser, options, run)
    if run.heads and not 0 <= options.head < run.heads:
        parser.error(f"-head: {options.run} has heads 0 .. {run.heads - 1}")
    if not len(chosen_rows(run, options.position)):
        parser.error(f"-position: {options.run} has no token there")
    if run.dim == 1:
        fig = figure_line(run, options.position, options.head, options.test)
    else:
        fig = figure_plane(run, axes, options.position, options.head, options.test)
    style.save(fig, options.out)


if __name__ == "__main__":
    main()
