using System.Security.Cryptography;
using Diecast.Build;
using Diecast.Config;

namespace Diecast.Inspect.Verification;

/// <summary>
/// Proves that an image is what its configuration and lock file make: rebuilds it under conditions that must not matter,
/// compares, and finds for each difference the condition that did matter.
/// </summary>
public static class Verifier
{
    /// <summary>Verifies. Must not be called inside of a <see cref="UserNamespace"/>.</summary>
    /// <exception cref="ConfigException">There is no lock file, or the configuration cannot be followed.</exception>
    /// <exception cref="IOException">An image cannot be read, packages cannot be had, or a rebuild failed.</exception>
    /// <exception cref="InvalidDataException">The lock file does not fit the configuration.</exception>
    public static VerifyResult Run(VerifyRequest request)
    {
        var report = request.Build.Report;
        var lockfile = Builder.Fetch(request.Build);
        using var rebuilder = new Rebuilder(request, lockfile);
        Rebuilt? first = null;
        if (request.Image is null && request.Sha256 is null)
        {
            report.Stage("Building under ordinary conditions");
            first = rebuilder.Build([]);
        }
        string? image = request.Image ?? first?.Path;
        if (request is { Sha256: { } attested, Image: { } given } && Digest(given, request.Build.Cancellation) is var digest && digest != attested)
        {
            throw new ConfigException(new Location(given), $"has the SHA-256 {digest}, and the attestation is of {attested}");
        }
        string expected = request.Sha256 ?? first?.Sha256 ?? Digest(image!, request.Build.Cancellation);
        var runs = new List<VerifyRun>();
        for (int run = 0; run < request.Runs; run++)
        {
            var (variations, impossible) = rebuilder.Choose(request.Variations, run);
            report.Stage($"Rebuild {run + 1} of {request.Runs}: {(variations.Count > 0 ? string.Join(", ", variations.Select(static v => v.Name)) : "nothing varied")}");
            var rebuilt = rebuilder.Build(variations);
            var lost = rebuilt.Lost.Select(static lost => lost.Name).ToHashSet(StringComparer.Ordinal);
            runs.Add(new VerifyRun(
                rebuilt.Sha256,
                [.. variations.Where(variation => !lost.Contains(variation.Name)).Select(static variation => new Varied(variation.Name, variation.Description))],
                InOrder(impossible.Concat(rebuilt.Lost))));
            if (rebuilt.Sha256 != expected)
            {
                var (difference, findings) = new Bisection(request, rebuilder).Explain(image, rebuilt, variations);
                return new VerifyResult { Sha256 = expected, Runs = runs, Lockfile = lockfile, Difference = difference, Findings = findings };
            }
            Rebuilder.Discard(rebuilt);
        }
        return new VerifyResult { Sha256 = expected, Runs = runs, Lockfile = lockfile };
    }

    private static NotVaried[] InOrder(IEnumerable<NotVaried> all)
    {
        var order = VariationTable.Names.ToList();
        return [.. all.OrderBy(item => order.IndexOf(item.Name), Comparer<int>.Default)];
    }

    /// <summary>The SHA-256 of a file in lower-case hexadecimal.</summary>
    public static string Digest(string path, CancellationToken cancellation)
    {
        using var file = File.OpenRead(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 20];
        for (int count; (count = file.Read(buffer)) > 0;)
        {
            cancellation.ThrowIfCancellationRequested();
            hash.AppendData(buffer, 0, count);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
