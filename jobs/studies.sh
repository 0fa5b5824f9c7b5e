#!/bin/sh
# The papers' statements as numbers: every study of share/studies/, and a page of them all:  sh jobs/studies.sh [FOLDER [RANKS]]
# Builds first. Tables, figures and report.html go to FOLDER (studies/); a study that is there is not run again, one that was interrupted goes
# on. What each is expected to show, and what it has shown: share/studies/README.md. Takes under half an hour on two cores.
set -eu
cd "$(dirname "$0")/.."
. jobs/install.sh
folder=${1:-studies} ranks=${2:-2}

echo "== building in build/"
[ -f build/build.ninja ] || meson setup build >/dev/null
ninja -C build --quiet
[ -f share/studies/data/sentences.h5 ] || /usr/bin/python3 share/studies/make.py

mkdir -p "$folder"
failed=''
for study in quantization-cells quantization-atoms quantization-actions quantization-joint consistency stability asy26-table \
  depth profile values samples starts range; do
  echo "== $study"
  mpirun -n "$ranks" build/bellformer study "share/studies/$study.yaml" -o "$folder/$study.h5" || failed="$failed $study"
done
set --
for study in "$folder"/*.h5; do
  /usr/bin/python3 share/plot/study.py "$study" -o "${study%.h5}.png"
  set -- "$@" "$study"
done
/usr/bin/python3 share/plot/report.py "$@" -o "$folder/report.html"
[ -z "$failed" ] || { echo "== failed:$failed"; exit 1; }
echo "== done: tables, figures and report.html are in $folder/"
