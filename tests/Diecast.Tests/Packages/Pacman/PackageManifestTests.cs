using System.IO.Compression;
using System.Text;
using Diecast.Packages.Pacman;

namespace Diecast.Tests.Packages.Pacman;

public sealed class PackageManifestTests
{
    [Fact]
    public void KnowsDefaultsAndEscapes()
    {
        var paths = PackageManifest.Read(Compress("""
            #mtree
            /set type=file uid=0 gid=0 mode=644
            ./.PKGINFO time=1.0 size=1
            ./usr time=1.5 mode=755 type=dir
            ./usr/a\040b\377 time=1.0 size=3
            ./usr/link time=1.0 mode=777 type=link link=to\040there
            /set type=dir
            ./opt time=1.0
            /unset type
            ./opt/x time=1.0

            """));
        Assert.Equal(["usr/", "usr/a b\u00ff", "usr/link -> to there", "opt/", "opt/x"], paths.Select(static path => Encoding.Latin1.GetString(path.Path)
            + (path.IsDirectory ? "/" : "") + (path.LinkTarget is { } target ? " -> " + Encoding.Latin1.GetString(target) : "")));
    }

    [Theory]
    [InlineData("./a\\04 type=file")]
    [InlineData("./a\\777 type=file")]
    [InlineData("./a/../../b type=file")]
    [InlineData("a type=file")]
    public void RefusesWhatItDoesNotUnderstand(string line) => Assert.Throws<InvalidDataException>(() => PackageManifest.Read(Compress(line)));

    private static byte[] Compress(string text)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest))
        {
            gzip.Write(Encoding.UTF8.GetBytes(text));
        }
        return compressed.ToArray();
    }
}
