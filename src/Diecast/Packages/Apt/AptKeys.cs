using System.Collections.Immutable;

namespace Diecast.Packages.Apt;

/// <summary>Finds the keys that may sign repositories: in the sandbox trees, else on the host.</summary>
internal sealed class AptKeys(AptSettings settings, List<string> errors)
{
    private const long MaximumSize = 16 << 20;

    /// <summary>The keys of the distribution; null where signatures are not checked.</summary>
    public ImmutableArray<AptKeyFile>? OfDistribution()
    {
        if (!settings.KeyCheck)
        {
            return null;
        }
        string name = $"usr/share/keyrings/{settings.Distribution}-archive-keyring";
        if ((Find($"{name}.gpg") ?? Find($"{name}.pgp")) is { } file)
        {
            return [file];
        }
        if (Trusted() is { IsEmpty: false } own)
        {
            return own;
        }
        errors.Add($"there is no {name}.gpg to check {settings.Distribution}'s packages with: "
            + $"install the package {(settings.Distribution == "ubuntu" ? "ubuntu-keyring" : "debian-archive-keyring")}, or put the file below mkosi.sandbox");
        return null;
    }

    /// <summary>Those that a source without Signed-By is checked with: the user's own, else the distribution's.</summary>
    public ImmutableArray<AptKeyFile>? Default() =>
        !settings.KeyCheck ? null : Trusted() is { IsEmpty: false } own ? own : OfDistribution();

    /// <summary>What a Signed-By says: paths of files, fingerprints of keys in the default ones, or keys.</summary>
    /// <param name="place">For errors.</param>
    public (ImmutableArray<AptKeyFile>? Files, ImmutableArray<string> Signers) SignedBy(string text, string place)
    {
        if (!settings.KeyCheck || text.Length == 0)
        {
            return (Default(), []);
        }
        if (text.Contains("-----BEGIN PGP", StringComparison.Ordinal))
        {
            // In the field an empty line is a dot, and every line is indented.
            string key = string.Join('\n', text.Split('\n').Select(static line => line.Trim()).Select(static line => line == "." ? "" : line));
            return ([new AptKeyFile(place, System.Text.Encoding.UTF8.GetBytes(key + "\n"))], []);
        }
        var files = ImmutableArray.CreateBuilder<AptKeyFile>();
        var signers = ImmutableArray.CreateBuilder<string>();
        foreach (string word in text.Split([',', ' ', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries))
        {
            if (!word.StartsWith('/'))
            {
                string fingerprint = word.TrimEnd('!');
                if (fingerprint.Length != 40 || !fingerprint.All(char.IsAsciiHexDigit))
                {
                    errors.Add($"{place}: Signed-By: {word} is neither the path of a keyring nor a fingerprint");
                }
                signers.Add(fingerprint.ToUpperInvariant());
            }
            else if (Find(word.TrimStart('/')) is { } file)
            {
                files.Add(file);
            }
            else
            {
                errors.Add($"{place}: Signed-By: there is no {word}, neither in a sandbox tree nor on this machine");
            }
        }
        return (files.Count > 0 ? files.ToImmutable() : Default(), signers.ToImmutable());
    }

    private ImmutableArray<AptKeyFile> Trusted()
    {
        var files = new SortedDictionary<string, AptKeyFile>(StringComparer.Ordinal);
        foreach (string tree in settings.SandboxTrees)
        {
            string directory = Path.Join(tree, "etc/apt/trusted.gpg.d");
            string[] paths = Directory.Exists(directory) ? Directory.GetFiles(directory) : [];
            foreach (string path in paths.Where(static path => path.EndsWith(".gpg", StringComparison.Ordinal) || path.EndsWith(".asc", StringComparison.Ordinal))
                .Append(Path.Join(tree, "etc/apt/trusted.gpg")))
            {
                if (Read(path) is { } file)
                {
                    files[Path.GetFileName(path)] = file;
                }
            }
        }
        return [.. files.Values];
    }

    private AptKeyFile? Find(string path) => settings.SandboxTrees.Reverse().Append(settings.HostRoot)
        .Select(root => Read(Path.Join(root, path))).FirstOrDefault(static file => file is not null);

    private static AptKeyFile? Read(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }
        long size = new FileInfo(path).Length;
        return size <= MaximumSize
            ? new AptKeyFile(path, File.ReadAllBytes(path))
            : throw new InvalidDataException($"{path}: {size} bytes are too many for a keyring");
    }
}
