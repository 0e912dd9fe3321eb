using Diecast.Config;
using Diecast.Formats.Tar;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Build;

/// <summary>Reads the user's trees: mkosi.extra and the like.</summary>
public static class TreeSources
{
    /// <summary>
    /// A directory is copied with its modes, everything root's and of the image's time: owners, times and attributes of a
    /// checkout are the host's affair, and so is a directory's setgid bit, which the parent directory hands down. A tar
    /// keeps all it says. A single file goes to the target, or to the root under its own name.
    /// </summary>
    /// <exception cref="ConfigException">It cannot be read.</exception>
    public static FileTree Read(SourceTree source, Timestamp epoch)
    {
        try
        {
            var implied = new Metadata(0x1ED, 0, 0, epoch);
            var builder = new TreeBuilder(implied);
            if (Directory.Exists(source.Source))
            {
                builder.AddTree(ReadDirectory(source.Source, epoch), source.Target);
            }
            else if (Path.GetFileName(source.Source).Contains(".tar", StringComparison.Ordinal) || source.Source.EndsWith(".tgz", StringComparison.Ordinal))
            {
                builder.AddTree(ReadArchive(source.Source), source.Target);
            }
            else
            {
                string target = source.Target == "/" ? "/" + Path.GetFileName(source.Source) : source.Target;
                byte[] path = Posix.Bytes(source.Source);
                var status = Posix.Stat(Posix.AT_FDCWD, path, followLinks: true);
                builder.AddFile(target, MetadataOf(status, epoch), File.ReadAllBytes(source.Source));
            }
            return builder.Build();
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            throw new ConfigException(new Location(source.Source), e.Message);
        }
    }

    private static FileTree ReadDirectory(string path, Timestamp epoch) => HostTree.Read(Posix.Bytes(path), new HostTree.Options
    {
        Xattrs = false,
        Metadata = (_, status, _) => MetadataOf(status, epoch),
    });

    private static Metadata MetadataOf(FileStatus status, Timestamp epoch)
    {
        const ushort setGroupId = 0x400;
        ushort mode = status.Type == FileType.Directory ? (ushort)(status.Permissions & ~setGroupId) : status.Permissions;
        return new Metadata(status.Type == FileType.Symlink ? (ushort)0x1FF : mode, 0, 0, epoch);
    }

    private static FileTree ReadArchive(string path)
    {
        using var file = File.OpenRead(path);
        using var plain = Decompressor.Open(file);
        return TarTree.Read(SpillFile.Create(plain.CopyTo));
    }
}
