using System.Buffers.Binary;
using System.Globalization;
using Diecast.Formats;
using Diecast.Images;

namespace Diecast.Inspect.Kinds;

/// <summary>Compiled Python: the header of PEP 552, or the older ones of 8 and 12 bytes, and the code.</summary>
internal static class Pyc
{
    // The magic of 3.3 brought the size, that of 3.7 the flags. Those of 2.x are larger than either.
    private const int WithSize = 3190, WithFlags = 3390, Python2 = 20_000;
    private const uint IsHash = 1, IsChecked = 2;

    public static ContainerKind Kind { get; } = new(
        "pyc",
        static (blob, path) => KindReader.HasAt(blob, 2, "\r\n"u8) && blob.Length >= 8
            && (path.EndsWith(".pyc", StringComparison.Ordinal) || path.EndsWith(".pyo", StringComparison.Ordinal)),
        Read);

    private static Container Read(Blob blob)
    {
        byte[] header = blob.ReadBytes(0, (int)Math.Min(16, blob.Length));
        int magic = BinaryPrimitives.ReadUInt16LittleEndian(header);
        var fields = new List<NamedField> { new("magic", string.Create(CultureInfo.InvariantCulture, $"{magic} ({Version(magic)})")) };
        int length = magic is < WithSize or >= Python2 ? 8 : magic < WithFlags ? 12 : 16;
        if (blob.Length < length)
        {
            throw new InvalidDataException($"pyc: {blob.Length} bytes of a header of {length}");
        }
        uint flags = length < 16 ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(4));
        var rest = header.AsSpan(length == 16 ? 8 : 4);
        if (length == 16)
        {
            fields.Add(new NamedField("flags", FlagNames(flags)));
        }
        if ((flags & IsHash) != 0)
        {
            fields.Add(new NamedField("source hash", Convert.ToHexStringLower(rest[..8])));
        }
        else
        {
            fields.Add(new NamedField("source mtime", KindReader.Time(BinaryPrimitives.ReadUInt32LittleEndian(rest))));
            if (length > 8)
            {
                fields.Add(KindReader.Field("source size", BinaryPrimitives.ReadUInt32LittleEndian(rest[4..])));
            }
        }
        return new Container { Kind = "pyc", Fields = fields, Parts = [new Part("code", blob.Slice(length, blob.Length - length))] };
    }

    private static string FlagNames(uint flags) => flags switch
    {
        0 => "checked by time",
        IsHash => "unchecked hash",
        IsHash | IsChecked => "checked hash",
        _ => string.Create(CultureInfo.InvariantCulture, $"0x{flags:x}"),
    };

    private static string Version(int magic) => magic switch
    {
        >= Python2 => "Python 2",
        >= 3600 => "Python 3.14 or later",
        >= 3550 => "Python 3.13",
        >= 3500 => "Python 3.12",
        >= 3450 => "Python 3.11",
        >= 3430 => "Python 3.10",
        >= 3420 => "Python 3.9",
        >= 3400 => "Python 3.8",
        >= WithFlags => "Python 3.7",
        _ => "Python 3.6 or before",
    };
}
