using System.Buffers.Binary;
using System.Globalization;
using CsCheck;

namespace Diecast.Tests.Fuzz;

internal enum MutationKind
{
    FlipBit,
    SetField,
    AddToField,
    Fill,
    Splice,
    Swap,
    Truncate,
}

/// <summary>A change of some bytes.</summary>
/// <param name="At">Where, in bytes.</param>
/// <param name="From">Where the bytes come from, for a splice and a swap.</param>
/// <param name="Length">In bytes; for a field 1, 2, 4 or 8.</param>
/// <param name="Value">The bit, the field's new value or what is added to it.</param>
internal readonly record struct Mutation(MutationKind Kind, long At, long From, int Length, ulong Value)
{
    public void Apply(SparseImage image)
    {
        switch (Kind)
        {
            case MutationKind.FlipBit:
                image.Write(At, [(byte)(image.Peek(At, 1)[0] ^ (1 << (int)(Value & 7)))]);
                break;
            case MutationKind.SetField:
                SetField(image, Value);
                break;
            case MutationKind.AddToField:
                SetField(image, BinaryPrimitives.ReadUInt64LittleEndian(image.Peek(At, 8)) + Value);
                break;
            case MutationKind.Fill:
                var filled = new byte[Length];
                filled.AsSpan().Fill((byte)Value);
                image.Write(At, filled);
                break;
            case MutationKind.Splice:
                image.Write(At, image.Peek(From, Length));
                break;
            case MutationKind.Swap:
                byte[] kept = image.Peek(At, Length);
                image.Write(At, image.Peek(From, Length));
                image.Write(From, kept);
                break;
            case MutationKind.Truncate:
                image.Truncate(Math.Min(At, image.Length));
                break;
        }
    }

    private void SetField(SparseImage image, ulong value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        bytes = bytes[..Length];
        // Some formats are big-endian.
        if ((From & 1) != 0)
        {
            bytes.Reverse();
        }
        image.Write(At, bytes);
    }
}

/// <summary>What is done to a seed: some changes, then perhaps its checksums are made right again.</summary>
/// <param name="Probes">Places whose fields are asked for.</param>
internal sealed record FuzzCase(Mutation[] Mutations, bool IsRepaired, long[] Probes)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{(IsRepaired ? "repaired after " : "")}{string.Join(", ", Mutations)}; probed at {string.Join(", ", Probes)}");
}

internal static class FuzzCases
{
    private static readonly int[] s_blockSizes = [64, 512, 1024, 4096, 16384];

    private static readonly ulong[] s_edges =
    [
        0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256, 511, 512, 1023, 1024, 4095, 4096, 32767, 32768, 65535, 65536,
        0x00FFFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 0x1_0000_0000, 0x7FFF_FFFF_FFFF_FFFE, 0x7FFF_FFFF_FFFF_FFFF,
        0x8000_0000_0000_0000, 0xFFFF_FFFF_FFFF_FFFE, 0xFFFF_FFFF_FFFF_FFFF,
    ];

    /// <param name="length">Of the image, in bytes.</param>
    /// <param name="hot">Where most of the changes go.</param>
    public static Gen<FuzzCase> Of(long length, IReadOnlyList<(long Offset, long Length)> hot)
    {
        long total = hot.Sum(static range => range.Length);
        // Small ranges are as likely as large ones, else a superblock would hardly ever be met.
        var inRange = Gen.Int[0, hot.Count - 1].SelectMany(i => Gen.Long[0, hot[i].Length - 1].Select(at => hot[i].Offset + at));
        var inHot = Gen.Long[0, total - 1].Select(at => At(hot, at));
        var position = Gen.Frequency((3, inRange), (3, inHot), (1, Gen.Long[0, length - 1]));
        var width = Gen.Int[0, 3].Select(static log => 1 << log);
        var value = Gen.Frequency((3, Gen.Int[0, s_edges.Length - 1].Select(static i => s_edges[i])), (1, Gen.ULong));
        var block = Gen.Int[0, s_blockSizes.Length - 1].Select(static i => s_blockSizes[i]);
        var delta = Gen.Int[-20, 20].Select(static difference => unchecked((ulong)(long)difference));
        var mutation = Gen.Frequency(
            (3, Gen.Select(position, Gen.ULong[0, 7], static (at, bit) => new Mutation(MutationKind.FlipBit, at, 0, 1, bit))),
            (6, Gen.Select(position, width, value, Gen.Int[0, 3], static (at, wide, set, order) =>
                new Mutation(MutationKind.SetField, order == 3 ? at : at - at % wide, order, wide, set))),
            (3, Gen.Select(position, width, delta, static (at, wide, add) => new Mutation(MutationKind.AddToField, at - at % wide, 0, wide, add))),
            (1, Gen.Select(position, Gen.Int[1, 600], Gen.ULong[0, 255], static (at, many, with) => new Mutation(MutationKind.Fill, at, 0, many, with))),
            (2, Gen.Select(position, position, Gen.Int[1, 4096], static (at, from, many) => new Mutation(MutationKind.Splice, at, from, many, 0))),
            (1, Gen.Select(position, position, block, static (at, from, size) =>
                new Mutation(MutationKind.Swap, at - at % size, from - from % size, size, 0))),
            (1, Gen.Select(position, static at => new Mutation(MutationKind.Truncate, at, 0, 0, 0))));
        return Gen.Select(mutation.Array[1, 4], Gen.Int[0, 4], position.Array[12],
            static (mutations, repair, probes) => new FuzzCase(mutations, repair > 0, probes));
    }

    private static long At(IReadOnlyList<(long Offset, long Length)> ranges, long index)
    {
        foreach (var (offset, length) in ranges)
        {
            if (index < length)
            {
                return offset + index;
            }
            index -= length;
        }
        throw new ArgumentOutOfRangeException(nameof(index));
    }
}
