using System.Runtime.CompilerServices;
using System.Text;
using Diecast.Binary;
using Diecast.Images;

namespace Diecast.Formats.Uki;

/// <summary>What a unified kernel image is made of; what is null is left out.</summary>
public sealed record UkiOptions
{
    /// <summary>The EFI program that unpacks and starts the rest: systemd-stub.</summary>
    public required Blob Stub { get; init; }

    /// <summary>An EFI kernel; a compressed one is unpacked, as firmware cannot load it.</summary>
    public required Blob Linux { get; init; }

    /// <summary>In the order in which the kernel unpacks them.</summary>
    public IReadOnlyList<Blob> Initrds { get; init; } = [];

    /// <summary>Microcode as a cpio archive, which a stub of 256 or later puts before the initrds.</summary>
    public Blob? Microcode { get; init; }

    /// <summary>The content of os-release.</summary>
    public Blob? OsRelease { get; init; }

    /// <summary>Without terminator.</summary>
    public string? CommandLine { get; init; }

    /// <summary>The kernel's version, as of <c>uname -r</c>.</summary>
    public string? Uname { get; init; }

    /// <summary>A bitmap to show while booting.</summary>
    public Blob? Splash { get; init; }

    /// <summary>A device tree.</summary>
    public Blob? DeviceTree { get; init; }

    /// <summary>The public key that signatures of expected measurements are checked with (PEM).</summary>
    public Blob? PcrPublicKey { get; init; }
}

/// <summary>
/// Writes a unified kernel image: https://uapi-group.org/specifications/specs/unified_kernel_image/. The bytes are those
/// of systemd's ukify. The sections' contents are referenced.
/// </summary>
public static class UkiWriter
{
    private const int MaximumStub = 16 << 20;

    private const string SbatHeader = "sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\n";
    private const string SbatOfUki = "uki,1,UKI,uki,1,https://uapi-group.org/specifications/specs/unified_kernel_image/";

    /// <exception cref="InvalidDataException">The stub or the kernel is none, or the stub has no room for the sections.</exception>
    public static Image Write(UkiOptions options)
    {
        if (options.Stub.Length > MaximumStub)
        {
            throw new InvalidDataException($"uki: the stub has {options.Stub.Length} bytes; at most {MaximumStub} are expected");
        }
        var linux = KernelOf(options.Linux);
        var stub = new Stub(options.Stub.ReadBytes(0, (int)options.Stub.Length));
        if (!linux.Pe.IsNxCompatible)
        {
            // Both must say the same, or firmware that enforces it starts one and not the other.
            stub.ClearNxCompatible();
        }
        // Old stubs want the command line terminated.
        stub.Add(".osrel", options.OsRelease);
        stub.Add(".cmdline", options.CommandLine is null ? null : Text(options.CommandLine + "\0"));
        stub.Add(".dtb", options.DeviceTree);
        stub.Add(".uname", options.Uname is null ? null : Text(options.Uname));
        stub.Add(".splash", options.Splash);
        stub.Add(".pcrpkey", options.PcrPublicKey);
        stub.Add(".linux", linux.Blob);
        stub.Add(".initrd", Join(options.Initrds));
        stub.Add(".ucode", options.Microcode);
        stub.ReplaceSection(".sbat", MergedSbat(options.Stub, linux.Pe));
        return stub.Build();
    }

    private static (Blob Blob, PeImage Pe) KernelOf(Blob linux)
    {
        var blob = PeImage.Recognizes(linux) ? linux : Decompressor.Open(linux);
        return (blob, PeImage.Read(blob));
    }

    private static MemoryBlob Text(string text) => new(Encoding.UTF8.GetBytes(text));

    /// <summary>Several initrds are padded to four bytes each and follow each other; a single one stays as it is.</summary>
    private static Blob? Join(IReadOnlyList<Blob> initrds)
    {
        if (initrds.Count < 2)
        {
            return initrds.Count == 0 ? null : initrds[0];
        }
        var builder = new ImageBuilder();
        long position = 0;
        for (int i = 0; i < initrds.Count; i++)
        {
            builder.Place(position, initrds[i], new Label("initrd", i + 1));
            position += initrds[i].Length.AlignUp(4);
        }
        return builder.Build(position);
    }

