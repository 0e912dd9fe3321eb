namespace Diecast.Tests.Support;

/// <summary>Expected output that is kept as a file in tests/Diecast.Tests/Golden; `make golden` rewrites what has changed.</summary>
internal static class GoldenFile
{
    /// <summary>Fails the test unless the file holds exactly this text.</summary>
    public static void Matches(string actual, params string[] parts)
    {
        string path = Repository.File(["tests", "Diecast.Tests", "Golden", .. parts]);
        if (Environment.GetEnvironmentVariable("DIECAST_GOLDEN") == "rewrite")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, actual);
            return;
        }
        Assert.True(File.Exists(path), $"{path} is missing: `make golden` writes it, to be read before it is committed");
        Assert.Equal(File.ReadAllText(path), actual);
    }
}
