"""The programs of share/plot: every kind of problem is drawn and told rightly; coincident tokens; options; interpreters without modules."""
import importlib
import os
import re
import runpy
import subprocess
import sys
import tempfile
import traceback
from types import SimpleNamespace

import h5py
import numpy as np

import study_files

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "python"))
from results import CASES, DISCRETE, SHARE, evaluated, ok, oracle, run, tap  # noqa: E402

sys.path[:0] = [os.path.join(SHARE, "plot"), os.path.join(SHARE, "studies")]
import human  # noqa: E402
import style  # noqa: E402
import value as value_plot  # noqa: E402
from studyfile import said as fit_said  # noqa: E402

PLOT = os.path.join(SHARE, "plot")
READOUT = {"kind": "fixed", "matrix": [3, -3], "bias": [0, 0]}
LINE = {"dim": 1, "lower": [-2.0], "upper": [2.0], "action": {"kind": "sample", "count": 6, "seed": 1},
        "control": {"A": {"form": "scalar", "range": [-2, 2]}, "V": {"form": "scalar", "range": [-1, 1]}}, "cells": [7]}
DRAWN = {
    "line, positions": oracle.problem(**LINE, terminal="pooled_cross_entropy", readout=READOUT,
                                      rows=[(s, n, s % 2, [x]) for s in range(6) for n, x in enumerate((0.5, -0.5 + s % 2, 1.0))]),
    "line, population": oracle.problem(**{**LINE, "atoms": 2}, terminal="token_cross_entropy", readout=READOUT,
                                       rows=[(0, 0, i % 2, [x]) for i, x in enumerate(np.random.default_rng(0).normal(size=40).clip(-1.9, 1.9))]),
    "line, targets": oracle.problem(**LINE, terminal="squared_error", targets=True,
                                    rows=[(s, n, [0.25 * s], [0.3 * n - 0.5]) for s in range(3) for n in range(3)]),
    "plane, forty labels": oracle.problem(
        rows=[(s, n, s, z) for s, n, _, z in [(s, n, 0, np.random.default_rng(s).uniform(-1, 1, 2)) for s in range(40) for n in range(2)]], cells=0,
        terminal="pooled_cross_entropy", readout={"kind": "fixed", "matrix": list(np.random.default_rng(1).normal(size=80))},
        action={"kind": "sample", "count": 5, "seed": 1}, control={"A": {"form": "scalar", "range": [-2, 2]}, "V": {"form": "scalar", "range": [-1, 1]}}),
    "plane, a context longer than a matrix": oracle.problem(
        rows=[(0, n, n % 2, np.random.default_rng(n).uniform(-1, 1, 2)) for n in range(30)] + [(1, 0, 1, [0.0, 1.0])], cells=0, mask="causal",
        terminal="token_cross_entropy", readout={"kind": "fixed", "matrix": [4, 0, -4, 0]}, action={"kind": "sample", "count": 5, "seed": 1},
        control={"A": {"form": "scalar", "range": [-2, 2]}, "V": {"form": "scalar", "range": [-1, 1]}}),
    "plane, targets": CASES["flow: r = 0, relu, squared error"],
    "plane, two heads": CASES["flow: two heads, forms, last position"],
    "plane, sphere": CASES["flow: sphere, a decision"],
    "space": CASES["flow: three dimensions"],
    "no heads": DISCRETE["feed-forward alone, gelu"],
    "plane, nothing keeps tokens": {**CASES["flow: pooled cross entropy, decay"], "projection": "none", "lower": [-1.25, -1.25], "upper": [1.25, 1.25],
                                    "step": 2.0},
}


def program(name, *arguments, interpreter=sys.executable, **keywords):
    return subprocess.run([interpreter, os.path.join(PLOT, name)] + [str(a) for a in arguments], capture_output=True, text=True, timeout=300, **keywords)


