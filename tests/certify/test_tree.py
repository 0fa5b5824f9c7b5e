"""The tree is a matter of problem and target alone: not of ranks, pieces, stops and kills."""
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np

from certify_cases import CASES, FULL_A, FULL_V, READOUT, XOR, answer, certify, problem, ranges, walk
import oracle
from cases import population
from harness import BELLFORMER, Result, run, tap

OPTIONS = ["-gap", 0.05]
LOGITS = CASES["logits, two layers"]
SYMMETRIC = ["-layer_heads", 2, "-horizon", 1]  # two heads that can be exchanged


def found(folder, *options, of=XOR):
    path = os.path.join(folder, "found.h5")
    done = run(["flow", of, "-o", path, "-overwrite", "-scheme", "layers", "-starts", 8, *options])
    assert done.returncode == 0, done
    return ["-found", path]


def shipped_ranges():
    """Of xor's numbers: T layers of A, full, and V, diagonal."""
    return np.full(12, -2.0), np.full(12, 2.0)


def on_ranks():
    with tempfile.TemporaryDirectory(prefix="bf_certify_") as folder:
        for of, more in ([], []), ([], ["-boxes", 5000]), ([], ["-width", 3]), (SYMMETRIC, ["-gap", 0.3]), (SYMMETRIC, ["-gap", 0.3, "-width", 5]):
            line = [*OPTIONS, *found(folder, *of), *of, *more]
            whole = certify(XOR, *line)
            assert len(whole.data["certificate/tree"]) > 1000 and ("certificate/symmetry" in whole.data) == (of == SYMMETRIC)
            for ranks in (2, 3):
                assert answer(whole) == answer(certify(XOR, *line, ranks=ranks)), (ranks, of, more)
        path = oracle.write(LOGITS, folder)
        for more in ([], ["-boxes", 3000], ["-width", 5]):
            line = [*OPTIONS, *found(folder, of=path), *more]
            whole = certify(path, *line)
            assert len(whole.data["certificate/logits"]) == 4 and whole.certificate.get("width") == (5 if "-width" in more else None)
            assert answer(whole) == answer(certify(path, *line, ranks=2)), more
            walk(whole, *ranges(LOGITS))


def widths():
    """Another order of the tasks: the same boxes, leaves and bounds, told in the file, where the bound was met."""
    with tempfile.TemporaryDirectory(prefix="bf_certify_") as folder:
        given, (lower, upper) = found(folder), shipped_ranges()
        whole, path = certify(XOR, *OPTIONS, *given), os.path.join(folder, "run.h5")
        assert "width" not in whole.certificate and whole.certificate["format"] == 2
        leaves, cut, count, most = walk(whole, lower, upper)
        for width in (1, 2, 7, most):
            done = run(["certify", XOR, *OPTIONS, *given, "-width", width, "-o", path, "-overwrite"])
            assert done.returncode == 0, done
            r = Result(path)
            c = r.certificate = r.attributes["certificate"]
            assert (c.get("width"), c["format"]) == ((None, 2) if width == most else (width, 3)), (width, c)
            assert all(c[name] == whole.certificate[name] for name in ("boxes", "lower", "found"))
            assert (r.data["certificate/halved"] == whole.data["certificate/halved"]).all()
            assert np.allclose(walk(r, lower, upper)[:3], (leaves, cut, count), rtol=1e-12)
            assert (r.data["certificate/tree"].tobytes() == whole.data["certificate/tree"].tobytes()) == (width == most)
            done = run(["check", path], 1 + width % 2)
            assert done.returncode == 0 and "verified" in done.stdout, done


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


def stopped(*options, p=None):
    """-maxh, again and again, on 1, 2, 3 ranks, then kill -9."""
    draw = random.Random(5)
    with tempfile.TemporaryDirectory(prefix="bf_certify_") as folder:
        of, path = SYMMETRIC if options[:len(SYMMETRIC)] == tuple(SYMMETRIC) else [], oracle.write(p, folder) if p else XOR
        given, out, stops = [*found(folder, *of, of=path), *options], os.path.join(folder, "run.h5"), 0
        whole = answer(certify(path, *OPTIONS, *given))
        line = ["certify", path, *OPTIONS, *given, "-o", out, "-restart", "auto", "-checkpoint_interval", 0]
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


tap([("ranks", on_ranks), ("budgets", budget), ("the order of tasks", widths), ("stops and kills", stopped), ("of a symmetric problem, depth first", lambda: stopped(*SYMMETRIC, "-gap", 0.3, "-width", 3)), ("with logits", lambda: stopped(p=LOGITS)), *([] if "quick" in sys.argv else [("slow boxes", slow)])])
