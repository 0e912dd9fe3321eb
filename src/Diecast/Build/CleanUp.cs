using Diecast.Packages;
using Diecast.Trees;

namespace Diecast.Build;

/// <summary>
/// Removes what installing leaves behind that differs from run to run or belongs to no image. The table is the list
/// in docs/determinism.md; each row names the cause.
/// </summary>
public static class CleanUp
{
    /// <summary>A path pattern (each component may hold * and ?) and why no image has it.</summary>
    public sealed record Leak(string Pattern, string Cause);

    public static IReadOnlyList<Leak> Leaks { get; } = [
        new("var/cache/ldconfig/aux-cache", "ldconfig: inode numbers and change times of the build's file system"),
        new("etc/.pwd.lock", "systemd-sysusers and shadow: a lock file"),
        new("etc/passwd-", "systemd-sysusers and shadow: back-up of the file before the last change"),
        new("etc/group-", "systemd-sysusers and shadow: back-up"),
        new("etc/shadow-", "systemd-sysusers and shadow: back-up"),
        new("etc/gshadow-", "systemd-sysusers and shadow: back-up"),
        new("etc/subuid-", "shadow: back-up"),
        new("etc/subgid-", "shadow: back-up"),
        new("etc/machine-info", "systemd-firstboot: describes one machine"),
        new("var/lib/systemd/random-seed", "systemd: random"),
        new("var/lib/systemd/credential.secret", "systemd: random key"),
        new("var/lib/dbus/machine-id", "dbus: random, and a second source of the machine id"),
        new("etc/ssh/ssh_host_*", "sshd: random keys, the same on all machines of the image"),
        new("etc/pacman.d/gnupg", "pacman-key: random local key"),
        new("root/.gnupg", "gnupg: key ring with the time of its making"),
        new("var/log/pacman.log", "pacman: time of each action"),
        new("var/log/alternatives.log", "update-alternatives: time of each change"),
        new("var/log/dpkg.log", "dpkg: time of each action"),
        new("var/log/bootstrap.log", "debootstrap: output of the scripts"),
        new("var/log/apt/*", "apt: time of each action"),
        new("var/cache/apt/*.bin", "apt: index of lists, with their times"),
        new("var/cache/man/*", "mandb: indexes with the time of their making; man-db.timer makes them"),
        new("var/cache/debconf/*-old", "debconf: back-up of the file before the last change"),
        new("var/lib/dpkg/*-old", "dpkg: back-up"),
        new($"var/log/journal/{string.Concat(Enumerable.Repeat("[0-9a-f]", 32))}", "systemd-journald: directories named by the build's machine id"),
        new("var/cache/fontconfig/*", "fc-cache: modification times of directories on the build's file system"),
        new("efi/loader/random-seed", "bootctl: random"),
    ];

    /// <summary>Removes them. A symbolic link of that name stays: it says where the file is to be, and is the same every time.</summary>
    public static void Run(StagedRoot root)
    {
        foreach (var leak in Leaks)
        {
            RemoveMatching(root, leak.Pattern, static status => status.Type != FileType.Symlink);
            if (leak.Pattern.EndsWith("/*", StringComparison.Ordinal))
            {
                // Its time must not say whether there was anything.
                root.MarkChanged(Posix.Bytes(leak.Pattern[..^2]));
            }
        }
    }

    /// <summary>
    /// Removes all paths that match a pattern with a leading slash or without, as in <c>RemoveFiles=</c>: * and ? and []
    /// within a component, ** for any number of directories. Links are not followed.
    /// </summary>
    public static void RemoveMatching(StagedRoot root, string pattern) => RemoveMatching(root, pattern, static _ => true);

    private static void RemoveMatching(StagedRoot root, string pattern, Predicate<FileStatus> condition)
    {
        IEnumerable<byte[]> paths = [[]];
        foreach (string component in pattern.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            paths = [.. paths.SelectMany(path => Matches(root, path, component))];
        }
        foreach (byte[] path in paths.Where(path => path.Length > 0 && root.Status(path) is { } status && condition(status)))
        {
            root.Remove(path);
        }
        root.EndPackage();
    }

    private static IEnumerable<byte[]> Matches(StagedRoot root, byte[] directory, string component)
    {
        if (component == "**")
        {
            return Directories(root, directory);
        }
        byte[] prefix = directory.Length == 0 ? [] : [.. directory, (byte)'/'];
        if (component.AsSpan().IndexOfAny("*?[") < 0)
        {
            byte[] path = [.. prefix, .. Posix.Bytes(component)];
            return root.Exists(path) ? [path] : [];
        }
        if (directory.Length > 0 && root.Status(directory)?.Type != FileType.Directory)
        {
            return [];
        }
        byte[] glob = Posix.Bytes(component);
        return root.List(directory).Where(name => Glob.Matches(glob, name.Bytes)).Select(name => (byte[])[.. prefix, .. name.Bytes]);
    }

    /// <summary>A directory and all below it.</summary>
    private static IEnumerable<byte[]> Directories(StagedRoot root, byte[] directory)
    {
        yield return directory;
        byte[] prefix = directory.Length == 0 ? [] : [.. directory, (byte)'/'];
        foreach (var name in root.List(directory))
        {
            byte[] path = [.. prefix, .. name.Bytes];
            if (root.Status(path)?.Type == FileType.Directory)
            {
                foreach (byte[] below in Directories(root, path))
                {
                    yield return below;
                }
            }
        }
    }
}
