"""The law that heads start from: draws to the bit, from tables, from results of solve, flow and heads; what is refused."""
import os
import subprocess
import sys
import tempfile

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "solve"))
sys.path.insert(0, os.path.join(HERE, "..", "..", "share", "python"))
import bellformer  # noqa: E402
from harness import ALONE, LAUNCHED, run, tap  # noqa: E402
import initial  # noqa: E402

PRINT_LAW = os.path.abspath(sys.argv[1])
TABLE = "sequence,position,label,z0,z1\n0,0,0,0.5,0.25\n0,1,0,-0.25,1\n1,0,1,1,-0.5\n1,1,1,0.125,0\n2,0,1,0.5,-1\n"
BOX = [[-3, 3]] * 4 + [[-2, 1]] * 2


def problem(folder, heads="count: 7", layer="", A="range: [-3, 3]", V="form: diagonal, range: [-2, 1]", more="", name="p.yaml"):
    path = os.path.join(folder, name)
    with open(os.path.join(folder, "t.csv"), "w") as out:
        out.write(TABLE)
    with open(path, "w") as out:
        out.write("horizon: 3\nstep: 0.5\ntoken: {dim: 2, lower: -4, upper: 4}\ndata: {file: t.csv}\nlayer: {%s}\ncontrol:\n  A: {%s}\n  V: {%s}\n%s"
                  "cost: {terminal: token_cross_entropy, readout: {matrix: [1, 0, -1, 0]}}\n%s"
                  % (layer or "heads: 1", A, V, "".join("  %s\n" % line for line in more.splitlines()), "heads: {%s}\n" % heads if heads else ""))
    return path


def laws(folder, jobs, ranks=0):
    """Of each job (problem, heads, init or "-"): theta [T, H, q], weights [T, H] and what is told; or the text of what is wrong."""
    command = ["mpirun", "--quiet", "-n", str(ranks)] if ranks else []
    done = subprocess.run([*command, PRINT_LAW, *(str(word) for job in jobs for word in job)], cwd=folder, capture_output=True, text=True,
                          timeout=120, env=LAUNCHED if ranks else ALONE)
    assert done.returncode == 0 and not done.stderr, done.stderr
    answers, lines = [], []
    for line in done.stdout.splitlines():
        if not line.startswith("status "):
            lines.append(line)
            continue
        _, status, text = line.split(" ", 2)
        answers.append(law_of(lines) if status == "0" else (int(status), text))
        lines = []
    assert len(answers) == len(jobs)
    return answers


def law_of(lines):
    told = [line for line in lines if line.startswith("-init")]
    rows = [line.split() for line in lines if not line.startswith("-init")]
    T, H = int(rows[-1][0]) + 1, int(rows[-1][1]) + 1
    assert [[int(a) for a in row[:2]] for row in rows] == [[t, h] for t in range(T) for h in range(H)]
    values = np.array([[float.fromhex(x) for x in row[2:]] for row in rows]).reshape(T, H, -1)
    return values[:, :, 1:], values[:, :, 0], told


def law(folder, path, heads, init="-", ranks=0):
    return laws(folder, [(path, heads, init)], ranks)[0]


def refused(folder, *cases):
    """cases: (problem, init, what is said)."""
    for (_, _, words), answer in zip(cases, laws(folder, [(path, 7, init) for path, init, _ in cases])):
        assert answer == (2, words), (answer, words)


def place():
    return tempfile.TemporaryDirectory(prefix="bf_initial_")


# ---- drawn ---------------------------------------------------------------------------------------------------------------------------


