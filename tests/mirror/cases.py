"""Packages that a test needs and no distribution has: every kind of file, resolution puzzles, and, apart, the malicious ones."""
import struct

from distribution import CAP_NET_RAW
from package import EPOCH, NANO, Entry, Package

# CAP_NET_BIND_SERVICE inheritable and permitted for a namespace whose root is 100000 (VFS_CAP_REVISION_3).
CAP_NAMESPACED = struct.pack("<6I", 0x03000000, 1 << 10, 1 << 10, 0, 0, 100000)
NOT_UTF8 = b"usr/share/kinds/caf\xe9-\xff\xfe"


def good():
    """For the repository `extra`."""
    return [_kinds(), *_providers(), _odd_names(), _chain("cycle-a", "cycle-b"), _chain("cycle-b", "cycle-a"),
            _file("old-name", "1"), _replacement(), _file("big-version", "3:1.0rc1"), _probe()]


def expired_since():
    """For `extra` as well, signed by a key that expires an hour after the newest package: good as of the mirror's time alone."""
    return _file("expired-since", "1")


def _probe():
    """No file, only a script that says what it sees of the host, so that a test can show that something was varied."""
    package = Package("probe", "1", "Says what a scriptlet sees")
    package.relate("depend", "bash")
    package.relate("depend", "coreutils")
    package.install = """post_install() {
  echo "PROBE DATE=$(date +%Y) NPROC=$(nproc) UIDS=$(echo $(cat /proc/self/uid_map)) HOST=$(cat /proc/sys/kernel/hostname) ZONE=$(date +%Z) UMASK=$(umask)"
}
"""
    return package


def _kinds():
    """Everything that a tar of makepkg can hold."""
    package = Package("kinds", "1", "Every kind of file")
    d = "usr/share/kinds"
    package.file(f"{d}/a-original", "linked\n", 0o4711, gid=42, time=EPOCH * NANO + 123456789)
    package.hardlink(f"{d}/b-link", f"{d}/a-original")
    package.hardlink(f"{d}/sub/c-link", f"{d}/a-original")
    package.file(f"{d}/capability", "#!/bin/sh\n", 0o755, xattrs={"security.capability": CAP_NET_RAW})
    package.file(f"{d}/capability3", "#!/bin/sh\n", 0o755, xattrs={"security.capability": CAP_NAMESPACED})
    package.file(f"{d}/xattrs", "x\n", xattrs={"user.binary": bytes(range(256)), "user.empty": b"", "user.text": "grün".encode(),
                                               "trusted.diecast": b"t"})
    package.file(f"{d}/large-xattr", "x\n", xattrs={"user.large": b"0123456789abcdef" * 200})
    package.add(f"{d}/null", Entry("char", 0o666, device=(1, 3)))
    package.add(f"{d}/disk", Entry("block", 0o660, gid=6, device=(259, 300)))
    package.add(f"{d}/fifo", Entry("fifo", 0o600, uid=34, gid=34))
    package.file(NOT_UTF8, "name\n")
    package.symlink(NOT_UTF8 + b"-link", NOT_UTF8.rsplit(b"/")[-1], time=EPOCH * NANO + 1)
    package.file(f"{d}/" + "long" * 40 + "/" + "name" * 63, "long\n")
    package.symlink(f"{d}/long-link", "../" * 40 + "usr/share/kinds/" + "x" * 200)
    package.file(f"{d}/empty", "", 0o000)
    package.file(f"{d}/old", "1970\n", time=0)
    package.file(f"{d}/new", "2100\n", time=4102444800 * NANO + 999999999)
    package.file(f"{d}/sparse", b"begin" + bytes(1 << 20) + b"end")
    package.file(f"{d}/owner", "far\n", uid=60000, gid=65535)
    package.directory(f"{d}/setgid", 0o2775, gid=50)
    package.directory(f"{d}/sticky", 0o1777)
    return package


