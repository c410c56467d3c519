#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# trixie.sh DIR PROGRAM PACKAGE [OPTION...]
#
# Unpack Debian trixie's PACKAGE and all that it depends on below DIR, without
# installing any of it, and write a script of PROGRAM's name there which runs
# it, with OPTIONs first, where ROOT stands for what was unpacked: newer
# programs to test against than this release has.
set -eu

dir=$1 program=$2 package=$3
shift 3
name=$(basename "$program")
[ ! -x "$dir/$name" ] || exit 0
rm -rf "$dir"
mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial" "$dir/root"
dir=$(cd "$dir" && pwd)

# The machine's own mirror, another release, and nothing installed.
key=/usr/share/keyrings/debian-archive-keyring.gpg
site=$(apt-get indextargets --format '$(SITE) $(CODENAME)' \
	'Created-By: Packages' | awk '$2 == "bookworm" { print $1; exit }')
echo "deb [signed-by=$key] $site trixie main" >"$dir/apt/sources.list"
: >"$dir/apt/status"
apt() {
	apt-get -qq -o Dir::Etc::sourcelist="$dir/apt/sources.list" \
		-o Dir::Etc::sourceparts=/dev/null \
		-o Dir::State::lists="$dir/apt/lists" \
		-o Dir::State::status="$dir/apt/status" \
		-o Dir::Cache="$dir/apt/cache" -o APT::Sandbox::User=root \
		-o Acquire::Retries=3 "$@"
}
apt update
apt install --download-only --no-install-recommends -y "$package" >&2
for deb in "$dir"/apt/cache/archives/*.deb; do
	dpkg -x "$deb" "$dir/root"
done
rm -rf "$dir/apt"

lib=$dir/root/usr/lib/x86_64-linux-gnu
cat >"$dir/$name.new" <<END
#!/bin/sh
[ ! -d $lib/qemu ] || export QEMU_MODULE_DIR=$lib/qemu
exec $lib/ld-linux-x86-64.so.2 --library-path $lib $dir/root$program $(
	printf '%s ' "$@" | sed "s|ROOT|$dir/root|g") "\$@"
END
chmod +x "$dir/$name.new"
mv "$dir/$name.new" "$dir/$name"