def drawn():
    lower, upper = np.transpose(BOX)
    cases = (("count: 7", 7, {}), ("count: 200, seed: 5, init: {A: 0.5, V: 3}", 200, {"seed": 5, "A": 0.5, "V": 3}),
             ("count: 9, same: false, seed: 9223372036854775807", 9, {"same": False, "seed": 2**63 - 1}),
             ("count: 30, room: 17, same: false, init: {kind: uniform}", 30, {"same": False, "kind": "uniform"}))
    with place() as folder:
        paths = [problem(folder, heads, name="%d.yaml" % k) for k, (heads, _, _) in enumerate(cases)]
        for ranks, more in ((0, 0), (3, 0), (2, 17)):
            answers = laws(folder, [(path, count + more, "-") for path, (_, count, _) in zip(paths, cases)], ranks)
            for (heads, count, keys), (theta, weight, _) in zip(cases, answers):
                assert (theta[:, :count] == initial.law(3, count, lower, upper, 4, **keys)).all() and not theta[:, count:].any(), (heads, ranks)
                assert (weight[:, :count] == 1 / count).all() and not weight[:, count:].any()


def nested():
    """More heads, and more layers, contain the fewer; without `same` layers differ, and the first is that of `same`."""
    for same in ("true", "false"):
        with place() as folder:
            jobs = [(problem(folder, "count: %d, same: %s" % (n, same), name="%d.yaml" % n), n, "-") for n in (5, 64)]
            few, many = (theta for theta, _, _ in laws(folder, jobs))
            assert (many[:, :5] == few).all()
            assert (few[0] == few[1]).all() == (same == "true")
            assert (few[0] == initial.law(1, 5, [0] * 6, [0] * 6, 4)[0]).all()


def normal():
    """Mean, variance and correlations of 3 * 4000 normal numbers, within five deviations."""
    with place() as folder:
        x = law(folder, problem(folder, "count: 4000, same: false, init: {A: 1, V: 1}"), 4000)[0].reshape(-1, 6)
    n = len(x)
    assert np.abs(x.mean(axis=0)).max() < 5 / n**0.5 and np.abs(np.cov(x.T) - np.eye(6)).max() < 5 * (2 / n) ** 0.5
    tail = np.mean(np.abs(x) > 1.959963984540054)
    assert abs(tail - 0.05) < 5 * (0.05 * 0.95 / x.size) ** 0.5, tail


# ---- tables --------------------------------------------------------------------------------------------------------------------------


def particles(seed=3, heads=7, layers=3, q=6):
    generator = np.random.default_rng(seed)
    weight = generator.uniform(0, 1, (layers, heads))
    return generator.normal(size=(layers, heads, q)), weight / weight.sum(axis=1, keepdims=True)


def csv(folder, rows, header, name="u.csv"):
    with open(os.path.join(folder, name), "w") as out:
        out.write(header + "\n" + "".join(",".join(repr(x) for x in row) + "\n" for row in rows))
    return name


def tables():
    theta, weight = particles()
    rows = [[float(weight[t, h]), h, *map(float, theta[t, h]), t] for t in range(3) for h in range(7)]
    header = "weight,head,u0,u1,u2,u3,u4,u5,layer"
    with place() as folder:
        path = problem(folder)
        name = csv(folder, [rows[k] for k in np.random.default_rng(1).permutation(21)], header)
        for ranks in (0, 3):
            a, w, _ = law(folder, path, 12, name, ranks=ranks)
            assert (a[:, :7] == theta).all() and (w[:, :7] == weight).all() and not a[:, 7:].any() and not w[:, 7:].any()
        with h5py.File(os.path.join(folder, "u.h5"), "w") as f:
            for j, column in enumerate(header.split(",")):
                values = np.array([row[j] for row in rows])
                f[column] = values.astype(int) if column in ("head", "layer") else values
        a, w, _ = law(folder, path, 7, "u.h5")
        assert (a == theta).all() and (w == weight).all()
        a, w, _ = law(folder, path, 7, csv(folder, [row[1:] for row in rows], header[7:]))
        assert (a == theta).all() and (w == 1 / 7).all()
        few_digits = [[row[0] * (1 + 9e-10), *row[1:]] for row in rows]
        _, w, _ = law(folder, path, 7, csv(folder, few_digits, header))
        assert np.abs(w - weight).max() < 1e-15 and np.abs(w.sum(axis=1) - 1).max() < 1e-15


