#!/bin/bash
# Compares pairs of images with diffoscope and with diecast diff: diffoscope.sh DIECAST ROOT DIRECTORY [PAIR...]
# ROOT is a Debian trixie root (tests/setup/make-trixie.sh); diffoscope and the tools that it asks go to a layer over it, from the
# mirror that ROOT's apt knows. What the two say is DIRECTORY/PAIR.{diffoscope,diecast}.txt, their times DIRECTORY/times. Pairs:
#   ext4 btrfs vfat esp   made here; a pair that is there already (DIRECTORY/PAIR/a and b) is taken as it is
#   disk                  bench/pair.sh of ROOT's /usr
#   mkosi initrd          two runs of mkosi from the mirror in DIECAST_MIRROR (tests/mirror/make-mirror.sh)
set -euo pipefail
usage="usage: diffoscope.sh DIECAST ROOT DIRECTORY [PAIR...]"
diecast=$(realpath "${1:?$usage}") root=$(realpath "${2:?$usage}") directory=$(realpath -m "${3:?$usage}")
shift 3
here=$(cd "$(dirname "$0")" && pwd)
pairs=("$@")
(( $# )) || pairs=(ext4 btrfs vfat esp disk initrd mkosi)
seconds=${DIFFOSCOPE_SECONDS:-600} kilobytes=$((8 << 20))
id=6de632fe-7638-44c4-917c-ecf4170af3b4
mkdir -p "$directory"/overlay/{upper,work,root} "$directory/tmp"
export root directory id

# Runs a program in the layered root, in DIRECTORY, which has its own name there.
inside() {
  unshare --mount --propagation private bash -c '
    set -e
    top=$directory/overlay/root
    mount -t overlay overlay -o "lowerdir=$root,upperdir=$directory/overlay/upper,workdir=$directory/overlay/work" "$top"
    mkdir -p "$top/oldroot" "$top$directory"
    mount --bind "$directory" "$top$directory"
    mount --bind "$directory/tmp" "$top/tmp"
    mount --rbind /dev "$top/dev"
    mount --rbind /sys "$top/sys"
    mount -t proc proc "$top/proc"
    cp -L /etc/resolv.conf /etc/hosts "$top/etc/"
    cd "$top"
    pivot_root . oldroot
    umount -l /oldroot
    cd "$directory"
    export HOME=/root TMPDIR=/tmp LC_ALL=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    exec "$@"' bash "$@"
}

# python3-guestfs is not among them: it brings an appliance of 190 packages and needs a kernel.
packages=(diffoscope-minimal 7zip acl binutils-multiarch btrfs-progs bzip2 cpio db-util dosfstools e2fsprogs faketime fdisk file gnupg-utils gpg
          libarchive-tools lz4 lzip mtools openssl perl pgpdump procps python3-argcomplete python3-binwalk python3-debian python3-defusedxml
          python3-jsondiff python3-progressbar python3-pyxattr python3-tlsh sqlite3 squashfs-tools time unzip xxd xz-utils zip zstd)
if [[ ! -e $directory/overlay/installed ]]; then
  inside sh -c 'apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "$@"' sh "${packages[@]}" \
    > "$directory/install.log" 2>&1 || { tail "$directory/install.log" >&2; exit 1; }
  touch "$directory/overlay/installed"
fi

tree='rm -rf tree; mkdir -p tree/etc tree/usr/bin tree/many; cp /bin/sh tree/usr/bin/; echo root:x:0:0 >tree/etc/passwd
  ln -s passwd tree/etc/link; for i in $(seq 300); do echo $i >tree/many/file-$i; done; touch -d 2020-01-01 tree/etc tree/etc/* tree/many/*'

# The same commands twice, seconds apart: FAT counts even seconds.
twice() {
  inside sh -ec "cd '$1'; $tree; for image in a b; do truncate -s $2 \$image; $3; sleep 2.1; done; rm -rf tree"
}

esp() {
  inside sh -ec "cd '$1'; $tree"'
    for image in a b; do
      [ $image = a ] && second=00 || second=10
      rm -f esp; truncate -s 33M esp; mkfs.vfat -F 32 -s 1 -i 12345678 --invariant esp >/dev/null
      faketime -f "2022-09-01 11:00:00" mmd -i esp ::/EFI
      faketime -f "2022-09-01 12:00:$second" mmd -i esp ::/EFI/Linux
      faketime -f "2022-09-01 13:00:00" mcopy -i esp tree/etc/passwd ::/EFI/Linux
      truncate -s 36M $image
      printf "label: gpt\nlabel-id: $id\nstart=2048, size=67584, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid=$id, name=esp\n" | sfdisk -q $image
      dd if=esp of=$image bs=1M seek=1 conv=notrunc status=none
    done
    rm -rf tree esp'
}

mkosi() {
  local mirror=${DIECAST_MIRROR:?needs the test mirror} port=8768 run
  python3 -m http.server -b 127.0.0.1 -d "$mirror" $port > /dev/null 2>&1 &
  local server=$!
  trap "kill $server" EXIT
  for run in a b; do
    mkdir -p "$directory/run-$run/mkosi.sandbox/usr/share/pacman/keyrings"
    cp "$mirror"/keyring/* "$directory/run-$run/mkosi.sandbox/usr/share/pacman/keyrings/"
    "$here/mkosi.sh" "$root" "$directory/run-$run" -d arch -p systemd -p linux -m http://127.0.0.1:$port/ --force -o foo > "$directory/run-$run.log" 2>&1
    mkdir -p "$directory"/{mkosi,initrd}
    mv "$directory/run-$run/foo.raw" "$directory/mkosi/$run"
    mv "$directory/run-$run/foo.initrd" "$directory/initrd/$run"
    rm -rf "$directory/run-$run"
  done
  kill $server
  trap - EXIT
}

make_pair() {
  local pair=$directory/$1
  mkdir -p "$pair"
  case $1 in
    ext4) twice "$pair" 64M "mkfs.ext4 -q -U $id -d tree \$image" ;;
    btrfs) twice "$pair" 128M "mkfs.btrfs -q -U $id --rootdir tree \$image" ;;
    vfat) twice "$pair" 40M "mkfs.vfat -F 32 -s 1 -i 12345678 \$image >/dev/null; mcopy -s -i \$image tree/usr tree/etc ::" ;;
    esp) esp "$pair" ;;
    disk)
      "$here/pair.sh" "$diecast" "${PAIR_TREE:-$root/usr}" "$pair" > /dev/null
      mv "$pair/a.raw" "$pair/a"; mv "$pair/b.raw" "$pair/b"; rm "$pair/c.raw" ;;
    mkosi|initrd) mkosi ;;
    *) echo "diffoscope.sh: $1 is none of the pairs" >&2; exit 2 ;;
  esac
}

# The clock in seconds and the largest process in kilobytes, as time(1) tells them, and the exit code: 1 is "they differ".
row() {
  printf '%-8s %-11s %8s s %6s MiB  exit %s\n' "$1" "$2" "$(tail -1 "$3" | cut -d' ' -f1)" "$(( $(tail -1 "$3" | cut -d' ' -f2) / 1024 ))" "$4" | tee -a "$directory/times"
}

for pair in "${pairs[@]}"; do
  [[ -e $directory/$pair/a && -e $directory/$pair/b ]] || make_pair "$pair"
  cat "$directory/$pair"/[ab] > /dev/null
  status=0
  command time -o "$directory/time" -f '%e %M' "$diecast" diff "$directory/$pair/a" "$directory/$pair/b" > "$directory/$pair.diecast.txt" 2>&1 || status=$?
  row "$pair" diecast "$directory/time" $status
  status=0
  inside sh -c 'ulimit -v "$1"; exec time -o time -f "%e %M" timeout "$2" diffoscope --no-progress "$3/a" "$3/b"' sh $kilobytes "$seconds" "$pair" \
    > "$directory/$pair.diffoscope.txt" 2>&1 || status=$?
  row "$pair" diffoscope "$directory/time" $status
done
