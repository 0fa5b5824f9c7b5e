"""jobs/ on a real SLURM: whatever interrupts a solve, the job goes on by itself and the result has the bits of one in peace."""
import glob
import os
import signal
import subprocess
import sys
import threading
import time

import h5py

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "solve"))
from cluster import Cluster, descendants, missing, read, wait_for  # noqa: E402
from harness import BELLFORMER, tap  # noqa: E402

JOBS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "jobs")
PROBLEMS = os.environ["BELLFORMER_PROBLEMS"]
# Some ten seconds on two ranks: three layers of 6^8 laws and 6561 actions. A checkpoint a second.
XOR = (f"{PROBLEMS}/xor/xor.yaml",)
OPTIONS = ("-space", "full", "-horizon", 3, "-quantize_cells", "3,2", "-control_V_form", "full", "-checkpoint_interval", 1)
# A quarter of that; checkpoints in good time before its end.
SHORT = ("-space", "full", "-horizon", 4, "-quantize_cells", "5,1", "-control_V_form", "full", "-checkpoint_interval", 0.1)

if missing():
    print("1..0 # SKIP not installed (slurm-wlm, munge):", *missing())
    sys.exit(0)
cluster = Cluster()


def path(name):
    return os.path.join(cluster.folder, name)


def output(job):
    return "".join(read(name) for name in sorted(glob.glob(path(f"*-{job}.out"))))


def solve(run, *flags, options=OPTIONS, problem=XOR, **environment):
    return cluster.submit(*flags, f"{JOBS}/solve.sbatch", *problem, path(run), *options, BELLFORMER=BELLFORMER, **environment)


def at_work(job, run):
    """Wait until a job has written a checkpoint."""
    await_of(job, lambda: glob.glob(path(run) + ".checkpoint/*.h5"))


def await_of(job, condition):
    """The first true answer of condition(), which a job has to bring about: looked for often, since a short one ends soon."""
    asked = 0

    def come():
        nonlocal asked
        answer = condition()
        if not answer and time.monotonic() > asked + 1:
            state, answer, asked = cluster.state(job), condition(), time.monotonic()
            assert answer or state in ("PENDING", "CONFIGURING", "RUNNING"), (state, output(job))
        return answer
    return wait_for(f"what job {job} does", come, pause=0.02)


def contents(run):
    """Every dataset and attribute but the provenance, as bytes."""
    found = {}

    def keep(name, item):
        if not name.startswith("provenance"):
            found.update({(name, key): str(value) for key, value in item.attrs.items()})
            if isinstance(item, h5py.Dataset):
                x = item[()]
                found[name] = (str(item.dtype), item.shape, x if isinstance(x, bytes) else x.tobytes())

    with h5py.File(path(run)) as f:
        f.visititems(keep)
    return found


def finished(job, run, restarts=1, peace="peace.h5"):
    """The job has requeued itself, has ended well and left the bits of the run in peace, and nothing else."""
    end = cluster.ended(job)
    assert (end["JobState"], end["ExitCode"]) == ("COMPLETED", "0:0"), (end, output(job))
    assert int(end["Restarts"]) >= restarts, (end["Restarts"], output(job))
    assert not os.path.exists(path(run) + ".checkpoint"), output(job)
    one, other = contents(peace), contents(run)
    assert set(one) == set(other) and {"value", "policy", "rollout/actions"} <= set(one)
    assert not [name for name in one if one[name] != other[name]], output(job)


def starts():
    cluster.start()
    # In the background of the others: see time_limit().
    cluster.limited = solve("limit.h5", "-N1", "-n2", "-w", "node2", "-t", 1, "--signal=B:USR1@25")


def peace():
    job = solve("peace.h5", "-N1", "-n2", "-w", "node1")
    end = cluster.ended(job)
    assert (end["JobState"], end["Restarts"]) == ("COMPLETED", "0"), (end, output(job))
    assert not os.path.exists(path("peace.h5.checkpoint")), output(job)


