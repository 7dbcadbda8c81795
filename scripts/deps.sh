#!/bin/sh
# Knows the packages that Tide needs. deps.sh config: prints make variables, or names what is missing and fails;
# deps.sh install: installs the missing packages of the build and of its tests; deps.sh list: prints them.
set -u
: "${CC:=cc}" "${OPENCL:=1}"

# The OpenMP flavour of OpenBLAS, wherever another flavour is the default.
triplet=$("$CC" -print-multiarch 2>/dev/null) || triplet=
PKG_CONFIG_PATH="/usr/lib/$triplet/openblas-openmp/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
export PKG_CONFIG_PATH

have_command() { command -v "$1" >/dev/null 2>&1; }
have_library() { pkg-config --exists "$1" 2>/dev/null; }
have_openmp() { printf '#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n' |
    "$CC" -fopenmp -xc -o /dev/null - 2>/dev/null; }
have_openblas_openmp() { pkg-config --libs-only-L openblas 2>/dev/null | grep -q openmp; }
have_icd() { ls /etc/OpenCL/vendors/*.icd >/dev/null 2>&1; }

missing=
want() { # package test argument...
    package=$1
    shift
    "$@" || missing="$missing $package"
}

find_missing_for_build() {
    want gcc have_command "${CC%% *}"
    want libc6-dev test -e /usr/include/stdio.h
    want pkg-config have_command pkg-config
    case $CC in *clang*) want libomp-dev have_openmp ;; esac
    want liblua5.4-dev have_library lua5.4
    want libreadline-dev have_library readline
    want libopenblas-openmp-dev have_openblas_openmp
    want libsleef-dev have_library sleef
    want zlib1g-dev have_library zlib
    [ "$OPENCL" = 0 ] || want ocl-icd-opencl-dev have_library OpenCL
}

find_missing_for_tests() {
    want libcmocka-dev have_library cmocka
    want lua5.4 have_command lua5.4
    [ "$OPENCL" = 0 ] || want pocl-opencl-icd have_icd
}

install_missing() {
    find_missing_for_build
    find_missing_for_tests
    [ -n "$missing" ] || return 0
    if ! have_command apt-get; then
        echo "deps: no apt-get here; install by your own means:$missing" >&2
        return 1
    fi
    root=
    if [ "$(id -u)" != 0 ]; then
        have_command sudo || { echo "deps: as root, run: apt-get install$missing" >&2; return 1; }
        root=sudo
    fi
    echo "installing:$missing"
    apt="$root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0"
    # shellcheck disable=SC2086  # the lists are words
    $apt --no-install-recommends install $missing </dev/null && return 0
    $apt update </dev/null && $apt --no-install-recommends install $missing </dev/null
}

print_config() {
    find_missing_for_build
    if [ -n "$missing" ]; then
        echo "missing:$missing" >&2
        echo "install with: make deps    (or, as root: apt-get install$missing)" >&2
        return 1
    fi
    libraries="openblas sleef zlib"
    [ "$OPENCL" = 0 ] || libraries="$libraries OpenCL"
    # The run path names the flavour's folder: whatever the machine's default is, this OpenBLAS is loaded.
    blas=$(pkg-config --libs-only-L openblas | sed 's/^ *-L//; s/[ /]*$//')
    # shellcheck disable=SC2086
    cat <<END
PKG_CFLAGS := $(pkg-config --cflags-only-I lua5.4 readline $libraries)
LUA_LIBS := $(pkg-config --libs lua5.4)
READLINE_LIBS := $(pkg-config --libs readline)
PKG_LIBS := $(pkg-config --libs $libraries) -Wl,--disable-new-dtags,-rpath,$blas
END
}

case ${1-} in
config) print_config ;;
install) install_missing ;;
list)
    have_command() { false; }
    have_library() { false; }
    have_openblas_openmp() { false; }
    have_icd() { false; }
    find_missing_for_build
    find_missing_for_tests
    echo "$missing"
    ;;
*)
    echo "usage: deps.sh config|install|list" >&2
    exit 2
    ;;
esac
