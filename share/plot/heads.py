#!/usr/bin/env python3
"""Training of many heads a layer: the risk, the tangent kernel, tokens through the layers, and the heads of every layer before and after.

usage: heads.py RUN.h5 -o FIGURE.png [-axes I J] [-plane I J]

Above: the risk against training time, with the decay that the tangent kernel promises and the rate that was seen at last; the kernel's eigenvalues at
the start and at the end, where the run has them (-kernel); the tokens through the layers, coloured by label, crosses their targets.
Below: the heads of each layer in a plane of two of their free numbers, as they started (grey) and as they ended, a line from one to the other, the area
in proportion to the weight. -plane names the two numbers, counted from 0, those of A before those of V; without it the number of A and that of V that
moved most. A head that was inserted has no start, and stands alone. Of many layers six are shown, of many heads 2000, spread evenly.
"""
import argparse

import style
import numpy as np
from matplotlib.collections import LineCollection

import paths
from runfile import Run, bellformer, number
from style import plt

LAYERS = 6    # at most, whose heads are shown
HEADS = 2000  # a layer
DASHED, DOTTED = (0, (4, 2)), (0, (1, 1.5))


def spread(count, most):
    return np.arange(count) if count <= most else np.unique(np.linspace(0, count - 1, most).round().astype(int))


# ---- risk ----------------------------------------------------------------------------------------------------------------------------


def promised_decay(axes, tau, risk, rate):
    axes.plot(tau, risk[0] * np.exp(-rate * (tau - tau[0])), color=style.colour(1), ls=DASHED, label="promised at the start: rate %.3g" % rate)


def seen_decay(axes, tau, risk, rate):
    """A line of that slope beside the last third."""
    ends = np.array([tau[-1] - (tau[-1] - tau[0]) / 3, tau[-1]])
    axes.plot(ends, 3 * risk[-1] * np.exp(rate * (tau[-1] - ends)), color="black", ls=DOTTED, label="rate seen at last: %.3g" % rate)


def draw_risk(axes, heads):
    tau, risk = heads["history/tau"][()], heads["history/risk"][()]
    shown = risk > 0
    axes.plot(tau[shown], risk[shown], color=style.colour(0), marker="o", ms=2.5, label="risk")
    promise = heads.attrs.get("promised_rate")  # only with -kernel
    if promise is not None and np.isnan(promise):
        axes.plot([], [], ls="none", label="no decay is promised")
    elif promise is not None:
        promised_decay(axes, tau, risk, float(promise))
    if shown.all() and heads.attrs["rate"] * (tau[-1] - tau[0]) > 0.1:  # less is no slope to be seen
        seen_decay(axes, tau, risk, float(heads.attrs["rate"]))
    axes.set(xlabel=r"training time $\tau$", title="risk", yscale="log")
    if shown.any():  # what is promised may fall far below what is there
        low, high = risk[shown].min(), risk[shown].max()
        axes.set_ylim(bottom=low * (low / high) ** 0.06)
    axes.grid(which="major", color=style.LIGHT, lw=0.4)
    axes.legend()


# ---- the kernel ----------------------------------------------------------------------------------------------------------------------


def draw_spectrum(axes, spectra):
    """Eigenvalues by size; those beyond the rank, which are what rounding has left of a zero, lie below all others. Where the rank is unknown, -1,
    the run has only the largest."""
    above = [values[:rank] if rank >= 0 else values for values, _, rank in spectra]
    border = min((values.min() for values in above if len(values)), default=1) / 10
    for k, (values, name, rank) in enumerate(spectra):
        seen, zeros = above[k], len(values) - len(above[k])
        colour = style.colour(0) if name == "end" else style.GREY
        mark = "o" if len(values) <= 200 else None
        said = "at the " + name + (", only the largest %d" % len(values) if rank < 0 else "")
        axes.plot(np.arange(1, len(seen) + 1), seen, color=colour, marker=mark, ms=3.5 - 0.8 * k, lw=0.8, label=said)
        if zeros:
            axes.plot(np.arange(len(seen) + 1, len(values) + 1), np.full(zeros, border), color=colour, marker="v", ms=4 - k, ls="none",
                      label="zero but for rounding: %d" % zeros)
    axes.set(xlabel="number", yscale="log", title="eigenvalues of the tangent kernel")
    axes.xaxis.set_major_locator(plt.MaxNLocator(integer=True))
    axes.grid(which="major", color=style.LIGHT, lw=0.4)
    axes.legend()


