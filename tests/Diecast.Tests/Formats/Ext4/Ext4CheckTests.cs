using CsCheck;
using Diecast.Formats.Ext4;
using Diecast.Images;
using Diecast.Tests.Support;

namespace Diecast.Tests.Formats.Ext4;

/// <summary>What the check says of file systems, against e2fsck.</summary>
public sealed class Ext4CheckTests
{
    private static readonly Ext4Format s_ext4 = new();

    private static IReadOnlyList<string> Check(byte[] image) => s_ext4.Read(new MemoryBlob(image)).Check();

    [Theory]
    [InlineData(null)]
    [InlineData(300L << 20)]
    public void OursAreSound(long? size) =>
        Assert.Empty(s_ext4.Read(s_ext4.Write(Ext4Samples.Everything(3000), Ext4Samples.Options with { Size = size })).Check());

    [Theory]
    [InlineData("ext4", "-b 4096")]
    [InlineData("ext4", "-b 1024")]
    [InlineData("ext4", "-b 2048 -O ^64bit")]
    [InlineData("ext4", "-b 4096 -O ^metadata_csum,uninit_bg")]
    [InlineData("ext4", "-b 4096 -I 512 -O inline_data")]
    [InlineData("ext4", "-b 4096 -O ea_inode")]
    [InlineData("ext4", "-b 4096 -O metadata_csum_seed,orphan_file,mmp")]
    [InlineData("ext4", "-b 1024 -O meta_bg,^resize_inode")]
    [InlineData("ext4", "-b 4096 -O ^extent,^64bit")]
    [InlineData("ext4", "-b 4096 -I 128")]
    [InlineData("ext4", "-b 1024 -O sparse_super2,large_dir,casefold")]
    [InlineData("ext3", "-b 1024")]
    [InlineData("ext2", "-b 1024 -O none -I 128")]
    public void ThoseOfMke2fsAreSound(string type, string options)
    {
        using var directory = new TempDirectory();
        byte[] image = Ext4Images.Make(directory, type, options);
        Assert.Empty(Check(image));
        E2fsck.Clean(directory["image"]);
    }

    [Fact]
    public void WhatTheKernelLeavesIsSound()
    {
        using var directory = new TempDirectory();
        ImageFile.Write(s_ext4.Write(Ext4Samples.Everything(3000), Ext4Samples.Options with { Size = 200 << 20 }), directory["image"]);
        byte[] mounted;
        using (var mount = new LoopMount(directory, "image", "rw"))
        {
            for (int i = 0; i < 3000; i += 2)
            {
                File.Delete($"{mount.Path}/many/file-{i:D6}");
                File.WriteAllText($"{mount.Path}/many/new-{i}", "new");
            }
            File.WriteAllBytes($"{mount.Path}/large", new byte[20 << 20]);
            Directory.CreateDirectory($"{mount.Path}/a/b/c");
            Tool.RunOk("sync", "-f", mount.Path);
            mounted = File.ReadAllBytes(directory["image"]);
        }
        Assert.Empty(Check(File.ReadAllBytes(directory["image"])));
        E2fsck.Clean(directory["image"]);
        Assert.Contains(Check(mounted), static line => line.Contains("needs_recovery", StringComparison.Ordinal));
    }

    /// <summary>Damage by debugfs, which keeps the checksums right.</summary>
    [Theory]
    [InlineData("freeb 400 3", "blocks 400 to 402 are in use, and marked free")]
    [InlineData("setb 12000 2", "blocks 12000 to 12001 are marked used, and nothing has them")]
    [InlineData("set_inode_field /small links_count 5", "5 links, and 2 names lead to it")]
    [InlineData("set_inode_field /large blocks 8", "i_blocks counts 8 sectors")]
    [InlineData("set_block_group 0 free_blocks_count 7\nset_block_group 0 checksum calc", "group 0 descriptor: 7 free blocks")]
    [InlineData("set_block_group 0 used_dirs_count 9\nset_block_group 0 checksum calc", "group 0 descriptor: 9 directories")]
    [InlineData("unlink /d/name-7", "in use, and no name leads to it")]
    [InlineData("ln /short /d/again", "1 links, and 2 names lead to it")]
    [InlineData("freei /long", "a name leads to it, and it is not in use")]
    [InlineData("set_inode_field /d/name-8 block[5] 300", "belongs to something else too")]
    public void DamageIsSaid(string command, string expected)
    {
        using var directory = new TempDirectory();
        Ext4Images.Make(directory, "ext4", "-b 1024");
        File.WriteAllText(directory["commands"], command + "\n");
        Tool.RunOk("debugfs", "-w", "-f", directory["commands"], directory["image"]);
        var problems = Check(File.ReadAllBytes(directory["image"]));
        Assert.True(problems.Any(line => line.Contains(expected, StringComparison.Ordinal)), string.Join('\n', problems));
        Assert.True(problems.Count < 10, string.Join('\n', problems));
        Assert.NotEqual(0, Tool.Run("e2fsck", "-fn", directory["image"]).ExitCode);
    }

