using Diecast.Formats;
using Diecast.Images;
using Diecast.Tests.Formats.Fat;
using Diecast.Trees;

namespace Diecast.Tests.Formats;

public sealed class FormatTableTests
{
    [Fact]
    public void FormatsAreFoundByTheirNames()
    {
        Assert.All(FormatTable.All, static format => Assert.Same(format, FormatTable.Find(format.Name)));
        Assert.Equal(FormatTable.All.Count, FormatTable.All.Select(static format => format.Name).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal("vfat", FormatTable.Find("vfat")?.Name);
        Assert.Null(FormatTable.Find("fat"));
    }

    [Fact]
    public void AnImageIsRecognizedByItsContent()
    {
        Assert.All(FormatTable.All, static format =>
            Assert.Same(format, FormatTable.Recognize(format.Write(new TreeBuilder(FatSamples.Meta()).Build(), FatSamples.Options))));
        Assert.Null(FormatTable.Recognize(new MemoryBlob(new byte[1 << 20])));
    }
}
