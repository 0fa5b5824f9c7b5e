"""The program as a user meets it: commands, the result file, eval, info, options, problems from elsewhere."""
import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, *where) for where in (("..", "solve"), ("..", "checkpoint"), ("..", "..", "share", "studies"))]
import oracle  # noqa: E402
from cases import CASES, READOUT, V2, population, sequences  # noqa: E402
from faults import Started, kill_all  # noqa: E402
from harness import BELLFORMER, Result, run, solve, tap  # noqa: E402
from human import seconds  # noqa: E402

PROBLEMS = os.environ["BELLFORMER_PROBLEMS"]


def ok(done):
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def folder():
    return tempfile.TemporaryDirectory(prefix="bf_command_")


def words():
    """help and versions, without mpirun."""
    assert "solve" in ok(run([])) and "eval" in ok(run(["help"]))
    for command in ("solve", "eval", "info"):
        assert ok(run(["help", command])).startswith("usage: ")
    assert re.match(r"bellformer \d+\.\d+\.\d+\n", ok(run(["--version"])))


def by_tags(p):
    """The rows of the table in the order of their tags."""
    rows = oracle.sampled(p)
    return sorted(range(len(rows)), key=lambda i: tuple(rows[i][:3]))


def check_model(p, result, tokens="rollout/tokens"):
    """/rollout/tokens are the data through the matrices of /model, by another implementation of the layer; a row a row of
    the table."""
    everyone, order = [oracle.unquantized(c) for c in oracle.contexts(p)], by_tags(p)
    assert result.data[tokens].shape == (p["horizon"] + 1, sum(len(z) for _, z in everyone), p["dim"])
    states = [z[None] for _, z in everyone]
    for t in range(p["horizon"] + 1):
        assert np.abs(np.concatenate([z[0] for z in states]) - result.data[tokens][t][order]).max() < 1e-12, t
        if t < p["horizon"]:
            u = result.data["rollout/controls"][t]
            for name, matrix in oracle.expand(p, u).items():
                stored = result.data["model/layer_%04d/%s" % (t, name)]
                assert np.abs(np.reshape(stored, matrix.shape) - matrix).max() < 1e-15, name
            states = [oracle.layer(p, z, c["positions"], c["masses"], u) for (c, _), z in zip(everyone, states)]
    contexts = [c for c, _ in everyone]
    loss = min(sum(oracle.terminal(p, c, z, r, contexts)[0] for c, z in zip(contexts, states)) for r in oracle.readouts(p))
    return float(loss)


def result_file():
    """Every dataset of the specification, with its shape and type, in both spaces."""
    for name in ("causal, encoded, two heads", "population, atoms given", "feed-forward, relu, sampled", "a sample of sequences",
                 "a sample of a population", "cells moved"):
        p = CASES[name]
        U, T, d = oracle.actions(p), p["horizon"], p["dim"]
        n, (K, q) = len(oracle.points(p)), U.shape
        everyone = oracle.contexts(p)
        M = int(np.prod([len(oracle.all_measures(p, c)) for c in everyone]))
        for space in ("full", "reachable"):
            r = solve(p, "-space", space)
            expected = {"actions/controls": ((K, q), "f8"), "rollout/actions": ((T,), "i4"), "rollout/controls": ((T, q), "f8"),
                        "rollout/tokens": ((T + 1, len(oracle.sampled(p)), d), "f8")}
            if space == "full":
                expected.update({"grid/points": ((n, d), "f8"), "value": ((T + 1, M), "f8"), "policy": ((T, M), "i4")})
            for key, (shape, kind) in expected.items():
                assert r.data[key].shape == shape and r.data[key].dtype == kind, (key, r.data[key].shape, r.data[key].dtype)
            if space == "full":
                assert np.abs(r.data["grid/points"] - oracle.points(p)).max() < 1e-15
                assert r.value == r.data["value"][0, r.attributes["rollout"]["initial"]]
            tags = [(s, position, label) for s, c in zip(sorted({row[0] for row in oracle.sampled(p)}), everyone)
                    for position, label in c["tags"]]
            assert list(r.data["tags/sequence"]) == [t[0] for t in tags]
            assert list(r.data["tags/position"]) == [t[1] for t in tags]
            assert (r.data["actions/controls"][r.data["rollout/actions"]] == r.data["rollout/controls"]).all()
            a = r.attributes["rollout"]
            loss = check_model(p, r)
            stage = sum(oracle.stage(p, u) for u in r.data["rollout/controls"])
            assert abs(a["loss"] - loss) < 1e-12 and abs(a["cost"] - loss - stage) < 1e-12, (a["loss"], loss)
            assert r.attributes["problem"]["yaml"] and r.attributes["provenance"]["ranks"] == 1


