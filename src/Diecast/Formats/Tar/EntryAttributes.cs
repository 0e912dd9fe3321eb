using System.Buffers.Text;
using System.Text;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Formats.Tar;

/// <summary>What the extended headers in force say of an entry; null where the header itself is right.</summary>
internal sealed class EntryAttributes
{
    private readonly Dictionary<string, Xattr> _xattrs = new(StringComparer.Ordinal);
    private readonly List<long> _sparseNumbers = [];

    public byte[]? Path { get; private set; }
    public byte[]? LinkPath { get; private set; }
    public byte[]? UserName { get; private set; }
    public byte[]? GroupName { get; private set; }
    public long? Size { get; private set; }
    public long? Uid { get; private set; }
    public long? Gid { get; private set; }
    public long? DeviceMajor { get; private set; }
    public long? DeviceMinor { get; private set; }
    public Timestamp? Mtime { get; private set; }

    /// <summary>The size of a sparse file, holes included.</summary>
    public long? RealSize { get; private set; }

    /// <summary>The file's own name, where <see cref="Path"/> is a made-up one (sparse versions 0.1 and 1.0).</summary>
    public byte[]? SparseName { get; private set; }

    /// <summary>The sparse map of versions 0.0 and 0.1.</summary>
    public List<ByteRange>? SparseMap { get; private set; }

    /// <summary>Whether the sparse map stands before the data (version 1.0).</summary>
    public bool SparseMapInData { get; private set; }

    public IEnumerable<Xattr> Xattrs => _xattrs.Values;

    /// <summary>Takes over one record; those without meaning here (atime, comment …) are ignored.</summary>
    public void Apply(string key, byte[] value)
    {
        switch (key)
        {
            case "path":
                Path = NullIfEmpty(value);
                break;
            case "linkpath":
                LinkPath = NullIfEmpty(value);
                break;
            case "uname":
                UserName = NullIfEmpty(value);
                break;
            case "gname":
                GroupName = NullIfEmpty(value);
                break;
            case "size":
                Size = Number(key, value);
                break;
            case "uid":
                Uid = Number(key, value);
                break;
            case "gid":
                Gid = Number(key, value);
                break;
            case "mtime":
                Mtime = value.Length == 0 ? null : PaxRecords.ParseTime(key, value);
                break;
            case "SCHILY.devmajor":
                DeviceMajor = Number(key, value);
                break;
            case "SCHILY.devminor":
                DeviceMinor = Number(key, value);
                break;
            case "SCHILY.acl.access":
                AddXattr(PosixAcl.AccessXattr, PosixAcl.Parse(value));
                break;
            case "SCHILY.acl.default":
                AddXattr(PosixAcl.DefaultXattr, PosixAcl.Parse(value));
                break;
            default:
                ApplyPrefixed(key, value);
                break;
        }
    }

    private void ApplyPrefixed(string key, byte[] value)
    {
        const string schily = "SCHILY.xattr.";
        const string libarchive = "LIBARCHIVE.xattr.";
        if (key.StartsWith(schily, StringComparison.Ordinal))
        {
            // GNU tar writes these two characters so, since a key ends at the first "=".
            AddXattr(Encoding.Latin1.GetBytes(key[schily.Length..]
                .Replace("%3D", "=", StringComparison.Ordinal).Replace("%25", "%", StringComparison.Ordinal)), value);
        }
        else if (key.StartsWith(libarchive, StringComparison.Ordinal))
        {
            AddXattr(UrlDecode(key[libarchive.Length..]), Base64Decode(key, value));
        }
        else if (key.StartsWith("GNU.sparse.", StringComparison.Ordinal))
        {
            ApplySparse(key, value);
        }
    }

    private void ApplySparse(string key, byte[] value)
    {
        switch (key)
        {
            case "GNU.sparse.name":
                SparseName = NullIfEmpty(value);
                break;
            case "GNU.sparse.size" or "GNU.sparse.realsize":
                RealSize = PaxRecords.ParseNumber(key, value);
                break;
            case "GNU.sparse.map":
                SparseMap = Tar.SparseMap.ParsePairs(value);
                break;
            case "GNU.sparse.major":
                SparseMapInData = PaxRecords.ParseNumber(key, value) switch
                {
                    0 => false,
                    1 => true,
                    _ => throw PaxRecords.Malformed(key, value),
                };
                break;
            case "GNU.sparse.offset" or "GNU.sparse.numbytes":
                // Version 0.0: the two keys alternate.
                bool second = _sparseNumbers.Count % 2 != 0;
                if (second != (key == "GNU.sparse.numbytes") || _sparseNumbers.Count >= 2 * Tar.SparseMap.MaximumSegments)
                {
                    throw PaxRecords.Malformed(key, value);
                }
                _sparseNumbers.Add(PaxRecords.ParseNumber(key, value));
                if (second)
                {
                    SparseMap ??= [];
                    SparseMap.Add(new ByteRange(_sparseNumbers[^2], _sparseNumbers[^1]));
                }
                break;
        }
    }

    private void AddXattr(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (name.IsEmpty || name.Contains((byte)0))
        {
            throw new InvalidDataException($"tar: \"{FileName.Display(name)}\" is no name of an extended attribute");
        }
        _xattrs[Encoding.Latin1.GetString(name)] = Xattr.Create(name, value);
    }

    // An empty value takes back what a global header says.
    private static byte[]? NullIfEmpty(byte[] value) => value.Length == 0 ? null : value;

    private static long? Number(string key, byte[] value) => value.Length == 0 ? null : PaxRecords.ParseNumber(key, value);

    private static byte[] UrlDecode(string text)
    {
        var bytes = new List<byte>(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '%' && i + 2 < text.Length && char.IsAsciiHexDigit(text[i + 1]) && char.IsAsciiHexDigit(text[i + 2]))
            {
                bytes.AddRange(Convert.FromHexString(text.AsSpan(i + 1, 2)));
                i += 2;
            }
            else
            {
                bytes.Add((byte)text[i]);
            }
        }
        return [.. bytes];
    }

    /// <summary>Base64 with or without the padding, which libarchive leaves out.</summary>
    private static byte[] Base64Decode(string key, byte[] value)
    {
        var text = value.AsSpan().TrimEnd((byte)'=');
        byte[] padded = [.. text, .. "==="u8[..((4 - text.Length % 4) % 4)]];
        var decoded = new byte[Base64.GetMaxDecodedFromUtf8Length(padded.Length)];
        return Base64.DecodeFromUtf8(padded, decoded, out _, out int length) == System.Buffers.OperationStatus.Done
            ? decoded[..length]
            : throw PaxRecords.Malformed(key, value);
    }
}
