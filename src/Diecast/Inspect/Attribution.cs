using Diecast.Formats;
using Diecast.Images;

namespace Diecast.Inspect;

/// <summary>
/// Gives every byte that differs in a container to somebody: to a field with a name, to the content of a file, or to the
/// label of its place.
/// </summary>
internal sealed class Attribution(
    Comparison comparison, DifferenceBuilder found, Container left, Container right, FileDifferences files)
{
    private const string ContentKind = "file";

    // What a tree says in its own words, and a structure of the file system once more.
    private static readonly Dictionary<string, string> s_sameAs = new(StringComparer.Ordinal)
    {
        ["i_mtime"] = "mtime", ["DIR_WrtTime"] = "mtime", ["DIR_WrtDate"] = "mtime", ["i_mode"] = "mode", ["i_uid"] = "uid", ["i_gid"] = "gid",
        ["i_size"] = "size", ["DIR_FileSize"] = "size", ["DIR_Attr"] = "mode",
    };

    private readonly Dictionary<string, DifferenceBuilder> _structures = new(StringComparer.Ordinal);
    private readonly List<DifferenceBuilder> _order = [];
    private readonly Dictionary<string, Region> _regions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _contents = new(StringComparer.Ordinal);
    private readonly PartPlaces _leftParts = new(left.Parts);
    private readonly PartPlaces _rightParts = new(right.Parts);
    // Before Walk adds to the files; what has other hashes or sizes stands elsewhere for that reason.
    private readonly bool _hasSameEntries = files.HaveSameSizes && !found.Fields.Any(static field => field.Name == "s_hash_seed");
    private long _elsewhere;
    private long _otherFiles;

    /// <summary>A range of one meaning without a field.</summary>
    private sealed class Region(string name, long offset)
    {
        public string Name { get; } = name;
        public long Offset { get; } = offset;
        public long End { get; set; }
        public long Bytes { get; set; }
    }

    public void Explain(Blob before, Blob after, KnownDifferences ranges)
    {
        var layouts = (Left: Layout.Of(left), Right: Layout.Of(right));
        if (layouts.Left is null && layouts.Right is null && _leftParts.AreEmpty)
        {
            files.AddTo(found);
            if (found.SaysNothing)
            {
                found.Note($"the {left.Kind} says the same; its bytes differ");
                comparison.Plain(found, before, after);
            }
            return;
        }
        Walk(before, after, ranges, layouts.Left, layouts.Right);
        Finish(before, after);
    }

    private void Walk(Blob before, Blob after, KnownDifferences ranges, Layout? leftLayout, Layout? rightLayout)
    {
        var (leftField, rightField) = (left.FieldFinder(), right.FieldFinder());
        var differing = new DifferingBytes(before, after, ranges.Ranges);
        for (long position = differing.Next(0); position >= 0;)
        {
            comparison.Options.Cancellation.ThrowIfCancellationRequested();
            long end = PartAt(differing, position);
            if (end < 0)
            {
                var (a, b) = (leftLayout?.At(position), rightLayout?.At(position));
                long stretch = Math.Min(a?.End ?? before.Length, b?.End ?? after.Length);
                end = a is { Label.Kind: ContentKind } || b is { Label.Kind: ContentKind }
                    ? Content(differing, position, stretch, a?.Label, b?.Label)
                    : Structure(differing, position, stretch, a?.Label, b?.Label, leftField, rightField);
            }
            position = differing.Next(end);
        }
    }

    /// <summary>
    /// The end of what is a part on either side, or -1. A part at the same place has been told; bytes of different parts, or of
    /// a part and of something else, have only come to stand beside each other.
    /// </summary>
    private long PartAt(DifferingBytes differing, long position)
    {
        var (a, b) = (_leftParts.At(position), _rightParts.At(position));
        if (a is null && b is null)
        {
            return -1;
        }
        long end = Math.Min(a?.End ?? long.MaxValue, b?.End ?? long.MaxValue);
        if (a?.Offset != b?.Offset)
        {
            _elsewhere += differing.Count(position, end);
        }
        return end;
    }

    private long Content(DifferingBytes differing, long position, long end, Label? before, Label? after)
    {
        string? path = before?.Detail?.ToString();
        if (before?.Kind == ContentKind && after?.Kind == ContentKind && path == after.Value.Detail?.ToString())
        {
            long count = differing.Count(position, end);
            _contents[path!] = _contents.GetValueOrDefault(path!) + count;
        }
        else
        {
            _elsewhere += differing.Count(position, end);
        }
        return end;
    }

    private long Structure(
        DifferingBytes differing, long position, long end, Label? before, Label? after,
        Func<long, FieldSpan?> leftField, Func<long, FieldSpan?> rightField)
    {
        var (a, b) = (Find(leftField, position), Find(rightField, position));
        if (a is not null && b is not null && (a.Offset, a.Length, a.Name, a.Structure) == (b.Offset, b.Length, b.Name, b.Structure))
        {
            end = a.Offset + a.Length;
            long count = differing.Count(position, end);
            if (a.Path == b.Path)
            {
                AddField(a, b, differing, count);
            }
            else
            {
                // An inode or a directory entry that has come to another file: to compare the two would say nothing.
                _otherFiles += count;
            }
            return end;
        }
        // Up to where the next field may begin, on either side.
        end = Math.Min(end, Math.Min(EndOf(a, position, end), EndOf(b, position, end)));
        string name = before == after || after is null ? (before?.ToString() ?? "bytes") : before is null ? after.Value.ToString() : $"{before} / {after}";
        if (!_regions.TryGetValue(name, out var region))
        {
            _regions.Add(name, region = new Region(name, position));
        }
        region.Bytes += differing.Count(position, end);
        region.End = end;
        return end;
    }

    private static long EndOf(FieldSpan? field, long position, long end) =>
        field is null ? end : Math.Max(position + 1, field.Offset + field.Length);

    /// <summary>A structure that cannot be understood has no fields; its bytes are told by their label.</summary>
    private static FieldSpan? Find(Func<long, FieldSpan?> finder, long offset)
    {
        try
        {
            return finder(offset) is { } field && field.Offset <= offset && offset < field.Offset + field.Length ? field : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private void AddField(FieldSpan before, FieldSpan after, DifferingBytes differing, long bytes)
    {
        var (from, to) = before.Value != after.Value ? (before.Value, after.Value) : differing.Hexadecimal(before.Offset, before.Length);
        string? path = before.Path;
        var owner = path is null ? StructureOf(before.Structure) : files.Of(path);
        owner.DifferingBytes += bytes;
        // One value may stand in two places: a checksum in two halves, a time and its nanoseconds.
        bool isTold = owner.Fields.Any(field => field.Name == s_sameAs.GetValueOrDefault(before.Name)
                || (field.Name == before.Name && field.Before == from && field.After == to))
            || (path is null && found.Fields.Any(field => field.Name == before.Name && field.Before == from && field.After == to));
        if (!isTold && comparison.Budget.Take())
        {
            owner.Add(new FieldChange(before.Name, from, to)
            {
                Structure = path is null ? null : before.Structure,
                Cause = Causes.OfField(left.Kind, path, before.Structure, before.Name, from, to, _hasSameEntries),
            });
        }
    }

    private DifferenceBuilder StructureOf(string name)
    {
        if (!_structures.TryGetValue(name, out var structure))
        {
            _structures.Add(name, structure = new DifferenceBuilder("structure", name));
            _order.Add(structure);
        }
        return structure;
    }

    private void Finish(Blob before, Blob after)
    {
        foreach (var (path, bytes) in _contents)
        {
            if (files.Find(path) is { HasContent: true })
            {
                continue;
            }
            var file = files.Of(path);
            file.DifferingBytes += bytes;
            file.Note($"{Comparison.Number(bytes)} bytes differ after the file's end, or where its content stands in another order");
        }
        files.AddTo(found);
        foreach (var structure in _order)
        {
            found.Add(structure.Build());
        }
        foreach (var region in _regions.Values)
        {
            found.Add(Describe(region, before, after));
        }
        AddShifted("contents at other places", _elsewhere);
        AddShifted("inodes and entries that belong to other files", _otherFiles);
    }

    private void AddShifted(string name, long bytes)
    {
        if (bytes > 0)
        {
            found.Add(new DifferenceBuilder("bytes", name)
            {
                DifferingBytes = bytes,
                Cause = Causes.OfLayout(left.Kind, name, _hasSameEntries),
            }.Build());
        }
    }

    private Difference Describe(Region region, Blob before, Blob after)
    {
        var told = new DifferenceBuilder("bytes", region.Name)
        {
            DifferingBytes = region.Bytes,
            Cause = Causes.OfLayout(left.Kind, region.Name, _hasSameEntries),
        };
        long length = Math.Min(region.End, Math.Min(before.Length, after.Length)) - region.Offset;
        var (one, other) = (before.Slice(region.Offset, length), after.Slice(region.Offset, length));
        const int rows = 8;
        told.Lines = HexDiff.Lines(one, other, DifferingRanges.Find(one, other, gap: 32, maximum: rows).Ranges, region.Offset, rows).Lines;
        return told.Build();
    }
}
