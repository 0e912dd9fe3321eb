using System.Globalization;
using Diecast.Tests.Support;

namespace Diecast.Tests.Packages.OpenPgp;

/// <summary>gpg with a home of its own and a clock of its own: makes keys and signatures, and is the oracle for trust.</summary>
internal sealed class GpgHome : IDisposable
{
    private readonly TempDirectory _home = new();
    private readonly Dictionary<string, string> _fingerprints = new(StringComparer.Ordinal);

    public GpgHome() => Tool.RunOk("chmod", "700", _home.Path);

    /// <summary>What gpg takes for the present, as 20250501T000000.</summary>
    public string Now { get; set; } = "20250501T000000";

    public string this[string name] => _home[name];

    public static long Time(string time) => DateTimeOffset.ParseExact(
        time, "yyyyMMdd'T'HHmmss", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal).ToUnixTimeSeconds();

    public string Run(params string[] arguments)
    {
        var result = Try(null, arguments);
        Assert.True(result.ExitCode == 0, $"gpg {string.Join(' ', arguments)}: exit {result.ExitCode}\n{result.All}");
        return result.Output;
    }

    public Tool.Result Try(string? input, params string[] arguments) => Tool.Run(
        "gpg",
        ["--homedir", _home.Path, "--batch", "--yes", "--quiet", "--no-tty", "--no-auto-check-trustdb", "--pinentry-mode", "loopback", "--passphrase", "",
            "--faked-system-time", Now + "!", .. arguments],
        null, input is null ? null : System.Text.Encoding.UTF8.GetBytes(input));

    /// <summary>Makes a key and returns its fingerprint.</summary>
    public string Generate(string name, string algorithm = "ed25519", string usage = "sign", string expire = "never")
    {
        Run("--quick-generate-key", $"{name} <{name}@example.org>", algorithm, usage, expire);
        string fingerprint = Run("--with-colons", "--list-keys", $"={name} <{name}@example.org>").Split('\n')
            .First(line => line.StartsWith("fpr:", StringComparison.Ordinal)).Split(':')[9];
        return _fingerprints[name] = fingerprint;
    }

    public string Fingerprint(string name) => _fingerprints[name];

    /// <summary>The named key certifies another's user ids.</summary>
    public void Certify(string by, string key, params string[] options) => Run(
        [.. options, "--local-user", _fingerprints[by], "--quick-sign-key", _fingerprints[key]]);

    /// <summary>A detached signature.</summary>
    public byte[] Sign(string by, byte[] data, params string[] options)
    {
        File.WriteAllBytes(_home["data"], data);
        Run([.. options, "--local-user", by, "--output", _home["data.sig"], "--detach-sign", _home["data"]]);
        return File.ReadAllBytes(_home["data.sig"]);
    }

    /// <summary>Revokes a key with the certificate that gpg made beside it.</summary>
    public void Revoke(string name)
    {
        string path = _home[$"openpgp-revocs.d/{_fingerprints[name]}.rev"];
        File.WriteAllText(path, File.ReadAllText(path).Replace(":-----", "-----", StringComparison.Ordinal));
        Run("--import", path);
    }

    /// <summary>Answers to the prompts of gpg --edit-key.</summary>
    public void Edit(string key, params string[] answers) => Try(
        string.Join('\n', [.. answers, "save", ""]), "--command-fd", "0", "--edit-key", key);

    /// <summary>Writes a keyring directory of the named keys, or all.</summary>
    public string Export(string directory, string[] trusted, string[] revoked, int ownerTrust = 4)
    {
        Directory.CreateDirectory(directory);
        Run("--output", Path.Join(directory, "test.gpg"), "--export");
        File.WriteAllLines(Path.Join(directory, "test-trusted"), trusted.Select(name => $"{_fingerprints[name]}:{ownerTrust}:"));
        File.WriteAllLines(Path.Join(directory, "test-revoked"), revoked.Select(name => _fingerprints[name]));
        return directory;
    }

    /// <summary>Sets this home up as pacman-key --populate does, and returns the fingerprints that gpg holds valid.</summary>
    public string[] ValidKeys(string keyrings)
    {
        string local = Generate("local", usage: "cert");
        Run(["--import", .. Directory.GetFiles(keyrings, "*.gpg")]);
        foreach (string line in Lines(keyrings, "*-trusted"))
        {
            Try(null, "--local-user", local, "--quick-lsign-key", line.Split(':')[0]);
        }
        Run(["--import-ownertrust", .. Directory.GetFiles(keyrings, "*-trusted")]);
        foreach (string fingerprint in Lines(keyrings, "*-revoked"))
        {
            Try("disable\nquit\n", "--command-fd", "0", "--edit-key", fingerprint);
        }
        Run("--check-trustdb");
        var valid = new List<string>();
        bool isValid = false;
        foreach (string[] fields in Run("--with-colons", "--list-keys").Split('\n').Select(line => line.Split(':')))
        {
            if (fields[0] == "pub")
            {
                isValid = fields[1] is "f" or "u" && !fields[11].Contains('D', StringComparison.Ordinal);
            }
            else if (fields[0] == "fpr" && isValid)
            {
                valid.Add(fields[9]);
                isValid = false;
            }
        }
        valid.Remove(local);
        return [.. valid.Order(StringComparer.Ordinal)];
    }

    /// <summary>Whether pacman would take the data by what gpg says: all signatures good, by keys that are fully trusted.</summary>
    public bool Accepts(byte[] data, byte[] signature)
    {
        File.WriteAllBytes(_home["data"], data);
        File.WriteAllBytes(_home["data.sig"], signature);
        var result = Try(null, "--status-fd", "1", "--verify", _home["data.sig"], _home["data"]);
        string[] states = [.. result.Output.Split('\n').Where(line => line.StartsWith("[GNUPG:] ", StringComparison.Ordinal)).Select(line => line.Split(' ')[1])];
        int signatures = states.Count(state => state == "NEWSIG");
        return result.ExitCode == 0 && signatures > 0 && states.Count(state => state == "GOODSIG") == signatures
            && states.Count(state => state is "TRUST_FULLY" or "TRUST_ULTIMATE") == signatures;
    }

    private static IEnumerable<string> Lines(string directory, string pattern) => Directory.GetFiles(directory, pattern)
        .SelectMany(File.ReadAllLines).Where(line => line.Length > 0);

    public void Dispose()
    {
        Tool.Run("gpgconf", "--homedir", _home.Path, "--kill", "all");
        _home.Dispose();
    }
}
