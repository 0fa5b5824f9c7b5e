"""The Huber cost and the cubic term of share/examples/plugin, built against an installation: solve, flow, eval and restarts on two ranks against the formula,
enumeration and central differences; what results tell of plug-ins; every refusal."""
import os
import re
import shutil
import sys
import tempfile

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "solve"), os.path.join(HERE, "..", "flow")]
import layers  # noqa: E402
import oracle  # noqa: E402
from harness import tap  # noqa: E402
from installed import EXAMPLES, Installed  # noqa: E402

DELTA = 1.1
rng = np.random.default_rng(7)
PROBLEM = oracle.problem(rows=[(s, p, tuple(rng.uniform(-1, 1, 2)), rng.uniform(-1, 1, 2)) for s in range(3) for p in range(3)], targets=True,
                         control={"A": {"form": "full", "range": [-2, 2]}, "V": {"form": "full", "range": [-1, 1]}}, cells=0, weight_decay=0.01,
                         action={"kind": "sample", "count": 7, "seed": 3}, terminal="huber")


def huber(p, c, z, readout, everyone):
    """mean over tokens of r^2 / 2 for r <= delta, delta (r - delta / 2) beyond."""
    y = np.array([t for (_, t), a, b in zip(c["tags"], c["first"], c["first"][1:]) for _ in range(b - a)])
    r = np.sqrt(((z - y) ** 2).sum(-1))
    far.append(r > DELTA)
    rho = np.where(r <= DELTA, r**2 / 2, DELTA * (r - DELTA / 2))
    return (rho * c["masses"]).sum(1) / sum(x["masses"].sum() for x in everyone)


far = []
oracle.terminal = huber


class Place:
    """A folder with the installation, the plug-in, and the problem."""

    def __enter__(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="bf_plugin_")
        self.home = Installed(self.temporary.name)
        self.huber = self.home.plugin(os.path.join(EXAMPLES, "plugin", "huber.c"), "huber.so")
        self.problem = oracle.write(PROBLEM, self.home.folder)
        return self

    def __exit__(self, *_):
        self.temporary.cleanup()

    def path(self, name):
        return os.path.join(self.home.folder, name)

    def run(self, *words, ranks=2, plugin="./huber.so", **environment):
        options = ["-plugin", plugin] if plugin else []
        return self.home.run([*words, *options], ranks, **environment)

    def train(self, command, out, *words, **more):
        done = self.run(command, self.problem, "-o", out, "-cost_delta", DELTA, *words, **more)
        assert done.returncode == 0, done.stderr
        return self.path(out)

    def refuses(self, words, said, ranks=2, **more):
        done = self.run(*words, ranks=ranks, **more)
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and said in done.stderr, (said, done.returncode, done.stderr)

    def source(self, name, text):
        with open(self.path(name + ".c"), "w") as f:
            f.write("#include <bellformer/bellformer.h>\n" + text)
        return self.home.plugin(self.path(name + ".c"), name + ".so")


def value(path, *names):
    with h5py.File(path) as f:
        return [float(f["rollout"].attrs[name]) for name in names]


def solve():
    """The least over all lists of controls, and its list; both branches of rho count."""
    place.train("solve", "run.h5")
    least, actions = oracle.enumerate_lists(PROBLEM, exact=True)
    cost, quantized = value(place.path("run.h5"), "cost", "quantized_cost")
    with h5py.File(place.path("run.h5")) as f:
        assert list(f["rollout/actions"]) == actions, (list(f["rollout/actions"]), actions)
        assert f["cost"].attrs["delta"] == DELTA and f["cost"].attrs["terminal"] in ("huber", b"huber")
        plugin = f["problem/plugins/0000"].attrs
        assert plugin["name"] in ("huber.so", b"huber.so"), plugin["name"]
        told = plugin["hash"] if isinstance(plugin["hash"], str) else plugin["hash"].decode()
    assert abs(cost - least) < 1e-12 and abs(quantized - least) < 1e-12, (cost, quantized, least)
    part = np.mean(np.concatenate([x.ravel() for x in far]))
    assert 0.05 < part < 0.95, part
    with open(place.huber, "rb") as f:
        sum = 0xcbf29ce484222325
        for byte in f.read():
            sum = (sum ^ byte) * 0x100000001b3 % 2**64
    assert told == "%016x" % sum, (told, sum)


