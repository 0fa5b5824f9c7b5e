"""How the figures look: palette, fonts, sizes, and how a figure is saved."""
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.colors import LinearSegmentedColormap

# Okabe and Ito's palette, told apart by colour-blind readers; black is kept for marks and text.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D1F")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
GREY = "#8A8A8A"
LIGHT = "#D0D0D0"
PANEL = 2.35  # inches, the side of one panel

# White to blue, for weights in [0, 1]; cividis serves for values.
WEIGHT = LinearSegmentedColormap.from_list("weight", ("#FFFFFF", "#9CC9E6", "#0072B2", "#08304F"))
VALUE = "cividis"

plt.rcParams.update({
    "font.family": "STIXGeneral", "mathtext.fontset": "stix", "font.size": 9,
    "axes.titlesize": 9.5, "axes.labelsize": 9.5, "legend.fontsize": 8.5, "xtick.labelsize": 8, "ytick.labelsize": 8,
    "axes.linewidth": 0.6, "xtick.major.width": 0.6, "ytick.major.width": 0.6, "xtick.major.size": 2.5,
    "ytick.major.size": 2.5, "xtick.direction": "out", "ytick.direction": "out", "lines.linewidth": 1.0,
    "legend.frameon": False, "legend.handlelength": 1.4, "legend.columnspacing": 1.4,
    "figure.constrained_layout.use": True, "pdf.fonttype": 42, "ps.fonttype": 42, "svg.fonttype": "none",
})


def colour(k):
    return PALETTE[k % len(PALETTE)]


def marker(k):
    return MARKERS[k % len(MARKERS)]


def save(figure, path):
    """The format follows the name: .pdf and .svg are vectors, .png has 220 dots an inch."""
    figure.savefig(path, dpi=220, bbox_inches="tight", pad_inches=0.04)
    plt.close(figure)