def accuracy():
    """The share of contexts, or of tokens, whose label has the largest logit."""
    for name in ("two contexts of two tokens", "population, atoms given"):
        p, r = CASES[name], solve(CASES[name])
        z = r.data["rollout/tokens"][-1]
        matrix, bias = oracle.readouts(p)[0]
        if p["terminal"] == "pooled_cross_entropy":
            z, labels = z.reshape(2, 2, 2).mean(1), [0, 1]
        else:
            labels = [row[2] for row in p["rows"]]
        share = np.mean((z @ matrix.T + bias).argmax(1) == labels)
        assert r.attributes["rollout"]["accuracy"] == share, (r.attributes["rollout"]["accuracy"], share)


def evaluation():
    """eval: training loss from the result file alone; a test table gives what the solve said; tokens out."""
    p = {**CASES["population, atoms given"]}
    test = population(9, seed=77)
    with folder() as f:
        path = oracle.write(p, f)
        oracle.write({**p, "rows": test}, f, "test")
        ok(run(["solve", path, "-data_test", f + "/test.csv", "-o", f + "/run.h5"]))
        os.rename(path, path + ".away")
        a = Result(f + "/run.h5").attributes["rollout"]
        r = Result(f + "/run.h5")
        said = ok(run(["eval", f + "/run.h5", "-o", f + "/train.h5"], ranks=2))
        assert "%.6g" % a["loss"] in said or "%.8g" % a["loss"] in said, said
        said = ok(run(["eval", f + "/run.h5", "-data", f + "/test.csv", "-o", f + "/eval.h5"]))
        assert "%.8g" % a["test_loss"] in said and "%.4g" % a["test_accuracy"] in said, (said, a)
        with h5py.File(f + "/eval.h5") as out:
            assert (out["tokens"][()] == r.data["rollout/test_tokens"]).all()
        loss = check_model({**p, "rows": test}, r, "rollout/test_tokens")
        assert abs(loss - a["test_loss"]) < 1e-12


def information():
    """info prints sizes and writes nothing."""
    with folder() as f:
        p = CASES["population, atoms given"]
        path = oracle.write(p, f)
        before = sorted(os.listdir(f))
        said = ok(run(["info", path]))
        assert sorted(os.listdir(f)) == before
        M = np.prod([len(oracle.all_measures(p, c)) for c in oracle.contexts(p)])
        for number in (14, 9, M, len(oracle.actions(p))):
            assert str(number) in said.replace(",", ""), (number, said)


