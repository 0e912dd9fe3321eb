using Diecast.Inspect.Differences;
using Diecast.Tests.Support;

namespace Diecast.Tests.Inspect.Differences;

/// <summary>Each cause where it is at work and where the values rule it out; the end-to-end tests make some of them with real tools.</summary>
public sealed class CausesTests
{
    private const string Uuid = "11111111-2222-4333-8444-555555555555", Uuid2 = "99999999-2222-4333-8444-555555555556",
        Nil = "00000000-0000-0000-0000-000000000000", Time = "1714566600.000000000", Time2 = "1714566611.500000000", Zero = "0.000000000";

    /// <summary>The id, then kind, path, structure, field and the two values.</summary>
    public static TheoryData<string, string, string?, string?, string, string?, string?> Fields { get; } = new()
    {
        { "ext4-hash-seed", "ext4", null, "superblock", "s_hash_seed", Uuid, Uuid2 },
        { "fat-volume-id", "vfat", null, null, "BS_VolID", "1234-ABCD", "1234-ABCE" },
        { "btrfs-ids", "btrfs", null, "superblock", "dev_item.uuid", Uuid, Uuid2 },
        { "btrfs-ids", "btrfs", null, "tree block", "chunk_tree_uuid", Uuid, Uuid2 },
        { "file-system-id", "ext4", null, null, "s_uuid", Uuid, Uuid2 },
        { "file-system-id", "btrfs", null, null, "fsid", Uuid, Uuid2 },
        { "disk-id", "gpt", null, null, "DiskGUID", Uuid, Uuid2 },
        { "partition-id", "gpt", "", "partition", "id", Uuid, Uuid2 },
        { "inode-generation", "ext4", "/a", "inode 12", "i_generation", "3405691582", "12345" },
        { "superblock-times", "ext4", null, null, "s_mkfs_time", Time, Time2 },
        { "superblock-times", "ext4", null, null, "s_mtime", Zero, Time2 },
        { "inode-times", "ext4", "/etc/passwd", "inode 12", "i_ctime", Time, Time2 },
        { "inode-times", "btrfs", "/etc", "inode 257", "otime", Time, Time2 },
        { "fat-times", "vfat", "/EFI", "entry", "DIR_CrtTime", "12:00:02", "12:00:08" },
        { "fat-times", "vfat", "/EFI", "entry", "DIR_WrtDate", "2024-05-06", "2024-05-07" },
        { "fat-times", "vfat", "/EFI", null, "mtime", Time, Time2 },
        { "archive-times", "ar", "/usr/lib/liba.a", "part", "mtime", Time, Time2 },
        { "archive-times", "zip", "/usr/share/a.jar", "part", "mtime", "2024-05-06 12:00:02", "2024-05-06 12:00:04" },
        { "archive-times", "cpio", "/init", null, "mtime", Time, Time2 },
        { "gzip-header", "gzip", "/a.gz", null, "MTIME", Zero, Time },
        { "pe-timestamp", "pe", "/a.efi", null, "TimeDateStamp", "1714566600", "1714566611" },
        { "pyc-mtime", "pyc", "/a.pyc", null, "source mtime", Time, Time2 },
        { "pyc-mode", "pyc", "/a.pyc", null, "flags", "checked hash", "checked by time" },
        { "file-time", "ext4", "/etc/passwd", null, "mtime", Time, Time2 },
        { "tool-features", "ext4", null, null, "s_feature_incompat", "extent 64bit", "extent" },
        { "follows-checksum", "ext4", null, "superblock", "s_checksum", "0x12345678", "0x12345679" },
        { "follows-checksum", "gpt", null, null, "HeaderCRC32", "12345678", "12345679" },
        { "follows-checksum", "btrfs", null, "tree block", "csum", "12345678", "12345679" },
        { "follows-build-id", "elf", "/usr/bin/a", null, "build-id", "0123456789abcdef", "0123456789abcde0" },
        { "follows-size", "ext4", null, null, "s_free_blocks_count", "100", "101" },
        { "follows-size", "passwd", "/etc/passwd", null, "order", "2 entries, SHA-256 of their names 01234567", "3 entries, SHA-256 of their names 89abcdef" },
        { "follows-size", "gpt", null, null, "AlternateLBA", "163839", "196607" },
        { "use-counters", "ext4", null, null, "s_mnt_count", "0", "1" },
        { "unused-space", "btrfs", null, "stale EXTENT_TREE leaf at 30474240", "nritems", "13", "25" },
        { "use-counters", "ext4", null, "journal superblock", "s_feature_incompat", "0x00000000", "0x00000012" },
        { "transactions", "btrfs", null, "superblock", "generation", "7", "9" },
        { "follows-hash-seed", "ext4", "/a", "directory /a, block 0", "index entry 1: hash", "0x28d832c6", "0x2bb87876" },
        { "directory-order", "vfat", "/a", "entry", "DIR_FstClusLO", "3", "4" },
        { "status-order", "dpkg status", "/var/lib/dpkg/status", null, "order", "12 packages, SHA-256 of their names 01234567", "12 packages, SHA-256 of their names 89abcdef" },
        { "account-order", "passwd", "/etc/passwd", null, "order", "2 entries, SHA-256 of their names 01234567", "2 entries, SHA-256 of their names 89abcdef" },
        { "mkfs-version", "vfat", null, null, "BS_OEMName", "mkfs.fat", "MTOO4043" },
        { "ldconfig-version", "ld.so.cache", "/etc/ld.so.cache", null, "generator", "ldconfig 2.40", "ldconfig 2.41" },
        { "hwdb", "hwdb", "/x/hwdb.bin", null, "tool_version", "255", "257" },
        { "python-version", "pyc", "/a.pyc", null, "magic", "3531 (Python 3.12)", "3571 (Python 3.13)" },
        { "package-version", "pacman desc", "/var/lib/pacman/local/bash-5.2-1/desc", null, "%VERSION%", "5.2-1", "5.2-2" },
        { "package-version", "dpkg status", "/var/lib/dpkg/status", null, "bash Version", "5.2-1", "5.2-2" },
        { "aux-cache", "ldconfig aux-cache", "/var/cache/ldconfig/aux-cache", null, "libc.so.6 inode", "12", "13" },
        { "aux-cache", "ldconfig aux-cache", "/var/cache/ldconfig/aux-cache", null, "libc.so.6 ctime", Time, Time2 },
        { "pacman-installdate", "pacman desc", "/var/lib/pacman/local/bash-5.2-1/desc", null, "%INSTALLDATE%", Time, Time2 },
        { "shadow-last-change", "shadow", "/etc/shadow", null, "root last change", "19800 (2024-03-18)", "19801 (2024-03-19)" },
        { "password-salt", "shadow", "/etc/shadow", null, "root password", "yescrypt, SHA-256 01234567", "yescrypt, SHA-256 89abcdef" },
        { "fontconfig-cache", "fontconfig cache", "/var/cache/fontconfig/a-le64.cache-9", null, "directory mtime", Time, Time2 },
        { "machine-id", "machine-id", "/etc/machine-id", null, "id", "0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdee" },
        { "random-seed", "random-seed", "/loader/random-seed", null, "content", "SHA-256 01234567", "SHA-256 89abcdef" },
        { "ssh-host-keys", "secret", "/etc/ssh/ssh_host_rsa_key", null, "content", "SHA-256 01234567", "SHA-256 89abcdef" },
        { "pacman-keyring", "secret", "/etc/pacman.d/gnupg/private-keys-v1.d/A.key", null, "content", "SHA-256 01234567", "SHA-256 89abcdef" },
        { "credential-secret", "secret", "/var/lib/systemd/credential.secret", null, "content", "SHA-256 01234567", "SHA-256 89abcdef" },
        { "systemd-journal", "journal", "/x/system.journal", null, "file_id", "0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdee" },
        { "umask", "ext4", "/opt/a", null, "mode", "0644", "0664" },
        { "build-user", "tar", "/opt/a", null, "uid", "0", "1000" },
        { "build-user", "cpio", "/opt/a", "cpio header", "c_uid", "0", "1000" },
        { "archive-times", "cpio", null, "cpio trailer", "c_mtime", Time, Time2 },
        { "cpio-inode-numbers", "cpio", "/init", null, "c_ino", "12345", "12346" },
        { "cpio-inode-numbers", "cpio", "/init", null, "c_devminor", "1", "49" },
        { "archive-order", "tar", null, null, "order", "4 members, number 2 is /a", "4 members, number 2 is /b" },
        { "archive-order", "tar", "/a", null, "typeflag", "0", "1" },
        { "archive-order", "tar", "/a", null, "linkname", "", "./b" },
        { "tar-owner-names", "tar", "/a", "tar header", "uname", "root", "jo" },
        { "tar-owner-names", "tar", "/a", null, "exthdr.gname", "root", "jo" },
        { "pax-times", "tar", "/a", "tar extended header", "pax atime", Time, Time2 },
        { "pax-header-names", "tar", "/a", null, "exthdr.name", "./PaxHeaders.123/a", "./PaxHeaders.124/a" },
        { "sparse-maps", "tar", "/a", null, "pax GNU.sparse.map", "0,4096", "0,8192" },
        { "follows-checksum", "tar", "/a", null, "chksum", "5000", "5001" },
        { "follows-size", "cpio", "/a", null, "c_filesize", "0", "12" },
    };

