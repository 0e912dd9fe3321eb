using System.CommandLine;
using Diecast.Inspect;

namespace Diecast.Cli;

/// <summary><c>cat</c>: the bytes of a file, a section, a partition or a whole unpacked image.</summary>
internal sealed class CatCommand(Terminal terminal)
{
    private readonly ImageAddress _address = new();

    public Command Create()
    {
        var command = new Command("cat", "write a file of an image to the standard output");
        _address.AddTo(command);
        command.SetAction(result => Verbs.Run(terminal, cancellation =>
        {
            var place = _address.Find(result, followsLinks: true, cancellation);
            var content = place.Content ?? throw new InvalidDataException($"{place.Address}: is no regular file");
            return StandardOutput.Run(output =>
            {
                BlobCopy.CopyTo(content, output, cancellation);
                return 0;
            });
        }));
        return command;
    }
}
