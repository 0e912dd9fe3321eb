using System.Buffers.Binary;
using System.Text;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Boot;

/// <summary>A kernel of a tree.</summary>
/// <param name="Version">The name of its directory below usr/lib/modules, which is what <c>uname -r</c> says.</param>
/// <param name="Path">Where it is in the tree: "usr/lib/modules/6.12.1/vmlinuz".</param>
public sealed record KernelImage(string Version, string Path, FileNode File)
{
    private const string Modules = "usr/lib/modules";

    /// <summary>The kernels of a tree, newest first. A kernel is the first vmlinuz*, else the first vmlinux*, of a version.</summary>
    public static IReadOnlyList<KernelImage> FindAll(FileTree tree)
    {
        var kernels = new List<KernelImage>();
        foreach (var entry in (TreeFiles.Find(tree, Modules) as DirectoryNode)?.Entries ?? [])
        {
            string version = Encoding.Latin1.GetString(entry.Name.Bytes);
            if (entry.Node is DirectoryNode directory && FindIn(directory) is { } image)
            {
                kernels.Add(new KernelImage(version, $"{Modules}/{version}/{image.Name}", (FileNode)image.Node));
            }
        }
        kernels.Sort(static (a, b) => VersionOrder.Instance.Compare(b.Version, a.Version) is var order and not 0
            ? order : string.CompareOrdinal(b.Version, a.Version));
        return kernels;
    }

    /// <summary>
    /// The version that the image itself carries (https://docs.kernel.org/arch/x86/boot.html, kernel_version), or null
    /// where it has no such header, as on other machines than x86.
    /// </summary>
    /// <exception cref="InvalidDataException">The header points out of the file.</exception>
    public static string? ReadVersion(Blob image)
    {
        const int headerOffset = 0x202;
        const int setupSectors = 0x200;
        if (image.Length < 0x210 || !image.ReadBytes(headerOffset, 4).AsSpan().SequenceEqual("HdrS"u8))
        {
            return null;
        }
        int offset = setupSectors + BinaryPrimitives.ReadUInt16LittleEndian(image.ReadBytes(0x20e, 2));
        byte[] text = image.ReadBytes(offset, (int)Math.Clamp(image.Length - offset, 0, 128));
        int end = text.AsSpan().IndexOfAny((byte)' ', (byte)0);
        return end > 0
            ? Encoding.ASCII.GetString(text, 0, end)
            : throw new InvalidDataException($"kernel: no version at {offset}");
    }

    private static DirectoryEntry? FindIn(DirectoryNode directory)
    {
        foreach (byte[] prefix in (byte[][])[[.. "vmlinuz"u8], [.. "vmlinux"u8]])
        {
            foreach (var entry in directory.Entries)
            {
                if (entry.Node is FileNode && entry.Name.Bytes.StartsWith(prefix) && !entry.Name.Bytes.EndsWith(".efi"u8))
                {
                    return entry;
                }
            }
        }
        return null;
    }
}