def forked(name, *arguments):
    """The same by a copy of this process, which has matplotlib, whose import takes longer than most figures; modules of tests are none of its."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        sys.stdout.flush()
        child = os.fork()
        if not child:
            become(os.path.join(PLOT, name), arguments, out, err)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        for said in (out, err):
            said.seek(0)
        return subprocess.CompletedProcess(name, status, out.read(), err.read())


def become(path, arguments, out, err):
    """Runs a program in place of this one, and ends as the interpreter would."""
    status = 1
    try:
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        tests = os.path.dirname(HERE)
        for module in [name for name, module in sys.modules.items() if (getattr(module, "__file__", None) or "").startswith(tests)]:
            del sys.modules[module]
        sys.argv, sys.path = [path, *map(str, arguments)], [PLOT] + [folder for folder in sys.path if not os.path.abspath(folder).startswith(tests)]
        runpy.run_path(path, run_name="__main__")
        status = 0
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        status = end.code if isinstance(end.code, int) else int(bool(end.code))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def words_of(svg):
    """All that is written in a figure, of SVG with text as text."""
    with open(svg) as f:
        parts = [re.sub(r"<[^>]*>", "", part) for part in re.findall(r"<text.*?</text>", f.read(), re.S)]
    return " ".join(" ".join(parts).split())


def drawn(name, path, *arguments):
    out = os.path.join(os.path.dirname(path), "figure.svg")
    done = forked(name, path, "-o", out, *arguments)
    assert done.returncode == 0 and not done.stderr, (name, arguments, done.stderr)
    return words_of(out)


def tokens():
    expected = {"line, positions": ["tokens against depth", "layers passed", "position", "attention of layer 1", "4 of 6 sequences"],
                "line, population": ["tokens against depth", "star: query token", "an even look"],
                "line, targets": ["tokens against depth", "target", "position 2"], "plane, forty labels": ["label 0", "label 39", "4 of 40 sequences"],
                "plane, a context longer than a matrix": ["star: query token", "sequence 0"], "plane, targets": ["target"],
                "plane, sphere": ["attention weight"], "space": ["data"], "plane, two heads": ["attention of layer 2"], "no heads": ["no attention"],
                "plane, nothing keeps tokens": ["attention weight", "20"]}  # axes that reach to where tokens went, far out of Z
    for name, p in DRAWN.items():
        with tempfile.TemporaryDirectory(prefix="bf_plot_") as folder:
            said = drawn("tokens.py", evaluated(p, folder)[1])
            for word in expected[name]:
                assert word in said, (name, word, said)
            if p["dim"] == 3:
                for plot in ("tokens.py", "flow.py"):
                    said = drawn(plot, folder + "/run.h5", "-axes", 2, 1)
                    assert said == drawn(plot, folder + "/run.h5", "-axes", "2,1") and said != drawn(plot, folder + "/run.h5"), said
            if name == "line, targets":  # one coordinate: there is nothing to choose
                for plot in ("tokens.py", "flow.py"):
                    done = forked(plot, folder + "/run.h5", "-o", folder + "/none.png", "-axes", 0, 1)
                    assert done.returncode == 2 and "have one coordinate" in done.stderr and not os.path.exists(folder + "/none.png"), done
            if p["heads"] == 2:
                drawn("tokens.py", folder + "/run.h5", "-head", 1, "-position", -1)


def flows():
    for name in ("line, positions", "line, population", "line, targets", "plane, forty labels", "plane, two heads", "space"):
        with tempfile.TemporaryDirectory(prefix="bf_plot_") as folder:
            said = drawn("flow.py", evaluated(DRAWN[name], folder, scheme="rk4")[1])
            line = name.startswith("line")
            assert ("tokens against depth" in said) == line and ("against position" in said) == (name in ("line, positions", "line, targets")), said
            assert "Hamiltonian" in said and "rk4" in said
            if name in ("line, targets", "plane, two heads", "space"):
                assert "Hamiltonian of each layer" in drawn("flow.py", evaluated(DRAWN[name], folder, "-scheme", "layers")[1])


def heads():
    """Parts that a run does not have; few and many layers; a kernel that is singular; heads that were inserted; a plane of one's own."""
    shipped, line = os.path.join(SHARE, "problems", "heads"), {**DRAWN["line, targets"], "projection": "none", "cells": 0}
    with tempfile.TemporaryDirectory(prefix="bf_plot_") as folder:
        def trained(problem, *options):
            ok(run(["heads", problem if "/" in problem else os.path.join(shipped, problem + ".yaml"), "-o", folder + "/run.h5", "-overwrite", "-heads_count", 8,
                    "-tau", 2, *options]))
            return drawn("heads.py", folder + "/run.h5")
        said = trained("rate", "-kernel", "-heads_count", 70)
        with h5py.File(folder + "/run.h5") as file:
            promised, seen = (file["heads"].attrs[name] for name in ("promised_rate", "rate"))
        for word in ("promised at the start: rate %.3g" % promised, "rate seen at last: %.3g" % seen, "eigenvalues of the tangent kernel", "heads of layer 3",
                     "crosses: targets", "tokens through depth", "area by weight"):
            assert word in said, (word, said)
        assert "A00" in drawn("heads.py", folder + "/run.h5", "-plane", 0, 1).replace(" ", "")
        done = forked("heads.py", folder + "/run.h5", "-o", folder + "/none.png", "-plane", 0, 8)
        assert done.returncode == 2 and "free numbers 0 .. 7" in done.stderr and not os.path.exists(folder + "/none.png"), done
        said = trained("floor", "-kernel")
        assert "no decay is promised" in said and "zero but for rounding: 4" in said and "only the largest" not in said, said
        with h5py.File(folder + "/run.h5", "a") as file:  # as of more outputs than have a whole spectrum; at the end none has converged
            for name, values in (("initial", [2.0, 1.0]), ("final", [])):
                del file["heads/kernel/" + name]
                file["heads/kernel/" + name] = np.array(values)
            file["heads"].attrs["kernel_rank"] = file["heads"].attrs["final_kernel_rank"] = -1
        said = drawn("heads.py", folder + "/run.h5")
        assert "at the start, only the largest 2" in said and "at the end" not in said and "zero but for rounding" not in said, said
        with h5py.File(folder + "/run.h5", "a") as file:
            del file["heads/kernel/initial"]
            file["heads/kernel/initial"] = np.array([])
        assert "eigenvalues" not in drawn("heads.py", folder + "/run.h5")
        said = trained("xor", "-horizon", 8, "-step", 0.125)
        assert "6 of 8 layers" in said and "eigenvalues" not in said and "promised" not in said and "label 1" in said, said
        assert "K=" not in drawn("tokens.py", folder + "/run.h5").replace(" ", "")
        assert "=8 to 9," in trained("xor", "-insert", 1)  # a head more, in one layer
        said = trained("certified", "-insert", 2)
        assert "heads of layer 0" in said and "=10," in said, said
        with h5py.File(folder + "/run.h5") as file:
            assert file["heads/particles"].shape[1] == 10
        assert "tokens against depth" in trained(oracle.write(line, folder), "-control_A_form", "fixed", "-control_A_value", 1)