# ---- heads ---------------------------------------------------------------------------------------------------------------------------


def free_names(run):
    """A name for each free number of a head: where it stands in A or V, which are of the same forms in all heads."""
    control, names = run.file["control"], []
    for letter in "AV":
        form = bellformer.text(control[letter if letter in control else letter + "_0"].attrs["form"])
        names += {"full": ["%s_{%d%d}" % (letter, i, j) for i in range(run.dim) for j in range(run.dim)],
                  "diagonal": ["%s_{%d%d}" % (letter, j, j) for j in range(run.dim)],
                  "scalar": [letter.lower()], "skew": [letter.lower()], "fixed": []}[form]
    return names


def presence(heads):
    """Which heads there are at the end, and which of these were there at the start, [T, H]: a place for one that may be inserted has weight 0 until then."""
    there = heads["weights"][()] > 0
    return there, there & (heads["initial_weights"][()] > 0) if "initial_weights" in heads else there


def chosen_plane(parser, options, heads, names):
    """Of A and of V the number that moved most, of heads with a start; where one of them is fixed, two of the other."""
    if options.plane:
        if not all(0 <= j < len(names) for j in options.plane):
            parser.error("-plane: a head of %s has free numbers 0 .. %d" % (options.run, len(names) - 1))
        return options.plane
    moved = ((heads["particles"][()] - heads["initial"][()]) ** 2)[presence(heads)[1]].mean(axis=0)
    letters = np.array([name[0].upper() for name in names])
    best = [max(np.flatnonzero(letters == letter), key=lambda j: moved[j]) for letter in "AV" if letter in letters]
    if len(best) < 2:
        best = sorted(range(len(names)), key=lambda j: -moved[j])[:2]
    return [int(j) for j in (best if len(best) == 2 else best * 2)]


def draw_layer(axes, before, after, weight, stayed, t):
    """before, after [H, 2]; weight [H] in units of an even one; stayed [H]: those that have a start."""
    area = np.clip(4000 / len(after), 3, 22) * np.minimum(weight, 12)
    axes.add_collection(LineCollection(np.stack([before, after], axis=1)[stayed], colors=style.LIGHT, lw=0.5, zorder=1))
    axes.scatter(*before[stayed].T, s=np.clip(1500 / len(after), 1.5, 6), color=style.GREY, lw=0, zorder=2)
    axes.scatter(*after.T, s=area, color=style.colour(0), alpha=0.75, lw=0.3, ec="white", zorder=3)
    axes.set_title("heads of layer %d" % t)


def draw_heads(row, heads, plane, names):
    """Equal scales in all panels. Returns what is not shown."""
    after, before, weight = (heads[name][()] for name in ("particles", "initial", "weights"))
    (there, stayed), after, before = presence(heads), after[:, :, plane], before[:, :, plane]
    layers, some = spread(len(after), len(row)), spread(after.shape[1], HEADS)
    for axes, t in zip(row, layers):
        shown = some[there[t, some]]
        draw_layer(axes, before[t, shown], after[t, shown], weight[t, shown] * np.count_nonzero(there[t]), stayed[t, shown], t)
    both = np.concatenate([before[layers][stayed[layers]], after[layers][there[layers]]])
    low, high = both.min(axis=0), both.max(axis=0)
    air = 0.06 * np.maximum(high - low, 1e-3)
    for axes in row:
        axes.set(xlim=(low[0] - air[0], high[0] + air[0]), ylim=(low[1] - air[1], high[1] + air[1]))
        axes.set_xlabel("$%s$" % names[plane[0]], labelpad=1)
    row[0].set_ylabel("$%s$" % names[plane[1]], labelpad=0)
    said = ["grey: heads as they started; blue: as they ended, area by weight"]
    said += ["%d of %d layers" % (len(layers), len(after))] if len(layers) < len(after) else []
    return said + (["%d of %d heads" % (len(some), after.shape[1])] if len(some) < after.shape[1] else [])


