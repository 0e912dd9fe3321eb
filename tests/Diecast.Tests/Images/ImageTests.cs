using System.Security.Cryptography;
using CsCheck;
using Diecast.Images;
using Diecast.Tests.Support;

namespace Diecast.Tests.Images;

public sealed class ImageTests
{
    private static Image Sample()
    {
        var inner = new ImageBuilder();
        inner.Place(10, "inner"u8.ToArray(), "inner");
        var outer = new ImageBuilder();
        outer.Place(3_000_000, inner.Build(100), "nested");
        outer.Place(5, "first"u8.ToArray(), "first");
        outer.Place(10, new ComputedBlob(1_500_000, static (offset, span) =>
        {
            for (int i = 0; i < span.Length; i++)
            {
                span[i] = (byte)((offset + i) % 251);
            }
        }), "computed");
        return outer.Build(4_000_000);
    }

    [Fact]
    public void GapsAreZeroAndNestedImagesAreFlattened()
    {
        var image = Sample();
        Assert.Equal("\0first"u8.ToArray(), image.ReadBytes(4, 6));
        Assert.Equal("\0inner\0"u8.ToArray(), image.ReadBytes(3_000_009, 7));
        Assert.Equal(["first", "computed", "inner"], image.Leaves().Select(leaf => leaf.Label.ToString()));
    }

    [Fact]
    public void PiecewiseReadsEqualTheWhole()
    {
        var image = Sample();
        byte[] whole = image.ReadBytes(0, (int)image.Length);
        Gen.Select(Gen.Int[0, 3_999_999], Gen.Int[0, 100_000]).Sample((offset, length) =>
        {
            length = Math.Min(length, (int)image.Length - offset);
            return image.ReadBytes(offset, length).AsSpan().SequenceEqual(whole.AsSpan(offset, length));
        });
    }

    [Fact]
    public void OverlapIsABug()
    {
        var builder = new ImageBuilder();
        builder.Place(0, new byte[10], "a");
        builder.Place(9, new byte[10], "b");
        Assert.Throws<InvalidOperationException>(() => builder.Build(100));
    }

    [Fact]
    public void FileHasTheImagesBytesAndDigest()
    {
        using var directory = new TempDirectory();
        var image = Sample();
        byte[] digest = ImageFile.WriteHashed(image, directory["out"]);
        byte[] written = File.ReadAllBytes(directory["out"]);
        Assert.Equal(image.ReadBytes(0, (int)image.Length), written);
        Assert.Equal(SHA256.HashData(written), digest);
        Assert.Equal(digest, ImageFile.Hash(image));
        Assert.Equal(["out"], Directory.GetFileSystemEntries(directory.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void AFailingSourceLeavesNothing()
    {
        using var directory = new TempDirectory();
        var bad = new ComputedBlob(50_000_000, static (offset, _) =>
        {
            if (offset > 20_000_000)
            {
                throw new IOException("gone");
            }
        });
        File.WriteAllText(directory["out"], "old");
        Assert.Equal("gone", Assert.Throws<IOException>(() => ImageFile.Write(bad, directory["out"])).Message);
        Assert.Equal("old", File.ReadAllText(directory["out"]));
        Assert.Single(Directory.GetFileSystemEntries(directory.Path));
    }

    [Fact]
    public void AFullTargetIsAnError() => Assert.ThrowsAny<IOException>(() => ImageFile.Write(Sample(), "/proc/diecast"));

    [Fact]
    public void HolesAreFoundByContent()
    {
        // Runs of zeros and data of random lengths in blocks, against the definition.
        Gen.Select(Gen.Bool, Gen.Int[1, 40]).Array[0, 12].Sample(runs =>
        {
            var blocks = runs.SelectMany(run => Enumerable.Repeat(run.Item1, run.Item2)).ToArray();
            var content = new byte[blocks.Length * DataRuns.Grain];
            for (int i = 0; i < blocks.Length; i++)
            {
                content[i * DataRuns.Grain + i % DataRuns.Grain] = blocks[i] ? (byte)1 : (byte)0;
            }
            var expected = new bool[blocks.Length];
            for (int i = 0; i < blocks.Length;)
            {
                int end = i;
                while (end < blocks.Length && blocks[end] == blocks[i])
                {
                    end++;
                }
                bool hole = !blocks[i] && (end - i) * DataRuns.Grain >= DataRuns.MinimumHole;
                Array.Fill(expected, !hole, i, end - i);
                i = end;
            }
            var found = new bool[blocks.Length];
            foreach (var run in DataRuns.Find(new MemoryBlob(content)))
            {
                Array.Fill(found, true, (int)(run.Offset / DataRuns.Grain), (int)(run.Length / DataRuns.Grain));
            }
            return expected.AsSpan().SequenceEqual(found);
        });
    }
}