def _providers():
    one = Package("tool-a", "1", "Provider test")
    one.file("usr/share/tool-a", "a\n")
    one.relate("provides", "virtual-tool=1")
    two = Package("tool-b", "1:0.9", "Provider test with epoch, backup and scriptlets")
    two.file("etc/tool-b.conf", "b=1\n")
    two.backup = ["etc/tool-b.conf"]
    two.relate("provides", "virtual-tool=2")
    two.relate("conflict", "tool-a")
    two.relate("group", "grp")
    two.relate("replaces", "tool-old")
    two.relate("depend", "bash", "coreutils")
    two.install = 'pre_install() { echo "pre $1"; }\npost_install() { echo "post $1"; touch var/lib/tool-b.stamp; }\n'
    three = Package("tool-c", "1", "Needs virtual-tool>=2")
    three.file("usr/share/tool-c", "c\n")
    three.relate("depend", "virtual-tool>=2")
    three.relate("group", "grp")
    three.relate("optdepend", "tool-d: nothing")
    return one, two, three


def _odd_names():
    package = Package("odd-names", "1", "Names that .MTREE has to escape")
    package.file("usr/share/odd/a b #=\\c", "space\n")
    package.file("usr/share/odd/ünï", "u\n")
    package.file("usr/share/odd/suid", "#!/bin/sh\n", 0o4755)
    package.file("var/lib/odd", "group\n", 0o640, gid=42)
    return package


def _file(name, version, path=None):
    package = Package(name, version, f"The package {name}")
    package.file(path or f"usr/share/{name}", name + "\n")
    return package


def _chain(name, depends):
    package = _file(name, "1")
    package.relate("depend", depends)
    return package


def _replacement():
    package = _file("new-name", "2")
    package.relate("replaces", "old-name")
    package.relate("conflict", "old-name")
    package.relate("provides", "old-name=2")
    return package


def bad():
    """For the repository `bad`, all of which must be refused: the package, who signs it, what happens to the signed bytes."""
    def same(data):
        return data

    def flipped(data):
        return data[:len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1:]

    def signed(name, signer):
        return _file(name, "1"), signer, same, same

    traversal = _file("path-traversal", "1")
    traversal.unsafe[b"usr/share/../../../../tmp/diecast-escaped"] = Entry("file", 0o644, b"escaped\n")
    absolute = _file("absolute-path", "1")
    absolute.unsafe[b"/tmp/diecast-escaped"] = Entry("file", 0o644, b"escaped\n")
    escape = _file("symlink-escape", "1")
    escape.unsafe[b"usr/share/escape"] = Entry("symlink", 0o777, b"../../../../../../../../tmp")
    escape.unsafe[b"usr/share/escape/diecast-escaped"] = Entry("file", 0o644, b"escaped\n")
    hardlink = _file("hardlink-escape", "1")
    hardlink.unsafe[b"usr/share/passwd"] = Entry("hardlink", 0, b"../../../../../../etc/passwd")
    conflict = _file("file-conflict", "1", "usr/share/tool-a")
    unsatisfiable = _chain("unsatisfiable", "no-such-package>=1")
    garbage = _file("not-a-package", "1")
    garbage.archive = lambda: b"This is no archive.\n" * 100
    other = _file("other-name", "1")
    truthful_info = other.info
    other.info = lambda: truthful_info().replace("pkgname = other-name", "pkgname = tool-a")
    # The third and fourth are applied to the file before and after the database is made of it.
    return [
        signed("weak-signed", "weak"), signed("gone-signed", "gone"), signed("revoked-signed", "revoked"),
        signed("expired-signed", "expired"), signed("unknown-signed", "unknown"), signed("unsigned", None),
        (_file("tampered", "1"), "packager", flipped, same),
        (_file("corrupt", "1"), "packager", same, flipped),
        (_file("truncated", "1"), "packager", same, lambda data: data[:-20]),
        *((package, "packager", same, same) for package in
          (traversal, absolute, escape, hardlink, conflict, unsatisfiable, garbage, other)),
    ]
