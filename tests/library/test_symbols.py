"""The shared library offers the functions that the public headers declare, all of them and no other: what else there is stays hidden.
    test_symbols.py LIBRARY COMPILER FLAGS... (GCC)"""
import os
import re
import subprocess
import sys
import tempfile

# Of the linker.
PLUGIN = {"bf_plugin_version", "bf_plugin_register"}  # what a plug-in defines
ALWAYS = {"__bss_start", "_edata", "_end", "_init", "_fini"}


def exported(library):
    told = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True).stdout
    return {line.split()[-1].split("@")[0] for line in told.splitlines()} - ALWAYS


def needed_name(library):
    told = subprocess.run(["readelf", "-d", library], capture_output=True, text=True, check=True).stdout
    return re.search(r"\(SONAME\).*\[(.*)\]", told).group(1)


def declared(compiler):
    """Functions without a body in a header of bellformer, as GCC lists them; and external variables."""
    with tempfile.TemporaryDirectory() as folder:
        source, told = os.path.join(folder, "all.c"), os.path.join(folder, "told")
        with open(source, "w") as f:
            f.write('#include "bellformer/bellformer.h"\n')
        subprocess.run([*compiler, "-aux-info", told, "-fsyntax-only", source], check=True)
        with open(told) as f:
            functions = re.findall(r"^/\* \S*bellformer/\w+\.h:\d+:NC \*/ extern .*?\b(\w+) \(", f.read(), re.M)
        seen = subprocess.run([*compiler, "-E", source], capture_output=True, text=True, check=True).stdout
    variables = [re.findall(r"\bbf_\w+", names) for names in re.findall(r"^extern([^;(]*);", seen, re.M)]
    return (set(functions) | set(sum(variables, []))) - PLUGIN


def main():
    library, compiler = sys.argv[1], sys.argv[2:]
    there, said = exported(library), declared(compiler)
    checks = [("declared and not exported", said - there), ("exported and not declared", there - said),
              ("functions found", set() if len(said) > 100 else {"only %d" % len(said)}),
              ("soname", set() if re.fullmatch(r"libbellformer\.so\.\d+", needed_name(library)) else {needed_name(library)})]
    print("1..%d" % len(checks))
    for number, (name, wrong) in enumerate(checks, 1):
        print("%sok %d - %s%s" % ("not " if wrong else "", number, name, ": " + " ".join(sorted(wrong)) if wrong else ""))
    sys.exit(any(wrong for _, wrong in checks))


main()
