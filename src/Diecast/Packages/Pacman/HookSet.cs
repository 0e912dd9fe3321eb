using System.Collections.Immutable;
using System.Text;
using Diecast.Trees;

namespace Diecast.Packages.Pacman;

/// <summary>A package in a transaction, as hooks see it: directories in the paths end with a slash, none begins with one.</summary>
public sealed record HookPackage(string Name, IReadOnlyList<byte[]> Paths);

/// <summary>What a transaction does. A package in both lists is upgraded.</summary>
public sealed record HookTransaction(IReadOnlyList<HookPackage> Installed, IReadOnlyList<HookPackage> Removed)
{
    /// <summary>Patterns of paths that are not extracted, which therefore set no hook off.</summary>
    public IReadOnlyList<byte[]> NoExtract { get; init; } = [];
}

/// <summary>A hook that is to be run, with the lines that it gets on its standard input.</summary>
public sealed record TriggeredHook(AlpmHook Hook, byte[] Input);

/// <summary>The hooks of a system, without those that are masked, in the order in which they run.</summary>
public sealed class HookSet
{
    /// <summary>Where packages have their hooks, from the root.</summary>
    public const string SystemDirectory = "usr/share/libalpm/hooks";

    private HookSet(ImmutableArray<AlpmHook> hooks) => Hooks = hooks;

    public ImmutableArray<AlpmHook> Hooks { get; }

    /// <param name="directories">
    /// The files of each directory of hooks, the one with the least precedence first (that is the system's). A name in a
    /// later one masks the same name in an earlier one, even with an empty file, which is what a link to /dev/null is.
    /// </param>
    /// <exception cref="InvalidDataException">A hook that is not masked has errors: <c>file:line: message</c>.</exception>
    public static HookSet Read(IEnumerable<(string Directory, IReadOnlyList<(FileName Name, byte[] Content)> Files)> directories)
    {
        var files = new Dictionary<FileName, (string Directory, byte[] Content)>();
        foreach (var (directory, content) in directories)
        {
            foreach (var file in content.Where(static file => file.Name.Bytes.EndsWith(".hook"u8)))
            {
                files[file.Name] = (directory, file.Content);
            }
        }
        return new HookSet([.. files
            .Select(static file => AlpmHook.Parse($"{file.Value.Directory}/{file.Key}", file.Key, file.Value.Content))
            .OrderBy(static hook => new FileName(hook.Name.Bytes[..^AlpmHook.Suffix.Length]), Comparer<FileName>.Default)]);
    }

    /// <summary>The hooks that a transaction sets off, in order.</summary>
    public IEnumerable<TriggeredHook> Triggered(HookTime when, HookTransaction transaction)
    {
        foreach (var hook in Hooks.Where(hook => hook.When == when))
        {
            var matches = hook.Triggers.SelectMany(trigger => Matches(trigger, transaction)).ToList();
            if (matches.Count > 0)
            {
                yield return new TriggeredHook(hook, hook.NeedsTargets
                    ? [.. ByteString.SortedSet(matches).SelectMany(static match => match.Append((byte)'\n'))]
                    : []);
            }
        }
    }

    private static IEnumerable<byte[]> Matches(HookTrigger trigger, HookTransaction transaction)
    {
        var installed = transaction.Installed.SelectMany(package => Names(trigger, package))
            .Where(name => AlpmGlob.MatchesLast(trigger.Targets, name)
                && !(trigger.IsPath && AlpmGlob.MatchesLast(transaction.NoExtract, name)))
            .ToHashSet(ByteString.Comparer);
        var removed = transaction.Removed.SelectMany(package => Names(trigger, package))
            .Where(name => AlpmGlob.MatchesLast(trigger.Targets, name)).ToHashSet(ByteString.Comparer);
        return Of(HookOperations.Install, installed.Where(name => !removed.Contains(name)))
            .Concat(Of(HookOperations.Upgrade, installed.Where(removed.Contains)))
            .Concat(Of(HookOperations.Remove, removed.Where(name => !installed.Contains(name))));

        IEnumerable<byte[]> Of(HookOperations operation, IEnumerable<byte[]> names) =>
            trigger.Operations.HasFlag(operation) ? names : [];
    }

    private static IEnumerable<byte[]> Names(HookTrigger trigger, HookPackage package) =>
        trigger.IsPath ? package.Paths : [Encoding.UTF8.GetBytes(package.Name)];
}
