"""An interpreter that has what a program needs. Call before the first import of a module that Python itself does not bring."""
import importlib
import os
import sys

SYSTEM = "/usr/bin/python3"
TRIED = "BELLFORMER_PYTHON_TRIED"  # the interpreter that a program came from, so that it comes from there once
PACKAGE = {"torch": "python3-torch"}


def modules(*names):
    """Where a module is missing, the program that runs starts again in the system's Python; where that lacks it too, one line says so, and
    it ends with exit code 2."""
    missing = [name for name in names if not _there(name)]
    if not missing:
        return
    before = os.environ.get(TRIED)
    program = sys.argv[0]
    if not before and os.access(SYSTEM, os.X_OK) and not _same(sys.executable, SYSTEM) and os.path.isfile(program):
        os.environ[TRIED] = sys.executable
        sys.stdout.flush()
        os.execv(SYSTEM, [SYSTEM, *sys.argv])
    debian = " ".join(PACKAGE.get(name, "python3-" + name) for name in missing)
    tried = "%s%s" % (sys.executable, ", like %s," % before if before else "")
    print("%s: %s has no module %s; install it by `apt-get install %s` (Debian), or by `%s -m pip install %s`"
          % (os.path.basename(program), tried, ", ".join(missing), debian, before or sys.executable, " ".join(missing)), file=sys.stderr)
    sys.exit(2)


def _there(name):
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def _same(a, b):
    return os.path.realpath(a) == os.path.realpath(b) and sys.prefix == sys.base_prefix
