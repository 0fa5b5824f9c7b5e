"""An installation of the build that BELLFORMER is in, in a temporary folder, from which it may be moved; and what is compiled against it."""
import os
import re
import shlex
import subprocess

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
EXAMPLES = os.path.join(ROOT, "share", "examples")
BUILD = os.path.dirname(os.environ["BELLFORMER"])


class Installed:
    def __init__(self, folder):
        self.folder = folder
        first = os.path.join(folder, "first")
        subprocess.run(["meson", "install", "-C", BUILD, "--destdir", first, "--no-rebuild", "--quiet"], check=True, capture_output=True)
        inner = next(top for top, folders, _ in os.walk(first) if "bin" in folders)
        self.prefix = os.path.join(folder, "home")
        os.rename(inner, self.prefix)  # it is found by where it stands
        pc = next(top for top, _, files in os.walk(self.prefix) if "bellformer.pc" in files)
        self.library_folder = os.path.dirname(pc)
        self.settle(os.path.join(pc, "bellformer.pc"))
        self.environment = {**os.environ, "PKG_CONFIG_PATH": pc + ":" + os.environ.get("PKG_CONFIG_PATH", "")}
        self.environment.pop("LD_LIBRARY_PATH", None)
        self.program = os.path.join(self.prefix, "bin", "bellformer")

    def settle(self, pc):
        """A build folder that was made before bellformer.pc could be moved keeps its old setting, and the file names another place."""
        with open(pc) as f:
            text = f.read()
        if "prefix=${pcfiledir}" not in text:
            with open(pc, "w") as f:
                f.write(re.sub(r"^prefix=.*$", "prefix=" + self.prefix, text, flags=re.M))

    def flags(self, *words):
        done = subprocess.run(["pkg-config", *words, "bellformer"], env=self.environment, capture_output=True, text=True, check=True)
        return shlex.split(done.stdout)

    def compile(self, source, out, *options, compiler="cc", flags=None):
        """Without a warning; the path of what came."""
        path = os.path.join(self.folder, out)
        words = self.flags("--cflags", "--libs") if flags is None else flags
        done = subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-Werror", source, "-o", path, *options, *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return path

    def plugin(self, source, out, *options):
        return self.compile(source, out, "-shared", "-fPIC", *options)

    def run(self, words, ranks=0, program=None, **more):
        command = ["mpirun", "--quiet", "-n", str(ranks)] if ranks else []
        return subprocess.run(command + [program or self.program] + [str(w) for w in words], capture_output=True, text=True, timeout=120,
                              env={**self.environment, **more}, cwd=self.folder)
