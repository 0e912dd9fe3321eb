using System.Text;
using Diecast.Formats.Tar;

namespace Diecast.Tests.Formats.Tar;

/// <summary>Writes archives header by header, also such as no archiver would write.</summary>
internal sealed class ArchiveWriter
{
    private readonly List<byte> _archive = [];

    public ArchiveWriter Add(
        string name, char type, ReadOnlySpan<byte> content = default, string link = "", Action<byte[]>? change = null)
    {
        var header = new byte[TarHeader.BlockSize];
        Encoding.Latin1.GetBytes(name).CopyTo(header.AsSpan(TarHeader.Name));
        Encoding.Latin1.GetBytes(link).CopyTo(header.AsSpan(TarHeader.LinkName));
        TarNumber.FormatOctal(header.AsSpan(TarHeader.Mode), 0x1A4);
        TarNumber.FormatOctal(header.AsSpan(TarHeader.Uid), 1);
        TarNumber.FormatOctal(header.AsSpan(TarHeader.Gid), 2);
        TarNumber.FormatOctal(header.AsSpan(TarHeader.Size), content.Length);
        TarNumber.FormatOctal(header.AsSpan(TarHeader.Mtime), 1_000_000_000);
        header[TarHeader.TypeFlag] = (byte)type;
        TarHeader.UstarMagic.CopyTo(header.AsSpan(TarHeader.Magic));
        "00"u8.CopyTo(header.AsSpan(TarHeader.Version));
        change?.Invoke(header);
        TarNumber.FormatOctal(header.AsSpan(TarHeader.Checksum), TarHeader.Sum(header));
        _archive.AddRange(header);
        _archive.AddRange(content);
        _archive.AddRange(new byte[-_archive.Count & (TarHeader.BlockSize - 1)]);
        return this;
    }

    /// <summary>An extended header of records such as "path=x"; the text is Latin-1.</summary>
    public ArchiveWriter AddPax(char type, params string[] records)
    {
        var body = new List<byte>();
        foreach (string record in records)
        {
            int equals = record.IndexOf('=', StringComparison.Ordinal);
            PaxRecords.Append(body, Encoding.Latin1.GetBytes(record[..equals]), Encoding.Latin1.GetBytes(record[(equals + 1)..]));
        }
        return Add("pax", type, body.ToArray());
    }

    /// <summary>The archive with its end.</summary>
    public byte[] ToArray() => [.. _archive, .. new byte[2 * TarHeader.BlockSize]];
}
