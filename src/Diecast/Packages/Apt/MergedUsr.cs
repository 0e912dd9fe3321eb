using Diecast.Formats.Tar;
using Diecast.Trees;

namespace Diecast.Packages.Apt;

/// <summary>
/// The links from /bin, /sbin and /lib* into /usr. From Debian 13 on base-files brings them; before that, whoever made a root
/// had to make them.
/// </summary>
internal static class MergedUsr
{
    public static void Prepare(StagedRoot root, IReadOnlyList<DebPackage> essential, string architecture)
    {
        if (essential.Count == 0 || BringsLinks(essential[0]))
        {
            return;
        }
        foreach (string name in (string[])["bin", "sbin", "lib", .. ForeignLibraries(architecture)])
        {
            root.MakeDirectory($"usr/{name}");
            if (!root.Exists(Posix.Bytes(name)))
            {
                root.Link(name, $"usr/{name}");
            }
        }
    }

    private static bool BringsLinks(DebPackage package)
    {
        try
        {
            using var data = DebArchive.OpenData(package.Source.Open());
            var reader = new TarReader(data);
            while (reader.Next() is { } entry)
            {
                if (entry.Type == TarEntryType.Symlink && TarPath.Normalize(entry.Path.AsSpan()).AsSpan().SequenceEqual("bin"u8))
                {
                    return true;
                }
            }
            return false;
        }
        catch (InvalidDataException e)
        {
            throw DebPackage.Named(package.Source, e);
        }
    }

    private static string[] ForeignLibraries(string architecture) => architecture switch
    {
        "amd64" or "x32" => ["lib32", "lib64", "libx32"],
        "i386" => ["lib64", "libx32"],
        "ppc64" or "mips" or "mipsel" or "mips64el" or "loong64" => ["lib32", "lib64"],
        "powerpc" or "ppc64el" or "sparc" => ["lib64"],
        "sparc64" => ["lib32", "lib64"],
        "s390x" => ["lib32"],
        _ => [],
    };
}
