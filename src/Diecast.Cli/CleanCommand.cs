using System.CommandLine;
using Diecast.Config;
using Diecast.Inspect.Verification;

namespace Diecast.Cli;

/// <summary><c>clean</c>: removes what a build of this configuration has written, and nothing else.</summary>
internal sealed class CleanCommand(SettingOptions options, Terminal terminal)
{
    public Command Create()
    {
        var command = options.AddTo(new Command("clean", "remove the outputs"));
        command.SetAction(result =>
        {
            foreach (string path in Outputs(options.Load(result, terminal)))
            {
                terminal.Errors.WriteLine($"removing {path}");
                Remove(path);
            }
            return 0;
        });
        return command;
    }

    /// <summary>The outputs that exist: whatever the format, the compression and the split artifacts were.</summary>
    internal static IEnumerable<string> Outputs(BuildConfig config) => !Directory.Exists(config.OutputDirectory)
        ? []
        : Directory.GetFileSystemEntries(config.OutputDirectory)
            .Where(path => IsOutput(path, config))
            .Order(StringComparer.Ordinal);

    private static bool IsOutput(string path, BuildConfig config)
    {
        string name = Path.GetFileName(path);
        if (!name.StartsWith(config.Output, StringComparison.Ordinal))
        {
            return false;
        }
        if (name == Path.GetFileName(config.OutputPath) + Attestation.Extension)
        {
            return true;
        }
        string rest = name[config.Output.Length..];
        if (rest.Length == 0)
        {
            // The tree of Format=directory, or a link to the output; a file of that name is someone else's.
            return new FileInfo(path).LinkTarget is not null
                || (config.Format == OutputFormat.Directory && Directory.Exists(path));
        }
        string extension = rest.EndsWith(".zst", StringComparison.Ordinal) ? rest[..^4]
            : rest.EndsWith(".gz", StringComparison.Ordinal) ? rest[..^3] : rest;
        bool isPartition = extension.StartsWith('.') && extension.EndsWith(".raw", StringComparison.Ordinal);
        return !Directory.Exists(path) && (isPartition
            || extension is ".cpio" or ".tar" or ".efi" or ".vmlinuz" or ".initrd" or ".manifest" or ".SHA256SUMS");
    }

    private static void Remove(string path)
    {
        if (new FileInfo(path).LinkTarget is null && Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
        else
        {
            File.Delete(path);
        }
    }
}
