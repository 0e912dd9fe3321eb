using Diecast.Formats.Ext4;
using Diecast.Images;
using Diecast.Tests.Support;

namespace Diecast.Tests.Formats.Ext4;

/// <summary>What e2fsprogs and the kernel say of what the writer made.</summary>
public sealed class Ext4OracleTests
{
    private static readonly Ext4Format s_ext4 = new();

    [Theory]
    [InlineData(null)]
    [InlineData(32L << 20)]
    [InlineData(338497536L)]
    [InlineData(3L << 30)]
    [InlineData(70L << 30)]
    public void E2fsckFindsNothing(long? size)
    {
        using var directory = new TempDirectory();
        var options = Ext4Samples.Options with { Size = size };
        Assert.Empty(s_ext4.Check(Ext4Samples.Everything(), options));
        ImageFile.Write(s_ext4.Write(Ext4Samples.Everything(), options), directory["image"]);
        E2fsck.Clean(directory["image"]);
    }
}

internal static class E2fsck
{
    public static void Clean(string image)
    {
        var result = Tool.Run("e2fsck", "-fn", image);
        Assert.True(result.ExitCode == 0, result.All);
    }
}
