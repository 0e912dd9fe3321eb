#!/bin/bash
# Installs the Debian packages that are missing and that building (install-packages.sh build), making a Debian image (image),
# an Arch image (arch) or testing (test) needs. As another user than root, without sudo, it prints the command to run instead.
set -euo pipefail
build=(make gcc cmake libc6-dev libssl-dev zlib1g-dev binutils)
image=(bubblewrap uidmap debian-archive-keyring)
arch=("${image[@]}" python3 zstd xz-utils gzip archlinux-keyring)
test=("${arch[@]}" e2fsprogs btrfs-progs dosfstools mtools gdisk fdisk cpio libarchive-tools gnupg pacman-package-manager makepkg fakeroot
      qemu-system-x86 ovmf mmdebstrap faketime libfaketime attr acl libcap2-bin xxd file strace procps systemd git time chromium
      gcc libc6-dev binutils zip patch diffutils fontconfig)
case ${1:-} in
  build) wanted=("${build[@]}") ;;
  image) wanted=("${build[@]}" "${image[@]}") ;;
  arch) wanted=("${build[@]}" "${arch[@]}") ;;
  test) wanted=("${build[@]}" "${test[@]}") ;;
  *) echo "usage: install-packages.sh build|image|arch|test" >&2; exit 2 ;;
esac

if ! command -v dpkg-query > /dev/null; then
  echo "This is no Debian system: what is missing must be installed by hand. Debian's names: ${wanted[*]}" >&2
  exit 0
fi
missing=()
for package in "${wanted[@]}"; do
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
done
(( ${#missing[@]} )) || exit 0

install=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "${missing[@]}")
if (( EUID == 0 )); then
  sudo=()
elif command -v sudo >/dev/null; then
  sudo=(sudo)
else
  echo "These packages are missing; as root run: apt-get update && apt-get install ${missing[*]}" >&2
  exit 1
fi
echo "Installing ${missing[*]}"
# The first try does without new package lists: they may be fresh, and no network is needed where the packages are cached.
"${sudo[@]}" "${install[@]}" > /dev/null 2>&1 || { "${sudo[@]}" apt-get -q update && "${sudo[@]}" "${install[@]}"; }
