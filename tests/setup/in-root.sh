#!/bin/sh
# Runs a command in another root directory, as a host of its own: in-root.sh ROOT DIRECTORY... -- COMMAND...
# The directories are there under their own names; nothing else of this host is, and ROOT is not changed. (A plain chroot
# would not do: the kernel forbids user namespaces in one.)
set -eu
if [ "${IN_ROOT_UNSHARED:-}" != 1 ]; then
  exec env IN_ROOT_UNSHARED=1 unshare --mount --propagation private "$0" "$@"
fi
unset IN_ROOT_UNSHARED
lower=$1
shift
here=$PWD
mount -t tmpfs in-root /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay overlay -o "lowerdir=$lower,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/root
mount -t tmpfs -o mode=1777 tmp /mnt/root/tmp
mount -t tmpfs -o mode=1777 tmp /mnt/root/var/tmp
while [ "$1" != -- ]; do
  mkdir -p "/mnt/root$1"
  mount --bind "$1" "/mnt/root$1"
  shift
done
shift
mount -t proc proc /mnt/root/proc
mount --rbind /dev /mnt/root/dev
cd /mnt/root
mkdir old
pivot_root . old
umount -l /old
rmdir /old
cd "$here"
exec "$@"