# ---- the whole -----------------------------------------------------------------------------------------------------------------------


def spectra_of(heads):
    """Eigenvalues, the largest first, when they are of, and the rank, -1 where it is unknown; without -kernel, or where none has converged, none."""
    if "kernel" not in heads:
        return []
    spectra = [(heads["kernel"][name][()], word, int(heads.attrs[rank]))
               for name, word, rank in (("initial", "start", "kernel_rank"), ("final", "end", "final_kernel_rank"))]
    return [(values, word, rank) for values, word, rank in spectra if len(values)]


def draw_tokens(axes, run, heads, pair):
    kinds, tokens = style.Kinds(run.data), heads["tokens"][()]
    if run.dim == 1:
        return paths.in_depth(axes, tokens, np.arange(len(tokens)) * run.step, kinds)
    if run.data.target is not None:
        axes.scatter(*run.data.target[:, pair].T, s=14, color="black", marker="x", lw=0.6, zorder=3.5)
    return paths.in_plane(axes, tokens, kinds, pair)


def panels(above, below):
    """A figure, the panels of its upper and those of its lower row; few of them stand in one row."""
    if above + below <= 4:
        figure, row = plt.subplots(1, above + below, figsize=(1.4 * (above + below) * style.PANEL, 1.4 * style.PANEL))
        return figure, row[:above], row[above:]
    figure = plt.figure(figsize=(style.PANEL * max(1.5 * above, 1.15 * below), 2.7 * style.PANEL + 0.4))
    upper, lower = figure.subfigures(2, 1, height_ratios=(1.1, 1))
    return figure, upper.subplots(1, above), lower.subplots(1, below, squeeze=False)[0]


def title_of(run, heads):
    a, count = heads.attrs, np.count_nonzero(heads["weights"][()], axis=1)
    many = "$H=%d$" % count[0] if np.ptp(count) == 0 else r"$H=%d$ to $%d$" % (count.min(), count.max())
    parts = [run.name, "$T=%d$" % run.layers, many, r"$\tau=%s$" % number(a["tau"]),
             "risk $%s$ from $%s$" % (number(a["risk"]), number(a["initial_risk"]))]
    if run.data.label is not None and not np.isnan(a["accuracy"]):
        parts.append("accuracy %.4g" % a["accuracy"])
    return ",  ".join(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("run", metavar="RUN.h5")
    parser.add_argument("-o", required=True, metavar="FIGURE", dest="out", help="PNG, PDF or SVG")
    style.axes_option(parser)
    parser.add_argument("-plane", nargs=2, type=int, metavar=("I", "J"), help="free numbers of a head that are shown: what moved most")
    options = style.parse(parser)
    run = Run(options.run)
    if "heads" not in run.file:
        parser.error("%s is no result of `bellformer heads`" % options.run)
    heads = run.file["heads"]
    pair, names = style.chosen_axes(parser, options, run), free_names(run)
    plane = chosen_plane(parser, options, heads, names) if names else None
    spectra = spectra_of(heads)
    figure, above, below = panels(2 + bool(spectra), min(run.layers, LAYERS) if names else 0)
    draw_risk(above[0], heads)
    if spectra:
        draw_spectrum(above[1], spectra)
    notes = draw_tokens(above[-1], run, heads, pair)
    said = draw_heads(below, heads, plane, names) if names else []
    said += ["crosses: targets"] if run.data.target is not None and run.dim > 1 else []
    caption = style.caption_of(notes)
    figure.suptitle(title_of(run, heads))
    figure.supxlabel(".  ".join(said + ([caption] if caption else [])), fontsize=8.5)
    style.save(figure, options.out)


if __name__ == "__main__":
    main()
