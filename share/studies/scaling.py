#!/usr/bin/env python3
"""Strong and weak scaling: what runs on 1, 2 and more ranks take, and what `info -ranks N -ranks_per_node R` predicts for them from one rank.

    BELLFORMER=build/bellformer python3 share/studies/scaling.py -o FOLDER [-ranks 1 2] [-turns 3] [-hosts] [-only WORD]

Runs: `solve` in the full space (on one node, and on nodes of one rank each, `-node_size 1`) and in the reachable space, `flow` from one start
and from several, a `study`. Strong: the same problem on more ranks; weak: as much more of it (actions, starts, points). `-hosts`: two hosts
made of namespaces, too (tests/hosts; needs root). Predictions are made by `info` on one rank; where there are several nodes on as many ranks
as there are, between which it measures latency and bandwidth. A study is predicted from its runs on one rank. Runs and predictions take
turns, and the least of each counts: other work on the machine only adds. FOLDER/scaling.csv is the table; FOLDER/scaling.png shows it, and
beside it what is PREDICTED, and was not run, for up to 10^4 ranks of 64 a node with the default network.

Expected, on as many idle cores as ranks: seen over predicted within 0.75 and 1.25 in every row. Curves: that of the full space levels off where
nodes reduce V (344 MB a layer: 70 ms at 10 GB/s, 170 ms to combine them), that of the reachable space where every rank sends to every other
(10^4 messages of 2 microseconds a round), that of 64 starts of a flow at 64 ranks, since a start is one group of blocks."""
import argparse
import csv
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "plot"))
import style  # noqa: E402 (finds an interpreter that has matplotlib)
from human import seconds  # noqa: E402

BELLFORMER = os.environ.get("BELLFORMER", "bellformer")
PROBLEMS = os.environ.get("BELLFORMER_PROBLEMS", os.path.join(HERE, "..", "problems"))
XOR, TOY = os.path.join(PROBLEMS, "xor", "xor.yaml"), os.path.join(PROBLEMS, "asy26-toy", "asy26-toy.yaml")
LOOP = [sys.executable, "-c", "for i in range(6000000): pass"]
NEAR = 0.25
POINTS = 16  # of the study


def launch(ranks, *arguments):
    return ["mpirun", "--quiet", "-n", str(ranks), BELLFORMER, *map(str, arguments)]


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit("%s: exit %d: %s" % (" ".join(command), done.returncode, done.stderr.strip()))
    return done.stdout


def told(out):
    """Seconds that info tells for the whole."""
    line = re.search(r"\n  (?:predicted )?time +(.*)", out).group(1)
    return seconds(line.split(":", 1)[0])


# ---- what is run ------------------------------------------------------------------------------------------------------------------


class Solve:
    """A space; the seconds of the whole run."""

    def __init__(self, name, problem, space, strong, weak):
        self.name, self.problem, self.space, self.strong, self.weak = name, problem, space, strong, weak

    def arguments(self, ranks, weak):
        return ["solve", self.problem, "-space", self.space, *(self.weak(ranks) if weak else self.strong)]

    def seen(self, command):
        return float(re.search(r"([0-9.]+) s in all", run(command)).group(1))

    def predicted(self, info, weak, ranks):
        return told(info)


