using System.Reflection;
using System.Runtime.InteropServices;
using Diecast.Formats;
using Diecast.Images;

namespace Diecast.Tests.Formats;

/// <summary>What holds of every format's field finder and field tables.</summary>
internal static class FieldChecks
{
    /// <summary>The table has a row for each field of the structure, at its place and of its length.</summary>
    public static void TableIsTheStructures<T>(FieldTable table) where T : unmanaged
    {
        var fields = typeof(T).GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
            .Select(static field => (int)Marshal.OffsetOf<T>(field.Name)).Order().ToList();
        var rows = table.Places.Where(place => place.Offset < Marshal.SizeOf<T>()).ToList();
        Assert.Equal(fields, rows.Select(static row => row.Offset));
        for (int i = 0; i < rows.Count; i++)
        {
            int next = i + 1 < rows.Count ? fields[i + 1] : Marshal.SizeOf<T>();
            Assert.Equal((rows[i].Name, next - fields[i]), (rows[i].Name, rows[i].Length));
        }
    }

    /// <summary>The spans at these offsets cover them; gives the offsets that have none.</summary>
    public static List<long> Unnamed(Func<long, FieldSpan?> find, IEnumerable<long> offsets)
    {
        var unnamed = new List<long>();
        foreach (long offset in offsets)
        {
            if (find(offset) is not { } span)
            {
                unnamed.Add(offset);
                continue;
            }
            Assert.True(span.Offset <= offset && offset < span.Offset + span.Length, $"{span} does not cover {offset}");
            Assert.True(span.Length > 0 && span.Name.Length > 0 && span.Structure.Length > 0, $"{span}");
        }
        return unnamed;
    }

    /// <summary>A changed byte is seen in the field that covers it: gives the spans before and after.</summary>
    public static (FieldSpan Before, FieldSpan? After) Flip(
        byte[] image, long offset, byte mask, Func<Blob, Func<long, FieldSpan?>> finderOf, Func<long, FieldSpan?> find)
    {
        var before = find(offset) ?? throw new InvalidOperationException($"no field at {offset}");
        byte[] changed = image.ToArray();
        changed[offset] ^= mask;
        return (before, finderOf(new MemoryBlob(changed))(offset));
    }
}