    /// <summary>As before, and no cause of that id.</summary>
    public static TheoryData<string, string, string?, string?, string, string?, string?> OtherFields { get; } = new()
    {
        { "ext4-hash-seed", "ext4", null, null, "s_hash_seed", Nil, Uuid },
        { "fat-volume-id", "vfat", null, null, "BS_VolID", "0000-0000", "1234-ABCD" },
        { "btrfs-ids", "btrfs", null, null, "dev_item.uuid", Nil, Uuid },
        { "file-system-id", "ext4", null, null, "s_uuid", Nil, Uuid },
        { "disk-id", "gpt", null, null, "DiskGUID", Nil, Uuid },
        { "partition-id", "gpt", "", "partition", "type-uuid", Uuid, Uuid2 },
        { "inode-generation", "ext4", "/a", "inode 12", "i_flags", "0x1", "0x2" },
        { "superblock-times", "ext4", null, null, "s_mkfs_time", Zero, Time },
        { "inode-times", "ext4", "/a", "inode 12", "i_ctime", "1.000000000", Time },
        { "fat-times", "vfat", "/a", "entry", "DIR_WrtDate", "1980-01-01", "2024-05-07" },
        { "archive-times", "ar", "/a.a", "part", "mtime", Zero, Time },
        { "gzip-header", "gzip", "/a.gz", null, "MTIME", Zero, "5.000000000" },
        { "pe-timestamp", "pe", "/a.efi", null, "TimeDateStamp", "0", "1" },
        { "pyc-mtime", "pyc", "/a.pyc", null, "source mtime", Zero, Time },
        { "pyc-mode", "elf", "/a.pyc", null, "flags", "1", "2" },
        { "file-time", "ext4", "/a", null, "mtime", Zero, Time },
        { "tool-features", "ext4", null, null, "s_blocks_count", "1", "2" },
        { "follows-checksum", "ext4", null, null, "s_feature_compat", "a", "b" },
        { "follows-build-id", "elf", "/a", null, "e_type", "2", "3" },
        { "follows-size", "ext4", null, null, "s_blocks_count", "100", "101" },
        { "follows-size", "image", null, null, "size", "83886080", "100663296" },
        { "use-counters", "ext4", null, null, "s_max_mnt_count", "0", "1" },
        { "unused-space", "btrfs", null, "EXTENT_TREE leaf at 30474240", "nritems", "13", "25" },
        { "use-counters", "ext4", null, "superblock", "s_feature_incompat", "0x000002c2", "0x000022c2" },
        { "transactions", "btrfs", null, null, "label", "a", "b" },
        { "follows-hash-seed", "ext4", "/a", "directory /a, block 0", "index entry 1: block", "1", "2" },
        { "directory-order", "vfat", "/a", "slot 1 of /", "DIR_Name", "A", "B" },
        { "status-order", "dpkg status", "/var/lib/dpkg/status", null, "order", "12 packages, SHA-256 of their names 01234567", "13 packages, SHA-256 of their names 89abcdef" },
        { "account-order", "passwd", "/etc/passwd", null, "order", "2 entries, SHA-256 of their names 01234567", "3 entries, SHA-256 of their names 89abcdef" },
        { "mkfs-version", "vfat", null, null, "BS_VolLab", "A", "B" },
        { "ldconfig-version", "ld.so.cache", null, null, "libc.so.6 (flags 0x303)", "/usr/lib/libc.so.6", "/lib/libc.so.6" },
        { "hwdb", "hwdb", "/x/hwdb.bin", null, "node_size", "24", "32" },
        { "python-version", "pyc", "/a.pyc", null, "source size", "1", "2" },
        { "package-version", "dpkg status", null, null, "bash Description", "a", "b" },
        { "aux-cache", "ldconfig aux-cache", "/var/cache/ldconfig/aux-cache", null, "libc.so.6 size", "12", "13" },
        { "pacman-installdate", "pacman desc", null, null, "%INSTALLDATE%", Time, Time },
        { "pacman-installdate", "pacman desc", null, null, "%INSTALLDATE%", "1.000000000", Time },
        { "shadow-last-change", "shadow", "/etc/shadow", null, "root last change", "", "19801 (2024-03-19)" },
        { "password-salt", "shadow", "/etc/shadow", null, "root password", "sha512crypt, SHA-256 01234567", "yescrypt, SHA-256 89abcdef" },
        { "password-salt", "shadow", "/etc/shadow", null, "root password", "locked (!)", "yescrypt, SHA-256 89abcdef" },
        { "fontconfig-cache", "fontconfig cache", "/x", null, "directory mtime", Zero, Time },
        { "machine-id", "machine-id", "/etc/machine-id", null, "id", "uninitialized", "0123456789abcdef0123456789abcdef" },
        { "random-seed", "random-seed", "/loader/random-seed", null, "size", "32", "512" },
        { "ssh-host-keys", "secret", "/var/lib/systemd/credential.secret", null, "content", "SHA-256 01234567", "SHA-256 89abcdef" },
        { "pacman-keyring", "secret", "/etc/ssh/ssh_host_rsa_key", null, "content", "SHA-256 01234567", "SHA-256 89abcdef" },
        { "credential-secret", "secret", "/etc/ssh/ssh_host_rsa_key", null, "content", "SHA-256 01234567", "SHA-256 89abcdef" },
        { "systemd-journal", "journal", "/x/system.journal", null, "state", "online", "offline" },
        { "umask", "ext4", "/opt/a", null, "mode", "0644", "4755" },
        { "umask", "ext4", "/opt/a", null, "mode", "0640", "0604" },
        { "build-user", "tar", "/opt/a", null, "uid", "0", "33" },
        { "cpio-inode-numbers", "cpio", "/init", null, "c_rdevminor", "1", "49" },
        { "archive-order", "tar", null, null, "order", "4 members, number 2 is /a", "5 members, number 2 is /b" },
        { "archive-order", "tar", "/a", null, "typeflag", "0", "5" },
        { "archive-order", "tar", "/a", null, "linkname", "./c", "./b" },
        { "tar-owner-names", "tar", "/a", null, "name", "root", "jo" },
        { "pax-times", "tar", "/a", null, "pax atime", Zero, Time2 },
        { "pax-times", "tar", "/a", null, "pax comment", Time, Time2 },
        { "pax-header-names", "tar", "/a", null, "name", "a", "b" },
        { "sparse-maps", "tar", "/a", null, "pax GNU.other", "0", "1" },
    };

