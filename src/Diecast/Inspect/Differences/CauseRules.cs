using static Diecast.Inspect.Differences.CauseTests;

namespace Diecast.Inspect.Differences;

/// <summary>
/// The known causes, one table: a new one is a new entry here, with a row for its being there and one for its absence in the
/// tests. The first that holds is named, so the special ones stand before the general ones.
/// </summary>
internal static class CauseRules
{
    private const string FileSystems = "ext4|vfat|btrfs|xfs|f2fs|erofs|squashfs|directory", Archives = "tar|cpio|ar|zip";

    public static IReadOnlyList<CauseRule> All { get; } =
    [
        .. Ids(),
        .. Times(),
        .. Consequences(),
        .. Orders(),
        .. Tools(),
        .. Databases(),
        .. State(),
        .. Contents(),
    ];

    private static CauseRule[] Ids() =>
    [
        new("ext4-hash-seed", "random seed of the directory hashes",
            "mke2fs draws it anew even with -U: give -E hash_seed=UUID (in mkosi by SYSTEMD_REPART_MKFS_OPTIONS_EXT4); Diecast derives it from Seed=.")
        {
            Fields = [new("ext4", "s_hash_seed", CauseTests.Ids)],
        },
        new("fat-volume-id", "volume id from the clock or from chance",
            "Give mkfs.vfat -i ID (systemd-repart derives it from Seed=, Diecast too), or --invariant.")
        {
            Fields = [new("vfat", "BS_VolID", CauseTests.Ids)],
        },
        new("btrfs-ids", "random ids of the devices, chunks and subvolumes of btrfs",
            "mkfs.btrfs -U sets the id of the file system alone: newer ones have --device-uuid for the device, and other ids have no option.")
        {
            Fields =
            [
                new("btrfs", "*chunk_tree_uuid|*dev_uuid|dev_item.uuid|*dev_item uuid|uuid|*parent_uuid|*received_uuid|* uuid", CauseTests.Ids),
                // Keys that are an id, and a copy of the chunks that hold one.
                new("btrfs", "item.key.objectid|item.key.offset", Numbers) { Structure = "UUID_TREE*" },
                new("btrfs", "sys_chunk_array", Any),
            ],
        },
        new("file-system-id", "random id of a file system",
            "Set Seed= for systemd-repart, mkosi and Diecast, or give the id to mkfs (-U).")
        {
            Fields =
            [
                new("ext4", "s_uuid|s_journal_uuid|s_users|s_users*", CauseTests.Ids), new("btrfs", "*fsid|metadata_uuid", CauseTests.Ids),
                new("xfs|f2fs|erofs|swap", "*uuid*", CauseTests.Ids),
            ],
        },
        new("disk-id", "random id of the disk",
            "Set Seed= (a fixed UUID) for systemd-repart, mkosi and Diecast; with sgdisk use --disk-guid, with sfdisk label-id:.")
        {
            Fields = [new("gpt", "DiskGUID", CauseTests.Ids)],
        },
        new("partition-id", "random id of a partition",
            "Set Seed= or UUID= for systemd-repart, mkosi and Diecast; with sgdisk use --partition-guid, with sfdisk uuid=.")
        {
            Fields = [new("gpt", "id|UniquePartitionGUID", CauseTests.Ids)],
        },
        new("cpio-inode-numbers", "inode and device numbers of the host in an archive",
            "Give GNU cpio --reproducible (--renumber-inodes, --ignore-devno, --ignore-dirnlink); the kernel's gen_init_cpio and Diecast number from 1.")
        {
            Fields = [new("cpio", "c_ino|c_devmajor|c_devminor|c_nlink", Numbers)],
        },
        new("inode-generation", "random generation numbers of inodes",
            "Whoever makes an inode draws them, and no option sets them: write the file system from a tree; Diecast sets them to zero.")
        {
            Fields = [new("ext4", "i_generation", Numbers)],
        },
    ];

