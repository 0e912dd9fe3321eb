using System.Globalization;
using Diecast.Formats.Fat;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Inspect;

/// <summary>How full a file system or an archive is.</summary>
/// <param name="Total">The bytes that there are for files and directories; null for an archive.</param>
/// <param name="Free">Of these.</param>
/// <param name="Inodes">How many inodes there are; null where there are none.</param>
/// <param name="FreeInodes">Of these.</param>
/// <param name="Files">The files, directories and others, the root among them; null where counting them would mean to read them all.</param>
public sealed record Usage(long? Total, long? Free, long? Inodes, long? FreeInodes, long? Files)
{
    public long? Used => Total - Free;

    /// <summary>What a container's fields or its tree tell; null for what has no files.</summary>
    /// <exception cref="InvalidDataException">The file system is damaged.</exception>
    public static Usage? Of(Container container, Blob content)
    {
        switch (container.Kind)
        {
            case "ext4":
                long block = Field("s_block_size");
                return new Usage(Field("s_blocks_count") * block, Field("s_free_blocks_count") * block,
                    Field("s_inodes_count"), Field("s_free_inodes_count"), null);
            case "vfat":
                var (total, free) = FreeSpace.Of(content);
                return new Usage(total, free, null, null, Count(container.Tree!));
            case "cpio" or "tar":
                return new Usage(null, null, null, null, Count(container.Tree!));
            default:
                return null;
        }

        long Field(string name) => long.Parse(container.Fields.First(field => field.Name == name).Value, CultureInfo.InvariantCulture);
    }

    private static long Count(FileTree tree) => tree.Walk().LongCount();
}