    public static TheoryData<string, string, Change> Paths { get; } = new()
    {
        { "hwdb", "/usr/lib/udev/hwdb.bin", Change.Changed },
        { "aux-cache", "/var/cache/ldconfig/aux-cache", Change.Added },
        { "fontconfig-cache", "/var/cache/fontconfig/a-le64.cache-9", Change.Removed },
        { "man-index", "/var/cache/man/index.db", Change.Changed },
        { "java-keystore", "/etc/ssl/certs/java/cacerts", Change.Changed },
        { "locale-archive", "/usr/lib/locale/locale-archive", Change.Changed },
        { "apt-lists", "/var/lib/apt/lists/deb.example_Packages", Change.Added },
        { "package-cache", "/var/cache/pacman/pkg/bash-5.2.pkg.tar.zst", Change.Added },
        { "machine-id", "/etc/machine-id", Change.Changed },
        { "random-seed", "/var/lib/systemd/random-seed", Change.Added },
        { "ssh-host-keys", "/etc/ssh/ssh_host_rsa_key.pub", Change.Changed },
        { "pacman-keyring", "/etc/pacman.d/gnupg/trustdb.gpg", Change.Changed },
        { "gpg-keyring", "/root/.gnupg/pubring.kbx", Change.Changed },
        { "credential-secret", "/var/lib/systemd/credential.secret", Change.Added },
        { "systemd-journal", "/var/log/journal/0123/system.journal", Change.Changed },
        { "log-file", "/var/log/pacman.log", Change.Changed },
        { "log-file", "/chroot/var/log/apt/history.log", Change.Changed },
        { "update-stamp", "/etc/.updated", Change.Changed },
        { "host-name", "/etc/hostname", Change.Changed },
    };

