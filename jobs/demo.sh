#!/bin/sh
# Build bellformer, train on the shipped problems under mpirun, draw the pictures:  sh jobs/demo.sh [RANKS]
# Runs, figures and a page of three small studies go to demo/. Expected values stand in each problem file, and in share/problems/README.md.
set -eu
cd "$(dirname "$0")/.."
. jobs/install.sh
ranks=${1:-2}

echo "== building in build/"
[ -f build/build.ninja ] || meson setup build >/dev/null
ninja -C build --quiet

mkdir -p demo
# solve PROBLEM RUN [OPTIONS]
solve() {
  problem=$1 run=$2
  shift 2
  echo "== training: mpirun -n $ranks bellformer solve share/problems/$problem.yaml -o demo/$run.h5 $*"
  mpirun -n "$ranks" build/bellformer solve "share/problems/$problem.yaml" -o "demo/$run.h5" -overwrite "$@"
}
# plot PROGRAM FIGURE ARGUMENTS
plot() {
  program=$1 figure=$2
  shift 2
  echo "   drawing demo/$figure.png"
  /usr/bin/python3 "share/plot/$program.py" "$@" -o "demo/$figure.png"
}

solve xor/xor xor
plot tokens xor demo/xor.h5

runs=''
for count in 10 20 30 40 50 60 70 80 90 100; do
  solve asy26-toy/asy26-toy "asy26-toy-$count" -action_count $count -quiet
  runs="$runs demo/asy26-toy-$count.h5"
done
# shellcheck disable=SC2086 # words
plot loss asy26-toy-loss $runs
plot tokens asy26-toy demo/asy26-toy-100.h5

solve induction/induction induction
plot tokens induction demo/induction.h5 -axes 4 5 -position -1

solve iris/iris iris
plot tokens iris demo/iris.h5
plot tokens iris-test demo/iris.h5 -test

solve iris/iris-full iris-full -space full
plot tokens iris-full demo/iris-full.h5

solve moons/moons moons -space full -stability 1
plot tokens moons demo/moons.h5
plot value moons-value demo/moons.h5

echo "== training: mpirun -n $ranks bellformer heads share/problems/heads/rate.yaml -o demo/heads.h5 -tau 40 -kernel"
mpirun -n "$ranks" build/bellformer heads share/problems/heads/rate.yaml -o demo/heads.h5 -overwrite -tau 40 -kernel
plot heads heads demo/heads.h5

echo "== the trained models on their training data, by their files alone"
for run in xor asy26-toy-100 induction iris iris-full moons heads; do
  printf '%-14s ' $run
  mpirun -n 1 build/bellformer eval demo/$run.h5
done
# study NAME ARGUMENTS
study() {
  name=$1
  shift
  echo "== study: mpirun -n $ranks bellformer study $*"
  mpirun -n "$ranks" build/bellformer study "$@" -o "demo/$name.h5" -overwrite
  plot study "$name" "demo/$name.h5"
}

study quantization share/studies/quantization-cells.yaml
study consistency share/problems/moons/moons.yaml -horizon 2 -action_count 64 -quantize_cells 0 \
  -vary "data_sample_count 5..40x2; data_sample_seed 0..9" -reference "data_sample_count 0; data_sample_seed 0" -fit quantized_cost
study depth share/studies/depth.yaml
echo "   writing demo/report.html"
/usr/bin/python3 share/plot/report.py demo/quantization.h5 demo/consistency.h5 demo/depth.h5 -o demo/report.html
echo "== done: runs and figures are in demo/, a page of the studies is demo/report.html"
