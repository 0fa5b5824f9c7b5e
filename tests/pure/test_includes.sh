#!/bin/sh
# The pure part includes neither MPI nor PETSc, HDF5 or libyaml, directly or by what it includes. TAP.
#   test_includes.sh ROOT BUILD COMPILER... -- FILES
set -u
root=$1 build=$2
shift 2
compiler=
while [ "$1" != -- ]; do
  compiler="$compiler $1"
  shift
done
shift

# includes FILE: what it includes that it must not; also where it cannot be read without their folders.
includes() {
  # shellcheck disable=SC2086
  $compiler -std=gnu11 -D_GNU_SOURCE -DBF_ISA=generic -I"$root/include" -I"$root/src" -I"$build/include" -I"$build/src" \
    -x c -M "$1" 2>&1 | tr ' ' '\n' | grep -iE 'mpi|petsc|hdf5|h5public|yaml|No such file|error:'
}

echo "1..$(($# + 1))"
number=0 status=0
for file in "$@"; do
  number=$((number + 1))
  found=$(includes "$file")
  if [ -z "$found" ]; then
    echo "ok $number - $file"
  else
    echo "not ok $number - $file: $found" | tr '\n' ' '
    echo
    status=1
  fi
done
if [ -n "$(includes "$root/src/run/nodes.c")" ]; then
  echo "ok $((number + 1)) - run/nodes.c, which includes MPI, is found out"
else
  echo "not ok $((number + 1)) - run/nodes.c includes MPI, and that was not noticed"
  status=1
fi
exit $status