def bad_tables():
    theta, _ = particles()
    rows = [[t, h, *map(float, theta[t, h])] for t in range(3) for h in range(7)]
    header, numbers = "layer,head,u0,u1,u2,u3,u4,u5", [0.5] * 6
    with place() as folder:
        path = problem(folder)
        cases = (
                ((rows[:-1], header), "head 6 of layer 2 is missing: the problem has 3 layers of 7 heads"),
                ((rows + [[3, 0, *numbers]], header), "line 23: layer must be from 0 to 2, got 3"),
                ((rows + [[0, 7, *numbers]], header), "line 23: head must be from 0 to 6, got 7"),
                ((rows + [[0, 4, *numbers]], header), "line 23: head 4 of layer 0 is given twice"),
                (([row[:-1] for row in rows], header[:-3]), "column u5 is missing: a head has 6 numbers"),
                (([row + [1] for row in rows], header + ",u6"), "unexpected column u6: layer, head, u0 .. u5 and weight are known"),
                (([row + [1] for row in rows], header + ",u05"), "unexpected column u05: layer, head, u0 .. u5 and weight are known"),
                (([row + [1] for row in rows], header + ",u5"), "column u5 is given twice"),
                (([row[1:] for row in rows], header[6:]), "column layer is missing"),
                (([row + [0.25] for row in rows], header + ",weight"), "the weights of layer 0 sum to 1.75, not 1"),
                (([row + [-1] for row in rows], header + ",weight"), "line 2: weight must be from 0 to 1, got -1"),
                (([], header), "the table has no rows"))
        names = [csv(folder, *change, name="%d.csv" % k) for k, (change, _) in enumerate(cases)]
        refused(folder, *((path, name, "-init %s: %s" % (name, words)) for name, (_, words) in zip(names, cases)),
                (path, "none.csv", "-init: cannot read none.csv: No such file or directory"))


# ---- results -------------------------------------------------------------------------------------------------------------------------


def result(folder, *command, name="run.h5"):
    done = run([*command, "-o", name], cwd=folder)
    assert done.returncode == 0, done.stderr
    with h5py.File(os.path.join(folder, name)) as f:
        return f["rollout/controls"][()]


def sums():
    """Of flow with two heads, of solve with one: V times their number; copies share a weight."""
    with place() as folder:
        u = result(folder, "flow", problem(folder, "", "heads: 2", name="two.yaml"), "-init", "sample", "-tao_max_it", "0").reshape(3, 2, 6)
        u[:, :, 4:] *= 2
        for H in (2, 4, 7):
            theta, weight, _ = law(folder, problem(folder, "count: %d" % H), H, "run.h5", ranks=2 if H == 7 else 0)
            assert (theta == u[:, np.arange(H) % 2]).all()
            assert (weight == {2: [0.5] * 2, 4: [0.25] * 4, 7: [0.125, 1 / 6] * 3 + [0.125]}[H]).all()
        refused(folder, (problem(folder, "count: 1"), "run.h5", "-init run.h5: its layers are the sum of 2 heads, this problem has 1"))
        one = problem(folder, "", V="form: diagonal, range: [-2, 1], levels: 2", A="range: [-3, 3], levels: 2", more="", name="one.yaml")
        u = result(folder, "solve", one, "-quantize_cells", "0", "-space", "reachable", "-o", "s.h5", name="s.h5").reshape(3, 1, 6)
        theta, weight, _ = law(folder, problem(folder, "count: 3"), 3, "s.h5")
        assert (theta == u).all() and (weight == 1 / 3).all()


