"""Runs of `bellformer flow`."""
import os
import tempfile

import h5py

import continuous
from harness import Result, run


def write_controls(path, control):
    """A file that -init takes."""
    with h5py.File(path, "w") as f:
        f["/rollout/controls"] = control


def flow(p, *options, control=None, profile=None, ranks=0):
    """The result of a problem (a dictionary, or a file's path); control: where it starts."""
    with tempfile.TemporaryDirectory(prefix="bf_flow_") as folder:
        path = continuous.write(p, folder, profile) if isinstance(p, dict) else p
        init = []
        if control is not None:
            write_controls(os.path.join(folder, "init.h5"), control)
            init = ["-init", os.path.join(folder, "init.h5")]
        out = os.path.join(folder, "run.h5")
        done = run(["flow", path, "-o", out, *init, *options], ranks)
        assert done.returncode == 0, done.stderr + done.stdout
        result = Result(out)
        result.text = done.stdout
        return result


EVALUATE = ("-tao_max_it", 0)