def pause():
    """The job of time_limit() becomes a slow one: its ranks stand still until its time signal has come."""
    at_work(cluster.limited, "limit.h5")
    cluster.paused = cluster.ranks(path("limit.h5"))
    assert len(cluster.paused) == 2
    for pid in cluster.paused:
        os.kill(pid, signal.SIGSTOP)
    threading.Thread(target=go_on, daemon=True).start()


def go_on():
    wait_for("time signal", lambda: "asking for a checkpoint" in output(cluster.limited))
    for pid in cluster.paused:
        os.kill(pid, signal.SIGCONT)


def time_signal():
    job = solve("signal.h5", "-N1", "-n2")
    at_work(job, "signal.h5")
    cluster.ask("scancel", "-b", "-s", "USR1", job)
    finished(job, "signal.h5")


def time_limit():
    finished(cluster.limited, "limit.h5")
    assert "asking for a checkpoint" in output(cluster.limited)


def killed():
    """kill -9 of all ranks, of the step that holds the daemons of mpirun on the nodes, and of mpirun, in three jobs."""
    jobs = {run: solve(run, *flags.split()) for run, flags in (
        ("ranks.h5", "-N2 -n2 --ntasks-per-node=1"), ("step.h5", "-N2 -n3"), ("mpirun.h5", "-N1 -n1"))}
    for run, job in jobs.items():
        at_work(job, run)
        if run == "step.h5":
            cluster.ask("scancel", "-s", "KILL", f"{job}.0")
            continue
        mpirun = [pid for pid, a in descendants().items() if path(run) in a and os.path.basename(a[0]) == "mpirun"]
        pids = mpirun if run == "mpirun.h5" else cluster.ranks(path(run))
        assert len(pids) == (1 if run == "mpirun.h5" else 2)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
    for run, job in jobs.items():
        finished(job, run)


def stop_file():
    """A file STOP ends the job; the same line, on another number of ranks, goes on."""
    os.mkdir(path("stop"))
    job = solve("stop/run.h5", "-N1", "-n2")
    at_work(job, "stop/run.h5")
    open(path("stop/STOP"), "w").close()
    end = cluster.ended(job)
    assert (end["JobState"], end["ExitCode"], end["Restarts"]) == ("FAILED", "75:0", "0"), (end, output(job))
    finished(solve("stop/run.h5", "-N1", "-n1"), "stop/run.h5", restarts=0)


def bad_input():
    end = cluster.ended(solve("bad.h5", problem=("missing.yaml",)))
    assert (end["JobState"], end["ExitCode"], end["Restarts"]) == ("FAILED", "2:0", "0"), end


def no_start():
    """An mpirun that fails at first, as when a daemon does not start on a node."""
    with open(os.open(path("mpirun.sh"), os.O_CREAT | os.O_WRONLY, 0o755), "w") as f:
        f.write(f"#!/bin/sh\n[ -e {path('tried')} ] && exec mpirun \"$@\"\ntouch {path('tried')}\nexit 1\n")
    options = ("-space", "reachable", "-quantize_cells", "8,8", "-action_count", 8)
    job = solve("start.h5", problem=(f"{PROBLEMS}/iris/iris.yaml",), options=options, MPIRUN=path("mpirun.sh"))
    end = cluster.ended(job)
    assert (end["JobState"], end["Restarts"]) == ("COMPLETED", "0") and "exit 1: again" in output(job), (end, output(job))


def with_srun():
    """MPIRUN is words; srun starts the ranks, and hands the signal on. Virtual nodes share a name, so one node."""
    assert cluster.ended(solve("short.h5", "-N1", "-n2", options=SHORT))["JobState"] == "COMPLETED"
    job = solve("srun.h5", "-N1", "-n2", options=SHORT, MPIRUN="srun --mpi=pmix")
    at_work(job, "srun.h5")
    cluster.ask("scancel", "-b", "-s", "USR1", job)
    finished(job, "srun.h5", peace="short.h5")


