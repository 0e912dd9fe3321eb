using Diecast.Images;

namespace Diecast.Inspect;

/// <summary>Formats that are known by name only, so that it can be said what it is that cannot be read.</summary>
public static class Signatures
{
    private sealed record Signature(string Name, long Offset, byte[] Magic);

    private static readonly Signature[] s_diskImages =
    [
        new("qcow2", 0, [.. "QFI"u8, 0xfb]),
        new("VMDK", 0, [.. "KDMV"u8]),
        new("VMDK", 0, [.. "COWD"u8]),
        new("VMDK descriptor", 0, [.. "# Disk DescriptorFile"u8]),
        new("VHDX", 0, [.. "vhdxfile"u8]),
        new("VHD", 0, [.. "conectix"u8]),
        new("QED", 0, [.. "QED\0"u8]),
        new("VDI", 0x40, [0x7f, 0x10, 0xda, 0xbe]),
        new("Parallels", 0, [.. "WithoutFreeSpace"u8]),
        new("Parallels", 0, [.. "WithouFreSpacExt"u8]),
        new("Android sparse image", 0, [0x3a, 0xff, 0x26, 0xed]),
    ];

    private static readonly Signature[] s_contents =
    [
        new("LUKS", 0, [.. "LUKS"u8, 0xba, 0xbe]),
        new("squashfs", 0, [.. "hsqs"u8]),
        new("erofs", 1024, [0xe2, 0xe1, 0xf5, 0xe0]),
        new("xfs", 0, [.. "XFSB"u8]),
        new("btrfs", 0x10040, [.. "_BHRfS_M"u8]),
        new("f2fs", 1024, [0x10, 0x20, 0xf5, 0xf2]),
        new("bcachefs", 4096 + 24, [0xc6, 0x85, 0x73, 0xf6, 0x4e, 0x1a, 0x45, 0xca]),
        new("swap", 4086, [.. "SWAPSPACE2"u8]),
        new("swap", 16384 - 10, [.. "SWAPSPACE2"u8]),
        new("swap", 65536 - 10, [.. "SWAPSPACE2"u8]),
        new("verity hash tree", 0, [.. "verity\0\0"u8]),
        new("ISO 9660", 0x8001, [.. "CD001"u8]),
        new("NTFS", 3, [.. "NTFS    "u8]),
        new("exfat", 3, [.. "EXFAT   "u8]),
        new("LVM", 512 + 24, [.. "LVM2 001"u8]),
        new("bzip2", 0, [.. "BZh"u8]),
        new("lz4", 0, [0x04, 0x22, 0x4d, 0x18]),
        new("ELF", 0, [0x7f, .. "ELF"u8]),
        // Last, since boot sectors of all kinds end so.
        new("MBR partition table", 510, [0x55, 0xaa]),
    ];

    /// <summary>The name of the virtual machine's disk format that the bytes are in, or null.</summary>
    public static string? DiskImage(Blob blob) => Find(s_diskImages, blob);

    /// <summary>What the bytes are where Diecast has no reader for them, or null.</summary>
    public static string? Content(Blob blob) => DiskImage(blob) ?? Find(s_contents, blob);

    private static string? Find(Signature[] signatures, Blob blob) => signatures.FirstOrDefault(signature =>
        blob.Length - signature.Magic.Length >= signature.Offset
        && blob.ReadBytes(signature.Offset, signature.Magic.Length).AsSpan().SequenceEqual(signature.Magic))?.Name;
}
