using Diecast.Trees;

namespace Diecast.Build;

/// <summary>The commands that a script beside the image finds first in its PATH.</summary>
internal static class ScriptHelpers
{
    // The programs of the image, in the image, with the same environment but for what is elsewhere there.
    private const string Chroot = """
        #!/bin/sh
        exec bwrap --bind /buildroot / --proc /proc --dev /dev --tmpfs /run --tmpfs /tmp --tmpfs /var/tmp --bind /work /work --chdir /work/src \
          --cap-add ALL --setenv container mkosi --setenv HOME / --setenv PATH /usr/bin:/usr/sbin --setenv BUILDROOT / -- "$@"

        """;

    private const string AsCaller = """
        #!/bin/sh
        exec env "$@"

        """;

    // Of the image, and not of the host that lends the program.
    private const string Accounts = """
        #!/bin/sh
        program=$(PATH=/usr/sbin:/usr/bin command -v "${0##*/}") || { echo "${0##*/}: is not installed on this host" >&2; exit 127; }
        exec "$program" --root /buildroot "$@"

        """;

    private const string PackageManager = """
        #!/bin/sh
        echo "${0##*/}: packages are those of diecast.lock: write them into Packages= and run diecast lock" >&2
        exit 1

        """;

    private static readonly (string Name, string Text)[] s_helpers = [
        ("mkosi-chroot", Chroot), ("mkosi-as-caller", AsCaller), ("useradd", Accounts), ("groupadd", Accounts), ("pacman", PackageManager),
        ("mkosi-install", PackageManager), ("mkosi-upgrade", PackageManager), ("mkosi-remove", PackageManager), ("mkosi-reinstall", PackageManager),
    ];

    /// <summary>Writes them into a directory and returns its path.</summary>
    public static string Write(string directory)
    {
        foreach (var (name, text) in s_helpers)
        {
            string path = Path.Join(directory, name);
            File.WriteAllText(path, text);
            Posix.ChmodAt(Posix.AT_FDCWD, Posix.Bytes(path), 0x1ED);
        }
        return directory;
    }
}
