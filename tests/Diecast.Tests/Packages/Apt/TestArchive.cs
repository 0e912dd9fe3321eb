using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Diecast.Tests.Packages.OpenPgp;

namespace Diecast.Tests.Packages.Apt;

/// <summary>A signed repository of Debian's layout in memory.</summary>
internal sealed class TestArchive(GpgHome gpg)
{
    private readonly Dictionary<string, Suite> _suites = new(StringComparer.Ordinal);

    private sealed record Suite(Dictionary<string, StringBuilder> Components, List<string> Fields);

    /// <summary>By the path below the archive's address.</summary>
    public Dictionary<string, byte[]> Files { get; } = new(StringComparer.Ordinal);

    /// <summary>Of Packages files: "", ".gz", ".xz" or ".zst".</summary>
    public string[] Compressions { get; set; } = [".gz"];

    public bool IsDetached { get; set; }

    public string[] Signers { get; set; } = ["archive"];

    public string Date { get; set; } = "Wed, 30 Apr 2025 20:11:00 UTC";

    /// <summary>Adds a package to a component: "name version; Field: value; …".</summary>
    public void Add(string suite, string component, string package)
    {
        string[] parts = package.Split("; ");
        string[] identity = parts[0].Split(' ');
        Add(suite, component, identity[0], identity[1], $"Package: {identity[0]}\nVersion: {identity[1]}\nArchitecture: amd64\n"
            + string.Concat(parts[1..].Select(static field => field + "\n")), Encoding.ASCII.GetBytes($"the package {identity[0]} {identity[1]}"));
    }

    /// <summary>Adds a package file to a component.</summary>
    /// <param name="control">What the index says of it.</param>
    /// <returns>The file's path below the archive's address.</returns>
    public string Add(string suite, string component, string name, string version, string control, byte[] content)
    {
        string file = $"pool/{component}/{name[0]}/{name}/{name}_{version.Replace(":", "%3a", StringComparison.Ordinal)}_amd64.deb";
        Files[file] = content;
        Component(suite, component).Append(control.TrimEnd('\n')).Append(CultureInfo.InvariantCulture, $"\nFilename: {file}\n")
            .Append(CultureInfo.InvariantCulture, $"Size: {content.Length}\nSHA256: {Convert.ToHexStringLower(SHA256.HashData(content))}\n\n");
        return file;
    }

    /// <summary>The text of a component's index, which is there from then on, though it be empty.</summary>
    public StringBuilder Component(string suite, string component) =>
        Of(suite).Components.TryGetValue(component, out var known) ? known : Of(suite).Components[component] = new StringBuilder();

    /// <summary>Adds a field to the Release file of a suite.</summary>
    public void Field(string suite, string field) => Of(suite).Fields.Add(field);

    private Suite Of(string suite) => _suites.TryGetValue(suite, out var known) ? known : _suites[suite] = new Suite(new(StringComparer.Ordinal), []);

    /// <summary>Writes the indexes and signs them.</summary>
    public void Publish()
    {
        foreach (var (name, suite) in _suites)
        {
            var release = new StringBuilder($"Origin: Test\nSuite: {name}\nCodename: {name}\nDate: {Date}\nArchitectures: amd64 arm64\n"
                + $"Components: {string.Join(' ', suite.Components.Keys)}\n{string.Concat(suite.Fields.Select(static field => field + "\n"))}SHA256:\n");
            foreach (var (component, index) in suite.Components)
            {
                byte[] plain = Encoding.UTF8.GetBytes(index.ToString());
                foreach (string compression in Compressions)
                {
                    string path = $"{component}/binary-amd64/Packages{compression}";
                    byte[] content = Compress(plain, compression);
                    string digest = Convert.ToHexStringLower(SHA256.HashData(content));
                    release.Append(CultureInfo.InvariantCulture, $" {digest} {content.Length,8} {path}\n");
                    Files[$"dists/{name}/{path}"] = content;
                    Files[$"dists/{name}/{component}/binary-amd64/by-hash/SHA256/{digest}"] = content;
                }
            }
            Sign($"dists/{name}/", Encoding.UTF8.GetBytes(release.ToString()));
        }
    }

    private void Sign(string directory, byte[] release)
    {
        string[] signers = [.. Signers.SelectMany(signer => new[] { "--local-user", gpg.Fingerprint(signer) })];
        File.WriteAllBytes(gpg["Release"], release);
        gpg.Run([.. signers, "--output", gpg["signed"], .. IsDetached ? ["--armor", "--detach-sign"] : new[] { "--clearsign" }, gpg["Release"]]);
        if (IsDetached)
        {
            Files[directory + "Release"] = release;
            Files[directory + "Release.gpg"] = File.ReadAllBytes(gpg["signed"]);
        }
        else
        {
            Files[directory + "InRelease"] = File.ReadAllBytes(gpg["signed"]);
        }
    }

    private static byte[] Compress(byte[] plain, string compression)
    {
        using var output = new MemoryStream();
        switch (compression)
        {
            case ".gz":
                using (var gzip = new GZipStream(output, CompressionLevel.Fastest, leaveOpen: true))
                {
                    gzip.Write(plain);
                }
                return output.ToArray();
            case ".zst":
                using (var zstd = new ZstdSharp.CompressionStream(output, leaveOpen: true))
                {
                    zstd.Write(plain);
                }
                return output.ToArray();
            case ".xz":
                using (var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(Support.Tool.Require("xz"), "-c")
                {
                    RedirectStandardInput = true,
                    RedirectStandardOutput = true,
                })!)
                {
                    process.StandardInput.BaseStream.Write(plain);
                    process.StandardInput.Close();
                    process.StandardOutput.BaseStream.CopyTo(output);
                }
                return output.ToArray();
            default:
                return plain;
        }
    }
}
