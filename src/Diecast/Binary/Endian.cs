using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Diecast.Binary;

/// <summary>A little-endian integer inside an on-disk structure, whatever the byte order of the machine.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public readonly struct Le<T>(T value) : IEquatable<Le<T>> where T : unmanaged, IBinaryInteger<T>
{
    private readonly T _raw = BitConverter.IsLittleEndian ? value : Endian.Reverse(value);

    public T Value => BitConverter.IsLittleEndian ? _raw : Endian.Reverse(_raw);

    public static implicit operator T(Le<T> field) => field.Value;
    public static implicit operator Le<T>(T value) => new(value);
    public static bool operator ==(Le<T> left, Le<T> right) => left.Equals(right);
    public static bool operator !=(Le<T> left, Le<T> right) => !left.Equals(right);

    public bool Equals(Le<T> other) => _raw == other._raw;
    public override bool Equals(object? obj) => obj is Le<T> other && Equals(other);
    public override int GetHashCode() => _raw.GetHashCode();
    public override string ToString() => Value.ToString() ?? "";
}

/// <summary>A big-endian integer inside an on-disk structure, whatever the byte order of the machine.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public readonly struct Be<T>(T value) : IEquatable<Be<T>> where T : unmanaged, IBinaryInteger<T>
{
    private readonly T _raw = BitConverter.IsLittleEndian ? Endian.Reverse(value) : value;

    public T Value => BitConverter.IsLittleEndian ? Endian.Reverse(_raw) : _raw;

    public static implicit operator T(Be<T> field) => field.Value;
    public static implicit operator Be<T>(T value) => new(value);
    public static bool operator ==(Be<T> left, Be<T> right) => left.Equals(right);
    public static bool operator !=(Be<T> left, Be<T> right) => !left.Equals(right);

    public bool Equals(Be<T> other) => _raw == other._raw;
    public override bool Equals(object? obj) => obj is Be<T> other && Equals(other);
    public override int GetHashCode() => _raw.GetHashCode();
    public override string ToString() => Value.ToString() ?? "";
}

internal static class Endian
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Reverse<T>(T value) where T : unmanaged, IBinaryInteger<T>
    {
        if (Unsafe.SizeOf<T>() == 1)
        {
            return value;
        }
        if (Unsafe.SizeOf<T>() == 2)
        {
            return Unsafe.BitCast<ushort, T>(BinaryPrimitives.ReverseEndianness(Unsafe.BitCast<T, ushort>(value)));
        }
        if (Unsafe.SizeOf<T>() == 4)
        {
            return Unsafe.BitCast<uint, T>(BinaryPrimitives.ReverseEndianness(Unsafe.BitCast<T, uint>(value)));
        }
        return Unsafe.BitCast<ulong, T>(BinaryPrimitives.ReverseEndianness(Unsafe.BitCast<T, ulong>(value)));
    }
}
