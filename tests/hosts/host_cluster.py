"""A SLURM whose two nodes are the hosts of hosts.py; its controller is a third machine, where this process is."""
import os
import socket
import subprocess

from hosts import ADDRESS, NAMES, Hosts, cluster

CONTROLLER = "10.77.0.254"


def configuration():
    """That of cluster.py, with two addresses in place of two ports."""
    lines = [line for line in cluster.CONFIGURATION.splitlines() if not line.startswith(("NodeName=node", "CommunicationParameters", "SlurmctldHost"))]
    lines += ["SlurmctldHost=%s(%s)" % (socket.gethostname(), CONTROLLER)]
    lines += ["NodeName=%s NodeHostname=%s NodeAddr=%s Port={ports[%d]}" % (n, n, ADDRESS[n], i + 1) for i, n in enumerate(NAMES)]
    text = "\n".join(line for line in lines if not line.startswith("PartitionName"))
    return text + "\nPartitionName=test Nodes=%s Default=YES MaxTime=INFINITE DefaultTime=30 OverTimeLimit=0 State=UP\n" % ",".join(NAMES)


class HostCluster(cluster.Cluster):
    def __init__(self):
        super().__init__()
        self.hosts = Hosts()
        for name in NAMES:
            for top in ("spool", "tmp"):
                os.makedirs(os.path.join(self.folder, top, name))
        with open(os.path.join(self.folder, "slurm.conf"), "w") as f:
            f.write(configuration().format(d=self.folder, user=cluster.USER, ports=cluster.free_ports(3)))
        for key in [key for key in self.environment if key.startswith(("OMPI_MCA_btl", "OMPI_MCA_pml", "OMPI_MCA_oob", "OMPI_MCA_osc"))]:
            del self.environment[key]  # what ranks of one name need
        self.environment.update({key: self.hosts.environment[key] for key in self.hosts.environment if key.startswith("OMPI_MCA_") and "rsh" not in key})

    def start(self):
        self.hosts.start()
        self.hosts.sh("ip address add %s/24 dev main" % CONTROLLER)
        m = self.folder + "/munge/"
        self.daemon("munged", "-F", f"--key-file={m}key", f"--socket={m}munge.sock", f"--pid-file={m}pid", f"--log-file={m}log",
                    f"--seed-file={m}seed")
        cluster.wait_for("munge's socket", lambda: os.path.exists(m + "munge.sock"))
        self.daemon("slurmctld", "-D")
        for name in NAMES:
            self.slurmd(name)
        self.idle(2)

    def slurmd(self, name):
        """Start a host's daemon, also after the host was killed."""
        with open(f"{self.folder}/log/slurmd.out", "ab") as log:
            self.hosts.started.append(subprocess.Popen([*self.hosts.enter(self.hosts.init[name].pid), "slurmd", "-D", "-N", name], env=self.environment,
                                                       stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True))

    def idle(self, count):
        cluster.wait_for("%d idle nodes" % count, lambda: ["idle", str(count)] in
                         [line.split() for line in self.ask("sinfo", "-h", "-o", "%T %D", check=False).splitlines()])

    def stop(self):
        subprocess.run(["timeout", "10", "scancel", "--user", cluster.USER], env=self.environment, check=False)
        self.hosts.stop()
        return super().stop()
