#!/usr/bin/env bash
# Unpacks Ceph's object gateway (a real S3 server) from Debian packages into DIR; nothing is installed, root is not needed.
# usage: rgw-unpack.sh DIR     Does nothing when DIR is there. Needs the lists of apt (`apt-get update`).
set -euo pipefail
dir=$(realpath -m "$1")
[ -x "$dir/usr/bin/radosgw" ] && exit 0
mkdir -p "$(dirname "$dir")"
aside=$(mktemp -d "$dir.XXXXXX")
trap 'rm -rf "$aside"' EXIT
mkdir "$aside/debs" "$aside/root"
cd "$aside/debs"
# Parts of the closure that a server on loopback does without.
without='^(sudo|lvm2|dmeventd|cryptsetup-bin|gdisk|hdparm|logrotate|nvme-cli|libnvme1|dmidecode|parted|smartmontools|xfsprogs|uuid-runtime|python3-(certifi|requests|urllib3|chardet|idna|charset-normalizer))$'
packages=$(apt-get install -s --no-install-recommends ceph-mon ceph-osd radosgw ceph-common |
  awk '/^Inst/{print $2}' | grep -v -E "$without")
# shellcheck disable=SC2086 # one word each
apt-get download $packages >/dev/null
for deb in *.deb; do dpkg -x "$deb" "$aside/root"; done
# Whoever is first gives it its name; for the others it is there.
mv -T "$aside/root" "$dir" 2>/dev/null || [ -x "$dir/usr/bin/radosgw" ]
