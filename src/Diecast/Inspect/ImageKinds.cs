using System.Globalization;
using Diecast.Formats;
using Diecast.Formats.Cpio;
using Diecast.Formats.Gpt;
using Diecast.Formats.Tar;
using Diecast.Formats.Uki;
using Diecast.Images;
using Diecast.Inspect.Kinds;
using Diecast.Trees;

namespace Diecast.Inspect;

/// <summary>The kinds of containers that images are made of: each is a format's reader seen as a container.</summary>
internal static class ImageKinds
{
    /// <summary>The name of a compression's only part.</summary>
    public const string Data = "data";

    public const string Cpio = "cpio";

    public static IReadOnlyList<ContainerKind> All { get; } =
    [
        new("gpt", static (blob, _) => GptReader.Recognizes(blob), ReadDisk),
        .. FormatTable.All.Select(static format =>
            new ContainerKind(format.Name, (blob, _) => format.Recognizes(blob), blob => FromView(format.Name, format.Read(blob)))),
        new("pe", static (blob, _) => PeImage.Is64Bit(blob), ReadPe),
        new(Cpio, static (blob, _) => CpioReader.Recognizes(blob), static blob => ReadCpio(blob, Unpacker.DefaultLimit)),
        new("tar", static (blob, _) => TarTree.Recognizes(blob), static blob => FromArchive("tar", blob, TarTree.ReadMapped(blob))),
        Compressed("gzip", Compression.Gzip),
        Compressed("xz", Compression.Xz),
        Compressed("zstd", Compression.Zstd),
    ];

    private static Container ReadDisk(Blob blob)
    {
        var disk = GptReader.Read(blob);
        return new Container
        {
            Kind = "gpt",
            Fields = disk.Fields,
            Parts = [.. disk.Table.Partitions.Select(partition => ToPart(disk, partition))],
            Layout = () => disk.Layout,
            FieldFinder = disk.FieldFinder,
            Check = () => disk.Problems,
        };
    }

    private static Part ToPart(GptView disk, PartitionEntry partition)
    {
        var type = PartitionType.Find(partition.Type);
        string[] names = [partition.Name, type?.Name ?? "", type?.Designator ?? "", partition.Id.ToString(), partition.Type.ToString()];
        return new Part(Number(partition.Number), disk.Content(partition))
        {
            Offset = partition.Offset,
            Identity = $"{type?.Name ?? partition.Type.ToString()} {partition.Name}",
            Aliases = [.. names.Where(static name => name.Length > 0).Distinct(StringComparer.Ordinal)],
            Fields =
            [
                new("type", type?.Name ?? partition.Type.ToString()), new("type-uuid", partition.Type.ToString()),
                new("id", partition.Id.ToString()), new("label", partition.Name),
                new("offset", Number(partition.Offset)), new("length", Number(partition.Length)),
                new("attributes", string.Join(' ', AttributeNames.Of(partition.Attributes))),
            ],
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
        var names = new HashSet<string>(StringComparer.Ordinal);
        return new Container
        {
            Kind = "pe",
            Fields = [.. pe.HeaderFields().Select(static field => new NamedField(
                field.Structure.StartsWith("data", StringComparison.Ordinal) ? $"{field.Structure["data directory ".Length..]} {field.Name}" : field.Name, field.Value))],
            Parts = [.. pe.Sections.Select((section, i) => new Part(Unique(names, section.Name), section.Content)
            {
                Offset = section.Offset,
                Fields = [.. pe.SectionFields(i).Skip(1).Select(static field => new NamedField(field.Name, field.Value))],
            })],
            Layout = pe.Layout,
            FieldFinder = () => Find([.. pe.HeaderFields(), .. pe.Sections.SelectMany((_, i) => pe.SectionFields(i))]),
        };
    }

    /// <param name="blob">Archives one after the other.</param>
    /// <param name="limit">The most bytes that those of them that are compressed may unfold to.</param>
    public static Container ReadCpio(Blob blob, long limit) => FromArchive(Cpio, blob, CpioReader.ReadMapped(blob, limit));

    private static Container FromArchive(string kind, Blob blob, (FileTree Tree, ArchiveMap Map) archive) => new()
    {
        Kind = kind,
        Tree = archive.Tree,
        Layout = () => archive.Map.Layout(blob),
        FieldFinder = archive.Map.Finder,
        Members = archive.Map.Members,
    };

    /// <summary>A kernel image may hold several ".dtb" or ".profile": the second is ".dtb#2".</summary>
    private static string Unique(HashSet<string> names, string name)
    {
        string unique = name;
        for (int i = 2; !names.Add(unique); i++)
        {
            unique = $"{name}#{Number(i)}";
        }
        return unique;
    }

    private static Func<long, FieldSpan?> Find(IReadOnlyList<FieldSpan> fields) =>
        offset => fields.FirstOrDefault(field => offset >= field.Offset && offset - field.Offset < field.Length);

    /// <summary>Nothing is unpacked before somebody looks at the data.</summary>
    private static ContainerKind Compressed(string name, Compression compression) => new(
        name,
        (blob, _) => Unpacker.Detect(blob) == compression,
        blob => new Container
        {
            Kind = name,
            Fields = compression == Compression.Gzip ? GzipHeader.Fields(blob) : [],
            Parts = [new Part(Data, new DeferredBlob(() => Unpacker.Unpack(blob, Unpacker.DefaultLimit)))],
        });

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
