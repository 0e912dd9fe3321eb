using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Formats.Ext4;

/// <summary>File systems of mke2fs, with something of every kind of structure in them.</summary>
internal static class Ext4Images
{
    /// <summary>The bytes of a file system of 12 MiB, which stays in the directory as "image".</summary>
    public static byte[] Make(TempDirectory directory, string type, string options)
    {
        string source = directory["source"];
        Directory.CreateDirectory($"{source}/d/e");
        File.WriteAllBytes($"{source}/large", Ext4Samples.Bytes(700_000));
        File.WriteAllBytes($"{source}/small", Ext4Samples.Bytes(50));
        using (var sparse = File.OpenHandle($"{source}/sparse", FileMode.CreateNew, FileAccess.Write))
        {
            for (int i = 0; i < 40; i++)
            {
                RandomAccess.Write(sparse, Ext4Samples.Bytes(3000, i), i * 200_000L);
            }
        }
        for (int i = 0; i < 150; i++)
        {
            File.WriteAllText($"{source}/d/name-{i}", "x");
        }
        File.CreateSymbolicLink($"{source}/short", "target");
        File.CreateSymbolicLink($"{source}/long", new string('t', 200));
        Posix.LinkAt(Posix.AT_FDCWD, Posix.Bytes($"{source}/small"), Posix.AT_FDCWD, Posix.Bytes($"{source}/d/linked"));
        Posix.SetXattr(Posix.Bytes($"{source}/small"), "user.a"u8, "value"u8);
        Posix.SetXattr(Posix.Bytes($"{source}/large"), "user.b"u8, Ext4Samples.Bytes(300));
        Tool.RunOk("truncate", "-s", "12M", directory["image"]);
        Tool.RunOk("mke2fs", ["-q", "-t", type, .. options.Split(' '), "-d", source, directory["image"]]);
        return File.ReadAllBytes(directory["image"]);
    }
}
