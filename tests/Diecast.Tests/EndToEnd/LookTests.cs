using System.Text.Json;
using Diecast.Images;
using Diecast.Inspect;
using Diecast.Tests.Inspect;
using Diecast.Tests.Support;

namespace Diecast.Tests.EndToEnd;

/// <summary>The mission's image looked into by the executable, beside what foreign tools take out of it.</summary>
public sealed class LookTests(MissionImage mission)
{
    private static string RunOk(params string[] arguments) => Tool.RunOk(Fixture.Executable, arguments);

    private string KernelPath => $"{mission.Image}:esp:/EFI/Linux/{RunOk("ls", $"{mission.Image}:esp:/EFI/Linux").Trim()}";

    [Fact]
    public void AnAddressReachesIntoTheInitrdOfTheKernelImage()
    {
        using var directory = new TempDirectory("/var/tmp");
        string kernel = KernelPath;
        Assert.StartsWith("ID=", string.Join('\n', RunOk("cat", $"{kernel}:.initrd:/usr/lib/os-release").Split('\n').Where(static line => line.StartsWith("ID=", StringComparison.Ordinal))), StringComparison.Ordinal);
        Assert.Equal("console=ttyS0 systemd.firstboot=no", RunOk("cat", $"{kernel}:.cmdline").TrimEnd('\0'));
        // The split artifacts are the same bytes.
        RunOk("extract", kernel, directory["uki.efi"]);
        Assert.Equal(Scene.Sha256(Path.Join(mission.Directory, "foo.efi")), Scene.Sha256(directory["uki.efi"]));
        Tool.RunOk("sh", "-c", $"'{Fixture.Executable}' cat '{kernel}:.initrd' | cmp - '{mission.Directory}/foo.initrd'");
    }

    [Fact]
    public void TheRootAsATarIsTheOneThatIsMounted()
    {
        using var directory = new TempDirectory("/var/tmp");
        RunOk("extract", $"{mission.Image}:root", directory["root.tar"]);
        string ours = Tool.RunOk("sh", "-c", $"bsdtar -tf '{directory["root.tar"]}' | sed 's,/$,,' | sort");
        Tool.RunOk("sh", "-c", $"'{Fixture.Executable}' cat '{mission.Image}:root' > '{directory["root.ext4"]}'");
        Tool.RunOk("debugfs", "-R", $"rdump / {Directory.CreateDirectory(directory["dump"]).FullName}", directory["root.ext4"]);
        string foreign = Tool.RunOk("sh", "-c", $"cd '{directory["dump"]}' && find . | sort");
        // debugfs leaves out what is no file, directory or link.
        Assert.Empty(foreign.Split('\n').Except(ours.Split('\n'), StringComparer.Ordinal));
        Assert.True(ours.Split('\n').Length > 2000, ours);
        Assert.Equal(File.ReadAllBytes(directory["dump/usr/bin/bash"]), ImageSamples.Bytes(new Reach { FollowsLinks = true }.Find($"{mission.Image}:root:/usr/bin/bash").Content!));
    }

    [Fact]
    public void InspectSaysWhatTheForeignToolsSay()
    {
        using var json = JsonDocument.Parse(RunOk("inspect", "--json", mission.Image));
        using var table = JsonDocument.Parse(Tool.RunOk("sfdisk", "-J", mission.Image));
        var parts = json.RootElement.GetProperty("parts");
        var foreign = table.RootElement.GetProperty("partitiontable").GetProperty("partitions");
        Assert.Equal(foreign.GetArrayLength(), parts.GetArrayLength());
        foreach (var (part, expected) in parts.EnumerateArray().Zip(foreign.EnumerateArray()))
        {
            Assert.Equal(expected.GetProperty("uuid").GetString(), part.GetProperty("fields").GetProperty("id").GetString(), ignoreCase: true);
            Assert.Equal(expected.GetProperty("size").GetInt64() * 512, part.GetProperty("content").GetProperty("length").GetInt64());
        }
        var kernel = Assert.Single(parts[0].GetProperty("content").GetProperty("kernels").EnumerateArray());
        var sections = kernel.GetProperty("parts").EnumerateArray().ToDictionary(static part => part.GetProperty("name").GetString()!, static part => part);
        Assert.Equal(Scene.Sha256(Path.Join(mission.Directory, "foo.initrd")), sections[".initrd"].GetProperty("sha256").GetString());
        Assert.Equal(Scene.Sha256(Path.Join(mission.Directory, "foo.vmlinuz")), sections[".linux"].GetProperty("sha256").GetString());
        Assert.False(json.RootElement.TryGetProperty("problems", out _));
        Assert.Equal("6de632fe-7638-44c4-917c-ecf4170af3b4", parts[1].GetProperty("content").GetProperty("fields").GetProperty("s_uuid").GetString());
    }

    [Fact]
    public void EveryByteOfTheImageIsLabelled()
    {
        long end = 0;
        foreach (var line in LayoutLines.Of(ImageSource.Open(mission.Image).Content!, Assert.Fail))
        {
            Assert.Equal(end, line.Offset);
            end += line.Length;
        }
        Assert.Equal(new FileInfo(mission.Image).Length, end);
    }

    /// <summary>The image as somebody else would keep it.</summary>
    [Fact]
    public void ThePackedImageIsTheSame()
    {
        using var directory = new TempDirectory("/var/tmp");
        Tool.RunOk("sh", "-c", $"{Tool.Require("zstd")} -q -1 -T0 -c '{mission.Image}' > '{directory["foo.raw.zst"]}'");
        Assert.Equal(mission.Sha256, Convert.ToHexStringLower(ImageFile.Hash(ImageSource.Open(directory["foo.raw.zst"]).Content!)));
        Assert.Equal(RunOk("ls", "-lR", $"{mission.Image}:root"), RunOk("ls", "-lR", $"{directory["foo.raw.zst"]}:root"));
    }
}
