using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Diecast.Binary;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Formats.Tar;

/// <summary>
/// Writes a tree as a pax archive: members in the order of <see cref="FileTree.Walk"/>, paths below "./", hard links as
/// links to their first name, extended headers only for what the header cannot hold; neither access times nor names of
/// owners. The files' contents are referenced.
/// </summary>
public static class TarWriter
{
    /// <summary>Everything that keeps the tree from being written; empty where it can be.</summary>
    public static IReadOnlyList<string> Check(FileTree tree) =>
        [.. tree.Walk().Where(static entry => entry.Node.Type == FileType.Socket)
            .Select(static entry => $"{entry}: a tar archive cannot hold a socket")];

    /// <summary>The archive. The tree is one that <see cref="Check"/> let pass.</summary>
    public static Image Write(FileTree tree)
    {
        var builder = new ImageBuilder();
        var first = new Dictionary<Node, TreePath>(ReferenceEqualityComparer.Instance);
        long position = 0;
        foreach (var entry in tree.Walk())
        {
            TreePath? linked = null;
            if (entry is { Node: not DirectoryNode, Path: { } path } && !first.TryAdd(entry.Node, path))
            {
                linked = first[entry.Node];
            }
            var header = new HeaderBlob(entry, linked);
            builder.Place(position, header, new Label("tar header", entry));
            position += header.Length;
            if (linked is null && entry.Node is FileNode file)
            {
                builder.Place(position, file.Content, new Label("file", entry));
                position += file.Content.Length.AlignUp(TarHeader.BlockSize);
            }
        }
        return builder.Build((position + 2 * TarHeader.BlockSize).AlignUp(TarHeader.RecordSize));
    }

    /// <summary>The headers of one member; encoded when they are read, so that a large tree takes little memory.</summary>
    private sealed class HeaderBlob(TreeEntry entry, TreePath? linked) : Blob
    {
        public override long Length { get; } = MemberHeader.Encode(entry, linked).Length;

        protected override void ReadCore(long offset, Span<byte> destination) =>
            MemberHeader.Encode(entry, linked).AsSpan((int)offset, destination.Length).CopyTo(destination);
    }
}

/// <summary>The header of a member, behind an extended one where it needs one.</summary>
internal static class MemberHeader
{
    public static byte[] Encode(TreeEntry entry, TreePath? linked)
    {
        var node = entry.Node;
        byte[] path = [.. "."u8, .. entry.Path?.ToBytes() ?? [], .. node is DirectoryNode ? "/"u8 : []];
        byte[] link = linked is not null ? [.. "."u8, .. linked.ToBytes()]
            : node is SymlinkNode symlink ? [.. symlink.Target] : [];
        long size = linked is null && node is FileNode file ? file.Content.Length : 0;
        var records = new List<byte>();
        var header = new byte[TarHeader.BlockSize];
        PutText(header, records, path, link);
        PutNumber(header, records, TarHeader.Mode, node.Metadata.Mode, "");
        PutNumber(header, records, TarHeader.Uid, node.Metadata.Uid, "uid");
        PutNumber(header, records, TarHeader.Gid, node.Metadata.Gid, "gid");
        PutNumber(header, records, TarHeader.Size, size, "size");
        PutTime(header, records, node.Metadata.Mtime);
        var device = linked is null ? node as DeviceNode : null;
        PutNumber(header, records, TarHeader.DeviceMajor, device?.Major ?? 0, "SCHILY.devmajor");
        PutNumber(header, records, TarHeader.DeviceMinor, device?.Minor ?? 0, "SCHILY.devminor");
        if (linked is null)
        {
            PutXattrs(records, node.Metadata.Xattrs);
        }
        Finish(header, linked is not null ? TypeFlag.HardLink : FlagOf(node.Type));
        return records.Count == 0 ? header : [.. Extended(records), .. header];
    }

    private static byte FlagOf(FileType type) => type switch
    {
        FileType.Regular => TypeFlag.File,
        FileType.Directory => TypeFlag.Directory,
        FileType.Symlink => TypeFlag.Symlink,
        FileType.CharacterDevice => TypeFlag.CharacterDevice,
        FileType.BlockDevice => TypeFlag.BlockDevice,
        FileType.Fifo => TypeFlag.Fifo,
        _ => throw new InvalidOperationException("A tar archive cannot hold a socket"),
    };

    private static byte[] Extended(List<byte> records)
    {
        var header = new byte[TarHeader.BlockSize];
        "././@PaxHeader"u8.CopyTo(header);
        TarNumber.FormatOctal(header.AsSpan(TarHeader.Mode), 0);
        TarNumber.FormatOctal(header.AsSpan(TarHeader.Uid), 0);
        TarNumber.FormatOctal(header.AsSpan(TarHeader.Gid), 0);
        TarNumber.FormatOctal(header.AsSpan(TarHeader.Size), records.Count);
        TarNumber.FormatOctal(header.AsSpan(TarHeader.Mtime), 0);
        Finish(header, TypeFlag.PaxLocal);
        var padding = new byte[((long)records.Count).AlignUp(TarHeader.BlockSize) - records.Count];
        return [.. header, .. records, .. padding];
    }