class Flow:
    """A search; the seconds of its evaluations. How many there are TAO decides: info is asked for one, and they are counted."""

    def __init__(self, name, starts):
        self.name, self.starts, self.counted = name, starts, {}

    def count(self, ranks, weak):
        return self.starts * (ranks if weak else 1)

    def arguments(self, ranks, weak):
        return ["flow", TOY, "-horizon", "4", "-scheme", "rk4", "-steps", "8", "-tao_max_it", "60", "-tao_gatol", "0", "-starts", self.count(ranks, weak)]

    def seen(self, command):
        out = run(command)
        self.counted[tuple(command)] = int(re.search(r"(\d+) evaluations in all", out).group(1))
        self.last = tuple(command)
        return float(re.search(r"\n  flow +[0-9.]+ +[0-9.]+ +([0-9.]+)", out).group(1))  # of the rank that took longest

    def predicted(self, info, weak, ranks):
        each = seconds(re.search(r"an evaluation +about (.*) with its gradient", info).group(1))
        groups = re.search(r"(\d+) groups of", info)
        groups = int(groups.group(1)) if groups else 1
        starts = self.count(ranks, weak)
        turns = -(-starts // groups)  # starts of the busiest group, of about as many evaluations each
        return each * self.counted[self.last] * turns / starts


CASES = [
    Solve("full space", XOR, "full", ["-quantize_cells", "3,2"],
          lambda ranks: ["-quantize_cells", "3,2", "-action_kind", "sample", "-action_count", 500 * ranks]),
    Solve("reachable space", TOY, "reachable", ["-action_count", "1000"],
          lambda ranks: ["-action_count", round(700 * ranks**0.5)]),
    Flow("flow, one start", 1),
    Flow("flow, 8 starts", 8),
]


def compare(case, ranks, per_node, weak, turns):
    """Seen and predicted, in turns."""
    arguments = case.arguments(ranks, weak)
    node, seen, predicted = ["-node_size", 1] if per_node == 1 and ranks > 1 else [], [], []
    ask = ["info", arguments[1], "-command", arguments[0], *arguments[2:]]
    ask = launch(ranks, *ask, *node) if node else launch(1, *ask, "-ranks", ranks, "-ranks_per_node", per_node)
    for _ in range(turns):
        seen.append(case.seen(launch(ranks, *arguments, *node)))
        predicted.append(case.predicted(run(ask), weak, ranks))
    return min(seen), min(predicted)


def study(ranks, weak, turns):
    """Points of equal size in groups of one rank: predicted is the time of one rank, shared."""
    def took(n, points):
        options = ["study", XOR, "-vary", "action_seed 0..%d" % (points - 1), "-action_kind", "sample", "-action_count", 300, "-quantize_cells", "3,2",
                   "-space", "full", "-ranks", 1, "-quiet"]
        with tempfile.TemporaryDirectory() as folder:  # a study keeps what its file holds, also with -overwrite
            begin = time.perf_counter()
            run(launch(n, *options, "-o", os.path.join(folder, "study.h5")))
            return time.perf_counter() - begin
    few = min(took(1, 1) for _ in range(turns))
    alone = min(took(1, POINTS) for _ in range(turns))
    points = POINTS * (ranks if weak else 1)
    each = (alone - few) / (POINTS - 1)
    return min(took(ranks, points) for _ in range(turns)), few + each * (-(-points // ranks) - 1)


def between_hosts(turns, rows):
    """Two hosts made of namespaces, on this machine's cores: info measures their network itself."""
    sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "hosts"))
    import hosts
    why = hosts.missing()
    if why:
        print("no two hosts: " + why)
        return
    print("two hosts:")
    pair = hosts.Hosts()
    pair.start()
    try:
        def on_both(*arguments):
            process = pair.popen("bfone", ["mpirun", "--quiet", "-n", 2, "--host", "bfone:1,bftwo:1", os.path.abspath(BELLFORMER), *arguments])
            out, errors = process.communicate(timeout=600)
            assert process.returncode == 0, errors
            return out
        for case in CASES[:2]:
            arguments = [os.path.abspath(a) if str(a).endswith(".yaml") else a for a in case.arguments(2, False)]
            seen, predicted = [], []
            for _ in range(turns):
                seen.append(float(re.search(r"([0-9.]+) s in all", on_both(*arguments)).group(1)))
                predicted.append(told(on_both("info", arguments[1], "-command", "solve", *arguments[2:])))
            rows.append(("strong", case.name + ", two hosts", 2, 2, min(seen), min(predicted)))
            tell(rows[-1])
    finally:
        pair.stop()


# ---- what is shown ----------------------------------------------------------------------------------------------------------------


def tell(row):
    kind, name, ranks, nodes, seen, predicted = row
    ratio = seen / predicted
    print("  %-6s %-30s %3d rank%s %d node%s  seen %8.3f s  predicted %8.3f s  %5.2f  %s"
          % (kind, name, ranks, " " if ranks == 1 else "s", nodes, " " if nodes == 1 else "s", seen, predicted, ratio,
             "within a quarter" if abs(ratio - 1) <= NEAR else "OFF"), flush=True)


def curve():
    """Predictions for 64 ranks a node: (name, [(ranks, seconds)])."""
    lines = []
    counts = [1, 4, 16, 64, 256, 1024, 4096, 10000]
    for name, command, arguments in (("full space, xor (4.3e7 measures)", "solve", [XOR, "-space", "full"]),
                                     ("reachable space, K = 4000 (1.6e7 successors costed)", "solve", [TOY, "-space", "reachable", "-action_count", 4000]),
                                     ("flow, 64 starts of 1000 iterations at most", "flow", [TOY, "-horizon", 4, "-scheme", "rk4", "-starts", 64])):
        lines.append((name, [(n, told(run(launch(1, "info", arguments[0], "-command", command, *arguments[1:], "-ranks", n, "-ranks_per_node", 64)))) for n in counts]))
        print("  predicted, %s: %s" % (name, ", ".join("%d: %.3g s" % point for point in lines[-1][1])), flush=True)
    return lines


def draw(path, rows, lines):
    figure, (left, right) = style.plt.subplots(1, 2, figsize=(8, 3.4))
    for i, (kind, name, ranks, nodes, seen, predicted) in enumerate(rows):
        left.plot([predicted], [seen], style.MARKERS[0 if kind == "strong" else 1], color=style.PALETTE[nodes > 1], ms=4,
                  label=("%s, %s" % (kind, "several nodes" if nodes > 1 else "one node")))
    ends = [min(min(r[4:]) for r in rows), max(max(r[4:]) for r in rows)]
    left.plot(ends, ends, color=style.GREY, lw=0.8)
    left.fill_between(ends, [x * (1 - NEAR) for x in ends], [x * (1 + NEAR) for x in ends], color=style.LIGHT, alpha=0.5, lw=0)
    left.set(xscale="log", yscale="log", xlabel="predicted [s]", ylabel="seen [s]", title="runs that were made; the band is a quarter")
    known = dict(zip(*reversed(left.get_legend_handles_labels())))
    left.legend(known.values(), known.keys(), fontsize=7)
    for i, (name, points) in enumerate(lines):
        right.plot(*zip(*points), style.MARKERS[i] + "--", color=style.PALETTE[i], ms=3, label=name)
        right.plot([points[0][0], points[-1][0]], [points[0][1], points[0][1] * points[0][0] / points[-1][0]], color=style.PALETTE[i], lw=0.4)
    right.set(xscale="log", yscale="log", xlabel="ranks, 64 a node", ylabel="predicted [s]", title="PREDICTION, no run (thin: ideal)")
    if lines:
        right.legend(fontsize=6.5)
    figure.savefig(path, dpi=160)


def free():
    """How many independent loops these cores carry."""
    def loops(count):
        begin = time.perf_counter()
        for process in [subprocess.Popen(LOOP) for _ in range(count)]:
            process.wait()
        return time.perf_counter() - begin
    return 2 * min(loops(1) for _ in range(3)) / min(loops(2) for _ in range(3))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("-o", required=True, metavar="FOLDER")
    parser.add_argument("-ranks", type=int, nargs="+", default=[1, 2])
    parser.add_argument("-turns", type=int, default=3)
    parser.add_argument("-hosts", action="store_true", help="two hosts, too")
    parser.add_argument("-only", default="", help="rows whose names have this word; 'none': the curve alone")
    options = parser.parse_args()
    os.makedirs(options.o, exist_ok=True)
    print("two independent loops: %.2f times the work of one in the same time (2: both cores are free)" % free())
    rows = []
    for weak in (False, True):
        for ranks in options.ranks:
            if weak and ranks == 1:
                continue
            for case in CASES:
                for per_node in sorted({1, ranks}, reverse=True):
                    nodes = ranks // per_node
                    name = case.name + (", nodes of one rank" if nodes > 1 else "")
                    if options.only in name and not (nodes > 1 and isinstance(case, Flow)):
                        rows.append(("weak" if weak else "strong", name, ranks, nodes, *compare(case, ranks, per_node, weak, options.turns)))
                        tell(rows[-1])
            if options.only in "study":
                rows.append(("weak" if weak else "strong", "study", ranks, 1, *study(ranks, weak, options.turns)))
                tell(rows[-1])
    if options.hosts:
        between_hosts(options.turns, rows)
    with open(os.path.join(options.o, "scaling.csv"), "w", newline="") as f:
        table = csv.writer(f)
        table.writerow(("scaling", "run", "ranks", "nodes", "seen", "predicted", "ratio"))
        table.writerows([(*row, row[4] / row[5]) for row in rows])
    lines = curve()
    if rows:
        draw(os.path.join(options.o, "scaling.png"), rows, lines)
    near = sum(abs(row[4] / row[5] - 1) <= NEAR for row in rows)
    print("%d of %d within a quarter; wrote %s" % (near, len(rows), os.path.join(options.o, "scaling.csv, scaling.png")))


if __name__ == "__main__":
    main()
