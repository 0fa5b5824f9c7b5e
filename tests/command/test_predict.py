"""eval on tables with and without labels: CSV and HDF5 against an independent evaluation, for every kind of cost; tokens outside the box."""
import csv
import os
import re
import subprocess
import sys
import tempfile

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "python"))
from results import CASES, DISCRETE, continuous, evaluated, ok, oracle, run, tap  # noqa: E402
from harness import only_root  # noqa: E402
import bellformer  # noqa: E402

NAMES = ["flow: two heads, forms, last position", "flow: causal, encoding, tanh", "flow: gelu, population, token cross entropy",
         "flow: r = 0, relu, squared error", "flow: sphere, a decision", "flow: wasserstein, profile", "flow: lengths that differ",
         "clip acts", "one dimension", "solve: population, atoms given"]


QUICK = "quick" in sys.argv  # under sanitizers


def folder():
    return tempfile.TemporaryDirectory(prefix="bf_predict_")


def new_rows(p, seed=5, outside=False):
    """Another table of the same shapes: large sequence numbers in no order, rows shuffled, some tokens outside the box."""
    rng = np.random.default_rng(seed)
    lower, upper = np.maximum(p["lower"], -1.0), np.minimum(p["upper"], 1.0)
    rows = [(997 - 13 * s, n, tag, rng.uniform(lower, upper)) for s, n, tag, _ in p["rows"]]
    if outside:
        for k in (0, len(rows) // 2):
            rows[k] = (*rows[k][:3], np.asarray(p["upper"]) + 0.5)
    return [rows[i] for i in rng.permutation(len(rows))]


def write_table(path, p, rows, labelled):
    d = p["dim"]
    names = ["sequence", "position"] + ([] if not labelled else ["y%d" % a for a in range(d)] if p["targets"] else ["label"])
    with open(path, "w") as out:
        out.write(",".join(names + ["z%d" % a for a in range(d)]) + "\n")
        for s, n, tag, z in rows:
            tags = [] if not labelled else list(tag) if p["targets"] else [tag]
            out.write(",".join([str(s), str(n)] + [repr(x) for x in tags] + [repr(float(x)) for x in z]) + "\n")


def expected(p, rows, control, readout, ends=None):
    """{(sequence, position or None, copy): (representation, logits or None)} in the order of eval's rows, tokens [N, d] by the oracle."""
    table = {**p, "rows": rows}
    final, order = np.empty((len(rows), p["dim"])), continuous.order(table)
    at = 0
    for k, (c, z) in enumerate(continuous.sequences(table)):
        if ends is None:
            state = z[None]
            for u in control:
                state = oracle.layer(p, state, c["positions"], c["masses"], u)
            state = state[0]
        else:
            state = ends(c, z)
        final[order[at:at + len(z)]] = state
        at += len(z)
    if p["terminal"] != "pooled_cross_entropy":
        logits = None if p["readout"] is None else final @ readout[0].T + readout[1]
        return [r[0] for r in rows], [r[1] for r in rows], final, logits
    numbers, r = sorted({row[0] for row in rows}), []
    for s in numbers:
        mine = [i for i, row in enumerate(rows) if row[0] == s]
        place = [rows[i][1] for i in mine]
        wanted = {"mean": place, "last": [max(place)], "first": [min(place)]}[p["pooling"]]
        r.append(np.mean([final[i] for i, at in zip(mine, place) if at in wanted], axis=0))
    r = np.array(r)
    return numbers, None, r, r @ readout[0].T + readout[1]


def read_csv(path):
    with open(path, newline="") as f:
        rows = list(csv.reader(f))
    return rows[0], np.array([[float(x) for x in row] for row in rows[1:]])


def columns(p, labelled, flow):
    """The header that the README promises."""
    d = p["dim"]
    names = ["sequence"] if p["terminal"] == "pooled_cross_entropy" else ["sequence", "position"]
    if labelled:
        names += ["y%d" % a for a in range(d)] if p["targets"] else ["label"]
    classes = len(oracle.readouts(p)[0][1]) if p["readout"] else 0
    for prefix in ("", "flow_") if flow else ("",):
        if classes:
            names += [prefix + "class"] + [prefix + "logit%d" % c for c in range(classes)] + [prefix + "r%d" % a for a in range(d)]
        else:
            names += [prefix + "value%d" % a for a in range(d)]
    return names


def same(a, b, what):
    a, b = np.asarray(a, float), np.asarray(b, float)
    assert a.shape == b.shape and np.abs(a - b).max() <= 1e-12 * max(1, np.abs(b).max()), (what, a, b)


def check_hdf5(p, path, group, r, logits):
    with h5py.File(path) as f:
        if logits is None:
            same(f[group]["value"], r, "value")
            assert "class" not in f[group] and "logits" not in f[group]
        else:
            same(f[group]["representation"], r, "representation")
            same(f[group]["logits"], logits, "logits")
            assert (f[group]["class"][()] == logits.argmax(1)).all()
        return {name: f[group][name][()] for name in f[group]}


def check(p, result, where, labelled, outside, ranks):
    rows = new_rows(p, outside=outside)
    write_table(where + "/new.csv", p, rows, labelled)
    with h5py.File(result) as f:
        control, index = f["rollout/controls"][()], int(f["rollout"].attrs["readout"])
    readout = oracle.readouts(p)[index]
    sequence, position, r, logits = expected(p, rows, control, readout)
    along = expected(p, rows, control, readout, lambda c, z: continuous.flow(p, c, z, control, "euler", 1)[-1])
    said = [ok(run(["eval", result, "-data", where + "/new.csv", "-o", where + "/out" + ending, "-overwrite"], ranks=ranks))
            for ending in (".csv", ".h5")]
    said = [re.sub(r"(?m)^.*( so far| left)\n", "", text) for text in said]  # progress, of a machine that is busy
    assert said[0] == said[1]
    assert ("outside the box: 2, taken as they are (P acts after the first layer)" in said[0]) == outside, said[0]
    assert ("no labels" in said[0]) == (not labelled) and ("loss" in said[0]) == labelled, said[0]
    names, values = read_csv(where + "/out.csv")
    assert names == columns(p, labelled, True), (names, columns(p, labelled, True))
    column = dict(zip(names, values.T))
    assert column["sequence"].astype(int).tolist() == sequence
    assert position is None or column["position"].astype(int).tolist() == position
    for prefix, (a, b) in (("", (r, logits)), ("flow_", along[2:])):
        letter = "value" if b is None else "r"
        same(np.stack([column[prefix + letter + "%d" % j] for j in range(p["dim"])], axis=1), a, prefix + letter)
        if b is not None:
            same(np.stack([column[prefix + "logit%d" % c] for c in range(b.shape[1])], axis=1), b, prefix + "logit")
            assert (column[prefix + "class"] == b.argmax(1)).all()
    stored = check_hdf5(p, where + "/out.h5", "prediction", r, logits)
    check_hdf5(p, where + "/out.h5", "flow_prediction", *along[2:])
    assert stored["sequence"].tolist() == sequence and ("position" in stored) == (position is not None)
    with h5py.File(where + "/out.h5") as f:
        assert f["tokens"].shape == (p["horizon"] + 1, len(rows), p["dim"]) and int(f.attrs["outside"]) == 2 * outside
        assert f["sequence"][()].tolist() == [row[0] for row in rows] and f["position"][()].tolist() == [row[1] for row in rows]
        same(f["tokens"][0], [row[3] for row in rows], "data")
        assert ("loss" in f) == labelled and ("loss" in f.attrs) == labelled
        if labelled:
            check_loss(p, rows, control, index, f)


def check_loss(p, rows, control, index, f):
    everyone = continuous.sequences({**p, "rows": rows})
    ends = []
    for c, z in everyone:
        state = z[None]
        for u in control:
            state = oracle.layer(p, state, c["positions"], c["masses"], u)
        ends.append(state)
    q = {**p, "position_weight": p["position_weight"] or 1.0}
    contexts = [c for c, _ in everyone]
    loss = sum(oracle.terminal(q, c, z, oracle.readouts(p)[index], contexts)[0] for c, z in zip(contexts, ends))
    assert abs(loss - f.attrs["loss"]) <= 1e-12 * max(1, loss), (loss, f.attrs["loss"])


def every_kind(name):
    """Tables with labels and without, with tokens outside the box and without, on one rank and on three."""
    def work():
        p = CASES[name]
        with folder() as where:
            result = evaluated(p, where)[1]
            for labelled, outside, ranks in ((True, True, 0), (False, False, 3)) + (((False, True, 0), (True, False, 0)) if not QUICK else ()):
                check(p, result, where, labelled, outside and p["projection"] == "clip", ranks)
    return work


def unprojected():
    """Without a projection none is told of."""
    p = DISCRETE["no projection, r = 0"]
    with folder() as where:
        ok(run(["solve", oracle.write(p, where), "-space", "reachable", "-o", where + "/run.h5"]))
        write_table(where + "/new.csv", p, new_rows(p, outside=True), True)
        said = ok(run(["eval", where + "/run.h5", "-data", where + "/new.csv"]))
        assert "outside the box: 2, taken as they are (without a projection)" in said, said


def without_output():
    """Counts of classes, and what would write the rest; a result of solve has no flow to tell of."""
    p = DISCRETE["two contexts of two tokens"]
    with folder() as where:
        ok(run(["solve", oracle.write(p, where), "-space", "reachable", "-o", where + "/run.h5"]))
        write_table(where + "/new.csv", p, p["rows"], False)
        said = ok(run(["eval", where + "/run.h5", "-data", where + "/new.csv"]))
        with h5py.File(where + "/run.h5") as f:
            model = f["rollout/tokens"][-1].reshape(2, 2, 2).mean(1) @ f["model/readout/R"][()].T + f["model/readout/b"][()]
        counts = np.bincount(model.argmax(1), minlength=2)
        assert "classes 0: %d, 1: %d, of 2 sequences" % tuple(counts) in said and "-o FILE.csv" in said and "flow" not in said, said
        ok(run(["eval", where + "/run.h5", "-data", where + "/new.csv", "-o", where + "/out.csv"]))
        assert read_csv(where + "/out.csv")[0] == columns(p, False, False)
        with h5py.File(where + "/new.h5", "w") as f:  # the same table as HDF5
            f["sequence"], f["position"] = [row[0] for row in p["rows"]], [row[1] for row in p["rows"]]
            f["z0"], f["z1"] = np.array([row[3] for row in p["rows"]]).T
        ok(run(["eval", where + "/run.h5", "-data", where + "/new.h5", "-o", where + "/again.csv"]))
        with open(where + "/out.csv") as a, open(where + "/again.csv") as b:
            assert a.read() == b.read()


def refused():
    """One line, exit 2, nothing written: endings, an existing file, misspelt columns, half a target, tokens beyond all."""
    p = DISCRETE["two contexts of two tokens"]
    with folder() as where:
        ok(run(["solve", oracle.write(p, where), "-space", "reachable", "-o", where + "/run.h5"]))
        write_table(where + "/new.csv", p, p["rows"], False)
        with open(where + "/there.csv", "w") as out:
            out.write("mine\n")
        header = "sequence,position,%s\n0,0,%s\n"
        tables = {"misspelt": ("lable,z0,z1", "1,0,0"), "missing": ("z0", "0"), "target": ("y0,y1,z0,z1", "0,0,0,0"), "far": ("z0,z1", "1e200,0"),
                  "nan": ("z0,z1", "nan,0"), "half": ("y0,z0,z1", "0,0,0")}
        for name, line in tables.items():
            with open(where + "/" + name + ".csv", "w") as out:
                out.write(header % line)
        before = sorted(os.listdir(where))
        for table, out, words in (("new", "out.txt", [".csv", ".h5", "out.txt"]), ("new", "out", ["-o"]), ("new", "there.csv", ["exists", "-overwrite"]),
                                  ("new", "nowhere/out.csv", ["nowhere/out.csv"]), ("misspelt", "out.csv", ["lable"]), ("missing", "out.csv", ["z1"]),
                                  ("target", "out.csv", ["needs a label"]), ("far", "out.csv", ["z0", "line 2"]), ("nan", "out.csv", ["z0"]),
                                  ("half", "out.csv", ["y1"])):
            for ranks in (0, 2):
                done = run(["eval", where + "/run.h5", "-data", "%s/%s.csv" % (where, table), "-o", os.path.join(where, out)], ranks=ranks)
                assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and done.stdout == "", (table, out, done)
                assert all(word in done.stderr for word in words), (words, done.stderr)
                assert sorted(os.listdir(where)) == before
        with open(where + "/there.csv") as f:
            assert f.read() == "mine\n"
        ok(run(["eval", where + "/run.h5", "-data", where + "/new.csv", "-o", where + "/there.csv", "-overwrite"]))
        assert read_csv(where + "/there.csv")[1].shape[0] == 2


def law_distance():
    """-w1: of every tag the least mean distance over assignments, here of equally many units, weighted by the tag's tokens, mean over
    sequences; of tokens and of cell centres. Other tags, no labels and no table are refused."""
    rng = np.random.default_rng(12)
    p = {**DISCRETE["population, atoms given"], "shift": [0.25, -0.125], "rows": [(s, n, n % 2, rng.uniform(-1, 1, 2)) for s in (3, 8) for n in (0, 1, 1, 0, 1)]}
    rows = [(s, n, n % 2, rng.uniform(-1, 1, 2)) for s in (8, 3) for n in (0, 1, 0, 1, 1, 0, 1, 0, 1, 1)]
    centres = oracle.points(p)

    def distance(place):
        total = 0
        for s in (3, 8):
            for n, share in ((0, 0.4), (1, 0.6)):
                x, y = (np.array([place(row[3]) for row in table if row[:2] == (s, n)]) for table in (p["rows"], rows))
                units = np.lcm(len(x), len(y))
                x, y = np.repeat(x, units // len(x), axis=0), np.repeat(y, units // len(y), axis=0)
                apart = np.sqrt(((x[:, None] - y[None]) ** 2).sum(axis=2))
                total += share / 2 * apart[np.arange(units), bellformer.assignment(apart)].mean()
        return total
    with folder() as where:
        ok(run(["solve", oracle.write(p, where), "-space", "reachable", "-horizon", 1, "-o", where + "/run.h5"]))
        write_table(where + "/new.csv", p, rows, True)
        for ranks in (0, 2):
            said = ok(run(["eval", where + "/run.h5", "-data", where + "/new.csv", "-w1", "-o", where + "/out.h5", "-overwrite"], ranks=ranks))
            with h5py.File(where + "/out.h5") as f:
                w1, on_cells = f.attrs["w1"], f.attrs["w1_cells"]
            assert abs(w1 - distance(lambda z: z)) < 1e-13
            assert abs(on_cells - distance(lambda z: centres[oracle.nearest(p, np.asarray(z))])) < 1e-13
            assert "%.10g" % w1 in said and "%.10g" % on_cells in said, said
        ok(run(["eval", where + "/run.h5", "-data", where + "/problem.csv", "-w1", "-o", where + "/out.h5", "-overwrite"]))
        with h5py.File(where + "/out.h5") as f:
            assert f.attrs["w1"] == f.attrs["w1_cells"] == 0
        write_table(where + "/bare.csv", p, rows, False)
        write_table(where + "/fewer.csv", p, rows[10:], True)
        write_table(where + "/other.csv", p, [(s, n, 0, z) for s, n, _, z in rows], True)
        for table, words in (("bare", "neither labels nor targets"), ("fewer", "no such tag, the training data have"), ("other", "are not the same")):
            done = run(["eval", where + "/run.h5", "-data", "%s/%s.csv" % (where, table), "-w1"], ranks=2 * (table == "fewer"))
            assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and words in done.stderr, done
        done = run(["eval", where + "/run.h5", "-w1"])
        assert done.returncode == 2 and "-w1 needs -data TABLE" in done.stderr, done


def scheme_layers():
    """Where the flow's scheme is the layers themselves, there is one answer, told once."""
    p = CASES["flow: two heads, forms, last position"]
    with folder() as where:
        result = evaluated(p, where, "-scheme", "layers")[1]
        for labelled in (False, True):
            write_table(where + "/new.csv", p, p["rows"], labelled)
            ok(run(["eval", result, "-data", where + "/new.csv", "-o", where + "/out.csv", "-overwrite"]))
            assert read_csv(where + "/out.csv")[0] == columns(p, labelled, False)
            ok(run(["eval", result, "-data", where + "/new.csv", "-o", where + "/out.h5", "-overwrite"]))
            with h5py.File(where + "/out.h5") as f:
                assert "prediction" in f and "flow_prediction" not in f


def full_disk():
    """A file that cannot be written whole does not appear: one line, exit 1, nothing left."""
    only_root("mount a small disk")
    p = {**DISCRETE["two contexts of two tokens"], "rows": [(s, n, s % 2, [0.25, 0.5]) for s in range(400) for n in range(2)]}
    with folder() as where:
        result, disk = evaluated(p, where)[1], where + "/disk"
        os.mkdir(disk)
        for ending, room in ((".csv", 4), (".h5", 32), (".h5", 96)):
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dk" % room, "none", disk], check=True)
            try:
                for ranks in (0, 2):
                    done = run(["eval", result, "-o", disk + "/out" + ending], ranks=ranks)
                    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1 and "out" + ending in done.stderr, done
                    assert not os.listdir(disk)
            finally:
                subprocess.run(["umount", disk], check=True)


def far_tokens():
    """What a double still holds is taken: the answers are numbers."""
    p = CASES["clip acts"]
    with folder() as where:
        result = evaluated(p, where, "-scheme", "layers")[1]
        rows = [(s, n, tag, [1e139, -1e139] if n == 0 else z) for s, n, tag, z in p["rows"]]
        write_table(where + "/new.csv", p, rows, False)
        ok(run(["eval", result, "-data", where + "/new.csv", "-o", where + "/out.csv"]))
        names, values = read_csv(where + "/out.csv")
        assert np.isfinite(values).all()
        inside = values[:, [names.index("r0"), names.index("r1")]]
        assert (inside >= p["lower"]).all() and (inside <= p["upper"]).all()


tap([(name, every_kind(name)) for name in NAMES] + [("far tokens", far_tokens), ("full disk", full_disk), ("scheme layers", scheme_layers), ("law distance", law_distance),
                                               ("without -o", without_output), ("no projection", unprojected), ("refused", refused)])
