"""Makes the test mirror; called by make-mirror.sh.

mirror.py resolve full|small PACKAGES > list     which Debian packages are needed, from a Packages file
mirror.py make full|small PACKAGES DEBS OUT      OUT/{core,extra,bad}/os/x86_64 and OUT/keyring, from the .deb files in DEBS
"""
import io
import multiprocessing
import pathlib
import re
import subprocess
import sys
import tarfile

import cases
import debian
import distribution
import openpgp
from package import EPOCH, tar_header, Entry, padded

CREATED = 1577836800  # 2020-01-01, when the keys were made
MASTERS = ("master-1", "master-2", "master-3", "master-4", "master-5")


def owners():
    """Everybody who signs: name to certificate."""
    people = {name: openpgp.Owner(name, CREATED) for name in MASTERS}
    for name, options in (("packager", {"subkey": True}), ("maintainer", {}), ("weak", {}), ("gone", {}),
                          ("revoked", {"revoked": EPOCH}), ("expiring", {}), ("expired", {"lifetime": 365 * 86400}), ("unknown", {})):
        people[name] = openpgp.Owner(name, CREATED, **options)
        # Arch wants three of its five masters.
        for master in MASTERS[:2 if name == "weak" else 4]:
            people[master].certify(people[name], CREATED + 3600)
    return people


def write_keyring(people, directory):
    """The three files that pacman-key --populate reads; the keyring is a row of armored blocks, as Arch's is."""
    directory.mkdir(parents=True)
    (directory / "diecast.gpg").write_text("".join(
        openpgp.armored(owner.certificate()) for owner in people.values() if owner.name != "unknown"))
    (directory / "diecast-trusted").write_text("".join(f"{people[name].fingerprint}:4:\n" for name in MASTERS))
    (directory / "diecast-revoked").write_text(people["gone"].fingerprint + "\n")


def seeds(mode):
    return distribution.SMALL if mode == "small" else distribution.FULL + distribution.EXTRA


class Repository:
    """Writes packages into a repository's directory and its databases at the end."""

    def __init__(self, out, name):
        self.name, self.directory, self.entries = name, out / name / "os" / "x86_64", []
        self.directory.mkdir(parents=True)

    def add(self, package, owner, before=None, after=None):
        """Signs a package's file, describes it, and writes it; returns its entries for the databases."""
        data = package.archive()
        # A signature is as old as the package, so that the key's age counts from there.
        signature = owner.sign(data, max(package.build_date, EPOCH)) if owner else None
        data = before(data) if before else data
        entry = (f"{package.name}-{package.version}", package.description_entry(data, signature), package.files_entry())
        (self.directory / package.filename).write_bytes(after(data) if after else data)
        if signature:
            (self.directory / (package.filename + ".sig")).write_bytes(signature)
        return entry

    def close(self, compressor):
        """Writes NAME.db and NAME.files."""
        for suffix, with_files in (("db", False), ("files", True)):
            tar = b""
            for name, description, files in sorted(self.entries):
                tar += tar_header(name.encode() + b"/", Entry("dir", 0o755), b"5", 0)
                for file, content in (("desc", description), ("files", files))[:2 if with_files else 1]:
                    tar += tar_header(f"{name}/{file}".encode(), Entry("file", 0o644), b"0", len(content)) + padded(content)
            compressed = subprocess.run(compressor, input=tar + bytes(1024), stdout=subprocess.PIPE, check=True).stdout
            (self.directory / f"{self.name}.{suffix}").write_bytes(compressed)


def read_index(path):
    return debian.index(pathlib.Path(path).read_text())


def convert(job):
    """One .deb, in a process of the pool."""
    deb, chosen, providers, repository, owner = job
    package = debian.convert(deb, chosen, providers)
    kernel = re.fullmatch(r"linux-image-(\d.*)", pathlib.Path(deb).name.split("_")[0])
    distribution.adapt(package, kernel.group(1) if kernel else None)
    return repository.name, package.build_date, repository.add(package, owner)


def make(mode, index, debs, out):
    packages, providers = read_index(index)
    chosen = debian.closure(seeds(mode), packages, providers)
    people = owners()
    core, extra, bad = (Repository(out, name) for name in ("core", "extra", "bad"))
    jobs = []
    for name, control in chosen.items():
        deb = debs / pathlib.PurePath(control["Filename"]).name
        repository, owner = (extra, people["maintainer"]) if name in distribution.EXTRA else (core, people["packager"])
        jobs.append((str(deb), chosen, providers, repository, owner))
    # The kernel takes longest, so it goes first.
    jobs.sort(key=lambda job: -pathlib.Path(job[0]).stat().st_size)
    by_name = {repository.name: repository for repository in (core, extra)}
    newest = EPOCH
    with multiprocessing.Pool() as pool:
        for repository, build_date, entry in pool.imap_unordered(convert, jobs):
            by_name[repository].entries.append(entry)
            newest = max(newest, build_date)
    people["expiring"].lifetime = newest + 3600 - CREATED
    write_keyring(people, out / "keyring")
    in_base = [name for name in seeds(mode) if name in chosen and name not in distribution.EXTRA and not name.startswith("linux-image")]
    for package in (distribution.filesystem(), distribution.base(in_base), distribution.keyring(out / "keyring")):
        core.entries.append(core.add(package, people["packager"]))
    for package in cases.good():
        extra.entries.append(extra.add(package, people["maintainer"]))
    extra.entries.append(extra.add(cases.expired_since(), people["expiring"]))
    for package, signer, before, after in cases.bad():
        bad.entries.append(bad.add(package, people[signer] if signer else None, before, after))
    core.close(["gzip", "-n", "-c"])
    extra.close(["zstd", "-q", "-c", "-T1"])
    bad.close(["gzip", "-n", "-c"])
    for repository in (core, extra, bad):
        print(f"{repository.name}: {len(repository.entries)} packages")


def main():
    if sys.argv[1] == "resolve":
        chosen = debian.closure(seeds(sys.argv[2]), *read_index(sys.argv[3]))
        for control in chosen.values():
            print(control["Package"], control["Version"], pathlib.PurePath(control["Filename"]).name, control["SHA256"])
    else:
        make(sys.argv[2], sys.argv[3], pathlib.Path(sys.argv[4]), pathlib.Path(sys.argv[5]))


main()
