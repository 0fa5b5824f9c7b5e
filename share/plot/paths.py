"""Paths of tokens through depth, each with a dot at every time that is kept, and a marker at the end; what flow.py and heads.py have in common."""
import style
import numpy as np


def mark_ends(axes, points, kinds, longest):
    return style.draw_places(axes, points, kinds.of, kinds, float(np.clip(900 / len(points), 7, 20)), longest)


def legend(axes, kinds):
    axes.margins(0.09)
    axes.legend(handles=kinds.handles(size=5), frameon=True, framealpha=0.8, edgecolor="none")


def in_plane(axes, tokens, kinds, pair):
    """tokens [T + 1, N, d]: two of their coordinates. Returns what a caption has to say."""
    z = tokens[:, :, pair]
    for i, k in enumerate(kinds.of):
        axes.plot(z[:, i, 0], z[:, i, 1], color=kinds.colour(k), lw=0.5, alpha=0.6, marker=".", ms=2)
    axes.set(xlabel="$z_%d$" % pair[0], ylabel="$z_%d$" % pair[1], title="tokens through depth")
    note = mark_ends(axes, z[-1], kinds, np.ptp(z.reshape(-1, 2), axis=0).max())
    legend(axes, kinds)
    return [note]


def in_depth(axes, tokens, depth, kinds):
    """Of one dimension, against depth [T + 1]."""
    z = tokens[:, :, 0]
    for i, k in enumerate(kinds.of):
        axes.plot(depth, z[:, i], color=kinds.colour(k), lw=0.6, alpha=0.6, marker=".", ms=3)
    axes.set(xlabel="depth $t$", ylabel="$z_0$", title="tokens against depth")
    note = mark_ends(axes, np.stack([np.full(z.shape[1], depth[-1]), z[-1]], axis=1), kinds, np.ptp(z))
    legend(axes, kinds)
    return [note]
