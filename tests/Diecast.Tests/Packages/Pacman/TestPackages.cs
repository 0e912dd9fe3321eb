using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Diecast.Packages.Pacman;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Packages.Pacman;

/// <summary>A repository of small packages, made by bsdtar, zstd and repo-add as makepkg makes them.</summary>
internal sealed partial class TestPackages : IDisposable
{
    public const string Database = "test";
    private readonly TempDirectory _directory = new();
    private readonly List<string> _files = [];

    public string Path => _directory.Path;

    public string this[string name] => _directory[name];

    /// <summary>Adds a package; content is a path from the root, with a slash at its end for a directory.</summary>
    public string Add(string name, string version, string info, params (string Path, string Content)[] content)
    {
        string build = _directory[$"build-{name}"];
        Directory.CreateDirectory(build);
        File.WriteAllText(System.IO.Path.Join(build, ".PKGINFO"), $"""
            # made for a test
            pkgname = {name}
            pkgbase = {name}-base
            pkgver = {version}
            pkgdesc = The {name} package, ümlaut
            url = https://example.invalid/{name}
            builddate = 1700000000
            packager = A Tester <tester@example.invalid>
            size = 12345
            arch = any
            license = MIT
            license = custom: of ours
            {info}

            """);
        foreach (var (path, text) in content)
        {
            string file = System.IO.Path.Join(build, path);
            Directory.CreateDirectory(path.EndsWith('/') ? file : System.IO.Path.GetDirectoryName(file)!);
            if (text.StartsWith("-> ", StringComparison.Ordinal))
            {
                File.CreateSymbolicLink(file, text[3..]);
            }
            else if (text.StartsWith("== ", StringComparison.Ordinal))
            {
                Tool.RunOk("ln", System.IO.Path.Join(build, text[3..]), file);
            }
            else if (!path.EndsWith('/'))
            {
                File.WriteAllText(file, text);
            }
        }
        string archive = $"{name}-{version}-any.pkg.tar.zst";
        string list = string.Join(' ', Directory.GetFileSystemEntries(build).Select(System.IO.Path.GetFileName).Order(StringComparer.Ordinal).Select(static item => $"'{item}'"));
        Tool.RunOk("sh", "-ec", $"""
            cd '{build}'
            find . -exec touch -h -d '@1600000000.25' '{"{}"}' +
            bsdtar -czf .MTREE --format=mtree --uid 0 --gid 0 --options='!all,use-set,type,uid,gid,mode,time,size,md5,sha256,link' {list}
            touch -d '@1600000000' .MTREE
            bsdtar -cf - --uid 0 --gid 0 --format=pax .MTREE {list} | zstd -q > '{_directory[archive]}'
            """);
        _files.Add(_directory[archive]);
        return _directory[archive];
    }

    public SyncDatabase Index()
    {
        Tool.RunOk("repo-add", ["-q", _directory[$"{Database}.db.tar.zst"], .. _files]);
        using var stream = File.OpenRead(_directory[$"{Database}.db"]);
        return SyncDatabase.Read(Database, stream);
    }

    /// <summary>Runs pacman on a root of its own, as root or as if.</summary>
    public Tool.Result Pacman(string root, string options, params string[] arguments)
    {
        string database = System.IO.Path.Join(root, "var/lib/pacman");
        Directory.CreateDirectory(System.IO.Path.Join(database, "sync"));
        Directory.CreateDirectory(_directory["cache"]);
        File.WriteAllText(_directory["pacman.conf"], $"[options]\nArchitecture = x86_64\nSigLevel = Never\nNoProgressBar\n{options}\n[{Database}]\nServer = file://{Path}\n");
        string pacman = Tool.Require("pacman");
        string[] all =
        [
            "--config", _directory["pacman.conf"], "--root", root, "--dbpath", database, "--cachedir", _directory["cache"],
            "--hookdir", System.IO.Path.Join(root, "etc/pacman.d/hooks"), "--logfile", "/dev/null", "--noconfirm", .. arguments,
        ];
        return Tool.RunOk("id", "-u").Trim() == "0" ? Tool.Run(pacman, all) : Tool.Run("fakeroot", [pacman, .. all]);
    }

    /// <summary>Our install of what we resolve.</summary>
    public PackageToInstall[] ToInstall(SyncDatabase database, params string[] targets) =>
        [.. Resolver.Resolve([database], targets, []).Packages.Select(item => new PackageToInstall(
            new PackageIdentity(item.Package.Name, item.Package.Version), item.Reason, PackageValidation.Sha256,
            () => File.OpenRead(_directory[item.Package.FileName])))];

    /// <summary>The local database as text, without the time of installation.</summary>
    public static string LocalDatabaseText(string root)
    {
        string directory = System.IO.Path.Join(root, LocalDatabase.Path);
        var text = new StringBuilder();
        foreach (string file in Directory.GetFiles(directory, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var status = Posix.Stat(Posix.AT_FDCWD, Posix.Bytes(file));
            byte[] content = File.ReadAllBytes(file);
            string shown = file.EndsWith("/mtree", StringComparison.Ordinal) ? Convert.ToHexString(content) : Encoding.Latin1.GetString(content);
            int date = shown.IndexOf("%INSTALLDATE%\n", StringComparison.Ordinal);
            if (date >= 0)
            {
                int start = date + "%INSTALLDATE%\n".Length;
                shown = string.Concat(shown.AsSpan(0, start), "MASKED", shown.AsSpan(shown.IndexOf('\n', start)));
            }
            text.Append(CultureInfo.InvariantCulture, $"=== {System.IO.Path.GetRelativePath(directory, file)} {Convert.ToString(status.Permissions, 8)}\n{shown}");
        }
        return text.ToString();
    }

    /// <summary>As pacman before 6.1 writes it.</summary>
    public static string WithoutXdata(string text) =>
        Tool.RunOk("pacman", "-V").Contains("Pacman v6.0", StringComparison.Ordinal) ? Xdata().Replace(text, "") : text;

    [GeneratedRegex("%XDATA%\n(?:[^\n]+\n)+\n")]
    private static partial Regex Xdata();

    public void Dispose() => _directory.Dispose();
}
