"""A pacman package: its files, its metadata, and the tar, .MTREE and database entry that they give."""
import base64
import dataclasses
import gzip
import hashlib
import os
import struct
import subprocess

EPOCH = 1747699200  # 2025-05-20, for everything that no Debian package dates
NANO = 10**9
COMPRESSORS = {
    "zst": ["zstd", "-q", "-6", "-T1", "-c"],
    "xz": ["xz", "-c", "-1", "-T1", "--check=crc32"],
    "gz": ["gzip", "-n", "-c"],
}


@dataclasses.dataclass
class Entry:
    """One member; `time` is in nanoseconds, `content` the data of a file or the target of a link."""
    kind: str
    mode: int
    content: bytes = b""
    uid: int = 0
    gid: int = 0
    time: int = EPOCH * NANO
    device: tuple = (0, 0)
    xattrs: dict = dataclasses.field(default_factory=dict)


class Package:
    """Paths are bytes without a leading slash; parents of what is added are added too."""

    def __init__(self, name, version, description, arch="any"):
        self.name, self.version, self.description, self.arch = name, version + "-1", description, arch
        self.entries, self.relations, self.backup, self.install = {}, [], [], ""
        self.build_date = EPOCH
        self.compressor = "zst"
        self.unsafe = {}  # members appended as they are, for packages that must be refused

    def add(self, path, entry):
        path = path.encode() if isinstance(path, str) else path
        self.entries[path] = entry
        parent = os.path.dirname(path)
        while parent and parent not in self.entries:
            self.entries[parent] = Entry("dir", 0o755)
            parent = os.path.dirname(parent)

    def directory(self, path, mode=0o755, **more):
        self.add(path, Entry("dir", mode, **more))

    def file(self, path, content, mode=0o644, **more):
        self.add(path, Entry("file", mode, content.encode() if isinstance(content, str) else content, **more))

    def symlink(self, path, target, **more):
        self.add(path, Entry("symlink", 0o777, target.encode() if isinstance(target, str) else target, **more))

    def hardlink(self, path, target, **more):
        self.add(path, Entry("hardlink", 0, target.encode() if isinstance(target, str) else target, **more))

    def relate(self, kind, *names):
        """Adds depend, provides, conflict, replaces, group or optdepend lines."""
        self.relations += [(kind, name) for name in names]

    @property
    def filename(self):
        return f"{self.name}-{self.version}-{self.arch}.pkg.tar.{self.compressor}"

    @property
    def installed_size(self):
        return sum(len(entry.content) for entry in self.entries.values() if entry.kind == "file")

    def info(self):
        """.PKGINFO"""
        lines = [f"pkgname = {self.name}", f"pkgbase = {self.name}", "xdata = pkgtype=pkg", f"pkgver = {self.version}",
                 f"pkgdesc = {self.description}", "url = https://diecast.test/", f"builddate = {self.build_date}",
                 "packager = Diecast Test <packager@diecast.test>", f"size = {self.installed_size}", f"arch = {self.arch}",
                 "license = custom"]
        lines += [f"{kind} = {name}" for kind, name in self.relations] + [f"backup = {path}" for path in self.backup]
        return "\n".join(lines) + "\n"

    def archive(self):
        """The compressed package: metadata first, then the files in byte order."""
        meta = {b".BUILDINFO": f"format = 2\npkgname = {self.name}\npkgbase = {self.name}\npkgver = {self.version}\n"
                               f"builddate = {self.build_date}\nbuildtool = diecast-test-mirror\n",
                b".PKGINFO": self.info()}
        if self.install:
            meta[b".INSTALL"] = self.install
        members = {path: Entry("file", 0o644, text.encode(), time=self.build_date * NANO) for path, text in meta.items()}
        members |= dict(sorted(self.entries.items()))
        tree = gzip.compress(self._mtree(members | self.unsafe).encode("latin-1"), mtime=0)
        members[b".MTREE"] = Entry("file", 0o644, tree, time=self.build_date * NANO)
        # The metadata sorts before the files: no installed path begins with a dot.
        tar = b"".join(tar_member(path, entry) for path, entry in sorted(members.items()))
        tar += b"".join(tar_member(path, entry) for path, entry in self.unsafe.items())
        return subprocess.run(COMPRESSORS[self.compressor], input=tar + bytes(1024), stdout=subprocess.PIPE, check=True).stdout

    def _mtree(self, members):
        lines = ["#mtree", "/set type=file uid=0 gid=0 mode=644"]
        for path, entry in members.items():
            entry = members.get(entry.content, Entry("file", 0o644)) if entry.kind == "hardlink" else entry
            words = [f"time={entry.time // NANO}.{entry.time % NANO}"]
            words += [f"mode={entry.mode:o}"] if entry.mode != 0o644 else []
            words += [f"uid={entry.uid}"] if entry.uid else []
            words += [f"gid={entry.gid}"] if entry.gid else []
            if entry.kind == "file":
                words += [f"size={len(entry.content)}", f"md5digest={hashlib.md5(entry.content).hexdigest()}",
                          f"sha256digest={hashlib.sha256(entry.content).hexdigest()}"]
            else:
                words.append("type=" + {"symlink": "link"}.get(entry.kind, entry.kind))
            words += [f"link={mtree_escape(entry.content)}"] if entry.kind == "symlink" else []
            words += [f"device=native,{entry.device[0]},{entry.device[1]}"] if entry.kind in ("char", "block") else []
            lines.append(f"./{mtree_escape(path)} " + " ".join(words))
        return "\n".join(lines) + "\n"

    def description_entry(self, data, signature):
        """The desc file of the sync database, for the package file's bytes and detached signature."""
        fields = [("FILENAME", [self.filename]), ("NAME", [self.name]), ("BASE", [self.name]), ("VERSION", [self.version]),
                  ("DESC", [self.description]), ("GROUPS", self._related("group")), ("CSIZE", [len(data)]),
                  ("ISIZE", [self.installed_size]), ("MD5SUM", [hashlib.md5(data).hexdigest()]),
                  ("SHA256SUM", [hashlib.sha256(data).hexdigest()]),
                  ("PGPSIG", [base64.b64encode(signature).decode()] if signature else []),
                  ("URL", ["https://diecast.test/"]), ("LICENSE", ["custom"]), ("ARCH", [self.arch]),
                  ("BUILDDATE", [self.build_date]), ("PACKAGER", ["Diecast Test <packager@diecast.test>"]),
                  ("REPLACES", self._related("replaces")), ("CONFLICTS", self._related("conflict")),
                  ("PROVIDES", self._related("provides")), ("DEPENDS", self._related("depend")),
                  ("OPTDEPENDS", self._related("optdepend"))]
        return "".join(f"%{key}%\n" + "".join(f"{value}\n" for value in values) + "\n" for key, values in fields if values).encode()

    def files_entry(self):
        """The files file of the files database."""
        paths = sorted(path + b"/" * (entry.kind == "dir") for path, entry in self.entries.items())
        return b"%FILES%\n" + b"".join(path + b"\n" for path in paths)

    def _related(self, kind):
        return [name for key, name in self.relations if key == kind]


