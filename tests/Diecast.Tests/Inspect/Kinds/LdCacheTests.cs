using Diecast.Tests.Support;

namespace Diecast.Tests.Inspect.Kinds;

public sealed class LdCacheTests
{
    [Fact]
    public void EntriesAndGeneratorOfACacheAreNamed()
    {
        using var root = new TempDirectory();
        Run(root);
        var cache = KindSample.OpenFile(root["etc/ld.so.cache"]);
        Assert.Equal("ld.so.cache", cache.Kind);
        Assert.Equal("/usr/lib/libone.so.1", Assert.Single(cache.Fields, static field => field.Name.StartsWith("libone.so.1 (flags 0x", StringComparison.Ordinal)).Value);
        Assert.StartsWith("ldconfig", cache.Value("generator"), StringComparison.Ordinal);
        Assert.Equal("1", cache.Value("entries"));

        File.WriteAllText(root["two.c"], "int two(void) { return 2; }\n");
        Tool.RunOk("gcc", "-shared", "-Wl,-soname,libtwo.so.2", "-o", root["usr/lib/libtwo.so.2"], root["two.c"]);
        Tool.RunOk("ldconfig", "-r", root.Path);
        string[] differing = KindSample.Differing(cache, KindSample.OpenFile(root["etc/ld.so.cache"]));
        Assert.Contains(differing, static name => name.StartsWith("libtwo.so.2 (", StringComparison.Ordinal));
        Assert.DoesNotContain(differing, static name => name.StartsWith("libone.so.1 (", StringComparison.Ordinal) || name == "generator");
    }

    [Theory]
    [InlineData("old")]
    [InlineData("compat")]
    public void TheOldFormatsAreRead(string format)
    {
        using var root = new TempDirectory();
        Run(root, "-c", format);
        var cache = KindSample.OpenFile(root["etc/ld.so.cache"]);
        Assert.Contains(cache.Fields, static field => field.Name.StartsWith("old libone.so.1 (flags 0x", StringComparison.Ordinal) && field.Value == "/usr/lib/libone.so.1");
        Assert.Equal(format == "compat", cache.Fields.Any(static field => field.Name.StartsWith("libone.so.1 ", StringComparison.Ordinal)));
    }

    [Fact]
    public void TheAuxiliaryCacheTellsInodesAndTimes()
    {
        using var root = new TempDirectory();
        Run(root);
        var before = KindSample.OpenFile(root["var/cache/ldconfig/aux-cache"]);
        string library = root["usr/lib/libone.so.1.1"];
        Assert.Equal("ldconfig aux-cache", before.Kind);
        Assert.Equal(Tool.RunOk("stat", "-c", "%i", library).Trim(), before.Value("libone.so.1 inode"));
        Assert.Equal(Tool.RunOk("stat", "-c", "%Z", library).Trim() + ".000000000", before.Value("libone.so.1 ctime"));
        Assert.Equal(Tool.RunOk("stat", "-c", "%s", library).Trim(), before.Value("libone.so.1 size"));
        Assert.Equal("0x" + Tool.RunOk("stat", "-c", "%D", library).Trim(), before.Value("libone.so.1 device"));

        File.Copy(library, root["copy"]);
        File.Move(root["copy"], library, overwrite: true);
        Tool.RunOk("ldconfig", "-r", root.Path);
        Assert.Contains("libone.so.1 inode", KindSample.Differing(before, KindSample.OpenFile(root["var/cache/ldconfig/aux-cache"])));
    }

    private static void Run(TempDirectory root, params string[] options)
    {
        Tool.Require("ldconfig");
        foreach (string directory in (string[])["usr/lib", "etc", "var/cache/ldconfig"])
        {
            Directory.CreateDirectory(root[directory]);
        }
        File.WriteAllText(root["etc/ld.so.conf"], "/usr/lib\n");
        File.WriteAllText(root["one.c"], "int one(void) { return 1; }\n");
        Tool.RunOk("gcc", "-shared", "-Wl,-soname,libone.so.1", "-o", root["usr/lib/libone.so.1.1"], root["one.c"]);
        Tool.RunOk("ldconfig", [.. options, "-r", root.Path]);
    }
}