    private static CauseRule[] Times() =>
    [
        new("superblock-times", "the file system's own times, from the clock",
            "Set SOURCE_DATE_EPOCH (mke2fs 1.47.1 or later) or E2FSPROGS_FAKE_TIME, and do not mount or check the file system afterwards; Diecast takes them from SourceDateEpoch=.")
        {
            Fields =
            [
                new("ext4", "s_mkfs_time|s_wtime|s_mtime|s_lastcheck|s_first_error_time|s_last_error_time", Clock),
                new("ext4", "s_mtime", ClockOrNone),
            ],
        },
        new("inode-times", "times of inodes that only the clock sets",
            "No tool can set a change time or a birth time from outside: write the file system from a tree instead of a mount (Diecast does), or mke2fs -d with SOURCE_DATE_EPOCH (1.47.1 or later).")
        {
            Fields =
            [
                new("ext4", "i_ctime|i_atime|i_crtime|i_dtime|i_ctime_extra|i_atime_extra|i_crtime_extra", Clock),
                new("btrfs", "*atime|*ctime|*otime|*stime|*rtime", Clock),
            ],
        },
        new("fat-times", "times that were stamped when the file was copied",
            "mcopy keeps times with -m only, and stamps directories and creation times from the clock: set SOURCE_DATE_EPOCH, which newer mtools know; Diecast takes all from the tree.")
        {
            Fields =
            [
                new("vfat", "DIR_CrtDate|DIR_LstAccDate|DIR_WrtDate", Clock), new("vfat", "DIR_CrtTime|DIR_WrtTime", TimeOfDay),
                new("vfat", "DIR_CrtTimeTenth", Numbers), new("vfat", "mtime", Clock),
            ],
        },
        new("archive-times", "times of an archive's members, as the files had them",
            "Clamp them: tar --mtime=@$SOURCE_DATE_EPOCH --clamp-mtime, ar D, zip -X after touch, cpio after touch.")
        {
            Fields = [new(Archives, "mtime|UT mtime|c_mtime|pax mtime|exthdr.mtime|globexthdr.mtime", Clock)],
        },
        new("pax-times", "access and change times of an archive's members",
            "Leave them out: tar --pax-option=delete=atime,delete=ctime, bsdtar --format=ustar or gnutar; no tool can set a change time.")
        {
            Fields = [new("tar", "pax atime|pax ctime|pax LIBARCHIVE.creationtime|atime|ctime", Clock)],
        },
        new("gzip-header", "time and host in the header of gzip",
            "Compress with gzip -n (in Python mtime=0), which leaves the time and the name out.")
        {
            Fields = [new("gzip", "MTIME", ClockOrNone), new("gzip", "FNAME", Any), new("gzip", "OS|XFL", Any)],
        },
        new("pe-timestamp", "time stamp of the linker",
            "Link with /Brepro or --no-insert-timestamp, or give ukify SOURCE_DATE_EPOCH.")
        {
            Fields = [new("pe", "TimeDateStamp", ClockOrNone)],
        },
        new("pyc-mtime", "compiled Python that carries the time of its source",
            "Compile after the sources have their final times, or with --invalidation-mode unchecked-hash; or leave .pyc files out.")
        {
            Fields = [new("pyc", "source mtime", Clock)],
        },
        new("pyc-mode", "Python compiled in another mode",
            "Name the mode: --invalidation-mode; with SOURCE_DATE_EPOCH in the environment py_compile takes checked-hash, without it timestamps.")
        {
            Fields = [new("pyc", "flags", Any)],
        },
        new("file-time", "time of the last change, from the clock of the build",
            "Set SOURCE_DATE_EPOCH (mkosi SourceDateEpoch=) so that later times are clamped; Diecast gives what scripts change the epoch exactly.")
        {
            Fields = [new(FileSystems, "mtime|i_mtime|i_mtime_extra|*mtime", Clock)],
        },
    ];

