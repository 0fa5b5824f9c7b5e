#!/usr/bin/env python3
"""A study: means against what varies, with fitted rates.

usage: study.py STUDY.h5 -o FIGURE.png

Means over what the study averages over, with their standard errors; a line is a fitted power law, with its exponent and its interval of 95 %; dashed
beside it, in the same colour, is the slope that was expected. What is drawn against what says the study's `plot`.
"""
import argparse
import textwrap

import style
import numpy as np
from style import plt
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator
from studyfile import Study

LABELS = 10  # of an axis, about
NAMED = 14  # lines that the legend names, at most
WIDE = 56  # letters of a line of the legend
BESIDE = 0.7  # of the fitted line: the expected slope


def number(value):
    return "nothing" if np.isnan(value) else f"{value:.3g}".replace("-", "\N{MINUS SIGN}")


def plain(words):
    """Names as they are: two dollars would make mathematics of what stands between."""
    return words.replace("$", r"\$")


class Figure:
    def __init__(self, study):
        self.study, self.plot = study, study.plot
        x = study.means.get(self.plot.x)
        self.labels = None if isinstance(x, np.ndarray) else x or [""] * study.means.rows
        self.x = np.asarray(x, float) if self.labels is None else self.places()
        self.log = [self.plot.log in (axis, "both") for axis in "xy"]
        self.log[0] &= self.labels is None
        self.lines = [(y, s) for y in self.plot.y if isinstance(study.means.get(y), np.ndarray) for s in range(len(self.plot.series))]
        self.shown = self.hidden = 0  # rows; hidden: infinite ones, and what logarithms leave out
        self.shared = False  # whether points of a series share an x
        self.slopes = set()
        self.figure, self.axes = plt.subplots(figsize=(4.2, 2.9))

    def places(self):
        """Of texts: side by side, in the order of their first rows."""
        self.ticks = list(dict.fromkeys(self.labels))
        return np.array([self.ticks.index(label) for label in self.labels], float)

    def colour(self, k):
        return style.colour(k) if len(self.lines) <= len(style.PALETTE) else plt.get_cmap("viridis")(0.92 * k / (len(self.lines) - 1))

    def name(self, y, series):
        """Only what tells lines apart."""
        return plain(", ".join(part for part in (y, series) if part))

    def draw(self):
        for k, (y, s) in enumerate(self.lines):
            self.line(k, y, s)
        if not self.shown:
            self.axes.text(0.5, 0.5, "nothing to show", ha="center", va="center", transform=self.axes.transAxes)
        if self.log[0] and self.shown:
            self.axes.set_xscale("log")
        if self.log[1] and self.shown:
            self.axes.set_yscale("log")
            self.limit()
        self.mark_x()
        self.axes.set(xlabel=self.plot.x, ylabel=self.plot.y[0] if len(self.plot.y) == 1 else "")
        self.axes.set_title(plain(self.study.name))
        self.axes.grid(which="major", color=style.LIGHT, lw=0.4)
        self.axes.set_axisbelow(True)
        self.explain()
        return self.figure

    def line(self, k, y, s):
        means, series = self.study.means, self.plot.series[s]
        rows = np.flatnonzero((self.plot.series_of == s) & ~np.isnan(means[y]) & ~np.isnan(self.x))
        there = [np.isfinite(values[rows]) & ((values[rows] > 0) | (not log)) for values, log in zip((self.x, means[y]), self.log)]
        shown = rows[there[0] & there[1]]
        self.hidden += len(rows) - len(shown)
        self.shown += len(shown)
        shown = shown[np.argsort(self.x[shown], kind="stable")]
        fit = self.study.fit(y, series)
        fitted = fit is not None and not np.isnan(fit.exponent)
        label = self.name(y, series)
        if fitted:
            label += f": slope {number(fit.exponent)}" + ("" if np.isnan(fit.low) else f" [{number(fit.low)}, {number(fit.high)}]")
        bars = {axis: None if errors is None else np.nan_to_num(errors[shown]) for axis, errors in
                (("xerr", self.study.error(self.plot.x)), ("yerr", self.study.error(y)))}
        lined = not fitted and self.labels is None
        several = lined and self.through_means(self.x[shown], means[y][shown], self.colour(k))
        self.axes.errorbar(self.x[shown], means[y][shown], **bars, color=self.colour(k), marker=style.marker(k), ms=4, mew=0.8, mfc="white", capsize=2,
                           elinewidth=0.8, ls="-" if lined and not several else "none", label=label, zorder=3)
        if fitted:
            self.law(fit, self.x[shown], means[y][shown], self.colour(k))

    def through_means(self, x, y, colour):
        """Where points share an x but for rounding, a line through their means: whether it was drawn."""
        places = np.array([float("%.9g" % value) for value in x])
        shared = np.unique(places)
        if len(shared) == len(places):
            return False
        self.shared = True
        self.axes.plot(shared, [y[places == place].mean() for place in shared], color=colour)
        return True

    def law(self, fit, x, y, colour):
        used = (x > 0) & (y > 0)
        at = np.exp(np.linspace(np.log(x[used].min()), np.log(x[used].max()), 50))
        self.axes.plot(at, fit.factor * at ** fit.exponent, color=colour, lw=1)
        if np.isnan(fit.expect):
            return
        centre = np.exp(np.log(y[used]).mean() - fit.expect * np.log(x[used]).mean())
        self.axes.plot(at, BESIDE * centre * at ** fit.expect, color=colour, lw=0.9, ls=(0, (4, 2)))
        self.slopes.add(float(fit.expect))

    def limit(self):
        """Bars that reach to zero would stretch the axis without end: below a thousandth of the largest mean they are cut."""
        ends = []
        for y in {y for y, _ in self.lines}:
            mean = self.study.means[y]
            error = np.nan_to_num(self.study.error(y)) if self.study.error(y) is not None else np.zeros_like(mean)
            positive = mean[np.isfinite(mean) & (mean > 0)]
            bars = np.concatenate([mean - error, mean + error])
            ends += [*positive, *bars[np.isfinite(bars) & (bars > 1e-3 * positive.max(initial=0)) & (bars > 0)]]
        laws = np.concatenate([np.asarray(line.get_ydata(), float) for line in self.axes.lines])
        ends += [*laws[np.isfinite(laws) & (laws > 0.1 * min(ends))]]
        self.axes.set_ylim(min(ends) / 1.3, max(ends) * 1.3)
        low, high = self.axes.get_ylim()
        if high / low < 30:  # one power of ten, or none: others are named too
            self.axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            self.axes.yaxis.set_minor_formatter(NullFormatter())
            self.axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))

    def mark_x(self):
        if self.labels is not None:
            self.axes.set_xticks(range(len(self.ticks)), self.ticks)
            if max(map(len, self.ticks), default=0) * len(self.ticks) > 45:
                self.axes.tick_params(axis="x", labelrotation=40)
            return
        values = np.unique(self.x[np.isfinite(self.x) & ((self.x > 0) | (not self.log[0]))])
        if self.plot.x not in self.study.means.keys_ or len(values) < 2:
            return
        place, shown = np.log(values) if self.log[0] else values, []
        for k, at in enumerate(place):  # neighbours whose labels would touch have one
            if not shown or at - place[shown[-1]] > (place[-1] - place[0]) / LABELS:
                shown.append(k)
        self.axes.set_xticks(values[shown], [f"{value:g}" for value in values[shown]])
        self.axes.xaxis.set_minor_locator(NullLocator())
        self.axes.xaxis.set_minor_formatter(NullFormatter())

    def explain(self):
        """The legend, below: beside the axes it would make the figure too wide for a column."""
        handles, labels = self.axes.get_legend_handles_labels()
        notes = []
        if len(handles) > NAMED:
            chosen = np.unique(np.linspace(0, len(handles) - 1, NAMED).round().astype(int))
            notes.append(f"{len(chosen)} of {len(handles)} are named")
            handles, labels = [handles[k] for k in chosen], [labels[k] for k in chosen]
        for slope in sorted(self.slopes):
            handles.append(plt.Line2D([], [], color=style.GREY, lw=0.9, ls=(0, (4, 2))))
            labels.append(f"expected slope {number(slope)}")
        if self.study.over and any(self.study.error(y) is not None for y in self.plot.y):
            notes.insert(0, "bars: standard error over " + ", ".join(self.study.over))
        if self.shared:
            notes.append("lines: means of points that share an x")
        if self.hidden:
            notes.append(f"not shown: {self.hidden} that are not positive, or infinite")
        labels, title = ["\n".join(textwrap.wrap(label, WIDE)) for label in labels], "\n".join(textwrap.wrap("; ".join(notes), WIDE + 8))
        if not labels and not title:
            return
        lines = sum(label.count("\n") + 1 for label in labels) + title.count("\n") + 2
        grid = self.figure.add_gridspec(2, 1, height_ratios=(2.9, 0.165 * lines))
        self.figure.set_size_inches(4.2, 2.9 + 0.165 * lines)
        self.axes.set_subplotspec(grid[0])
        below = self.figure.add_subplot(grid[1])
        below.axis("off")
        below.legend(handles, labels, title=title or None, title_fontsize=8, loc="upper center", alignment="left", borderaxespad=0)


def figure(study):
    return Figure(study).draw()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("study", metavar="STUDY.h5")
    parser.add_argument("-o", required=True, metavar="FIGURE", dest="out", help="PNG, PDF or SVG")
    options = parser.parse_args()
    style.save(figure(Study(options.study)), options.out)


if __name__ == "__main__":
    main()