    public static TheoryData<string, string> OtherPaths { get; } = new()
    {
        { "hwdb", "/usr/lib/udev/hwdb.d/20-usb.hwdb" },
        { "aux-cache", "/var/cache/ldconfig/other" },
        { "fontconfig-cache", "/etc/fonts/fonts.conf" },
        { "man-index", "/usr/share/man/man1/a.1" },
        { "java-keystore", "/etc/ssl/certs/ca.pem" },
        { "locale-archive", "/usr/lib/locale/C.utf8/LC_CTYPE" },
        { "apt-lists", "/var/lib/apt/extended_states" },
        { "package-cache", "/var/lib/pacman/local/bash-5.2-1/desc" },
        { "machine-id", "/etc/machine-info" },
        { "random-seed", "/usr/lib/systemd/random-seed" },
        { "ssh-host-keys", "/etc/ssh/sshd_config" },
        { "pacman-keyring", "/etc/pacman.d/mirrorlist" },
        { "gpg-keyring", "/usr/share/keyrings/archive.gpg" },
        { "credential-secret", "/etc/credstore/x" },
        { "systemd-journal", "/var/log/other" },
        { "log-file", "/usr/share/log/x" },
        { "log-file", "/var/log" },
        { "update-stamp", "/etc/updated" },
        { "host-name", "/etc/hosts" },
    };

