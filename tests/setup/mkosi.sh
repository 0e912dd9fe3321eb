#!/bin/bash
# Runs mkosi in a root that stays as it is: mkosi.sh ROOT DIRECTORY ARGUMENT...
# DIRECTORY is its working directory; its package cache, temporary files and all else that it writes stay below it.
set -euo pipefail
root=${1:?usage: mkosi.sh ROOT DIRECTORY ARGUMENT...} directory=$(realpath "$2")
shift 2
mkdir -p "$directory"/overlay/{upper,work,root} "$directory"/{tmp,cache}
export root directory
exec unshare --mount --propagation private bash -c '
set -e
top=$directory/overlay/root
mount -t overlay overlay -o "lowerdir=$root,upperdir=$directory/overlay/upper,workdir=$directory/overlay/work" "$top"
mkdir -p "$top"/{image,oldroot,var/cache/mkosi}
mount --bind "$directory" "$top/image"
mount --bind "$directory/tmp" "$top/var/tmp"
mount --bind "$directory/cache" "$top/var/cache/mkosi"
mount --rbind /dev "$top/dev"
mount --rbind /sys "$top/sys"
mount -t proc proc "$top/proc"
mount -t tmpfs tmpfs "$top/run"
cd "$top"
pivot_root . oldroot
umount -l /oldroot
cd /image
export HOME=/root TMPDIR=/var/tmp PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
exec mkosi "$@"' bash "$@"
