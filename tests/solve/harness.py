"""Runs of the executable in a temporary folder, and TAP."""
import os
import re
import subprocess
import sys
import tempfile
import traceback

import h5py

import oracle

BELLFORMER = os.environ["BELLFORMER"]
# A process without mpirun starts no daemon of Open MPI's, which takes 0.1 s, and has a folder of this test's, since all such processes
# would share one. As a user starts it: by Popen, without this.
FOLDER = tempfile.TemporaryDirectory(prefix="bf_alone_")
ALONE = {**os.environ, "OMPI_MCA_ess_singleton_isolated": "1", "OMPI_MCA_orte_tmpdir_base": FOLDER.name}
# mpirun waits one or two seconds behind an exit code that is not 0, for ranks that all have ended. Not where it is told to end them.
LAUNCHED = {**os.environ, "OMPI_MCA_odls_base_sigkill_timeout": "0"}

PATIENCE = 300  # seconds: what takes longer hangs, however busy the machine


class Result:
    def __init__(self, path):
        with h5py.File(path) as f:
            self.data, self.attributes = {}, {}
            f.visititems(self.keep)

    def keep(self, name, item):
        self.attributes[name] = dict(item.attrs)
        if isinstance(item, h5py.Dataset):
            self.data[name] = item[()]

    @property
    def value(self):
        return float(self.attributes["rollout"]["quantized_cost"])

    @property
    def actions(self):
        return [int(k) for k in self.data["rollout/actions"]]


def run(arguments, ranks=0, **keywords):
    command = ["mpirun", "--quiet", "-n", str(ranks)] if ranks else []
    return subprocess.run(command + [BELLFORMER] + [str(a) for a in arguments], capture_output=True, text=True, timeout=PATIENCE,
                          **{"env": LAUNCHED if ranks else ALONE, **keywords})


def names(command, option):
    """Those that an option of a command takes, as its help tells them."""
    text = " ".join(run(["help", command]).stdout.split())
    return re.search(r" -%s [A-Z]+ .*?: ([^;:]*); default" % option, text).group(1).replace(" or ", ", ").split(", ")


def solve(problem, *options, ranks=0, name="problem"):
    """The result of a problem (a dictionary, or the path of a file)."""
    with tempfile.TemporaryDirectory(prefix="bf_solve_") as folder:
        path = oracle.write(problem, folder, name) if isinstance(problem, dict) else problem
        out = os.path.join(folder, "run.h5")
        done = run(["solve", path, "-o", out, *options], ranks)
        assert done.returncode == 0, done.stderr + done.stdout
        return Result(out)


class Skip(Exception):
    """A check that cannot be made here; why."""


def only_root(what):
    """For checks that mount a disk of their own."""
    if os.geteuid():
        raise Skip("only root can " + what)


def tap(checks):
    """checks: (name, function). Functions fail by an assertion."""
    print("1..%d" % len(checks))
    failed = 0
    for number, (name, check) in enumerate(checks, 1):
        try:
            check()
            print("ok %d - %s" % (number, name))
        except Skip as why:
            print("ok %d - %s # SKIP %s" % (number, name, why))
        except Exception:
            failed += 1
            print("not ok %d - %s" % (number, name))
            for line in traceback.format_exc().splitlines():
                print("# " + line)
        sys.stdout.flush()
    sys.exit(failed > 0)
