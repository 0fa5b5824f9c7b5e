#!/usr/bin/env python3
"""A flow: tokens through depth, the Hamiltonian, Pontryagin's condition, and how the training went.

usage: flow.py RUN.h5 -o FIGURE.png [-axes I J]

Left: paths of the tokens, coloured by label, a dot at the end of each layer; of one dimension against depth, and beside it at its end against
position. Tokens that coincide at the end are drawn as one, with their number. Right: H at both ends of every layer (constant where zeta is and u
is optimal among all measurable controls), of scheme layers one H a layer (which
varies), and what it exceeds its minimum over the actions by; J and the projected gradient by iteration.
"""
import argparse

import style
import numpy as np

import paths
from runfile import Run, bellformer, number
from style import plt


def positions(axes, run, kinds):
    """Tokens of one dimension at the end of depth against position; small: where they start."""
    z, position = run.file["flow/tokens"][()][:, :, 0], run.data.position.astype(float)
    for i, k in enumerate(kinds.of):
        axes.plot([position[i]] * 2, z[[0, -1], i], color=kinds.colour(k), lw=0.5, alpha=0.6)
        axes.plot(position[i], z[0, i], color=kinds.colour(k), marker=".", ms=3, alpha=0.6)
    axes.set(xlabel="position", title="... at its end, against position")
    axes.xaxis.set_major_locator(style.plt.MaxNLocator(integer=True))
    return [paths.mark_ends(axes, np.stack([position, z[-1]], axis=1), kinds, np.ptp(z))]


def hamiltonian(axes, run):
    t, H = run.file["flow/depth"][()], run.file["pontryagin/hamiltonian"][()]
    over = H - run.file["pontryagin/violation"][()]
    layers = H.shape[1] == 1
    name = "H_t(u_t)" if layers else "H(t, u(t))"
    least = r"$\min(%s, \min_k %s)$" % (name, "H_t(u_k)" if layers else "H(t, u_k)")
    for k in range(len(H)):
        value, below = (np.broadcast_to(x[k], 2) for x in (H, over))
        axes.plot(t[k:k + 2], value, color=style.colour(0), marker=None if layers else "o", ms=2.5, label="$%s$" % name if k == 0 else None)
        if np.isnan(below).all():  # the problem gives no actions
            continue
        axes.plot(t[k:k + 2], below, color=style.colour(1), ls=(0, (3, 2)), label=least if k == 0 else None)
    axes.set(xlabel="depth $t$", title="Hamiltonian of each layer" if layers else "Hamiltonian")
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.35 * (high - low))
    axes.legend()


def history(axes, run):
    for k, (name, label) in enumerate((("cost", "$J$"), ("residual", "|projected gradient|"))):
        values = run.file["flow/history/" + name][()]
        axes.plot(np.arange(len(values)), np.where(values > 0, values, np.nan), color=style.colour(k), label=label)
    axes.set(xlabel="iteration", yscale="log", title="training")
    axes.grid(which="major", color=style.LIGHT, lw=0.4)
    axes.legend()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("run", metavar="RUN.h5")
    parser.add_argument("-o", required=True, metavar="FIGURE", dest="out", help="PNG, PDF or SVG")
    style.axes_option(parser)
    options = style.parse(parser)
    run = Run(options.run)
    if "flow" not in run.file:
        parser.error("%s is no result of `bellformer flow`" % options.run)
    pair = style.chosen_axes(parser, options, run)
    kinds, several = style.Kinds(run.data), run.dim == 1 and len(np.unique(run.data.position)) > 1
    panels = 4 if several else 3
    figure, axes = plt.subplots(1, panels, figsize=(1.13 * panels * style.PANEL, 1.3 * style.PANEL))
    tokens = run.file["flow/tokens"][()]
    notes = paths.in_depth(axes[0], tokens, run.file["flow/depth"][()], kinds) if run.dim == 1 else paths.in_plane(axes[0], tokens, kinds, pair)
    if several:
        notes += positions(axes[1], run, kinds)
    hamiltonian(axes[-2], run)
    history(axes[-1], run)
    attributes = run.file["flow"].attrs
    figure.suptitle("%s,  %s,  $T=%d$,  $J=%s$,  loss $%s$" % (run.name, bellformer.text(attributes["scheme"]), run.layers,
                                                              number(attributes["cost"]), number(attributes["loss"])))
    caption = style.caption_of(notes)
    if caption:
        figure.supxlabel(caption, fontsize=8.5)
    style.save(figure, options.out)


if __name__ == "__main__":
    main()
