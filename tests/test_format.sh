#!/bin/sh
# Every C file is formatted as .clang-format says. Versions of clang-format differ in what they write: Debian 12's counts.
#   sh tests/test_format.sh [CLANG-FORMAT]
set -u
cd "$(dirname "$0")/.."
format=${1:-clang-format}
echo "1..1"
version=$("$format" --version 2>/dev/null | sed -n 's/.*version \([0-9]*\).*/\1/p')
if [ "$version" != 14 ]; then
  echo "ok 1 - formatting # SKIP needs clang-format 14, found ${version:-none}"
  exit 0
fi
files=$(find include src tests share -name '*.[ch]')
# shellcheck disable=SC2086 # files are words
if wrong=$("$format" --dry-run -Werror $files 2>&1); then
  echo "ok 1 - formatting"
else
  echo "$wrong" | sed -n 's/^\([^:]*:[0-9]*\):.*error.*/# \1/p' | sort -u | head -n 20
  echo "not ok 1 - formatting: clang-format -i mends it"
  exit 1
fi
