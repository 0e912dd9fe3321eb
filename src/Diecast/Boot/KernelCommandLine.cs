using Diecast.Trees;

namespace Diecast.Boot;

/// <summary>The command line that goes into a unified kernel image.</summary>
public static class KernelCommandLine
{
    /// <summary>
    /// The image's own command line (etc/kernel/cmdline, else usr/lib/kernel/cmdline), the root hash, and the configured
    /// words, in this order. Without a root hash the words "root=PARTUUID" and "mount.usr=PARTUUID" are completed.
    /// </summary>
    /// <param name="tree">The image's tree.</param>
    /// <param name="rootHash">"roothash=…" or "usrhash=…", or null.</param>
    /// <param name="words">KernelCommandLine=.</param>
    /// <param name="rootPartition">The root partition's id, or null where there is none; so for /usr.</param>
    public static string Compose(FileTree tree, string? rootHash, IEnumerable<string> words, Guid? rootPartition, Guid? usrPartition)
    {
        var parts = new List<string>();
        if ((TreeFiles.ReadText(tree, "etc/kernel/cmdline") ?? TreeFiles.ReadText(tree, "usr/lib/kernel/cmdline")) is { } own)
        {
            parts.Add(own.Trim());
        }
        if (rootHash is not null)
        {
            parts.Add(rootHash);
        }
        parts.AddRange(rootHash is not null ? words : words.Select(word => word switch
        {
            "root=PARTUUID" when rootPartition is { } id => $"root=PARTUUID={id:D}",
            "mount.usr=PARTUUID" when usrPartition is { } id => $"mount.usr=PARTUUID={id:D}",
            _ => word,
        }));
        return string.Join(' ', parts.Where(static part => part.Length > 0));
    }
}
