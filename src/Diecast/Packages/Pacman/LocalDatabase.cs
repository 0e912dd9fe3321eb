using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Diecast.Packages.Pacman;

/// <summary>How a package file was found to be the right one; the names are those that the local database uses.</summary>
[Flags]
public enum PackageValidation
{
    None = 0,
    Sha256 = 1,
    Pgp = 2,
}

/// <summary>
/// The database of installed packages, <c>/var/lib/pacman/local</c> (be_local.c in libalpm): a directory
/// <c>name-version</c> (mode 0755) for each package with <c>desc</c>, <c>files</c> and copies of <c>.MTREE</c>,
/// <c>.INSTALL</c> and <c>.CHANGELOG</c> as <c>mtree</c>, <c>install</c> and <c>changelog</c> (0644).
/// </summary>
public static class LocalDatabase
{
    /// <summary>From the root, without a leading slash.</summary>
    public const string Path = "var/lib/pacman/local";

    /// <summary>The file that says which form the database has.</summary>
    public const string VersionFile = "ALPM_DB_VERSION";

    public static ReadOnlySpan<byte> VersionContent => "9\n"u8;

    /// <summary>The names in the database of a package's own files, or null where a file is not kept.</summary>
    public static string? NameOf(ReadOnlySpan<byte> member) =>
        member.SequenceEqual(".INSTALL"u8) ? "install"
        : member.SequenceEqual(".CHANGELOG"u8) ? "changelog"
        : member.SequenceEqual(".MTREE"u8) ? "mtree"
        : null;

    /// <summary>The content of <c>desc</c>.</summary>
    /// <param name="installDate">In seconds since 1970; 0 leaves it out.</param>
    public static byte[] Desc(PackageInfo info, InstallReason reason, PackageValidation validation, long installDate)
    {
        var text = new Blocks();
        text.Add("NAME", info.Last("pkgname"));
        text.Add("VERSION", info.Last("pkgver"));
        text.Add("BASE", info.Last("pkgbase"));
        text.Add("DESC", info.Last("pkgdesc"));
        text.Add("URL", info.Last("url"));
        text.Add("ARCH", info.Last("arch"));
        text.Add("BUILDDATE", info.BuildDate);
        text.Add("INSTALLDATE", installDate);
        text.Add("PACKAGER", info.Last("packager"));
        text.Add("SIZE", info.InstalledSize);
        text.Add("REASON", reason == InstallReason.Dependency ? 1 : 0);
        text.Add("GROUPS", info.All("group"));
        text.Add("LICENSE", info.All("license"));
        text.Add("VALIDATION", ValidationNames(validation));
        text.Add("REPLACES", info.All("replaces"));
        text.Add("DEPENDS", info.All("depend"));
        text.Add("OPTDEPENDS", info.All("optdepend"));
        text.Add("CONFLICTS", info.All("conflict"));
        text.Add("PROVIDES", info.All("provides"));
        text.Add("XDATA", info.All("xdata"));
        return text.ToArray();
    }

    /// <summary>The content of <c>files</c>.</summary>
    /// <param name="paths">All that the package contains, extracted or not: no leading slash, directories with a trailing one.</param>
    /// <param name="backup">The package's configuration files in its order, with the MD5 digest of what was extracted, if it was.</param>
    public static byte[] Files(IEnumerable<byte[]> paths, IEnumerable<(byte[] Path, byte[]? Md5)> backup)
    {
        var text = new Blocks();
        text.Add("FILES", ByteString.SortedSet(paths));
        text.Add("BACKUP", [.. backup.Select(static entry => (byte[])[.. entry.Path, (byte)'\t', .. Digest(entry.Md5)])]);
        return text.ToArray();

        // For a file that it did not extract, pacman prints a null pointer, by way of glibc.
        static byte[] Digest(byte[]? md5) => md5 is null ? "(null)"u8.ToArray() : Encoding.ASCII.GetBytes(Convert.ToHexStringLower(md5));
    }

    /// <summary>The digest that stands in <c>files</c>.</summary>
    public static byte[] BackupDigest(Stream content) => MD5.HashData(content);

    private static byte[][] ValidationNames(PackageValidation validation)
    {
        var names = new List<byte[]>();
        if (validation == PackageValidation.None)
        {
            names.Add("none"u8.ToArray());
        }
        if (validation.HasFlag(PackageValidation.Sha256))
        {
            names.Add("sha256"u8.ToArray());
        }
        if (validation.HasFlag(PackageValidation.Pgp))
        {
            names.Add("pgp"u8.ToArray());
        }
        return [.. names];
    }

    private sealed class Blocks
    {
        private readonly List<byte> _text = [];

        // A value can be there and empty.
        public void Add(string key, byte[]? value) => Add(key, value is null ? [] : [value]);

        public void Add(string key, long number) =>
            Add(key, number == 0 ? null : Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture)));

        public void Add(string key, IReadOnlyList<byte[]> values)
        {
            if (values.Count > 0)
            {
                _text.AddRange(Encoding.ASCII.GetBytes($"%{key}%\n"));
                foreach (byte[] value in values)
                {
                    _text.AddRange(value);
                    _text.Add((byte)'\n');
                }
                _text.Add((byte)'\n');
            }
        }

        public byte[] ToArray() => [.. _text];
    }
}