def flow():
    """J and dJ/du at the answer, by central differences of the formula; never above its start."""
    place.train("flow", "flow.h5", "-init", place.path("run.h5"), "-tao_max_it", 3)
    with h5py.File(place.path("flow.h5")) as f:
        control, J = f["rollout/controls"][()], float(f["flow"].attrs["cost"] if "cost" in f["flow"].attrs else f["rollout"].attrs["cost"])
        gradient = f["flow/gradient"][()] if "gradient" in f["flow"] else None
    assert abs(J - layers.cost(PROBLEM, control)) < 1e-12, (J, layers.cost(PROBLEM, control))
    assert J < value(place.path("run.h5"), "cost")[0]
    assert gradient is not None
    wanted = layers.gradient(PROBLEM, control)
    assert np.abs(gradient - wanted).max() < 1e-8 * max(1, np.abs(wanted).max()), np.abs(gradient - wanted).max()


def evaluation():
    """By its file and the plug-in alone, however that is named; not without, and not with another."""
    loss = "loss %.10g" % value(place.path("run.h5"), "loss")[0]
    shutil.copy(place.huber, place.path("other-name.so"))
    for more in ({}, {"plugin": "huber.so"}, {"plugin": "./other-name.so,huber.so"}, {"plugin": None, "BELLFORMER_PLUGINS": place.huber}):
        done = place.run("eval", "run.h5", **more)
        assert done.returncode == 0 and loss in done.stdout, (more, done.stderr, done.stdout)
    place.refuses(["eval", "run.h5"], "run.h5: needs the plug-in huber.so", plugin=None)
    os.mkdir(place.path("elsewhere"))
    with open(place.huber, "rb") as f, open(place.path("elsewhere/huber.so"), "wb") as out:
        out.write(f.read() + b"\n")
    place.refuses(["eval", "run.h5"], "run.h5: needs another plug-in huber.so than is loaded", plugin="elsewhere/huber.so")


def studies():
    """What a study keeps was computed by these very plug-ins."""
    words = ["study", place.problem, "-vary", "cost_delta 0.2 0.4", "-space", "reachable", "-measure", "cost", "-o", place.path("s.h5")]
    done = place.run(*words)
    assert done.returncode == 0, done.stderr
    assert "all 2 points were run before" in place.run(*words).stdout
    place.refuses(words, "holds 2 points that the study no longer has", plugin="elsewhere/huber.so")


def restarts():
    """Stopped at the first layer's end, and gone on with: the same bits; without the plug-in, or with another, not."""
    for command, options in (("solve", []), ("flow", ["-init", "sample", "-tao_max_it", 4])):
        whole = place.train(command, command + "-whole.h5", *options)
        done = place.run(command, place.problem, "-o", command + "-part.h5", "-cost_delta", DELTA, *options, "-maxh", 1e-9, "-checkpoint_interval", 0)
        out = place.path(command + "-part.h5")
        assert done.returncode == 75 and "bellformer %s -plugin ./huber.so -restart %s-part.h5" % (command, command) in done.stderr, done.stderr
        place.refuses([command, "-restart", out], "needs the plug-in huber.so", plugin=None)
        place.refuses([command, "-restart", out], "needs another plug-in huber.so", plugin="elsewhere/huber.so")
        done = place.run(command, "-restart", out, ranks=3)
        assert done.returncode == 0, done.stderr
        with h5py.File(whole) as a, h5py.File(out) as b:
            for name in ("rollout/controls", "rollout/tokens"):
                assert (a[name][()] == b[name][()]).all(), name
            assert a["rollout"].attrs["cost"] == b["rollout"].attrs["cost"]


