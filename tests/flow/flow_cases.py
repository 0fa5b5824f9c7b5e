"""Small problems, smooth where they are tried, that differ in every option of a layer and a cost."""
import numpy as np

import continuous
from cases import READOUT, population, sequences, with_targets
from oracle import problem

WIDE = {"lower": [-9, -9], "upper": [9, 9]}
FULL = {"form": "full", "range": [-1.5, 1.5]}
HEAD = {"A": FULL, "V": FULL}
FEED = {"W1": FULL, "b1": FULL, "W2": {"form": "full", "range": [-1, 1]}, "b2": FULL}
SAMPLE = {"action": {"kind": "sample", "count": 3, "seed": 1}}


def case(**change):
    return problem(**{**WIDE, **SAMPLE, "control": HEAD, "horizon": 3, "step": 0.4, "cells": 0, **change})


CROSS = {"terminal": "pooled_cross_entropy", "readout": READOUT}
CASES = {
    "pooled cross entropy, decay": (case(rows=sequences(3, 3), weight_decay=0.1, **CROSS), None),
    "two heads, forms, last position": (case(rows=sequences(10, 2), heads=2, pooling="last", beta=0.7, control={
        "A_0": {"form": "diagonal", "range": [-2, 2]}, "A_1": {"form": "skew", "range": [-2, 2]},
        "V_0": {"form": "scalar", "range": [-1, 1]}, "V_1": {"form": "fixed", "value": [0.5, -1, 0.25, 1]}}, **CROSS), None),
    "causal, encoding, tanh": (case(rows=sequences(2, 5), mask="causal", feedforward="tanh", width=3, control={**HEAD, **FEED},
                                    encoding=np.random.default_rng(5).normal(size=(5, 2)), pooling="first", **CROSS), None),
    "causal, one long sequence": (case(rows=sequences(1, 19), mask="causal", **CROSS), None),
    "gelu, population, token cross entropy": (case(rows=population(21), feedforward="gelu", width=2, control={**HEAD, **FEED},
                                                   terminal="token_cross_entropy", readout=READOUT), None),
    "r = 0, relu, squared error": (case(rows=with_targets(sequences(9, 4)), targets=True, residual=0, feedforward="relu", width=2,
                                        control={**HEAD, **FEED}), None),
    "hinge, three classes": (case(rows=sequences(4, 3, labels=3), weight_decay=0.05, terminal="hinge", pooling="last",
                                  readout={"kind": "fixed", "matrix": [1, 0, -1, 0.5, 0, 1], "bias": [0, 0.25, 0]}), None),
    "sphere, a decision": (case(rows=sequences(3, 4), projection="sphere", terminal="pooled_cross_entropy",
                                readout={"kind": "decision", "classes": 2, "matrix": [4, 0, -4, 0, 0, 4, 0, -4, -3, 1, 2, 2]}), None),
    "sphere, r = 0, profile": (case(rows=sequences(1, 9), projection="sphere", residual=0, **CROSS), [1, 0.25, 2]),
    "rms, causal, encoding, gelu": (case(rows=sequences(2, 5), norm="rms", mask="causal", feedforward="gelu", width=2,
                                         control={**HEAD, **FEED}, encoding=np.random.default_rng(5).normal(size=(5, 2)), **CROSS), None),
    "rms on the sphere": (case(rows=sequences(3, 4), norm="rms", projection="sphere", **CROSS), None),
    "layer norm, r = 0, no projection": (case(rows=sequences(1, 9, dim=3), dim=3, lower=[-9] * 3, upper=[9] * 3, norm="layer", residual=0,
                                              projection="none", feedforward="tanh", width=2, control={**HEAD, **FEED},
                                              terminal="pooled_cross_entropy",
                                              readout={"kind": "fixed", "matrix": [1, 0, 2, -1, 1, 0]}), None),
    "linear, rms, tanh": (case(rows=sequences(3, 3), norm="rms", feedforward="tanh", width=2, linear=1,
                               control={**HEAD, **FEED, "B": FULL}, **CROSS), None),
    "linear alone, skew, one long sequence": (case(rows=sequences(1, 19), heads=0, linear=1, control={"B": {"form": "skew", "range": [-2, 2]}},
                                                   **CROSS), [1, 0.5, 2]),
    "wasserstein, profile": (case(rows=with_targets(sequences(2, 3)), targets=True, terminal="wasserstein", position_weight=0.3),
                             [0.5, 1, 1.5, 1]),
    "lengths that differ": (case(rows=sequences(2, 3) + [(s + 2, n, l, z) for s, n, l, z in sequences(3, 2, seed=4)], **CROSS), None),
    "three dimensions": (case(rows=sequences(2, 3, dim=3), dim=3, lower=[-9] * 3, upper=[9] * 3, terminal="pooled_cross_entropy",
                              readout={"kind": "fixed", "matrix": [1, 0, 2, -1, 1, 0]}), None),
}


def control_of(p, seed=3):
    q = len(continuous.oracle.actions(p)[0])
    return np.random.default_rng(seed).uniform(-0.9, 0.9, (p["horizon"], q))
