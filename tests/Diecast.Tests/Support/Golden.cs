namespace Diecast.Tests.Support;

/// <summary>Texts that are pinned in tests/Diecast.Tests/Golden. With DIECAST_GOLDEN=rewrite they are rewritten, to be reviewed as a change.</summary>
internal static class Golden
{
    public static void Check(string name, string actual)
    {
        string path = Repository.File("tests", "Diecast.Tests", "Golden", name);
        if (Environment.GetEnvironmentVariable("DIECAST_GOLDEN") == "rewrite")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, actual);
        }
        Assert.Equal(File.ReadAllText(path), actual);
    }
}