KAPPA, PLAIN = 0.7, oracle.layer


def with_wall(p, z, positions, masses, u):
    """P(r z + eps (v - kappa G z^3)), G the last numbers of u; v by the oracle, which knows nothing of G."""
    y = PLAIN({**p, "projection": "none"}, z, positions, masses, u[..., :-p["dim"]]) - p["step"] * KAPPA * u[..., None, -p["dim"]:] * z**3
    return np.clip(y, p["lower"], p["upper"])


def term():
    """The wall of share/examples/plugin/cubic.c beside the Huber cost: both spaces against enumeration, dJ/du against differences."""
    place.home.plugin(os.path.join(EXAMPLES, "plugin", "cubic.c"), "cubic.so")
    both = {"plugin": "./huber.so,./cubic.so"}
    wall = ["-layer_cubic", KAPPA, "-control_G_range", "0.2,0.9", "-cost_delta", DELTA, "-action_count", 5]
    for name, options, exact in (("exact", [], True), ("cells", ["-quantize_cells", "2,2", "-space", "full"], False)):
        done = place.run("solve", place.problem, "-o", name + ".h5", *wall, *options, **both)
        assert done.returncode == 0, done.stderr
        with h5py.File(place.path(name + ".h5")) as f:
            U, chosen, group = f["actions/controls"][()], list(f["rollout/actions"]), dict(f["layer"].attrs)
            assert sorted(f["problem/plugins"]) == ["0000", "0001"] and group["cubic"] == KAPPA
            assert f["control/G"].attrs["free"] == 2 and f["model/layer_0001/G"][()].ravel().tolist() == f["rollout/controls"][1, -2:].tolist()
        oracle.actions, oracle.layer = lambda p: U, with_wall
        least, actions = oracle.enumerate_lists({**PROBLEM, "cells": [2, 2]}, exact)
        assert chosen == actions and abs(value(place.path(name + ".h5"), "quantized_cost")[0] - least) < 1e-12, (name, chosen, actions, least)
    place.refuses(["eval", "exact.h5"], "needs the plug-in cubic.so", plugin="./huber.so")
    done = place.run("flow", place.problem, "-o", "wall.h5", "-init", "exact.h5", "-tao_max_it", 2, *wall, **both)
    assert done.returncode == 0, done.stderr
    with h5py.File(place.path("wall.h5")) as f:
        control, gradient, J = f["rollout/controls"][()], f["flow/gradient"][()], float(f["flow"].attrs["cost"])
    assert abs(J - layers.cost(PROBLEM, control)) < 1e-12, (J, layers.cost(PROBLEM, control))
    wanted = layers.gradient(PROBLEM, control)
    assert np.abs(wanted[:, -2:]).max() > 1e-4 and np.abs(gradient - wanted).max() < 1e-8, np.abs(gradient - wanted).max()
    for scheme in ("rk4", "layers"):
        done = place.run("flow", place.problem, "-init", "exact.h5", "-scheme", scheme, "-test_gradient", *wall, **both)
        assert float(re.search(r"gradient test: largest difference (\S+)", done.stdout).group(1)) < 1e-7, done.stdout + done.stderr
    place.refuses(["solve", place.problem, "-control_G_range", "0,1"], "-control_G_range is not used where layer.cubic is 0", ranks=0, **both)
    place.refuses(["solve", place.problem, "-layer_cubic", "-1"], "-layer_cubic must be at least 0, got -1", ranks=0, **both)


def keys():
    """Those of the kind are checked as ours are."""
    words = ["solve", place.problem]
    place.refuses([*words, "-cost_delta", 0], "-cost_delta must be greater than 0, got 0")
    place.refuses([*words, "-cost_delta", "x"], "-cost_delta is not a number: 'x'")
    place.refuses([*words, "-cost_delta", 1, "-cost_terminal", "squared_error"], "-cost_delta is not used where cost.terminal is squared_error")
    place.refuses([*words, "-cost_delat", 1], "-cost_delat", ranks=0)
    place.refuses(words, "must be one of", plugin=None)


