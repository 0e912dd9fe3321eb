using Diecast.Images;
using Diecast.Inspect;
using Diecast.Trees;

namespace Diecast.Tests.Fuzz;

/// <summary>
/// Does with some bytes all that can be done with them. Damage may be told by InvalidDataException at any step; any other
/// exception, and a tree without end, is a bug.
/// </summary>
internal sealed class Exerciser(long[] probes)
{
    private const int MostEntries = 100_000;
    private const int MostFilesRead = 200;
    private const int MostParts = 6;
    private const int MostExtents = 20_000;
    private const int WholeFile = 256 << 10;

    /// <summary>How much was understood, so that a seed that nothing reads is noticed.</summary>
    public int Understood { get; private set; }

    public void Exercise(Blob blob, string path, int depth = 0)
    {
        foreach (var kind in ContainerTable.All)
        {
            // Throws nothing, not even for damage.
            if (!kind.Recognizes(blob, path))
            {
                continue;
            }
            Container? container = null;
            Guard(() => container = kind.Read(blob));
            if (container is not null)
            {
                Exercise(container, blob, depth);
            }
        }
    }

    /// <summary>Runs a step; whether it told of damage.</summary>
    private static bool Guard(Action step)
    {
        try
        {
            step();
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private void Exercise(Container container, Blob blob, int depth)
    {
        Understood += 1 + container.Fields.Count;
        if (container.Tree is { } tree)
        {
            Guard(() => Walk(tree));
            tree.Root.Forget();
            Guard(() => Understood += tree.Root.Entries.Length);
        }
        var places = new List<long>([-1, 0, blob.Length - 1, blob.Length, long.MaxValue, .. probes]);
        if (container.Layout is { } layout)
        {
            Guard(() => AddLayout(layout(), blob, places));
        }
        Func<long, Diecast.Formats.FieldSpan?>? find = null;
        Guard(() => find = container.FieldFinder());
        foreach (long place in find is null ? [] : places)
        {
            Guard(() => Probe(find!, place));
        }
        if (container.Members is { } members)
        {
            Guard(() => Understood += members().Take(MostFilesRead).Sum(static member => member.Fields().Count));
        }
        Guard(() => Understood += container.Check().Count == 0 ? 1 : 0);
        foreach (var part in container.Parts.Take(MostParts))
        {
            Guard(() => ReadSome(part.Content));
            if (depth < 1)
            {
                Guard(() => Exercise(part.Content, "", depth + 1));
            }
        }
    }

    private void Walk(FileTree tree)
    {
        int entries = 0;
        int files = 0;
        foreach (var entry in tree.Walk())
        {
            Assert.True(++entries <= MostEntries, $"the tree has no end: {entry.Path}");
            Understood++;
            if (entry.Node is FileNode file && files++ < MostFilesRead)
            {
                Guard(() => ReadSome(file.Content));
                if (file.Content is PlacedBlob placed)
                {
                    Guard(() => Understood += placed.Placements.Take(MostExtents).Count());
                }
            }
        }
    }

    private static void ReadSome(Blob blob)
    {
        long length = blob.Length;
        if (length <= WholeFile)
        {
            blob.ReadBytes(0, (int)length);
            return;
        }
        foreach (long offset in new[] { 0, length / 2, length - 5000 })
        {
            Guard(() => blob.ReadBytes(offset, 5000));
        }
        blob.NextData(length / 3);
    }

    private void AddLayout(Image layout, Blob blob, List<long> places)
    {
        Assert.Equal(blob.Length, layout.Length);
        long end = 0;
        foreach (var extent in layout.Leaves().Take(MostExtents))
        {
            Assert.InRange(extent.Offset, end, layout.Length);
            end = extent.End;
            Assert.NotEmpty(extent.Label.ToString());
            if (places.Count < 60)
            {
                places.Add(extent.Offset);
            }
            Understood++;
        }
    }

    private void Probe(Func<long, Diecast.Formats.FieldSpan?> find, long place)
    {
        if (find(place) is { } span)
        {
            Assert.True(place >= span.Offset && place - span.Offset < span.Length, $"{span} does not cover {place}");
            Understood++;
        }
    }
}
