using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using CsCheck;
using Diecast.Formats.Uki;
using Diecast.Images;
using Diecast.Tests.Support;

namespace Diecast.Tests.Formats.Uki;

public sealed class UkiTests
{
    private static UkiOptions Options(byte[] stub, byte[] kernel, params byte[][] initrds) => new()
    {
        Stub = new MemoryBlob(stub),
        Linux = new MemoryBlob(kernel),
        Initrds = [.. initrds.Select(static initrd => new MemoryBlob(initrd))],
        OsRelease = new MemoryBlob("ID=arch\nNAME=\"Arch Linux\"\n"u8.ToArray()),
        CommandLine = "console=ttyS0 quiet",
        Uname = "6.12.1-arch1-1",
    };

    private static byte[] Bytes(Image image) => image.ReadBytes(0, (int)image.Length);

    private static string Text(Blob? blob) => Encoding.UTF8.GetString(blob!.ReadBytes(0, (int)blob.Length));

    [Fact]
    public void StructuresHaveTheSizesOfTheSpecification()
    {
        Assert.Equal(24, Unsafe.SizeOf<CoffHeader>());
        Assert.Equal(112, Unsafe.SizeOf<OptionalHeader>());
        Assert.Equal(8, Unsafe.SizeOf<DataDirectory>());
        Assert.Equal(40, Unsafe.SizeOf<SectionHeader>());
    }

    [Fact]
    public void TheSectionsAreThoseOfTheSpecification()
    {
        byte[] kernel = PeSample.Kernel(nx: true);
        var uki = UkiWriter.Write(Options(PeSample.Stub(), kernel, "initrd"u8.ToArray(), new byte[] { 1, 2, 3, 4, 5 }) with
        {
            Microcode = new MemoryBlob("ucode"u8.ToArray()),
            Splash = new MemoryBlob("BM"u8.ToArray()),
        });
        var pe = PeImage.Read(uki);
        Assert.Equal([".text", ".sbat", ".reloc", ".osrel", ".cmdline", ".uname", ".splash", ".linux", ".initrd", ".ucode"], pe.Sections.Select(static s => s.Name));
        Assert.Equal("console=ttyS0 quiet\0", Text(pe.Find(".cmdline")));
        Assert.Equal("initrd\0\0\x01\x02\x03\x04\x05\0\0\0", Text(pe.Find(".initrd")));
        Assert.Equal(PeSample.Sbat + "linux,1,Linux,linux,6,https://kernel.org\nuki,1,UKI,uki,1,https://uapi-group.org/specifications/specs/unified_kernel_image/\n\0", Text(pe.Find(".sbat")));
        Assert.Equal(ImageFile.Hash(new MemoryBlob(kernel)), pe.Sections.Single(static s => s.Name == ".linux").Digest());
        Assert.Equal((0u, 0x12345678u, true), (pe.Optional.CheckSum.Value, pe.TimeDateStamp, pe.IsNxCompatible));
        Assert.All(pe.Sections, static s => Assert.Equal(0u, s.VirtualAddress % 4096));
        Assert.Equal(PeImage.MachineX64, pe.Machine);
    }

    [Fact]
    public void AKernelWithoutNxTakesItFromTheWhole() =>
        Assert.False(PeImage.Read(UkiWriter.Write(Options(PeSample.Stub(), PeSample.Kernel(nx: false)))).IsNxCompatible);

    [Fact]
    public void ACompressedKernelIsUnpacked()
    {
        byte[] kernel = PeSample.Kernel(nx: true);
        var packed = Compressor.Compress(new MemoryBlob(kernel), Compression.Gzip, 6);
        Assert.Equal(Bytes(UkiWriter.Write(Options(PeSample.Stub(), kernel))),
            Bytes(UkiWriter.Write(Options(PeSample.Stub(), packed.ReadBytes(0, (int)packed.Length)))));
    }

    [Fact]
    public void ContentsAreReferenced()
    {
        var huge = new ComputedBlob(3L << 30, static (_, _) => { });
        var uki = UkiWriter.Write(Options(PeSample.Stub(), PeSample.Kernel(true)) with { Initrds = [huge] });
        Assert.Same(huge, uki.Extents.Single(static e => e.Label.ToString() == "uki section .initrd").Content);
        Assert.Equal(huge.Length, PeImage.Read(uki).Find(".initrd")!.Length);
        Assert.Throws<InvalidDataException>(() => UkiWriter.Write(Options(PeSample.Stub(), PeSample.Kernel(true)) with { Initrds = [huge, huge] }));
    }

