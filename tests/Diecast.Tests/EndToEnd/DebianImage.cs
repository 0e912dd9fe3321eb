using Diecast.Tests.EndToEnd;
using Diecast.Tests.Support;

[assembly: AssemblyFixture(typeof(DebianImage))]

namespace Diecast.Tests.EndToEnd;

/// <summary>
/// A disk image of Debian from the mirror that this machine's apt is configured for, built once for all the tests that look
/// at it.
/// </summary>
public sealed class DebianImage : IDisposable
{
    private readonly Lazy<(Scene Scene, string Sha256)> _built = new(static () =>
    {
        var scene = SceneOf("trixie");
        Build(scene, "trixie");
        return (scene, Scene.Sha256(scene["foo.raw"]));
    });

    public string Image => _built.Value.Scene["foo.raw"];

    public string Sha256 => _built.Value.Sha256;

    public void Dispose()
    {
        if (_built.IsValueCreated)
        {
            _built.Value.Scene.Dispose();
        }
    }

    /// <summary>
    /// No option but what is in the image, how its console is seen and that root has no password. Older releases have their
    /// boot loader in one package, and sshd, which fails where nobody has made keys for it.
    /// </summary>
    public static string[] Command(string release) => [
        "-d", "debian", "-r", release, "-p", "systemd", "-p", "linux-image-cloud-amd64", "-p", "systemd-boot",
        .. release == "bookworm" ? ["-p", "openssh-server"] : (string[])["-p", "systemd-boot-efi"], "-p", "udev", "-p", "dbus", "-p", "login", "--force", "-o", "foo",
        "--kernel-command-line=console=ttyS0 systemd.firstboot=no", "--root-password=hashed:"];

    /// <summary>
    /// Where the command is given. A mirror may be older than the days for which sid's index is good, which the user's own
    /// sources can allow.
    /// </summary>
    public static Scene SceneOf(string release)
    {
        var scene = Scene.Empty();
        if (release == "sid")
        {
            string sources = Directory.CreateDirectory(scene["mkosi.sandbox/etc/apt/sources.list.d"]).FullName;
            File.WriteAllText(Path.Join(sources, "mkosi.sources"), $"""
                Types: deb
                URIs: {Tool.RunOk(Repository.File("tests", "setup", "apt-mirror.sh")).Trim()}
                Suites: sid
                Components: main
                Check-Valid-Until: no
                Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

                """);
        }
        return scene;
    }

    public static void Build(Scene scene, string release)
    {
        var result = scene.Run("", Command(release));
        Assert.True(result.ExitCode == 0, result.All);
    }
}
