using Diecast.Formats.Tar;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Packages.Apt;

/// <summary>A file of a package's control archive, such as <c>postinst</c>.</summary>
public sealed record DebControlFile(string Name, Metadata Metadata, byte[] Content);

/// <summary>
/// A Debian package file: deb(5), format 2.0. An ar archive of a version, an archive with what is said of the package, and
/// an archive of what it installs.
/// </summary>
public static class DebArchive
{
    // The largest that Debian has are lists of digests of some megabytes.
    private const int MaximumControl = 64 << 20;
    private const string ControlPart = "control.tar";
    private const string DataPart = "data.tar";

    /// <summary>The files of the control archive in the order of their names; <c>control</c> is one of them.</summary>
    /// <param name="stream">The package file, which stays open.</param>
    /// <exception cref="InvalidDataException">It is no package, damaged or cut off.</exception>
    public static IReadOnlyList<DebControlFile> ReadControl(Stream stream)
    {
        var ar = OpenAr(stream);
        using var tar = OpenPart(ar, ControlPart, MaximumControl);
        var reader = new TarReader(tar);
        var files = new SortedDictionary<string, DebControlFile>(StringComparer.Ordinal);
        while (reader.Next() is { } entry)
        {
            string name = FileName.Display(TarPath.Normalize(entry.Path.AsSpan()));
            if (entry.Type == TarEntryType.Directory && name.Length == 0)
            {
                continue;
            }
            if (entry.Type != TarEntryType.File || name.Contains('/', StringComparison.Ordinal))
            {
                throw new InvalidDataException($"{ControlPart}: {name} is no file");
            }
            var content = new MemoryStream();
            entry.Content.CopyTo(content);
            if (!files.TryAdd(name, new DebControlFile(name, entry.Metadata, content.ToArray())))
            {
                throw new InvalidDataException($"{ControlPart}: {name} stands in it twice");
            }
        }
        return [.. files.Values];
    }

    /// <summary>What the package installs, as an uncompressed tar archive. Errors in it come as it is read.</summary>
    /// <param name="stream">The package file, which is closed with the result.</param>
    /// <exception cref="InvalidDataException">It is no package, damaged or cut off.</exception>
    public static Stream OpenData(Stream stream)
    {
        try
        {
            var ar = OpenAr(stream);
            _ = NextPart(ar, ControlPart);
            return new DataStream(stream, OpenPart(ar, DataPart, long.MaxValue));
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    private static ArReader OpenAr(Stream stream)
    {
        var ar = new ArReader(stream);
        if (ar.Next() is not { Name: "debian-binary", Length: >= 4 and <= 64 } member)
        {
            throw new InvalidDataException("the file is no Debian package: it does not begin with debian-binary");
        }
        var version = new byte[member.Length];
        member.Content.ReadExactly(version);
        // A minor version may follow; deb(5) has readers accept any.
        return version.AsSpan().StartsWith("2."u8)
            ? ar
            : throw new InvalidDataException("debian-binary: a format other than 2.0");
    }

    private static Stream OpenPart(ArReader ar, string part, long limit)
    {
        var member = NextPart(ar, part);
        var expected = member.Name[part.Length..] switch
        {
            "" => Compression.None,
            ".gz" => Compression.Gzip,
            ".xz" => Compression.Xz,
            ".zst" => Compression.Zstd,
            var other => throw new InvalidDataException($"{part}{other}: a compression that is not supported"),
        };
        var stream = Decompressor.Open(member.Content, limit, out var compression);
        return compression == expected ? stream : throw new InvalidDataException($"{member.Name}: is not compressed as its name says");
    }

    private static ArReader.Member NextPart(ArReader ar, string part)
    {
        while (ar.Next() is { } member)
        {
            if (member.Name.StartsWith(part, StringComparison.Ordinal))
            {
                return member;
            }
            // Names that begin so are left for additions.
            if (!member.Name.StartsWith('_'))
            {
                throw new InvalidDataException($"{FileName.Display(Posix.Bytes(member.Name))} where {part} should be");
            }
        }
        throw new InvalidDataException($"there is no {part}");
    }

    private sealed class DataStream(Stream file, Stream tar) : ReadOnlyStream
    {
        public override int Read(Span<byte> buffer) => tar.Read(buffer);

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                tar.Dispose();
                file.Dispose();
            }
            base.Dispose(disposing);
        }
    }
}