    private static string[] ForeignSections(byte[] file)
    {
        using var directory = new TempDirectory();
        File.WriteAllBytes(directory["uki.efi"], file);
        return [.. Tool.Run("objdump", "-h", directory["uki.efi"]).Output.Split('\n')
            .Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(static fields => fields.Length == 7 && int.TryParse(fields[0], out _))
            .Select(static f => $"{f[1]} {Hex(f[2])} {Hex(f[3])} {Hex(f[5])}")];

        static string Hex(string text) => ulong.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture).ToString("x", CultureInfo.InvariantCulture);
    }

    [Fact]
    public void TheForeignToolSeesTheSections()
    {
        byte[] uki = Bytes(UkiWriter.Write(Options(PeSample.Stub(), PeSample.Kernel(true), "initrd"u8.ToArray())));
        var expected = PeImage.Read(new MemoryBlob(uki));
        Assert.Equal(
            expected.Sections.Zip(expected.Headers, static (s, h) => $"{s.Name} {s.Content.Length:x} {s.VirtualAddress:x} {h.PointerToRawData.Value:x}"),
            ForeignSections(uki));
        // The first section's address.
        byte[] flipped = [.. uki];
        flipped[(int)expected.SectionTableOffset + 13] ^= 0x40;
        Assert.NotEqual(ForeignSections(uki), ForeignSections(flipped));
    }

    /// <summary>In a root with systemd's ukify, named by DIECAST_TRIXIE, its output is ours to the last byte.</summary>
    [Theory]
    [InlineData(false, true, 2)]
    [InlineData(true, true, 1)]
    [InlineData(true, false, 0)]
    public void UkifyWritesTheSameBytes(bool systemdStub, bool nx, int initrds)
    {
        string root = Fixture.Trixie;
        using var directory = new TempDirectory(root + "/tmp");
        string inside = directory.Path[root.Length..];
        byte[] stub = systemdStub ? File.ReadAllBytes(root + "/usr/lib/systemd/boot/efi/linuxx64.efi.stub") : PeSample.Stub();
        byte[][] contents = [.. Enumerable.Range(1, initrds).Select(static i => Enumerable.Repeat((byte)i, 1000 * i + 1).ToArray())];
        var options = Options(stub, PeSample.Kernel(nx), contents) with { Microcode = new MemoryBlob("microcode"u8.ToArray()) };
        var files = new Dictionary<string, Blob>(StringComparer.Ordinal)
        {
            ["stub"] = options.Stub, ["linux"] = options.Linux, ["osrel"] = options.OsRelease!, ["ucode"] = options.Microcode!,
            ["cmdline"] = new MemoryBlob(Encoding.ASCII.GetBytes(options.CommandLine + "\0")),
        };
        for (int i = 0; i < initrds; i++)
        {
            files[$"initrd{i}"] = options.Initrds[i];
        }
        foreach (var (name, blob) in files)
        {
            ImageFile.Write(blob, directory[name]);
        }
        Tool.RunOk("chroot", [root, "/usr/bin/ukify", "build", "--efi-arch=x64", $"--stub={inside}/stub", $"--linux={inside}/linux",
            $"--os-release=@{inside}/osrel", $"--cmdline=@{inside}/cmdline", $"--uname={options.Uname}", $"--microcode={inside}/ucode",
            .. Enumerable.Range(0, initrds).Select(i => $"--initrd={inside}/initrd{i}"), $"--output={inside}/out.efi"]);
        byte[] expected = File.ReadAllBytes(directory["out.efi"]);
        Assert.True(expected.AsSpan().SequenceEqual(Bytes(UkiWriter.Write(options))));
    }

    [Fact]
    public void BadStubsAndKernelsAreNamed()
    {
        Refused("pe: no PE header", Options("MZ"u8.ToArray(), PeSample.Kernel(true)));
        Refused("pe: no PE header", Options(PeSample.Stub(), "vmlinuz"u8.ToArray()));
        Refused("no room for", Options(PeSample.Make(true, 0x200, (".text", new byte[1])), PeSample.Kernel(true)));
        Refused("no sections", Options(PeSample.Make(), PeSample.Kernel(true)));
        byte[] signed = PeSample.Stub();
        signed[0x80 + 24 + 112 + 4 * 8] = 1;
        Refused("signed", Options(signed, PeSample.Kernel(true)));

        static void Refused(string message, UkiOptions options) => Assert.Contains(
            message, Assert.Throws<InvalidDataException>(() => UkiWriter.Write(options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnOldStubIsAlignedAndStripped()
    {
        byte[] stub = PeSample.Stub();
        // A symbol table of one symbol and an empty string table at the end.
        byte[] symbols = [.. stub, .. new byte[18], 4, 0, 0, 0];
        BitConverter.TryWriteBytes(symbols.AsSpan(0x80 + 12), (uint)stub.Length);
        BitConverter.TryWriteBytes(symbols.AsSpan(0x80 + 16), 1u);
        byte[] plain = Bytes(UkiWriter.Write(Options(stub, PeSample.Kernel(true))));
        byte[] stripped = Bytes(UkiWriter.Write(Options(symbols, PeSample.Kernel(true))));
        plain[0x80 + 22] |= 8;
        Assert.True(plain.AsSpan().SequenceEqual(stripped));
    }

    [Fact]
    public void MutatedFilesAreUnderstoodOrRefused()
    {
        byte[] stub = PeSample.Stub();
        Gen.Select(Gen.Int[0, 0x250], Gen.Byte).Array[1, 5].Sample(changes =>
        {
            byte[] mutated = [.. stub];
            foreach (var (place, value) in changes)
            {
                mutated[place] = value;
            }
            try
            {
                UkiWriter.Write(Options(mutated, PeSample.Kernel(true)));
                UkiWriter.Write(Options(stub, mutated));
            }
            catch (InvalidDataException)
            {
            }
        }, iter: 3000);
    }
}