def certificates():
    """Bounds and boxes: what is drawn is a part of the box, once; lines of equal J are of the model's own cost."""
    import certify as certify_plot
    with tempfile.TemporaryDirectory() as folder:
        problem = os.path.join(SHARE, "studies", "problems", "two-numbers.yaml")
        for horizon, two in ((1, True), (2, False)):
            out = os.path.join(folder, "cert%d.h5" % horizon)
            ok(run(["certify", problem, "-horizon", str(horizon), "-gap", "0.05", "-boxes", "2000", "-o", out]))
            words = drawn("certify.py", out)
            with h5py.File(out) as f:
                about, tree, free, halved = dict(f["certificate"].attrs), *(f["certificate/" + name][()] for name in ("tree", "free", "halved"))
                low, high, found = f["control/lower"][()], f["control/upper"][()], f["rollout"].attrs["cost"]
            assert "%.6g" % about["lower"] in words and "%.6g" % about["found"] in words and "boxes" in words, words
            assert "of layer 0" in words and two == (len(free) == 2), words
            assert about["lower"] <= found <= about["found"] * (1 + 1e-9), (about, found)
            if not two:
                assert halved.sum() == len(list(certify_plot.leaves(tree, low[free % 2], high[free % 2]))) - 1 > 0 and "halved there" in words, halved
                continue
            parts = list(certify_plot.leaves(tree, low[free], high[free]))
            corners = np.array([np.concatenate((a, b)) for _, a, b in parts])
            assert (corners[:, :2] >= low).all() and (corners[:, 2:] <= high).all() and (corners[:, 2:] > corners[:, :2]).all()
            inside = np.random.default_rng(0).uniform(low, high, (2000, 2))
            hits = ((inside[:, None] > corners[:, :2]) & (inside[:, None] < corners[:, 2:])).all(axis=2).sum(axis=1)
            assert hits.max() <= 1 and hits.any(), hits.max()  # what is in none was cut away
            model = certify_plot.Run(out)
            numbers = [certify_plot.Number(model, k) for k in free]
            before = model.objective(model.data)
            J = certify_plot.costs(model, numbers, np.linspace(low[0], high[0], 5), np.linspace(low[1], high[1], 5))
            assert J.min() >= about["lower"] and abs(before - found) < 1e-9 and np.ptp(J) > 0, (J, before)
        wide = oracle.write(oracle.problem(rows=[(0, 0, (0.5, 1.0, 0.0), (0.5, -1.0, 0.25)), (0, 1, (-0.5, 0.0, 1.0), (-1.0, 0.5, 0.75))], horizon=1, targets=True, dim=3, lower=[-2] * 3,
                                           upper=[2] * 3, cells=[2] * 3, control={"A": {"form": "full", "range": [-2, 2], "levels": 1}, "V": {"form": "scalar", "range": [-2, 2], "levels": 1}}), folder, "wide")
        ok(run(["certify", wide, "-boxes", "500", "-o", os.path.join(folder, "wide.h5")]))
        words = drawn("certify.py", os.path.join(folder, "wide.h5"))
        assert "delta_1 (sequence 0, layer 0, head 0, query 0)" in words and "V_0[0, 0] of layer 0" in words, words
        line = os.path.join(folder, "line.h5")
        ok(run(["certify", os.path.join(SHARE, "studies", "problems", "line.yaml"), "-horizon", "3", "-table", "2", "-gap", "0.3", "-o", line]))
        assert "halved so often" in drawn("certify.py", line)
        with h5py.File(line) as f:
            cells, (low, high), found = f["certificate/cells"][()], f["certificate/axis_range"][()].T, f["rollout/tokens"][2, :, 0]
            free, cost = f["certificate/free"][()], f["certificate"].attrs["found"]
        parts = list(certify_plot.minorants(cells, low, high, int((free >= 2 * 2).sum())))
        there = [c + g @ found for _, a, b, c, g in parts if (a <= found).all() and (found <= b).all()]
        assert len(parts) > 1 and there and max(there) <= cost, there  # W_2 is at most what was found costs from there on
        several = os.path.join(folder, "several.h5")
        ok(run(["certify", os.path.join(SHARE, "problems", "xor", "xor.yaml"), "-horizon", "1", "-cost_readout_kind", "decision", "-cost_readout_matrix",
                "4,0,-4,0,0,4,0,-4", "-cost_readout_bias", "2,-2,1,-1", "-o", several]))
        with h5py.File(several) as f:
            assert certify_plot.roots_of(f["certificate/tree"][()], len(f["certificate/free"])) == 2
        drawn("certify.py", several)
        ok(run(["solve", problem, "-o", os.path.join(folder, "s.h5")]))
        done = forked("certify.py", os.path.join(folder, "s.h5"), "-o", os.path.join(folder, "s.png"))
        assert done.returncode and "not a result of bellformer certify" in done.stderr, done.stderr