    /// <summary>The revocation data of the stub and of the kernel under one header, so that either can be revoked.</summary>
    private static byte[] MergedSbat(Blob stub, PeImage linux)
    {
        var lines = new List<string>();
        foreach (var pe in (PeImage[])[PeImage.Read(stub), linux])
        {
            if (pe.Find(".sbat") is not { Length: > 0 and < 65536 } sbat)
            {
                continue;
            }
            string[] own = Encoding.UTF8.GetString(sbat.ReadBytes(0, (int)sbat.Length)).TrimEnd('\0').Split('\n');
            if (own[0].StartsWith("sbat,", StringComparison.Ordinal))
            {
                lines.AddRange(own[1..].Select(static line => line.TrimEnd('\r')));
                if (lines.Count > 0 && lines[^1].Length == 0)
                {
                    lines.RemoveAt(lines.Count - 1);
                }
            }
        }
        lines.Add(SbatOfUki);
        return Encoding.UTF8.GetBytes($"{SbatHeader}{string.Join('\n', lines)}\n\0");
    }

    /// <summary>The stub's bytes while sections are appended.</summary>
    private sealed class Stub
    {
        private readonly List<(Blob Content, long Offset, string Name)> _added = [];
        private readonly List<SectionHeader> _headers;
        private readonly PeImage _pe;
        private byte[] _data;
        private CoffHeader _coff;
        private OptionalHeader _optional;
        private long _end;

        public Stub(byte[] data)
        {
            _data = data;
            _pe = PeImage.Read(new MemoryBlob(data));
            _coff = _pe.Coff;
            _optional = _pe.Optional;
            _headers = [.. _pe.Headers];
            if (_pe.Security.VirtualAddress != 0)
            {
                throw new InvalidDataException("uki: the stub is signed");
            }
            if (_headers.Count == 0)
            {
                throw new InvalidDataException("uki: the stub has no sections");
            }
            DropSymbolTable();
            AlignSections();
            _optional.SizeOfHeaders = checked((uint)((long)_optional.SizeOfHeaders.Value).AlignUp(_optional.FileAlignment));
            _end = _data.Length;
        }

        public void ClearNxCompatible() =>
            _optional.DllCharacteristics = (ushort)(_optional.DllCharacteristics & ~OptionalHeader.NxCompatible);

        /// <summary>Puts content in the place of a section of the stub, or appends it where there is none.</summary>
        public void ReplaceSection(string name, byte[] content)
        {
            int index = _headers.FindIndex(header => PeImage.NameOf(header) == name);
            if (index < 0)
            {
                Add(name, new MemoryBlob(content));
                return;
            }
            var header = _headers[index];
            if (content.Length > header.SizeOfRawData || header.PointerToRawData + (long)header.SizeOfRawData > _data.Length)
            {
                throw new InvalidDataException($"uki: the stub's section {name} has no room for {content.Length} bytes");
            }
            var place = _data.AsSpan((int)header.PointerToRawData.Value, (int)header.SizeOfRawData.Value);
            place.Clear();
            content.CopyTo(place);
            header.VirtualSize = (uint)content.Length;
            _headers[index] = header;
        }

