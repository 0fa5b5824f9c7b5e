"""Files of studies by hand, as share/doc/formats.md tells them, for what reads them."""
import itertools

import h5py
import numpy as np


def power(x, y):
    """Exponent, factor and R^2 by numpy."""
    used = (x > 0) & (y > 0)
    if len(set(x[used])) < 2:
        return None
    (p, c), rest = np.polyfit(np.log(x[used]), np.log(y[used]), 1, full=True)[:2]
    return p, np.exp(c), 1 - (rest[0] if len(rest) else 0) / np.log(y[used]).var() / used.sum()


def write(path, name, vary, over, measure, fits=(), **more):
    """vary: {key: values}; over: keys; measure: {name: function of a point, a dictionary}; fits: (y, x, expect). more: statement, source,
    failed (numbers of points), log, x, y, text."""
    points = [dict(zip(vary, choice)) for choice in itertools.product(*vary.values())]
    failed = set(more.get("failed", ()))
    table = {key: [point[key] for point in points] for key in vary}
    for column, of in measure.items():
        table[column] = np.array([np.nan if i in failed else of(point) for i, point in enumerate(points)])
    kept = [key for key in vary if key not in over]
    rows = list(itertools.product(*(vary[key] for key in kept)))
    means = {key: [row[i] for row in rows] for i, key in enumerate(kept)}
    here = [[i for i, point in enumerate(points) if tuple(point[key] for key in kept) == row] for row in rows]
    means["count"] = np.array([sum(i not in failed for i in group) for group in here], float)
    for column in measure:
        values = [table[column][group] for group in here]
        values = [v[~np.isnan(v)] for v in values]
        for ending, of in (("", np.mean), (".standard_error", lambda v: v.std(ddof=1) / len(v) ** 0.5 if len(v) > 1 else np.nan), (".median", np.median),
                           (".least", np.min), (".most", np.max), (".count", len)):
            means[column + ending] = np.array([of(v) if len(v) or of is len else np.nan for v in values], float)
    with h5py.File(path, "w") as file:
        about(file, name, points, failed, over, more)
        put(file, "table", table, vary, measure)
        put(file, "means", means, kept, [column for column in means if column not in kept])
        x = more.get("x", fits[0][1] if fits else kept[0])
        others = [key for key in kept if key != x] if x in kept else []
        labels = [", ".join("%s %s" % (key, row[kept.index(key)]) for key in others) for row in rows]
        series = list(dict.fromkeys(labels))
        plot = file.create_group("plot")
        plot.attrs.update(x=x, y="\n".join(more.get("y", [fit[0] for fit in fits] or list(measure))), log=more.get("log", "both" if fits else "none"))
        plot["series"] = np.array([one.encode() for one in series])
        plot["series_of"] = np.array([series.index(label) for label in labels])
        for n, (asked, one) in enumerate(itertools.product(fits, series)):
            fit(file, n, means, asked, one, np.array([label == one for label in labels]))
    return path


def fit(file, n, means, asked, series, rows):
    y, x, expect = asked
    used, seen = np.asarray(means[x], float)[rows], means[y][rows]
    found = power(used, seen)
    p, factor, r2 = found or (np.nan,) * 3
    file.create_group("fits/%02d" % n).attrs.update(
        y=y, x=x, series=series, exponent=p, factor=factor, r2=r2, low=p - 0.1, high=p + 0.1, expect=expect, points=int(((used > 0) & (seen > 0)).sum()),
        left_out=int((~((used > 0) & (seen > 0))).sum()), inside=-1 if np.isnan(expect) or not found else int(abs(p - expect) < 0.1),
        why="" if found else "fewer than two x where both are positive numbers")


def about(file, name, points, failed, over, more):
    file.create_group("study").attrs.update(format=1, name=name, problem="problem.yaml", statement=more.get("statement", ""), source=more.get("source", ""),
                                            over="\n".join(over), points=len(points), references=0, done=len(points) - len(failed), failed=len(failed))
    file["study/text"] = np.frombuffer(more.get("text", "name: %s\n" % name).encode(), np.uint8)
    file.create_group("provenance").attrs.update(command="bellformer study s.yaml -o s.h5", bellformer="0.1.0", date="2026-01-01T00:00:00Z", host="here",
                                                 ranks=4, nodes=1, wall_seconds=12.5, instruction_set="avx2", petsc="3.18.5", mpi="Open MPI\n", hdf5="1.10.8",
                                                 format=3)
    for i in range(len(points)):
        run = file.create_group("runs/%04d" % i)
        run.attrs.update(state="failed" if i in failed else "done", message="solve: p.yaml: <no> & no" if i in failed else "", seconds=0.5, ranks=1, key="0" * 32)


def put(file, group, columns, keys, measures):
    group = file.create_group(group)
    group.attrs.update(keys="\n".join(keys), measures="\n".join(measures))
    for column, values in columns.items():
        number = all(isinstance(value, (int, float, np.number)) for value in values)
        group[column] = np.asarray(values, float) if number else np.array([value.encode() for value in values])


def noisy(point):
    """n^-1 with noise of its own for each point."""
    rng = np.random.default_rng([int(point["quantize.cells"]), point["action.seed"], point["action.count"]])
    return 0.8 / point["quantize.cells"] * (16 / point["action.count"]) ** 0.5 * rng.uniform(0.5, 1.5)


def quantization(path, **more):
    vary = {"quantize.cells": [4, 8, 16, 32, 64], "action.count": [16, 64], "action.seed": list(range(8))}
    return write(path, "quantization", vary, ["action.seed"], {"error": noisy, "value": lambda point: 0.3 + noisy(point)}, [("error", "quantize.cells", -1)],
                 **{"statement": "The value of the quantized problem tends to that of the model at least as fast as the cells' width.",
                    "source": "[ASY26] Theorem 4", **more})


def hard(path):
    """What makes a page wide: many columns, names without a blank, long lines; and what HTML would take for its own."""
    word = "a" * 90
    return write(path, "<b>" + word, {"quantize.cells": [1, 2, 4], "cost." + "x" * 60: ["<i>p</i>", "r&s", "t"], "action.seed": [0, 1]},
                 ["action.seed"], {"measure_%d_of_many" % k: lambda point, k=k: point["quantize.cells"] ** 0.5 * (k + 1 + 0.1 * point["action.seed"])
                                   for k in range(9)}, [("measure_0_of_many", "quantize.cells", 0.5), ("measure_1_of_many", "quantize.cells", 1.5)],
                 failed=[3, 4], statement="<script>alert(1)</script> " + "to be & not to be " * 12, source="[" + word + "]", text="name: " + "b" * 300)
