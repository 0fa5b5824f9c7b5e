#!/usr/bin/env python3
"""Adam, as one would use it, beside a result: PyTorch (python3-torch), 100 starts x 1,500 steps, abreast.

    python3 adam.py RUN.h5 ... -o adam.csv

RUN.h5: results of `flow -scheme layers` (or `solve`), which say what is minimized, on which data, in which box, and what they reached. Starts
are uniform draws in the box of controls; the rate falls to 0 as a cosine; after each step the numbers are clipped into the box; a start's answer
is its iterate of least J. The rate is that of RATES with which a tenth of the starts come lowest, of equal ones that of the least median. A row a result: least and median J of the starts, the share of them
that ends above the result (by more than 1e-6 of it, or 1e-9), seconds of one core, without and with those that choosing the rate took.
"""
import argparse
import csv
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "python"))
import needs

needs.modules("torch", "h5py", "numpy")
import h5py
import numpy as np
import torch

import bellformer
from torch_model import Transformer

RATES = (0.003, 0.01, 0.03, 0.1, 0.3, 1)
COLUMNS = ("name", "starts", "steps", "rate", "least", "median", "above", "result", "seconds", "tuned_seconds")


class Starts(Transformer):
    """Many at once: control [S, 1, T, q], so that a matrix is [S, 1, rows, columns] and tokens are [S, B, N, d]."""

    def __init__(self, source, control):
        super().__init__(source)
        self.control = torch.nn.Parameter(torch.tensor(control)[:, None])

    def losses(self, shapes):
        """[S] terminal costs."""
        kind, total, count = self.source.loss_kind(), 0, 0
        for position, z, answer in shapes:
            for t in range(self.source.layers):
                z = self.layer(t, z, position)
            r = self.represent(z, position)
            if kind == "squared_error":
                each = ((r - answer) ** 2).sum(dim=-1)
            else:
                each = -torch.log_softmax(self.logits(r), dim=-1).gather(-1, answer.expand(r.shape[:-1])[..., None])
            total = total + each.reshape(len(each), -1).sum(dim=1)
            count += answer[..., 0].numel() if kind == "squared_error" else answer.numel()
        return total / count

    def costs(self, shapes):
        return self.losses(shapes) + self.source.step * self.source.cost["weight_decay"] / 2 * (self.control ** 2).sum(dim=(1, 2, 3))


def read_shapes(source):
    """Sequences of one shape abreast: positions, tokens, labels or targets."""
    kind, out = source.loss_kind(), []
    if source.cost.get("readouts", 1) > 1:
        raise SystemExit("adam.py: a decision between several readouts is not minimized here")
    if kind not in ("pooled_cross_entropy", "token_cross_entropy", "squared_error") or source.readout_box is not None:
        raise SystemExit("adam.py: cross entropies and squared errors, with a fixed readout, only")
    for position, rows in source.data.shapes():
        answer = torch.as_tensor(source.data.target[rows] if kind == "squared_error" else
                                 source.data.label[rows[:, 0] if source.pools() else rows])
        out.append((position, torch.as_tensor(source.data.z[rows]), answer))
    return out


def descend(source, shapes, control, rate, steps):
    """The least J of each start, from the rate down to 0."""
    model = Starts(source, control)
    lower, upper = torch.as_tensor(source.lower_control), torch.as_tensor(source.upper_control)
    adam = torch.optim.Adam([model.control], lr=rate)
    least = torch.full((len(control),), torch.inf, dtype=torch.float64)
    for step in range(steps + 1):
        adam.param_groups[0]["lr"] = rate * (1 + np.cos(np.pi * step / max(1, steps))) / 2
        adam.zero_grad()
        cost = model.costs(shapes)
        least = torch.minimum(least, cost.detach().nan_to_num(torch.inf))
        cost.sum().backward()
        adam.step()
        with torch.no_grad():
            model.control.clamp_(lower, upper)
    return least.numpy()


def refuse_flow(path):
    """Of a scheme other than the layers' the result's J is another than what is minimized here."""
    with h5py.File(path) as f:
        scheme = bellformer.text(f["flow"].attrs["scheme"]) if "flow" in f else "layers"
    if scheme != "layers":
        raise SystemExit("adam.py: %s is of -scheme %s; what is minimized here is the layers' cost: -scheme layers" % (path, scheme))


def row(path, starts, steps, seed):
    refuse_flow(path)
    source = bellformer.load(path)
    shapes = read_shapes(source)
    control = np.random.default_rng(seed).uniform(source.lower_control, source.upper_control, (starts,) + source.control.shape)
    began = time.process_time()
    tried = [descend(source, shapes, control[:max(1, starts // 10)], rate, steps) for rate in RATES]
    rate = min(zip(RATES, tried), key=lambda pair: (pair[1].min(), np.median(pair[1])))[0]
    tuned = time.process_time()
    cost = descend(source, shapes, control, rate, steps)
    ended = time.process_time()
    result = float(source.objective(source.data))
    above = np.mean(cost > result + max(1e-6 * abs(result), 1e-9))
    return dict(zip(COLUMNS, (os.path.splitext(os.path.basename(path))[0], starts, steps, rate, "%.9g" % cost.min(), "%.6g" % np.median(cost),
                              "%.2f" % above, "%.9g" % result, "%.1f" % (ended - tuned), "%.1f" % (ended - began))))


def main():
    parser = argparse.ArgumentParser(description="Adam from many starts, beside results.")
    parser.add_argument("results", nargs="+", metavar="RUN.h5")
    parser.add_argument("-o", default="adam.csv", metavar="FILE")
    parser.add_argument("-starts", type=int, default=100)
    parser.add_argument("-steps", type=int, default=1500)
    parser.add_argument("-seed", type=int, default=0)
    o = parser.parse_args()
    if h5py.is_hdf5(o.o):
        sys.exit(f"{o.o} holds a result: -o names a table")
    for path in o.results:
        refuse_flow(path)
    torch.set_num_threads(1)
    with open(o.o, "w", newline="") as f:
        table = csv.DictWriter(f, COLUMNS)
        table.writeheader()
        for path in o.results:
            table.writerow(row(path, o.starts, o.steps, o.seed))
            f.flush()


if __name__ == "__main__":
    main()
