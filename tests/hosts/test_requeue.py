"""A SLURM of two hosts: a job goes on by itself, on what is left, where one is drained, dies, or loses its link."""
import glob
import os
import signal
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "solve"), HERE]
import hosts as machines  # noqa: E402
from harness import BELLFORMER, Result, tap  # noqa: E402
from host_cluster import HostCluster, NAMES, cluster as one  # noqa: E402
from bits import difference  # noqa: E402

JOBS = os.path.join(HERE, "..", "..", "jobs")
XOR = os.path.join(os.environ["BELLFORMER_PROBLEMS"], "xor", "xor.yaml")
OPTIONS = ["-space", "full", "-horizon", 12, "-quantize_cells", "5,1", "-control_V_form", "full", "-checkpoint_interval", 0, "-store_value", 0,
           "-store_policy", 0, "-link_timeout", 5]
SOON = {"OMPI_MCA_oob_tcp_keepalive_time": "4", "OMPI_MCA_oob_tcp_keepalive_intvl": "1", "OMPI_MCA_oob_tcp_keepalive_probes": "4"}

lacking = machines.missing() or " ".join(one.missing())
if lacking:
    print("1..0 # SKIP", lacking)
    sys.exit(0)
cluster = HostCluster()


def path(name):
    return os.path.join(cluster.folder, name)


def output(job):
    return "".join(one.read(name) for name in sorted(glob.glob(path(f"*-{job}.out"))))


def submit(run, *flags):
    return cluster.submit(*flags, f"{JOBS}/solve.sbatch", XOR, path(run), *OPTIONS, BELLFORMER=BELLFORMER, **SOON)


def at_work(job, run):
    """On both hosts, with a checkpoint of its own."""
    one.wait_for(f"checkpoint of job {job}", lambda: len(glob.glob(path(run) + ".checkpoint/*.h5")) > 1 or
                 cluster.state(job) not in ("PENDING", "CONFIGURING", "RUNNING"))
    assert cluster.state(job) == "RUNNING" and cluster.show(job)["NumNodes"] == "2", (cluster.show(job), output(job))


def finished(job, run, words, nodes):
    """It has requeued itself, pends for two nodes, takes one, and ends there with the bits of the run in peace."""
    one.wait_for(f"requeue of job {job}", lambda: cluster.state(job) == "PENDING")
    cluster.ask("scontrol", "update", "jobid=" + job, "NumNodes=1", "NumTasks=1")
    end = cluster.ended(job)
    said = output(job)
    assert (end["JobState"], end["ExitCode"]) == ("COMPLETED", "0:0") and int(end["Restarts"]) >= 1, (end, said)
    assert end["NodeList"] == nodes and all(word in said for word in words), (end, said)
    lines = [line for line in said.splitlines() if line.startswith("bellformer: no sign")]
    assert len(lines) <= 1, said
    assert not difference(Result(path("peace.h5")), Result(path(run))), said
    assert not glob.glob(path(run) + ".*"), glob.glob(path(run) + ".*")


def starts():
    cluster.start()


def peace():
    job = submit("peace.h5", "-N2", "--ntasks-per-node=1")
    end = cluster.ended(job)
    assert (end["JobState"], end["Restarts"]) == ("COMPLETED", "0") and "over 2 ranks on 2 nodes" in output(job), (end, output(job))


def drain(name):
    """The node is to be emptied: the job is asked for a checkpoint."""
    cluster.ask("scontrol", "update", "nodename=" + name, "state=drain", "reason=test")


def resume(name):
    cluster.ask("scontrol", "update", "nodename=" + name, "state=resume")


def requeued(run, harm, name, mend, words=()):
    """A job on both nodes, of which one is harmed, goes on on the other; the node comes back, but one whose link was cut not soon."""
    def check():
        cluster.idle(2)
        job = submit(run, "-N2", "--ntasks-per-node=1")
        at_work(job, run)
        harm(name)
        if harm is drain:
            cluster.ask("scancel", "-b", "-s", "USR1", job)
        finished(job, run, words, NAMES[name == NAMES[0]])
        mend(name)
    return check


def terminated(*_):
    raise SystemExit("terminated")


signal.signal(signal.SIGTERM, terminated)
kill, cut = cluster.hosts.kill, cluster.hosts.cut  # every process of a node, SLURM's daemon too; its link
checks = [("starts", starts), ("peace", peace),
          ("drained", requeued("drained.h5", drain, NAMES[1], resume, ["stopped early, with a checkpoint: requeueing"])),
          ("dies", requeued("dies.h5", kill, NAMES[1], cluster.slurmd)),
          # where mpirun and the job's script are: SLURM alone requeues it
          ("the first dies", requeued("first.h5", kill, NAMES[0], cluster.slurmd)),
          ("link", requeued("link.h5", cut, NAMES[1], cluster.hosts.mend))]
try:
    tap(checks)
finally:
    cluster.stop()
