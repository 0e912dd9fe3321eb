using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Tests.Trees;

public sealed class TreeTimesTests
{
    private static Metadata At(long seconds, uint nanoseconds = 0) =>
        new(0x1A4, 1, 2, new Timestamp(seconds, nanoseconds)) { Xattrs = [Xattr.Create("user.x"u8, "y"u8)] };

    private static FileTree Sample()
    {
        var builder = new TreeBuilder(At(5));
        var linked = new FileNode(At(100, 7), Blob.Empty);
        builder.Add("dir/first", linked);
        builder.Add("second", linked);
        builder.Add("old", new SymlinkNode(At(3, 9), [(byte)'x']));
        builder.Add("null", new DeviceNode(At(100), FileType.CharacterDevice, 1, 3));
        builder.Add("pipe", new SpecialNode(At(50, 1), FileType.Fifo));
        builder.AddDirectory("dir", At(60));
        return builder.Build();
    }

    [Fact]
    public void TheNewestTimeCountsNanoseconds() => Assert.Equal(new Timestamp(100, 7), TreeTimes.Newest(Sample()));

    [Fact]
    public void LaterTimesAreClampedAndNothingElseChanges()
    {
        string expected = TreeText.Format(Sample()).Replace("100.000000007", "50.000000000", StringComparison.Ordinal)
            .Replace("100.000000000", "50.000000000", StringComparison.Ordinal).Replace("50.000000001", "50.000000000", StringComparison.Ordinal)
            .Replace("60.000000000", "50.000000000", StringComparison.Ordinal);
        var clamped = TreeTimes.Clamp(Sample(), new Timestamp(50));
        Assert.Equal(expected, TreeText.Format(clamped));
        Assert.Same(clamped.Find("second"), clamped.Find("dir/first"));
    }
}
