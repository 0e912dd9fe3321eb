using Diecast.Formats.Ext4;
using Diecast.Formats.Fat;

namespace Diecast.Formats;

/// <summary>The file systems that can be written.</summary>
public static class FileSystems
{
    public static IReadOnlyList<IFileSystemFormat> All { get; } = [new Ext4Format(), new FatFormat()];

    /// <summary>The format of that name ("ext4", "vfat"), or null.</summary>
    public static IFileSystemFormat? Find(string name) => All.FirstOrDefault(format => format.Name == name);
}
