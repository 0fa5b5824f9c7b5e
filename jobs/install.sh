# Install what Debian 12 lacks to build, test and plot bellformer; as root, or as a user with sudo. Sourced by others.
# Says what it installs; silent where nothing is missing.
# test_packages: set by tests/run.sh.

# install_packages: those in $packages that are missing.
install_packages() {
  missing=
  for package in $packages; do
    dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  sudo=
  [ "$(id -u)" = 0 ] || sudo="sudo"
  if [ -n "$sudo" ] && ! command -v sudo >/dev/null; then
    echo "these Debian packages are missing, and neither root nor sudo is here to install them:$missing" >&2
    return 1
  fi
  echo "installing Debian packages:$missing"
  $sudo apt-get update -qq
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

packages="gcc libc6-dev pkg-config meson ninja-build openmpi-bin libopenmpi-dev petsc-dev slepc-dev liblapack-dev libhdf5-openmpi-dev libyaml-dev libmpfi-dev
  python3-h5py python3-numpy python3-matplotlib ${test_packages:-}"
install_packages || exit 1

# mpirun refuses root, and more ranks than cores, unless told; both are wanted here.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
