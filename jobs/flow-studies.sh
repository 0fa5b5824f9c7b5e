#!/bin/sh
# Convergence studies of the continuous-depth flow, each a table with fitted rates and a figure:  sh jobs/flow-studies.sh [FOLDER]
# Builds first. Results, tables and figures go to FOLDER (studies/); what is there already is not computed again.
# Expected rates and numbers: share/study/README.md. Takes about three minutes on two cores.
set -eu
cd "$(dirname "$0")/.."
. jobs/install.sh
folder=${1:-studies}

echo "== building in build/"
[ -f build/build.ninja ] || meson setup build >/dev/null
ninja -C build --quiet

# study NAME ARGUMENTS
study() {
  name=$1
  shift
  echo "== $name"
  /usr/bin/python3 "share/study/$name.py" "$@" -bellformer build/bellformer
}
problems=share/problems
study depth $problems/xor/xor.yaml "$folder/depth"
study values $problems/xor/xor.yaml "$folder/values"
study samples "$folder/samples"
study starts "$folder/starts" $problems/xor/xor.yaml $problems/asy26-toy/asy26-toy.yaml $problems/induction/induction.yaml $problems/iris/iris.yaml
study actions "$folder/actions"
echo "== done: tables and figures are in $folder/"
