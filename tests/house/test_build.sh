#!/bin/sh
# A build folder that was made before cmocka came, as jobs/demo.sh makes it, has the benchmarks and the tests that do without,
# says what is lacking, and has all after --reconfigure. Configures only.
set -u
cd "$(dirname "$0")/../.." || exit 1
source=$PWD
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM
echo 1..4
number=0 failed=0
# check NAME COMMAND...
check() {
  name=$1
  shift
  number=$((number + 1))
  if "$@" >>"$folder/out" 2>&1; then
    echo "ok $number - $name"
  else
    echo "not ok $number - $name"
    sed 's/^/# /' "$folder/out" | tail -n 20
    failed=1
  fi
}

cat >"$folder/pkg-config" <<EOF
#!/bin/sh
case "\$*" in *cmocka*) [ -e "$folder/cmocka" ] || exit 1 ;; esac
exec pkg-config "\$@"
EOF
chmod +x "$folder/pkg-config"
export PKG_CONFIG="$folder/pkg-config" CMAKE=false
list() { meson test -C "$folder/build" --no-rebuild --list "$@"; }
has() {
  word=$1
  shift
  list "$@" | grep -- "$word" >/dev/null
}
has_not() { ! has "$@"; }
configure_again() { meson setup --reconfigure "$folder/build" && has "quantize types" && has_not "mathematics"; }

check "configures without cmocka" meson setup "$folder/build" "$source"
check "benchmarks without cmocka" has "sweep xor" --benchmark
check "what needs it is told" has "mathematics"
if pkg-config --exists cmocka; then
  touch "$folder/cmocka"
  check "all tests once it is there" configure_again
else
  echo "ok 4 # SKIP no cmocka here"
fi
exit $failed
