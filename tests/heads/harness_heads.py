"""Runs of `bellformer heads`."""
import os
import tempfile

import heads_oracle as oracle
from harness import Result, run

EVALUATE = ("-tau", 0)


def heads(p, *options, theta=None, alpha=None, section=None, ranks=0):
    """The result of a problem, from particles theta [T, H, q] (weights alpha), or from what the section `heads` draws."""
    with tempfile.TemporaryDirectory(prefix="bf_heads_") as folder:
        section = {"count": theta.shape[1]} if section is None and theta is not None else section
        path, out, init = oracle.write(p, folder, section), os.path.join(folder, "run.h5"), []
        if theta is not None:
            oracle.write_law(os.path.join(folder, "law.csv"), theta, alpha)
            init = ["-init", os.path.join(folder, "law.csv")]
        done = run(["heads", path, "-o", out, *init, *options], ranks)
        assert done.returncode == 0, done.stderr + done.stdout
        result = Result(out)
        result.text, result.warned = done.stdout, done.stderr
        result.heads = {k: v.decode() if isinstance(v, bytes) else v for k, v in result.attributes["heads"].items()}
        return result
