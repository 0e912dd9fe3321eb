using Diecast.Tests.EndToEnd;

[assembly: AssemblyFixture(typeof(MissionImage))]

namespace Diecast.Tests.EndToEnd;

/// <summary>The image of the mission's command, built once for all the tests that look at it.</summary>
public sealed class MissionImage : IDisposable
{
    private readonly Lazy<(Scene Scene, string Log, string Sha256)> _built = new(Build);

    /// <summary>The directory with foo.raw and what was split off.</summary>
    public string Directory => _built.Value.Scene.Root;

    public string Image => Path.Join(Directory, "foo.raw");

    public string Log => _built.Value.Log;

    public string Sha256 => _built.Value.Sha256;

    public void Dispose()
    {
        if (_built.IsValueCreated)
        {
            _built.Value.Scene.Dispose();
        }
    }

    private static (Scene Scene, string Log, string Sha256) Build()
    {
        var scene = new Scene();
        var result = scene.Run("", [.. Scene.Command(Scene.MirrorUrl), "-p", "probe"]);
        Assert.True(result.ExitCode == 0, result.All);
        return (scene, result.Errors, Scene.Sha256(scene["foo.raw"]));
    }
}