    /// <summary>Two lines that differ for that reason.</summary>
    public static TheoryData<string, string, string> Texts { get; } = new()
    {
        { "image-version", "IMAGE_VERSION=1", "IMAGE_VERSION=2" },
        { "id-in-text", $"PARTUUID={Uuid} / ext4 defaults 0 1", $"PARTUUID={Uuid2} / ext4 defaults 0 1" },
        { "id-in-text", "UUID=1234-ABCD /efi vfat", "UUID=1234-ABCE /efi vfat" },
        { "follows-root-hash", "ro roothash=" + new string('a', 64) + " quiet", "ro roothash=" + new string('b', 64) + " quiet" },
        { "kernel-version", "uname 6.12.5-arch1-1", "uname 6.12.6-arch1-1" },
        { "tool-version", "GCC: (Debian 12.2.0-14) 12.2.0", "GCC: (Debian 12.2.1-1) 12.2.1" },
        { "time-in-text", "# Generated on Mon Nov 23 18:21:44 UTC 2026 by x", "# Generated on Tue Nov 24 08:21:44 UTC 2026 by x" },
        { "time-in-text", "built 2024-05-06T12:00:00Z", "built 2024-05-06T12:00:07Z" },
        { "time-in-text", "1714566600", "1714566611" },
        { "build-path", "CFLAGS=-I/tmp/build.abc123/src -O2", "CFLAGS=-I/tmp/build.xyz/src -O2" },
        { "build-path", "/home/alice/work/a.c", "/home/bob/work/a.c" },
    };

