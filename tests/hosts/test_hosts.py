"""Between two hosts: the bits of one host, and runs whose other host dies or is cut off end soon, in a line, and go on elsewhere."""
import glob
import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "solve"), HERE]
from bits import difference  # noqa: E402
from harness import BELLFORMER, PATIENCE, Result, tap  # noqa: E402
from hosts import NAMES, Hosts, missing, wait_for  # noqa: E402

PROBLEMS = os.environ["BELLFORMER_PROBLEMS"]
XOR, IRIS = os.path.join(PROBLEMS, "xor", "xor.yaml"), os.path.join(PROBLEMS, "iris", "iris.yaml")
# Some seconds on two ranks; a checkpoint after every piece of work.
LONG = ["solve", XOR, "-space", "full", "-horizon", 6, "-quantize_cells", "5,1", "-control_V_form", "full", "-checkpoint_interval", 0,
        "-store_value", 0, "-store_policy", 0]
FLOW = ["flow", XOR, "-init", "sample", "-starts", 2, "-tao_max_it", 30]
# What jobs/solve.sbatch gives in minutes, in seconds.
SOON = {"OMPI_MCA_oob_tcp_keepalive_time": "4", "OMPI_MCA_oob_tcp_keepalive_intvl": "1", "OMPI_MCA_oob_tcp_keepalive_probes": "4"}
TIMEOUT, BOUND = 5, 40  # seconds: of -link_timeout, and within which a run must have ended

if missing():
    print("1..0 # SKIP", missing())
    sys.exit(0)
hosts = Hosts()


def path(name):
    return os.path.join(hosts.folder, name)


def command(where, arguments):
    return ["mpirun", "--quiet", "--host", ",".join("%s:1" % name for name in where), BELLFORMER, *arguments]


def run(arguments, where=NAMES, on=None, **environment):
    process = hosts.popen(on or where[0], command(where, arguments), **environment)
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def well(arguments, where=NAMES, on=None):
    """What it prints. (mpirun warns where its remote shell is the program already, as on a busy machine.)"""
    status, out, err = run(arguments, where, on)
    said = [line for line in err.splitlines() if not line.startswith("bellformer: warning: ") and "] plm:rsh: Warning: setpgid(" not in line]
    assert status == 0 and not said, (status, err, out)
    return out


def recognised():
    out = well(["solve", XOR, "-space", "reachable"])
    assert "over 2 ranks on 2 nodes" in out, out


def bits(name, *arguments):
    """On two hosts as on one."""
    well([*arguments, "-o", path("one.h5"), "-overwrite"], NAMES[:1])
    well([*arguments, "-o", path("two.h5"), "-overwrite"])
    assert not difference(Result(path("one.h5")), Result(path("two.h5"))), name


def restarted(name, *arguments):
    """Stopped on two hosts, gone on on one, stopped, ended on two."""
    well([*arguments, "-o", path("whole.h5"), "-overwrite"], NAMES[:1])
    out, stops = path("%s.h5" % name), 0
    for where in (NAMES, NAMES[1:], NAMES):
        status, _, err = run([*arguments, "-o", out, "-restart", "auto", "-maxh", 1e-9, "-checkpoint_interval", 0], where)
        assert status in (0, 75), (status, err)
        stops += status == 75
    assert stops >= 2, stops
    if stops == 3:
        well([arguments[0], "-restart", out], NAMES)
    assert not difference(Result(path("whole.h5")), Result(out)), name


def study():
    """Groups on two hosts, which share no memory to deal points by."""
    words = ["study", IRIS, "-vary", "action_count 8 2 3 4; action_seed 1 2", "-horizon", 2, "-ranks", 1, "-measure", "cost,loss"]
    well([*words, "-o", path("alone.h5")], NAMES[:1])
    status, _, err = run([*words, "-o", path("both.h5"), "-maxh", 1e-9])
    assert status == 75 and "the same line goes on" in err, (status, err)
    well([*words, "-o", path("both.h5")])
    with open(path("alone.csv")) as one, open(path("both.csv")) as two:
        assert one.read() == two.read()
    assert not os.path.exists(path("both.h5.checkpoint"))


