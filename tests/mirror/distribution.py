"""What makes a distribution of converted packages: Arch's packaging of the kernel and systemd, hooks, and base packages."""
import struct

from package import Package

# Names of Debian packages. The list for `full` holds Arch's default initrd, a kernel that finds the disks of common PCs
# and clouds, systemd-boot, and programs that make file systems and databases of their own when they are installed.
SMALL = ["bash", "coreutils", "libc6", "libc-bin", "dash", "sed", "grep", "gzip", "tzdata"]
FULL = SMALL + [
    "util-linux", "mount", "login", "passwd", "systemd", "systemd-sysv", "systemd-boot", "systemd-boot-efi", "udev", "dbus", "kmod",
    "procps", "iproute2", "iputils-ping", "mawk", "tar", "findutils", "diffutils", "hostname", "less", "ca-certificates", "openssl",
    "libnss-myhostname", "dosfstools", "e2fsprogs", "btrfs-progs", "xfsprogs", "erofs-utils", "lvm2", "p11-kit", "libfido2-1",
    "libtss2-esys-3.0.2-0t64", "libtss2-rc0t64", "libtss2-mu-4.0.1-0t64", "libtss2-tcti-device0t64", "libseccomp2", "liblzma5",
    "libkmod2", "libcryptsetup12", "cryptsetup-bin", "systemd-cryptsetup", "systemd-repart", "linux-image-amd64"]
EXTRA = ["nano", "python3-minimal", "openssh-server", "gnupg", "curl", "fontconfig", "shared-mime-info", "info", "ed", "bc", "jq", "gawk",
         "zstd"]
COMPRESSORS = {"tzdata": "xz", "less": "xz", "ed": "gz", "bc": "gz"}

HOOKS = "usr/share/libalpm/hooks/"
# VFS_CAP_REVISION_2 with the effective bit, CAP_NET_RAW permitted: what `setcap cap_net_raw+ep` writes.
CAP_NET_RAW = struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0)
SYSTEMD_INSTALL = """post_install() {
  systemd-machine-id-setup
  systemd-sysusers
  journalctl --update-catalog
  systemctl enable getty@tty1.service remote-fs.target || :
  mkdir -p var/log/journal/remote
}
"""
CERTIFICATES_INSTALL = """post_install() {
  find usr/share/ca-certificates -name "*.crt" -printf "%P\\n" | LC_ALL=C sort > etc/ca-certificates.conf
  update-ca-certificates >/dev/null
}
post_upgrade() { post_install; }
"""
SHELLS_INSTALL = """post_install() {
  grep -qx /bin/bash etc/shells || echo /bin/bash >> etc/shells
}
post_upgrade() { post_install; }
"""
DEPMOD = """#!/bin/bash -e
while read -r path; do
  version=${path#usr/lib/modules/}
  version=${version%/}
  if [[ -d $path ]]; then depmod "$version"; else rm -rf "usr/lib/modules/$version"; fi
done
"""
ALL = ("Install", "Upgrade", "Remove")


def hook(package, name, targets, description, command, operations=ALL, needs_targets=False):
    """Adds a PostTransaction hook with path triggers."""
    lines = ["[Trigger]", "Type = Path", *(f"Operation = {o}" for o in operations), *(f"Target = {t}" for t in targets),
             "", "[Action]", f"Description = {description}", "When = PostTransaction", f"Exec = {command}",
             *(["NeedsTargets"] if needs_targets else [])]
    package.file(f"{HOOKS}{name}.hook", "\n".join(lines) + "\n")


def adapt(package, kernel):
    """Makes a converted package do what Arch's does; `kernel` is the version string of a kernel package."""
    name = package.name
    package.compressor = COMPRESSORS.get(name, "zst")
    if kernel:
        package.file(f"usr/lib/modules/{kernel}/pkgbase", "linux\n")
        package.relate("optdepend", "linux-firmware: firmware")
    elif name in ("mawk", "gawk"):
        package.relate("provides", "awk")
        package.relate("conflict", "gawk" if name == "mawk" else "mawk")
        package.symlink("usr/bin/awk", name)
    elif name == "bash":
        package.install = SHELLS_INSTALL
    elif name == "dash" and b"usr/bin/sh" not in package.entries:
        package.symlink("usr/bin/sh", "dash")
    elif name == "iputils-ping":
        package.entries[b"usr/bin/ping"].xattrs["security.capability"] = CAP_NET_RAW
    elif name == "ca-certificates":
        package.install = CERTIFICATES_INSTALL
    elif name == "fontconfig":
        hook(package, "40-fontconfig-cache", ["usr/share/fonts/*"], "Updating fontconfig cache...", "/usr/bin/fc-cache -s")
    elif name == "kmod":
        hook(package, "60-depmod", ["usr/lib/modules/*/", "!usr/lib/modules/*/?*"], "Updating module dependencies...",
             "/usr/share/libalpm/scripts/depmod", needs_targets=True)
        package.file("usr/share/libalpm/scripts/depmod", DEPMOD, 0o755)
    elif name == "systemd":
        _adapt_systemd(package)