    public static TheoryData<string, string, string> OtherTexts { get; } = new()
    {
        { "image-version", "VERSION_ID=1", "IMAGE_VERSION=2" },
        { "id-in-text", $"PARTUUID={Uuid} / ext4 ro", $"PARTUUID={Uuid2} / ext4 rw" },
        { "follows-root-hash", "roothash=" + new string('a', 64) + " quiet", "roothash=" + new string('b', 64) + " debug" },
        { "kernel-version", "version 6.12.5", "version 6.12.6" },
        { "tool-version", "pin 12.2.0", "pin 12.2.1" },
        { "time-in-text", "port 1080", "port 1081" },
        { "time-in-text", "expires 1999-01-01", "expires 1998-01-01" },
        { "build-path", "/usr/share/a/x", "/usr/share/b/x" },
        { "build-path", "/home/alice/work/a.c", "/home/bob/work/b.c" },
    };

    [Theory]
    [MemberData(nameof(Fields))]
    public void ACauseIsNamedByItsField(string id, string kind, string? path, string? structure, string field, string? before, string? after)
    {
        var cause = Causes.OfField(kind, path, structure, field, before, after);
        Assert.Equal(id, cause?.Id);
        Assert.NotEmpty(cause!.Title);
        Assert.NotEmpty(cause.Advice);
        Assert.Equal(id, Causes.OfField(kind, path, structure, field, after, before)?.Id);
        Assert.Null(Causes.OfField(kind, path, structure, field, before, before));
        Assert.Null(Causes.OfField(kind, path, structure, field, before, null));
    }