    private static CauseRule[] Consequences() =>
    [
        new("follows-hash-seed", "a hash of a name, which follows from the names and the seed of their hashes",
            "Nothing to do: it goes when both are the same.")
        {
            Fields = [new("ext4", "index entry *: hash", Any)],
        },
        new("follows-files", "places and counts that move with files that came, went or changed in size, or with the hashes of their names",
            "Nothing to do: it goes when those are the same.")
        {
            Fields =
            [
                new("ext4", "i_block*|i_file_acl|i_links_count|entry *|index entry *|blocks *|inodes *|s_kbytes_written|s_first_ino|s_last_orphan", Any) { Files = Files.Other },
                new("btrfs", "root|chunk_root|log_root", Numbers) { Files = Files.Other },
                new("vfat", "DIR_FstClus*|cluster *|entry *|entries *", Any) { Files = Files.Other },
            ],
            Labels =
            [
                new("*", "contents at other places|inodes and entries that belong to other files") { Files = Files.Other },
                new("ext4", "*directory *|ext4 extents *|*ext4 group * inode table*|*ext4 group * block bitmap*|*ext4 group * inode bitmap*") { Files = Files.Other },
                new("vfat", "*directory*|fat * table*|*fat root*") { Files = Files.Other },
            ],
        },
        new("use-counters", "counters and traces of use",
            "The image was mounted or written by the kernel after it was made: make it from a tree, and compare images that were not booted.")
        {
            Fields =
            [
                new("ext4", "s_mnt_count|s_kbytes_written|s_last_mounted|s_state|s_last_orphan|i_version", Any),
                new("ext4", "s_start|s_sequence|s_head|s_feature_incompat|s_checksum_type", Any) { Structure = "journal superblock" },
            ],
        },
        new("tool-features", "other features of the file system",
            "They come from the tool's version and from the host's mke2fs.conf or defaults: name them (mke2fs -O, MKE2FS_CONFIG), or pin the tool; Diecast has one fixed set.")
        {
            Fields =
            [
                new("ext4", "s_feature_*|s_default_mount_opts|s_checksum_type|s_inode_size|s_min_extra_isize|s_want_extra_isize|s_rev_level|s_def_hash_version|s_log_groups_per_flex|s_reserved_gdt_blocks", Any),
                new("btrfs", "incompat_flags|compat_ro_flags|compat_flags|csum_type", Any),
            ],
        },
        new("follows-checksum", "a checksum, which follows from what it covers",
            "Nothing to do: it goes when what it covers is the same.")
        {
            Fields =
            [
                new("ext4|vfat|btrfs|gpt|xfs|f2fs|erofs|zip|pe", "*checksum|*checksum_seed|*_csum|csum|*csum|*CRC32|CRC-32|CheckSum|*_chksum|LDIR_Chksum", Any),
                new("pe|gpt", "sha256", Any), new("tar", "*chksum", Any), new("cpio", "c_check", Any),
            ],
        },
        new("follows-build-id", "a build id, which follows from the program's code and its paths",
            "Nothing to do: it goes when sections and paths are the same.")
        {
            Fields = [new("elf", "build-id", CauseTests.Ids)],
            Labels = [new("section", ".note.gnu.build-id|.gnu_debuglink")],
        },
        new("follows-size", "a place or a count, which follows from sizes and contents elsewhere",
            "Nothing to do: it goes when the contents are the same.")
        {
            Fields =
            [
                new("ext4", "s_free_*|bg_free_*|bg_used_dirs_count|bg_itable_unused|i_blocks|s_overhead_clusters|s_r_blocks_count", Numbers),
                new("vfat", "FSI_Free_Count|FSI_Nxt_Free", Numbers), new("btrfs", "*bytes_used|used|*nbytes", Numbers),
                new("elf", "e_entry|e_shnum|e_shstrndx|e_shoff|e_phoff|sh_offset|sh_addr|sh_size|sh_info|sh_link|PT_*", Any), new("pe", "PointerToRawData|SizeOf*|VirtualAddress|VirtualSize|data directory *", Any), new("file|section|part|zip|tar|cpio|ar|gzip|xz|zstd", "size", Numbers),
                new("passwd|group|shadow|gshadow|dpkg status", "order", OtherCount),
                new("gpt", "AlternateLBA|LastUsableLBA|PartitionRecord* SizeInLBA", Numbers),
                new("zip", "compressed size", Numbers), new("cpio", "c_filesize", Numbers), new("tar", "exthdr.size|globexthdr.size|pax size", Any), new("ld.so.cache", "length of strings|entries", Numbers),
                new("ldconfig aux-cache", "length of strings|entries", Numbers), new("fontconfig cache", "size", Numbers), new("hwdb", "file_size|*_len|*_off", Numbers),
            ],
            Labels = [new("gpt", "GPT backup * / *|* / GPT backup *"), new(Archives, "members at other places")],
        },
        new("transactions", "numbers of transactions, one for each time the file system was synced",
            "They depend on the timing of whoever wrote through the kernel: write the file system from a tree (mkfs.btrfs --rootdir).")
        {
            Fields = [new("btrfs", "*generation|*generation_v2|*transid|*_gen|*sequence|super_roots*", Numbers)],
        },
        new("journal", "what the journal has left of earlier writes",
            "Only a file system that was mounted has any: make it from a tree, or give it a new journal (tune2fs -O ^has_journal, then -j).")
        {
            Labels = [new("ext4", "ext4 journal*"), new("btrfs", "btrfs log*")],
        },
        new("unused-space", "leftovers in space that nothing uses",
            "Start from an empty file, not from one that was used before (mkfs.btrfs leaves old items in its tree blocks in any case); Diecast leaves zeros.")
        {
            Labels = [new("*", "* unused|* unclaimed*|*padding*|*slack*|unused*"), new("btrfs", "btrfs free space in *")],
            Fields = [new("btrfs", "*", Any) { Structure = "stale *" }],
        },
    ];

