namespace Diecast.Tests.Support;

/// <summary>A directory that is gone after the test.</summary>
internal sealed class TempDirectory : IDisposable
{
    public TempDirectory(string? parent = null) =>
        Path = Directory.CreateDirectory(System.IO.Path.Join(parent ?? System.IO.Path.GetTempPath(), "diecast-test-" + Guid.NewGuid().ToString("N"))).FullName;

    public string Path { get; }

    public string this[string name] => System.IO.Path.Join(Path, name);

    public void Dispose() => Tool.Run("rm", "-rf", Path);
}
