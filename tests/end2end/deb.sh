#!/bin/sh
# deb.sh VERSION - packs what `make install` installs into build/weir_VERSION_ARCH.deb.
set -eu
version=$1
arch=$(dpkg --print-architecture)
root=build/deb
rm -rf "$root"
make -s install DESTDIR="$root"
mkdir -p "$root/DEBIAN"
cat >"$root/DEBIAN/control" <<C
Package: weir
Version: $version
Architecture: $arch
Maintainer: The Weir authors <postmaster@localhost>
Section: mail
Priority: optional
Depends: libc6 (>= 2.36), libmemcached11, liblmdb0, libpsl5, libidn2-0, libsodium23,
 libinih1, libjansson4, libpcre2-8-0, libmilter1.0.1, libcurl3-gnutls, libmicrohttpd12,
 libgnutls30, libsqlite3-0, zlib1g, libzstd1, libpcap0.8, libcap-ng0, adduser
Suggests: libnftables1, postfix | exim4-daemon-light | exim4-daemon-heavy, memcached
Description: finds and stops spam at the mail server
 A policy daemon and a milter for Postfix, a module for Exim, a sniffer that counts
 SMTP traffic by address, one monitor that learns from all servers, an agent on each of
 them, and the command line to look after them:
 blacklist, acceptable list, reputation by (address, domain), shared by many servers
 through memcached, thresholds, and rules.  Observes until it is told to enforce.
C
printf '%s\n' /etc/weir/weir.conf /etc/weir/rules/10-starter.rules >"$root/DEBIAN/conffiles"
cat >"$root/DEBIAN/postinst" <<'C'
#!/bin/sh
set -e
if [ "$1" = configure ]; then
    getent passwd weir >/dev/null ||
        adduser --system --group --quiet --home /var/lib/weir --no-create-home weir
    install -d -m 2750 -o weir -g weir /var/lib/weir
    install -d -m 3770 -o weir -g weir /var/lib/weir/numbers
    if [ -d /run/systemd/system ]; then
        systemctl daemon-reload
        systemctl try-restart weir-policyd.service weir-milter.service weir-agent.service \
            weir-monitor.service weir-sniffer.service weir-metrics.service
    fi
fi
C
cat >"$root/DEBIAN/prerm" <<'C'
#!/bin/sh
set -e
[ "$1" = remove ] || exit 0
if [ -d /run/systemd/system ]; then
    systemctl disable --now weir-policyd.socket weir-policyd.service weir-milter.service \
        weir-agent.service weir-monitor.service weir-sniffer.service weir-metrics.service || true
fi
# What [agent] nftables made in the kernel outlives the agent.  Where there is none this may fail.
weir-agent --clear-nftables 2>/dev/null || nft delete table inet weir 2>/dev/null || true
C
cat >"$root/DEBIAN/postrm" <<'C'
#!/bin/sh
set -e
if [ "$1" = purge ]; then
    # The identity is a secret that still lets somebody in: weirctl server revoke, on the monitor.
    rm -rf /var/lib/weir /run/weir /etc/weir/agent.identity
    rmdir /etc/weir/rules /etc/weir 2>/dev/null || true # what else is there is the operator's
fi
C
chmod 755 "$root/DEBIAN/postinst" "$root/DEBIAN/prerm" "$root/DEBIAN/postrm"
dpkg-deb --root-owner-group --build "$root" "build/weir_${version}_$arch.deb"