    private static CauseRule[] Orders() =>
    [
        new("directory-order", "the same files in another order",
            "They were written in the order in which the host lists directories: sort before copying (find | sort), or let Diecast write the file system.")
        {
            Labels = [new("*", "*directory*|contents at other places|inodes and entries that belong to other files") { Files = Files.Same }],
            Fields =
            [
                new("vfat", "DIR_FstClusLO|DIR_FstClusHI", Numbers) { Files = Files.Same },
                new("ext4", "entry *: inode", Numbers) { Files = Files.Same }, new("ext4", "i_block*|i_file_acl", Any) { Files = Files.Same },
            ],
        },
        new("archive-order", "members of an archive in another order",
            "They were added in the order in which the host lists directories: tar --sort=name, find | sort -z | cpio -0 -o, or bsdtar -T with a sorted list.")
        {
            Labels = [new(Archives, "members in another order")],
            // The first of several hard links has the content, the others lead to it.
            Fields = [new(Archives, "order", SameCount), new("tar", "typeflag", OneIsHardLink), new("tar", "linkname", OneIsEmpty)],
        },
        new("status-order", "packages in another order",
            "The database is written in the order of installation: sort it, or install in a fixed order.")
        {
            Fields = [new("dpkg status", "order", SameCount)],
        },
        new("account-order", "accounts in another order",
            "They are appended by whichever script runs first: declare them in sysusers.d, which systemd-sysusers sorts.")
        {
            Fields = [new("passwd|group|shadow|gshadow", "order", SameCount)],
        },
    ];

    private static CauseRule[] Tools() =>
    [
        new("mkfs-version", "another version of the tool that made the file system",
            "Pin the tool: build in a tools tree (mkosi ToolsTree=) or with Diecast, whose bytes do not depend on the host.")
        {
            Fields = [new("vfat", "BS_OEMName|BS_BootCode|BS_jmpBoot", Any), new("f2fs", "*version", Any), new("ext4", "s_creator_os|s_minor_rev_level", Any)],
        },
        new("ldconfig-version", "another version of ldconfig wrote the cache",
            "Run the image's own ldconfig (in the image's root), not the host's.")
        {
            Fields = [new("ld.so.cache", "generator|format|flags", Any)],
        },
        new("hwdb", "hardware database made by another version, or from files at other paths",
            "It carries the paths and lines of its sources and the version of systemd-hwdb: make it in the image's root, or remove it and let the first boot make it.")
        {
            Fields = [new("hwdb", "tool_version", Any)],
            Paths = [new("lib/udev/hwdb.bin"), new("etc/udev/hwdb.bin")],
        },
        new("packed-data", "compressed data, which depends on what is in it and on the compressor",
            "Where what is in it is told as well, nothing more is to do; else pin the compressor, its level and its number of threads.")
        {
            Labels = [new("cpio", "gzip data|xz data|zstd data")],
        },
        new("python-version", "another version of Python compiled it",
            "Compile with the image's own Python, or leave .pyc files out.")
        {
            Fields = [new("pyc", "magic", Any)],
        },
        new("package-version", "another version of a package",
            "Lock the packages: diecast.lock pins every one by digest; with mkosi use a snapshot (Snapshot=) of the repositories.")
        {
            Fields =
            [
                new("pacman desc", "%VERSION%|%BUILDDATE%", Any), new("pacman package information", "pkgver|builddate", Any),
                new("dpkg status", "* Version", Any),
            ],
        },
    ];

