"""Debian's packages: the index, the closure of a list of names, and the conversion of a .deb to a pacman package."""
import io
import os
import re
import subprocess
import tarfile

from package import EPOCH, NANO, Entry, Package

# Debian's own administration has no place in a pacman system. Arch signs no boot loader of its own either.
DROPPED = {
    "dpkg", "perl-base", "debconf", "debconf-2.0", "cdebconf", "init-system-helpers", "install-info", "base-files", "base-passwd",
    "adduser", "initramfs-tools", "linux-initramfs-tool", "linux-base", "ucf", "sensible-utils", "perl", "lsb-base", "sysvinit-utils",
    "apt", "runit-helper", "usr-is-merged", "media-types", "systemd-boot-efi-amd64-signed",
}
OPERATORS = {"<<": "<", "<=": "<=", "=": "=", ">=": ">=", ">>": ">"}
MERGED = ("bin", "sbin", "lib", "lib64")
NOT_INSTALLED = re.compile(r"usr/share/(doc|man|lintian|bug|locale)/")
# A third of the kernel's size, none of which finds a disk or a console.
MODULES_LEFT_OUT = re.compile(r"/kernel/(sound|net/(wireless|mac80211|bluetooth)|drivers/"
                              r"(accel|bluetooth|comedi|gpu|iio|infiniband|isdn|media|staging|net/(wireless|ethernet)))/")
# Arch's names, so that a list of packages that is written for Arch resolves.
ARCH_NAMES = {
    "libfido2-1": "libfido2", "libtss2-esys-3.0.2-0t64": "tpm2-tss", "procps": "procps-ng", "libmount1": "util-linux-libs",
    "libseccomp2": "libseccomp", "passwd": "shadow", "iputils-ping": "iputils", "openssh-server": "openssh",
    "python3-minimal": "python", "libc6": "glibc", "libpam0g": "pam", "xz-utils": "xz",
}
# What is one package in Arch, or is loaded with dlopen so that no dependency names it.
MORE_DEPENDENCIES = {
    "systemd": ("systemd-sysv", "systemd-boot", "systemd-boot-efi", "udev", "bash", "dbus", "kmod", "util-linux", "libc-bin", "libkmod2",
                "libseccomp2", "libcryptsetup12", "libzstd1", "liblz4-1", "libcrypt1", "sed", "coreutils"),
    "util-linux": ("login", "mount", "passwd"),
    "libtss2-esys-3.0.2-0t64": ("libtss2-rc0t64", "libtss2-mu-4.0.1-0t64", "libtss2-tcti-device0t64"),
    "kmod": ("liblzma5", "libzstd1"),
    "libkmod2": ("liblzma5", "libzstd1"),
    "libc-bin": ("filesystem",),
    # The shell that runs scriptlets has to be there before the first of them.
    "bash": ("dash",),
    "ca-certificates": ("dash", "findutils"),
}


def fields_of(paragraph):
    """The fields of one paragraph of a control file (deb822)."""
    fields, key = {}, None
    for line in paragraph.split("\n"):
        if line[:1] in (" ", "\t") and key:
            fields[key] += "\n" + line
        elif ":" in line:
            key, value = line.split(":", 1)
            fields[key] = value.strip()
    return fields


def relations(control, *fields):
    """Each relation as its alternatives, (name, operator, version) each."""
    pattern = re.compile(r"([A-Za-z0-9.+-]+)(?::\w+)?(?:\s*\((<<|<=|=|>=|>>)\s*([^)]+)\))?")
    for field in fields:
        for alternatives in re.split(r",\s*", control.get(field, "")):
            if alternatives:
                yield [pattern.match(alternative.strip()).groups() for alternative in alternatives.split("|")]


def index(text):
    """The paragraphs of a Packages file by package name, and who provides a virtual name."""
    packages, providers = {}, {}
    name_of, provides_of = re.compile(r"^Package: (\S+)", re.M), re.compile(r"^(Provides: .*)", re.M)
    for paragraph in text.split("\n\n"):
        name = name_of.search(paragraph)
        if name:
            packages[name.group(1)] = paragraph
            provides = provides_of.search(paragraph)
            for alternatives in relations(fields_of(provides.group(1)), "Provides") if provides else ():
                providers.setdefault(alternatives[0][0], []).append(name.group(1))
    return packages, providers


def closure(names, packages, providers):
    """The names and all that they depend on, the first alternative where nothing chosen before will do; their fields by name."""
    chosen, queue = {}, list(names)
    while queue:
        name = queue.pop(0)
        if name in DROPPED:
            continue
        if name not in packages:
            name = next((provider for provider in providers.get(name, []) if provider not in DROPPED), None)
        if name is None or name in chosen:
            continue
        chosen[name] = fields_of(packages[name])
        queue += [extra for extra in MORE_DEPENDENCIES.get(name, ()) if extra in packages]
        for alternatives in relations(chosen[name], "Pre-Depends", "Depends"):
            options = [option for option, _, _ in alternatives]
            if not any(option in DROPPED or option in chosen or any(p in chosen for p in providers.get(option, [])) for option in options):
                queue.append(options[0])
    return chosen


