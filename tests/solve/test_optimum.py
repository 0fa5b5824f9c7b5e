"""V_0(mu_0) and the open loop are those of exhaustive enumeration over U_k^T, in both spaces; both spaces agree to the bit;
without quantization (cells 0) they are the optimum of the original model."""
import itertools
import sys

import numpy as np

import oracle
from cases import CASES, UNQUANTIZED
from harness import solve, tap


def close(x, y, tolerance=1e-12):
    assert abs(x - y) <= tolerance * max(1, abs(y)), (x, y)


def enumeration(p):
    cost, lists = oracle.enumerate_lists(p)
    full, reachable = solve(p, "-space", "full"), solve(p, "-space", "reachable")
    close(full.value, cost)
    assert full.actions == lists, (full.actions, lists)
    assert full.value == reachable.value and full.actions == reachable.actions


def unquantized(p):
    p = {**p, "cells": 0, "codebook": None, "shift": 0, "atoms": 0, "transition": "nearest"}
    cost, lists = oracle.enumerate_lists(p, exact=True)
    result = solve(p)
    close(result.value, cost)
    assert result.actions == lists, (result.actions, lists)
    close(float(result.attributes["rollout"]["cost"]), cost)


def bellman(p):
    """For all measures: V_T = min over readouts of sum_s g_s; V_t = min over k of c + V_{t+1}(T(i, k)) to the bit, and
    policy_t the smallest k that attains it."""
    result, U = solve(p, "-space", "full"), oracle.actions(p)
    V, policy = result.data["value"], result.data["policy"]
    assert result.data["actions/controls"].shape == U.shape and np.all(np.abs(result.data["actions/controls"] - U) < 1e-15)
    next_, g = oracle.tables(p)
    sizes = [len(t) for t in next_]
    M, strides = int(np.prod(sizes)), [int(np.prod(sizes[s + 1:])) for s in range(len(sizes))]
    assert V.shape == (p["horizon"] + 1, M) and policy.shape == (p["horizon"], M)
    digits = np.unravel_index(np.arange(M), sizes)
    terminal = np.min([sum(x[r][j] for x, j in zip(g, digits)) for r in range(len(g[0]))], axis=0)
    assert np.abs(V[-1] - terminal).max() < 1e-12 * max(1, np.abs(terminal).max())
    c = np.array([oracle.stage(p, u) for u in U])
    for t in range(p["horizon"]):
        best, which = np.full(M, np.inf), np.zeros(M, int)
        for k in range(len(U)):
            q = c[k] + V[t + 1][sum(stride * table[j, k] for stride, table, j in zip(strides, next_, digits))]
            which[q < best] = k
            best = np.minimum(best, q)
        assert (V[t] == best).all(), "value of layer %d at %s" % (t, np.argwhere(V[t] != best)[:5].ravel())
        assert (policy[t] == which).all(), "policy of layer %d at %s" % (t, np.argwhere(policy[t] != which)[:5].ravel())


every = 3 if "quick" in sys.argv else 1  # under sanitizers one of three
cases = list(CASES.items())[::every]
checks = [("enumeration: " + name, lambda p=p: enumeration(p)) for name, p in cases]
checks += [("Bellman equation at every measure: " + name, lambda p=p: bellman(p)) for name, p in cases]
checks += [("unquantized: " + name, lambda name=name: unquantized(CASES[name])) for name in UNQUANTIZED[::every]]
tap(checks)
