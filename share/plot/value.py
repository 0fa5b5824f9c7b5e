#!/usr/bin/env python3
"""The value function and the closed-loop policy on a slice of the lifted space.

usage: value.py RUN.h5 -o FIGURE.png [-tag G] [-atom A] [-ranks]

Of a run with -space full. One atom of one tag (0 and 0, unless told) is moved over all cells while every other atom
stays where mu_0 has it: V_t above, the smallest minimizing action below, for every layer t; the frame is mu_0's own
cell. On a grid of one dimension: V_t against the cells' centres, and the actions, a row a layer. With -ranks, or where the tokens are on no
grid of one or two dimensions: V_t over all laws of the tag.
"""
import argparse
import sys
from math import comb

import style
import numpy as np

from runfile import Run, number
from style import plt
from matplotlib.colors import ListedColormap, LogNorm, Normalize

NUMBERED = 100  # cells at most whose actions are written into them


class Space:
    """The mixed-radix numbering of lifted states: the types of every tag, first tag slowest."""

    def __init__(self, run):
        if "value" not in run.file or "policy" not in run.file:
            sys.exit(f"{run.path}: no /value and /policy: solve with -space full, leaving neither out")
        tags = run.file["tags"]
        self.column = {name: tags[name][()] for name in tags}
        self.atoms = np.asarray(self.column["atoms"], dtype=int)
        self.points = run.file["grid/points"][()]
        self.cells = len(self.points)
        self.types = [comb(int(m) + self.cells - 1, int(m)) for m in self.atoms]
        self.stride = [1] * len(self.types)
        for g in range(len(self.types) - 2, -1, -1):
            self.stride[g] = self.stride[g + 1] * self.types[g + 1]
        self.initial = int(run.measures["initial"])

    def rank(self, g):
        """The rank of tag g's law in mu_0."""
        return self.initial // self.stride[g] % self.types[g]

    def state(self, g, rank):
        """The index of mu_0 with tag g's law replaced."""
        return self.initial + (rank - self.rank(g)) * self.stride[g]

    def name(self, g):
        words = [word for word in ("sequence", "position", "label") if word in self.column]
        return ", ".join(f"{word} {self.column[word][g]}" for word in words)


def type_rank(cells):
    """Colexicographic rank of a type given by its atoms' cells: sum over k of C(c_k + k - 1, k), c sorted, k from 1."""
    return sum(comb(int(c) + k, k + 1) for k, c in enumerate(sorted(cells)))


def type_cells(rank, atoms, cells):
    """The inverse: the atoms' cells of a rank, non-decreasing."""
    found = []
    for k in range(atoms, 0, -1):
        low, high = 0, cells + k - 1
        while high - low > 1:  # the largest b with C(b, k) <= rank
            middle = (low + high) // 2
            low, high = (middle, high) if comb(middle, k) <= rank else (low, middle)
        found.append(low - k + 1)
        rank -= comb(low, k)
    return found[::-1]


def pick(dataset, states):
    """dataset[:, states]: only the entries that are wanted are read."""
    order, back = np.unique(states, return_inverse=True)
    return dataset[:, order][:, back]


def axis_values(points):
    """The centres along the axes of a grid of one or two dimensions, or None where the points are no such grid."""
    if points.shape[1] > 2:
        return None
    values = [np.unique(points[:, j]) for j in range(points.shape[1])]
    return values if int(np.prod([len(v) for v in values])) == len(points) else None


def edges(run, values):
    return [np.linspace(run.lower[j], run.upper[j], len(v) + 1) for j, v in enumerate(values)]


def draw_policy(axes, edge, policy, shape, used, palette):
    """Actions as colours, with their numbers where there is room."""
    image = np.searchsorted(used, policy).reshape(shape)
    axes.pcolormesh(*edge, image.T, cmap=palette, vmin=-0.5, vmax=len(used) - 0.5, ec="white", lw=0.4)
    if len(policy) > NUMBERED:
        return
    size = float(np.clip(26 / max(shape), 4, 8))
    for a in range(shape[0]):
        for b in range(shape[1]):
            axes.text((edge[0][a] + edge[0][a + 1]) / 2, (edge[1][b] + edge[1][b + 1]) / 2, str(used[image[a, b]]),
                      ha="center", va="center", fontsize=size)