def estimates():
    """info takes the options of solve and of flow, tells both spaces by layer, what would fit, and times; and leaves nothing behind."""
    moons, toy = os.path.join(PROBLEMS, "moons", "moons.yaml"), os.path.join(PROBLEMS, "asy26-toy", "asy26-toy.yaml")
    few = ["-action_count", "5"]
    with folder() as f:
        out = ["-o", f + "/run.h5", "-overwrite", "-maxh", "1", "-checkpoint_interval", "60", "-restart", "auto"]
        said = ok(run(["info", moons, *few, *out, "-quiet"], ranks=2))
        assert not os.listdir(f)
        for line in (r"takes the reachable space: less work by count", r"layer 1 +at most 5 measures: [0-9.]+ [kM]B while", r"result file +about 41\d MB",
                     r"full space: 9363600 measures, 140 M Q-values", r"memory a node +[0-9.]+ [MG]B, [0-9.]+ GB are free: fits \(tables and costs 272 MB",
                     r"time +about .*: terminal costs .*, tables .*, sweeps .*, writing", r"time +at most about .*: expansion .*, merging .*, costs"):
            assert re.search(line, said), (line, said)
        for name in ("xor", "iris"):  # the bound of a small file, most of it the problem, and of a larger one
            out, arguments = f + "/bound.h5", [os.path.join(PROBLEMS, name, name + ".yaml"), "-space", "reachable", "-action_kind", "sample", "-action_count", "12"]
            number, unit = re.search(r"result file +at most ([0-9.]+) ([kM])B", ok(run(["info", *arguments, "-o", out]))).groups()
            ok(run(["solve", *arguments, "-o", out, "-overwrite", "-quiet"]))
            assert float(number) * {"k": 1e3, "M": 1e6}[unit] >= os.path.getsize(out) >= float(number) * 1e2, (number, unit, os.path.getsize(out))
        for line, arguments in ((r"full space(.|\n)*does not fit(.|\n)*would fit +quantize.cells of 3 an axis; quantize.atoms of 3; ", [moons, "-space", "full", "-memory", "0.2", *few]),
                                (r"takes the full space: -stability needs it", [moons, "-stability", "1", *few]),
                                (r"may not fit\n +would fit surely +a horizon of \d; \d+ actions; \d+ nodes like this", [toy, "-horizon", "4", "-memory", "1"]),
                                (r"the full one would need 45.1 TB a node", [os.path.join(PROBLEMS, "xor", "xor.yaml"), "-quantize_cells", "6,6"]),
                                (r"scheme euler, 2 steps a layer; 3 starts of at most 7 iterations", [toy, "-scheme", "euler", "-steps", "2", "-starts", "3", "-tao_max_it", "7"]),
                                (r"an evaluation +about .* with its gradient, .* without\n", [toy, "-command", "flow"]),
                                (r"scheme layers, 1 step a layer(.|\n)*search [0-9.]+ .*, Pontryagin's condition [0-9.]+ ", [toy, "-command", "flow", "-scheme", "layers"])):
            said = ok(run(["info", *arguments]))
            assert re.search(line, said), (line, said)
        assert "full space" not in ok(run(["info", moons, *few, "-space", "reachable"]))
        for arguments, word in ((["-command", "solve", "-scheme", "euler"], "-scheme"), (["-command", "flow", "-space", "full"], "-space"),
                                (["-scheme", "euler", "-stability", "1"], "-scheme"), (["-space", "all"], "-space"), (["-tao_max_at", "1"], "tao_max_at"),
                                (["-scheme", "layers", "-flow_profile", "1,2"], "flow.profile must be constant"), (["-scheme", "rk4", "-tolerance", "1e-3"], "-tolerance")):
            refused = run(["info", toy, *arguments])
            assert refused.returncode == 2 and word in refused.stderr and len(refused.stderr.splitlines()) == 1, (arguments, refused.stderr)