def reference():
    """The uninterrupted run, on one host, for those below."""
    if not os.path.exists(path("peace.h5")):
        well([*LONG, "-o", path("peace.h5")], NAMES[:1])
    return Result(path("peace.h5"))


def begun(out):
    wait_for("checkpoint of %s among %s" % (out, [hosts.arguments(pid)[:3] for name in NAMES for pid in hosts.pids(name)]),
             lambda: len(glob.glob(out + ".checkpoint/*.h5")) > 1)


def in_mid_layer(out):
    begun(out)
    wait_for("piece of work between two writes", lambda: not glob.glob(out + ".checkpoint/*.part"))


def in_a_write(out):
    begun(out)
    wait_for("checkpoint that is being written", lambda: glob.glob(out + ".checkpoint/*.part"))


def lost(name, when, harm, survivor, words):
    """A host is lost; the run ends soon, and the other host, or that one alone, goes on from what stands to the same bits."""
    wanted, out = reference(), path("%s.h5" % name)
    process = hosts.popen(NAMES[0], command(NAMES, [*LONG, "-o", out, "-link_timeout", TIMEOUT]), **SOON)
    when(out)
    began = time.time()
    harm(NAMES[1])
    try:
        said, err = process.communicate(timeout=BOUND)
        seconds = time.time() - began
        assert process.returncode not in (0, 75), (process.returncode, said, err)
        lines = [line for line in err.splitlines() if line.startswith("bellformer: ")]
        # Where nobody has said why, a rank that mpirun ends tells what stands, if it is given the time.
        assert len(lines) == 1 if words else all("interrupted: checkpoint" in line for line in lines) and len(lines) <= 1, err
        assert all(word in err for word in words), err
        assert glob.glob(out + ".checkpoint/*.h5") and not os.path.exists(out), os.listdir(hosts.folder)
        wait_for("end of the ranks on the other host", lambda: not hosts.pids(NAMES[1]), BOUND)
        well(["solve", "-restart", out], (survivor,))  # while the link is still down
        assert not difference(wanted, Result(out)), name
        left = [n for n in os.listdir(hosts.folder) if n.startswith(name) and n != name + ".h5"]
        assert not left, left
        print("# ended after %.1f s, exit %d" % (seconds, process.returncode))
    finally:
        hosts.mend(NAMES[1])


def link_of_ranks_alone():
    """The ranks' own network is cut, mpirun's is not: Open MPI would wait for ever."""
    out = path("data.h5")
    process = hosts.popen(NAMES[0], command(NAMES, [*LONG, "-o", out, "-link_timeout", TIMEOUT]), OMPI_MCA_btl_tcp_if_include="10.78.0.0/24")
    in_mid_layer(out)
    hosts.cut(NAMES[1], "data")
    try:
        _, err = process.communicate(timeout=BOUND)
        lines = [line for line in err.splitlines() if line.startswith("bellformer: ")]
        assert process.returncode == 1 and len(lines) == 1 and "no sign of life from 10.78.0.2 for 5 s" in lines[0], (process.returncode, err)
        wait_for("end of the ranks on the other host", lambda: not hosts.pids(NAMES[1]), BOUND)
    finally:
        hosts.mend(NAMES[1], "data")
    well(["solve", "-restart", out])
    assert not difference(reference(), Result(out))


def slow_host():
    """A host that answers, and whose rank stands still for longer than the time-out, is waited for."""
    out = path("slow.h5")
    process = hosts.popen(NAMES[0], command(NAMES, [*LONG, "-o", out, "-link_timeout", 2]))
    in_mid_layer(out)
    ranks = [pid for pid in hosts.pids(NAMES[1]) if out in hosts.arguments(pid) and "bellformer" in hosts.arguments(pid)[0]]
    assert len(ranks) == 1, ranks
    os.kill(ranks[0], signal.SIGSTOP)
    time.sleep(7)
    assert process.poll() is None
    os.kill(ranks[0], signal.SIGCONT)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert not difference(reference(), Result(out))


