#!/usr/bin/env bash
# Unpacks a headless Chromium from Debian packages into DIR; nothing is installed, root is not needed.
# usage: unpack.sh DIR     Does nothing when DIR is there. Needs the lists of apt (`apt-get update`).
set -euo pipefail
dir=$(realpath -m "$1")
program=usr/lib/chromium/chromium-headless-shell
[ -x "$dir/$program" ] && exit 0
mkdir -p "$(dirname "$dir")"
aside=$(mktemp -d "$dir.XXXXXX")
trap 'rm -rf "$aside"' EXIT
mkdir "$aside/debs" "$aside/root"
cd "$aside/debs"
packages=$(apt-get install -s --no-install-recommends chromium-headless-shell | awk '/^Inst/{print $2}' | grep -v '^xdg-utils$')
# shellcheck disable=SC2086 # one word each
apt-get download $packages >/dev/null
for deb in *.deb; do dpkg -x "$deb" "$aside/root"; done
# Whoever is first gives it its name; for the others it is there.
mv -T "$aside/root" "$dir" 2>/dev/null || [ -x "$dir/$program" ]