def predictions():
    """info predicts for other ranks than its own, and says so; memory and time follow the ranks of a node and the network between nodes."""
    xor = os.path.join(PROBLEMS, "xor", "xor.yaml")
    full = ["info", xor, "-space", "full", "-quantize_cells", "2,2"]

    def told(*arguments, number):
        said = ok(run([*full, *arguments]))
        assert re.search(r"prediction for solve on \d+ ranks of \d+ nodes?, from rates on 1 rank here(.|\n)*\n  predicted time ", said), said
        return re.search(number, said).group(1)

    def size(text):
        value, unit = text.split()
        return float(value) * {"kB": 1e3, "MB": 1e6, "GB": 1e9}[unit]

    said = ok(run([*full, "-ranks", 1, "-ranks_per_node", 1]))
    assert "predict" not in said and "solve on 1 rank of 1 node:" in said, said
    assert "on 10000 ranks of 157 nodes" in ok(run([*full, "-ranks", 10000, "-ranks_per_node", 64]))
    program = [size(told("-ranks", 128, "-ranks_per_node", r, number=r"the program ([0-9.]+ \wB)")) for r in (1, 64)]
    assert 60 < program[1] / program[0] < 68, program
    reduction = [seconds(told("-ranks", 4, "-ranks_per_node", 1, "-latency", 1e-6, "-bandwidth", b, number=r"reduction ([^,\n]*)")) for b in (1e6, 1e7)]
    assert reduction[0] > 5 * reduction[1] > 0, reduction
    toy = ["info", os.path.join(PROBLEMS, "asy26-toy", "asy26-toy.yaml"), "-starts", 8, "-ranks", 8, "-ranks_per_node", 4]
    assert "8 groups of 1 rank try a start each" in ok(run(toy)) and "2 groups of 4 ranks" in ok(run([*toy, "-start_ranks", 4]))
    memory = [size(re.search(r"memory a node +at most ([0-9.]+ \wB)", ok(run([*toy[:2], "-command", "flow", "-starts", 1000000, *toy[4:], *best])))[1])
              for best in ([], ["-best", 10])]
    assert abs((memory[1] - memory[0]) / (4 * 2 * 8 * 44e6) - 1) < 0.03, memory  # on each of four ranks, twice: 40 numbers and 4 more of a start
    for arguments in (["-ranks", 2], ["-ranks_per_node", 2], ["-ranks", 0, "-ranks_per_node", 2]):
        refused = run([*full, *arguments])
        assert refused.returncode == 2 and "-ranks" in refused.stderr and len(refused.stderr.splitlines()) == 1, refused


def said_until(enough, arguments, out, end, **environment):
    """What a program writes to `end` of a pipe or terminal until it is enough; then it is stopped."""
    said = b""
    with Started(arguments, 1, stdout=end, stderr=subprocess.DEVNULL, env={**os.environ, **environment}) as process:
        os.close(end)
        while not enough(said):
            try:
                more = os.read(out, 65536)
            except OSError:  # of a terminal that nobody writes to any more
                break
            if not more:
                break
            said += more
        kill_all(process)
    os.close(out)
    return said


def progress():
    """A phase that lasts tells what part of the whole run is done: lines in a file; one line that is refreshed where mpirun's own output
    is a terminal, of its width."""
    arguments = ["solve", os.path.join(PROBLEMS, "iris", "iris-full.yaml"), "-space", "full", "-action_count", "16", "-quantize_atoms", "1", "-quantize_cells", "12,11"]
    said = said_until(lambda said: b"% of the run done" in said and said.endswith(b"\n"), arguments, *os.pipe()).decode()
    lines = [line for line in said.splitlines() if "% of the run done" in line]
    assert lines and "\r" not in said and "\033" not in said, said
    assert re.match(r"(terminal costs|transition tables|layer 0): [0-9.]+ % of the run done, (at most )?.* left", lines[0]), lines
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 50, 0, 0))
    said = said_until(lambda said: said.count(b" % of the run") > 2 and b"\033[Kfull space: M" in said, arguments, terminal, end, TERM="xterm")
    shown = [line.split(b"\033")[0] for line in said.split(b"\r") if b" % of the run" in line]
    assert len(shown) >= 2 and all(len(line) <= 49 for line in shown), said
    assert b"transition t" in said and b"\033[Kfull space: M" in said, said


