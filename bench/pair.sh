#!/bin/bash
# Makes disk images of 850 MB, each with an EFI system partition and an ext4 root of real files: pair.sh DIECAST TREE DIRECTORY
# a.raw and b.raw differ in a line of one file; in c.raw that file is a megabyte longer, so that what comes after it in the
# file system stands elsewhere. The files are the first 530 MB of TREE, by name.
set -euo pipefail
diecast=${1:?usage: pair.sh DIECAST TREE DIRECTORY} tree=$(realpath "${2:?}") directory=$(realpath -m "${3:?}")
export LC_ALL=C
rm -rf "$directory"
mkdir -p "$directory"/{definitions,tree/efi/EFI/Linux,tree/etc,tree/usr}
cd "$directory"
(cd "$tree" && find . -type f -size +0 -printf '%p %s\n' | sort | awk '{ sum += $NF; if (sum < 530e6) { sub(/ [0-9]+$/, ""); print } }') > files
(cd "$tree" && xargs -d '\n' cp -a --parents --reflink=auto -t "$directory/tree/usr" --) < files
# Two hundred megabytes of code for the system partition: the largest libraries.
find "$tree" -name '*.so*' -type f -size -16M -printf '%s %p\n' | sort -k1,1nr -k2 | sed -n 1,14p | cut -d' ' -f2- |
  xargs -d '\n' cp -a -t tree/efi/EFI/Linux --
printf '[Partition]\nType=esp\nFormat=vfat\nCopyFiles=/efi:/\nSizeMinBytes=260M\nSizeMaxBytes=260M\n' > definitions/10-esp.conf
printf '[Partition]\nType=root\nFormat=ext4\nCopyFiles=/:/\n' > definitions/20-root.conf

image() {
  touch -d @1662046009 tree/etc/motd tree/etc
  "$diecast" repart --empty=create --size=850M --seed 0e9a6fe0-68f6-408c-bbeb-136054d20445 --source-date-epoch 1662046009 \
    --definitions definitions --root tree "$1"
}
seq -f 'line %g of a text' 2000 > tree/etc/motd
image a.raw
sed -i 's/^line 1000 .*/line 1000, changed/' tree/etc/motd
image b.raw
seq -f 'line %g of a longer text' 45000 >> tree/etc/motd
image c.raw
rm -rf tree files
