using Diecast.Inspect.Differences;

namespace Diecast.Tests.Inspect.Reports;

/// <summary>Differences for reports: as two builds of one image have them, and hostile ones.</summary>
internal static class SampleDifferences
{
    /// <summary>A right-to-left override and a blank of no width: "evil‮gpj.exe" that looks otherwise.</summary>
    public const string Hostile = "/<script>alert('x')</script>\" onload=\"alert(1)\u202egpj\u200b\u00a0&amp;\ud800'`>.exe";

    public static readonly Cause HashSeed = new("ext4-hash-seed", "random directory hash seed", "Give mke2fs -E hash_seed=UUID, or build with diecast.");
    public static readonly Cause Clock = new("mtime-clock", "time stamped from the clock", "Set SOURCE_DATE_EPOCH and clamp times to it.");
    public static readonly Cause AuxCache = new("ldconfig-aux-cache", "ldconfig's aux-cache holds inode numbers and times", "Remove /var/cache/ldconfig/aux-cache from the image.");
    public static readonly Cause Shadow = new("shadow-last-change", "day of the last password change", "Set the field to a fixed day, or run chage -d in the build.");
    public static readonly Cause MachineId = new("machine-id", "random machine id", "Ship an empty /etc/machine-id.");
    public static readonly Cause Checksum = new("checksum", "checksum of what differs", "") { IsFollowing = true };
    public static readonly Cause Place = new("place", "place that follows from sizes", "") { IsFollowing = true };

    /// <summary>Two builds of one image by hand, with all that a report can show.</summary>
    public static Difference Image() => new()
    {
        Kind = "image", Name = "", Format = "gpt", DifferingBytes = 48_213,
        Fields = [Field("DiskGUID", "3f2c1d7e-5a0b-4c8d-9e6f-7a8b9c0d1e2f", "b81e0d44-6c3a-4f19-8d27-0f5a6b7c8d9e", null)],
        Children =
        [
            Checksums("GPT header", 1), Checksums("backup GPT header", 2),
            Esp(), Root(),
            new() { Kind = "partition", Name = "3 (home)", Change = Change.Added },
        ],
    };

    /// <summary>A tree with so many children in each of a root's children.</summary>
    public static Difference Wide(int parts, int filesOfEach) => new()
    {
        Kind = "image", Name = "", Format = "gpt",
        Children = [.. Enumerable.Range(1, parts).Select(part => new Difference
        {
            Kind = "partition", Name = $"{part} (part)", Format = "ext4",
            Children = [.. Enumerable.Range(0, filesOfEach).Select(file => new Difference
            {
                Kind = "file", Name = $"/usr/lib/{part}/file-{file}", Fields = [Field("mtime", "1700000000.000000000", "1700003600.000000000", Clock)],
            })],
        })],
    };

    /// <summary>Text that comes from an image in each place that takes text.</summary>
    public static Difference OfHostileText(string text)
    {
        var cause = new Cause(text, text, text);
        return new()
        {
            Kind = text, Name = text, Format = text, Cause = cause,
            Fields = [new FieldChange(text, text, text) { Structure = text, Cause = cause }],
            Lines = ["-" + text, "+" + text, text],
            Notes = [text],
            Children = [new() { Kind = "file", Name = text, Change = Change.Added }, new() { Kind = "file", Name = text, Change = Change.Removed }],
        };
    }

    private static Difference Esp() => new()
    {
        Kind = "partition", Name = "1 (esp)", Format = "vfat", DifferingBytes = 21_420,
        Fields = [Field("VolumeID", "1a2b-3c4d", "9f8e-7d6c", Clock)],
        Children =
        [
            new()
            {
                Kind = "directory", Name = "/EFI", DifferingBytes = 4,
                Fields = [Field("mtime", "1700000000.000000000", "1700000004.000000000", Clock), Field("DIR_CrtTime", "0xb6a1", "0xb6a3", Clock)],
            },
            new() { Kind = "directory", Name = "/EFI/Linux", Fields = [Field("mtime", "1700000002.000000000", "1700000006.000000000", Clock)] },
            new()
            {
                Kind = "file", Name = "/EFI/Linux/linux-6.12.efi", Format = "pe", DifferingBytes = 21_400,
                Fields = [Field("CheckSum", "0x0034a1b2", "0x0034a1c9", Checksum)],
                Children =
                [
                    new()
                    {
                        Kind = "section", Name = ".cmdline", DifferingBytes = 36,
                        Lines = ["@@ -1,1 +1,1 @@", "-root=PARTUUID=3f2c1d7e-5a0b-4c8d rw quiet", "+root=PARTUUID=b81e0d44-6c3a-4f19 rw quiet"],
                    },
                    new()
                    {
                        Kind = "section", Name = ".initrd", Format = "cpio", DifferingBytes = 21_300,
                        Notes = ["unpacked from zstd"],
                        Children =
                        [
                            new() { Kind = "file", Name = "/usr/lib/modules/6.12.0/modules.dep.bin", Fields = [Field("mtime", "1700000000.000000000", "1700000004.000000000", Clock)] },
                            new() { Kind = "file", Name = "/etc/hostname", Change = Change.Removed, Cause = null },
                        ],
                    },
                ],
            },
        ],
    };

