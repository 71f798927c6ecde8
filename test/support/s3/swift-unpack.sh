#!/usr/bin/env bash
# Unpacks OpenStack Swift (a real server of S3 that refuses conditional writes) from Debian packages into DIR; nothing is
# installed, root is not needed.
# usage: swift-unpack.sh DIR     Does nothing when DIR is there. Needs the lists of apt (`apt-get update`).
set -euo pipefail
dir=$(realpath -m "$1")
[ -x "$dir/usr/bin/swift-proxy-server" ] && exit 0
mkdir -p "$(dirname "$dir")"
aside=$(mktemp -d "$dir.XXXXXX")
trap 'rm -rf "$aside"' EXIT
mkdir "$aside/debs" "$aside/root"
cd "$aside/debs"
# Parts of the closure that a server on loopback does without.
without='^(rsyslog|logrotate|rsync|uwsgi.*|intltool.*|po-debconf|openstack-pkg-tools|libestr0|libfastjson4|liblognorm5)$'
packages=$(apt-get install -s --no-install-recommends swift-proxy swift-object swift-container swift-account memcached |
  awk '/^Inst/{print $2}' | grep -v -E "$without")
# shellcheck disable=SC2086 # one word each
apt-get download $packages >/dev/null
for deb in *.deb; do dpkg -x "$deb" "$aside/root"; done
# Whoever is first gives it its name; for the others it is there.
mv -T "$aside/root" "$dir" 2>/dev/null || [ -x "$dir/usr/bin/swift-proxy-server" ]
