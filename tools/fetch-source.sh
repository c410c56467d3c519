#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# fetch-source.sh PACKAGE VERSION SHA256 DIR [CACHE]
#
# Fetch a Debian source package's upstream tarball, check it and unpack it,
# unpatched, as DIR.  The tarball is kept in CACHE (beside DIR) for the next
# time.  VERSION is Debian's or upstream's alone: of several revisions, of
# which mirrors drop the older ones, any has the same tarball.
set -eu

package=$1 version=$2 sha256=$3 dir=$4
cache=${5:-$(dirname "$dir")}
mkdir -p "$cache"

find_tarball() {
	find -H "$cache" -maxdepth 1 ! -name '*.asc' \( \
		-name "${package}_$version.orig.tar.*" -o \
		-name "${package}_${version%-*}.orig.tar.*" \) | head -n 1
}

revisions() {
	apt-cache showsrc --only-source "$package" 2>/dev/null |
		sed -n 's/^Version: //p' | while read -r full; do
		case ${full#*:} in
		"$version" | "$version"-*) echo "$full" ;;
		esac
	done
}

download() {
	for full in $(revisions); do
		if (cd "$cache" && apt-get source -qq --download-only --tar-only \
			"$package=$full") >/dev/null 2>&1; then
			return
		fi
	done
	echo "fetch: the mirror has no source package $package $version" >&2
	exit 1
}

tarball=$(find_tarball)
[ -n "$tarball" ] || download
tarball=$(find_tarball)
echo "$sha256  $tarball" | sha256sum -c --quiet - || {
	echo "fetch: $tarball is not what was expected; remove it and retry" >&2
	exit 1
}
rm -rf "$dir.tmp" "$dir"
mkdir -p "$dir.tmp"
tar -xf "$tarball" -C "$dir.tmp" --strip-components=1
mv "$dir.tmp" "$dir"