def misfits():
    with place() as folder:
        path = problem(folder)
        flow = ["-init", "zero", "-tao_max_it", "0", "-overwrite"]
        cases = (
                ({}, ["-horizon", "2"], "it has 2 layers, this problem 3"),
                ({}, ["-control_A_form", "diagonal"], "its control.A.form is diagonal, this problem's full"),
                ({}, ["-layer_norm", "rms"], "its problem q.yaml: layer.norm must be none for heads, got rms"),
                ({"layer": "heads: 2", "more": "A_1: {form: diagonal}"}, [],
                 "its problem q.yaml: control.A_1.form must be that of A_0 for heads, which are all alike, got diagonal and full"),
                ({"V": "form: fixed, value: 2"}, [], "its control.V.form is fixed, this problem's diagonal"))
        for k, (changes, options, _) in enumerate(cases):
            result(folder, "flow", problem(folder, "", name="q.yaml", **changes), *flow, *options, name="%d.h5" % k)
        refused(folder, *((path, "%d.h5" % k, "-init %d.h5: %s" % (k, words)) for k, (_, _, words) in enumerate(cases)))
        fixed = problem(folder, "count: 4", V="form: fixed, value: 2", name="fixed.yaml")
        result(folder, "flow", problem(folder, "", "heads: 2", V="form: fixed, value: 0.5", name="q.yaml"), *flow)
        refused(folder, (fixed, "run.h5", "-init run.h5: its control.V.value is another"))
        result(folder, "flow", problem(folder, "", "heads: 2", V="form: fixed, value: 1", name="q.yaml"), *flow)  # 1 + 1: the mean of two of 2
        assert (law(folder, fixed, 4, "run.h5")[1] == 0.25).all()
        refused(folder, (problem(folder, "count: 3", V="form: fixed, value: 2", name="fixed.yaml"), "run.h5",
                         "-init run.h5: heads would have different weights, where V is fixed"))


def of_heads():
    """A result of heads, made of one of flow by what it has more: the same H to the bit, copied, thinned."""
    theta, weight = particles(heads=4)
    weight[1, 2:] = 0
    with place() as folder:
        result(folder, "flow", problem(folder, "count: 4", "heads: 4"), "-init", "zero", "-tao_max_it", "0")
        with h5py.File(os.path.join(folder, "run.h5"), "r+") as f:
            f.attrs["space"] = np.bytes_("heads")
            f["heads/particles"], f["heads/weights"] = theta, weight
        a, w, told = law(folder, problem(folder, "count: 4"), 6, "run.h5", ranks=2)
        assert (a[:, :4] == theta).all() and (w[:, :4] == weight).all() and not w[:, 4:].any() and not told
        a, w, _ = law(folder, problem(folder, "count: 9"), 9, "run.h5")
        copies = np.array([3, 2, 2, 2])
        assert (a == theta[:, np.arange(9) % 4]).all() and (w == (weight / copies)[:, np.arange(9) % 4]).all()
        a, w, told = law(folder, problem(folder, "count: 3"), 3, "run.h5")
        kept = weight[:, :3].sum(axis=1, keepdims=True)
        assert (a == theta[:, :3]).all() and np.abs(w - weight[:, :3] / kept).max() < 1e-15
        assert told == ["-init run.h5: the first 3 of its 4 heads are taken, which have at least %.3g %% of the weight" % (100 * kept.min())], told
        with h5py.File(os.path.join(folder, "run.h5"), "r+") as f:
            f["heads/weights"][:, 0] = 0
        refused(folder, (problem(folder, "count: 1"), "run.h5", "-init run.h5: the first 1 of its heads have no weight at layer 0"))
        with h5py.File(os.path.join(folder, "run.h5"), "r+") as f:
            f["heads/particles"][2, 1, 3] = np.nan
        refused(folder, (problem(folder, "count: 4"), "run.h5", "-init run.h5: /heads/particles is not finite"))


