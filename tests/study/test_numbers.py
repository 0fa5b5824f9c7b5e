"""The numbers of a study against numpy: its columns, means and fits are recomputed from what its runs wrote (/runs of STUDY.h5) by a program that
shares no code with it; the same bits on any number of ranks and groups; the table of CSV."""
import csv
import os
import re
import sys
import tempfile

import h5py
import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "solve"))
from harness import run, tap  # noqa: E402

TOY = os.path.join(os.environ["BELLFORMER_PROBLEMS"], "asy26-toy", "asy26-toy.yaml")
STUDY = """
name: numbers
problem: %s
set: {space: reachable, horizon: 1}
vary:
  - {quantize.cells: {from: 4, to: 16, times: 2}}
  - {layer.norm: [none, rms]}
  - {action.count: [3, 5], cost.weight_decay: [0, 0.01]}
  - {action.seed: {from: 0, to: 1}}
  - {step: [1, 0.5]}
runs:
  - {name: grid, command: solve}
  - {name: off, command: flow, set: {init: grid, scheme: layers, tao_max_it: 1}}
reference: {quantize.cells: 0}
measure:
  value: grid/rollout@quantized_cost
  tokens: {of: grid/rollout/tokens, norm: max}
  error: {of: value, minus: reference}
  far: {of: grid/rollout/tokens, minus: reference}
  rms: {of: grid/rollout/tokens, minus: reference, norm: rms}
  gap: {of: grid/rollout@cost, minus: off/rollout@cost}
  bound: {formula: 2 * error / quantize.cells}
over: [action.seed, step]
fit:
  - {y: error, x: quantize.cells, expect: -1}
  - {y: bound, x: quantize.cells}
  - {y: rms, x: error, expect: 1}
  - {y: error, x: quantize.cells, expect: 1}
plot: {x: quantize.cells, y: [error, rms], series: layer.norm, log: both}
""" % TOY
# The product, last item fastest: what STUDY says, in Python.
ITEMS = [[{"quantize.cells": n} for n in (4, 8, 16)], [{"layer.norm": name} for name in ("none", "rms")],
         [{"action.count": 3, "cost.weight_decay": 0}, {"action.count": 5, "cost.weight_decay": 0.01}], [{"action.seed": s} for s in range(2)],
         [{"step": 1}, {"step": 0.5}]]
OVER = (3, 4)


def product():
    points = [()]
    for item in ITEMS:
        points = [point + (k,) for point in points for k in range(len(item))]
    return points


def text(value):
    return value.decode() if isinstance(value, bytes) else value


def norm(a, b, how):
    common = tuple(slice(min(x, y)) for x, y in zip(a.shape, b.shape))
    away = np.abs(a[common] - b[common])
    return away.max() if how == "max" else np.sqrt((away ** 2).mean())


def measured(runs, n, reference):
    mine, other = runs["%04d/grid/rollout" % n], runs["%04d/grid/rollout" % reference]
    value = mine.attrs["quantized_cost"]
    here = {"value": value, "tokens": np.abs(mine["tokens"][()]).max(), "error": abs(value - other.attrs["quantized_cost"]),
            "gap": abs(mine.attrs["cost"] - runs["%04d/off/rollout" % n].attrs["cost"])}
    for name, how in (("far", "max"), ("rms", "rms")):
        here[name] = norm(mine["tokens"][()], other["tokens"][()], how)
    return here