    private static Difference Root() => new()
    {
        Kind = "partition", Name = "2 (root-x86-64)", Format = "ext4", DifferingBytes = 26_793,
        Fields = [Field("s_hash_seed", "c7d1f0e2-88a4-4b1e-9d53-2f6a7b8c9d0e", "04f29a6b-1c3d-4e5f-8a9b-0c1d2e3f4a5b", HashSeed), Field("s_wtime", "1700000000.000000000", "1700000004.000000000", Clock)],
        Children =
        [
            .. Enumerable.Range(0, 6).Select(static group => Checksums($"group descriptor {group}", 3)),
            new()
            {
                Kind = "file", Name = "/etc/machine-id", DifferingBytes = 32, Cause = MachineId,
                Lines = ["@@ -1,1 +1,1 @@", "-5f1c0d3b2a4e4f6f8b7a9c0d1e2f3a4b", "+c0ffee11deadbeef0123456789abcdef"],
            },
            new()
            {
                Kind = "file", Name = "/etc/shadow", Format = "shadow", DifferingBytes = 10,
                Fields = [Field("sp_lstchg", "19676", "19677", Shadow) with { Structure = "root" }, Field("sp_lstchg", "19676", "19677", Shadow) with { Structure = "systemd-network" }],
            },
            new()
            {
                Kind = "file", Name = "/usr/lib/libbuild.so.1", Format = "elf", DifferingBytes = 212,
                Children = [new() { Kind = "section", Name = ".rodata", DifferingBytes = 41, Lines = Hex() }],
            },
            new() { Kind = "file", Name = "/usr/share/<b>odd</b> \u202egnp.name", Change = Change.Added, Notes = ["a file of 12 bytes"] },
            new()
            {
                Kind = "file", Name = "/var/cache/ldconfig/aux-cache", DifferingBytes = 1_365, Cause = AuxCache, Lines = Hex(),
                Fields = [Field("mtime", "1700000000.123456789", "1700000004.987654321", Clock), Field("xattr user.note", null, "", null)],
            },
            new() { Kind = "file", Name = "/var/log/alpm.log", Change = Change.Removed, Cause = Clock },
            new() { Kind = "structure", Name = "journal superblock", Fields = [Field("s_uuid", "00", "01", Checksum), Field("s_checksum", "0xaa55aa55", "0x11ee22dd", Checksum)] },
            new() { Kind = "bytes", Name = "slack of /var/lib/pacman/local/ALPM_DB_VERSION", DifferingBytes = 16, Lines = Hex() },
            new() { Kind = "bytes", Name = "contents at other places", DifferingBytes = 24_000, Cause = Place },
        ],
    };

    private static Difference Checksums(string name, int count) => new()
    {
        Kind = "structure", Name = name, DifferingBytes = 4 * count,
        Fields = [.. Enumerable.Range(0, count).Select(i => Field($"crc32[{i}]", $"0x{name.Length * 7919 + i:x8}", $"0x{name.Length * 104729 + i:x8}", Checksum))],
    };

    private static FieldChange Field(string name, string? before, string? after, Cause? cause) => new(name, before, after) { Cause = cause };

    private static string[] Hex() =>
    [
        "@@ 0x2e40, 16 bytes @@",
        "-00002e40  2f 62 75 69 6c 64 2f 31  37 30 30 30 30 30 30 30  |/build/170000000|",
        "+00002e40  2f 62 75 69 6c 64 2f 31  37 30 30 30 30 30 30 34  |/build/170000004|",
        " 00002e50  2f 73 72 63 2f 6d 61 69  6e 2e 63 00 00 00 00 00  |/src/main.c.....|",
    ];
}
