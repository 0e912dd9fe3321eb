using System.Collections.Immutable;
using System.Text;
using Diecast.Trees;

namespace Diecast.Packages.Pacman;

/// <summary>A repository and where it is, the preferred server first; the addresses have no variables any more.</summary>
public sealed record PacmanRepository(string Name, ImmutableArray<string> Servers, SigLevel SigLevel);

/// <summary>What pacman.conf(5) says of what is installed and how.</summary>
public sealed record PacmanConfiguration
{
    /// <summary>In order: a package is taken from the first that has it.</summary>
    public required ImmutableArray<PacmanRepository> Repositories { get; init; }

    /// <summary>Those that packages may have, besides "any", in pacman's names (x86_64); the first one stands for <c>$arch</c>.</summary>
    public required ImmutableArray<string> Architectures { get; init; }

    /// <summary>Patterns of paths that are never extracted; for <see cref="AlpmGlob.MatchesLast"/>.</summary>
    public ImmutableArray<byte[]> NoExtract { get; init; } = [];

    /// <summary>Patterns of paths that, where they exist, are extracted beside what is there, as <c>.pacnew</c>.</summary>
    public ImmutableArray<byte[]> NoUpgrade { get; init; } = [];

    /// <summary>Directories of hooks besides the system's, each with more precedence than those before it; absolute.</summary>
    public ImmutableArray<string> HookDirectories { get; init; } = [DefaultHookDirectory];

    internal const string DefaultHookDirectory = "/etc/pacman.d/hooks/";

    /// <summary>Arch's repositories as they are used where the user has no pacman.conf.</summary>
    /// <param name="mirror">The address above the repositories; null for Arch's own.</param>
    /// <param name="snapshot">A day of the archive, <c>YYYY/MM/DD</c>, or null for the present.</param>
    /// <param name="repositories">Those besides core and extra.</param>
    /// <param name="architecture">In pacman's names.</param>
    /// <param name="checkSignatures">Whether packages must be signed; databases never are.</param>
    /// <param name="withDocumentation">Whether manuals and the like are installed.</param>
    /// <exception cref="PackageException">A repository is unknown.</exception>
    public static PacmanConfiguration Default(
        string? mirror, string? snapshot, IEnumerable<string> repositories, string architecture, bool checkSignatures, bool withDocumentation)
    {
        var wanted = repositories.Concat(["core", "extra"]).ToHashSet(StringComparer.Ordinal);
        if (wanted.Except(ArchMirrors.Repositories, StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList() is [_, ..] unknown)
        {
            throw new PackageException([.. unknown.Select(static name => $"Arch has no repository {name}")]);
        }
        string server = (mirror?.TrimEnd('/') ?? (snapshot is null ? ArchMirrors.Default : ArchMirrors.Archive))
            + (snapshot is null ? "" : $"/repos/{snapshot}") + "/$repo/os/$arch";
        var level = checkSignatures
            ? new SigLevel(SignatureCheck.Required, false, SignatureCheck.Optional, false)
            : SigLevel.Never;
        return new PacmanConfiguration
        {
            Repositories = [.. ArchMirrors.Repositories.Where(wanted.Contains)
                .Select(name => new PacmanRepository(name, [Expand(server, name, architecture)], level))],
            Architectures = [architecture],
            NoExtract = withDocumentation ? [] : [.. s_documentation.Select(static path => Encoding.ASCII.GetBytes($"usr/share/{path}/*"))],
        };
    }

    /// <summary>Reads the configuration of a tree, with the files that it includes.</summary>
    /// <param name="sandbox">What the user's configuration sees as its root.</param>
    /// <param name="path">In the tree.</param>
    /// <param name="display">What stands before paths in errors, such as "mkosi.sandbox".</param>
    /// <param name="architecture">What "auto" means.</param>
    /// <exception cref="PackageException">
    /// All errors, each <c>file:line: message</c>. A setting that would change the result and has no effect here is one.
    /// </exception>
    public static PacmanConfiguration Read(FileTree sandbox, string path, string display, string architecture) =>
        new PacmanConfigurationReader(sandbox, display, architecture).Read(path);

    internal static string Expand(string server, string repository, string architecture) => server
        .Replace("$arch", architecture, StringComparison.Ordinal).Replace("$repo", repository, StringComparison.Ordinal);

    private static readonly string[] s_documentation = ["doc", "man", "groff", "gtk-doc", "info"];
}
