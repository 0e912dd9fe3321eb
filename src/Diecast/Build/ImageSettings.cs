using Diecast.Config;
using Diecast.Packages;
using Diecast.Trees;

namespace Diecast.Build;

/// <summary>Small files that settings put into an image.</summary>
internal static class ImageSettings
{
    private static readonly (string Service, string Terminal)[] s_logins = [
        ("console-getty.service", "--noclear --keep-baud console 115200,38400,9600"),
        ("getty@tty1.service", "--noclear -"),
        ("serial-getty@hvc0.service", "--keep-baud 115200,57600,38400,9600 -"),
    ];

    private static readonly string[] s_osReleases = ["usr/lib/os-release", "usr/lib/initrd-release", "etc/os-release"];

    /// <summary>Logs root in on the consoles without asking.</summary>
    public static void WriteAutologin(StagedRoot root)
    {
        foreach (var (service, terminal) in s_logins)
        {
            root.Write($"usr/lib/systemd/system/{service}.d/autologin.conf",
                $"[Service]\nExecStart=\nExecStart=-agetty -o '-f -p -- \\\\u' --autologin root {terminal} $TERM\nStandardInput=tty\nStandardOutput=tty\n");
        }
    }

    /// <summary>Sets IMAGE_ID, IMAGE_VERSION and DEFAULT_HOSTNAME of os-release(5), in the place of values that are there.</summary>
    public static void WriteOsRelease(StagedRoot root, BuildConfig config)
    {
        (string Name, string? Value)[] fields = [
            ("IMAGE_ID", config.ImageId), ("IMAGE_VERSION", config.ImageVersion), ("DEFAULT_HOSTNAME", config.Hostname)];
        foreach (string path in s_osReleases)
        {
            if (root.Status(root.Resolve(Posix.Bytes(path)))?.Type == FileType.Regular)
            {
                root.Edit(path, text => fields.Where(static field => field.Value is not null)
                    .Aggregate(text, static (edited, field) => SetField(edited, field.Name, field.Value!)));
            }
        }
    }

    private static string SetField(string text, string name, string value)
    {
        string line = $"{name}=\"{value}\"";
        string[] lines = text.TrimEnd('\n').Split('\n');
        int at = Array.FindIndex(lines, old => old.StartsWith(name + "=", StringComparison.Ordinal));
        if (at < 0)
        {
            return $"{text.TrimEnd('\n')}\n{line}\n";
        }
        lines[at] = line;
        return string.Join('\n', lines) + "\n";
    }
}
