namespace Diecast.Packages.OpenPgp;

/// <summary>Data and the signatures over them, unverified.</summary>
public sealed class SignedMessage
{
    private readonly ReadOnlyMemory<byte>? _canonical;

    private SignedMessage(ReadOnlyMemory<byte> content, ReadOnlyMemory<byte> signature, ReadOnlyMemory<byte>? canonical) =>
        (Content, Signature, _canonical) = (content, signature, canonical);

    /// <summary>What is signed, as it is to be read.</summary>
    public ReadOnlyMemory<byte> Content { get; }

    /// <summary>Armored or binary.</summary>
    public ReadOnlyMemory<byte> Signature { get; }

    /// <summary>A file and its detached signatures.</summary>
    public static SignedMessage Detached(ReadOnlyMemory<byte> content, ReadOnlyMemory<byte> signature) => new(content, signature, null);

    /// <summary>
    /// Splits a message of the cleartext signature framework, RFC 4880 section 7. It must be all that there is: what stands
    /// before or behind it is not signed.
    /// </summary>
    /// <exception cref="InvalidDataException">It is malformed: the line and what is wrong with it.</exception>
    public static SignedMessage Cleartext(ReadOnlyMemory<byte> file)
    {
        var reader = new LineReader(file.Span);
        if (!reader.Next(out var line) || !line.TrimEnd(" \t\r"u8).SequenceEqual("-----BEGIN PGP SIGNED MESSAGE-----"u8))
        {
            throw new InvalidDataException("line 1: no -----BEGIN PGP SIGNED MESSAGE-----");
        }
        while (reader.Next(out line) && !line.TrimEnd(" \t\r"u8).IsEmpty)
        {
            // The digest is named in the signature itself.
            if (!line.StartsWith("Hash: "u8))
            {
                throw new InvalidDataException($"line {reader.Number}: neither a Hash header nor the end of the headers");
            }
        }
        var content = new MemoryStream(file.Length);
        var canonical = new MemoryStream(file.Length + file.Length / 16);
        int start = reader.Position;
        while (reader.Next(out line))
        {
            if (line.StartsWith("-"u8) && !line.StartsWith("- "u8))
            {
                return line.TrimEnd(" \t\r"u8).SequenceEqual("-----BEGIN PGP SIGNATURE-----"u8)
                    ? new SignedMessage(Bytes(content), RequireOneBlock(file[start..], reader.Number), Bytes(canonical))
                    : throw new InvalidDataException($"line {reader.Number}: a line that begins with - and is not escaped");
            }
            line = line.StartsWith("- "u8) ? line[2..] : line;
            // White space at the end of lines is not signed, so it is not there. The line feed before the signature is not
            // either, but a text ends with one.
            line = line.TrimEnd(" \t\r"u8);
            if (canonical.Length > 0 || content.Length > 0)
            {
                canonical.Write("\r\n"u8);
            }
            canonical.Write(line);
            content.Write(line);
            content.Write("\n"u8);
            start = reader.Position;
        }
        throw new InvalidDataException($"line {reader.Number}: the message ends without a signature: it is cut off");
    }

    /// <summary>The bytes that a signature of this type is over; null where such a signature does not belong here.</summary>
    internal ReadOnlyMemory<byte>? DataFor(SignatureType type) => (type, _canonical) switch
    {
        (SignatureType.Text, { } canonical) => canonical,
        (SignatureType.Binary, null) => Content,
        (SignatureType.Text, null) => WithNetworkLineEnds(Content.Span),
        _ => null,
    };

    private static ReadOnlyMemory<byte> RequireOneBlock(ReadOnlyMemory<byte> signature, int firstLine)
    {
        var reader = new LineReader(signature.Span);
        bool isClosed = false;
        while (reader.Next(out var line))
        {
            line = line.TrimEnd(" \t\r"u8);
            if (isClosed && !line.IsEmpty)
            {
                throw new InvalidDataException($"line {firstLine + reader.Number - 1}: something stands behind the signature");
            }
            isClosed |= line.SequenceEqual("-----END PGP SIGNATURE-----"u8);
        }
        return isClosed ? signature : throw new InvalidDataException($"line {firstLine}: the signature has no end");
    }

    private static ReadOnlyMemory<byte> WithNetworkLineEnds(ReadOnlySpan<byte> text)
    {
        var output = new MemoryStream(text.Length + text.Length / 16);
        while (text.IndexOf((byte)'\n') is >= 0 and var end)
        {
            output.Write(text[..end].TrimEnd((byte)'\r'));
            output.Write("\r\n"u8);
            text = text[(end + 1)..];
        }
        output.Write(text);
        return Bytes(output);
    }

    private static ReadOnlyMemory<byte> Bytes(MemoryStream stream) => stream.GetBuffer().AsMemory(0, (int)stream.Length);

    private ref struct LineReader(ReadOnlySpan<byte> text)
    {
        private readonly ReadOnlySpan<byte> _text = text;

        public int Number { get; private set; }

        public int Position { get; private set; }

        public bool Next(out ReadOnlySpan<byte> line)
        {
            if (Position == _text.Length)
            {
                line = default;
                return false;
            }
            var rest = _text[Position..];
            int end = rest.IndexOf((byte)'\n');
            line = end < 0 ? rest : rest[..end];
            Position += end < 0 ? rest.Length : end + 1;
            Number++;
            return true;
        }
    }
}
