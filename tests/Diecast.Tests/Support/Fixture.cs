namespace Diecast.Tests.Support;

/// <summary>
/// What `make test` prepares once for all tests: the path comes from a variable, else from where the Makefile puts it. One
/// that is not there is a skip on a laptop and a failure in CI.
/// </summary>
internal static class Fixture
{
    /// <summary>The bootable test mirror: {core,extra,bad}/os/x86_64 and keyring (tests/mirror/README.md).</summary>
    public static string Mirror => Require("DIECAST_MIRROR", "build", "mirror", "full");

    /// <summary>The test mirror without kernel and systemd, of a few megabytes.</summary>
    public static string SmallMirror => Require("DIECAST_MIRROR_SMALL", "build", "mirror", "small");

    /// <summary>A Debian trixie root with newer tools than the host's. Whoever changes something there does it in an overlay.</summary>
    public static string Trixie => Require("DIECAST_TRIXIE", "build", "trixie");

    /// <summary>The NativeAOT executable.</summary>
    public static string Executable => Require("DIECAST", "artifacts", "diecast");

    private static string Require(string variable, params string[] parts)
    {
        string path = Environment.GetEnvironmentVariable(variable) is { Length: > 0 } given ? given : Repository.File(parts);
        if (!Path.Exists(path))
        {
            Tool.Missing($"{path} is missing: `make test` makes it, and {variable} names another place");
        }
        return path;
    }
}