def overwriting():
    """A plug-in is read, and nothing that is read is written, by whatever name."""
    with open(place.huber, "rb") as f:
        bytes_of = f.read()
    os.symlink("huber.so", place.path("link.h5"))
    for words in (["solve", place.problem, "-cost_delta", DELTA, "-o", "huber.so"], ["flow", place.problem, "-cost_delta", DELTA, "-o", "link.h5"],
                  ["eval", "run.h5", "-o", "link.h5"]):
        place.refuses([*words, "-overwrite"], "would overwrite")
    with open(place.huber, "rb") as f:
        assert f.read() == bytes_of


def refusals():
    """What is no plug-in, in one line, on all ranks alike."""
    words, kind = ["eval", "run.h5"], "static const BfCostKind kind = {.base = {.name = \"%s\"}, .version = %s, .evaluate = 0};\n"
    place.source("old", "const int bf_plugin_version = 0;\nBfStatus bf_plugin_register(BfError *error) { (void)error; return BF_OK; }\n")
    place.source("half", "const int bf_plugin_version = BF_KIND_VERSION;\n")
    place.source("taken", kind % ("squared_error", "BF_KIND_VERSION") + "BF_PLUGIN(error) { return bf_cost_register(&kind, error); }\n")
    place.source("kind", kind % ("fresh", "0") + "BF_PLUGIN(error) { return bf_cost_register(&kind, error); }\n")
    place.source("mute", "BF_PLUGIN(error) { (void)error; return BF_FAILURE; }\n")
    place.source("lost", "extern int nowhere_at_all(void);\nBF_PLUGIN(error) { (void)error; return nowhere_at_all() ? BF_OK : BF_FAILURE; }\n")
    for plugin, said in (("old.so", "old.so is of interface version 0, this program has 7"), ("half.so", "half.so is no plug-in of bellformer"),
                         ("taken.so", "plug-in ./taken.so: there is a cost.terminal squared_error already"),
                         ("kind.so", "plug-in ./kind.so: cost.terminal fresh is of interface version 0"),
                         ("lost.so", "cannot load the plug-in ./lost.so: undefined symbol: nowhere_at_all"), ("mute.so", "mute.so: it did not say why"),
                         ("none.so", "cannot read the plug-in ./none.so: No such file"), ("run.h5", "cannot load the plug-in ./run.h5"),
                         ("elsewhere", "not a file"), ("huber.so,none.so", "none.so")):
        place.refuses(words, said, plugin=plugin, ranks=2 if plugin in ("old.so", "taken.so", "none.so") else 0)
    place.refuses([*words, "-plugin", "./huber.so"], "option -plugin is given twice; join its files by commas: -plugin ./huber.so,./cubic.so",
                  plugin="./cubic.so", ranks=0)


def layout():
    """The structs that plug-ins are compiled against are those of this version: whoever changes one raises BF_KIND_VERSION, and writes it here."""
    sizes = {"BfContext": 88, "BfCost": 128, "BfCostKind": 176, "BfTermKind": 136, "BfTermCall": 56, "BfKeyReader": 136}
    asserts = [("BF_KIND_VERSION", 7)] + [(f"sizeof({name})", size) for name, size in sizes.items()] + [("offsetof(BfCost, own)", 16)]
    place.source("layout", "#include <stddef.h>\n" + "".join(f'_Static_assert({what} == {is_it}, "another layout");\n' for what, is_it in asserts) +
                 "BF_PLUGIN(error) { (void)error; return BF_OK; }\n")


with Place() as place:
    tap([(check.__name__, check) for check in (solve, flow, evaluation, studies, restarts, keys, overwriting, refusals, layout, term)])
