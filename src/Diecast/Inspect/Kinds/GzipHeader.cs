using System.Buffers.Binary;
using Diecast.Formats;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Inspect.Kinds;

/// <summary>The header of a gzip file (RFC 1952, 2.3): when, from what and where it was compressed.</summary>
internal static class GzipHeader
{
    private const int Size = 10, LongestName = 4096;
    private const byte HasExtra = 4, HasName = 8;

    /// <summary>The fields of the first member; none where it is cut off, which the decoder says.</summary>
    public static IReadOnlyList<NamedField> Fields(Blob blob)
    {
        if (blob.Length < Size)
        {
            return [];
        }
        byte[] start = blob.ReadBytes(0, (int)Math.Min(blob.Length, 1 << 17));
        var fields = new List<NamedField>
        {
            KindReader.Hex("FLG", start[3]),
            new("MTIME", KindReader.Time(BinaryPrimitives.ReadUInt32LittleEndian(start.AsSpan(4)))),
            KindReader.Field("XFL", start[8]),
            KindReader.Field("OS", start[9]),
        };
        int name = Size + ((start[3] & HasExtra) != 0 && start.Length >= Size + 2 ? 2 + BinaryPrimitives.ReadUInt16LittleEndian(start.AsSpan(Size)) : 0);
        if ((start[3] & HasName) != 0 && name < start.Length)
        {
            var rest = start.AsSpan(name, Math.Min(start.Length - name, LongestName));
            int end = rest.IndexOf((byte)0);
            fields.Add(new NamedField("FNAME", FileName.Display(rest[..(end < 0 ? rest.Length : end)])));
        }
        return fields;
    }
}
