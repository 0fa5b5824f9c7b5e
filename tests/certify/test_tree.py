"""The tree is a matter of problem and target alone: not of ranks, pieces, stops and kills."""
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

from certify_cases import CASES, FULL_A, FULL_V, READOUT, XOR, certify, problem, ranges, walk
import oracle
from cases import population
from harness import BELLFORMER, Result, run, tap

OPTIONS = ["-gap", 0.05]


def found(folder):
    path = os.path.join(folder, "found.h5")
    done = run(["flow", XOR, "-o", path, "-scheme", "layers", "-starts", 8])
    assert done.returncode == 0, done
    return ["-found", path]


def answer(result):
    """All that does not depend on time."""
    history = {name: data.tobytes() for name, data in result.data.items() if name.startswith("certificate/") and not name.endswith("seconds")}
    return history, {k: v if k == "says" else float(v) for k, v in result.attributes["certificate"].items()}, result.data["rollout/controls"].tobytes()


def on_ranks():
    with tempfile.TemporaryDirectory(prefix="bf_certify_") as folder:
        given = found(folder)
        for more in ([], ["-boxes", 5000]):
            whole = certify(XOR, *OPTIONS, *given, *more)
            assert len(whole.data["certificate/tree"]) > 1000
            for ranks in (2, 3):
                assert answer(whole) == answer(certify(XOR, *OPTIONS, *given, *more, ranks=ranks)), (ranks, more)


def budget():
    """Every budget gives a bound and a tree that covers the box; more boxes never a worse one."""
    p, last = CASES["squared error, two sequences"], -float("inf")
    for boxes in (1, 10, 100, 1000, 10000):
        r = certify(p, "-gap", 0.001, "-boxes", boxes)
        leaves, cut, _, _ = walk(r, *ranges(p))
        c = r.certificate
        assert abs(leaves + cut - 1) < 1e-9 and last <= c["lower"] <= c["found"], (boxes, c, last)
        last = c["lower"]
    assert c["gap"] < 0.1, c


def stopped():
    """-maxh, again and again, on 1, 2, 3 ranks, then kill -9."""
    draw = random.Random(5)
    with tempfile.TemporaryDirectory(prefix="bf_certify_") as folder:
        given, out, stops = found(folder), os.path.join(folder, "run.h5"), 0
        whole = answer(certify(XOR, *OPTIONS, *given))
        line = ["certify", XOR, *OPTIONS, *given, "-o", out, "-restart", "auto", "-checkpoint_interval", 0]
        for ranks in (1, 2, 3, 1):
            arguments = line if ranks != 3 else ["certify", "-restart", out, "-checkpoint_interval", 0]
            done = run([*arguments, "-maxh", 1e-9], ranks)
            assert done.returncode in (0, 75), done
            stops += done.returncode == 75
            assert done.returncode == 0 or "go on with: bellformer certify -restart" in done.stderr, done
        assert stops >= 2, stops
        for _ in range(4):
            process = subprocess.Popen([str(x) for x in [BELLFORMER, *line]], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            time.sleep(draw.uniform(0.05, 0.4))
            process.send_signal(signal.SIGKILL)
            process.communicate()
        done = run(line, 2)
        assert done.returncode == 0, done
        assert answer(Result(out)) == whole
        assert not os.path.exists(out + ".checkpoint")


def slow():
    """Where a box takes long a task is few of them, a stop is heard between two, and what was left is done again: the same tree."""
    p = problem(rows=population(48), horizon=1, terminal="token_cross_entropy", readout=READOUT, weight_decay=2**-6, control={"A": FULL_A, "V": FULL_V})
    with tempfile.TemporaryDirectory(prefix="bf_certify_") as folder:
        path, out, stops = oracle.write(p, folder), os.path.join(folder, "run.h5"), 0
        given = os.path.join(folder, "given.h5")
        assert run(["solve", path, "-space", "reachable", "-quantize_cells", 0, "-o", given]).returncode == 0
        line = ["certify", path, "-found", given, "-boxes", 48]
        assert run([*line, "-o", os.path.join(folder, "whole.h5")]).returncode == 0
        whole = Result(os.path.join(folder, "whole.h5"))
        assert whole.attributes["certificate"]["boxes"] <= 48 + 48 // 16 + 48, whole.attributes["certificate"]  # what is open is bounded once more
        while True:
            done = run([*line, "-o", out, "-restart", "auto", "-maxh", 1e-9], 1 + stops % 2)
            if done.returncode == 0: break
            assert done.returncode == 75, done
            stops += 1
        assert stops and answer(Result(out)) == answer(whole), stops


tap([("ranks", on_ranks), ("budgets", budget), ("stops and kills", stopped), *([] if "quick" in sys.argv else [("slow boxes", slow)])])