    private static CauseRule[] Databases() =>
    [
        new("aux-cache", "ldconfig's memory of inodes and times",
            "Remove /var/cache/ldconfig/aux-cache (mkosi: RemoveFiles=/var/cache/ldconfig/aux-cache); nothing but a later ldconfig reads it, and Diecast removes it.")
        {
            Fields = [new("ldconfig aux-cache", "* inode|* ctime|* device|format", Any)],
            Paths = [new("var/cache/ldconfig/aux-cache")],
        },
        new("pacman-installdate", "the time of installation in pacman's database",
            "pacman takes it from the clock: set %INSTALLDATE% to the epoch afterwards, or run it with libfaketime; Diecast writes the epoch.")
        {
            Fields = [new("pacman desc", "%INSTALLDATE%", Clock)],
        },
        new("shadow-last-change", "the day of the last change of a password",
            "useradd and passwd take it from the clock, or from SOURCE_DATE_EPOCH: set that, or the day with chage -d.")
        {
            Fields = [new("shadow", "* last change", Days)],
        },
        new("password-salt", "a password that was hashed with a random salt",
            "Hash it once (openssl passwd -6, mkpasswd) and give the hash: RootPassword=hashed:…")
        {
            Fields = [new("shadow|gshadow|passwd|group", "* password", SaltedHashes)],
        },
        new("fontconfig-cache", "fontconfig's cache, which carries the times of directories",
            "Remove /var/cache/fontconfig, or run fc-cache after the directories have their final times, with SOURCE_DATE_EPOCH set.")
        {
            Fields = [new("fontconfig cache", "directory mtime", Clock)],
            Paths = [new("var/cache/fontconfig/**")],
        },
        new("man-index", "index of the manual pages, which carries times",
            "Remove /var/cache/man; man-db makes it anew when it is missed.")
        {
            Paths = [new("var/cache/man/**")],
        },
        new("java-keystore", "a Java key store, which carries the time at which each certificate was added",
            "Remove it or make it with keytool and a fixed clock; ca-certificates-java and p11-kit write PKCS#12 stores anew each time.")
        {
            Paths = [new("etc/ssl/certs/java/cacerts"), new("extracted/java/cacerts"), new("extracted/java-cacerts.jks")],
        },
        new("locale-archive", "an archive of locales, in the order in which they were added",
            "Make it with one call of localedef or locale-gen over sorted names, or install the locales as directories (--no-archive).")
        {
            Paths = [new("lib/locale/locale-archive")],
        },
        new("apt-lists", "what apt fetched and keeps",
            "Remove /var/lib/apt/lists and /var/cache/apt; pin the state of the repositories with a snapshot.")
        {
            Paths = [new("var/lib/apt/lists/**"), new("var/cache/apt/**")],
        },
        new("package-cache", "packages and lists that the package manager keeps",
            "Remove /var/cache/pacman/pkg, /var/lib/pacman/sync, /var/cache/dnf (mkosi: CleanPackageMetadata=); Diecast does not keep them.")
        {
            Paths = [new("var/cache/pacman/**"), new("var/lib/pacman/sync/**"), new("var/cache/dnf/**"), new("var/cache/libdnf5/**")],
        },
    ];

