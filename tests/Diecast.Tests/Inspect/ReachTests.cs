using Diecast.Images;
using Diecast.Inspect;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Inspect;

public sealed class ReachTests : IDisposable
{
    private readonly TempDirectory _directory = new("/var/tmp");
    private readonly string _image;

    public ReachTests()
    {
        _image = _directory["foo.raw"];
        ImageFile.Write(ImageSamples.Disk(), _image);
    }

    public void Dispose() => _directory.Dispose();

    private static string Text(string address, bool followsLinks = true) =>
        ImageSamples.Text(new Reach { FollowsLinks = followsLinks }.Find(address).Content!);

    private static string Error(string address) =>
        Assert.ThrowsAny<Exception>(() => new Reach { FollowsLinks = true }.Find(address)).Message;

    [Theory]
    [InlineData(":esp:/EFI/Linux/x.efi:.initrd:/usr/lib/os-release", "ID=inner\n")]
    [InlineData(":esp:/EFI/Linux/x.efi:.initrd:kernel/x86/microcode/x.bin", "microcode")]
    [InlineData(":1:/efi/linux/X.EFI:.uname", "6.1.0")]
    [InlineData(":first: root:/usr/lib/os-release", "ID=root\n")]
    [InlineData(":2:lib/os-release", "ID=root\n")]
    [InlineData(":9a914a15-37a6-422c-a924-0380869e7ede:/etc/passwd", "root:x:0:0::/root:/bin/sh\n")]
    [InlineData(":9A914A15-37A6-422C-A924-0380869E7EDE:/etc/link", "root:x:0:0::/root:/bin/sh\n")]
    [InlineData(":2:/etc/a:b", "colon")]
    [InlineData(":2:/etc/a\\x07b", "bell")]
    [InlineData(":2:/etc/x\\x2dy", "backslash")]
    [InlineData(":2:/etc/x\\x5cx2dy", "backslash")]
    [InlineData(":2:/etc:../etc/./passwd", "root:x:0:0::/root:/bin/sh\n")]
    public void AnAddressLeadsToItsBytes(string steps, string expected) => Assert.Equal(expected, Text(_image + steps));

    [Fact]
    public void ALinkAtTheEndIsFollowedWhenItIsWanted()
    {
        Assert.IsType<SymlinkNode>(new Reach().Find(_image + ":2:/lib").Node);
        Assert.IsType<DirectoryNode>(new Reach().Find(_image + ":2:/lib/").Node);
        var found = new Reach { FollowsLinks = true }.Find(_image + ":2:/lib");
        Assert.IsType<DirectoryNode>(found.Node);
        Assert.Equal("/usr/lib", found.TreePath!.ToString());
    }

    [Fact]
    public void PartsAndImagesAreFoundToo()
    {
        var esp = new Reach().Find(_image + ":esp");
        Assert.Equal(4 << 20, esp.Content!.Length);
        Assert.Equal("vfat", esp.Open()!.Kind);
        Assert.Equal("1", esp.Part!.Name);
        Assert.Equal("gpt", new Reach().Find(_image).Open()!.Kind);
        Assert.True(new Reach().Find(_image + ":").IsInside);
        Assert.Equal("cpio", new Reach().Find(_image + ":esp:/EFI/Linux/x.efi:.initrd").Open()!.Kind);
        Assert.Null(new Reach().Find(_image + ":2:/etc/a:b").Open());
        Assert.Equal("passwd", new Reach().Find(_image + ":2:/etc/passwd").Open()!.Kind);
    }

    [Theory]
    [InlineData(":home:/x", "no partition \"home\"; there are 1 (system), 2 (first: root), 5 (other)")]
    [InlineData(":/etc/passwd", "no partition \"/etc/passwd\"; there are 1")]
    [InlineData(":root", "\"root\" is ambiguous: 2 (first: root), 5 (other)")]
    [InlineData(":root-x86-64", "ambiguous")]
    [InlineData(":2:/etc/shadow", "foo.raw:2: no file /etc/shadow")]
    [InlineData(":2:/etc/passwd/", "no file /etc/passwd/")]
    [InlineData(":2:/loop", "go in circles")]
    [InlineData(":2:/etc/a:b:x", "nothing that can be looked into")]
    [InlineData(":5:/x", "nothing that can be looked into")]
    [InlineData(":esp:/EFI/Linux/x.efi:.profile", "no section \".profile\"; there are .osrel, .cmdline, .uname, .linux, .initrd")]
    public void WhatIsNotThereIsAnErrorThatSaysWhatIs(string steps, string expected) =>
        Assert.Contains(expected, Error(_image + steps), StringComparison.Ordinal);

    [Fact]
    public void TheLimitIsThatOfAllThatIsUnpackedOnTheWay()
    {
        string address = _image + ":esp:/EFI/Linux/x.efi:.initrd:/init";
        Assert.Equal("#!", ImageSamples.Text(new Reach { UnpackLimit = 1024 }.Find(address).Content!));
        Assert.Contains("more than is allowed", Assert.Throws<InvalidDataException>(() => new Reach { UnpackLimit = 100 }.Find(address)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnImagesNameMayHoldColons()
    {
        string odd = _directory["a:2:b.raw"];
        File.Copy(_image, odd);
        File.WriteAllText(_directory["a"], "not an image");
        Assert.Equal("colon", Text(odd + ":2:/etc/a:b"));
        Assert.Contains("no such file", Error(_directory["b"] + ":2:/x"), StringComparison.Ordinal);
        Assert.Equal("not an image", Text(_directory["a"]));
    }

    [Fact]
    public void ADirectoryOfTheHostIsATree()
    {
        Directory.CreateDirectory(_directory["d/etc"]);
        File.WriteAllText(_directory["d/etc/x"], "on the host");
        Posix.SymlinkAt("/etc/x"u8, Posix.AT_FDCWD, Posix.Bytes(_directory["d/l"]));
        File.Copy(_image, _directory["d/foo.raw"]);
        Assert.Equal("on the host", Text(_directory["d"] + ":/l"));
        Assert.Equal("ID=root\n", Text(_directory["d"] + ":/foo.raw:2:/usr/lib/os-release"));
    }

    [Fact]
    public void WhatUnpacksToItselfComesToAnEnd()
    {
        // The image itself is unpacked once, and what it then is another eight times.
        var packed = ImageSamples.Cpio(("x", "y"));
        for (int i = 0; i < 10; i++)
        {
            packed = Compressor.Compress(packed, Compression.Gzip, 1);
        }
        ImageFile.Write(packed, _directory["many"]);
        Assert.Contains("more than 8 times", Error(_directory["many"] + ":/x"), StringComparison.Ordinal);
    }
}
