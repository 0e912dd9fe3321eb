using System.Runtime.CompilerServices;
using System.Text;
using Diecast.Binary;
using Diecast.Images;

namespace Diecast.Formats.Uki;

/// <summary>A section of a PE file: its place in memory and its content, without padding.</summary>
public sealed record PeSection(string Name, uint VirtualAddress, uint Characteristics, Blob Content)
{
    /// <summary>Where the content begins in the file, in bytes.</summary>
    public long Offset { get; init; }

    /// <summary>The SHA-256 of the content.</summary>
    public byte[] Digest() => ImageFile.Hash(Content);
}

/// <summary>A 64-bit PE file, such as a kernel, a boot loader, a stub or a unified kernel image.</summary>
public sealed partial class PeImage
{
    public const ushort MachineX64 = 0x8664, MachineArm64 = 0xaa64;

    private const uint PeSignature = 0x00004550;
    private const int MaximumSections = 96;

    private readonly Blob _blob;

    private PeImage(Blob blob) => _blob = blob;

    internal CoffHeader Coff { get; private init; }
    internal OptionalHeader Optional { get; private init; }
    internal SectionHeader[] Headers { get; private init; } = [];
    internal long CoffOffset { get; private init; }
    internal long OptionalOffset => CoffOffset + Unsafe.SizeOf<CoffHeader>();
    internal long SectionTableOffset => OptionalOffset + Coff.SizeOfOptionalHeader;
    internal DataDirectory Security { get; private init; }

    public ushort Machine => Coff.Machine;

    /// <summary>As the linker set it, in seconds since 1970, or a digest of the build.</summary>
    public uint TimeDateStamp => Coff.TimeDateStamp;

    /// <summary>Whether the program says that it works where data is not executable.</summary>
    public bool IsNxCompatible => (Optional.DllCharacteristics & OptionalHeader.NxCompatible) != 0;

    /// <summary>In the order of the section table.</summary>
    public IReadOnlyList<PeSection> Sections { get; private init; } = [];

    /// <summary>The content of the first section of that name, or null.</summary>
    public Blob? Find(string name) => Sections.FirstOrDefault(section => section.Name == name)?.Content;

    /// <summary>Whether the blob is a PE file at all, of 32 bits perhaps.</summary>
    public static bool Recognizes(Blob blob)
    {
        if (blob.Length < 0x40 || !blob.ReadBytes(0, 2).AsSpan().SequenceEqual("MZ"u8))
        {
            return false;
        }
        uint offset = OnDisk.Read<Le<uint>>(blob.ReadBytes(0x3c, 4));
        return offset <= blob.Length - 4 && OnDisk.Read<Le<uint>>(blob.ReadBytes(offset, 4)) == PeSignature;
    }

    /// <summary>Whether the blob is a PE file of 64 bits, which is the kind that is read.</summary>
    public static bool Is64Bit(Blob blob)
    {
        if (!Recognizes(blob))
        {
            return false;
        }
        long optional = OnDisk.Read<Le<uint>>(blob.ReadBytes(0x3c, 4)) + (long)Unsafe.SizeOf<CoffHeader>();
        return optional <= blob.Length - 2 && OnDisk.Read<Le<ushort>>(blob.ReadBytes(optional, 2)) == OptionalHeader.MagicPe32Plus;
    }

    /// <summary>Reads the headers; contents are referenced.</summary>
    /// <exception cref="InvalidDataException">It is no PE file of 64 bits, or damaged.</exception>
    public static PeImage Read(Blob blob)
    {
        if (!Recognizes(blob))
        {
            throw new InvalidDataException("pe: no PE header");
        }
        uint coffOffset = OnDisk.Read<Le<uint>>(blob.ReadBytes(0x3c, 4));
        var coff = ReadAt<CoffHeader>(blob, coffOffset);
        long optionalOffset = coffOffset + Unsafe.SizeOf<CoffHeader>();
        var optional = ReadAt<OptionalHeader>(blob, optionalOffset);
        if (optional.Magic != OptionalHeader.MagicPe32Plus || coff.SizeOfOptionalHeader < Unsafe.SizeOf<OptionalHeader>())
        {
            throw new InvalidDataException($"pe: the optional header at {optionalOffset} is not one of 64 bits");
        }
        if (!IsPowerOfTwo(optional.SectionAlignment) || !IsPowerOfTwo(optional.FileAlignment))
        {
            throw new InvalidDataException($"pe: the alignments of the optional header at {optionalOffset} are no powers of two");
        }
        if (coff.NumberOfSections > MaximumSections)
        {
            throw new InvalidDataException($"pe: {coff.NumberOfSections.Value} sections; at most {MaximumSections} are read");
        }
        long table = optionalOffset + coff.SizeOfOptionalHeader;
        var headers = new SectionHeader[coff.NumberOfSections];
        for (int i = 0; i < headers.Length; i++)
        {
            headers[i] = ReadAt<SectionHeader>(blob, table + i * Unsafe.SizeOf<SectionHeader>());
        }
        bool hasSecurity = optional.NumberOfRvaAndSizes > DataDirectory.Security
            && coff.SizeOfOptionalHeader >= Unsafe.SizeOf<OptionalHeader>() + (DataDirectory.Security + 1) * Unsafe.SizeOf<DataDirectory>();
        return new PeImage(blob)
        {
            Coff = coff,
            Optional = optional,
            Headers = headers,
            CoffOffset = coffOffset,
            Sections = [.. headers.Select(header => SectionOf(blob, header))],
            Security = hasSecurity
                ? ReadAt<DataDirectory>(blob, optionalOffset + Unsafe.SizeOf<OptionalHeader>() + DataDirectory.Security * Unsafe.SizeOf<DataDirectory>())
                : default,
        };
    }

    internal static string NameOf(SectionHeader header) =>
        Encoding.Latin1.GetString(((ReadOnlySpan<byte>)header.Name).TrimEnd((byte)0));

    private static PeSection SectionOf(Blob blob, SectionHeader header)
    {
        string name = NameOf(header);
        uint length = Math.Min(header.VirtualSize, header.SizeOfRawData);
        if (header.PointerToRawData + (long)length > blob.Length)
        {
            throw new InvalidDataException($"pe: the section {Trees.FileName.Display(header.Name)} leaves the file");
        }
        return new PeSection(name, header.VirtualAddress, header.Characteristics, blob.Slice(header.PointerToRawData, length))
        {
            Offset = header.PointerToRawData,
        };
    }

    private static T ReadAt<T>(Blob blob, long offset) where T : unmanaged => OnDisk.Read<T>(blob.ReadBytes(offset, Unsafe.SizeOf<T>()));

    private static bool IsPowerOfTwo(uint value) => System.Numerics.BitOperations.IsPow2(value);
}
