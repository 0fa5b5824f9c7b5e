#!/bin/sh
# Fuzz: a fixed number of runs from a fixed seed, so that it is a test; one line a target, as TAP.
#   sh tests/fuzz/run.sh                                    build, and run every target
#   sh tests/fuzz/run.sh problem -max_total_time=600        build, and run one with libFuzzer's options in place of these
# What stops a target (a crash, a hang, a leak) is kept as FOLDER/fuzz-TARGET-*, what it printed as FOLDER/fuzz-TARGET.log.
# FUZZ_BUILD: a folder that is built already.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
folder=${FUZZ_BUILD:-build-fuzz}
if [ -z "${FUZZ_BUILD:-}" ]; then
  [ -f "$folder/build.ninja" ] || CC=clang meson setup "$folder" -Dfuzz=true -Dbuildtype=debugoptimized -Dc_args=-g1 \
    -Db_sanitize=address,undefined -Db_lundef=false >/dev/null
  ninja -C "$folder" --quiet >/dev/null
fi
targets=${1:-problem table}
[ $# = 0 ] || shift
[ $# != 0 ] || set -- -runs=30000 -seed=1
status=0 number=0

echo "1..$(echo $targets | wc -w)"
for target in $targets; do
  number=$((number + 1))
  log=$folder/fuzz-$target.log
  found=$folder/fuzz-$target-found # inputs that reached something new
  rm -rf "$found" && mkdir "$found"
  if "$folder/tests/fuzz/fuzz_$target" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -dict="$here/$target.dict" -artifact_prefix="$folder/fuzz-$target-" "$@" "$found" "$here/corpus/$target" >"$log" 2>&1
  then
    echo "ok $number - $target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") runs," \
      "$(sed -n 's/.*DONE *cov: \([0-9]*\).*/\1/p' "$log") edges"
  else
    echo "not ok $number - $target: $log"
    grep -a -v -E '(NEW|REDUCE|pulse) |^INFO|^[[:space:]]*$' "$log" | head -60 | sed 's/^/# /'
    status=1
  fi
done
exit $status
