using System.Text;

namespace Diecast.Packages.Apt;

internal enum PackageState
{
    HalfInstalled,
    Unpacked,
}

/// <summary>Paragraphs of dpkg's status file, in the form that dpkg itself writes.</summary>
internal static class DpkgStatus
{
    /// <summary>The digest of a configuration file that has never been installed.</summary>
    public const string NewConffile = "newconffile";

    public const string Obsolete = NewConffile + " obsolete";

    // Fields of the control file come in this order, and all others behind them in their own.
    private static readonly string[] s_order = [
        "Package", "Essential", "Protected", "Status", "Priority", "Section", "Installed-Size", "Origin", "Maintainer", "Bugs",
        "Architecture", "Multi-Arch", "Source", "Version", "Replaces", "Provides", "Depends", "Pre-Depends", "Recommends",
        "Suggests", "Breaks", "Conflicts", "Enhances", "Conffiles", "Description"];

    /// <summary>A package's paragraph.</summary>
    /// <param name="digests">
    /// The MD5 of each configuration file that is in its place already, by its path; <see cref="Obsolete"/> of one that another
    /// package keeps.
    /// </param>
    public static byte[] Format(DebPackage package, PackageState state, IReadOnlyDictionary<string, string> digests)
    {
        var text = new MemoryStream();
        if (state == PackageState.HalfInstalled)
        {
            Append(text, "Package", Encoding.UTF8.GetBytes(package.Name));
            Append(text, "Status", "install reinstreq half-installed"u8);
            Append(text, "Architecture", Encoding.UTF8.GetBytes(package.Architecture));
            if (package.IsMultiArchSame)
            {
                Append(text, "Multi-Arch", "same"u8);
            }
            Append(text, "Version", Encoding.UTF8.GetBytes(package.Version));
            return text.ToArray();
        }
        var fields = package.Control.Fields.ToList();
        foreach (string name in s_order)
        {
            if (name == "Status")
            {
                Append(text, name, "install ok unpacked"u8);
            }
            else if (name == "Conffiles")
            {
                AppendConffiles(text, package, digests);
            }
            else if (fields.Find(field => Is(field, name)) is { Name: not null } field)
            {
                Append(text, name, field.Value.Span);
            }
        }
        foreach (var field in fields.Where(static field => !s_order.Any(name => Is(field, name))))
        {
            Append(text, field.Name, field.Value.Span);
        }
        return text.ToArray();
    }

    /// <summary>The names of the packages that are installed and configured, with their architecture where several can be there.</summary>
    public static HashSet<string> Configured(byte[] status) => ControlFile.Parse(status, DpkgDatabase.StatusPath)
        .Where(static paragraph => paragraph["Status"] is { } state && state.Split(' ') is [_, _, "installed" or "triggers-pending" or "triggers-awaited"])
        .Select(static paragraph => paragraph.Required("Package"))
        .ToHashSet(StringComparer.Ordinal);

    /// <summary>Adds to the end of the first line, from a place on, that begins as given; of a text that has none nothing is changed.</summary>
    public static byte[] AppendToLine(byte[] text, int from, ReadOnlySpan<byte> line, ReadOnlySpan<byte> addition)
    {
        int at = text.AsSpan(from).IndexOf(line);
        if (at < 0)
        {
            return text;
        }
        int end = from + at + 1 + text.AsSpan(from + at + 1).IndexOf((byte)'\n');
        return [.. text.AsSpan(0, end), .. addition, .. text.AsSpan(end)];
    }

    private static bool Is(ControlField field, string name) => string.Equals(field.Name, name, StringComparison.OrdinalIgnoreCase);

    private static void AppendConffiles(MemoryStream text, DebPackage package, IReadOnlyDictionary<string, string> digests)
    {
        if (package.Conffiles.Count == 0)
        {
            return;
        }
        text.Write("Conffiles:\n"u8);
        foreach (var conffile in package.Conffiles)
        {
            string path = Encoding.Latin1.GetString(conffile.Path);
            string digest = digests.GetValueOrDefault(path, NewConffile);
            text.Write(Encoding.Latin1.GetBytes($" /{path} {digest}{(conffile.RemoveOnUpgrade ? " remove-on-upgrade" : "")}\n"));
        }
    }

    private static void Append(MemoryStream text, string name, ReadOnlySpan<byte> value)
    {
        text.Write(Encoding.ASCII.GetBytes(name));
        text.Write(value is [(byte)'\n', ..] ? ":"u8 : ": "u8);
        text.Write(value);
        text.WriteByte((byte)'\n');
    }
}
