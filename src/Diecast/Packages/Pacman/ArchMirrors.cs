using System.Collections.Immutable;

namespace Diecast.Packages.Pacman;

/// <summary>Where Arch's packages are, unless the user says otherwise.</summary>
internal static class ArchMirrors
{
    public const string Default = "https://fastly.mirror.pkgbuild.com";

    /// <summary>Has a directory for each day.</summary>
    public const string Archive = "https://archive.archlinux.org";

    /// <summary>In the order in which they are searched: testing goes before what it replaces.</summary>
    public static ImmutableArray<string> Repositories { get; } =
    [
        "core-testing", "core-testing-debug", "extra-testing", "extra-testing-debug", "core-debug", "extra-debug",
        "multilib-testing", "multilib", "core", "extra",
    ];
}
