#!/usr/bin/env python3
"""A flow: tokens through depth, the Hamiltonian, Pontryagin's condition, and how the training went.

usage: flow.py RUN.h5 -o FIGURE.png [-axes I J]

Left: paths of the tokens, coloured by label, a dot at the end of each layer. Right: H at both ends of every layer (constant where zeta is and u
is optimal among all measurable controls) and what it exceeds its minimum over the actions by; J and the projected gradient by iteration.
"""
import argparse

import numpy as np

import style
from runfile import Run
from style import plt


def paths(axes, run, pair):
    z = run.file["flow/tokens"][()][:, :, pair]
    label = run.data.label if run.data.label is not None else run.data.position
    for k in np.unique(label):
        some = z[:, label == k]
        axes.plot(some[:, :, 0], some[:, :, 1], color=style.colour(k), lw=0.5, alpha=0.6)
        axes.plot(some[-1, :, 0], some[-1, :, 1], ls="", marker=style.marker(k), color=style.colour(k), ms=3.2,
                  label="%s %d" % ("label" if run.data.label is not None else "position", k))
        axes.plot(some[:-1, :, 0], some[:-1, :, 1], ls="", marker=".", color=style.colour(k), ms=2, alpha=0.6)
    axes.set(xlabel="$z_%d$" % pair[0], ylabel="$z_%d$" % pair[1], title="tokens through depth")
    if len(np.unique(label)) <= 7:
        axes.legend()


def hamiltonian(axes, run):
    t, H = run.file["flow/depth"][()], run.file["pontryagin/hamiltonian"][()]
    over = H - run.file["pontryagin/violation"][()]
    for k in range(len(H)):
        axes.plot(t[k:k + 2], H[k], color=style.colour(0), marker="o", ms=2.5, label="$H(t, u(t))$" if k == 0 else None)
        axes.plot(t[k:k + 2], over[k], color=style.colour(1), ls=(0, (3, 2)), label=r"$\min(H(t, u(t)), \min_k H(t, u_k))$" if k == 0 else None)
    axes.set(xlabel="depth $t$", title="Hamiltonian")
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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", metavar="RUN.h5")
    parser.add_argument("-o", required=True, metavar="FIGURE", dest="out", help="PNG, PDF or SVG")
    parser.add_argument("-axes", nargs=2, type=int, default=(0, 1), metavar=("I", "J"), help="components of the tokens")
    options = parser.parse_args()
    run = Run(options.run)
    if "flow" not in run.file:
        parser.error("%s is no result of `bellformer flow`" % options.run)
    if run.dim < 2 or max(options.axes) >= run.dim:
        parser.error("tokens have %d components" % run.dim)
    figure, axes = plt.subplots(1, 3, figsize=(3.4 * style.PANEL, 1.25 * style.PANEL))
    paths(axes[0], run, list(options.axes))
    hamiltonian(axes[1], run)
    history(axes[2], run)
    attributes = run.file["flow"].attrs
    figure.suptitle("%s,  $T=%d$,  $J=%.5g$,  loss %.4g" % (run.name, run.layers, attributes["cost"], attributes["loss"]))
    style.save(figure, options.out)


main()
