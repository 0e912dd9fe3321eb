using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Diecast.Binary;

/// <summary>The one place where on-disk structures become bytes and back.</summary>
public static class OnDisk
{
    /// <summary>A copy of the structure's bytes.</summary>
    public static byte[] Bytes<T>(in T structure) where T : unmanaged
    {
        var bytes = new byte[Unsafe.SizeOf<T>()];
        Write(bytes, structure);
        return bytes;
    }

    /// <summary>Writes the structure at the start of <paramref name="destination"/>.</summary>
    public static void Write<T>(Span<byte> destination, in T structure) where T : unmanaged =>
        MemoryMarshal.Write(destination, structure);

    /// <summary>The structure at the start of <paramref name="source"/>.</summary>
    /// <exception cref="InvalidDataException">There are fewer bytes than the structure has.</exception>
    public static T Read<T>(ReadOnlySpan<byte> source) where T : unmanaged =>
        MemoryMarshal.TryRead(source, out T structure)
            ? structure
            : throw new InvalidDataException($"{typeof(T).Name}: {source.Length} bytes of {Unsafe.SizeOf<T>()}");

    /// <summary>The bytes of an array of structures, one after the other.</summary>
    public static byte[] Bytes<T>(ReadOnlySpan<T> structures) where T : unmanaged =>
        MemoryMarshal.AsBytes(structures).ToArray();
}
