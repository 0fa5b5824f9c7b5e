"""Results of problems that differ in every option of a layer and a cost, for what reads them."""
import os
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
SHARE = os.path.join(HERE, "..", "..", "share")
for folder in (os.path.join(HERE, "..", "flow"), os.path.join(HERE, "..", "solve"), os.path.join(SHARE, "python")):
    sys.path.insert(0, folder)
import continuous  # noqa: E402
import oracle  # noqa: E402
from cases import CASES as DISCRETE  # noqa: E402
from flow_cases import CASES as FLOW, control_of  # noqa: E402,F401
from harness import run, tap  # noqa: E402,F401
from harness_flow import write_controls  # noqa: E402

SEVERAL = [(0, n, 0, z) for n, z in enumerate(np.random.default_rng(8).uniform(-1, 1, (5, 2)))]
ONE = {"dim": 1, "lower": [-1.0], "upper": [1.25]}
EXTRA = {
    # Tokens that leave Z: P acts. Lengths differ.
    "clip acts": {**FLOW["lengths that differ"][0], "lower": [-1.6, -1.2], "upper": [1.6, 1.3], "step": 1.5},
    "causal population mask, last": {**FLOW["causal, encoding, tanh"][0], "pooling": "last"},
    "one dimension": oracle.problem(**ONE, rows=[(s, n, s % 2, [x]) for s, n, x in zip([0, 0, 1, 1, 2], [0, 1, 0, 1, 0], [0.5, -1, 0.25, 1, -0.125])],
                                    terminal="token_cross_entropy", readout={"kind": "fixed", "matrix": [3, -3]}, cells=0,
                                    action={"kind": "sample", "count": 3, "seed": 2},
                                    control={"A": {"form": "scalar", "range": [-2, 2]}, "V": {"form": "scalar", "range": [-1, 1]}}),
    "a trained readout": {**FLOW["pooled cross entropy, decay"][0], "readout": {
        "kind": "trained", "matrix": {"range": [0, 8, -1, 2, -8, 0, -2, 1]}, "bias": {"range": [-1, 2]}}},
    "many heads": {**FLOW["causal, encoding, tanh"][0], "heads": 66},
    "wasserstein, auto": {**FLOW["wasserstein, profile"][0], "position_weight": "auto"},
    "wasserstein, auto, no projection, several at a position": {
        **FLOW["wasserstein, profile"][0], "position_weight": "auto", "projection": "none", "norm": "rms", "lower": [-1.3] * 2, "upper": [1.3] * 2,
        "step": 1.5, "rows": [(s, n // 2, y, z) for s, n, y, z in FLOW["r = 0, relu, squared error"][0]["rows"]]},
}
CASES = {**{"flow: " + name: p for name, (p, _) in FLOW.items()}, **{"solve: " + name: p for name, p in DISCRETE.items()}, **EXTRA}
# A problem's YAML has no key for it in oracle.write: it is given on the command line.
OPTIONS = {"sinusoidal": ("-data_position_encoding", "sinusoidal", "-data_position_amplitude", "0.75")}


def ok(done):
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def evaluated(p, folder, *options, control=None, scheme="euler", name="run"):
    """The result of `flow` that only evaluates the control (by default one drawn from the box), which differs layer by layer."""
    path = continuous.write(p, folder)
    out, init = os.path.join(folder, name + ".h5"), os.path.join(folder, name + "-init.h5")
    if control is None:
        U = oracle.actions(p)
        control = U[np.random.default_rng(4).integers(0, len(U), p["horizon"])]
    write_controls(init, control)
    # What is fixed has no free numbers, and nothing to start from.
    start = ["-init", init] if control.shape[1] else []
    ok(run(["flow", path, "-o", out, "-overwrite", "-tao_max_it", 0, *([] if "-scheme" in options else ["-scheme", scheme]), *start, *options]))
    return path, out
