#!/bin/sh
# deps.sh [--build] [--run] [--test] [--fuzz] [--bench] - what Weir needs from Debian 12.
#
# Libraries and tools are installed by apt, through sudo when one is not root, and
# only those that are missing.  The mail server and the memcached that runs and
# tests use are NOT installed, so that a mail server of this machine is left
# alone: they are downloaded and unpacked into build/rig, and used from there.
# Nothing is asked of the network when everything is there.
#     --build   compiling                 --test   make test
#     --run     make run                  --fuzz   make fuzz, and clang for make lint
#     --bench   make bench, with postfwd to compare with
# Each but --build means --build, too; without any, everything but --bench.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
rig=${WEIR_RIG:-$top/build/rig}

build='gcc libc6-dev make pkg-config libmemcached-dev liblmdb-dev libpsl-dev libidn2-dev
       libsodium-dev libjansson-dev libinih-dev'
# what the unpacked Postfix and memcached are linked with
run='python3 libdb5.3 libevent-2.1-7 libicu72 libnsl2 libsasl2-2 libssl3 netbase'
check='libcmocka-dev'
fuzz='clang libclang-rt-14-dev'
compare='perl libnet-dns-perl libnet-server-perl'

die()
{
    echo "deps: $*" >&2
    exit 1
}

usage()
{
    echo "usage: deps.sh [--build] [--run] [--test] [--fuzz] [--bench]"
}

wanted=
unpacked=
[ $# -gt 0 ] || set -- --build --run --test --fuzz
for part in "$@"; do
    case $part in
    --build) wanted="$wanted $build" ;;
    --run) wanted="$wanted $build $run" unpacked="$unpacked postfix memcached" ;;
    --test) wanted="$wanted $build $run $check" unpacked="$unpacked postfix memcached" ;;
    --fuzz) wanted="$wanted $build $fuzz" ;;
    --bench) wanted="$wanted $build $run $compare" unpacked="$unpacked postfix memcached postfwd" ;;
    --help) usage; exit 0 ;;
    *) usage >&2; exit 64 ;;
    esac
done

command -v apt-get >/dev/null && command -v dpkg-query >/dev/null ||
    die "this machine has no apt; install what Debian 12 calls:" $wanted $unpacked

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# runs a command as root, showing its words only when it fails
as_root()
{
    if [ "$(id -u)" = 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@" >"$log" 2>&1
    else
        sudo env DEBIAN_FRONTEND=noninteractive "$@" >"$log" 2>&1
    fi && return
    cat "$log" >&2
    die "this failed: $*"
}

absent()
{
    for name in "$@"; do
        case $(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null) in
        installed*) ;;
        *) echo "$name" ;;
        esac
    done | sort -u
}

install_missing()
{
    missing=$(absent $wanted)
    [ -n "$missing" ] || return 0
    missing=$(echo $missing)
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        die "not root, and there is no sudo; somebody who may has to run:
    apt-get install --no-install-recommends $missing"
    fi
    echo "deps: installing $missing"
    as_root apt-get -qq update
    as_root apt-get -qq install --no-install-recommends -o DPkg::Lock::Timeout=300 $missing
}

# downloads into the current folder; older package lists may need to be renewed
download()
{
    # as root, apt wants to download as user _apt, who may not write here
    apt-get -qq -o APT::Sandbox::User=root download "$1" >"$log" 2>&1 && return
    as_root apt-get -qq update
    apt-get -qq -o APT::Sandbox::User=root download "$1" >"$log" 2>&1 && return
    cat "$log" >&2
    die "cannot download the package $1"
}

unpack_missing()
{
    for name in $unpacked; do
        [ -f "$rig/$name/version" ] && continue
        echo "deps: unpacking $name into $rig"
        rm -rf "$rig/$name.new"
        mkdir -p "$rig/$name.new"
        cd "$rig/$name.new"
        download "$name"
        dpkg-deb -x "$name"_*.deb .
        dpkg-deb -W "$name"_*.deb >version
        rm -f "$name"_*.deb
        cd "$rig"
        rm -rf "$name"
        mv "$name.new" "$name"
    done
}

install_missing
unpack_missing
