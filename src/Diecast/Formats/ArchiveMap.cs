using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Formats;

/// <summary>A member of an archive: its path as in "/usr/bin/bash", and the bytes and fields of its headers.</summary>
public sealed class ArchiveMember
{
    private readonly Func<IEnumerable<FieldSpan>> _spans;

    internal ArchiveMember(string path, Blob header, Func<IEnumerable<FieldSpan>> spans)
    {
        (Path, Header, _spans) = (path, header, spans);
    }

    public string Path { get; }

    public Blob Header { get; }

    /// <summary>In the order of the bytes; read anew with each call.</summary>
    /// <exception cref="InvalidDataException">The archive has changed since it was read.</exception>
    public IReadOnlyList<NamedField> Fields() => [.. _spans().Select(static span => new NamedField(span.Name, span.Value))];
}

/// <summary>
/// Where a member of an archive stands: what says something of it, its own header (with a link's target and a map of holes),
/// and its content. In bytes; what follows up to the next one is padding.
/// </summary>
/// <param name="Archive">The bytes that the offsets are in.</param>
/// <param name="Path">Relative to the root, with no "." in it; null for what ends an archive.</param>
internal readonly record struct MemberPlace(Blob Archive, byte[]? Path, long Start, long Header, long Content, long Length)
{
    public long End => Content + Length;

    public string? DisplayPath => Path is null ? null : "/" + FileName.Display(Path);
}

/// <summary>
/// The places of an archive's members, collected while it is read: some dozens of bytes for each, and the fields are read
/// again when somebody asks for them.
/// </summary>
/// <param name="format">"cpio", for the labels.</param>
/// <param name="fields">The fields of a member's headers, ascending by offset and without overlap.</param>
internal sealed class ArchiveMap(string format, Func<MemberPlace, IEnumerable<FieldSpan>> fields)
{
    private readonly List<MemberPlace> _places = [];
    private readonly List<MemberPlace> _packed = [];
    private readonly List<(ByteRange Place, string Label)> _others = [];

    /// <summary>Adds a member of the archive itself; they ascend.</summary>
    public void Add(MemberPlace place) => _places.Add(place);

    /// <summary>Adds a member of an archive that is compressed in this one.</summary>
    public void AddPacked(MemberPlace place) => _packed.Add(place);

    /// <summary>Adds what is no member, and has no fields.</summary>
    public void AddOther(long offset, long length, string label) => _others.Add((new ByteRange(offset, length), label));

    /// <summary>The members in their order, without what ends an archive; those of compressed parts come last.</summary>
    public IEnumerable<ArchiveMember> Members() => _places.Concat(_packed).Where(static place => place.Path is not null)
        .Select(place => new ArchiveMember(place.DisplayPath!, place.Archive.Slice(place.Start, place.Content - place.Start), () => fields(place)));

    /// <summary>All the bytes, labelled.</summary>
    public Image Layout(Blob archive)
    {
        var builder = new ImageBuilder();
        var ends = new List<ByteRange>();
        foreach (var place in _places)
        {
            string? path = place.DisplayPath;
            Put(place.Start, place.Header, new Label($"{format} extended header", path));
            Put(place.Header, place.Content, new Label(path is null ? $"{format} trailer" : $"{format} header", path));
            Put(place.Content, place.End, new Label("file", path));
            ends.Add(new ByteRange(place.Start, place.End - place.Start));
        }
        foreach (var (place, label) in _others)
        {
            Put(place.Offset, place.End, label);
            ends.Add(place);
        }
        ends.Sort(static (a, b) => a.Offset.CompareTo(b.Offset));
        long end = 0;
        foreach (var range in ends.Append(new ByteRange(archive.Length, 0)))
        {
            Put(end, range.Offset, $"{format} padding");
            end = range.End;
        }
        return builder.Build(archive.Length);

        void Put(long from, long to, Label label) => builder.Place(from, archive.Slice(from, to - from), label);
    }

    /// <inheritdoc cref="FileSystemView.FieldFinder"/>
    public Func<long, FieldSpan?> Finder()
    {
        // What is asked for next is mostly beside it.
        int known = -1;
        List<FieldSpan> spans = [];
        return offset =>
        {
            int index = LastFrom(_places, offset, static place => place.Start);
            if (index < 0 || offset >= _places[index].Content)
            {
                return null;
            }
            if (index != known)
            {
                (spans, known) = ([.. fields(_places[index])], index);
            }
            int at = LastFrom(spans, offset, static span => span.Offset);
            return at >= 0 && offset - spans[at].Offset < spans[at].Length ? spans[at] : null;
        };
    }

    /// <summary>The last of those that ascend that starts at an offset or before it; -1 where there is none.</summary>
    private static int LastFrom<T>(List<T> items, long offset, Func<T, long> start)
    {
        int low = 0;
        int high = items.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = start(items[middle]) <= offset ? (middle + 1, high) : (low, middle);
        }
        return low - 1;
    }
}
