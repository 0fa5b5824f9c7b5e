#!/bin/sh
# Build and run every test: an optimized build, one with the address and undefined-behaviour sanitizers, and the fuzz
# targets under the same.
#   sh tests/run.sh            all
#   sh tests/run.sh release    the optimized build only; `sanitize`, `fuzz` the others
set -eu
cd "$(dirname "$0")/.."
test_packages="libcmocka-dev clang clang-format libclang-rt-14-dev hdf5-tools slurm-wlm munge procps"
. jobs/install.sh
builds=${1:-release sanitize fuzz}
status=0

# run BUILD MESON-OPTIONS
run() {
  folder=build-$1
  shift
  reconfigure=
  [ ! -f "$folder/build.ninja" ] || reconfigure=--reconfigure # packages may have come since
  meson setup $reconfigure "$folder" "$@" >/dev/null
  ninja -C "$folder" --quiet
  meson test -C "$folder" --no-rebuild --print-errorlogs || status=1
}

for build in $builds; do
  echo "== $build"
  case $build in
    release) run release ;;
    sanitize) run sanitize -Dbuildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false ;;
    fuzz) CC=clang run fuzz -Dfuzz=true -Dbuildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false ;;
    *) echo "tests/run.sh: unknown build '$build': release, sanitize or fuzz" >&2; exit 2 ;;
  esac
done

passed=0 failed=0
for build in $builds; do
  log=build-$build/meson-logs/testlog.txt
  passed=$((passed + $(sed -n 's/^Ok: *\([0-9]*\).*/\1/p' "$log")))
  for what in Fail Timeout 'Unexpected Pass'; do
    failed=$((failed + $(sed -n "s/^$what: *\([0-9]*\).*/\1/p" "$log" | grep . || echo 0)))
  done
done
echo "$passed passed, $failed failed"
exit $status
