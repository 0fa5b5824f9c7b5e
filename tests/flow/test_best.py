"""flow -init of a `solve -best`: every open loop is refined, as it is alone; which minima are distinct; on any ranks, and after stops. flow -best:
the least of these minima, where they are, and that -init goes on from them."""
import glob
import os
import tempfile

import h5py
import numpy as np

import continuous
from flow_cases import case
from harness import Result, run, tap
from harness_flow import flow
from bits import difference as same
from cases import READOUT, sequences

BOX = {"A": {"form": "scalar", "range": [-2, 2]}, "V": {"form": "diagonal", "range": [-2, 2]}}
PROBLEM = case(rows=sequences(12, 3, seed=9), terminal="pooled_cross_entropy", readout=READOUT, horizon=2, weight_decay=1e-2, control=BOX, cells=[60, 60], action={"kind": "sample", "count": 9, "seed": 1})
BEST, OPTIONS = 5, ["-tao_max_it", 25, "-best", 3]


def prepare(f):
    path = continuous.write(PROBLEM, f)
    done = run(["solve", path, "-space", "reachable", "-best", BEST, "-o", os.path.join(f, "solve.h5")])
    assert done.returncode == 0, done
    return path, os.path.join(f, "solve.h5"), os.path.join(f, "run.h5")


def minima(costs):
    """Each exceeds the one before by more than 1e-6 of it, or 1e-9."""
    out, number, least = {}, -1, -np.inf
    for s in np.argsort(costs, kind="stable"):
        if number < 0 or costs[s] - least > max(1e-6 * abs(least), 1e-9):
            number, least = number + 1, costs[s]
        out[s] = number
    return [out[s] for s in range(len(costs))]


def alone(*scheme):
    """Each refined cost is that of -init from that open loop alone; then draws, as ever."""
    with tempfile.TemporaryDirectory() as f:
        path, solved, _ = prepare(f)
        controls = Result(solved).data["rollout/best/controls"]
        assert len(controls) == BEST
        all_ = flow(path, "-init", solved, "-starts", 2, *OPTIONS, *scheme)
        draws = flow(path, "-starts", 2, *OPTIONS, *(scheme or ["-scheme", "layers"]))
        starts = {key.split("/")[-1]: value for key, value in all_.data.items() if key.startswith("flow/starts/")}
        for i, control in enumerate(controls):
            one = flow(path, *OPTIONS, *(scheme or ["-scheme", "layers"]), control=control)
            for key in ("initial_cost", "cost", "iterations"):
                assert starts[key][i] == one.data["flow/starts/" + key][0], (i, key)
        assert (starts["cost"][BEST:] == draws.data["flow/starts/cost"]).all()
        assert starts["minimum"].tolist() == minima(starts["cost"]), starts
        check_best(all_, 3)
        told = all_.attributes["flow"]
        assert told["given"] == BEST and told["minima"] == max(starts["minimum"]) + 1 > 1
        assert told["cost"] == starts["cost"].min() and (all_.data["options/given"] == controls.reshape(-1, controls.shape[2])).all()
        for i in range(BEST):
            assert "  %d: %.10g, %.8g, %d\n" % (i + 1, starts["cost"][i], starts["initial_cost"][i], starts["minimum"][i] + 1) in all_.text


def ranks():
    with tempfile.TemporaryDirectory() as f:
        path, solved, out = prepare(f)
        whole = flow(path, "-init", solved, *OPTIONS)
        for group in (1, 2):
            other = flow(path, "-init", solved, *OPTIONS, "-start_ranks", group, ranks=3)
            assert not same(whole, other), same(whole, other)
        stops = 0
        for number in (1, 3, 2, 1, 3, 2):
            done = run(["flow", path, "-init", solved, "-o", out, "-restart", "auto", *OPTIONS, "-maxh", 0.01 / 3600, "-checkpoint_interval", 0], number)
            assert done.returncode in (0, 75), done
            stops += done.returncode == 75
            if done.returncode == 0:
                break
        assert stops > 1, stops
        done = run(["flow", "-restart", out]) if done.returncode else done
        assert done.returncode == 0 and not same(whole, Result(out)), (done, same(whole, Result(out)))


def check_best(result, wanted):
    """Of each of the first minima the lowest start, the first of equal ones, and where it ended. Returns these starts."""
    starts = {key: result.data["flow/starts/" + key] for key in ("cost", "minimum")}
    best = {key.split("/")[-1]: value for key, value in result.data.items() if key.startswith("rollout/best/")}
    assert len(best["start"]) == min(wanted, result.attributes["flow"]["minima"]) > 1
    for m, s in enumerate(best["start"]):
        mine = np.flatnonzero(starts["minimum"] == m)
        assert s == mine[np.argmin(starts["cost"][mine])] and best["cost"][m] == starts["cost"][s], (m, s)
    assert (best["controls"][0] == result.data["rollout/controls"]).all()
    return best


def goes_on(p=PROBLEM):
    """A flow from the best of a flow starts where those ended, a trained readout too."""
    with tempfile.TemporaryDirectory() as f:
        path, out = continuous.write(p, f), os.path.join(f, "run.h5")
        done = run(["flow", path, "-scheme", "layers", "-starts", 7, "-tao_max_it", 4, "-best", 3, "-o", out])
        assert done.returncode == 0, done
        best = check_best(Result(out), 3)
        next_ = flow(path, "-scheme", "layers", "-init", out, "-tao_max_it", 10)
        assert (next_.data["options/given"] == best["controls"].reshape(-1, best["controls"].shape[2])).all()
        assert np.allclose(next_.data["flow/starts/initial_cost"], best["cost"], rtol=1e-14, atol=0)
        assert (next_.data["flow/starts/cost"] <= best["cost"]).all() and next_.attributes["flow"]["given"] == len(best["cost"])
        if "R" in best:
            given = np.concatenate([best["R"].reshape(len(best["R"]), -1), best["b"]], axis=1)
            assert (next_.data["options/given_readout"] == given).all()


def trained():
    goes_on({**PROBLEM, "readout": {"kind": "trained", "matrix": {"range": [-4, 4]}, "bias": {"range": [-2, 2]}}})


def fewer():
    """Asked for more than there are, all minima are told."""
    check_best(flow(PROBLEM, "-scheme", "layers", "-starts", 3, "-tao_max_it", 5, "-best", 100), 100)


def older():
    """A checkpoint of before there was -best has no word of it, and goes on without."""
    with tempfile.TemporaryDirectory() as f:
        path, _, out = prepare(f)
        done = run(["flow", path, "-starts", 3, "-o", out, "-maxh", 1e-9, "-checkpoint_interval", 0])
        assert done.returncode == 75, done
        for saved in glob.glob(out + ".checkpoint/*.h5"):
            with h5py.File(saved, "r+") as file:
                del file["options"].attrs["best"]
        done = run(["flow", "-restart", out])
        assert done.returncode == 0 and "rollout/best/cost" not in Result(out).data, done


tap([("-best goes on", goes_on), ("-best with a trained readout", trained), ("-best, fewer minima", fewer), ("a checkpoint without -best", older),
     ("each as alone, scheme layers", alone), ("each as alone, euler", lambda: alone("-scheme", "euler")), ("ranks, groups, stops", ranks)])
