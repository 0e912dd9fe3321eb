namespace Diecast.Inspect.Differences;

/// <summary>What a tree says in its own words, and a structure of the file system or archive once more.</summary>
internal static class SameField
{
    private const string ExtendedHeader = "exthdr.";

    private static readonly Dictionary<string, string> s_names = new(StringComparer.Ordinal)
    {
        ["i_mtime"] = "mtime", ["DIR_WrtTime"] = "mtime", ["DIR_WrtDate"] = "mtime", ["i_mode"] = "mode", ["i_uid"] = "uid", ["i_gid"] = "gid",
        ["i_size"] = "size", ["DIR_FileSize"] = "size", ["DIR_Attr"] = "mode",
        ["c_mtime"] = "mtime", ["c_mode"] = "mode", ["c_uid"] = "uid", ["c_gid"] = "gid", ["c_filesize"] = "size",
        ["c_rdevmajor"] = "device", ["c_rdevminor"] = "device",
        ["mtime"] = "mtime", ["mode"] = "mode", ["uid"] = "uid", ["gid"] = "gid", ["size"] = "size",
        ["pax mtime"] = "mtime", ["pax uid"] = "uid", ["pax gid"] = "gid", ["pax size"] = "size",
        ["devmajor"] = "device", ["devminor"] = "device", ["pax SCHILY.devmajor"] = "device", ["pax SCHILY.devminor"] = "device",
        ["linkname"] = "target", ["pax linkpath"] = "target", ["long link"] = "target",
    };

    /// <summary>Whether a field of a file says what is among its changes already.</summary>
    public static bool IsTold(IReadOnlyList<FieldChange> told, FieldChange change)
    {
        string? other = NameOf(change.Name);
        // One value may stand in two places: a checksum in two halves, a time and its nanoseconds.
        return told.Any(field => field.Name == other && field.Structure is null
            || (field.Name == change.Name && field.Before == change.Before && field.After == change.After));
    }

    /// <summary>As the tree calls it, or null.</summary>
    private static string? NameOf(string name)
    {
        // An archiver gives its extended headers the times and owners of the member.
        name = name.StartsWith(ExtendedHeader, StringComparison.Ordinal) && name != "exthdr.size" ? name[ExtendedHeader.Length..] : name;
        foreach (string xattr in (ReadOnlySpan<string>)["pax SCHILY.xattr.", "pax LIBARCHIVE.xattr."])
        {
            if (name.StartsWith(xattr, StringComparison.Ordinal))
            {
                return "xattr " + name[xattr.Length..];
            }
        }
        return s_names.GetValueOrDefault(name);
    }
}
