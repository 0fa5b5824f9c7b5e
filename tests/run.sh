#!/bin/sh
# Build and run every test: an optimized build, one with the address and undefined-behaviour sanitizers, the fuzz
# targets under the same, and the pure part for 64-bit ARM, run by qemu.
#   sh tests/run.sh            all
#   sh tests/run.sh release    the optimized build only; `sanitize`, `fuzz`, `cross` the others
set -eu
cd "$(dirname "$0")/.."
test_packages="libcmocka-dev g++ clang clang-format libclang-rt-14-dev hdf5-tools groff-base slurm-wlm munge procps iproute2 util-linux python3-torch chromium"
. jobs/install.sh
builds=${1:-release sanitize fuzz cross}
status=0

# make BUILD MESON-OPTIONS
gently=
make() {
  folder=build-$1
  shift
  reconfigure=
  [ ! -f "$folder/build.ninja" ] || reconfigure=--reconfigure # packages may have come since
  meson setup $reconfigure "$folder" "$@" >/dev/null
  $gently ninja -C "$folder" --quiet
}

# give_way COMMAND: in the time that others leave. Linux weighs sessions (autogroup) before it looks at nice.
give_way() {
  setsid sh -c 'echo 19 2>/dev/null >/proc/self/autogroup || :; exec nice -n 19 "$@"' give_way "$@" &
  way=$!
  wait $way
}

# check BUILD: its tests, one more at a time than there are cores: many wait, for clocks or for a rank, and no test is timed.
check() {
  rm -f "build-$1/meson-logs/testlog.json" # of an earlier start
  logs="$logs build-$1/meson-logs/testlog.txt"
  meson test -C "build-$1" --no-rebuild --print-errorlogs --num-processes $(($(nproc) + 1)) --no-suite slurm --no-suite hosts || again "build-$1" testlog || status=1
}

# Those of SLURM and between hosts mostly sleep: beside them the other builds are tested.
sleepers= maker= made=$(mktemp)
start_sleepers() {
  rm -f build-release/meson-logs/sleepers.json
  meson test -C build-release --no-rebuild --print-errorlogs --num-processes 2 --logbase sleepers --suite slurm --suite hosts >build-release/sleepers.txt 2>&1 &
  sleepers=$!
}
await_sleepers() {
  [ -n "$sleepers" ] || return 0
  slept=0
  wait $sleepers || slept=1
  sleepers=
  cat build-release/sleepers.txt
  logs="$logs build-release/meson-logs/sleepers.txt"
  [ $slept = 0 ] || again build-release sleepers || status=1
}
trap 'rm -f "$made"; [ -z "$sleepers$maker" ] || kill $sleepers $maker 2>/dev/null || :' EXIT
trap 'exit 130' INT TERM

# again FOLDER LOG: what failed, once more, alone. Tests kill programs, cut networks and start others' daemons (mpirun, SLURM) by the clock,
# and a busy machine can spoil one: such a test is named as unsteady in the last lines, and is to be looked at.
again() {
  names=$(/usr/bin/python3 tests/failed.py "$1/meson-logs/$2.json") || return 1
  echo "== once more: $names"
  eval "set -- $1 $names"
  where=$1
  shift
  meson test -C "$where" --no-rebuild --print-errorlogs --num-processes 1 --logbase again "$@" || return 1
  unsteady="$unsteady $names"
  mended=$((mended + $#))
}

# Whether there is a compiler for ARM that works, and an emulator for what it makes; installs them where it can.
cross_works() {
  (packages="gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user"; install_packages) || return 1
  echo 'int main(void) { return 0; }' | aarch64-linux-gnu-gcc -x c - -o build-cross-works &&
    qemu-aarch64 -L /usr/aarch64-linux-gnu ./build-cross-works
  works=$?
  rm -f build-cross-works
  return $works
}

# -g1: functions and lines, which are what sanitizers tell; variables take half of the time to compile.
watched="-Ddebug=true -Dc_args=-g1 -Db_sanitize=address,undefined -Db_lundef=false"

# make_others: those but the optimized one; names them in $made.
make_others() {
  for build in $builds; do
    [ "$build" != release ] || continue
    echo "== $build"
    case $build in
      sanitize) make sanitize -Doptimization=1 $watched ;; # by gcc in two thirds of the time of 2, and hardly slower
      fuzz) CC=clang make fuzz -Dfuzz=true -Doptimization=2 $watched ;;
      cross)
        if ! cross_works; then
          echo "SKIP cross: no gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user that work here"
          continue
        fi
        make cross -Dpure=true --cross-file tests/pure/aarch64.ini ;;
    esac
    echo "$build" >>"$made"
  done
}

for build in $builds; do
  case $build in
    release | sanitize | fuzz | cross) ;;
    *) echo "tests/run.sh: unknown build '$build': release, sanitize, fuzz or cross" >&2; exit 2 ;;
  esac
done
logs= unsteady= mended=0
case " $builds " in
  *" release "*) # whose tests wait for a third of their time: meanwhile the others are made
    echo "== release"
    make release
    (way= gently=give_way; trap '[ -z "$way" ] || kill $way 2>/dev/null; exit 1' TERM; make_others) >build-release/others.txt 2>&1 &
    maker=$!
    check release
    start_sleepers
    unmade=0
    wait $maker || unmade=1
    maker=
    cat build-release/others.txt
    [ $unmade = 0 ] || exit 1 ;;
  *) make_others ;;
esac
for build in $(cat "$made"); do
  echo "== $build: tests"
  check "$build"
done
await_sleepers

passed=0 failed=0
for log in $logs; do
  passed=$((passed + $(sed -n 's/^Ok: *\([0-9]*\).*/\1/p' "$log")))
  for what in Fail Timeout 'Unexpected Pass'; do
    failed=$((failed + $(sed -n "s/^$what: *\([0-9]*\).*/\1/p" "$log" | grep . || echo 0)))
  done
done
[ -z "$unsteady" ] || echo "unsteady, passed at the second try:$unsteady"
echo "$((passed + mended)) passed, $((failed - mended)) failed"
exit $status
