using Diecast.Build.Partitioning;
using Diecast.Formats.Gpt;

namespace Diecast.Tests.Build.Partitioning;

public sealed class RepartIdsTests
{
    private static readonly RepartIds s_ids = new(Guid.Parse("0e9a6fe0-68f6-408c-bbeb-136054d20445"));

    [Theory]
    [InlineData("esp", 0, "cb96a8e9-addc-4be7-b68e-69b6d1ea59cb")]
    [InlineData("root-x86-64", 0, "9a914a15-37a6-422c-a924-0380869e7ede")]
    [InlineData("root-x86-64", 1, "bfef1f1c-b066-4303-ad48-d81a7f548a91")]
    [InlineData("root-x86-64", 2, "6ee9a39c-5dd3-4529-9fb9-849da0be0729")]
    [InlineData("linux-generic", 0, "b18a8ea7-357e-4c0c-adcb-1c8cc50196ce")]
    [InlineData("home", 0, "d944f8cb-11e4-4127-81ff-a459aa46ef26")]
    public void PartitionsHaveTheIdsOfSystemdRepart(string type, long earlier, string expected) =>
        Assert.Equal(Guid.Parse(expected), s_ids.Partition(PartitionType.Find(type, "x86-64")!.Id, earlier));

    [Fact]
    public void AllOtherIdsAreThoseOfSystemdRepart()
    {
        Assert.Equal(Guid.Parse("31918d1c-a93a-45d1-a195-a84a9db04099"), s_ids.Disk);
        Assert.Equal(Guid.Parse("e7b87c0d-0744-4d52-ad79-a9a7f96ceab0"), RepartIds.FileSystem(Guid.Parse("cb96a8e9-addc-4be7-b68e-69b6d1ea59cb")));
        Assert.Equal(Guid.Parse("6de632fe-7638-44c4-917c-ecf4170af3b4"), RepartIds.FileSystem(Guid.Parse("9a914a15-37a6-422c-a924-0380869e7ede")));
        Assert.Equal(Guid.Parse("0eab36bb-db1d-40e4-9012-18a0c1c17bc2"), s_ids.Verity);
        Assert.Equal("58952272c74196400e61842cb74bc615ee483f750b31b1a0a74c3b64cdf35ca3", Convert.ToHexStringLower(s_ids.VeritySalt));
    }

    [Fact]
    public void EveryIdIsAVersion4Uuid()
    {
        foreach (var id in new[] { s_ids.Disk, s_ids.Verity, RepartIds.Luks(s_ids.Disk), s_ids.Partition(Guid.Empty, 3) })
        {
            Assert.Equal((4, 8), (id.Version, id.Variant & 0xC));
        }
    }
}
