#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# rust-virtiofsd.sh DIR
#
# Unpack Debian trixie's virtiofsd (Rust) and the libraries that it needs
# below DIR, without installing them, and write DIR/virtiofsd, which runs it:
# a second server to test shares against.
set -eu

dir=$1
packages="virtiofsd libc6 libseccomp2 libcap-ng0 libgcc-s1"
[ ! -x "$dir/virtiofsd" ] || exit 0
rm -rf "$dir"
mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial" "$dir/root"
dir=$(cd "$dir" && pwd)

# The machine's own mirror, another release.
key=/usr/share/keyrings/debian-archive-keyring.gpg
site=$(apt-get indextargets --format '$(SITE) $(CODENAME)' \
	'Created-By: Packages' | awk '$2 == "bookworm" { print $1; exit }')
echo "deb [signed-by=$key] $site trixie main" >"$dir/apt/sources.list"
apt() {
	apt-get -qq -o Dir::Etc::sourcelist="$dir/apt/sources.list" \
		-o Dir::Etc::sourceparts=/dev/null \
		-o Dir::State::lists="$dir/apt/lists" \
		-o Dir::Cache="$dir/apt/cache" -o APT::Sandbox::User=root "$@"
}
apt update
cd "$dir/root"
# shellcheck disable=SC2086
apt download $packages
for deb in ./*.deb; do
	dpkg -x "$deb" .
	rm "$deb"
done
rm -rf "$dir/apt"
cat >"$dir/virtiofsd" <<END
#!/bin/sh
exec $dir/root/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 \\
	--library-path $dir/root/usr/lib/x86_64-linux-gnu \\
	$dir/root/usr/libexec/virtiofsd "\$@"
END
chmod +x "$dir/virtiofsd"
