"""Small problems that differ in every option that heads read, and laws for them."""
import numpy as np

import heads_oracle as oracle
from cases import READOUT, population, sequences, with_targets
from flow_cases import CROSS, FULL, WIDE
from oracle import problem


def case(**change):
    control = {"A": FULL, "V": FULL}
    return problem(**{**WIDE, "control": control, "horizon": 3, "step": 0.4, "cells": 0, "projection": "none", **change})


SQUARED = {"terminal": "squared_error", "targets": True}
CASES = {
    "squared error, decay": case(rows=with_targets(sequences(2, 3)), weight_decay=0.1, **SQUARED),
    "pooled cross entropy, causal, encoding, last": case(rows=sequences(3, 3), mask="causal", pooling="last", beta=0.7,
                                                         encoding=np.random.default_rng(5).normal(size=(3, 2)), weight_decay=0.05, **CROSS),
    "token cross entropy, a population": case(rows=population(21), terminal="token_cross_entropy", readout=READOUT),
    "hinge, three classes, first": case(rows=sequences(4, 3, labels=3), terminal="hinge", pooling="first",
                                        readout={"kind": "fixed", "matrix": [1, 0, -1, 0.5, 0, 1], "bias": [0, 0.25, 0]}),
    "a decision": case(rows=sequences(3, 4), terminal="pooled_cross_entropy",
                       readout={"kind": "decision", "classes": 2, "matrix": [4, 0, -4, 0, 0, 4, 0, -4, -3, 1, 2, 2]}),
    "wasserstein": case(rows=with_targets(sequences(2, 3)), targets=True, terminal="wasserstein", position_weight=0.3, weight_decay=0.2),
    "diagonal, skew": case(rows=with_targets(sequences(2, 3)), weight_decay=0.1, **SQUARED,
                           control={"A": {"form": "diagonal", "range": [-2, 2]}, "V": {"form": "skew", "range": [-2, 2]}}),
    "scalar, fixed V": case(rows=with_targets(sequences(2, 3)), **SQUARED,
                            control={"A": {"form": "scalar", "range": [-2, 2]}, "V": {"form": "fixed", "value": [0.5, -1, 0.25, 1]}}),
    "fixed A, lengths that differ": case(rows=with_targets(sequences(2, 3) + [(s + 2, n, y, z) for s, n, y, z in sequences(3, 2, seed=4)]), **SQUARED,
                                         control={"A": {"form": "fixed", "value": [1, 0.5, -1, 0]}, "V": FULL}),
    "three dimensions": case(rows=sequences(2, 3, dim=3), dim=3, lower=[-9] * 3, upper=[9] * 3, terminal="pooled_cross_entropy",
                             readout={"kind": "fixed", "matrix": [1, 0, 2, -1, 1, 0]}),
    "many sequences of one token": case(rows=with_targets(sequences(19, 1)), weight_decay=0.01, **SQUARED),
}


def law(p, H, seed=1, weighted=False):
    """theta [T, H, q], alpha [T, H]"""
    draw = np.random.default_rng(seed)
    theta = draw.normal(size=(p["horizon"], H, sum(oracle.free(p))))
    alpha = draw.uniform(0.5, 1.5, (p["horizon"], H)) if weighted else np.ones((p["horizon"], H))
    return theta, alpha / alpha.sum(1, keepdims=True)
