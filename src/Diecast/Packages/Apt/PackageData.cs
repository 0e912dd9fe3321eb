using Diecast.Images;

namespace Diecast.Packages.Apt;

/// <summary>
/// What packages install, decompressed on threads of their own ahead of its turn: beside the unpacking of others, and while programs
/// of the image run.
/// </summary>
internal sealed class PackageData : IDisposable
{
    // Enough that small packages do not hold up large ones.
    private const int PackagesAhead = 6;
    private const int BytesAhead = 16 << 20;

    private readonly Queue<DebPackage> _expected = new();
    private readonly Dictionary<DebPackage, ReadAheadStream> _ahead = [];

    /// <summary>Says which packages are going to be opened after those of which that has been said before, in their order.</summary>
    public void Expect(IEnumerable<DebPackage> packages)
    {
        foreach (var package in packages)
        {
            _expected.Enqueue(package);
        }
        StartExpected();
    }

    /// <summary>The data archive of a package that is expected now.</summary>
    public Stream Open(DebPackage package)
    {
        if (!_ahead.Remove(package, out var data))
        {
            throw new System.Diagnostics.UnreachableException();
        }
        StartExpected();
        return data;
    }

    public void Dispose()
    {
        foreach (var stream in _ahead.Values)
        {
            stream.Dispose();
        }
    }

    private void StartExpected()
    {
        while (_ahead.Count < PackagesAhead && _expected.TryDequeue(out var package))
        {
            _ahead.Add(package, new ReadAheadStream(package.Source.OpenData, BytesAhead));
        }
    }
}