def overwriting():
    with folder() as f:
        path = oracle.write(CASES["two contexts of two tokens"], f)
        ok(run(["solve", path, "-o", f + "/run.h5"]))
        with open(f + "/run.h5", "rb") as file:
            before = file.read()
        refused = run(["solve", path, "-o", f + "/run.h5"])
        assert refused.returncode == 2 and len(refused.stderr.splitlines()) == 1 and "-overwrite" in refused.stderr, refused.stderr
        with open(f + "/run.h5", "rb") as file:
            assert file.read() == before
        assert ok(run(["solve", path, "-o", f + "/run.h5", "-overwrite", "-quiet"])) == ""
        assert not [name for name in os.listdir(f) if name.endswith(".part")]


def overrides():
    """A key on the command line is the same as in the file, and is recorded."""
    p = CASES["two contexts of two tokens"]
    one = solve(p, "-space", "full", "-quantize_cells", "4,5", "-cost_weight_decay", "0.125", "-control_V_levels", "2")
    control = {**p["control"], "V": {**p["control"]["V"], "levels": 2}}
    other = solve({**p, "cells": [4, 5], "weight_decay": 0.125, "control": control}, "-space", "full")
    assert one.value == other.value and (one.data["value"] == other.data["value"]).all()
    assert "quantize_cells" in bytes(one.data["problem/overrides"]).decode()


def sources():
    """Options of files and of the environment are read as those of the line, which count; a wrong one is named there too."""
    p = CASES["two contexts of two tokens"]
    with folder() as f:
        path, out = oracle.write(p, f), f + "/run.h5"
        with open(f + "/options", "w") as file:
            file.write("# of all runs\n-horizon 1\n-quantize_cells 4,5\n-space full\n")
        with open(f + "/.petscrc", "w") as file:
            file.write("-cost_weight_decay 0.125\n")
        for ranks in (0, 2):
            environment = {**os.environ, "PETSC_OPTIONS": "-quiet -overwrite"}
            done = run(["solve", path, "-options_file", f + "/options", "-quantize_cells", "3,3", "-o", out, "-options_left"], ranks, cwd=f, env=environment)
            assert ok(done) == "" and not done.stderr, done
            told = bytes(Result(out).data["problem/overrides"]).decode().rstrip("\0").split()
            assert sorted(told) == ["cost_weight_decay=0.125", "horizon=1", "quantize_cells=3,3"], told
            done = run(["solve", path, "-options_file", f + "/options"], ranks, cwd=f, env={**os.environ, "PETSC_OPTIONS": "-spac full"})
            assert done.returncode == 2 and done.stderr == "bellformer: unknown option -spac, did you mean -space?\n", done


def tables_in_hdf5():
    p = CASES["two contexts of two tokens"]
    with folder() as f:
        path = oracle.write(p, f)
        with h5py.File(f + "/problem.h5", "w") as out:
            for i, name in enumerate(("sequence", "position", "label")):
                out[name] = np.array([row[i] for row in p["rows"]])
            for a in range(2):
                out["z%d" % a] = np.array([row[3][a] for row in p["rows"]])
        ok(run(["solve", path, "-o", f + "/csv.h5", "-space", "full"]))
        ok(run(["solve", path, "-data_file", f + "/problem.h5", "-o", f + "/hdf5.h5", "-space", "full"]))
        assert (Result(f + "/csv.h5").data["value"] == Result(f + "/hdf5.h5").data["value"]).all()


def from_elsewhere():
    """Paths in a problem are relative to it, those of options to where the user is."""
    with folder() as f:
        oracle.write(CASES["two contexts of two tokens"], f)
        os.mkdir(f + "/elsewhere")
        ok(run(["solve", "../problem.yaml", "-o", "run.h5"], cwd=f + "/elsewhere"))
        assert os.path.exists(f + "/elsewhere/run.h5")


