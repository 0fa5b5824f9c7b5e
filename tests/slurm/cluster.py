"""A SLURM of two nodes on the loopback of this machine, in a temporary folder; as root or as an ordinary user.

munged, slurmctld and two slurmd stay in the foreground, as children. Steps are orphaned by their slurmd, so this process
becomes the one to which orphans go: everything that the cluster started stays a descendant, and stop() finds it.
"""
import ctypes
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from harness import PATIENCE

# Requeueing waits for cred_expire, which is 120 s by default. A node has 4 CPUs, whatever the machine has.
CONFIGURATION = """
ClusterName=local
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={d}/munge/munge.sock,cred_expire=5
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={d}/state
SlurmdSpoolDir={d}/spool/%n
SlurmctldPidFile={d}/pid/slurmctld.pid
SlurmdPidFile={d}/pid/slurmd.%n.pid
SlurmctldLogFile={d}/log/slurmctld.log
SlurmdLogFile={d}/log/slurmd.%n.log
PlugStackConfig={d}/plugstack.conf
MailProg=/bin/true
TmpFS={d}/tmp/%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0
SlurmdParameters=config_overrides
JobRequeue=1
ReturnToService=2
KillWait=3
SlurmdTimeout=12
SlurmctldTimeout=10
InactiveLimit=0
MinJobAge=3600
MessageTimeout=5
UnkillableStepTimeout=10
NodeName=DEFAULT CPUs=4 State=UNKNOWN
NodeName=node1 NodeHostname=localhost NodeAddr=127.0.0.1 Port={ports[1]}
NodeName=node2 NodeHostname=localhost NodeAddr=127.0.0.1 Port={ports[2]}
PartitionName=test Nodes=node[1-2] Default=YES MaxTime=INFINITE DefaultTime=30 OverTimeLimit=0 State=UP
"""
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "scancel", "sinfo")
USER = pwd.getpwuid(os.getuid()).pw_name
PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"


def missing():
    return [program for program in PROGRAMS if not shutil.which(program, path=PATH)]


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def read(path):
    try:
        with open(path, "rb") as f:
            return f.read().decode(errors="replace")
    except OSError:  # not there (any more), or a process of somebody else
        return ""


def descendants():
    """Processes under this one that live: pid -> arguments."""
    parent = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        fields = read(path).rpartition(")")[2].split()
        if fields and fields[0] != "Z":
            parent[int(path.split("/")[2])] = int(fields[1])
    found, grown = {os.getpid()}, True
    while grown:
        more = {pid for pid, above in parent.items() if above in found} - found
        found, grown = found | more, bool(more)
    return {pid: read(f"/proc/{pid}/cmdline").split("\0") for pid in found - {os.getpid()}}


def wait_for(what, condition, seconds=PATIENCE, pause=0.1):
    """The first true answer of condition()."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = condition()
        if answer:
            return answer
        time.sleep(pause)
    raise AssertionError(f"{what}: not within {seconds} s")


class Cluster:
    def __init__(self):
        ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER
        self.folder = d = tempfile.mkdtemp(prefix="bf_slurm_")
        # Windows of MPI shared memory: a folder of their own, since killed ranks leave them.
        self.shared = tempfile.mkdtemp(prefix="bf_slurm_", dir="/dev/shm")
        os.chmod(d, 0o711)
        for name in ("munge", "state", "spool/node1", "spool/node2", "tmp/node1", "tmp/node2", "pid", "log", "mpi"):
            os.makedirs(os.path.join(d, name))
        os.chmod(os.path.join(d, "munge"), 0o711)
        with open(os.open(f"{d}/munge/key", os.O_CREAT | os.O_WRONLY, 0o600), "wb") as f:
            f.write(os.urandom(128))
        open(f"{d}/plugstack.conf", "w").close()
        with open(f"{d}/slurm.conf", "w") as f:
            f.write(CONFIGURATION.format(d=d, user=USER, ports=free_ports(3)))
        # Both nodes have one name here, and Open MPI must not take them for one: ranks talk by TCP.
        self.environment = {**os.environ, "PATH": PATH, "SLURM_CONF": f"{d}/slurm.conf", "OMPI_MCA_pml": "ob1",
                            "OMPI_MCA_btl": "self,tcp", "OMPI_MCA_btl_tcp_if_include": "lo", "OMPI_MCA_oob_tcp_if_include": "lo",
                            "OMPI_MCA_osc_sm_backing_directory": self.shared, "OMPI_MCA_osc_rdma_backing_directory": self.shared,
                            "OMPI_MCA_orte_tmpdir_base": f"{d}/mpi"}
        self.daemons = []

    def start(self):
        m = self.folder + "/munge/"
        self.daemon("munged", "-F", f"--key-file={m}key", f"--socket={m}munge.sock", f"--pid-file={m}pid", f"--log-file={m}log",
                    f"--seed-file={m}seed")
        wait_for("munge's socket", lambda: os.path.exists(m + "munge.sock"))
        self.daemon("slurmctld", "-D")
        self.daemon("slurmd", "-D", "-N", "node1")
        self.daemon("slurmd", "-D", "-N", "node2")
        wait_for("two idle nodes", lambda: self.ask("sinfo", "-h", "-o", "%T %D", check=False).split() == ["idle", "2"])

    def daemon(self, *command):
        with open(f"{self.folder}/log/{command[0]}.out", "ab") as log:
            self.daemons.append(subprocess.Popen(command, env=self.environment, stdout=log, stderr=log,
                                                 stdin=subprocess.DEVNULL, start_new_session=True))

    def ask(self, *command, check=True, **environment):
        done = subprocess.run(command, env={**self.environment, **environment}, capture_output=True, text=True, timeout=PATIENCE,
                              cwd=self.folder)
        assert done.returncode == 0 or not check, (command, done.stderr + done.stdout)
        return done.stdout

    def submit(self, *arguments, **environment):
        return self.ask("sbatch", "--parsable", *map(str, arguments), **environment).strip()

    def show(self, job):
        """What `scontrol show job` says of one job, or of one task of an array: {"JobState": ..., "Restarts": ...}."""
        words = self.ask("scontrol", "-o", "show", "job", job).split()
        return dict(word.split("=", 1) for word in words if "=" in word)

    def state(self, job):
        return self.show(job)["JobState"]

    def ended(self, job):
        wait_for(f"end of job {job}",
                 lambda: self.state(job) not in ("PENDING", "RUNNING", "COMPLETING", "CONFIGURING", "REQUEUED", "SUSPENDED"))
        return self.show(job)

    def ranks(self, run):
        """The processes of the MPI ranks that write to run."""
        return [pid for pid, arguments in descendants().items()
                if run in arguments and "\0OMPI_COMM_WORLD_RANK=" in read(f"/proc/{pid}/environ")]

    def stop(self):
        """End everything that was started; what had to be killed."""
        if len(self.daemons) > 1:
            subprocess.run(["timeout", "10", "scancel", "--user", USER], env=self.environment, check=False)
        end = time.time() + 8  # steps end after KillWait at the latest
        while time.time() < end and len(descendants()) > len(self.daemons):
            time.sleep(0.1)
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        self.daemons, killed = [], []
        while left := descendants():
            for pid, arguments in left.items():
                killed.append(" ".join(arguments))
                os.kill(pid, signal.SIGCONT)
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.2)
        try:
            while True:  # orphans that have ended
                os.waitpid(-1, 0)
        except ChildProcessError:
            pass
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.shared, ignore_errors=True)
        return killed
