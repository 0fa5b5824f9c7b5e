#!/bin/sh
# Every public header compiles alone, as C and as C++, without a warning; and all at once.
#   test_headers.sh CC CXX FLAGS... -- HEADERS
# CXX may be a name that is not there: then C++ is left out, and said to be.
set -u
cc=$1 cxx=$2
shift 2
flags=
while [ "$1" != -- ]; do
  flags="$flags $1"
  shift
done
shift

number=0 failed=0
# compiles NAME HEADER COMPILER...
compiles() {
  what=$1 text="#include \"$2\""
  shift 2
  number=$((number + 1))
  # shellcheck disable=SC2086
  if said=$(printf '%s\nextern int alone;\n' "$text" | "$@" -Wall -Wextra -Wpedantic -Wshadow -Werror -fsyntax-only $flags - 2>&1); then
    echo "ok $number - $what"
  else
    echo "not ok $number - $what"
    echo "$said" | sed 's/^/# /' | head -n 20
    failed=1
  fi
}

echo "1..$((2 * $# + 2))"
for header in "$@"; do
  name=bellformer/$(basename "$header")
  compiles "$name as C" "$name" "$cc" -x c -std=gnu11
  if command -v "$cxx" >/dev/null; then
    compiles "$name as C++" "$name" "$cxx" -x c++ -std=c++11
  else
    number=$((number + 1))
    echo "ok $number # SKIP no C++ compiler here: apt-get install g++"
  fi
done

# What a header says is seen: the check can fail.
number=$((number + 1))
if printf '#include "bellformer/error.h"\nint class(int a) { return bf_no_such_name(a); }\n' |
  "$cc" -x c -std=gnu11 -Werror -fsyntax-only $flags - 2>/dev/null; then
  echo "not ok $number - a name that no header has is refused"
  failed=1
else
  echo "ok $number - a name that no header has is refused"
fi
number=$((number + 1))
umbrella=$(for header in "$@"; do case $header in */bellformer.h) cat "$header" ;; esac; done)
lacks=
for header in "$@"; do
  name=$(basename "$header")
  case $name in bellformer.h | api.h | with_mpi.h) continue ;; esac
  echo "$umbrella" | grep -q "\"bellformer/$name\"" || lacks="$lacks $name"
done
if [ -z "$lacks" ]; then
  echo "ok $number - bellformer.h has all"
else
  echo "not ok $number - bellformer.h lacks$lacks"
  failed=1
fi
exit $failed