def spaces():
    """Without -space the one of less counted work, the same on any number of ranks and with any memory, with its reason; the full
    one where an option asks for it; and each its way where it does not fit."""
    toy, moons = os.path.join(PROBLEMS, "asy26-toy", "asy26-toy.yaml"), os.path.join(PROBLEMS, "moons", "moons.yaml")
    few = ["-action_count", "3", "-horizon", "2"]
    with folder() as f:
        small = oracle.write(CASES["two contexts of two tokens"], f)
        for arguments, space, reason in (([toy, *few], "reachable", "tokens are not quantized"), ([moons, *few], "reachable", "less work"),
                                         ([moons, *few, "-memory", "1000"], "reachable", "less work"),
                                         ([small, "-horizon", "6"], "full", "less work"), ([small, "-horizon", "1"], "reachable", "less work"),
                                         ([small, "-horizon", "1", "-stability", "1"], "full", "-stability"),
                                         ([small, "-horizon", "1", "-store_value", "1"], "full", "-store_value")):
            for ranks in (0, 3):
                said = [line for line in ok(run(["solve", *arguments], ranks=ranks)).splitlines() if " space: " in line]
                assert said[0].startswith(space + " space: ") and reason in said[0], (arguments, said)
        assert "less work" not in ok(run(["solve", small, "-space", "reachable"])), "a space that was asked for needs no reason"
        for options, memory, words in ((["-tables", "stored"], 0.5, "space has 9363600 measures and needs 2.82 GB a node"),
                                       ([], 0.1, "space, chosen by counted work, has 9363600 measures and needs 496 MB a node")):
            refused = run(["solve", moons, "-horizon", "9", "-memory", memory, *options])
            assert refused.returncode == 2 and words in refused.stderr and "-space reachable" in refused.stderr, refused.stderr


def outgrown_memory():
    """A reachable solve beyond the memory that it may take stops with a checkpoint, its sizes by layer and what to change; on the same
    memory it comes no further and fails; on more it goes on to the same bits. Without a result file it fails."""
    toy = os.path.join(PROBLEMS, "asy26-toy", "asy26-toy.yaml")
    with folder() as f:
        out, options = f + "/run.h5", ["-space", "reachable", "-horizon", "3", "-action_count", "120"]
        for memory, ranks, code in ((0.15, 2, 75), (0.15, 2, 1), (4, 3, 0)):
            first = not os.path.exists(out + ".checkpoint")
            done = run(["solve", *([toy, "-o", out, *options] if first else ["-restart", out]), "-memory", memory], ranks=ranks)
            assert done.returncode == code, (memory, done.stderr)
            line = [line for line in done.stderr.splitlines() if line.startswith("bellformer: ")]
            if code:
                assert len(line) == 1, done.stderr
                for word in ("layers 0 to 1 have 1, 120 measures", "more a node", "free", "-restart " + out, "fewer actions"):
                    assert word in line[0], (word, line)
                assert os.path.exists(out + ".checkpoint") and not os.path.exists(out)
        ok(run(["solve", toy, "-o", f + "/once.h5", *options]))
        one, other = Result(out), Result(f + "/once.h5")
        for key in other.data:
            if not key.startswith(("provenance", "options")):
                assert np.array_equal(one.data[key], other.data[key]), key
        done = run(["solve", toy, *options, "-memory", "0.15"], ranks=2)
        assert done.returncode == 1 and "outgrows memory" in done.stderr and "-restart" not in done.stderr, done.stderr


def leaving_out():
    p = CASES["two contexts of two tokens"]
    result = solve(p, "-store_value", "0", "-store_policy", "0")
    assert "value" not in result.data and "policy" not in result.data
    assert result.actions == solve(p).actions


