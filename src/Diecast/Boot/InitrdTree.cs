using System.Text;
using Diecast.Trees;

namespace Diecast.Boot;

/// <summary>Makes an initrd of a tree in which the initrd's packages are installed.</summary>
public static class InitrdTree
{
    /// <summary>What no initrd needs, as patterns for <see cref="PathGlob"/>.</summary>
    private static readonly string[] s_needless =
    [
        // The binary catalogue and hardware database are there.
        "/usr/lib/systemd/catalog", "/etc/udev/hwdb.d", "/usr/lib/udev/hwdb.d",
        "/etc/services",
        "/usr/lib/modules/*/vmlinuz*", "/usr/lib/modules/*/vmlinux*", "/usr/lib/modules/*/System.map",
        "/var/cache", "/var/log",
        // Run-time libraries of languages that nothing in an initrd is written in; where packages carry them all in one.
        "/usr/lib/libgfortran.so*", "/usr/lib/libgo.so*", "/usr/lib/libgomp.so*", "/usr/lib/libgphobos.so*",
        "/usr/lib/libobjc.so*", "/usr/lib/libgdruntime.so*",
        "/usr/lib/*.a", "/usr/include/*",
        "/usr/share/i18n/*", "/usr/share/hwdata/*", "/usr/share/iana-etc/*", "/usr/share/locale/*",
    ];

    // Only what the initrd asks for itself may start.
    private const string Preset = "disable *\n";

    // Device-mapper and RAID devices are the initrd's work: udev's knowledge of them has to survive the switch to the
    // root, where systemd-udevd would otherwise take them for gone.
    private const string UdevRule = """
        SUBSYSTEM=="block", KERNEL=="dm-[0-9]*", ACTION=="add|change", OPTIONS+="db_persist"
        SUBSYSTEM=="block", KERNEL=="md[0-9]*|md_d[0-9]*|md/*", ENV{DEVTYPE}!="partition", ACTION=="add|change", OPTIONS+="db_persist"

        """;

    // Passphrases and the like may come as credentials of the machine; systemd before 254 knows LoadCredential= alone.
    private const string CryptsetupDropIn = """
        [Service]
        ImportCredential=cryptsetup.*
        LoadCredential=cryptsetup.passphrase
        LoadCredential=cryptsetup.fido2-pin
        LoadCredential=cryptsetup.tpm2-pin
        LoadCredential=cryptsetup.luks2-pin
        LoadCredential=cryptsetup.pkcs11-pin

        """;

    /// <summary>The files that every initrd has and no package brings; to be there before presets are applied.</summary>
    public static IReadOnlyList<(string Path, string Content)> Skeleton { get; } =
    [
        ("usr/lib/systemd/system-preset/99-diecast.preset", Preset),
        ("usr/lib/udev/rules.d/10-diecast-initrd.rules", UdevRule),
        ("usr/lib/systemd/system/systemd-cryptsetup@.service.d/credential.conf", CryptsetupDropIn),
    ];

    /// <summary>
    /// The tree without what no initrd needs, with the <see cref="Skeleton"/>, and with /init and etc/initrd-release,
    /// by which the kernel starts systemd and systemd knows where it is. What is there already stays.
    /// </summary>
    public static FileTree Finish(FileTree tree, Timestamp epoch)
    {
        var builder = new TreeBuilder(new Metadata(0x1ED, 0, 0, epoch));
        builder.AddTree(PathGlob.Remove(tree, s_needless));
        foreach (var (path, content) in Skeleton)
        {
            AddMissing(builder, path, new FileNode(new Metadata(0x1A4, 0, 0, epoch), new Images.MemoryBlob(Encoding.UTF8.GetBytes(content))));
        }
        if (TreeFiles.Find(tree, "usr/lib/systemd/systemd") is FileNode)
        {
            AddMissing(builder, "init", Link("/usr/lib/systemd/systemd", epoch));
        }
        AddMissing(builder, "etc/initrd-release", Link("/etc/os-release", epoch));
        return builder.Build();
    }

    private static SymlinkNode Link(string target, Timestamp epoch) => new(new Metadata(0x1FF, 0, 0, epoch), [.. Encoding.UTF8.GetBytes(target)]);

    private static void AddMissing(TreeBuilder builder, string path, Node node)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(path);
        if (builder.Find(bytes) is null)
        {
            builder.Add(bytes, node);
        }
    }
}
