using System.Globalization;
using Diecast.Formats;
using Diecast.Formats.Btrfs;
using Diecast.Formats.Cpio;
using Diecast.Formats.Gpt;
using Diecast.Formats.Uki;
using Diecast.Images;

namespace Diecast.Inspect;

/// <summary>The kinds of containers that images are made of: each is a format's reader seen as a container.</summary>
internal static class ImageKinds
{
    public static IReadOnlyList<ContainerKind> All { get; } =
    [
        new("gpt", static (blob, _) => GptReader.Recognizes(blob), ReadDisk),
        .. FormatTable.All.Select(static format =>
            new ContainerKind(format.Name, (blob, _) => format.Recognizes(blob), blob => FromView(format.Name, format.Read(blob)))),
        new("btrfs", static (blob, _) => BtrfsReader.Recognizes(blob), static blob => FromView("btrfs", BtrfsReader.Read(blob))),
        new("pe", static (blob, _) => PeImage.Recognizes(blob), ReadPe),
        new("cpio", static (blob, path) => CpioReader.Recognizes(blob), ReadCpio),
    ];

    private static Container ReadDisk(Blob blob)
    {
        var disk = GptReader.Read(blob);
        return new Container
        {
            Kind = "gpt",
            Fields = disk.Fields,
            Parts = [.. disk.Table.Partitions.Select(partition => new Part(
                partition.Number.ToString(CultureInfo.InvariantCulture), disk.Content(partition)) { Offset = partition.Offset })],
            Layout = () => disk.Layout,
            Check = () => disk.Problems,
        };
    }

    private static Container FromView(string kind, FileSystemView view) => new()
    {
        Kind = kind,
        Fields = view.Fields,
        Tree = view.Tree,
        Layout = view.Layout,
        FieldFinder = view.FieldFinder,
        Check = view.Check,
    };

    private static Container ReadPe(Blob blob)
    {
        var pe = PeImage.Read(blob);
        return new Container { Kind = "pe", Parts = [.. pe.Sections.Select(static section => new Part(section.Name, section.Content))] };
    }

    private static Container ReadCpio(Blob blob) => new() { Kind = "cpio", Tree = CpioReader.Read(blob) };
}