def damaged():
    """A damaged result is refused by name."""
    with folder() as f:
        path = oracle.write(CASES["two contexts of two tokens"], f)
        ok(run(["solve", path, "-o", f + "/run.h5"]))
        with h5py.File(f + "/run.h5") as file:
            offset = file["rollout/controls"].id.get_chunk_info(0).byte_offset
        with open(f + "/run.h5", "rb") as file:
            whole = file.read()
        flipped = bytearray(whole)
        flipped[offset] ^= 1
        for name, bytes_, word in (("flipped.h5", bytes(flipped), "/rollout/controls"), ("short.h5", whole[:len(whole) // 2], "short.h5"),
                                   ("empty.h5", b"", "empty.h5"), ("text.h5", b"hello", "text.h5")):
            with open(os.path.join(f, name), "wb") as out:
                out.write(bytes_)
            for ranks in (0, 2):
                refused = run(["eval", os.path.join(f, name)], ranks=ranks)
                assert refused.returncode == 2 and len(refused.stderr.splitlines()) == 1, refused
                assert word in refused.stderr and name in refused.stderr, refused.stderr


def shipped():
    """Shipped problems give what their files say is expected (the large ones run in the demo)."""
    for name, options, value, actions in (
            ("asy26-toy/asy26-toy.yaml", ["-action_count", "30"], 0.006783063596, [21, 7]),
            ("induction/induction.yaml", [], 0.1185425139, [188, 835]),
            ("xor/xor.yaml", ["-space", "reachable"], 0.02214992792, [388, 340]),
            ("moons/moons.yaml", ["-space", "reachable"], 0.02188106236, [53, 3, 57]),
            ("iris/iris-full.yaml", ["-space", "reachable"], None, None)):
        text = open(os.path.join(PROBLEMS, name)).read()
        result = solve(os.path.join(PROBLEMS, name), *options)
        if value is None:
            value = float(re.search(r"V_0\(mu_0\)\s+([0-9.]+)", text).group(1))
            actions = [int(k) for k in re.search(r"actions? ([0-9, ]+)", text).group(1).replace(",", " ").split()]
        assert "%.10g" % value in text, (name, value)
        assert abs(result.value - value) < 1e-9 * value, (name, result.value, value)
        assert result.actions[:len(actions)] == actions, (name, result.actions, actions)


def stages():
    """-log_view: a stage of PETSc's for each phase that the run tells, of about as many seconds."""
    with tempfile.TemporaryDirectory() as f:
        for command, phases in ((["solve", "-space", "full"], {"read", "costs", "tables", "sweep", "rollout", "write"}), (["flow", "-starts", 2], {"read", "flow", "rollout", "write"})):
            log = os.path.join(f, command[0] + ".txt")
            done = run([command[0], oracle.write(CASES["two contexts of two tokens"], f), "-o", os.path.join(f, command[0] + ".h5"), *command[1:], "-log_view", ":" + log], 2)
            assert done.returncode == 0, done
            told = {name: float(mean) for name, mean in re.findall(r"^  (\w+) +[0-9.]+ +([0-9.]+) +[0-9.]+$", done.stdout, re.M)}
            there = {name: float(mean) for name, mean in re.findall(r"^ *[0-9]+: +(\w+): (\S+) ", open(log).read(), re.M)}
            assert phases <= set(told) <= set(there), (told, there)
            assert all(abs(there[name] - told[name]) < 0.01 + 0.1 * told[name] for name in told), (told, there)


# Under sanitizers not what is large: it leads through the code of the small ones.
QUICK = [("words", words), ("result file", result_file), ("accuracy", accuracy), ("eval", evaluation), ("info", information),
         ("overwriting", overwriting), ("overrides", overrides), ("options from elsewhere", sources), ("HDF5 tables", tables_in_hdf5), ("from elsewhere", from_elsewhere),
         ("leaving out", leaving_out), ("damaged results", damaged), ("stages", stages)]
LARGE = [("estimates", estimates), ("predictions", predictions), ("progress", progress), ("the space", spaces), ("outgrown memory", outgrown_memory), ("shipped problems", shipped)]
tap(QUICK if "quick" in sys.argv else QUICK + LARGE)