def action_palette(count):
    """Light colours, so that numbers can be read on them; beyond forty they repeat, and the numbers tell them apart."""
    base = np.concatenate([plt.get_cmap(name)(np.arange(20)) for name in ("tab20b", "tab20c")])
    return ListedColormap(0.45 * base[(np.arange(count) * 7) % len(base)] + 0.55)


def slice_of(run, space, g, atom):
    """Cells of tag g's atoms in mu_0, and V [T + 1, n] and policy [T, n] with one atom moved over all cells."""
    mine = type_cells(space.rank(g), int(space.atoms[g]), space.cells)
    states = [space.state(g, type_rank(mine[:atom] + [c] + mine[atom + 1:])) for c in range(space.cells)]
    return mine, pick(run.file["value"], states), pick(run.file["policy"], states)


def headline(run, space, g, atom):
    return f"{run.name}: atom {atom} of {space.atoms[g]} of the tag ({space.name(g)}), all else as in $\\mu_0$"


def figure_axis(run, space, g, atom, values):
    """Of a grid of one dimension."""
    mine, value, policy = slice_of(run, space, g, atom)
    edge, used, home = edges(run, values)[0], np.unique(policy), space.points[mine[atom], 0]
    fig, (upper, lower) = plt.subplots(2, 1, figsize=(5.2, 2.6 + 0.3 * run.layers + 0.8), sharex=True, height_ratios=(2.6, 0.3 * run.layers + 0.3))
    for t in range(run.layers + 1):
        last = t == run.layers
        upper.plot(values[0], value[t], color=style.GREY if last else style.colour(t), marker="." if space.cells < 100 else None, ms=4,
                   label=f"$V_{{{t}}}$" + (" (terminal cost)" if last else ""))
    upper.axvline(home, color="#D55E00", lw=0.8, ls=(0, (4, 2)), label=f"in $\\mu_0$: $V_0={number(value[0][mine[atom]])}$")
    upper.set_ylabel("cost to go")
    upper.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    image = np.searchsorted(used, policy)
    lower.pcolormesh(edge, np.arange(run.layers + 1) - 0.5, image, cmap=action_palette(len(used)), vmin=-0.5, vmax=len(used) - 0.5, ec="white", lw=0.4)
    lower.axvline(home, color="#D55E00", lw=0.8, ls=(0, (4, 2)))
    for t in range(run.layers):
        for c in range(space.cells if space.cells <= 24 else 0):
            lower.text(values[0][c], t, str(policy[t, c]), ha="center", va="center", fontsize=float(np.clip(130 / space.cells, 4, 8)))
    lower.set(xlabel="$z_0$ of the atom's cell", ylabel="layer", ylim=(run.layers - 0.5, -0.5))
    lower.set_yticks(np.arange(run.layers))
    lower.text(1.02, 0.5, f"actions: {len(used)} of\n{int(run.file.attrs['actions'])} occur,\na colour each", transform=lower.transAxes, va="center")
    fig.suptitle(headline(run, space, g, atom), fontsize=10.5)
    return fig


