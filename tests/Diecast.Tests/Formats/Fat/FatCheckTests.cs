using CsCheck;
using Diecast.Formats.Fat;
using Diecast.Images;
using Diecast.Tests.Support;

namespace Diecast.Tests.Formats.Fat;

/// <summary>What the check says of file systems, against fsck.fat.</summary>
public sealed class FatCheckTests
{
    private static IReadOnlyList<string> Check(byte[] image) => FatSamples.Format.Read(new MemoryBlob(image)).Check();

    [Theory]
    [InlineData(12)]
    [InlineData(16)]
    [InlineData(32)]
    public void OursAreSound(int bits) =>
        Assert.Empty(FatSamples.Format.Read(FatSamples.Write(FatSamples.Esp(), FatSamples.Options with { FatBits = bits })).Check());

    [Theory]
    [InlineData(12)]
    [InlineData(16)]
    [InlineData(32)]
    public void ThoseOfMkfsAreSound(int bits)
    {
        using var directory = new TempDirectory();
        Assert.Empty(Check(Make(directory, bits)));
        FatSamples.Fsck(directory["image"]);
    }

    /// <summary>A file system of mkfs.fat and mcopy, which stays in the directory as "image".</summary>
    private static byte[] Make(TempDirectory directory, int bits)
    {
        Directory.CreateDirectory(directory["EFI/Linux"]);
        File.WriteAllBytes(directory["EFI/Linux/image.efi"], FatSamples.Content(50_000, 1));
        File.WriteAllBytes(directory["EFI/empty"], []);
        Tool.RunOk("truncate", "-s", bits == 12 ? "2M" : bits == 16 ? "20M" : "40M", directory["image"]);
        Tool.RunOk("mkfs.vfat", "-F", $"{bits}", "-s", "1", directory["image"]);
        Tool.RunOk("mcopy", "-s", "-i", directory["image"], directory["EFI"], "::");
        Tool.RunOk("mcopy", "-i", directory["image"], directory["EFI/Linux/image.efi"], "::A");
        Tool.RunOk("mcopy", "-i", directory["image"], directory["EFI/Linux/image.efi"], "::B");
        return File.ReadAllBytes(directory["image"]);
    }

    [Theory]
    [InlineData(12, "second table", "FAT 2: differs from FAT 1 at entry")]
    [InlineData(16, "second table", "FAT 2: differs from FAT 1 at entry")]
    [InlineData(32, "second table", "FAT 2: differs from FAT 1 at entry")]
    [InlineData(16, "lost", "1 clusters from ")]
    [InlineData(32, "lost", "1 clusters from ")]
    [InlineData(32, "free count", "FSInfo sector: ")]
    [InlineData(32, "backup", "backup boot sector: differs in BPB_NumHeads")]
    [InlineData(16, "dirty", "not unmounted cleanly")]
    [InlineData(32, "dirty", "not unmounted cleanly")]
    [InlineData(16, "size", "/A: 98 clusters, and its 40000 bytes take 79")]
    [InlineData(32, "size", "/A: 98 clusters, and its 40000 bytes take 79")]
    [InlineData(16, "shared", "belongs to something else too")]
    [InlineData(32, "shared", "belongs to something else too")]
    public void DamageIsSaid(int bits, string damage, string expected)
    {
        using var directory = new TempDirectory();
        byte[] image = Make(directory, bits);
        Damage(image, bits, damage);
        var problems = Check(image);
        Assert.True(problems.Any(line => line.Contains(expected, StringComparison.Ordinal)), string.Join('\n', problems));
        Assert.True(problems.Count < 4, string.Join('\n', problems));
        File.WriteAllBytes(directory["image"], image);
        // With -n it exits with 0 on some of what it would repair.
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => FatSamples.Fsck(directory["image"]));
    }

    private static void Damage(byte[] image, int bits, string damage)
    {
        var boot = new BootRecord(new MemoryBlob(image));
        long root = bits == 32 ? boot.ClusterOffset(boot.RootCluster) : boot.RootOffset;
        long a = Enumerable.Range(0, 16).Select(i => root + i * 32).First(at => image.AsSpan((int)at, 11).SequenceEqual("A          "u8));
        switch (damage)
        {
            case "second table":
                image[boot.FatOffset(1) + 30] ^= 1;
                break;
            case "lost":
                for (int table = 0; table < 2; table++)
                {
                    image.AsSpan((int)boot.FatOffset(table) + 2000 * bits / 8, bits / 8).Fill(0xFF);
                    image[boot.FatOffset(table) + 2001 * bits / 8 - 1] &= bits == 32 ? (byte)0x0F : (byte)0xFF;
                }
                break;
            case "free count":
                image[512 + 488] ^= 1;
                break;
            case "backup":
                image[6 * 512 + 26] ^= 1;
                break;
            case "dirty":
                image[bits == 32 ? 0x41 : 0x25] |= 1;
                break;
            case "size":
                BitConverter.GetBytes(40_000).CopyTo(image, a + 28);
                break;
            case "shared":
                // The next file begins where the one before does.
                image.AsSpan((int)a + 26, 2).CopyTo(image.AsSpan((int)a + 32 + 26));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(damage));
        }
    }

    [Fact]
    public void DamageIsNoOtherError()
    {
        byte[] image = FatSamples.Write(FatSamples.Esp(), FatSamples.Options with { FatBits = 16, Size = 4 << 20 }).ReadBytes(0, 4 << 20);
        long[] interesting = [.. FatSamples.Format.Read(new MemoryBlob(image)).Layout().Extents
            .Where(static e => e.Label.Kind is not ("fat unused" or "file")).Select(static e => e.Offset)];
        Gen.Select(Gen.Int[0, interesting.Length - 1], Gen.Int[0, 511], Gen.Byte.Array[1, 6]).Sample((place, within, patch) =>
        {
            byte[] damaged = image.ToArray();
            patch.CopyTo(damaged, interesting[place] + within);
            Assert.InRange(Checker.Check(new MemoryBlob(damaged)).Count, 0, 51);
        }, iter: 200);
    }
}