def values():
    for name, word in (("line, population", "of the atom"), ("line, targets", "of the atom")):
        with tempfile.TemporaryDirectory(prefix="bf_plot_") as folder:
            p = {**DRAWN[name], "rows": DRAWN[name]["rows"][:4]}
            ok(run(["solve", oracle.write(p, folder), "-space", "full", "-o", folder + "/run.h5"]))
            said = drawn("value.py", folder + "/run.h5")
            assert word in said and "layer" in said and "occur" in said, said
            assert "laws of the tag" in drawn("value.py", folder + "/run.h5", "-ranks")
    assert value_plot.axis_values(np.zeros((4, 3))) is None and len(value_plot.axis_values(np.array([[0.0], [1.0]]))) == 1


def losses():
    with tempfile.TemporaryDirectory(prefix="bf_plot_") as folder:
        path = oracle.write({**DRAWN["plane, two heads"], "action": {"kind": "sample", "count": 3, "seed": 1}}, folder)
        runs = []
        for count in (2, 4, 8):
            runs.append(folder + "/%d.h5" % count)
            ok(run(["solve", path, "-space", "reachable", "-action_count", count, "-o", runs[-1]]))
        done = forked("loss.py", *runs, "-o", folder + "/figure.svg")
        assert done.returncode == 0 and not done.stderr, done.stderr
        assert "training loss" in words_of(folder + "/figure.svg")


