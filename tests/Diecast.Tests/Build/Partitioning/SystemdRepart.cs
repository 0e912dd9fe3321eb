using System.Globalization;
using Diecast.Tests.Formats.Gpt;
using Diecast.Tests.Support;

namespace Diecast.Tests.Build.Partitioning;

/// <summary>
/// The real systemd-repart, in a root directory of Debian trixie that DIECAST_TRIXIE names. It needs root and its own
/// mount namespace.
/// </summary>
internal sealed class SystemdRepart
{
    private readonly string _root;

    private SystemdRepart(string root) => _root = root;

    /// <summary>A directory that the program sees as /tmp.</summary>
    public string Temporary => Path.Join(_root, "tmp");

    /// <summary>The program, or null where there is none.</summary>
    public static SystemdRepart? Find() =>
        Environment.GetEnvironmentVariable("DIECAST_TRIXIE") is { Length: > 0 } root ? new SystemdRepart(root) : null;

    /// <summary>The image that it makes of the definitions in the directory's d, from the tree in r; null where it refuses.</summary>
    public byte[]? Make(TempDirectory directory, long? size, int? sectorSize, bool source = false) =>
        Run(directory, size, sectorSize, source).ExitCode == 0 ? File.ReadAllBytes(directory["disk.raw"]) : null;

    /// <summary>Makes the same as disk.raw in the directory, and gives what the program says, all of it.</summary>
    public Tool.Result Run(TempDirectory directory, long? size, int? sectorSize, bool source)
    {
        string inside = "/tmp/" + Path.GetFileName(directory.Path);
        string command = $"cd {inside} && SOURCE_DATE_EPOCH=1662046009 SYSTEMD_LOG_LEVEL=debug systemd-repart --offline=yes --empty=create --dry-run=no --seed={Vector.Seed} "
            + $"--definitions=d --size={size?.ToString(CultureInfo.InvariantCulture) ?? "auto"} "
            + (sectorSize is { } sector ? $"--sector-size={sector} " : "") + (source ? $"--root={inside}/r " : "") + "disk.raw";
        return Tool.Run("unshare", "-m", "sh", "-c",
            $"mount -t proc proc {_root}/proc && mount --bind /dev {_root}/dev && exec chroot {_root} sh -c '{command}'");
    }
}
