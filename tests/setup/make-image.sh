#!/bin/bash
# Builds the same image twice with artifacts/diecast, says where the time went, prints both digests and how to boot it:
#   make-image.sh BUILD debian [URL]         trixie from a mirror, else from that of this machine's apt
#   make-image.sh BUILD arch URL [KEYRING]   by a directory with the mirror's keyring, else the host's archlinux-keyring
# The images go to BUILD/image-a and BUILD/image-b.
set -euo pipefail
usage="usage: make-image.sh BUILD debian|arch [URL [KEYRING]]"
build=$(realpath -m "${1:?$usage}") distribution=${2:?$usage} url=${3:-} keyring=${4:-}
diecast=$(cd "$(dirname "$0")/../.." && pwd)/artifacts/diecast

case $distribution in
  debian) arguments=(-d debian -r trixie -p systemd -p linux-image-cloud-amd64 -p systemd-boot -p systemd-boot-efi -p udev -p dbus -p login
                     --root-password=hashed:) ;;
  arch) arguments=(-d arch -p systemd -p linux --seed 0e9a6fe0-68f6-408c-bbeb-136054d20445 --source-date-epoch 1662046009 --env-file env
                   --remove-files var/cache/ldconfig/aux-cache --environment=SYSTEMD_LOG_LEVEL=debug --debug) ;;
  *) echo "$usage" >&2; exit 2 ;;
esac
[[ -z $url ]] || arguments+=(-m "$url")
arguments+=(--force -o foo --kernel-command-line="console=tty0 console=ttyS0 systemd.firstboot=no")

for copy in a b; do
  directory=$build/image-$copy
  rm -rf "$directory"
  mkdir -p "$directory"
  cd "$directory"
  if [[ -n $keyring ]]; then
    mkdir -p mkosi.sandbox/usr/share/pacman/keyrings
    cp "$keyring"/* mkosi.sandbox/usr/share/pacman/keyrings/
  fi
  echo "SYSTEMD_REPART_MKFS_OPTIONS_EXT4=-E hash_seed=a24031c1-fc68-453d-80fa-00ad057a5780 -U 6de632fe-7638-44c4-917c-ecf4170af3b4" > env
  start=$SECONDS
  "$diecast" "${arguments[@]}"
  echo "$directory/foo.raw: $((SECONDS - start)) s"
done

cd "$build"
sha256sum image-a/foo.raw image-b/foo.raw
cmp image-a/foo.raw image-b/foo.raw
cat <<END
Both are the same. To boot it (root has no password, but with an Arch mirror of your own; "-accel kvm -cpu host" is faster where it works):
  cp /usr/share/OVMF/OVMF_VARS_4M.fd $build/vars.fd
  qemu-system-x86_64 -machine q35 -accel tcg,thread=multi -cpu max -smp 2 -m 2048 -nographic \\
    -drive if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd -drive if=pflash,format=raw,file=$build/vars.fd \\
    -drive if=virtio,format=raw,snapshot=on,file=$build/image-a/foo.raw
END
