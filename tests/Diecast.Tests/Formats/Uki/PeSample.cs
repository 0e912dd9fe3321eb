using System.Runtime.CompilerServices;
using System.Text;
using Diecast.Binary;
using Diecast.Formats.Uki;

namespace Diecast.Tests.Formats.Uki;

/// <summary>Small PE files: no firmware would start them, but they have all that the format asks for.</summary>
internal static class PeSample
{
    public const string Sbat = "sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\nthing,1,Thing,thing,1,https://example.org\n";

    public static byte[] Make(bool nx = true, int headers = 0x600, params (string Name, byte[] Content)[] sections)
    {
        const int peOffset = 0x80;
        int optionalSize = Unsafe.SizeOf<OptionalHeader>() + 16 * Unsafe.SizeOf<DataDirectory>();
        var data = new List<byte>(new byte[headers]);
        var table = new List<SectionHeader>();
        uint address = 0x1000;
        foreach (var (name, content) in sections)
        {
            var header = new SectionHeader
            {
                VirtualSize = (uint)content.Length,
                VirtualAddress = address,
                PointerToRawData = (uint)data.Count,
                SizeOfRawData = (uint)(content.Length + 511) / 512 * 512,
                Characteristics = SectionHeader.MemoryRead | SectionHeader.ContainsInitializedData,
            };
            Encoding.ASCII.GetBytes(name).CopyTo((Span<byte>)header.Name);
            table.Add(header);
            data.AddRange(content);
            data.AddRange(new byte[-data.Count & 511]);
            address += (uint)(content.Length + 4095) / 4096 * 4096;
        }
        byte[] file = [.. data];
        "MZ"u8.CopyTo(file);
        OnDisk.Write(file.AsSpan(0x3c), new Le<uint>(peOffset));
        OnDisk.Write(file.AsSpan(peOffset), new CoffHeader
        {
            Signature = 0x4550,
            Machine = PeImage.MachineX64,
            NumberOfSections = (ushort)sections.Length,
            TimeDateStamp = 0x12345678,
            SizeOfOptionalHeader = (ushort)optionalSize,
            Characteristics = 0x22e,
        });
        int optional = peOffset + Unsafe.SizeOf<CoffHeader>();
        OnDisk.Write(file.AsSpan(optional), new OptionalHeader
        {
            Magic = OptionalHeader.MagicPe32Plus,
            AddressOfEntryPoint = 0x1000,
            SectionAlignment = 0x1000,
            FileAlignment = 0x200,
            SizeOfImage = address,
            SizeOfHeaders = (uint)headers,
            CheckSum = 0x1234,
            Subsystem = 10,
            DllCharacteristics = (ushort)(0x60 | (nx ? OptionalHeader.NxCompatible : 0)),
            NumberOfRvaAndSizes = 16,
        });
        OnDisk.Bytes<SectionHeader>(table.ToArray()).CopyTo(file.AsSpan(optional + optionalSize));
        return file;
    }

    public static byte[] Stub() => Make(nx: true, 0x600,
        (".text", Enumerable.Repeat((byte)0x90, 5000).ToArray()), (".sbat", Encoding.ASCII.GetBytes(Sbat)), (".reloc", new byte[12]));

    public static byte[] Kernel(bool nx) => Make(nx, 0x400, (".text", Enumerable.Range(0, 10_000).Select(static i => (byte)(i * 7)).ToArray()),
        (".sbat", Encoding.ASCII.GetBytes("sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\nlinux,1,Linux,linux,6,https://kernel.org\n")));
}
