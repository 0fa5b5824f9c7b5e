"""Small problems that differ in everything a problem can differ in. Controls lie on dyadic numbers and the weight decay is a
power of two, so that stage costs are exact; boxes and tokens do not, so that no image falls on the border of two cells."""
import numpy as np

from oracle import problem

A2, V2 = {"range": [-2, 2], "levels": 2}, {"range": [-1, 1], "levels": 2}
READOUT = {"kind": "fixed", "matrix": [4, 0.5, -4, 1], "bias": [0.25, 0]}


def tokens(count, dim=2, seed=0, spread=1.2):
    return np.random.default_rng(seed).uniform(-spread, spread, (count, dim))


def sequences(S, N, dim=2, seed=0, labels=2):
    z = tokens(S * N, dim, seed).reshape(S, N, dim)
    return [(s, n, s % labels, z[s, n]) for s in range(S) for n in range(N)]


def with_targets(rows, seed=1):
    y = tokens(len(rows), len(rows[0][3]), seed)
    return [(s, n, tuple(float(x) for x in y[i]), z) for i, (s, n, _, z) in enumerate(rows)]


def population(count, labels=2, seed=0, dim=2):
    z = tokens(count, dim, seed)
    return [(0, 0, i % labels, z[i]) for i in range(count)]


CASES = {
    "two contexts of two tokens": problem(
        rows=sequences(2, 2), terminal="pooled_cross_entropy", readout=READOUT, weight_decay=2**-6,
        control={"A": {"form": "full", **A2}, "V": {"form": "scalar", "range": [-2, 2], "levels": 3}}),
    "four contexts, a decision, three layers": problem(
        rows=sequences(4, 1, seed=3), horizon=3, terminal="pooled_cross_entropy", cells=[3, 4],
        readout={"kind": "decision", "classes": 2, "matrix": [4, 0, -4, 0, 0, 4, 0, -4, -3, 1, 2, 2]},
        control={"A": {"form": "scalar", **A2}, "V": {"form": "diagonal", "range": [-1, 1], "levels": 2}}),
    "nine contexts of one token: joint lanes and mids": problem(
        rows=sequences(9, 1, seed=4), cells=[2, 2], terminal="token_cross_entropy", readout=READOUT,
        control={"A": {"form": "fixed", "value": [1, 0, 0, 1]}, "V": {"form": "full", **V2}}),
    "one context, squared error, one layer": problem(
        rows=with_targets(sequences(1, 3, seed=5)), targets=True, horizon=1,
        control={"A": {"form": "diagonal", **A2}, "V": {"form": "full", **V2}}),
    "shapes mixed": problem(
        rows=sequences(1, 2, seed=6) + [(1, 0, 1, z) for z in tokens(2, seed=7)] + [(2, 0, 0, tokens(1, seed=8)[0])],
        terminal="token_cross_entropy", readout=READOUT, weight_decay=2**-5,
        control={"A": {"form": "scalar", "range": [-4, 4], "levels": 3}, "V": {"form": "skew", "range": [-2, 2], "levels": 3}}),
    "causal, encoded, two heads": problem(
        rows=sequences(2, 2, seed=9), mask="causal", encoding=[0.3, -0.2, 0.1, 0.4], heads=2, pooling="last",
        terminal="pooled_cross_entropy", readout=READOUT,
        control={"A_0": {"form": "scalar", **A2}, "V_0": {"form": "scalar", **V2}, "A_1": {"form": "skew", **A2},
                 "V_1": {"form": "diagonal", **V2}}),
    "population, atoms given": problem(
        rows=population(14, seed=2), atoms=2, terminal="token_cross_entropy", readout=READOUT, weight_decay=2**-6,
        control={"A": {"form": "diagonal", **A2}, "V": {"form": "scalar", "range": [-2, 2], "levels": 3}}),
    "population, split": problem(
        rows=population(14, seed=2), atoms=2, transition="split", terminal="token_cross_entropy", readout=READOUT,
        control={"A": {"form": "diagonal", "range": [-1.5, 2.5], "levels": 2},
                 "V": {"form": "scalar", "range": [-0.875, 1.375], "levels": 3}}),
    "split in one dimension, three atoms": problem(
        rows=[(0, 0, i % 2, z) for i, z in enumerate(tokens(6, 1, 12))], dim=1, lower=[-1.5], upper=[1.61], cells=[6],
        transition="split", terminal="token_cross_entropy", readout={"kind": "fixed", "matrix": [3, -3], "bias": [0, 0.5]},
        horizon=3, control={"A": {"form": "scalar", "range": [-2.5, 1.5], "levels": 3},
                            "V": {"form": "scalar", "range": [-0.875, 1.125], "levels": 3}}),
    "feed-forward, relu, sampled": problem(
        rows=with_targets(sequences(2, 2, seed=13)), targets=True, feedforward="relu", width=2,
        action={"kind": "sample", "count": 11, "seed": 3}, residual=0, step=1.0,
        control={k: {"form": "full", "range": [-1, 1]} for k in ("A", "V", "W1", "b1", "W2", "b2")}),
    "points of Halton, rotated": problem(
        rows=with_targets(sequences(2, 2, seed=21)), targets=True, action={"kind": "halton", "count": 9, "seed": 3},
        control={"A": {"form": "scalar", "range": [-3, 2]}, "V": {"form": "full", "range": [-1, 1.5]}}),
    "feed-forward alone, gelu": problem(
        rows=sequences(2, 2, seed=14), heads=0, feedforward="gelu", width=1, pooling="first",
        terminal="pooled_cross_entropy", readout=READOUT,
        control={"W1": {"form": "full", **V2}, "b1": {"form": "full", "range": [0.25, 0.25], "levels": 1},
                 "W2": {"form": "full", **V2}, "b2": {"form": "full", "range": [-0.5, 0.5], "levels": 2}}),
    "codebook, tanh": problem(
        rows=sequences(2, 2, seed=15), codebook=tokens(7, seed=16), feedforward="tanh", width=1,
        terminal="token_cross_entropy", readout=READOUT,
        control={"A": {"form": "scalar", **A2}, "V": {"form": "scalar", **V2},
                 "W1": {"form": "full", "range": [-1, 1], "levels": 2}, "b1": {"form": "fixed", "value": [0.1]},
                 "W2": {"form": "full", "range": [0.5, 1], "levels": 1}, "b2": {"form": "fixed", "value": [0, 0]}}),
    "hinge, a decision between two readouts of three classes": problem(
        rows=sequences(3, 2, seed=17, labels=3), cells=[4, 3], terminal="hinge", pooling="last", weight_decay=2**-6,
        readout={"kind": "decision", "classes": 3, "matrix": [1, 0, -1, 0.5, 0, 1, 2, 0, -1, 1, 0, -2], "bias": [0, 0.25, 0, 0, 0, 0.5]},
        control={"A": {"form": "scalar", **A2}, "V": {"form": "full", **V2}}),
    "wasserstein": problem(
        rows=with_targets(sequences(2, 3, seed=17)), targets=True, terminal="wasserstein", position_weight=0.75,
        cells=[2, 3], control={"A": {"form": "scalar", **A2}, "V": {"form": "full", **V2}}),
    "sphere": problem(
        rows=[(s, n, t, z / np.linalg.norm(z)) for s, n, t, z in sequences(2, 2, seed=18)], projection="sphere",
        terminal="pooled_cross_entropy", readout=READOUT, cells=[4, 4],
        control={"A": {"form": "scalar", **A2}, "V": {"form": "full", **V2}}),
    "rms, encoded, two atoms": problem(
        rows=[(0, n // 2, n // 2, z) for n, z in enumerate(tokens(4, seed=25))], norm="rms",
        encoding=[0.3, -0.2, 0.1, 0.4], terminal="token_cross_entropy", readout=READOUT, weight_decay=2**-6, cells=[3, 2],
        control={"A": {"form": "scalar", "range": [-2, 2], "levels": 3}, "V": {"form": "full", **V2}}),
    "layer norm, causal, feed-forward": problem(
        rows=sequences(2, 2, dim=3, seed=27), dim=3, lower=[-1.5, -1.4, -1.3], upper=[1.4, 1.5, 1.7], cells=[2, 2, 2], norm="layer",
        mask="causal", feedforward="relu", width=1, terminal="pooled_cross_entropy", pooling="last",
        readout={"kind": "fixed", "matrix": [2, 0, 1, -2, 1, 0], "bias": [0, 0]},
        control={"A": {"form": "scalar", **A2}, "V": {"form": "diagonal", **V2}, "W1": {"form": "full", **V2},
                 "b1": {"form": "fixed", "value": [0.25]}, "W2": {"form": "fixed", "value": [0.5, -1, 0.75]},
                 "b2": {"form": "fixed", "value": [0, 0, 0.125]}}),
    "rms on the sphere, two heads": problem(
        rows=[(s, n, t, z / np.linalg.norm(z)) for s, n, t, z in sequences(2, 2, seed=18)], projection="sphere", norm="rms", heads=2,
        terminal="pooled_cross_entropy", readout=READOUT, cells=[4, 4],
        control={"A_0": {"form": "scalar", **A2}, "V_0": {"form": "diagonal", **V2}, "A_1": {"form": "skew", **A2},
                 "V_1": {"form": "scalar", **V2}}),
    "no projection, r = 0": problem(
        rows=with_targets(sequences(2, 2, seed=28)), targets=True, projection="none", residual=0, step=1.0,
        control={"A": {"form": "scalar", **A2}, "V": {"form": "full", "range": [-2.5, 2.25], "levels": 2}}),
    "no projection, split": problem(
        rows=population(14, seed=2), atoms=2, transition="split", projection="none", step=1.5, terminal="token_cross_entropy",
        readout=READOUT, control={"A": {"form": "diagonal", "range": [-1.5, 2.5], "levels": 2},
                                  "V": {"form": "scalar", "range": [-0.875, 1.375], "levels": 3}}),
    "linear, rms, feed-forward": problem(
        rows=sequences(2, 2, seed=31), norm="rms", feedforward="relu", width=1, linear=1, terminal="pooled_cross_entropy",
        readout=READOUT, control={"A": {"form": "scalar", **A2}, "V": {"form": "scalar", **V2}, "W1": {"form": "full", **V2},
                                  "b1": {"form": "fixed", "value": [0.25]}, "W2": {"form": "fixed", "value": [0.5, -1]},
                                  "b2": {"form": "fixed", "value": [0, 0.125]}, "B": {"form": "diagonal", "range": [-1.25, 0.75], "levels": 2}}),
    "linear alone, two tags of one atom": problem(
        rows=population(2, seed=32)[:1] + [(0, 1, 0, population(2, seed=33)[1][3])], heads=0, linear=1, terminal="token_cross_entropy",
        readout=READOUT, horizon=3, control={"B": {"form": "full", "range": [-1.25, 0.875], "levels": 2}}),
    "sharp attention": problem(
        rows=sequences(2, 2, seed=19), beta=1000.0, terminal="pooled_cross_entropy", readout=READOUT,
        control={"A": {"form": "full", "range": [-64, 64], "levels": 2}, "V": {"form": "scalar", **V2}}),
    "three dimensions": problem(
        rows=sequences(3, 1, dim=3, seed=20), dim=3, lower=[-1.5, -1.4, -1.3], upper=[1.4, 1.5, 1.7], cells=[2, 3, 2],
        terminal="pooled_cross_entropy", readout={"kind": "fixed", "matrix": [2, 0, 1, -2, 1, 0], "bias": [0, 0]},
        control={"A": {"form": "scalar", **A2}, "V": {"form": "diagonal", **V2}}),
    "a sample of sequences": problem(
        rows=sequences(9, 2, seed=41)[::-1], sample=(3, 5), terminal="pooled_cross_entropy", readout=READOUT, weight_decay=2**-6,
        control={"A": {"form": "full", **A2}, "V": {"form": "scalar", "range": [-2, 2], "levels": 3}}),
    "a sample of a population": problem(
        rows=population(20, seed=42), sample=(3, 7), terminal="token_cross_entropy", readout=READOUT, cells=[3, 2],
        control={"A": {"form": "scalar", **A2}, "V": {"form": "diagonal", **V2}}),
    "cells moved": problem(
        rows=sequences(2, 2, seed=43), cells=[4, 3], shift=[0.25, -0.5], terminal="pooled_cross_entropy", readout=READOUT, weight_decay=2**-6,
        control={"A": {"form": "full", **A2}, "V": {"form": "scalar", "range": [-2, 2], "levels": 3}}),
    "cells moved, split": problem(
        rows=population(14, seed=2), atoms=2, transition="split", shift=0.2, terminal="token_cross_entropy", readout=READOUT,
        control={"A": {"form": "diagonal", "range": [-1.5, 2.5], "levels": 2},
                 "V": {"form": "scalar", "range": [-0.875, 1.375], "levels": 3}}),
    "many atoms in a cell": problem(
        rows=[(0, 0, 0, z) for z in tokens(90, 1, 51)] + [(0, 1, 1, z) for z in tokens(2, 1, 52)], dim=1, lower=[-1.5], upper=[1.61], cells=[2],
        horizon=3, terminal="token_cross_entropy", readout={"kind": "fixed", "matrix": [3, -2], "bias": [0, 0.25]},
        control={"A": {"form": "scalar", "range": [-2, 2], "levels": 3}, "V": {"form": "scalar", "range": [-4, 4], "levels": 4}}),
    "many atoms in a cell, split": problem(
        rows=[(0, 0, 0, z) for z in tokens(66, 1, 51)] + [(0, 1, 1, z) for z in tokens(2, 1, 52)], dim=1, lower=[-1.5], upper=[1.61], cells=[2],
        transition="split", terminal="token_cross_entropy", readout={"kind": "fixed", "matrix": [3, -2], "bias": [0, 0.25]},
        control={"A": {"form": "fixed", "value": [1.5]}, "V": {"form": "scalar", "range": [-4, 4], "levels": 4}}),
    "nothing to choose": problem(
        rows=sequences(2, 2, seed=24), terminal="token_cross_entropy", readout=READOUT,
        control={"A": {"form": "fixed", "value": [1, 0, 0, 1]}, "V": {"form": "fixed", "value": [0.5, 0.25, 0, 0.5]}}),
    "more lanes than a block": problem(
        rows=population(8, seed=21), terminal="token_cross_entropy", readout=READOUT, cells=[3, 2],
        control={"A": {"form": "scalar", **A2}, "V": {"form": "diagonal", **V2}}),
    "more mids than a block": problem(
        rows=[(0, 0, 0, z) for z in tokens(4, seed=22)] + [(1, 0, 1, z) for z in tokens(4, seed=23)], cells=[3, 3],
        terminal="token_cross_entropy", readout=READOUT,
        control={"A": {"form": "scalar", **A2}, "V": {"form": "diagonal", **V2}}),
}
UNQUANTIZED = ["two contexts of two tokens", "shapes mixed", "causal, encoded, two heads", "feed-forward, relu, sampled",
               "wasserstein", "sharp attention", "feed-forward alone, gelu", "sphere",
               "rms, encoded, two atoms", "layer norm, causal, feed-forward", "rms on the sphere, two heads", "no projection, r = 0",
               "a sample of sequences", "a sample of a population", "nothing to choose", "linear, rms, feed-forward", "linear alone, two tags of one atom"]
UNIONS = problem(  # whose images a node's ranks find together
    rows=population(15, labels=3, seed=5), atoms=2, cells=[3, 2], transition="split", terminal="token_cross_entropy",
    readout={"kind": "fixed", "matrix": [1, 0.5, -1, 0.25, 0, -1], "bias": [0, 0.125, 0]}, action={"kind": "sample", "count": 19, "seed": 2},
    control={"A": {"form": "full", "range": [-2, 2]}, "V": {"form": "full", "range": [-1.5, 1.25]}})