    private static void Finish(byte[] header, byte type)
    {
        header[TarHeader.TypeFlag] = type;
        TarHeader.UstarMagic.CopyTo(header.AsSpan(TarHeader.Magic));
        "00"u8.CopyTo(header.AsSpan(TarHeader.Version));
        // Six digits, a NUL and a blank.
        var checksum = header.AsSpan(TarHeader.Checksum);
        checksum[7] = (byte)' ';
        TarNumber.FormatOctal(checksum[..7], TarHeader.Sum(header));
    }

    private static void PutText(byte[] header, List<byte> records, byte[] path, byte[] link)
    {
        bool longPath = !TryPutPath(header, path);
        bool longLink = link.Length > header[TarHeader.LinkName].Length;
        if ((longPath && !IsUtf8(path)) || (longLink && !IsUtf8(link)))
        {
            PaxRecords.Append(records, "hdrcharset"u8, "BINARY"u8);
        }
        if (longPath)
        {
            PaxRecords.Append(records, "path"u8, path);
            path.AsSpan(0, header[TarHeader.Name].Length).CopyTo(header);
        }
        if (longLink)
        {
            PaxRecords.Append(records, "linkpath"u8, link);
        }
        link.AsSpan(0, Math.Min(link.Length, header[TarHeader.LinkName].Length)).CopyTo(header.AsSpan(TarHeader.LinkName));
    }

    /// <summary>Puts the path into the name, or cut at a slash into prefix and name.</summary>
    private static bool TryPutPath(byte[] header, byte[] path)
    {
        int nameLength = header[TarHeader.Name].Length;
        if (path.Length <= nameLength)
        {
            path.CopyTo(header.AsSpan(TarHeader.Name));
            return true;
        }
        int prefixLength = Math.Min(header[TarHeader.Prefix].Length, path.Length - 2);
        int slash = path.AsSpan(0, prefixLength + 1).LastIndexOf((byte)'/');
        if (slash <= 0 || path.Length - slash - 1 > nameLength)
        {
            return false;
        }
        path.AsSpan(0, slash).CopyTo(header.AsSpan(TarHeader.Prefix));
        path.AsSpan(slash + 1).CopyTo(header.AsSpan(TarHeader.Name));
        return true;
    }

    private static void PutNumber(byte[] header, List<byte> records, Range field, long value, string key)
    {
        var destination = header.AsSpan(field);
        bool fits = TarNumber.FitsOctal(value, destination.Length);
        TarNumber.FormatOctal(destination, fits ? value : 0);
        if (!fits)
        {
            PaxRecords.Append(records, Encoding.ASCII.GetBytes(key),
                Encoding.ASCII.GetBytes(value.ToString(CultureInfo.InvariantCulture)));
        }
    }

    private static void PutTime(byte[] header, List<byte> records, Timestamp time)
    {
        var destination = header.AsSpan(TarHeader.Mtime);
        bool fits = TarNumber.FitsOctal(time.Seconds, destination.Length);
        TarNumber.FormatOctal(destination, fits ? time.Seconds : 0);
        if (!fits || time.Nanoseconds != 0)
        {
            PaxRecords.Append(records, "mtime"u8, Encoding.ASCII.GetBytes(PaxRecords.FormatTime(time)));
        }
    }

    private static void PutXattrs(List<byte> records, ImmutableArray<Xattr> xattrs)
    {
        foreach (var xattr in xattrs)
        {
            var name = xattr.Name.AsSpan();
            // Archivers write an ACL as text, and ignore it as an attribute.
            byte[]? acl = name.SequenceEqual(PosixAcl.AccessXattr) || name.SequenceEqual(PosixAcl.DefaultXattr)
                ? PosixAcl.Format(xattr.Value.AsSpan())
                : null;
            if (acl is not null)
            {
                PaxRecords.Append(records, name.SequenceEqual(PosixAcl.AccessXattr) ? "SCHILY.acl.access"u8 : "SCHILY.acl.default"u8, acl);
                continue;
            }
            string key = "SCHILY.xattr." + Encoding.Latin1.GetString(name)
                .Replace("%", "%25", StringComparison.Ordinal).Replace("=", "%3D", StringComparison.Ordinal);
            PaxRecords.Append(records, Encoding.Latin1.GetBytes(key), xattr.Value.AsSpan());
        }
    }

    private static bool IsUtf8(ReadOnlySpan<byte> bytes) => System.Text.Unicode.Utf8.IsValid(bytes);
}