def figure_cells(run, space, g, atom, values):
    mine, value, policy = slice_of(run, space, g, atom)
    shape, edge = [len(v) for v in values], edges(run, values)
    home = space.points[mine[atom]]
    side = (run.upper - run.lower) / shape
    columns = run.layers + 1
    ratio = float(np.clip((run.upper[1] - run.lower[1]) / (run.upper[0] - run.lower[0]), 0.5, 2))
    fig, grid = plt.subplots(2, columns, figsize=(style.PANEL * columns + 0.5, 2 * style.PANEL * ratio + 1.1))
    fig.get_layout_engine().set(h_pad=0.07)
    used = np.unique(policy)
    palette = action_palette(len(used))
    wide = value.min() > 0 and value.max() > 20 * value.min()
    norm = (LogNorm if wide else Normalize)(value.min(), value.max())
    for t in range(columns):
        image = grid[0, t].pcolormesh(*edge, value[t].reshape(shape).T, cmap=style.VALUE, norm=norm)
        grid[0, t].set_title(f"value $V_{{{t}}}$" + (" (terminal cost)" if t == run.layers else ""))
        if t < run.layers:
            draw_policy(grid[1, t], edge, policy[t], shape, used, palette)
            grid[1, t].set_title(f"action of layer {t}")
        for axes in grid[:, t]:
            axes.set(aspect="equal", xlabel="$z_0$")
            axes.add_patch(plt.Rectangle(home - side / 2, *side, fill=False, lw=1.6, clip_on=False, zorder=5,
                                         ec="#D55E00"))
    for axes in grid[:, 0]:
        axes.set_ylabel("$z_1$")
    fig.colorbar(image, ax=grid[0, -1], label="cost to go", shrink=0.9)
    grid[1, -1].clear()
    grid[1, -1].axis("off")
    note = f"frame: the atom's cell in $\\mu_0$,\n    $V_0(\\mu_0)={number(value[0][mine[atom]])}$\n"
    note += f"{len(used)} of {int(run.file.attrs['actions'])} actions occur,\n    a colour each"
    grid[1, -1].text(0.02, 0.62, note, va="center", transform=grid[1, -1].transAxes)
    fig.suptitle(headline(run, space, g, atom), fontsize=10.5)
    return fig


def figure_ranks(run, space, g):
    ranks = np.arange(space.types[g])
    value = pick(run.file["value"], [space.state(g, int(r)) for r in ranks])
    fig, axes = plt.subplots(figsize=(5.2, 2.9))
    order = np.argsort(value[0], kind="stable")
    for t in range(run.layers, -1, -1):
        shade = style.GREY if t == run.layers else style.colour(t)
        dots = dict(lw=1.4) if t == 0 else dict(ls="none", marker=".", ms=4, mew=0)
        axes.plot(ranks, value[t][order], color=shade, zorder=10 - t, label=f"$V_{{{t}}}$", **dots)
    at = int(np.flatnonzero(order == space.rank(g))[0])
    axes.scatter(at, value[0][order[at]], s=40, fc="none", ec="black", lw=1.2, zorder=20, label=r"$\mu_0$")
    axes.set_xlabel(f"the {len(ranks)} laws of the tag, in the order of $V_0$")
    axes.set_ylabel("cost to go")
    axes.margins(x=0.01)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    axes.set_title(f"{run.name}: tag ({space.name(g)}), all others as in $\\mu_0$")
    return fig


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("run", metavar="RUN.h5")
    parser.add_argument("-o", required=True, metavar="FIGURE", dest="out", help="PNG, PDF or SVG")
    parser.add_argument("-tag", type=int, default=0, metavar="G", help="tag, in the order of /tags: 0")
    parser.add_argument("-atom", type=int, default=0, metavar="A", help="atom of the tag, in the order of cells: 0")
    parser.add_argument("-ranks", action="store_true", help="V_t over all laws of the tag")
    options = parser.parse_args()
    run = Run(options.run)
    space = Space(run)
    if not 0 <= options.tag < len(space.types):
        parser.error(f"-tag: {options.run} has tags 0 .. {len(space.types) - 1}")
    if not 0 <= options.atom < space.atoms[options.tag]:
        parser.error(f"-atom: the tag has atoms 0 .. {space.atoms[options.tag] - 1}")
    values = axis_values(space.points)
    if options.ranks or values is None:
        fig = figure_ranks(run, space, options.tag)
    else:
        fig = (figure_axis if len(values) == 1 else figure_cells)(run, space, options.tag, options.atom, values)
    style.save(fig, options.out)


if __name__ == "__main__":
    main()
