using System.Buffers.Binary;
using System.Numerics;

namespace Diecast.Formats.Ext4;

/// <summary>
/// The hash that orders the names of an indexed directory: half of MD4, over unsigned characters.
/// https://docs.kernel.org/filesystems/ext4/directory.html#hash-tree-directories; MD4 is RFC 1320.
/// </summary>
internal sealed class DirectoryHash
{
    private const uint EndOfDirectory = 0xFFFFFFFE;
    private const int ChunkSize = 32;

    private readonly uint _a = 0x67452301, _b = 0xEFCDAB89, _c = 0x98BADCFE, _d = 0x10325476;

    /// <param name="seed">The superblock's hash seed, 16 bytes; all zero for MD4's own start.</param>
    public DirectoryHash(ReadOnlySpan<byte> seed)
    {
        if (seed.ContainsAnyExcept((byte)0))
        {
            _a = BinaryPrimitives.ReadUInt32LittleEndian(seed);
            _b = BinaryPrimitives.ReadUInt32LittleEndian(seed[4..]);
            _c = BinaryPrimitives.ReadUInt32LittleEndian(seed[8..]);
            _d = BinaryPrimitives.ReadUInt32LittleEndian(seed[12..]);
        }
    }

    /// <summary>
    /// An even number: the lowest bit of an index entry says that a hash goes on from the leaf before.
    /// </summary>
    public uint Of(ReadOnlySpan<byte> name)
    {
        var state = (_a, _b, _c, _d);
        Span<uint> words = stackalloc uint[ChunkSize / sizeof(uint)];
        for (var rest = name; ;)
        {
            Pack(rest, words);
            state = Transform(state, words);
            if (rest.Length <= ChunkSize)
            {
                break;
            }
            rest = rest[ChunkSize..];
        }
        uint hash = state._b & ~1u;
        // The kernel's directory stream uses the greatest hash as its end.
        return hash == EndOfDirectory ? EndOfDirectory - 2 : hash;
    }

    /// <summary>Up to 32 bytes as eight words, big end first; what is missing is filled with the length.</summary>
    private static void Pack(ReadOnlySpan<byte> text, Span<uint> words)
    {
        uint pad = (byte)text.Length * 0x01010101u;
        text = text[..Math.Min(text.Length, ChunkSize)];
        for (int i = 0; i < words.Length; i++)
        {
            uint value = pad;
            int from = Math.Min(i * sizeof(uint), text.Length);
            foreach (byte character in text[from..Math.Min(from + sizeof(uint), text.Length)])
            {
                value = (value << 8) + character;
            }
            words[i] = value;
        }
    }

    private static (uint A, uint B, uint C, uint D) Transform((uint A, uint B, uint C, uint D) state, ReadOnlySpan<uint> x)
    {
        var (a, b, c, d) = state;
        for (int i = 0; i < 8; i += 4)
        {
            a = BitOperations.RotateLeft(a + Choose(b, c, d) + x[i], 3);
            d = BitOperations.RotateLeft(d + Choose(a, b, c) + x[i + 1], 7);
            c = BitOperations.RotateLeft(c + Choose(d, a, b) + x[i + 2], 11);
            b = BitOperations.RotateLeft(b + Choose(c, d, a) + x[i + 3], 19);
        }
        const uint second = 0x5A827999;
        for (int i = 1; i >= 0; i--)
        {
            a = BitOperations.RotateLeft(a + Majority(b, c, d) + x[i] + second, 3);
            d = BitOperations.RotateLeft(d + Majority(a, b, c) + x[i + 2] + second, 5);
            c = BitOperations.RotateLeft(c + Majority(d, a, b) + x[i + 4] + second, 9);
            b = BitOperations.RotateLeft(b + Majority(c, d, a) + x[i + 6] + second, 13);
        }
        const uint third = 0x6ED9EBA1;
        for (int i = 3; i >= 2; i--)
        {
            a = BitOperations.RotateLeft(a + (b ^ c ^ d) + x[i == 3 ? 3 : 1] + third, 3);
            d = BitOperations.RotateLeft(d + (a ^ b ^ c) + x[i == 3 ? 7 : 5] + third, 9);
            c = BitOperations.RotateLeft(c + (d ^ a ^ b) + x[i == 3 ? 2 : 0] + third, 11);
            b = BitOperations.RotateLeft(b + (c ^ d ^ a) + x[i == 3 ? 6 : 4] + third, 15);
        }
        return (state.A + a, state.B + b, state.C + c, state.D + d);
    }

    private static uint Choose(uint x, uint y, uint z) => (x & y) | (~x & z);

    private static uint Majority(uint x, uint y, uint z) => (x & y) | (x & z) | (y & z);
}