        /// <summary>Appends a section.</summary>
        public void Add(string name, Blob? content)
        {
            if (content is null || content.Length == 0)
            {
                return;
            }
            var last = _headers[^1];
            long pointer = _end.AlignUp(_optional.FileAlignment);
            long rawSize = content.Length.AlignUp(_optional.FileAlignment);
            long address = ((long)last.VirtualAddress.Value + last.VirtualSize.Value).AlignUp(_optional.SectionAlignment);
            if (pointer + rawSize > uint.MaxValue || address + content.Length > uint.MaxValue)
            {
                throw new InvalidDataException($"uki: {name} of {content.Length} bytes does not fit a PE file");
            }
            var header = new SectionHeader
            {
                VirtualSize = (uint)content.Length,
                VirtualAddress = (uint)address,
                SizeOfRawData = (uint)rawSize,
                PointerToRawData = (uint)pointer,
                Characteristics = SectionHeader.MemoryRead
                    | (name == ".linux" ? SectionHeader.ContainsCode : SectionHeader.ContainsInitializedData),
            };
            Encoding.ASCII.GetBytes(name).CopyTo((Span<byte>)header.Name);
            _headers.Add(header);
            _added.Add((content, pointer, name));
            _optional.SizeOfInitializedData = unchecked(_optional.SizeOfInitializedData + (uint)content.Length);
            _end = pointer + rawSize;
        }

        public Image Build()
        {
            var last = _headers[^1];
            _coff.NumberOfSections = (ushort)_headers.Count;
            _optional.CheckSum = 0;
            _optional.SizeOfImage = checked((uint)((long)last.VirtualAddress.Value + last.VirtualSize.Value).AlignUp(_optional.SectionAlignment));
            byte[] table = OnDisk.Bytes<SectionHeader>(_headers.ToArray());
            // One more than there are must fit, as the specification has an empty entry for the end.
            if (_pe.SectionTableOffset + table.Length + Unsafe.SizeOf<SectionHeader>() > Math.Min(_optional.SizeOfHeaders, (uint)_data.Length))
            {
                throw new InvalidDataException($"uki: the stub has no room for {_headers.Count} section headers");
            }
            OnDisk.Write(_data.AsSpan((int)_pe.CoffOffset), _coff);
            OnDisk.Write(_data.AsSpan((int)_pe.OptionalOffset), _optional);
            table.CopyTo(_data.AsSpan((int)_pe.SectionTableOffset));
            var builder = new ImageBuilder();
            builder.Place(0, _data, "uki stub");
            foreach (var (content, offset, name) in _added)
            {
                builder.Place(offset, content, new Label("uki section", name));
            }
            return builder.Build(_end);
        }

        // An executable needs no symbols; at the end of the file they would be in the way.
        private void DropSymbolTable()
        {
            long table = _coff.PointerToSymbolTable;
            long end = table + 18L * _coff.NumberOfSymbols;
            if (table == 0 || end + 4 > _data.Length)
            {
                return;
            }
            end += OnDisk.Read<Le<uint>>(_data.AsSpan((int)end, 4));
            if (end == _data.Length)
            {
                _data = _data[..(int)table];
                _coff.PointerToSymbolTable = 0;
                _coff.NumberOfSymbols = 0;
                _coff.Characteristics = (ushort)(_coff.Characteristics | CoffHeader.LocalSymbolsStripped);
            }
        }

        // Stubs that were stripped have sections that do not start where the file alignment says.
        private void AlignSections()
        {
            var data = new List<byte>(_data);
            long moved = 0;
            for (int i = 0; i < _headers.Count; i++)
            {
                var header = _headers[i];
                long oldPointer = header.PointerToRawData + moved;
                long oldSize = header.SizeOfRawData;
                long pointer = oldPointer.AlignUp(_optional.FileAlignment);
                long size = oldSize.AlignUp(_optional.FileAlignment);
                if (oldPointer + oldSize > data.Count || size > MaximumStub || pointer > MaximumStub)
                {
                    throw new InvalidDataException($"uki: the stub's section {i + 1} leaves the file");
                }
                data.InsertRange((int)(oldPointer + oldSize), new byte[size - oldSize]);
                data.InsertRange((int)oldPointer, new byte[pointer - oldPointer]);
                moved += pointer - oldPointer + size - oldSize;
                header.PointerToRawData = (uint)pointer;
                header.SizeOfRawData = (uint)size;
                _headers[i] = header;
            }
            _data = [.. data];
        }
    }
}