def flow():
    """COMMAND=flow: stopped, requeued, and the steps of one in peace."""
    options = ("-init", "sample", "-starts", 12, "-tao_max_it", 40, "-scheme", "rk4", "-steps", 64, "-checkpoint_interval", 1)
    peace = solve("flow-peace.h5", "-N1", "-n1", options=options, COMMAND="flow")
    end = cluster.ended(peace)
    assert (end["JobState"], end["Restarts"]) == ("COMPLETED", "0"), (end, output(peace))
    job = solve("flow.h5", "-N1", "-n1", options=options, COMMAND="flow")
    at_work(job, "flow.h5")
    cluster.ask("scancel", "-b", "-s", "USR1", job)
    end = cluster.ended(job)
    assert (end["JobState"], end["Restarts"]) == ("COMPLETED", "1"), (end, output(job))
    one, other = contents("flow-peace.h5"), contents("flow.h5")
    assert set(one) == set(other) and "flow/gradient" in one and not [name for name in one if one[name] != other[name]], output(job)


def site():
    """Modules, srun, scratch: a site's script, interrupted; on a node's own disk, where checkpoints come back."""
    os.mkdir(path("scratch"))
    with open(os.open(path("module"), os.O_CREAT | os.O_WRONLY, 0o755), "w") as f:
        f.write(f"#!/bin/sh\necho \"$@\" >>{path('modules')}\n")
    for run, local in (("site.h5", {}), ("local.h5", {"SCRATCH_IS_LOCAL": "1"})):
        job = cluster.submit("-N1", "-n2", f"{JOBS}/site.sbatch", *XOR, path(run), *SHORT, BELLFORMER=BELLFORMER, BELLFORMER_JOBS=JOBS,
                             SCRATCH=path("scratch"), MODULES="openmpi/4.1 hdf5", PATH=cluster.folder + ":" + cluster.environment["PATH"], **local)
        await_of(job, lambda: glob.glob(path("scratch/*/result/*.checkpoint/*.h5")))
        cluster.ask("scancel", "-b", "-s", "USR1", job)
        if local:
            wait_for("checkpoint at home", lambda: glob.glob(path(run) + ".checkpoint/*.h5"))
            for name in glob.glob(path("scratch/*")):  # the next start is on another node
                subprocess.run(["rm", "-rf", name], check=True)
        finished(job, run, peace="short.h5")
        assert os.listdir(path("scratch")) == [], os.listdir(path("scratch"))
    assert read(path("modules")).splitlines() == ["load openmpi/4.1 hdf5"] * 4, read(path("modules"))


def lost_host():
    """mpirun's own 1, as when it has lost a host: the ranks have not said that they came to an end, so the job goes on."""
    with open(os.open(path("loses.sh"), os.O_CREAT | os.O_WRONLY, 0o755), "w") as f:
        f.write(f"#!/bin/sh\n[ -e {path('lost')} ] && exec mpirun \"$@\"\ntouch {path('lost')}\nmpirun \"$@\"\nexit 1\n")
    job = solve("lost.h5", "-N1", "-n2", options=SHORT, MPIRUN=path("loses.sh"))
    at_work(job, "lost.h5")
    for pid in cluster.ranks(path("lost.h5")):
        os.kill(pid, signal.SIGKILL)
    finished(job, "lost.h5", peace="short.h5")
    assert "killed, exit 1: requeueing" in output(job), output(job)


# Five points of a second or two, with checkpoints, and one that fails: its J is infinite. An option on the line is the points', also where parts are joined.
STUDY = f"""name: decay
problem: {PROBLEMS}/xor/xor.yaml
set: {{init: sample, tao_max_it: 40, scheme: rk4, steps: 64, checkpoint_interval: 0.2}}
vary:
  - {{cost.weight_decay: [0.001, 0.002, 0.003, 0.004, 0.005, 1e308]}}
runs: [{{command: flow}}]
measure: {{cost: flow/flow@cost}}
fit: [{{y: cost, x: cost.weight_decay}}]
"""