    private static CauseRule[] State() =>
    [
        new("machine-id", "the machine's random id",
            "An image has none: leave /etc/machine-id empty or with \"uninitialized\"; Diecast writes \"uninitialized\".")
        {
            Fields = [new("machine-id", "id", CauseTests.Ids)],
            Paths = [new("etc/machine-id"), new("var/lib/dbus/machine-id")],
        },
        new("random-seed", "a seed of random numbers",
            "Two machines must not share one: remove it from the image (Diecast does); systemd-boot and the first boot make new ones.")
        {
            Fields = [new("random-seed", "content", Any)],
            Paths = [new("var/lib/systemd/random-seed"), new("loader/random-seed"), new("var/lib/urandom/random-seed")],
        },
        new("ssh-host-keys", "the machine's own SSH keys",
            "Machines must not share them: remove /etc/ssh/ssh_host_* from the image, the service makes them at first start.")
        {
            Fields = [new("secret", "content", Any) { Path = "etc/ssh/ssh_host_*" }],
            Paths = [new("etc/ssh/ssh_host_*")],
        },
        new("pacman-keyring", "pacman's key ring with the machine's own signing key",
            "Remove /etc/pacman.d/gnupg from the image and let pacman-init.service make it at first boot.")
        {
            Fields = [new("secret", "content", Any) { Path = "etc/pacman.d/gnupg/**" }],
            Paths = [new("etc/pacman.d/gnupg/**")],
        },
        new("gpg-keyring", "a GnuPG key ring, which carries times and random keys",
            "Remove it, or export the keys that are needed (gpg --export) in place of it.")
        {
            Paths = [new(".gnupg/**"), new("pubring.kbx"), new("trustdb.gpg")],
        },
        new("credential-secret", "the machine's secret for credentials",
            "Remove /var/lib/systemd/credential.secret from the image; systemd-creds makes it anew.")
        {
            Fields = [new("secret", "content", Any) { Path = "var/lib/systemd/credential.secret" }],
            Paths = [new("var/lib/systemd/credential.secret")],
        },
        new("systemd-journal", "a journal of the build or of a boot",
            "Remove /var/log/journal from the image, and do not run services while it is made.")
        {
            Fields = [new("journal", "file_id|machine_id|tail_entry_boot_id|seqnum_id", CauseTests.Ids), new("journal", "*_realtime", Clock), new("journal", "n_*|arena_size|*_seqnum|tail_entry_monotonic", Numbers)],
            Paths = [new("var/log/journal/**")],
        },
        new("log-file", "a log, whose lines carry times",
            "Remove logs from the image (mkosi: RemoveFiles=/var/log/…); Diecast removes those of its package manager.")
        {
            Paths = [new("var/log/**")],
        },
        new("update-stamp", "the time of the last update of /etc or /var",
            "Remove /etc/.updated and /var/.updated; systemd-update-done makes them at boot.")
        {
            Paths = [new("etc/.updated"), new("var/.updated")],
        },
        new("host-name", "the name of the host",
            "Set Hostname=, or remove /etc/hostname; package scripts copy the host's where they run without a UTS namespace.")
        {
            Paths = [new("etc/hostname")],
        },
        new("tar-owner-names", "names of the host's users and groups in an archive",
            "Leave them out: tar --numeric-owner --owner=0 --group=0 (bsdtar --numeric-owner --uid 0 --gid 0).")
        {
            Fields = [new("tar", "uname|gname|*.uname|*.gname|pax uname|pax gname", Any)],
        },
        new("sparse-maps", "holes of files, as the host's file system had them",
            "Write the archive without --sparse: where a file has holes depends on how and where it was written.")
        {
            Fields = [new("tar", "sparse|sparse map|realsize|isextended|pax GNU.sparse.*", Any)],
        },
        new("pax-header-names", "names of extended headers, with the number of the process that wrote them",
            "Name them: tar --pax-option=exthdr.name=%d/PaxHeaders/%f,globexthdr.name=GlobalHead.%n.")
        {
            Fields = [new("tar", "exthdr.name|exthdr.prefix|globexthdr.name|globexthdr.prefix", Any)],
        },
        new("umask", "permissions that follow from the umask of the build",
            "Set the umask in scripts (umask 022), or set the modes; a checkout has them from the umask of whoever cloned it.")
        {
            Fields = [new(FileSystems + "|" + Archives, "mode|i_mode|c_mode", Umask)],
        },
        new("build-user", "files that belong to whoever built",
            "Copy with the owner set (install -o root, tar --owner=0 --group=0), or build in a user namespace as Diecast does.")
        {
            Fields = [new(FileSystems + "|" + Archives, "uid|gid|i_uid|i_gid|c_uid|c_gid|exthdr.uid|exthdr.gid", RootAndPerson)],
        },
    ];

    private static CauseRule[] Contents() =>
    [
        new("image-version", "the version that the image is given",
            "ImageVersion= and ImageId= are written to os-release: give both builds the same.")
        {
            Text = ImageVersions,
        },
        new("id-in-text", "the id of a partition or of a file system",
            "Set Seed= so that the ids are the same; fstab and the kernel's command line then follow.")
        {
            Text = IdsInText,
        },
        new("follows-root-hash", "the root hash of verity, which follows from the file system",
            "Nothing to do: it goes when the file system is the same.")
        {
            Text = RootHashes,
        },
        new("kernel-version", "the version of a kernel, of the host perhaps",
            "What asks uname sees the kernel that runs, not the image's: name the version, and pin the kernel package.")
        {
            Text = KernelVersions,
        },
        new("tool-version", "another version of a tool",
            "Pin the tool: lock the packages, and build in a tools tree in place of the host.")
        {
            Text = ToolVersions,
        },
        new("time-in-text", "a time from the clock in the text",
            "Have what writes it use SOURCE_DATE_EPOCH, or leave the time out.")
        {
            Text = TimesInText,
        },
        new("build-path", "the directory of the build in the content",
            "Build at a fixed path, or map it: -ffile-prefix-map=$PWD=. for compilers, --remap-path-prefix for Rust.")
        {
            Text = BuildPaths,
        },
    ];
}
