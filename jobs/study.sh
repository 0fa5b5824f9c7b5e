#!/bin/sh
# Submit a study: an array job that solves a problem with each value of an option, and a job that gathers them in a plot.
#
#   sh jobs/study.sh [SBATCH-OPTIONS] -- PROBLEM.yaml FOLDER OPTION "VALUE VALUE ..." [OPTIONS]
#   sh jobs/study.sh --ntasks=4 -t 1:00:00 -- share/problems/iris/iris.yaml study \
#     -quantize_cells "4,4 8,8 16,16 32,32" -space reachable
#
# does:       one task a value, each as jobs/solve.sbatch (checkpoints, requeues itself); when all are done, FOLDER/study.png
#             and study.txt. If a task fails, the gathering job is cancelled: the results that are there stay, and the same
#             line goes on from them.
# source:     written for this repository; tested with a real SLURM in tests/slurm/. Data: Fisher's iris, see the problem.
# expected:   V_0(mu_0) = 0.6135, 0.1439, 0.1415, 0.1292 for 4, 8, 16, 32 cells an axis, towards 0.1289 at 2^20;
#             training loss of the unquantized model 0.2104, 0.2786, 0.0703, 0.0929: not monotone, since the layers are
#             best for the quantized tokens only

set -eu
jobs=$(cd "$(dirname "$0")" && pwd)
flags=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  flags="$flags $1"
  shift
done
[ $# -ge 5 ] || { sed -n '4s/^# *//p' "$0" >&2; exit 2; }
shift
folder=$2 option=$3 values=$4
count=$(echo "$values" | wc -w)
export BELLFORMER_JOBS="$jobs"

# shellcheck disable=SC2086 # flags are words
study=$(sbatch --parsable $flags --array="0-$((count - 1))" "$jobs/study.sbatch" "$@")
study=${study%%;*}
# Without kill-on-invalid-dep a job after a failed one would pend for ever.
gather=$(sbatch --parsable --dependency="afterok:$study" --kill-on-invalid-dep=yes "$jobs/gather.sbatch" "$folder" "$option" "$values")
echo "study $study: $count tasks; then job ${gather%%;*} writes $folder/study.png"
