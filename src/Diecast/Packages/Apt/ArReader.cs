using System.Globalization;
using System.Text;
using Diecast.Images;

namespace Diecast.Packages.Apt;

/// <summary>Reads an ar archive from front to back, in the form that deb(5) allows: short names, and no tables of symbols or names.</summary>
internal sealed class ArReader(Stream source)
{
    private const int HeaderSize = 60;

    private readonly byte[] _header = new byte[HeaderSize];
    private long _position;
    private long _end;
    private bool _started;

    public sealed record Member(string Name, long Length, Stream Content);

    /// <summary>The next member, or null at the end. What was not read of the one before is passed over.</summary>
    /// <exception cref="InvalidDataException">The archive is damaged or cut off.</exception>
    public Member? Next()
    {
        if (!_started)
        {
            ReadMagic();
        }
        SkipTo(_end + (_end & 1));
        long offset = _position;
        int got = source.ReadAtLeast(_header, HeaderSize, throwOnEndOfStream: false);
        _position += got;
        // Some archivers pad the last member too.
        if (got == 0 || (got == 1 && _header[0] == '\n'))
        {
            return null;
        }
        if (got < HeaderSize || !_header.AsSpan(58).SequenceEqual("`\n"u8)
            || !long.TryParse(Encoding.ASCII.GetString(_header, 48, 10).TrimEnd(' '), NumberStyles.None, CultureInfo.InvariantCulture, out long length))
        {
            throw new InvalidDataException($"ar: no header of a member at {offset}");
        }
        string name = Encoding.Latin1.GetString(_header, 0, 16).TrimEnd(' ');
        _end = _position + length;
        return new Member(name.EndsWith('/') ? name[..^1] : name, length, new Content(this, _position, length));
    }

    private void ReadMagic()
    {
        var magic = new byte[8];
        _position = source.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false);
        if (!magic.AsSpan().SequenceEqual("!<arch>\n"u8))
        {
            throw new InvalidDataException("ar: the file is no archive");
        }
        (_end, _started) = (_position, true);
    }

    private void SkipTo(long target)
    {
        var buffer = new byte[(int)Math.Min(target - _position, 64 << 10)];
        while (_position < target)
        {
            Read(buffer.AsSpan(0, (int)Math.Min(buffer.Length, target - _position)));
        }
    }

    private int Read(Span<byte> buffer)
    {
        int got = source.Read(buffer);
        _position += got;
        return got > 0 || buffer.IsEmpty ? got : throw new InvalidDataException($"ar: the archive is cut off after {_position} bytes");
    }

    private sealed class Content(ArReader reader, long start, long length) : ReadOnlyStream
    {
        private long _read;

        public override long Length => length;

        public override int Read(Span<byte> buffer)
        {
            if (reader._position != start + _read)
            {
                throw new InvalidOperationException("The reader has gone on to another member");
            }
            int got = reader.Read(buffer[..(int)Math.Min(buffer.Length, length - _read)]);
            _read += got;
            return got;
        }
    }
}
