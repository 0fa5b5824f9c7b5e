"""share/examples/embed built against an installation, shared and static, as C and from C++, and run: the bits of the program's own result of
the same problem in YAML, which `bellformer eval` reads; other data by the formula."""
import os
import subprocess
import sys
import tempfile

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "solve"), os.path.join(HERE, "..", "..", "share", "python")]
import bellformer  # noqa: E402
from harness import tap  # noqa: E402
from installed import EXAMPLES, Installed  # noqa: E402

XOR = os.path.join(os.environ["BELLFORMER_PROBLEMS"], "xor", "xor.yaml")
SOURCE = os.path.join(EXAMPLES, "embed", "embed.c")


def items(path):
    found = {}

    def keep(name, item):
        found[name] = (dict(item.attrs), item[()] if isinstance(item, h5py.Dataset) else None)

    with h5py.File(path) as f:
        f.visititems(keep)
    return {name: item for name, item in found.items() if name.split("/")[0] not in ("provenance", "problem", "options")}


def assert_same(a, b):
    assert a.keys() == b.keys(), a.keys() ^ b.keys()
    for name in a:
        assert a[name][0].keys() == b[name][0].keys(), name
        for key, value in a[name][0].items():
            assert np.asarray(value).tobytes() == np.asarray(b[name][0][key]).tobytes(), (name, key, value, b[name][0][key])
        assert (a[name][1] is None) == (b[name][1] is None) and np.asarray(a[name][1]).tobytes() == np.asarray(b[name][1]).tobytes(), name


def ran(program, out, ranks, *more):
    done = home.run([out, *more], ranks, program=program, **library)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout


def own():
    """The program's result of share/problems/xor, as the reference."""
    done = home.run(["solve", XOR, "-space", "reachable", "-o", "own.h5", "-quiet"], 2)
    assert done.returncode == 0, done.stderr


def shared():
    program = home.compile(SOURCE, "embed", flags=home.flags("--cflags", "--libs") + petsc)
    for ranks in (0, 1, 2):
        ran(program, "embed.h5", ranks)
        assert_same(items(os.path.join(home.folder, "own.h5")), items(os.path.join(home.folder, "embed.h5")))
    ran(program, "read.h5", 2, XOR)
    assert_same(items(os.path.join(home.folder, "own.h5")), items(os.path.join(home.folder, "read.h5")))
    assert "libbellformer.so.0" in subprocess.run(["readelf", "-d", program], capture_output=True, text=True).stdout


def static():
    flags = ["-l:libbellformer.a" if word == "-lbellformer" else word for word in home.flags("--cflags", "--static", "--libs")]
    program = home.compile(SOURCE, "embed-static", flags=flags + petsc)
    assert "libbellformer" not in subprocess.run(["readelf", "-d", program], capture_output=True, text=True).stdout
    ran(program, "static.h5", 2)
    assert_same(items(os.path.join(home.folder, "own.h5")), items(os.path.join(home.folder, "static.h5")))


def others():
    """The loss of the data that the program has inside, and what eval says of the result."""
    said = ran(os.path.join(home.folder, "embed"), "embed.h5", 2)
    with open(SOURCE) as f:
        text = f.read()
    rows = "".join(part.strip().strip(";").strip('"').replace("\\n", "\n").replace('"', "") for part in
                   text[text.index("others[] ="):].split(";")[0].split("=", 1)[1].split("\n"))
    path = os.path.join(home.folder, "others.csv")
    with open(path, "w") as f:
        f.write(rows)
    model = bellformer.load(os.path.join(home.folder, "embed.h5"))
    loss = model.loss(bellformer.read_table(path, model.dim))[0]
    assert abs(float(said.split()[-1]) - loss) < 1e-9 * loss, (said, loss)
    done = home.run(["eval", "embed.h5", "-data", path], 2)
    assert done.returncode == 0 and "loss %s" % said.split()[-1] in done.stdout, (done.stderr, done.stdout, said)


def plus():
    """A C++ program that calls the library links and runs."""
    path = os.path.join(home.folder, "plus.cc")
    with open(path, "w") as f:
        f.write("""#include <bellformer/bellformer.h>
#include <cstdio>
int main() {
  BfError error = {};
  BfCells *cells = nullptr;
  const double lower[] = {0, 0}, upper[] = {1, 1}, z[] = {0.3, 0.9};
  const int64_t counts[] = {2, 4};
  if (bf_cells_grid(2, lower, upper, counts, &cells, &error) != BF_OK) return 1;
  std::printf("%s %lld\\n", bf_cost_kind("wasserstein") ? "there" : "lost", (long long)bf_cells_nearest(cells, z));
  bf_cells_destroy(&cells);
}
""")
    program = home.compile(path, "plus", compiler="c++")
    done = home.run([], program=program, **library)
    assert done.returncode == 0 and done.stdout == "there 3\n", (done.stderr, done.stdout)  # cell (0, 3) of 2 x 4


def moved():
    """The installed program finds its library by itself, and says its version."""
    done = home.run(["--version"])
    assert done.returncode == 0 and done.stdout.startswith("bellformer "), done.stderr


with tempfile.TemporaryDirectory(prefix="bf_embed_") as temporary:
    home = Installed(temporary)
    library = {"LD_LIBRARY_PATH": home.library_folder}
    petsc = subprocess.run(["pkg-config", "--cflags", "--libs", "PETSc"], capture_output=True, text=True, check=True).stdout.split()
    tap([(check.__name__, check) for check in (moved, own, shared, static, others, plus)])
