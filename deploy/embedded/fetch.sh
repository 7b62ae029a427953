#!/bin/sh
# Fetches the embedded ClickHouse engine (libchdb) into the user's cache folder
# and prints its path. Does nothing but print when it is already there.
#
#   sh fetch.sh          fetch; FAIRLEAD_LIBCHDB names a library of your own instead
#   sh fetch.sh --pin    write this machine's platform into package-lock.json,
#                        with the integrity hash that the npm registry publishes
#
# What arrives must have the SHA-512 that stands in package-lock.json. Needs npm,
# and for a moment about 1 GB of disk beside the final 570 MB.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

say() { printf '%s\n' "fetch.sh: $*" >&2; }
fail() { say "$*"; exit 1; }

otherwise='or run without the embedded engine: set clickhouse.dsn to a ClickHouse server'

version=$(sed -n 's/^ *"@chdb\/lib-[a-z0-9-]*": "\([^"]*\)".*/\1/p' "$here/package.json" | head -n 1)
[ -n "$version" ] || fail "no @chdb/lib-… version in $here/package.json"

# The same folder as Go's os.UserCacheDir.
system=$(uname -s)
case $system in
Darwin) cache=${HOME:?}/Library/Caches ;;
*) cache=${XDG_CACHE_HOME:-${HOME:?}/.cache} ;;
esac
case $cache in
/*) ;;
*) fail "the cache folder $cache is not an absolute path: set XDG_CACHE_HOME to one" ;;
esac
base=$cache/fairlead/embedded
library=$base/$version/libchdb.so

if [ "${1:-}" != --pin ]; then
	if [ -n "${FAIRLEAD_LIBCHDB:-}" ]; then
		[ -s "$FAIRLEAD_LIBCHDB" ] || fail "FAIRLEAD_LIBCHDB names $FAIRLEAD_LIBCHDB, which is not there"
		printf '%s\n' "$FAIRLEAD_LIBCHDB"
		exit 0
	fi
	if [ -s "$library" ]; then
		printf '%s\n' "$library"
		exit 0
	fi
fi

case $system/$(uname -m) in
Linux/x86_64 | Linux/amd64) platform=linux-x64-gnu ;;
Linux/aarch64 | Linux/arm64) platform=linux-arm64-gnu ;;
Darwin/x86_64) platform=darwin-x64 ;;
Darwin/arm64) platform=darwin-arm64 ;;
*) fail "the embedded engine is not made for $system on $(uname -m): $otherwise" ;;
esac
if [ "$system" = Linux ] && (ldd --version 2>&1 || true) | grep -qi musl; then
	fail "the embedded engine needs glibc, and this system has musl: $otherwise"
fi
package=@chdb/lib-$platform

command -v npm >/dev/null 2>&1 || fail "npm is missing: install Node.js with npm to fetch the embedded engine, $otherwise"

if [ "${1:-}" = --pin ]; then
	published=$(npm view --json "$package@$version" dist.integrity license os cpu libc 2>/dev/null) ||
		fail "the npm registry does not show $package@$version: check the network and npm's registry setting, $otherwise"
	node -e '
		const fs = require("fs"), [here, name, version, published] = process.argv.slice(1);
		const sorted = o => Object.fromEntries(Object.entries(o).sort());
		const edit = (file, change) => {
			const path = here + "/" + file, content = JSON.parse(fs.readFileSync(path, "utf8"));
			change(content);
			fs.writeFileSync(path + ".new", JSON.stringify(content, null, 2) + "\n");
			fs.renameSync(path + ".new", path);
		};
		const p = JSON.parse(published), integrity = p["dist.integrity"];
		if (!/^sha512-[A-Za-z0-9+\/]{86}==$/.test(integrity)) { console.error("no SHA-512 is published"); process.exit(1); }
		const depend = o => { o.optionalDependencies = sorted({ ...o.optionalDependencies, [name]: version }); };
		edit("package.json", depend);
		edit("package-lock.json", lock => {
			depend(lock.packages[""]);
			const { license, os, cpu, libc } = p;
			lock.packages["node_modules/" + name] = { version, integrity, cpu, libc, license, optional: true, os };
			lock.packages = sorted(lock.packages);
		});
	' "$here" "$package" "$version" "$published" >&2 || fail "$package@$version could not be pinned"
	say "pinned $package@$version in $here/package-lock.json, with the hash that the registry publishes: review and commit it"
	exit 0
fi

# The entry of exactly this package and version in the lock: "sha512-…".
integrity=$(node -e '
	const lock = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
	const entry = (lock.packages || {})["node_modules/" + process.argv[2]];
	if (entry && entry.version === process.argv[3]) console.log(entry.integrity || "");
' "$here/package-lock.json" "$package" "$version")
case $integrity in
sha512-?*) ;;
*) fail "package-lock.json has no hash for $package@$version: pin it on this machine with 'sh deploy/embedded/fetch.sh --pin', then run this again, $otherwise" ;;
esac

mkdir -p "$base" || fail "cannot write to $base"
# What a killed run left behind.
find "$base" -maxdepth 1 -name '.fetch.*' -type d -mmin +180 -exec rm -rf {} + 2>/dev/null || true
work=$(mktemp -d "$base/.fetch.XXXXXX") || fail "cannot write to $base"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

say "fetching $package@$version (178 MB) into $base"
# A cache of its own, so that no second copy stays in npm's.
(cd "$work" && npm pack --cache "$work/npm" --pack-destination "$work" --ignore-scripts --loglevel=error "$package@$version" >/dev/null) ||
	fail "npm could not fetch $package@$version: check the network and npm's registry setting"
rm -rf "$work/npm"
set -- "$work"/*.tgz
[ $# -eq 1 ] && [ -f "$1" ] || fail "npm fetched something other than one package"

actual=sha512-$(node -e '
	const hash = require("crypto").createHash("sha512");
	require("fs").createReadStream(process.argv[1]).on("data", d => hash.update(d)).on("end", () => console.log(hash.digest("base64")));
' "$1")
[ "$actual" = "$integrity" ] ||
	fail "$package@$version has the wrong hash and was thrown away: package-lock.json says $integrity, fetched $actual"

tar -xzf "$1" -C "$work" package/libchdb.so package/package.json || fail "$package@$version could not be unpacked"
rm -f "$1"
# Published by one rename of a folder's only entry: a second run that ends at the
# same time replaces it by the same bytes.
mkdir -p "$base/$version"
chmod 0644 "$work/package/libchdb.so"
mv -f "$work/package/libchdb.so" "$library"
printf '%s\n' "$library"
