#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# fetch-source.sh PACKAGE VERSION SHA256 DIR
#
# Fetch a Debian source package's upstream tarball, check it and unpack it,
# unpatched, as DIR.  The tarball is kept beside DIR for the next time.
set -eu

package=$1 version=$2 sha256=$3 dir=$4
cache=$(dirname "$dir")
mkdir -p "$cache"
cd "$cache"
tarball=$(find . -maxdepth 1 -name "${package}_*.orig.tar.*" ! -name '*.asc' |
	head -n 1)
if [ -z "$tarball" ]; then
	apt-get source -qq --download-only "$package=$version" >/dev/null || {
		echo "fetch: the mirror has no source package" \
			"$package=$version" >&2
		exit 1
	}
	tarball=$(find . -maxdepth 1 -name "${package}_*.orig.tar.*" \
		! -name '*.asc' | head -n 1)
fi
echo "$sha256  $tarball" | sha256sum -c --quiet - || {
	echo "fetch: $tarball is not what was expected; remove it and retry" >&2
	exit 1
}
rm -rf "$dir.tmp" "$dir"
mkdir "$dir.tmp"
tar -xf "$tarball" -C "$dir.tmp" --strip-components=1
mv "$dir.tmp" "$dir"