def studies():
    """Exponents, slopes beside them, what is averaged over, what is not shown; values that are texts; a measured x; many lines; odd names."""
    with tempfile.TemporaryDirectory(prefix="bf_plot_") as folder:
        said = drawn("study.py", study_files.quantization(folder + "/q.h5"))
        with h5py.File(folder + "/q.h5") as file:
            exponents = [fit.attrs["exponent"] for fit in file["fits"].values()]
        for word in ("quantization", "standard error over action.seed", "error, action.count 16: slope \N{MINUS SIGN}%.3g [" % abs(exponents[0]),
                     "error, action.count 64: slope \N{MINUS SIGN}%.3g" % abs(exponents[1]), "expected slope \N{MINUS SIGN}1", "quantize.cells"):
            assert word in said, (word, said)
        said = drawn("study.py", study_files.write(folder + "/n.h5", "a $ b $", {"layer.norm": ["none", "rms"], "s": [1, 2]}, ["s"],
                                                   {"loss": lambda point: len(point["layer.norm"]) + point["s"]}, failed=[2, 3]))
        assert "none" in said and "rms" in said and "loss" in said and "slope" not in said, said
        path = study_files.write(folder + "/w.h5", "w", {"k": [1, 2, 3, 4]}, [], {"w": lambda point: point["k"] ** 2, "gap": lambda point: point["k"] % 4},
                                 [("gap", "w", np.nan)], x="w", y=["gap"])
        said = drawn("study.py", path)
        assert "not shown: 1" in said and "expected" not in said and "bars" not in said, said
        with h5py.File(path, "a") as file:
            file["means/gap"][3] = np.inf
            file["fits/00"].attrs.update(y="gap", exponent=1.0, factor=1.0, low=0.5, high=1.5, expect=1.0)
        assert "not shown: 1" in drawn("study.py", path)
        said = drawn("study.py", study_files.hard(folder + "/hard.h5"))
        assert "expected slope 1.5" in said and "measure_1_of_many" in said, said
        path = study_files.write(folder + "/m.h5", "m", {"k": [1, 2], "j": list(range(40))}, [], {"y": lambda point: point["k"] + point["j"]}, [("y", "k", 1)])
        assert "14 of 40 are named" in drawn("study.py", path)
        assert "nothing to show" in drawn("study.py", study_files.quantization(folder + "/none.h5", failed=range(80)))
        assert "slope" not in drawn("study.py", study_files.quantization(folder + "/one.h5", failed=range(79)))


def coincidence():
    """As many tokens as there are, in one place where they coincide; a cloud is left alone; the caption says it."""
    place = style.places(np.array([[0, 0], [1, 1], [0, 1e-4], [1, 1], [0, 0.5], [0, 1e-3]]), 2.0)
    assert place.tolist() == [0, 1, 0, 1, 2, 0], place
    cloud = np.random.default_rng(0).uniform(-1, 1, (60, 2))
    cloud[1] = cloud[0] + 1e-3  # by chance
    cloud[3] = cloud[2]         # the same
    found = style.places(cloud, 2.0)
    assert found[1] != found[0] and found[3] == found[2] and len(set(found.tolist())) == 59
    assert style.caption_of([None]) is None and "pie" in style.caption_of([("number", True)])
    with tempfile.TemporaryDirectory(prefix="bf_plot_") as folder:
        p = {**DISCRETE["two contexts of two tokens"], "rows": [(s, n, s % 2, [0.5, -0.5]) for s in range(4) for n in range(2)]}
        said = drawn("tokens.py", evaluated(p, folder)[1])
        assert "a number: so many tokens at one place" in said and "pie" in said and re.search(r"\b8\b", said), said
        p = {**p, "rows": [(s, 0, s % 2, [0.3 * s - 0.5, 0.2 * s]) for s in range(4)]}
        assert "at one place" not in drawn("tokens.py", evaluated({**p, "horizon": 1}, folder, control=np.zeros((1, 5)))[1])


def wrong_files():
    """One line, no stack."""
    with tempfile.TemporaryDirectory(prefix="bf_plot_") as folder:
        path = evaluated(DRAWN["line, positions"], folder)[1]
        study = study_files.quantization(folder + "/study.h5")
        with open(folder + "/text.h5", "w") as out:
            out.write("hello")
        for name, arguments, word in (("tokens.py", (folder + "/none.h5", "-o", folder + "/a.png"), "no such file"),
                                      ("tokens.py", (folder + "/text.h5", "-o", folder + "/a.png"), "not a whole HDF5 file"),
                                      ("tokens.py", (path, "-o", folder + "/none/a.png"), "cannot be written"),
                                      ("tokens.py", (path, "-o", folder + "/a.png", "-test"), "no test table"),
                                      ("study.py", (path, "-o", folder + "/a.png"), "no result of `bellformer study`"),
                                      ("report.py", (folder + "/text.h5", "-o", folder + "/a.png"), "not a whole HDF5 file"),
                                      ("report.py", (study, "-o", path), "holds a result"), ("report.py", (study, "-o", study), "holds a result"),
                                      ("tokens.py", (path, "-o", study), "holds a result"), ("study.py", (study, "-o", path), "holds a result"),
                                      ("value.py", (path, "-o", folder + "/a.png"), "-space full")):
            done = forked(name, *arguments)
            assert done.returncode and len(done.stderr.splitlines()) == 1 and word in done.stderr, (arguments, done.stderr)
            assert not os.path.exists(folder + "/a.png")