def study(name, *flags, options=(), **environment):
    with open(path("decay.yaml"), "w") as f:
        f.write(STUDY)
    return cluster.submit(*flags, f"{JOBS}/study.sbatch", path("decay.yaml"), path(name), *options, "-starts", 3, BELLFORMER=BELLFORMER, **environment)


def table(name):
    """What a study has found, as bytes: columns and fits."""
    with h5py.File(path(name)) as f:
        found = {(group, key): x[()].tobytes() for group in ("table", "means") for key, x in f[group].items() if hasattr(x, "dtype")}
        found.update({(name, key): str(value) for name, fit in f["fits"].items() for key, value in fit.attrs.items()})
        return found, int(f["study"].attrs["failed"])


def ranks_with(job, words):
    """The ranks of a task, by words of their command line, as soon as they run."""
    return await_of(job, lambda: [pid for pid, a in descendants().items()
                                  if set(words) <= set(a) and "\0OMPI_COMM_WORLD_RANK=" in read(f"/proc/{pid}/environ")])


def study_in_one():
    """One allocation, two groups; sent the time signal, requeued, goes on; the failing point is told, and the job fails with it."""
    job = study("one.h5", "-N1", "-n2")
    await_of(job, lambda: glob.glob(path("one.h5.checkpoint/points/*/*/*.h5.checkpoint/*.h5")))
    cluster.ask("scancel", "-b", "-s", "USR1", job)
    end = cluster.ended(job)
    assert (end["JobState"], end["ExitCode"], end["Restarts"]) == ("FAILED", "1:0", "1"), (end, output(job))
    assert "J is infinite at every start" in output(job) and "requeueing" in output(job), output(job)
    assert table("one.h5")[1] == 1 and not os.path.exists(path("one.h5.checkpoint")), output(job)


def study_array():
    """Two tasks; the ranks of one are killed: it is requeued, and no other; then the parts are joined, without
    the options of runs: the bits of one allocation."""
    array = study("array.h5", "-N1", "-n1", "--array=1-2", options=("-retry", "true", "-ranks", 1, "-keep"))
    killed = array + "_1"
    pids = ranks_with(killed, ("-part", "1/2"))
    await_of(killed, lambda: glob.glob(path("array.part-1-of-2.h5.checkpoint/points/*/*/*.h5.checkpoint/*.h5")))
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    ends = [cluster.ended(f"{array}_{i}") for i in (1, 2)]
    said = "".join(read(name) for name in glob.glob(path("bellformer-study-*.out")))
    assert [end["Restarts"] for end in ends] == ["1", "0"], (ends, said)
    assert sorted(end["ExitCode"] for end in ends) in (["0:0", "1:0"], ["1:0", "1:0"]), (ends, said)
    assert table("array.h5") == table("one.h5"), said


def stops():
    killed = cluster.stop()
    assert not killed and not descendants(), (killed, descendants())


def terminated(*_):
    raise SystemExit("terminated")


signal.signal(signal.SIGTERM, terminated)
checks = [(function.__name__.replace("_", " "), function) for function in (
    starts, pause, peace, time_signal, killed, stop_file, bad_input, no_start, with_srun, flow, site, lost_host, time_limit, study_in_one, study_array, stops)]
only = [a for a in sys.argv[1:] if a != "-v"]  # names of checks that need no other
checks = [c for c in checks if not only or c[0] in ("starts", "stops", *only)]
if "-v" in sys.argv:
    began = time.time()
    checks = [(name, lambda f=f: (f(), print("# %.0f s" % (time.time() - began)))) for name, f in checks]
try:
    tap(checks)
finally:
    cluster.stop()
