"""What the studies share: runs of bellformer, fitted rates, and a folder with a table and a figure. Imported first: it finds an interpreter
that has what they need."""
import argparse
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "plot"))
import style  # noqa: E402
import h5py  # noqa: E402
import numpy as np  # noqa: E402


def arguments(doc, problem=True):
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    if problem:
        parser.add_argument("problem", metavar="PROBLEM.yaml")
    parser.add_argument("folder", metavar="FOLDER", help="for results, a table and a figure; results of the same runs that are there are taken as they are")
    parser.add_argument("-bellformer", default="bellformer")
    parser.add_argument("-ranks", type=int, default=0, help="run under mpirun with so many ranks")
    return parser


class Study:
    def __init__(self, options, name):
        self.options, self.name, self.lines = options, name, []
        os.makedirs(options.folder, exist_ok=True)

    def path(self, name):
        return os.path.join(self.options.folder, name)

    def command(self, *words):
        launch = ["mpirun", "-n", str(self.options.ranks)] if self.options.ranks else []
        done = subprocess.run(launch + [self.options.bellformer] + [str(w) for w in words], capture_output=True, text=True)
        if done.returncode:
            sys.exit((done.stderr or done.stdout).strip())
        return done.stdout

    def run(self, name, command, problem, *options):
        """The open result of `bellformer COMMAND PROBLEM OPTIONS`, which goes on from what is there if that is of the same run."""
        path = self.path(name + ".h5")
        self.command(command, problem, "-o", path, "-restart", "auto", "-quiet", *options)
        return h5py.File(path)

    def controls(self, name, control):
        """A file that -init takes."""
        path = self.path(name + "-init.h5")
        with h5py.File(path, "w") as f:
            f["/rollout/controls"] = control
        return path

    def say(self, line):
        print(line)
        self.lines.append(line)

    def finish(self, figure):
        with open(self.path(self.name + ".txt"), "w") as out:
            out.write("\n".join(self.lines) + "\n")
        style.save(figure, self.path(self.name + ".png"))
        print("wrote %s and .png" % self.path(self.name + ".txt"))


def rate(x, y):
    """The power of x that y follows: least squares on logarithms, of what is not zero."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    return np.polyfit(np.log(x[y > 0]), np.log(y[y > 0]), 1)[0]


def axes(xlabel, ylabel):
    figure, ax = style.plt.subplots(figsize=(3.6, 2.7))
    ax.set(xscale="log", yscale="log", xlabel=xlabel, ylabel=ylabel)
    ax.grid(which="major", color=style.LIGHT, lw=0.4)
    ax.set_axisbelow(True)
    return figure, ax


def series(ax, k, x, y, label):
    ax.plot(x, y, color=style.colour(k), marker=style.marker(k), mfc="none", ms=4.5, label=label)
