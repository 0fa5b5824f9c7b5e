"""How the figures look: palette, fonts, sizes, what tokens that coincide look like, and how a figure is saved. Imported first: it finds an
interpreter that has h5py and matplotlib."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python"))
import needs  # noqa: E402

needs.modules("numpy", "h5py", "matplotlib")
import h5py  # noqa: E402
import matplotlib  # noqa: E402
import numpy as np  # noqa: E402

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.colors import LinearSegmentedColormap  # noqa: E402

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


def parse(parser):
    """The command line, where -axes 0,1 is -axes 0 1."""
    words = sys.argv[1:]
    for i, word in enumerate(words):
        if i and words[i - 1] == "-axes" and "," in word:
            words[i:i + 1] = word.split(",")
            break
    return parser.parse_args(words)


def axes_option(parser):
    parser.add_argument("-axes", nargs=2, type=int, metavar=("I", "J"), help="coordinates of the tokens that are shown: 0 1")


def chosen_axes(parser, options, run):
    if options.axes and run.dim == 1:
        parser.error("-axes: tokens of %s have one coordinate" % options.run)
    axes = options.axes or [0, 1]
    if run.dim > 1 and not all(0 <= j < run.dim for j in axes):
        parser.error("-axes: %s has coordinates 0 .. %d" % (options.run, run.dim - 1))
    return axes


def colour(k):
    return PALETTE[k % len(PALETTE)]


def marker(k):
    return MARKERS[k % len(MARKERS)]


class Kinds:
    """What colours a token: its label, or its position where the data has targets. More kinds than the palette has colours take shades of
    one map, in their order, and one marker."""

    def __init__(self, table):
        self.of, self.word = (table.label, "label") if table.label is not None else (table.position, "position")
        self.all = np.unique(self.of)
        self.many = len(self.all) > len(PALETTE)

    def colour(self, k):
        place = int(np.searchsorted(self.all, k))
        return plt.get_cmap("viridis")(0.92 * place / (len(self.all) - 1)) if self.many else colour(place)

    def marker(self, k):
        return "o" if self.many else marker(int(np.searchsorted(self.all, k)))

    def handles(self, among=None, size=6):
        """For a legend; of many kinds six, spread evenly."""
        kinds = self.all if among is None else np.unique(among)
        if len(kinds) > len(PALETTE):
            kinds = kinds[np.linspace(0, len(kinds) - 1, 6).round().astype(int)]
        return [plt.Line2D([], [], ls="none", marker=self.marker(k), mfc=self.colour(k), mec="white", ms=size, label=f"{self.word} {k}")
                for k in kinds]


NEAR = 0.004  # of the longest side: what the eye takes for one place
SAME = 1e-6


def leaders(points, tolerance):
    """The number of each point's place, counted from 0 in the order of their first points: a point nearer than the tolerance to the first
    point of a place belongs to it."""
    place, first = np.full(len(points), -1), []
    for i, point in enumerate(points):
        if first:
            away = np.abs(np.array(first) - point).max(axis=1)
            near = int(np.argmin(away))
            if away[near] <= tolerance:
                place[i] = near
                continue
        place[i] = len(first)
        first.append(point)
    return place


def places(points, longest):
    """The places of points [N, d]. Tokens that layers have gathered lie near to each other in masses: then what is near is one place. In a
    cloud some are near by chance: then only what is the same."""
    place = leaders(points, NEAR * longest)
    return place if 2 * (place.max() + 1) <= len(points) else leaders(points, SAME * longest)


NUMBERED = 14  # places at most whose numbers of tokens are written beside them


def draw_places(axes, points, of, kinds, size, longest, most=NUMBERED):
    """Tokens as markers, those of one place as one: a pie where kinds differ; how many stands beside it, or, where there are more such places
    than `most`, shows in the area. Returns what a caption has to say of them, or None."""
    place = places(points, longest)
    groups = [np.flatnonzero(place == p) for p in range(place.max() + 1)]
    centre = np.array([points[mine].mean(axis=0) for mine in groups])
    crowded = [p for p, mine in enumerate(groups) if len(mine) > 1]
    numbered, mixed, taken, zorder = len(crowded) <= most, False, [], 3
    for p, mine in enumerate(groups):
        here, area = np.unique(of[mine]), size if numbered else size * min(len(mine), 9)
        if len(here) == 1:
            axes.scatter(*centre[p], s=area, color=kinds.colour(here[0]), marker=kinds.marker(here[0]), lw=0.4, ec="white", zorder=zorder)
        else:
            mixed = True
            pie(axes, centre[p], [(of[mine] == k).mean() for k in here], [kinds.colour(k) for k in here], 1.5 * area, zorder)
        if numbered and len(mine) > 1:
            write_beside(axes, str(len(mine)), centre[p], np.delete(centre, p, axis=0), taken, 0.5 * np.sqrt(area), longest, zorder + 1)
    return ("number" if numbered else "area", mixed) if crowded else None


def write_beside(axes, word, at, others, taken, away, longest, zorder):
    """Into the corner that is farthest from other places and from words written before."""
    corners = np.array([[1, 1], [-1, 1], [1, -1], [-1, -1]])
    spots = at + 0.05 * longest * corners
    busy = np.concatenate([others, np.reshape(taken, (-1, 2))])
    room = np.abs(spots[:, None] - busy[None]).max(axis=2).min(axis=1) if len(busy) else np.zeros(4)
    best = int(np.argmax(np.minimum(room, 0.08 * longest)))
    taken.append(spots[best])
    across, up = corners[best]
    axes.annotate(word, at, xytext=(across * away, up * away), textcoords="offset points", fontsize=6.5, zorder=zorder,
                  ha="left" if across > 0 else "right", va="bottom" if up > 0 else "top")


def pie(axes, at, parts, colours, area, zorder):
    """A disc whose slices have the sizes of parts, which sum to 1."""
    begin = 0.25
    for part, fill in zip(parts, colours):
        angle = 2 * np.pi * np.linspace(begin, begin + part, 24)
        outline = np.concatenate([[[0, 0]], np.stack([np.cos(angle), np.sin(angle)], axis=1), [[0, 0]]])
        axes.scatter(*at, s=area * np.abs(outline).max() ** 2, marker=outline, color=fill, lw=0, zorder=zorder)
        begin += part


def caption_of(notes):
    """One line on tokens that coincide, from what draw_places returned for each panel."""
    notes = [note for note in notes if note]
    if not notes:
        return None
    how = {kind for kind, _ in notes}
    words = {"number": "a number: so many tokens at one place", "area": "larger: more tokens at one place"}
    line = "; ".join(words[kind] for kind in ("number", "area") if kind in how)
    return line + (" (a pie where their colours differ)" if any(mixed for _, mixed in notes) else "")


def spare(path):
    """Ends where what is to be written would replace a result or a study."""
    if h5py.is_hdf5(path):
        sys.exit(f"{path} holds a result: -o names what is drawn, which goes into a file of its own")


def save(figure, path):
    """The format follows the name: .pdf and .svg are vectors, .png has 220 dots an inch."""
    spare(path)
    try:
        figure.savefig(path, dpi=220, bbox_inches="tight", pad_inches=0.04)
    except (OSError, ValueError) as error:
        sys.exit(f"{path} cannot be written: {error}")
    plt.close(figure)