    [Theory]
    [MemberData(nameof(OtherFields))]
    public void ValuesRuleACauseOut(string id, string kind, string? path, string? structure, string field, string? before, string? after)
    {
        Assert.NotEqual(id, Causes.OfField(kind, path, structure, field, before, after)?.Id);
        Assert.NotEqual(id, Causes.OfField(kind, path, structure, field, after, before)?.Id);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void ACauseIsNamedByItsPath(string id, string path, Change change) => Assert.Equal(id, Causes.OfContent("file", path, change)?.Id);

    [Theory]
    [MemberData(nameof(OtherPaths))]
    public void OtherPathsAreNotIt(string id, string path) => Assert.NotEqual(id, Causes.OfContent("file", path, Change.Changed)?.Id);

    [Theory]
    [MemberData(nameof(Texts))]
    public void ACauseIsNamedByItsText(string id, string before, string after) => Assert.Equal(id, OfText(before, after));

    [Theory]
    [MemberData(nameof(OtherTexts))]
    public void OtherTextsAreNotIt(string id, string before, string after) => Assert.NotEqual(id, OfText(before, after));

    [Fact]
    public void TextsThatAlsoDifferOtherwiseHaveNoCause()
    {
        string[] lines = ["@@ -1,2 +1,2 @@", "-built 2024-05-06", "-a", "+built 2024-05-07", "+b"];
        Assert.Null(Causes.OfContent("file", "/etc/x", Change.Changed, lines));
        Assert.Equal("time-in-text", Causes.OfContent("file", "/etc/x", Change.Changed, [lines[0], lines[1], lines[3]])?.Id);
        Assert.Null(Causes.OfContent("file", "/etc/x", Change.Changed, [lines[0], lines[1], lines[3], "+one more"]));
        Assert.Null(Causes.OfContent("file", "/etc/x", Change.Changed));
    }

    [Fact]
    public void ADirectoryHasAnotherOrderOnlyWhereTheFilesAreTheSame()
    {
        Assert.Equal("directory-order", Causes.OfLayout("ext4", "ext4 directory /etc")?.Id);
        Assert.Equal("directory-order", Causes.OfLayout("ext4", "contents at other places")?.Id);
        Assert.Equal("directory-order", Causes.OfLayout("vfat", "inodes and entries that belong to other files")?.Id);
    }

    [Theory]
    [InlineData("ext4", "i_block: extent 0: ee_start", "6302", "6595")]
    [InlineData("ext4", "entry lib: inode", "396", "397")]
    [InlineData("ext4", "blocks 10097 to 10104", "free", "used")]
    [InlineData("vfat", "DIR_FstClusLO", "3", "4")]
    [InlineData("btrfs", "root", "30703616", "30801920")]
    public void PlacesFollowFromFilesThatDiffer(string kind, string field, string before, string after)
    {
        Assert.Equal("follows-files", Causes.OfField(kind, "/a", null, field, before, after, haveSameFiles: false)?.Id);
        Assert.NotEqual("follows-files", Causes.OfField(kind, "/a", null, field, before, after)?.Id);
        Assert.Equal("follows-files", Causes.OfLayout(kind, "contents at other places", haveSameFiles: false)?.Id);
        Assert.NotEqual("follows-files", Causes.OfLayout(kind, "contents at other places")?.Id);
        Assert.Null(Causes.OfField(kind, "/a", null, "i_mode", "1", "2", haveSameFiles: false));
    }

    [Fact]
    public void PlacesWithoutFieldsHaveCauses()
    {
        Assert.Equal("journal", Causes.OfLayout("ext4", "ext4 journal")?.Id);
        Assert.Equal("unused-space", Causes.OfLayout("vfat", "fat unused")?.Id);
        Assert.Equal("packed-data", Causes.OfLayout("cpio", "zstd data")?.Id);
        Assert.Equal("archive-order", Causes.OfLayout("tar", "members in another order")?.Id);
        Assert.Equal("follows-size", Causes.OfLayout("tar", "members at other places")?.Id);
        Assert.Null(Causes.OfLayout("tar", "tar header /a"));
        Assert.Null(Causes.OfLayout("vfat", "zstd data"));
        Assert.Equal("unused-space", Causes.OfLayout("gpt", "unused")?.Id);
        Assert.Equal("follows-size", Causes.OfLayout("gpt", "GPT backup header / unused")?.Id);
        Assert.Equal("follows-build-id", Causes.OfLayout("section", ".note.gnu.build-id")?.Id);
        Assert.Null(Causes.OfLayout("section", ".text"));
        Assert.Null(Causes.OfLayout("vfat", "ext4 journal"));
        Assert.Null(Causes.OfLayout("ext4", "ext4 superblock"));
    }

    [Fact]
    public void EveryCauseHasBothKindsOfTests()
    {
        string[] ids = [.. CauseRules.All.Select(static rule => rule.Id)];
        Assert.Equal(ids.Distinct(), ids);
        string[] made = [.. Ids(Fields), .. Ids(Paths), .. Ids(Texts), "journal", "unused-space", "follows-files", "packed-data"];
        string[] absent = [.. Ids(OtherFields), .. Ids(OtherPaths), .. Ids(OtherTexts), "journal", "unused-space", "follows-files", "packed-data"];
        Assert.Empty(ids.Except(made));
        Assert.Empty(ids.Except(absent));
        Assert.All(CauseRules.All, static rule =>
        {
            Assert.Matches("^[a-z0-9-]+$", rule.Id);
            Assert.False(rule.Fields.Count == 0 && rule.Paths.Count == 0 && rule.Labels.Count == 0 && rule.Text is null);
        });
    }

    [Fact]
    public void TheDocumentationListsEveryCause()
    {
        var rows = CauseRules.All.Select(static rule => $"| `{rule.Id}` | {rule.Title} |\n");
        Assert.Contains($"| id | cause |\n|---|---|\n{string.Concat(rows)}\n", File.ReadAllText(Repository.File("docs", "diff.md")), StringComparison.Ordinal);
    }

    private static string? OfText(string before, string after) =>
        Causes.OfContent("file", "/etc/x", Change.Changed, ["@@ -1,1 +1,1 @@", "-" + before, "+" + after])?.Id;

    private static IEnumerable<string> Ids(System.Collections.IEnumerable rows) =>
        rows.Cast<ITheoryDataRow>().Select(static row => (string)row.GetData()[0]!);
}
