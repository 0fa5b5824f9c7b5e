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
/usr/bin/python3 share/studies/make.py # the same bytes each time: points of earlier runs stay

mkdir -p "$folder"
failed='' made=''
for study in quantization-cells quantization-atoms quantization-actions quantization-joint consistency stability asy26-table \
  depth profile values samples starts best range heads-width heads-depth heads-joint heads-decay heads-success heads-certified certify; do
  echo "== $study"
  mpirun -n "$ranks" build/bellformer study "share/studies/$study.yaml" -o "$folder/$study.h5" || failed="$failed $study"
  [ ! -e "$folder/$study.h5" ] || made="$made $study"
done
set -- # the page is of these studies, whatever else the folder holds
for study in $made; do
  /usr/bin/python3 share/plot/study.py "$folder/$study.h5" -o "$folder/$study.png"
  set -- "$@" "$folder/$study.h5"
done
/usr/bin/python3 share/plot/report.py "$@" -o "$folder/report.html"
[ -z "$failed" ] || { echo "== failed:$failed"; exit 1; }
echo "== done: tables, figures and report.html are in $folder/"
