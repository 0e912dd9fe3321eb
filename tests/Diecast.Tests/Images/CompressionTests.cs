using System.Security.Cryptography;
using CsCheck;
using Diecast.Images;
using Diecast.Tests.Support;

namespace Diecast.Tests.Images;

public sealed class CompressionTests
{
    /// <summary>Text-like data with repetitions, and some that cannot be compressed at the end.</summary>
    private static byte[] Sample(int length)
    {
        var data = new byte[length];
        uint state = 1;
        for (int i = 0; i < length; i++)
        {
            state = state * 1_664_525 + 1_013_904_223;
            data[i] = i > length - length / 8 ? (byte)(state >> 24) : (byte)"the quick brown fox "[(int)(state >> 28) + i % 4];
        }
        return data;
    }

    private static byte[] Decompress(byte[] data, long limit = long.MaxValue)
    {
        using var stream = Decompressor.Open(new MemoryStream(data), limit);
        var output = new MemoryStream();
        stream.CopyTo(output, 70_001);
        return output.ToArray();
    }

    private static byte[] CompressWith(TempDirectory directory, byte[] data, string program, params string[] options)
    {
        File.WriteAllBytes(directory["data"], data);
        Tool.RunOk("sh", ["-c", "\"$0\" \"$@\" -c \"$DATA\" >\"$DATA.out\"".Replace("$DATA", directory["data"], StringComparison.Ordinal),
            Tool.Require(program), .. options]);
        return File.ReadAllBytes(directory["data.out"]);
    }

    [Theory]
    [InlineData("gzip", "-n")]
    [InlineData("xz", "--check=none")]
    [InlineData("xz", "--check=crc32", "--lzma2=dict=1MiB")]
    [InlineData("xz", "--check=crc64", "--block-size=300000", "-T2")]
    [InlineData("xz", "--check=sha256", "-0")]
    [InlineData("zstd", "-19")]
    [InlineData("zstd", "-T2", "-B1MiB", "--no-check")]
    public void ForeignEncodersAreUndone(string program, params string[] options)
    {
        using var directory = new TempDirectory();
        foreach (int length in (int[])[0, 1, 900_000])
        {
            byte[] data = Sample(length);
            byte[] packed = CompressWith(directory, data, program, options);
            Assert.True(Decompress(packed).AsSpan().SequenceEqual(data));
            Assert.True(Decompress([.. packed, .. packed]).AsSpan().SequenceEqual([.. data, .. data]));
            if (length > 1)
            {
                Assert.Throws<InvalidDataException>(() => Decompress(packed, length - 1));
                Assert.Throws<InvalidDataException>(() => Decompress(packed[..^1]));
                Assert.Throws<InvalidDataException>(() => Decompress(packed[..(packed.Length / 2)]));
            }
        }
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("xz", "--check=crc32")]
    [InlineData("xz", "--check=crc64")]
    [InlineData("xz", "--check=sha256")]
    [InlineData("zstd", "--check")]
    public void DamageIsInvalidDataAndNothingElse(string program, params string[] options)
    {
        using var directory = new TempDirectory();
        byte[] data = Sample(20_000);
        byte[] packed = CompressWith(directory, data, program, options);
        Gen.Select(Gen.Int[0, packed.Length - 1], Gen.Byte[1, 255]).Array[1, 3].Sample(changes =>
        {
            byte[] damaged = [.. packed];
            foreach (var (place, difference) in changes)
            {
                damaged[place] ^= difference;
            }
            // A damaged magic makes it plain data; gzip's header has fields that mean nothing.
            bool meaningful = changes.All(change => change.Item1 > 9);
            try
            {
                byte[] result = Decompress(damaged, 10_000_000);
                return !meaningful || result.AsSpan().SequenceEqual(data);
            }
            catch (InvalidDataException)
            {
                return true;
            }
        }, iter: 100, threads: 1);
    }

