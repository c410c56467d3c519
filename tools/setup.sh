#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# setup.sh [tests]: install what building and running need, from Debian's
# packages; for tests a browser too, and npm, which fetches what drives it.
# Does nothing, quickly, where all of it is there.  As root, or with sudo.
#
# Source packages need deb-src entries: they are derived from the machine's
# own entries for binaries and kept in files of their own.
set -eu

packages="gcc make libc6-dev libseccomp-dev linux-libc-dev binutils dpkg-dev ca-certificates
qemu-system-x86 qemu-system-common musl-tools musl-dev libcmocka-dev python3
perl wget curl socat wrk pandoc xz-utils clang libclang-rt-14-dev
clang-format clang-tidy cppcheck procps iproute2 gdb strace
util-linux redis-tools sqlite3 tcl cmake
mosquitto-clients haproxy python3-yaml"
sources=/etc/apt/sources.list.d/toril-sources

# These may have come from elsewhere: what counts is that they are there.
commands=
[ "${1-}" != tests ] || commands="node:nodejs npm:npm chromium:chromium"

missing=
for c in $commands; do
	command -v "${c%:*}" >/dev/null || missing="$missing ${c#*:}"
done
for p in $packages; do
	case $(dpkg-query -W -f='${Status}' "$p" 2>/dev/null || true) in
	*" installed") ;;
	*) missing="$missing $p" ;;
	esac
done
# Tests look packages up in apt's lists, which some machines come without.
if [ -z "$missing" ] && [ -e "$sources.sources" ] &&
	apt-cache show linux-image-cloud-amd64 >/dev/null 2>&1; then
	exit 0
fi

as_root=
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || {
		echo "setup: run this as root, or install sudo; needed:$missing" >&2
		exit 1
	}
	as_root=sudo
fi
$as_root apt-get update -qq
if [ ! -e "$sources.sources" ]; then
	# Each entry for binaries once more, for sources.
	new=$(mktemp -d)
	for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ ! -f "$f" ] || sed -n 's/^deb /deb-src /p' "$f"
	done >"$new/list"
	for f in /etc/apt/sources.list.d/*.sources; do
		[ ! -f "$f" ] || { sed 's/^Types:.*/Types: deb-src/' "$f"; echo; }
	done >"$new/sources"
	[ ! -s "$new/list" ] ||
		$as_root install -m 644 "$new/list" "$sources.list"
	$as_root install -m 644 "$new/sources" "$sources.sources"
	rm -r "$new"
	$as_root apt-get update -qq
fi
if [ -n "$missing" ]; then
	# haproxy's package starts a service, which nobody asked for here.
	mask=/run/systemd/system/haproxy.service
	case $missing in
	*haproxy*)
		[ -d "${mask%/*}" ] && $as_root ln -s /dev/null $mask || mask=
		;;
	*) mask= ;;
	esac
	# shellcheck disable=SC2086
	DEBIAN_FRONTEND=noninteractive $as_root apt-get install -qq -y \
		--no-install-recommends $missing >/dev/null
	if [ -n "$mask" ]; then
		$as_root rm $mask
		$as_root systemctl -q disable haproxy
	fi
fi
