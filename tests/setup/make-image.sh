#!/bin/bash
# Builds the same Arch image twice with artifacts/diecast, prints both digests, and says how to boot it:
#   make-image.sh URL KEYRING BUILD
# URL is a pacman mirror, KEYRING a directory with its keyring (or empty: the host's archlinux-keyring), the images go to
# BUILD/image-a and BUILD/image-b.
set -euo pipefail
url=${1:?usage: make-image.sh URL KEYRING BUILD} keyring=$2 build=$(realpath -m "${3:?usage: make-image.sh URL KEYRING BUILD}")
diecast=$(cd "$(dirname "$0")/../.." && pwd)/artifacts/diecast

for copy in a b; do
  directory=$build/image-$copy
  rm -rf "$directory"
  mkdir -p "$directory/mkosi.sandbox/usr/share/pacman/keyrings"
  cd "$directory"
  echo "SYSTEMD_REPART_MKFS_OPTIONS_EXT4=-E hash_seed=a24031c1-fc68-453d-80fa-00ad057a5780 -U 6de632fe-7638-44c4-917c-ecf4170af3b4" > env
  if [[ -n $keyring ]]; then cp "$keyring"/* mkosi.sandbox/usr/share/pacman/keyrings/; fi
  start=$SECONDS
  "$diecast" -d arch -p systemd -p linux --seed 0e9a6fe0-68f6-408c-bbeb-136054d20445 --source-date-epoch 1662046009 -m "$url" \
    --force -o foo --env-file env --remove-files var/cache/ldconfig/aux-cache --environment=SYSTEMD_LOG_LEVEL=debug \
    --kernel-command-line="console=tty0 console=ttyS0 systemd.firstboot=no"
  echo "$directory/foo.raw: $((SECONDS - start)) s"
done

cd "$build"
sha256sum image-a/foo.raw image-b/foo.raw
cmp image-a/foo.raw image-b/foo.raw
cat <<END
Both are the same. To boot it (root has no password where the mirror is the test mirror; "-accel kvm -cpu host" is faster where it works):
  cp /usr/share/OVMF/OVMF_VARS_4M.fd $build/vars.fd
  qemu-system-x86_64 -machine q35 -accel tcg,thread=multi -cpu max -smp 2 -m 2048 -nographic \\
    -drive if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd -drive if=pflash,format=raw,file=$build/vars.fd \\
    -drive if=virtio,format=raw,snapshot=on,file=$build/image-a/foo.raw
END
