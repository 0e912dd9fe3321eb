#!/bin/bash
# Makes a signed pacman mirror of real Debian packages, so that images can be built and booted where no Arch mirror is.
#
#   make-mirror.sh OUT [full|small] [CACHE]
#
# OUT/{core,extra,bad}/os/x86_64   repositories, laid out like an Arch mirror; `bad` holds what must be refused
# OUT/keyring                      diecast.gpg, diecast-trusted, diecast-revoked (for mkosi.sandbox/usr/share/pacman/keyrings)
# CACHE                            .deb files and the package index; without it OUT.cache. Where it is complete nothing is
#                                  downloaded, and the same cache gives the same bytes.
#
# The packages come from the mirror that this machine's apt uses, of the suite in SUITE (trixie).
set -euo pipefail
out=$(realpath -m "${1:?usage: make-mirror.sh OUT [full|small] [CACHE]}")
mode=${2:-full}
cache=$(realpath -m "${3:-$out.cache}")
suite=${SUITE:-trixie}
here=$(cd "$(dirname "$0")" && pwd)
export LC_ALL=C.UTF-8 TZ=UTC PYTHONDONTWRITEBYTECODE=1
[[ $mode == full || $mode == small ]] || { echo "make-mirror.sh: the mode is full or small, not $mode" >&2; exit 2; }
for tool in python3 dpkg-deb apt-get zstd xz gzip; do
  command -v "$tool" >/dev/null || { echo "make-mirror.sh: $tool is not installed" >&2; exit 1; }
done

# apt's configuration with a state of its own below the cache; the machine's own stays as it is.
apt=$cache/apt
options=(-o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt" -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=-
         -o APT::Sandbox::User=root -o Acquire::Languages=none -o APT::Architecture=amd64 -o APT::Architectures=amd64)
mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$cache/debs"

if [[ ! -s $cache/Packages ]]; then
  mirror=$("$here/../setup/apt-mirror.sh")
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" > "$apt/sources.list"
  apt-get -qq "${options[@]}" update
  file=$(apt-get "${options[@]}" indextargets --format '$(FILENAME)' 'Created-By: Packages')
  /usr/lib/apt/apt-helper cat-file "$file" > "$cache/Packages.part"
  mv "$cache/Packages.part" "$cache/Packages"
fi

python3 "$here/mirror.py" resolve "$mode" "$cache/Packages" > "$cache/list.$mode"
missing=()
while read -r name version file _; do
  [[ -f $cache/debs/$file ]] || missing+=("$name=$version")
done < "$cache/list.$mode"
if (( ${#missing[@]} )); then
  mkdir -p "$cache/download"
  ( cd "$cache/download" && apt-get -qq "${options[@]}" download "${missing[@]}" )
  # apt spells an epoch's colon as %3a; the archive's own names leave the epoch out.
  for deb in "$cache/download"/*.deb; do
    name=${deb##*/} version=${name#*_}
    mv "$deb" "$cache/debs/${name%%_*}_${version#*%3a}"
  done
  rmdir "$cache/download"
fi
while read -r _ _ file hash; do echo "$hash  $cache/debs/$file"; done < "$cache/list.$mode" | sha256sum --quiet --check

rm -rf "$out" "$out.part"
mkdir -p "$out.part"
python3 "$here/mirror.py" make "$mode" "$cache/Packages" "$cache/debs" "$out.part"
mv "$out.part" "$out"
