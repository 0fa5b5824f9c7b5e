"""A certificate's tree that is streamed to checkpoints in small pieces (BF_LIMIT_TREE_BYTES): the same bits as one that is kept in memory,
on any ranks, after stops and kills, under bounds of either kind; no file that is of no use; what is damaged is named."""
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import h5py

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import runs  # noqa: E402
from harness import ALONE, LAUNCHED, Result, tap  # noqa: E402

XOR = os.path.join(os.environ["BELLFORMER_PROBLEMS"], "xor", "xor.yaml")
OPTIONS = ["-gap", "0.001", "-boxes", "100000", "-width", "7"]  # by a ladder of targets, of which each drops the stream of the one before


def certify(arguments, ranks, tight, wait=None):
    """Exit code and what was told; killed after `wait` seconds."""
    launcher = ["mpirun", "--quiet", "-n", str(ranks)] if ranks > 1 else []
    environment = {**(LAUNCHED if ranks > 1 else ALONE), **({"BF_LIMIT_TREE_BYTES": "40"} if tight else {})}
    process = subprocess.Popen([*launcher, runs.program(), "certify", *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if wait:
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
    said = process.communicate(timeout=300)
    return process.returncode, "".join(said)


def found(folder):
    path = os.path.join(folder, "found.h5")
    assert runs.alone(["flow", XOR, "-o", path, "-scheme", "layers", "-starts", "8"]).returncode == 0
    return ["-found", path]


def answer(out):
    r = Result(out)
    return {name: data.tobytes() for name, data in r.data.items() if name.startswith(("certificate/", "rollout/")) and not name.endswith("seconds")}, {
        k: v for k, v in r.attributes["certificate"].items() if k != "says"}


def lists(folder):
    """Of each generation the files that it refers to."""
    generations = {}
    for name in sorted(n for n in os.listdir(folder) if n.endswith(".h5")):
        with h5py.File(os.path.join(folder, name)) as f:
            text = bytes(f["checkpoint/arrays"][()]).rstrip(b"\0").decode()
            generations[name] = {line.split()[0]: "%04d.h5" % int(line.split()[1]) for line in text.splitlines()}
    return generations


def streams(folder):
    """How many arrays of a tree the newest generation refers to; and that no file stands that the two newest do not need."""
    generations = lists(folder)
    newest = sorted(generations)[-2:]
    needed = set(newest).union(*(generations[g].values() for g in newest))
    assert set(generations) == needed, (set(generations), needed)
    trees = {name.split("/")[1] for name in generations[newest[-1]] if name.startswith("tree/")}
    assert len(trees) <= 2, trees
    return sum(name.startswith("tree/") for name in generations[newest[-1]])


def on_ranks():
    with tempfile.TemporaryDirectory(prefix="bf_stream_") as f:
        given, out = found(f), os.path.join(f, "run.h5")
        assert certify([XOR, "-o", out, *given, *OPTIONS], 1, False)[0] == 0
        whole = answer(out)
        for ranks in (1, 2, 3):
            status, said = certify([XOR, "-o", out, "-overwrite", *given, *OPTIONS], ranks, True)
            assert status == 0 and answer(out) == whole, (ranks, said)
            assert sorted(os.listdir(f)) == ["found.h5", "run.h5"], os.listdir(f)


def stopped():
    draw = random.Random(7)
    with tempfile.TemporaryDirectory(prefix="bf_stream_") as f:
        given, out, most, stops, kills = found(f), os.path.join(f, "run.h5"), 0, 0, 0
        assert certify([XOR, "-o", out, *given, *OPTIONS], 1, False)[0] == 0
        whole = answer(out)
        os.remove(out)
        line = [XOR, "-o", out, *given, *OPTIONS, "-restart", "auto", "-checkpoint_interval", "0"]
        for start in range(200):
            if start % 6 == 5:
                certify(line, 1, True, draw.uniform(0.05, 0.25))
                kills += 1
            else:
                status, said = certify([*line, "-maxh", "1e-9"], 1 + start % 3, start % 5 != 4)
                assert status in (0, 75), said
                stops += status == 75
            if os.path.exists(out):
                break
            most = max(most, streams(out + ".checkpoint"))
        print("# %d stops, %d kills; at most %d arrays of trees" % (stops, kills, most))
        status, said = certify(line, 2, True)
        assert status == 0 and stops > 2 and most > 2, (status, said, stops, most)
        assert answer(out) == whole
        assert sorted(os.listdir(f)) == ["found.h5", "run.h5"], os.listdir(f)


def damaged():
    """One that only the newest generation refers to costs that generation; one of both the run."""
    with tempfile.TemporaryDirectory(prefix="bf_stream_") as f:
        given, out = found(f), os.path.join(f, "run.h5")
        assert certify([XOR, "-o", out, *given, *OPTIONS], 1, False)[0] == 0
        whole = answer(out)
        os.remove(out)
        line = [XOR, "-o", out, *given, *OPTIONS, "-restart", "auto", "-checkpoint_interval", "0"]
        for _ in range(40):
            assert certify([*line, "-maxh", "1e-9"], 1, True)[0] == 75
            generations = lists(out + ".checkpoint")
            new, old = (generations[g] for g in sorted(generations)[:-3:-1])
            both = sorted({n for n in new if n.startswith("tree/")} & set(old))
            only = sorted({n for n in new if n.startswith("tree/")} - set(old))
            if both and only:
                break
        shutil.copytree(out + ".checkpoint", os.path.join(f, "saved"))
        for name, status in ((only[-1], 0), (both[0], 2)):
            shutil.rmtree(out + ".checkpoint", ignore_errors=True)
            shutil.copytree(os.path.join(f, "saved"), out + ".checkpoint")
            with h5py.File(os.path.join(out + ".checkpoint", new[name]), "r+") as file:
                file["arrays/" + name][3] ^= 4
            got, said = certify(line, 1, True)
            assert got == status and new[name] + ": /arrays/" + name + " is damaged" in said, (got, said)
            if not status:
                assert answer(out) == whole
                os.remove(out)


tap([("on ranks", on_ranks), ("stops and kills", stopped), ("damage", damaged)])