    [Fact]
    public void ErrorsOfTheSourceStayWhatTheyAre()
    {
        var broken = new BlobStream(new ComputedBlob(100, static (offset, destination) =>
        {
            byte[] start = [0x28, 0xb5, 0x2f, 0xfd, 0, 0];
            start.CopyTo(offset == 0 ? destination : throw new IOException("the disk is gone"));
        }));
        using var stream = Decompressor.Open(broken);
        Assert.Equal("the disk is gone", Assert.Throws<IOException>(() => stream.ReadByte()).Message);
    }

    [Fact]
    public void PlainDataPassesThrough()
    {
        Assert.Equal("ab"u8.ToArray(), Decompress("ab"u8.ToArray()));
        var blob = new MemoryBlob("plain data"u8.ToArray());
        Assert.Same(blob, Decompressor.Open(blob));
    }

    // Pinned: an encoder that gives other bytes is a change of what is released.
    [Theory]
    [InlineData(Compression.Zstd, 3, 9_000_000, "zstd", "9a72a163fdee08cf")]
    [InlineData(Compression.Zstd, 19, 300_000, "zstd", "480b0a2a616cc718")]
    [InlineData(Compression.Gzip, 6, 900_000, "gzip", "2105c84c6941f0de")]
    public void EncodersArePinnedAndUndoneByForeignTools(Compression compression, int level, int length, string program, string digest)
    {
        byte[] data = Sample(length);
        var packed = Compressor.Compress(new MemoryBlob(data), compression, level);
        Assert.Equal(digest, Convert.ToHexStringLower(ImageFile.Hash(packed))[..16]);
        byte[] bytes = packed.ReadBytes(0, (int)packed.Length);
        Assert.True(Decompress(bytes).AsSpan().SequenceEqual(data));
        using var directory = new TempDirectory();
        File.WriteAllBytes(directory["packed"], bytes);
        Tool.RunOk("sh", "-c", $"{program} -dc <'{directory["packed"]}' >'{directory["data"]}'");
        Assert.Equal(SHA256.HashData(data), SHA256.HashData(File.ReadAllBytes(directory["data"])));
    }

    [Theory]
    [InlineData(Compression.Zstd, "zstd")]
    [InlineData(Compression.Gzip, "gzip")]
    public void ForeignDecodersNoticeAFlippedByte(Compression compression, string program)
    {
        using var directory = new TempDirectory();
        var packed = Compressor.Compress(new MemoryBlob(Sample(100_000)), compression, 3);
        byte[] bytes = packed.ReadBytes(0, (int)packed.Length);
        bytes[^3] ^= 1;
        File.WriteAllBytes(directory["packed"], bytes);
        Assert.NotEqual(0, Tool.Run("sh", "-c", $"{program} -dc <'{directory["packed"]}' >/dev/null").ExitCode);
    }

    [Fact]
    public void EmptyDataIsEncodedToo()
    {
        foreach (var compression in (Compression[])[Compression.Zstd, Compression.Gzip])
        {
            var packed = Compressor.Compress(Blob.Empty, compression, 3);
            Assert.Empty(Decompress(packed.ReadBytes(0, (int)packed.Length)));
        }
    }

    [Fact]
    public void TheNumberOfThreadsDoesNotMatter()
    {
        byte[] data = Sample(18_000_000);
        byte[] alone = ImageFile.Hash(Compressor.Compress(new MemoryBlob(data), Compression.Zstd, 3));
        // Several at once on a busy pool.
        var together = new byte[2][];
        Parallel.For(0, together.Length, i =>
            together[i] = ImageFile.Hash(Compressor.Compress(new MemoryBlob(data), Compression.Zstd, 3)));
        Assert.All(together, digest => Assert.Equal(alone, digest));
    }

    [Fact]
    public void ASpillFileHasNoName()
    {
        using var directory = new TempDirectory();
        string[] before = Directory.GetFiles(Path.GetTempPath(), "diecast-*");
        var spill = SpillFile.Create(static output =>
        {
            output.Write("some"u8);
            output.Write("thing"u8);
        });
        Assert.Equal("something"u8.ToArray(), spill.ReadBytes(0, 9));
        Assert.Equal("thing"u8.ToArray(), spill.Slice(4, 5).ReadBytes(0, 5));
        Assert.Equal(before, Directory.GetFiles(Path.GetTempPath(), "diecast-*"));
    }
}
