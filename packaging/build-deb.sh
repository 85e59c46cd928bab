#!/bin/bash
# build-deb.sh [DIRECTORY]: builds driftline_VERSION_ARCH.deb in DIRECTORY (default: the checkout) and prints its path.
# Needs dpkg-deb, gzip and a checkout with `npm ci` and `npm run build` done. The same commit gives the same bytes
# (SOURCE_DATE_EPOCH is the commit's time unless it is set). The node that runs is the node that is packed.
set -euo pipefail
umask 022

root=$(cd "$(dirname "$0")/.." && pwd)
out=$(realpath "${1:-$root}")
version=$(node -p 'require(process.argv[1]).version' "$root/package.json")
arch=$(dpkg --print-architecture)
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct)}
[ -f "$root/dist/cli/main.js" ] || { echo 'build-deb.sh: dist/ is missing, run: npm run build' >&2; exit 1; }

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
chmod 0755 "$stage"
lib=$stage/usr/lib/driftline
doc=$stage/usr/share/doc/driftline
from=$root/packaging

install -Dm755 "$(node -p process.execPath)" "$lib/node"
cp -R "$root/dist" "$root/package.json" "$lib/"
find "$lib/dist" -name '*.d.ts' -delete
find "$root/hooks" -maxdepth 1 -type f ! -name '*.md' -exec install -Dm755 -t "$lib/hooks" {} +
install -Dm644 -t "$lib/hooks/lib" "$root"/hooks/lib/*.mjs
node "$from/copy-modules.mjs" "$root" "$lib"
install -Dm755 "$from/deb/driftline" "$stage/usr/bin/driftline"
install -Dm644 "$from/driftline.service" "$stage/lib/systemd/system/driftline.service"
install -Dm644 "$from/99-driftline-sysctl.conf" "$stage/usr/lib/sysctl.d/60-driftline.conf"
install -Dm644 "$root/config/driftline.yaml" "$stage/etc/driftline/driftline.yaml"
install -Dm644 "$root/README.md" "$doc/README.md"
install -Dm644 "$root/hooks/README.md" "$doc/hooks.md"
install -Dm644 -t "$doc/examples" "$from/apt/80driftline"
mkdir -p "$stage/usr/share/man/man7" "$stage/usr/share/man/man8"
gzip -9nc "$from/driftline-hooks.7" >"$stage/usr/share/man/man7/driftline-hooks.7.gz"
gzip -9nc "$from/driftline.8" >"$stage/usr/share/man/man8/driftline.8.gz"
gzip -9nc "$root/CHANGELOG.md" >"$doc/changelog.gz"
{
  cat "$root/LICENSE"
  printf '\nThe Node.js runtime and the modules in /usr/lib/driftline/node_modules have licenses of their own:\n'
  printf 'Node.js: https://github.com/nodejs/node/blob/%s/LICENSE\n' "$(node --version)"
  printf 'modules: the LICENSE file in the directory of each\n'
} >"$doc/copyright"
find "$stage" -type d -exec chmod 0755 {} +
find "$lib/dist" "$lib/node_modules" "$lib/package.json" -type f -exec chmod 0644 {} +

mkdir "$stage/DEBIAN"
size=$(du -sk --apparent-size "$stage" | cut -f1)
sed "s/@VERSION@/$version/; s/@ARCH@/$arch/; s/@SIZE@/$size/" "$from/deb/control.in" >"$stage/DEBIAN/control"
install -m755 -t "$stage/DEBIAN" "$from/deb/postinst" "$from/deb/prerm" "$from/deb/postrm"
echo /etc/driftline/driftline.yaml >"$stage/DEBIAN/conffiles"
(cd "$stage" && find usr lib -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$stage/DEBIAN/md5sums"
find "$stage" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

deb=$out/driftline_${version}_$arch.deb
# xz: understood by every dpkg in use. Level 1, one thread: half the time of the default, and the same bytes anywhere.
dpkg-deb --root-owner-group --threads-max=1 -Zxz -z1 --build "$stage" "$deb" >/dev/null
echo "$deb"