def whole():
    """A run of heads from a table with weights: its layers are what it trained, in eval and in Python, beyond 64 heads, too; and it goes on as it is."""
    theta, weight = particles(heads=70)
    rows = [[t, h, *map(float, theta[t, h]), float(weight[t, h])] for t in range(3) for h in range(70)]
    with place() as folder:
        path = problem(folder, "count: 70")
        csv(folder, rows, "layer,head,u0,u1,u2,u3,u4,u5,weight")
        control = result(folder, "heads", path, "-init", "u.csv", "-tau", "0")
        V = theta[:, :, 4:] * weight[:, :, None]
        assert np.abs(control.reshape(3, 70, 6) - np.concatenate([theta[:, :, :4], V], axis=2)).max() < 1e-16
        with h5py.File(os.path.join(folder, "run.h5")) as f:
            assert (f["heads/particles"][()] == theta).all() and (f["heads/weights"][()] == weight).all()
            loss = f["heads"].attrs["loss"]
            assert f["model/A"].shape == (3, 70, 2, 2) and f["provenance"].attrs["format"] == 4
        told = run(["eval", "run.h5"], cwd=folder)
        assert told.returncode == 0 and abs(float(told.stdout.split("loss ")[1].split(",")[0]) - loss) < 1e-9 * loss, told.stderr
        model = bellformer.load(os.path.join(folder, "run.h5"))
        assert abs(model.loss(model.data)[0] - loss) < 1e-12 * loss
        result(folder, "heads", path, "-init", "run.h5", "-tau", "0", name="again.h5")
        with h5py.File(os.path.join(folder, "again.h5")) as f:
            assert (f["heads/particles"][()] == theta).all() and (f["heads/weights"][()] == weight).all() and f["heads"].attrs["loss"] == loss


# ---- problems ------------------------------------------------------------------------------------------------------------------------


def problems():
    two = {"heads": "", "layer": "heads: 2"}
    cases = (
            ({"layer": "heads: 1, residual: 0"}, "layer.residual must be 1 for heads, got 0"),
            ({"layer": "heads: 1, norm: layer"}, "layer.norm must be none for heads, got layer"),
            ({"layer": "heads: 1, linear: 1", "more": "B: {range: [-1, 1]}"}, "layer.linear is given, but the layers of heads are attention alone"),
            ({"layer": "heads: 1, feedforward: tanh, width: 1", "more": "W1: {range: [-1, 1]}\nb1: {range: [-1, 1]}\nW2: {range: [-1, 1]}\nb2: {range: [-1, 1]}"},
             "layer.feedforward is given, but the layers of heads are attention alone"),
            ({**two, "more": "A_1: {form: scalar}"}, "control.A_1.form must be that of A_0 for heads, which are all alike, got scalar and full"),
            ({**two, "more": "V_1: {range: [0, 1]}"}, "control.V_1.range must be that of V_0 for heads, which are all alike, got [0, 1] and [-2, 1]"),
            ({**two, "A": "form: fixed, value: 1", "more": "A_1: {value: [1, 0, 0, 1]}"},
             "control.A_1.value must be that of A_0 for heads, which are all alike"),
            ({"heads": "count: 3, room: 1", "V": "form: fixed, value: 1"}, "control.V.form must not be fixed where heads are inserted"))
    with place() as folder:
        paths = [problem(folder, name="%d.yaml" % k, **changes) for k, (changes, _) in enumerate(cases)]
        refused(folder, *((path, "-", "%s: %s" % (os.path.basename(path), words)) for path, (_, words) in zip(paths, cases)))


tap([("draws are the numpy twin's, to the bit, by any ranks, padding at rest", drawn), ("more heads contain the fewer", nested),
     ("normal", normal), ("tables", tables), ("bad tables", bad_tables), ("results that sum heads", sums), ("results that do not fit", misfits),
     ("results of heads", of_heads), ("a run from a table, and from its result", whole), ("problems that are not of heads", problems)])
