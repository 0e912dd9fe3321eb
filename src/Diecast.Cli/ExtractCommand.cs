using System.CommandLine;
using Diecast.Formats.Tar;
using Diecast.Images;
using Diecast.Inspect;
using Diecast.Inspect.Reports;
using Diecast.Trees;

namespace Diecast.Cli;

/// <summary><c>extract</c>: a tree of an image into a directory or a tar archive, or a file of it into a file.</summary>
internal sealed class ExtractCommand(Terminal terminal)
{
    private const string StandardOutputName = "-";

    private readonly ImageAddress _address = new();

    private readonly Argument<string?> _target = new("DEST")
    {
        Description = "a directory that is empty or not there yet; a file whose name ends in .tar, or - for a tar archive on the standard output",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string?> _tar = new("--tar") { HelpName = "FILE", Description = "write a tar archive of that name, which keeps owners without root; - for the standard output" };
    private readonly Option<bool> _noOwners = new("--no-same-owner") { Description = "leave the files to the user who extracts them" };

    public Command Create()
    {
        var command = new Command("extract", "copy files out of an image, into a directory or a tar archive") { _tar, _noOwners };
        _address.AddTo(command);
        command.Add(_target);
        command.Validators.Add(result =>
        {
            if (result.GetResult(_tar) is null == string.IsNullOrEmpty(result.GetValue(_target)))
            {
                result.AddError("extract: say either where to (DEST) or --tar FILE");
            }
        });
        command.SetAction(result => Verbs.Run(terminal, cancellation => Run(result, cancellation)));
        return command;
    }

    private int Run(ParseResult arguments, CancellationToken cancellation)
    {
        var place = _address.Find(arguments, followsLinks: true, cancellation);
        string target = arguments.GetValue(_tar) ?? arguments.GetValue(_target)!;
        bool asTar = arguments.GetValue(_tar) is not null || target == StandardOutputName || target.EndsWith(".tar", StringComparison.Ordinal);
        if (place.ToTree(cancellation) is { } tree)
        {
            return asTar ? WriteTar(tree, target, cancellation) : WriteDirectory(tree, target, !arguments.GetValue(_noOwners), cancellation);
        }
        if (place.Node is null && place.Open(cancellation) is { Kind: "gpt", Parts: var partitions })
        {
            throw new InvalidDataException($"{place.Address}: is a disk; name one of its partitions: "
                + string.Join(", ", partitions.Select(static part => $"{part.Name} ({Units.Display(part.Aliases[0])})")));
        }
        if (asTar)
        {
            throw new InvalidDataException($"{place.Address}: is one file, not a directory or a file system; cat writes it out");
        }
        ImageFile.Write(Sparse(place.Content!), Directory.Exists(target) ? Path.Join(target, NameOf(place)) : target, cancellation);
        return 0;
    }

    private int WriteDirectory(FileTree tree, string target, bool keepsOwners, CancellationToken cancellation)
    {
        using var extractor = new Extractor(target, keepsOwners);
        try
        {
            extractor.Write(tree, cancellation);
        }
        finally
        {
            foreach (string warning in extractor.Warnings)
            {
                terminal.Warning(warning);
            }
        }
        return 0;
    }

    private int WriteTar(FileTree tree, string target, CancellationToken cancellation)
    {
        var errors = TarWriter.Check(tree);
        foreach (string error in errors)
        {
            terminal.Warning($"{error}; it is left out");
        }
        var archive = TarWriter.Write(errors.Count == 0 ? tree : new FileTree(WithoutSockets(tree.Root)));
        if (target != StandardOutputName)
        {
            ImageFile.Write(archive, target, cancellation);
            return 0;
        }
        return StandardOutput.Run(output =>
        {
            BlobCopy.CopyTo(archive, output, cancellation);
            return 0;
        });
    }

    private static DirectoryNode WithoutSockets(DirectoryNode directory) => new(directory.Metadata, directory.Entries
        .Where(static entry => entry.Node.Type != FileType.Socket)
        .Select(static entry => entry.Node is DirectoryNode child ? entry with { Node = WithoutSockets(child) } : entry));

    /// <summary>The same bytes with holes where there is nothing but zeros.</summary>
    private static Image Sparse(Blob content)
    {
        var image = new ImageBuilder();
        foreach (var run in DataRuns.Find(content))
        {
            image.Place(run.Offset, content.Slice(run.Offset, run.Length), "data");
        }
        return image.Build(content.Length);
    }

    private static string NameOf(Place place)
    {
        string name = place.TreePath is { } path ? System.Text.Encoding.UTF8.GetString(path.Name.Bytes)
            : place.Part?.Name ?? Path.GetFileName(place.Source.Path);
        // A section's name is any eight bytes.
        return new FileName(name).IsValid ? name : throw new InvalidDataException($"{place.Address}: cannot be the name of a file; name one");
    }
}
