using Diecast.Images;

namespace Diecast.Inspect;

/// <summary>A run of bytes of an image and what it is.</summary>
/// <param name="Offset">In the image, in bytes.</param>
/// <param name="Length">In bytes.</param>
/// <param name="Label">For people; begins with the partition that it is in, if any.</param>
public readonly record struct LayoutLine(long Offset, long Length, string Label);

/// <summary>The map of an image: what each of its bytes is, in ascending order, those of the partitions in their places.</summary>
public static class LayoutLines
{
    public const string Unused = "unused";

    /// <summary>The map; it is made while it is read.</summary>
    /// <param name="content">The image.</param>
    /// <param name="damaged">Gets a line for what cannot be read; its bytes are in the map as one line.</param>
    public static IEnumerable<LayoutLine> Of(Blob content, Action<string> damaged) => Of(content, 0, "", damaged);

    private static IEnumerable<LayoutLine> Of(Blob content, long origin, string prefix, Action<string> damaged)
    {
        var (container, layout, note) = Open(content, prefix, damaged);
        if (layout is null)
        {
            return [new LayoutLine(origin, content.Length, $"{prefix}{note}")];
        }
        return Filled(Lines(container!, layout, origin, prefix, damaged), origin, content.Length, prefix + Unused);
    }

    private static (Container? Container, Image? Layout, string Note) Open(Blob content, string prefix, Action<string> damaged)
    {
        try
        {
            var container = ContainerTable.Open(content);
            return (container, container?.Layout?.Invoke(), container?.Kind ?? Signatures.Content(content) ?? "unknown content");
        }
        catch (InvalidDataException error)
        {
            damaged(prefix + error.Message);
            return (null, null, "damaged");
        }
    }

    private static IEnumerable<LayoutLine> Lines(Container container, Image layout, long origin, string prefix, Action<string> damaged)
    {
        var parts = container.Kind == "gpt"
            ? container.Parts.ToDictionary(static part => Field(part, "offset"), static part => part)
            : [];
        foreach (var extent in layout.Leaves())
        {
            if (parts.TryGetValue(extent.Offset, out var part))
            {
                foreach (var line in Of(part.Content, origin + extent.Offset, $"{prefix}{part.Name}: ", damaged))
                {
                    yield return line;
                }
            }
            else
            {
                yield return new LayoutLine(origin + extent.Offset, extent.Length, prefix + extent.Label);
            }
        }
    }

    /// <summary>The lines with what is between them; neighbours of one label are one line.</summary>
    private static IEnumerable<LayoutLine> Filled(IEnumerable<LayoutLine> lines, long origin, long length, string gap)
    {
        long end = origin;
        LayoutLine? last = null;
        foreach (var line in lines.Append(new LayoutLine(origin + length, 0, "")))
        {
            foreach (var next in (LayoutLine[])[new LayoutLine(end, line.Offset - end, gap), line])
            {
                if (next.Length == 0)
                {
                    continue;
                }
                if (last is { } before && before.Label == next.Label)
                {
                    last = before with { Length = before.Length + next.Length };
                    continue;
                }
                if (last is { } done)
                {
                    yield return done;
                }
                last = next;
            }
            end = line.Offset + line.Length;
        }
        if (last is { } rest)
        {
            yield return rest;
        }
    }

    private static long Field(Part part, string name) => long.Parse(
        part.Fields.First(field => field.Name == name).Value, System.Globalization.CultureInfo.InvariantCulture);
}
