using System.Collections.Immutable;
using System.Text;
using Diecast.Trees;

namespace Diecast.Packages.Pacman;

/// <summary>Reads pacman.conf(5), in the order and with the meaning that pacman's conf.c gives it.</summary>
internal sealed class PacmanConfigurationReader(FileTree sandbox, string display, string architecture)
{
    private const int MaximumIncludes = 10;
    private const int MaximumFile = 1 << 20;

    // They cannot change what is installed: how pacman looks, downloads and asks, and paths that are given here.
    private static readonly string[] s_ignored =
    [
        "RootDir", "DBPath", "CacheDir", "LogFile", "HoldPkg", "CleanMethod", "UseSyslog", "Color", "NoProgressBar",
        "CheckSpace", "VerbosePkgLists", "ILoveCandy", "ParallelDownloads", "DisableDownloadTimeout", "DownloadUser",
        "DisableSandbox", "DisableSandboxFilesystem", "DisableSandboxSyscalls", "LocalFileSigLevel", "RemoteFileSigLevel",
    ];

    private sealed class Repository(string name, string place)
    {
        public string Name => name;
        public string Place => place;
        public List<(string Place, string Address)> Servers { get; } = [];
        public List<string> SigLevel { get; } = [];
    }

    private readonly List<string> _errors = [];
    private readonly List<Repository> _repositories = [];
    private readonly List<string> _architectures = [];
    private readonly List<byte[]> _noExtract = [];
    private readonly List<byte[]> _noUpgrade = [];
    private readonly List<string> _hookDirectories = [];
    private SigLevel _sigLevel = SigLevel.BuiltIn;
    private string? _section;

    public PacmanConfiguration Read(string path)
    {
        ReadFile(path, Place(path), 0);
        var repositories = _repositories.Select(MakeRepository).ToImmutableArray();
        if (_errors.Count == 0 && repositories.IsEmpty)
        {
            _errors.Add($"{Place(path)}: there is no repository");
        }
        return _errors.Count > 0 ? throw new PackageException(_errors) : new PacmanConfiguration
        {
            Repositories = repositories,
            Architectures = _architectures.Count > 0 ? [.. _architectures] : [architecture],
            NoExtract = [.. _noExtract],
            NoUpgrade = [.. _noUpgrade],
            HookDirectories = _hookDirectories.Count > 0 ? [.. _hookDirectories] : [PacmanConfiguration.DefaultHookDirectory],
        };
    }

    private PacmanRepository MakeRepository(Repository repository)
    {
        if (repository.Servers.Count == 0)
        {
            _errors.Add($"{repository.Place}: [{repository.Name}] has no Server");
        }
        foreach (var (place, address) in repository.Servers)
        {
            if (_architectures.Count == 0 && address.Contains("$arch", StringComparison.Ordinal))
            {
                _errors.Add($"{place}: {address} has $arch, but there is no Architecture in [options]");
            }
        }
        var level = _sigLevel;
        foreach (string word in repository.SigLevel)
        {
            level = level.With(word)!;
        }
        string first = _architectures.Count > 0 ? _architectures[0] : architecture;
        return new PacmanRepository(repository.Name,
            [.. repository.Servers.Select(server => PacmanConfiguration.Expand(server.Address, repository.Name, first))], level);
    }

    private void ReadFile(string path, string place, int depth)
    {
        if (sandbox.Find(path) is not FileNode { Content.Length: <= MaximumFile } file)
        {
            _errors.Add($"{place}: {path} is no file of at most {MaximumFile} bytes");
            return;
        }
        foreach (var line in IniFile.Read(file.Content.ReadBytes(0, (int)file.Content.Length)))
        {
            ReadLine(line, $"{Place(path)}:{line.Number}", depth);
        }
    }

    private void ReadLine(IniLine line, string place, int depth)
    {
        if (line.Key is null)
        {
            BeginSection(line.Section!, place);
        }
        else if (line.Key == "Include")
        {
            Include(line.Text, place, depth);
        }
        else if (_section is null)
        {
            _errors.Add($"{place}: {line.Key} stands in no section");
        }
        else if (_section == "options")
        {
            ReadOption(line, place);
        }
        else
        {
            ReadRepository(_repositories[^1], line, place);
        }
    }

