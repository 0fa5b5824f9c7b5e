"""BELLFORMER_ISA: the same result from every instruction set, recorded; refused in one line where it is unknown or the machine
lacks it, on one rank and on two; and what older processors, which qemu plays, choose by themselves."""
import os
import shutil
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "solve"))
from harness import BELLFORMER, Result, run, tap  # noqa: E402

XOR = os.path.join(os.environ["BELLFORMER_PROBLEMS"], "xor", "xor.yaml")
NAMES = ["generic", "avx2", "avx512"]


def environment(name):
    return dict(os.environ, BELLFORMER_ISA=name)


HERE = [name for name in NAMES if run(["--version"], env=environment(name)).returncode == 0]


def result(name, arguments):
    with tempfile.TemporaryDirectory(prefix="bf_isa_") as folder:
        out = os.path.join(folder, "run.h5")
        done = run(arguments + ["-o", out, "-quiet"], env=environment(name))
        assert done.returncode == 0, done.stderr + done.stdout
        found = Result(out)
        assert found.attributes["provenance"]["instruction_set"] in (name, name.encode()), found.attributes["provenance"]
        return found


def same_bits(arguments):
    plain = result("generic", arguments)
    for name in HERE[1:]:
        other = result(name, arguments)
        assert other.data.keys() == plain.data.keys()
        for key, data in plain.data.items():
            assert np.asarray(data).tobytes() == np.asarray(other.data[key]).tobytes(), (name, key)


def full():
    same_bits(["solve", XOR, "-space", "full", "-quantize_cells", "2,2"])


def reachable():
    same_bits(["solve", XOR, "-space", "reachable"])


def flow():
    """Fused where the machine can: J at the start to 1e-13."""
    arguments = ["flow", XOR, "-tao_max_it", "1"]
    plain = result("generic", arguments).data["flow/history/cost"][0]
    for name in HERE:
        cost = result(name, arguments).data["flow/history/cost"][0]
        assert abs(cost - plain) <= 1e-13 * abs(plain), (name, cost, plain)


def refused(done, line):
    assert done.returncode == 2, done
    assert done.stderr == "bellformer: BELLFORMER_ISA=" + line + "\n", done.stderr
    assert not done.stdout, done.stdout


def known():
    return NAMES if is_x86() else NAMES[:1]


def unknown():
    line = "sse9: kernels here are " + ", ".join(known())
    refused(run(["--version"], env=environment("sse9")), line)
    for ranks in (0, 2):
        refused(run(["info", XOR], ranks, env=environment("sse9")), line)


def one_rank_only():
    """Nodes may differ: a rank alone that cannot, whichever it is, ends all in that one line."""
    for bad in (0, 1):
        command = ["mpirun", "--quiet"]
        for rank in (0, 1):
            setting = ["BELLFORMER_ISA=sse9"] if rank == bad else []
            command += [":"] * rank + ["-n", "1", "env"] + setting + [BELLFORMER, "info", XOR]
        refused(subprocess.run(command, capture_output=True, text=True, timeout=120), "sse9: kernels here are " + ", ".join(known()))


def is_x86():
    return os.uname().machine == "x86_64"


def on(processor, name):
    """What --version says on another processor."""
    done = subprocess.run(["qemu-x86_64", "-cpu", processor, BELLFORMER, "--version"], capture_output=True, text=True, timeout=120,
                          env=environment(name))
    lines = (done.stdout + done.stderr).splitlines()
    return done.returncode, [line for line in lines if not line.startswith("qemu-x86_64: warning")][-1]


def older():
    assert on("qemu64", "") == (0, "kernels here: generic")
    assert on("Haswell", "") == (0, "kernels here: avx2")
    assert on("Haswell", "generic") == (0, "kernels here: generic")
    lacks = "bellformer: BELLFORMER_ISA=%s: this machine lacks those instructions; it runs %s"
    assert on("qemu64", "avx2") == (2, lacks % ("avx2", "generic"))
    assert on("Haswell", "avx512") == (2, lacks % ("avx512", "avx2"))


checks = [("full space: the same bits in " + ", ".join(HERE), full),
          ("reachable space: the same bits", reachable),
          ("flow: J to 1e-13", flow),
          ("an unknown name is refused in one line", unknown),
          ("on one rank of two as well", one_rank_only)]
if "sanitized" not in sys.argv and is_x86() and shutil.which("qemu-x86_64"):
    checks.append(("older processors", older))
tap(checks)
