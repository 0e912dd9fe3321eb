using Diecast.Formats;
using Diecast.Images;

namespace Diecast.Inspect.Differences;

/// <summary>
/// Gives every byte that differs in a container to somebody: to a field with a name, to the content of a file, or to the
/// label of its place.
/// </summary>
internal sealed class Attribution(
    Comparison comparison, DifferenceBuilder found, Container left, Container right, FileDifferences files)
{
    /// <summary>Archives whose members were compared by path: where they stand says nothing more.</summary>
    public bool AreArchives { get; init; }

    /// <summary>The members of the archives are in another order.</summary>
    public bool HaveOtherOrder { get; init; }

    private const string ContentKind = "file";

    // Of a structure that stands more than once: GPT's at the end of the disk, the superblocks of btrfs.
    private static readonly string[] s_copySuffixes = [" (backup)", " mirror 1", " mirror 2"];

    private readonly Dictionary<string, DifferenceBuilder> _structures = new(StringComparer.Ordinal);
    private readonly List<DifferenceBuilder> _order = [];
    private readonly Dictionary<string, Region> _regions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _contents = new(StringComparer.Ordinal);
    private readonly PartPlaces _leftParts = new(left.Parts);
    private readonly PartPlaces _rightParts = new(right.Parts);
    // Names that are hashed with another seed stand in another order, whatever order they were written in.
    private readonly bool _haveSameFiles = files.TakeSameSpace && !found.Fields.Any(static field => field.Name == "s_hash_seed");
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
                end = AreArchives && (a?.Offset, a?.Label) != (b?.Offset, b?.Label) ? Moved(differing, position, stretch)
                    : a is { Label.Kind: ContentKind } || b is { Label.Kind: ContentKind }
                    ? Content(differing, position, stretch, a, b)
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

    /// <summary>Bytes of different members, or of different places in one.</summary>
    private long Moved(DifferingBytes differing, long position, long end)
    {
        _elsewhere += differing.Count(position, end);
        return end;
    }

    private long Content(DifferingBytes differing, long position, long end, Layout.Stretch? before, Layout.Stretch? after)
    {
        string? path = before?.Label.Detail?.ToString();
        // A stretch that begins elsewhere is of content that has moved, even where it overlaps itself.
        if (before?.Label.Kind == ContentKind && after?.Label.Kind == ContentKind && before.Value.Offset == after.Value.Offset
            && path == after.Value.Label.Detail?.ToString())
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
        if (HaveMoved(before, after))
        {
            _elsewhere += differing.Count(position, end);
            return end;
        }
        if (AreArchives && ToldMember(before, after) is { } owner)
        {
            owner.DifferingBytes += differing.Count(position, end);
            return end;
        }
        string name = before == after || after is null ? (before?.ToString() ?? "bytes") : before is null ? after.Value.ToString() : $"{before} / {after}";
        if (!_regions.TryGetValue(name, out var region))
        {
            _regions.Add(name, region = new Region(name, position));
        }
        region.Bytes += differing.Count(position, end);
        region.End = end;
        return end;
    }

    /// <summary>
    /// The member that both sides belong to, where something has been said of it (its fields have moved a little) or would
    /// have been, had there not been too much to say.
    /// </summary>
    private DifferenceBuilder? ToldMember(Label? before, Label? after)
    {
        if (before != after || before?.Detail is not string path)
        {
            return null;
        }
        return files.Find(path) is { Fields.Count: > 0 } member ? member : comparison.Budget.Refused > 0 ? files.Of(path) : null;
    }

    /// <summary>Whether a place belongs to other things on the two sides, so that its bytes say nothing about either.</summary>
    private bool HaveMoved(Label? before, Label? after) => before?.ToString() != after?.ToString()
        && (_haveSameFiles ? before?.Detail is not null && after?.Detail is not null : before?.Detail is not null || after?.Detail is not null);

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
        bool isTold = SameField.IsTold(owner.Fields, new FieldChange(before.Name, from, to))
            || (OriginalOf(before.Structure) is { } original
                && _structures.GetValueOrDefault(original)?.Fields.Any(field => field.Name == before.Name && field.Before == from && field.After == to) == true)
            || (path is null && found.Fields.Any(field => field.Name == before.Name && field.Before == from && field.After == to));
        if (!isTold && comparison.Budget.Take())
        {
            owner.Add(new FieldChange(before.Name, from, to)
            {
                Structure = path is null ? null : before.Structure,
                Cause = Causes.OfField(left.Kind, path, before.Structure, before.Name, from, to, _haveSameFiles),
            });
        }
    }

    private static string? OriginalOf(string structure) =>
        s_copySuffixes.Where(suffix => structure.EndsWith(suffix, StringComparison.Ordinal)).Select(suffix => structure[..^suffix.Length]).FirstOrDefault();

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
            if (!_haveSameFiles)
            {
                _elsewhere += bytes;
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
        if (AreArchives)
        {
            AddShifted(HaveOtherOrder ? "members in another order" : "members at other places", _elsewhere);
        }
        else
        {
            AddShifted("contents at other places", _elsewhere);
        }
        AddShifted("inodes and entries that belong to other files", _otherFiles);
    }

    private void AddShifted(string name, long bytes)
    {
        if (bytes > 0)
        {
            found.Add(new DifferenceBuilder("bytes", name)
            {
                DifferingBytes = bytes,
                Cause = Causes.OfLayout(left.Kind, name, _haveSameFiles),
            }.Build());
        }
    }

    private Difference Describe(Region region, Blob before, Blob after)
    {
        var told = new DifferenceBuilder("bytes", region.Name)
        {
            DifferingBytes = region.Bytes,
            Cause = Causes.OfLayout(left.Kind, region.Name, _haveSameFiles),
        };
        long length = Math.Min(region.End, Math.Min(before.Length, after.Length)) - region.Offset;
        var (one, other) = (before.Slice(region.Offset, length), after.Slice(region.Offset, length));
        const int rows = 8;
        told.Lines = HexDiff.Lines(one, other, DifferingRanges.Find(one, other, gap: 32, maximum: rows).Ranges, region.Offset, rows).Lines;
        return told.Build();
    }
}