    /// <summary>What e2fsck sets right without a word.</summary>
    [Theory]
    [InlineData("set_super_value free_blocks_count 5", "superblock: 5 free blocks, and there are ")]
    [InlineData("set_super_value free_inodes_count 6", "superblock: 6 free inodes, and there are ")]
    public void WrongSumsAreSaid(string command, string expected)
    {
        using var directory = new TempDirectory();
        Ext4Images.Make(directory, "ext4", "-b 1024");
        Tool.RunOk("debugfs", "-w", "-R", command, directory["image"]);
        Assert.StartsWith(expected, Assert.Single(Check(File.ReadAllBytes(directory["image"]))), StringComparison.Ordinal);
    }

    [Fact]
    public void TheStateIsSaid()
    {
        using var directory = new TempDirectory();
        Ext4Images.Make(directory, "ext4", "-b 4096");
        Tool.RunOk("debugfs", "-w", "-R", "set_super_value state 2", directory["image"]);
        var problems = Check(File.ReadAllBytes(directory["image"]));
        Assert.Equal(2, problems.Count);
        Assert.Contains(problems, static line => line.Contains("found errors", StringComparison.Ordinal));
    }

    /// <summary>The list ends, however much is wrong.</summary>
    [Fact]
    public void OnlyTheFirstProblemsAreListed()
    {
        using var directory = new TempDirectory();
        Ext4Images.Make(directory, "ext4", "-b 1024");
        File.WriteAllLines(directory["commands"], Enumerable.Range(0, 120).Select(static i => $"set_inode_field /d/name-{i} links_count 9"));
        Tool.RunOk("debugfs", "-w", "-f", directory["commands"], directory["image"]);
        var problems = Check(File.ReadAllBytes(directory["image"]));
        Assert.Equal(51, problems.Count);
        Assert.Equal("and 70 more", problems[^1]);
    }

    /// <summary>A changed byte in what checksums cover is noticed by both or by none.</summary>
    [Theory]
    [InlineData("-b 1024")]
    [InlineData("-b 4096 -O metadata_csum_seed,^64bit")]
    public void E2fsckAgreesOnChangedBytes(string options)
    {
        using var directory = new TempDirectory();
        byte[] image = Ext4Images.Make(directory, "ext4", options);
        Extent[] extents = [.. s_ext4.Read(new MemoryBlob(image)).Layout().Extents.Where(static extent =>
            extent.Label.Kind is "directory" or "extents of" or "xattrs of" or "ext4 group descriptors"
            || extent.Label.ToString().EndsWith("bitmap", StringComparison.Ordinal)
            || extent.Label.ToString().EndsWith("inode table", StringComparison.Ordinal))];
        int noticed = 0;
        Gen.Select(Gen.Int[0, extents.Length - 1], Gen.Int[0, 2000], Gen.Int[0, 7]).Sample((index, within, bit) =>
        {
            byte[] changed = image.ToArray();
            changed[extents[index].Offset + within % extents[index].Length] ^= (byte)(1 << bit);
            File.WriteAllBytes(directory["changed"], changed);
            bool isSound;
            try
            {
                isSound = Check(changed).Count == 0;
            }
            catch (InvalidDataException)
            {
                isSound = false;
            }
            var result = Tool.Run("e2fsck", "-fn", directory["changed"]);
            Assert.True(isSound == (result.ExitCode == 0), $"{extents[index].Label} at {extents[index].Offset}: {result.All}");
            noticed += isSound ? 0 : 1;
        }, iter: 25, threads: 1);
        Assert.True(noticed > 5);
    }

    [Fact]
    public void DamageIsNoOtherError()
    {
        using var directory = new TempDirectory();
        byte[] image = Ext4Images.Make(directory, "ext4", "-b 1024 -O ^metadata_csum");
        long[] interesting = [.. s_ext4.Read(new MemoryBlob(image)).Layout().Extents
            .Where(static e => e.Label.Kind is not ("ext4 unclaimed" or "file" or "ext4 journal")).Select(static e => e.Offset)];
        Gen.Select(Gen.Int[0, interesting.Length - 1], Gen.Int[0, 1500], Gen.Byte.Array[1, 6]).Sample((place, within, patch) =>
        {
            byte[] damaged = image.ToArray();
            patch.CopyTo(damaged, interesting[place] + within);
            Assert.InRange(Checker.Check(new MemoryBlob(damaged)).Count, 0, 51);
        }, iter: 150);
    }
}