def mtree_escape(text):
    return "".join(chr(byte) if 33 <= byte < 127 and byte not in b"\\#=" else f"\\{byte:03o}" for byte in text)


def tar_member(path, entry):
    """One member in the pax interchange format (POSIX.1-2017, pax), extended header included where it is needed."""
    name = path + b"/" if entry.kind == "dir" else path
    target = entry.content if entry.kind in ("symlink", "hardlink") else b""
    data = entry.content if entry.kind == "file" else b""
    records = []
    if entry.time % NANO:
        records.append((b"mtime", b"%d.%09d" % divmod(entry.time, NANO)))
    for key, value, room in ((b"path", name, 100), (b"linkpath", target, 100)):
        if len(value) > room or any(byte > 126 for byte in value):
            records.append((key, value))
    for key, value in sorted(entry.xattrs.items()):
        # Both spellings, as bsdtar writes them for makepkg.
        records.append((b"SCHILY.xattr." + key.encode(), value))
        records.append((b"LIBARCHIVE.xattr." + key.encode(), base64.b64encode(value).rstrip(b"=")))
    try:
        b"".join(key + value for key, value in records if not key.startswith(b"SCHILY")).decode()
    except UnicodeDecodeError:
        records.insert(0, (b"hdrcharset", b"BINARY"))
    header = b""
    if records:
        body = b"".join(pax_record(key, value) for key, value in records)
        header = tar_header(b"PaxHeader/" + name[-80:], Entry("file", 0o644, body), b"x", len(body)) + padded(body)
    kind = {"file": b"0", "hardlink": b"1", "symlink": b"2", "char": b"3", "block": b"4", "dir": b"5", "fifo": b"6"}[entry.kind]
    return header + tar_header(name, entry, kind, len(data), target) + padded(data)


def pax_record(key, value):
    rest = len(key) + len(value) + 3
    length = rest + len(str(rest))
    length = rest + len(str(length))
    return b"%d %s=%s\n" % (length, key, value)


def padded(data):
    return data + bytes(-len(data) % 512)


def tar_header(name, entry, kind, size, target=b""):
    owner = b"root" if entry.uid == 0 else b""
    group = b"root" if entry.gid == 0 else b""
    header = bytearray(struct.pack(
        "100s8s8s8s12s12s8sc100s6s2s32s32s8s8s167x", name[:100], b"%07o" % entry.mode, b"%07o" % entry.uid, b"%07o" % entry.gid,
        b"%011o" % size, b"%011o" % (entry.time // NANO), b" " * 8, kind, target[:100], b"ustar\0", b"00", owner, group,
        b"%07o" % entry.device[0], b"%07o" % entry.device[1]))
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)
