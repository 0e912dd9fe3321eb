#!/bin/bash
# Makes a Debian trixie root with the newer tools that tests compare with, and that a build runs in: make-trixie.sh DIRECTORY
set -euo pipefail
root=$(realpath -m "${1:?usage: make-trixie.sh DIRECTORY}")
here=$(cd "$(dirname "$0")" && pwd)
packages=(mkosi systemd-repart systemd-boot systemd-ukify systemd-container pacman-package-manager makepkg archlinux-keyring e2fsprogs
          dosfstools mtools fdisk cpio zstd xz-utils bubblewrap uidmap kmod gnupg faketime time)
mirror=$("$here/apt-mirror.sh")
rm -rf "$root" "$root.part"
mmdebstrap --quiet --variant=apt --include="$(IFS=,; echo "${packages[*]}")" trixie "$root.part" \
  "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main"
mv "$root.part" "$root"
