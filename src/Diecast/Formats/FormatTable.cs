using Diecast.Formats.Btrfs;
using Diecast.Formats.Ext4;
using Diecast.Formats.Fat;
using Diecast.Images;

namespace Diecast.Formats;

/// <summary>The file systems that Diecast knows.</summary>
public static class FormatTable
{
    public static IReadOnlyList<IFileSystemFormat> All { get; } = [new Ext4Format(), new FatFormat(), new BtrfsFormat()];

    /// <summary>The format of that name, as <c>Format=</c> of a repart definition has it, or null.</summary>
    public static IFileSystemFormat? Find(string name) => All.FirstOrDefault(format => format.Name == name);

    /// <summary>The format that the blob claims to be of, or null.</summary>
    public static IFileSystemFormat? Recognize(Blob blob) => All.FirstOrDefault(format => format.Recognizes(blob));
}