def verdicts():
    """What a fit has shown that is not as expected: by size where the sign is the same."""
    for exponent, expect, word in ((-2, -1, "steeper"), (-0.5, -1, "flatter"), (0.5, 1, "flatter"), (2, -1, "of the other sign"), (-0.1, 1, "of the other sign"), (1, 0, "steeper")):
        fit = SimpleNamespace(exponent=exponent, expect=expect, inside=0, why="")
        assert fit_said(fit) == word + " than expected", (exponent, expect, fit_said(fit))


def scaling():
    """share/studies/scaling.py: times as the program tells them and no others; every run of a study in a new folder, since a study keeps points."""
    for words, seconds in (("about 3 min 20 s", 200), ("at most about 767 milliseconds", 0.767), ("search 1.88 seconds", 1.88), ("2.5 years", 78894000), ("1 hour", 3600)):
        assert abs(human.seconds(words) - seconds) < 1e-9 * seconds, words
    for words in ("no end of time", "3 fortnights", "3 min 20 pulses", ""):
        try:
            human.seconds(words)
            raise AssertionError("taken for a time: " + words)
        except ValueError as error:
            assert words in str(error)
    outs = []
    module = importlib.import_module("scaling")
    module.run = lambda command: outs.append(command[command.index("-o") + 1])
    module.study(2, True, 3)
    assert len(outs) == len(set(outs)) == 9, outs


def options():
    """Every program explains itself, and names its options with one dash, as bellformer does."""
    programs = sorted(name for name in os.listdir(PLOT) if name.endswith(".py"))
    assert programs
    for name in programs:
        with open(os.path.join(PLOT, name)) as source:
            text = source.read()
        assert not re.search(r"add_argument\(\s*[\"']--", text), name
        if text.startswith("#!"):
            done = forked(name, "-h")
            assert done.returncode == 0 and done.stdout.startswith("usage: ") and "--" not in re.sub(r"--+\n", "", done.stdout.replace("--help", "")), done


def interpreters():
    """An interpreter without modules: the program goes on in the system's; where that has none either, one line."""
    with tempfile.TemporaryDirectory(prefix="bf_plot_") as folder:
        path = evaluated(DRAWN["line, positions"], folder)[1]
        ok(subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder + "/bare"], capture_output=True, text=True))
        bare = folder + "/bare/bin/python3"
        assert subprocess.run([bare, "-c", "import h5py"], capture_output=True).returncode
        for name in sorted(name for name in os.listdir(PLOT) if name not in ("paths.py", "runfile.py", "studyfile.py", "style.py") and name.endswith(".py")):
            done = program(name, "-h", interpreter=bare)
            assert done.returncode == 0 and done.stdout.startswith("usage: "), (name, done.stderr)
        done = program("tokens.py", path, "-o", folder + "/a.png", interpreter=bare)
        assert done.returncode == 0 and os.path.getsize(folder + "/a.png") > 10000, done.stderr
        done = program("tokens.py", path, "-o", folder + "/b.png", interpreter=bare, env={**os.environ, "BELLFORMER_PYTHON_TRIED": "/elsewhere/python3"})
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr
        for word in ("tokens.py", bare, "/elsewhere/python3", "numpy, h5py, matplotlib", "apt-get install python3-numpy python3-h5py", "pip install"):
            assert word in done.stderr, (word, done.stderr)


tap([("tokens", tokens), ("flow", flows), ("heads", heads), ("certificates", certificates), ("value", values), ("loss", losses), ("studies", studies), ("coincident tokens", coincidence),
     ("wrong files", wrong_files), ("verdicts", verdicts), ("scaling", scaling), ("options", options), ("interpreters", interpreters)])