def _adapt_systemd(package):
    package.install = SYSTEMD_INSTALL
    new = ("Install", "Upgrade")
    hook(package, "20-systemd-sysusers", ["usr/lib/sysusers.d/*.conf"], "Creating system user accounts...",
         "/usr/bin/systemd-sysusers", new)
    hook(package, "21-systemd-tmpfiles", ["usr/lib/tmpfiles.d/*.conf"], "Creating temporary files...",
         "/usr/bin/systemd-tmpfiles --create --exclude-prefix=/dev --exclude-prefix=/proc --exclude-prefix=/sys", new)
    hook(package, "25-systemd-catalog", ["usr/lib/systemd/catalog/*"], "Updating journal message catalog...",
         "/usr/bin/journalctl --update-catalog")
    hook(package, "25-systemd-hwdb", ["usr/lib/udev/hwdb.d/*"], "Updating udev hardware database...",
         "/usr/bin/systemd-hwdb --usr update")
    hook(package, "35-systemd-update", ["usr/"], "Arming ConditionNeedsUpdate...", "/usr/bin/touch -c /usr")


def filesystem():
    """The directories and account files that everything else stands on."""
    package = Package("filesystem", "2025.05.20", "Base directory tree and account files")
    for path in ("boot dev efi etc home mnt opt run srv usr usr/bin usr/sbin usr/lib usr/lib64 usr/share usr/local usr/local/bin "
                 "var var/lib var/log var/cache var/spool").split():
        package.directory(path)
    for path, mode in (("tmp", 0o1777), ("var/tmp", 0o1777), ("root", 0o700), ("proc", 0o555), ("sys", 0o555)):
        package.directory(path, mode)
    for path, target in (("bin", "usr/bin"), ("sbin", "usr/sbin"), ("lib", "usr/lib"), ("lib64", "usr/lib64"), ("var/run", "../run"),
                         ("var/lock", "../run/lock"), ("etc/os-release", "../usr/lib/os-release"), ("etc/mtab", "../proc/self/mounts")):
        package.symlink(path, target)
    package.file("usr/lib/os-release", 'NAME="Diecast Test Linux"\nID=diecast\nID_LIKE=arch\nBUILD_ID=rolling\n'
                                       'PRETTY_NAME="Diecast Test Linux"\n')
    users = ("root:0:0:/root:/bin/bash daemon:1:1:/usr/sbin:/usr/sbin/nologin bin:2:2:/bin:/usr/sbin/nologin "
             "sys:3:3:/dev:/usr/sbin/nologin mail:8:8:/var/mail:/usr/sbin/nologin backup:34:34:/var/backups:/usr/sbin/nologin "
             "nobody:65534:65534:/nonexistent:/usr/sbin/nologin").split()
    groups = ("root:0 daemon:1 bin:2 sys:3 adm:4 tty:5 disk:6 lp:7 mail:8 kmem:15 dialout:20 cdrom:24 floppy:25 tape:26 sudo:27 audio:29 "
              "backup:34 shadow:42 utmp:43 video:44 plugdev:46 staff:50 users:100 nogroup:65534").split()
    package.file("etc/passwd", "".join("{0}:x:{1}:{2}:{0}:{3}:{4}\n".format(*user.split(":")) for user in users))
    package.file("etc/group", "".join(f"{name}:x:{number}:\n" for name, number in (group.split(":") for group in groups)))
    package.file("etc/shadow", "root::::::::\n" + "".join(user.split(":")[0] + ":!*:::::::\n" for user in users[1:]), 0o600)
    package.file("etc/gshadow", "".join(group.split(":")[0] + ":!::\n" for group in groups), 0o600)
    package.file("etc/shells", "/bin/sh\n")
    package.file("etc/hosts", "127.0.0.1 localhost\n::1 localhost\n")
    package.file("etc/fstab", "# static\n")
    package.file("etc/profile", "export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin\n")
    package.file("etc/nsswitch.conf", "passwd: files systemd\ngroup: files systemd\nshadow: files systemd\nhosts: files dns\n")
    for name, module in (("auth", "pam_unix.so nullok"), ("account", "pam_unix.so"), ("password", "pam_unix.so yescrypt"),
                         ("session", "pam_unix.so"), ("session-noninteractive", "pam_unix.so")):
        package.file(f"etc/pam.d/common-{name}", f"{name.split('-')[0]} required {module}\n")
    package.backup = [f"etc/{name}" for name in "passwd group shadow gshadow shells hosts fstab profile nsswitch.conf".split()]
    package.relate("provides", "base-files", "base-passwd")
    return package


def base(names):
    """The metapackage, as Arch has it."""
    package = Package("base", "1", "Minimal package set")
    package.relate("depend", "filesystem", *names)
    return package


def keyring(directory):
    """The test keyring as a package, from the files in a directory."""
    package = Package("diecast-keyring", "20250520", "Test keyring")
    for path in sorted(directory.iterdir()):
        package.file(f"usr/share/pacman/keyrings/{path.name}", path.read_bytes())
    return package