def locks_seen(out, **environment):
    """Names of lock files that have been there while three checkpoints were written; then the run is killed."""
    process, names, until = hosts.popen(NAMES[0], command(NAMES, [*LONG, "-o", out]), **environment), set(), time.time() + PATIENCE
    while sum(name.endswith(".part") for name in names) < 3:
        assert process.poll() is None and time.time() < until, names
        names |= {os.path.basename(name) for name in glob.glob(out + ".*") + glob.glob(out + ".checkpoint/*")}
        time.sleep(0.001)
    hosts.kill(NAMES[1])
    process.communicate(timeout=BOUND)
    return {name for name in names if name.endswith(".lock")}


def lock_files():
    """Open MPI's lock files beside a temporary file: none while a run writes, unless it is told to have them; and those of earlier versions go."""
    assert locks_seen(path("locked.h5"), OMPI_MCA_sharedfp="lockedfile"), "they would not be seen"
    out = path("lock.h5")
    stale, other = out + ".part-3676831745-25901.lock", out + ".part-of-mine.lock"
    for name in (stale, other):
        open(name, "w").close()
    assert locks_seen(out) <= {os.path.basename(stale), os.path.basename(other)}, os.listdir(hosts.folder)
    left = {os.path.basename(n) for n in glob.glob(out + "*")}
    assert {"lock.h5.checkpoint", os.path.basename(other)} <= left <= {"lock.h5.checkpoint", "lock.h5.part", os.path.basename(other)}, left
    assert not [n for n in os.listdir(out + ".checkpoint") if n.endswith(".lock")]


WORDS = ["no sign of life from 10.77.0.2 for 5 s", "its last checkpoint stands"]
CHECKS = [
    ("two nodes are recognised", recognised),
    ("the bits of one host: full space", lambda: bits("full", "solve", XOR, "-space", "full", "-quantize_cells", "2,2")),
    ("the bits of one host: reachable space", lambda: bits("reachable", "solve", IRIS, "-space", "reachable", "-action_count", 16)),
    ("the bits of one host: flow", lambda: bits("flow", *FLOW)),
    ("a study in groups on both", study),
    ("stopped and gone on: full space", lambda: restarted("r-full", "solve", XOR, "-space", "full", "-quantize_cells", "3,2", "-horizon", 4, "-sync", "allgather")),
    ("stopped and gone on: reachable space", lambda: restarted("r-reachable", "solve", IRIS, "-space", "reachable", "-action_count", 16)),
    ("stopped and gone on: flow", lambda: restarted("r-flow", *FLOW)),
    ("a host's processes killed in mid-layer", lambda: lost("kill", in_mid_layer, hosts.kill, NAMES[0], [])),
    ("a host's processes killed in a checkpoint's write", lambda: lost("kill-write", in_a_write, hosts.kill, NAMES[1], [])),
    ("a link down in mid-layer", lambda: lost("link", in_mid_layer, hosts.cut, NAMES[0], WORDS)),
    ("a link down in a checkpoint's write", lambda: lost("link-write", in_a_write, hosts.cut, NAMES[1], WORDS)),
    ("the ranks' own link down", link_of_ranks_alone),
    ("a slow host is waited for", slow_host),
    ("no lock files", lock_files),
]


def terminated(*_):
    raise SystemExit("terminated")


signal.signal(signal.SIGTERM, terminated)
wanted = [a for a in sys.argv[1:] if a != "-v"]
checks = [c for c in CHECKS if not wanted or any(w in c[0] for w in wanted)]
if "-v" in sys.argv:
    began = time.time()
    checks = [(name, lambda f=f: (f(), print("# %.0f s" % (time.time() - began)))) for name, f in checks]
try:
    hosts.start()
    tap(checks)
finally:
    hosts.stop()