    private void BeginSection(string section, string place)
    {
        _section = section;
        if (section == "options")
        {
            return;
        }
        if (section == "local" || !new FileName(section).IsValid || _repositories.Any(repository => repository.Name == section))
        {
            _errors.Add($"{place}: [{section}] cannot be a repository's name, or stands twice");
        }
        _repositories.Add(new Repository(section, place));
    }

    private void ReadOption(IniLine line, string place)
    {
        string key = line.Key!;
        if (s_ignored.Contains(key))
        {
            return;
        }
        if (key is not ("Architecture" or "NoExtract" or "NoUpgrade" or "HookDir" or "SigLevel"))
        {
            _errors.Add($"{place}: {key} is not supported in [options]");
            return;
        }
        if (line.Text is not { } text)
        {
            _errors.Add($"{place}: {key} needs a value");
            return;
        }
        string[] words = Words(text);
        switch (key)
        {
            case "Architecture":
                _architectures.AddRange(words.Select(word => word == "auto" ? architecture : word));
                break;
            case "NoExtract":
                _noExtract.AddRange(words.Select(Encoding.UTF8.GetBytes));
                break;
            case "NoUpgrade":
                _noUpgrade.AddRange(words.Select(Encoding.UTF8.GetBytes));
                break;
            case "HookDir":
                _hookDirectories.AddRange(words);
                break;
            default:
                foreach (string word in KnownLevels(words, place))
                {
                    _sigLevel = _sigLevel.With(word)!;
                }
                break;
        }
    }

    private void ReadRepository(Repository repository, IniLine line, string place)
    {
        switch (line.Key, line.Text)
        {
            case ("Server" or "SigLevel" or "Usage" or "CacheServer", null or ""):
                _errors.Add($"{place}: {line.Key} needs a value");
                break;
            case ("Server", { } address):
                repository.Servers.Add((place, address));
                break;
            case ("CacheServer", _):
                // Has what the servers have, only nearer.
                break;
            case ("SigLevel", { } text):
                repository.SigLevel.AddRange(KnownLevels(Words(text), place));
                break;
            case ("Usage", { } text) when Words(text).Contains("All"):
                break;
            case ("Usage", { } text):
                _errors.Add($"{place}: Usage = {text} is not supported, only All");
                break;
            default:
                _errors.Add($"{place}: {line.Key} is not supported in [{repository.Name}]");
                break;
        }
    }

    private IEnumerable<string> KnownLevels(string[] words, string place)
    {
        _errors.AddRange(words.Where(static word => SigLevel.BuiltIn.With(word) is null)
            .Select(word => $"{place}: SigLevel cannot be {word}"));
        return words.Where(static word => SigLevel.BuiltIn.With(word) is not null);
    }

    private void Include(string? pattern, string place, int depth)
    {
        if (string.IsNullOrEmpty(pattern) || pattern[0] != '/')
        {
            _errors.Add($"{place}: Include needs an absolute path");
        }
        else if (depth == MaximumIncludes)
        {
            _errors.Add($"{place}: more than {MaximumIncludes} files include one another");
        }
        else if (pattern.AsSpan().IndexOfAny("*?[\\") < 0)
        {
            ReadFile(pattern, place, depth + 1);
        }
        else
        {
            foreach (string path in ExpandGlob(pattern))
            {
                ReadFile(path, place, depth + 1);
            }
        }
    }

    /// <summary>glob(7): each name for itself, and one that begins with a dot only if the pattern's does. In byte order.</summary>
    private List<string> ExpandGlob(string pattern)
    {
        var found = new List<(string Path, Node Node)> { ("", sandbox.Root) };
        foreach (string part in pattern.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            byte[] bytes = Encoding.UTF8.GetBytes(part);
            found = [.. found.SelectMany(parent => (parent.Node as DirectoryNode)?.Entries ?? [],
                    static (parent, entry) => (parent.Path, Entry: entry))
                .Where(child => Glob.Matches(bytes, child.Entry.Name.Bytes) && (part[0] == '.' || child.Entry.Name.Bytes[0] != '.'))
                .Select(static child => ($"{child.Path}/{Encoding.UTF8.GetString(child.Entry.Name.Bytes)}", child.Entry.Node))];
        }
        return [.. found.Select(static file => file.Path)];
    }

    private string Place(string path) => $"{display.TrimEnd('/')}/{path.TrimStart('/')}";

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