def table(file):
    """Columns from /runs. The first item is replaced at references: one for each combination of the others."""
    columns, points = {}, product()
    for n, point in enumerate(points):
        here = {key: value for item, k in zip(ITEMS, point) for key, value in item[k].items()}
        here.update(measured(file["runs"], n, len(points) + n % (len(points) // 3)))
        here["bound"] = 2 * here["error"] / here["quantize.cells"]
        for name, value in here.items():
            columns.setdefault(name, []).append(value)
    return {name: np.array(values) for name, values in columns.items()}, points


class Random:
    """splitmix64, of which the bootstrap draws."""

    def __init__(self, seed):
        self.state = seed

    def draw(self, count):
        self.state = (self.state + 0x9E3779B97F4A7C15) % 2**64
        z = self.state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        return int(((z ^ (z >> 31)) >> 11) * 2.0**-53 * count)


RESAMPLES = Random(2000)
RESAMPLES = np.array([[RESAMPLES.draw(4) for _ in range(4)] for _ in range(2000)])


def line(x, y):
    """Slope and intercept in logarithms of the rows where both are positive, and these."""
    used = (x > 0) & (y > 0)
    x, y = np.log(x[used]), np.log(y[used])
    return (*np.polyfit(x, y, 1), x, y) if len(set(x)) > 1 else None


def fitted(x, y):
    """x, y: [rows, draws]; exponent, factor, R^2, the interval and the number of rows."""
    p, c, u, v = line(x.mean(1), y.mean(1))
    slopes = [found[0] for pick in RESAMPLES if (found := line(x[:, pick].mean(1), y[:, pick].mean(1)))]
    return (p, np.exp(c), 1 - ((v - p * u - c) ** 2).sum() / ((v - v.mean()) ** 2).sum(), *np.percentile(slopes, [2.5, 97.5])), len(u)


def close(a, b, what):
    assert np.allclose(a, b, rtol=1e-10, atol=1e-13, equal_nan=True), (what, a, b)


def study(folder, name, ranks, *options):
    with open(folder + "/study.yaml", "w") as out:
        out.write(STUDY)
    done = run(["study", folder + "/study.yaml", "-o", folder + "/" + name, *options], ranks)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def columns():
    mine, points = table(FILE)
    group = FILE["table"]
    assert text(group.attrs["keys"]).split("\n") == ["quantize.cells", "layer.norm", "action.count", "cost.weight_decay", "action.seed", "step"]
    assert text(group.attrs["measures"]).split("\n") == ["value", "tokens", "error", "far", "rms", "gap", "bound"] and set(group) == set(mine)
    for name, values in mine.items():
        if values.dtype.kind == "U":
            assert [text(value) for value in group[name][()]] == list(values), name
        else:
            close(group[name][()], values, name)
    assert len(points) == FILE["study"].attrs["points"] == FILE["study"].attrs["done"] - FILE["study"].attrs["references"] == 48
    assert len(set(mine["error"])) > 24 and mine["error"].min() >= 0
    assert (FILE["references/quantize.cells"][()] == 0).all() and len(FILE["references/value"]) == 16
    close(FILE["references/value"][()], [FILE["runs/%04d/grid/rollout" % n].attrs["quantized_cost"] for n in range(48, 64)], "references")


def rows_of(points):
    kept = [tuple(k for i, k in enumerate(point) if i not in OVER) for point in points]
    order = list(dict.fromkeys(kept))
    return order, [[n for n, row in enumerate(kept) if row == one] for one in order]


def means():
    mine, points = table(FILE)
    order, groups = rows_of(points)
    group = FILE["means"]
    assert len(order) == 12 and (group["count"][()] == 4).all()
    close(group["quantize.cells"][()], [ITEMS[0][row[0]]["quantize.cells"] for row in order], "cells")
    assert [text(name) for name in group["layer.norm"][()]] == [ITEMS[1][row[1]]["layer.norm"] for row in order]
    for name in ("value", "tokens", "error", "far", "rms", "gap", "bound"):
        values = [mine[name][g] for g in groups]
        for ending, of in (("", np.mean), (".standard_error", lambda v: v.std(ddof=1) / np.sqrt(len(v))), (".median", np.median), (".least", np.min),
                           (".most", np.max), (".count", len)):
            close(group[name + ending][()], [of(v) for v in values], name + ending)


def fits():
    mine, points = table(FILE)
    order, groups = rows_of(points)
    groups, place = np.array(groups), np.array(order)
    number = 0
    for y, x, expect in (("error", "quantize.cells", -1), ("bound", "quantize.cells", np.nan), ("rms", "error", 1), ("error", "quantize.cells", 1)):
        # Against a key all other items tell series apart; against a measure that of the plot.
        series = [(place[:, 1] == a) & (place[:, 2] == b) for a in range(2) for b in range(2)] if x == "quantize.cells" else [place[:, 1] == a for a in range(2)]
        names = ["layer.norm %s, action.count %d, cost.weight_decay %g" % (n, *c) for n in ("none", "rms") for c in ((3, 0), (5, 0.01))]
        names = names if x == "quantize.cells" else ["layer.norm none", "layer.norm rms"]
        for rows, name in zip(series, names):
            fit = FILE["fits/%02d" % number].attrs
            assert (text(fit["y"]), text(fit["x"]), text(fit["series"])) == (y, x, name), dict(fit)
            got = [fit[key] for key in ("exponent", "factor", "r2", "low", "high")]
            wanted, points_ = fitted(mine[x][groups[rows]], mine[y][groups[rows]])
            assert np.allclose(got, wanted, rtol=1e-8, atol=1e-12), (y, x, name, got, wanted)
            assert fit["points"] == points_ and fit["left_out"] == rows.sum() - points_ and text(fit["why"]) == ""
            assert np.isnan(expect) == np.isnan(fit["expect"]) and fit["inside"] == (-1 if np.isnan(expect) else int(fit["low"] <= expect <= fit["high"]))
            number += 1
    assert number == len(FILE["fits"])
    assert [text(name) for name in FILE["plot/series"][()]] == ["layer.norm %s, action.count %d, cost.weight_decay %g" % (n, *c) for n in ("none", "rms")
                                                                for c in ((3, 0), (5, 0.01))]
    assert (FILE["plot/series_of"][()] == 2 * place[:, 1] + place[:, 2]).all()


def bits():
    """Of one rank, of three in groups of one and two, of a table that was written anew."""
    assert study(FOLDER, "one.h5", 0, "-quiet") == ""
    study(FOLDER, "two.h5", 4, "-ranks", 2)
    for name in ("one", "two"):
        with h5py.File("%s/%s.h5" % (FOLDER, name)) as other:
            for group in ("table", "references", "means"):
                for column in FILE[group]:
                    assert FILE[group][column][()].tobytes() == other[group][column][()].tobytes(), (name, group, column)
            for fit in FILE["fits"]:
                for key, value in FILE["fits"][fit].attrs.items():
                    assert np.asarray(value).tobytes() == np.asarray(other["fits"][fit].attrs[key]).tobytes(), (name, fit, key)
        with open("%s/%s.csv" % (FOLDER, name)) as a, open(FOLDER + "/study.csv") as b:
            assert a.read() == b.read()


def tables():
    """The header and every number, by Python's csv; numpy reads the numbers alone."""
    with open(FOLDER + "/study.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == text(FILE["table"].attrs["keys"]).split("\n") + text(FILE["table"].attrs["measures"]).split("\n") and len(rows) == 48
    for name in rows[0]:
        column = FILE["table"][name][()]
        assert [row[name] if column.dtype.kind == "S" else float(row[name]) for row in rows] == [text(x) if column.dtype.kind == "S" else x for x in column], name
    read = np.genfromtxt(FOLDER + "/study.csv", delimiter=",", names=True, deletechars="", dtype=None, encoding=None)
    assert (read["error"] == FILE["table/error"][()]).all()


def told():
    """The last lines: a row for each mean, what was expected and seen."""
    lines = TOLD.splitlines()
    head = next(n for n, line in enumerate(lines) if line.split()[:2] == ["quantize.cells", "layer.norm"])
    first = lines[head + 1].split()
    assert float(first[0]) == 4 and first[1] == "none" and float(first[4]) == 4, first
    assert abs(float(first[5]) - FILE["means/value"][0]) < 1e-5 * abs(float(first[5])), first
    shown = [line for line in lines if line.startswith("fit ")]
    assert len(shown) == len(FILE["fits"]) and "expected p = -1, seen p = %.4g" % FILE["fits/00"].attrs["exponent"] in shown[0], shown
    opposite = [fit for fit in FILE["fits"].values() if fit.attrs["exponent"] * fit.attrs["expect"] < 0 and fit.attrs["inside"] == 0]
    assert opposite and sum("of the other sign than expected" in line for line in shown) == len(opposite), shown


def unfitted():
    """What cannot be fitted is told, with the reason; a value that is not positive is left out."""
    line = ["study", TOY, "-vary", "quantize_cells 4; action_seed 0..1", "-reference", "quantize_cells 0", "-fit", "quantized_cost", "-horizon", 1,
            "-space", "reachable", "-o", FOLDER + "/line.h5"]
    done = run(line)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^fit \S+ ~ quantize.cells\^p: not fitted: fewer than two x where both are positive numbers$", done.stdout, re.M), done.stdout
    with h5py.File(FOLDER + "/line.h5") as file:
        fit = file["fits/00"].attrs
        assert np.isnan(fit["exponent"]) and fit["inside"] == -1 and fit["points"] == 1 and text(fit["why"]).startswith("fewer than two x")


with tempfile.TemporaryDirectory(prefix="bf_study_") as FOLDER:
    TOLD = study(FOLDER, "study.h5", 3, "-ranks", 1)
    with h5py.File(FOLDER + "/study.h5") as FILE:
        tap([("columns", columns), ("means", means), ("fits", fits), ("bits", bits), ("CSV", tables), ("told", told), ("not fitted", unfitted)])