def pacman_version(version):
    """epoch:upstream-revision as epoch:pkgver; the pkgrel is always 1, so the hyphen has to go."""
    return version.replace("-", "+r")


def merged(path):
    """A path below the merged /usr, without the leading slash."""
    path = "" if path == "." else path.removeprefix("./").strip("/")
    return "usr/" + path if path.split("/")[0] in MERGED else path


def convert(deb, chosen, providers):
    """The pacman package that a .deb becomes."""
    control_files = {}
    control_tar = subprocess.run(["dpkg-deb", "--ctrl-tarfile", deb], stdout=subprocess.PIPE, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(control_tar)) as tar:
        for member in tar:
            if member.isfile():
                control_files[member.name.removeprefix("./")] = tar.extractfile(member).read().decode("utf-8", "replace")
    control = fields_of(control_files["control"])
    kernel = re.fullmatch(r"linux-image-(\d.*)", control["Package"])
    package = Package("linux" if kernel else control["Package"], pacman_version(control["Version"]),
                      control.get("Description", "").split("\n")[0], "any" if control["Architecture"] == "all" else "x86_64")
    _add_files(package, deb, kernel.group(1) if kernel else None)
    package.build_date = max([entry.time for entry in package.entries.values()], default=EPOCH * NANO) // NANO
    _add_relations(package, control, chosen, providers)
    for line in control_files.get("conffiles", "").split("\n"):
        path = merged(line.strip())
        if path.encode() in package.entries:
            package.backup.append(path)
    return package


def _add_files(package, deb, kernel):
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as data, \
            tarfile.open(fileobj=data.stdout, mode="r|") as tar:
        for member in tar:
            path = merged(member.name)
            if kernel and path.startswith("boot/"):
                path = re.sub(r"^boot/(vmlinuz|config|System\.map)-.*", rf"usr/lib/modules/{kernel}/\1", path)
            if not path or path in ("boot", "etc", "usr", "var", *("usr/" + name for name in MERGED)) or \
                    NOT_INSTALLED.match(path + "/") or kernel and MODULES_LEFT_OUT.search(path + "/"):
                continue
            more = {"uid": member.uid, "gid": member.gid, "time": int(member.mtime) * NANO}
            if member.isdir():
                package.directory(path, member.mode & 0o7777, **more)
            elif member.issym():
                package.symlink(path, _link_target(path, member.linkname), time=more["time"])
            elif member.islnk():
                package.hardlink(path, merged(member.linkname), time=more["time"])
            elif member.isfile():
                package.file(path, tar.extractfile(member).read(), member.mode & 0o7777, **more)
    if data.returncode:
        raise SystemExit(f"{deb}: dpkg-deb failed")
    for path, entry in list(package.entries.items()):
        # Debian masks its init scripts' units and the gpt-auto generator in this way.
        if entry.content == b"/dev/null" and path.startswith((b"usr/lib/systemd/system/", b"etc/systemd/system-generators/")):
            del package.entries[path]


def _link_target(path, target):
    if not target.startswith("/") or target.startswith("/etc/alternatives"):
        return target
    return os.path.relpath("/" + merged(target), "/" + os.path.dirname(path))


def _add_relations(package, control, chosen, providers):
    name = control["Package"]
    depends = []
    for alternatives in relations(control, "Pre-Depends", "Depends"):
        met = [a for a in alternatives if a[0] in chosen] or \
              [a for a in alternatives if any(p in chosen for p in providers.get(a[0], []))]
        if not met:
            continue
        wanted, operator, version = met[0]
        # alpm has no "~", so such a bound would mean something else.
        bound = operator and wanted in chosen and "~" not in version.rstrip("~")
        wanted = "linux" if re.match(r"linux-image-\d", wanted) else wanted
        depends.append(wanted + (OPERATORS[operator] + pacman_version(version.rstrip("~")) if bound else ""))
    package.relate("depend", *dict.fromkeys([*depends, *MORE_DEPENDENCIES.get(name, ())]))
    for alternatives in relations(control, "Recommends", "Suggests"):
        package.relate("optdepend", f"{alternatives[0][0]}: recommended or suggested")
    for (wanted, _, version), *_ in relations(control, "Provides"):
        package.relate("provides", wanted + ("=" + pacman_version(version) if version else ""))
    for (wanted, operator, version), *_ in relations(control, "Conflicts"):
        if wanted not in chosen and wanted != name:
            package.relate("conflict", wanted + (OPERATORS[operator] + pacman_version(version) if operator else ""))
    if name in ARCH_NAMES:
        package.relate("provides", f"{ARCH_NAMES[name]}={package.version.removesuffix('-1')}")
