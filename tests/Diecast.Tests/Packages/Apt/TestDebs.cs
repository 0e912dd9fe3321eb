using System.Globalization;
using System.Text;
using Diecast.Packages.Apt;
using Diecast.Tests.Formats.Tar;
using Diecast.Tests.Support;

namespace Diecast.Tests.Packages.Apt;

/// <summary>Small Debian packages, written member by member, also such as dpkg-deb would not make.</summary>
internal sealed class TestDebs : IDisposable
{
    private readonly TempDirectory _directory = new();

    public string this[string name] => _directory[name];

    public List<DebToInstall> All { get; } = [];

    /// <summary>A member of the data archive; the type is tar's.</summary>
    public sealed record Member(string Path, char Type, string Content = "", string Link = "", int Mode = 0x1A4, string User = "root", string Group = "root");

    public static Member Directory(string path, int mode = 0x1ED) => new($"./{path}/", '5', Mode: mode);

    public static Member File(string path, string content, int mode = 0x1A4) => new($"./{path}", '0', content, Mode: mode);

    public static Member Symlink(string path, string target) => new($"./{path}", '2', Link: target, Mode: 0x1FF);

    /// <summary>Adds a package; the directories above what begins with "./" come by themselves.</summary>
    public DebToInstall Add(string name, string fields, (string Name, string Content)[] control, params Member[] items) =>
        Add(name, "1.0-1", fields, control, items);

    /// <inheritdoc cref="Add(string, string, ValueTuple{string, string}[], Member[])"/>
    public DebToInstall Add(string name, string version, string fields, (string Name, string Content)[] control, params Member[] items)
    {
        string architecture = fields.Contains("Multi-Arch: same", StringComparison.Ordinal) ? "amd64" : "all";
        string text = $"Package: {name}\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: A Tester <tester@example.invalid>\n"
            + (fields.Length == 0 ? "" : fields + "\n") + "Description: a package\n of a test\n";
        var controlTar = new ArchiveWriter().Add("./", '5', change: static header => SetMode(header, 0x1ED));
        foreach (var (file, content) in control.Prepend(("control", text)))
        {
            controlTar.Add($"./{file}", '0', Encoding.UTF8.GetBytes(content), change: header =>
            {
                SetMode(header, content.StartsWith("#!", StringComparison.Ordinal) ? 0x1ED : 0x1A4);
                SetNumber(header, 108..116, 0);
                SetNumber(header, 116..124, 0);
            });
        }
        var made = new HashSet<string>(StringComparer.Ordinal);
        var dataTar = new ArchiveWriter();
        foreach (var item in items.SelectMany(item => Parents(item.Path).Where(made.Add).Select(static parent => new Member(parent, '5', Mode: 0x1ED)).Append(item)))
        {
            made.Add(item.Path);
            dataTar.Add(item.Path, item.Type, Encoding.UTF8.GetBytes(item.Content), item.Link, header =>
            {
                SetMode(header, item.Mode);
                SetNumber(header, 108..116, 0);
                SetNumber(header, 116..124, 0);
                Encoding.ASCII.GetBytes(item.User).CopyTo(header, 265);
                Encoding.ASCII.GetBytes(item.Group).CopyTo(header, 297);
            });
        }
        return Write(name, version, ("debian-binary", "2.0\n"u8.ToArray()), ("control.tar", controlTar.ToArray()), ("data.tar", dataTar.ToArray()));
    }

    /// <summary>Adds a file of any members.</summary>
    public DebToInstall Write(string name, string version, params (string Name, byte[] Content)[] members)
    {
        string path = _directory[$"{name}_{version}.deb"];
        System.IO.File.WriteAllBytes(path, Ar(members));
        var package = new DebToInstall(name, version, false, () => System.IO.File.OpenRead(path));
        All.Add(package);
        return package;
    }

    public string PathOf(DebToInstall package) => _directory[$"{package.Name}_{package.Version}.deb"];

    public static byte[] Ar(params (string Name, byte[] Content)[] members)
    {
        var archive = new List<byte>("!<arch>\n"u8.ToArray());
        foreach (var (name, content) in members)
        {
            archive.AddRange(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{name,-16}{1_000_000_000,-12}{0,-6}{0,-6}{"100644",-8}{content.Length,-10}`\n")));
            archive.AddRange(content);
            if (content.Length % 2 != 0)
            {
                archive.Add((byte)'\n');
            }
        }
        return [.. archive];
    }

    public void Dispose() => _directory.Dispose();

    private static IEnumerable<string> Parents(string path)
    {
        if (!path.StartsWith("./", StringComparison.Ordinal))
        {
            yield break;
        }
        yield return "./";
        string trimmed = path.TrimEnd('/');
        for (int slash = trimmed.IndexOf('/', 2); slash > 0; slash = trimmed.IndexOf('/', slash + 1))
        {
            yield return trimmed[..(slash + 1)];
        }
    }

    private static void SetMode(byte[] header, int mode) => SetNumber(header, 100..108, mode);

    private static void SetNumber(byte[] header, Range field, long value) =>
        Diecast.Formats.Tar.TarNumber.FormatOctal(header.AsSpan(field), value);
}
