"""Two hosts made of namespaces: each with its own network, name, /dev/shm and /etc/hosts, on one bridge. Needs root.

This process moves into a network of its own first, so that nothing of it is seen outside, and all goes when it ends. Folders are
shared, as by a cluster's file system.
"""
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "slurm"), os.path.join(HERE, "..", "solve")]  # of cluster, and what it takes
import cluster  # noqa: E402

CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000
PROGRAMS = ("ip", "nsenter", "unshare", "mount", "hostname", "mpirun")
PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"
NAMES = ("bfone", "bftwo")
ADDRESS = {"bfone": "10.77.0.1", "bftwo": "10.77.0.2"}


def missing():
    """Why there can be no hosts here; empty where there can."""
    if os.geteuid():
        return "not root"
    lacking = [program for program in PROGRAMS if not shutil.which(program, path=PATH)]
    if lacking:
        return "not installed (iproute2, util-linux): " + " ".join(lacking)
    done = subprocess.run(["unshare", "--net", "--uts", "--mount", "sh", "-c",
                           "mount -t tmpfs none /dev/shm && hostname none && ip link add one type veth peer name other && "
                           "ip link add net0 type bridge"], capture_output=True, text=True, env={**os.environ, "PATH": PATH})
    return "" if done.returncode == 0 else "namespaces are not allowed: " + done.stderr.strip().replace("\n", "; ")


def wait_for(what, condition, seconds=cluster.PATIENCE):
    """At once: what is done to a run must hit the moment."""
    return cluster.wait_for(what, condition, seconds, 0.002)


class Hosts:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="bf_hosts_")
        self.network, self.init, self.started = {}, {}, []  # each host's network and first process; what was started
        self.environment = {**os.environ, "PATH": PATH, "OMPI_MCA_hwloc_base_binding_policy": "none",  # a host thinks all cores its own
                            "OMPI_MCA_oob_tcp_if_include": "10.77.0.0/24", "OMPI_MCA_btl_tcp_if_include": "10.77.0.0/24",
                            "OMPI_MCA_plm_rsh_agent": os.path.join(self.folder, "shell")}

    def start(self):
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET | CLONE_NEWNS):
            raise OSError(ctypes.get_errno(), "unshare")
        self.sh("mount --make-rprivate / && ip link set lo up && "
                "for b in main data; do ip link add $b type bridge && ip link set $b up; done")
        self.write("hosts", "127.0.0.1 localhost\n" + "".join("%s %s\n" % (ADDRESS[name], name) for name in NAMES))
        self.write("shell", "#!/bin/sh\n# mpirun's remote shell: HOST COMMAND\npid=$(cat %s/pid.$1); shift\n"
                   "exec %s sh -c \"$*\"\n" % (self.folder, " ".join(self.enter("$pid"))), 0o755)
        for name in NAMES:
            self.boot(name)
            self.connect(name)

    def write(self, name, text, mode=0o644):
        with open(os.open(os.path.join(self.folder, name), os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode), "w") as f:
            f.write(text)

    def sh(self, script, inside=None):
        done = subprocess.run([*(self.enter(self.init[inside].pid) if inside else []), "sh", "-ec", script], capture_output=True, text=True,
                              env=self.environment, timeout=cluster.PATIENCE)
        assert done.returncode == 0, (script, done.stderr)
        return done.stdout

    @staticmethod
    def enter(pid):
        return ["nsenter", "--target", str(pid), "--net", "--uts", "--mount", "--"]

    def boot(self, name):
        ready = os.path.join(self.folder, "ready." + name)
        script = ("hostname %s; mount --make-rprivate /; mount -t tmpfs -o size=1g tmpfs /dev/shm; mount --bind %s/hosts /etc/hosts; "
                  "ip link set lo up; touch %s; exec sleep infinity" % (name, self.folder, ready))
        self.init[name] = subprocess.Popen(["unshare", "--net", "--uts", "--mount", "sh", "-ec", script], env=self.environment,
                                           stdin=subprocess.DEVNULL, start_new_session=True)
        wait_for("host " + name, lambda: os.path.exists(ready))
        self.network[name] = os.readlink("/proc/%d/ns/net" % self.init[name].pid)
        self.write("pid." + name, "%d\n" % self.init[name].pid)

    def connect(self, name):
        """Two networks, as a cluster has: one for mpirun and all else, one for `data` that is used where it is asked for."""
        for i, (network, number) in enumerate((("main", "77"), ("data", "78"))):
            self.sh("ip link add {net}.{n} type veth peer name eth{i} netns {pid} && ip link set {net}.{n} master {net} up"
                    .format(net=network, n=name, i=i, pid=self.init[name].pid))
            self.sh("ip address add {a}/24 dev eth{i} && ip link set eth{i} up".format(a=ADDRESS[name].replace("77", number), i=i), inside=name)

    def cut(self, name, network="main"):
        self.sh("ip link set %s.%s down" % (network, name))

    def mend(self, name, network="main"):
        self.sh("ip link set %s.%s up" % (network, name))
        for host in NAMES:  # what the kernel has given up as unreachable, mpirun would, too, and wait
            self.sh("ip neighbour flush all", inside=host)

    @staticmethod
    def arguments(pid):
        return cluster.read("/proc/%d/cmdline" % pid).split("\0")

    def pids(self, name):
        """Processes of a host other than its first."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink("/proc/%s/ns/net" % pid) == self.network[name] and int(pid) != self.init[name].pid:
                    found.append(int(pid))
            except OSError:
                pass  # it has ended
        return found

    def kill(self, name):
        """Every process of a host at once, but for the first."""
        for pid in self.pids(name):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def popen(self, name, command, **environment):
        process = subprocess.Popen([*self.enter(self.init[name].pid), *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env={**self.environment, **environment}, cwd=self.folder, stdin=subprocess.DEVNULL)
        self.started.append(process)
        return process

    def stop(self):
        for name, init in self.init.items():
            while self.pids(name):
                self.kill(name)
            init.kill()
            init.wait()
        for process in self.started:
            process.communicate()
        self.init, self.started = {}, []
        shutil.rmtree(self.folder, ignore_errors=True)
