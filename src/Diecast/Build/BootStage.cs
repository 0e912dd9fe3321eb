using System.Text;
using Diecast.Boot;
using Diecast.Build.Partitioning;
using Diecast.Config;
using Diecast.Formats.Cpio;
using Diecast.Formats.Uki;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Build;

/// <summary>What the firmware, the boot loader and the kernel start.</summary>
/// <param name="Tree">The root with /efi and /boot filled, from which partitions copy.</param>
/// <param name="Added">What came to the root: /efi and /boot only.</param>
/// <param name="Uki">The newest unified kernel image, or null where the image does not boot.</param>
internal sealed record BootFiles(FileTree Tree, FileTree Added, Blob? Uki)
{
    /// <summary>A section of the unified kernel image, or null.</summary>
    public Blob? Section(string name) => Uki is null ? null : PeImage.Read(Uki).Find(name);
}

/// <summary>Boot: the initrd and the unified kernel images, which may name a partition, and the boot loader.</summary>
internal sealed class BootStage(BuildConfig config, FileTree root, Timestamp epoch)
{
    private const string Architecture = "x86-64";

    private readonly IReadOnlyList<KernelImage> _kernels = KernelImage.FindAll(root);

    /// <summary>Whether the default definitions have an EFI system partition: whether there is something to start.</summary>
    public bool HasBootLoader => config.Bootable == Feature.Yes
        || (config.Bootable == Feature.Auto && config.Bootloader != Bootloader.None && BootLoader.FindStub(root, Architecture) is not null);

    /// <summary>What the names of boot entries start with.</summary>
    private string Token => OsRelease.EntryToken(root, config.ImageId ?? Names.Of(config.Distribution));

    /// <param name="initrd">The default initrd, packed, or null where <c>Initrds=</c> names others.</param>
    /// <param name="partitions">Of the disk; the kernel's command line may name one.</param>
    /// <exception cref="InvalidDataException">The image is to boot and lacks what it needs for that.</exception>
    public BootFiles Make(Blob? initrd, IReadOnlyList<PartitionIdentity> partitions)
    {
        if (config.Bootable == Feature.No || config.Format is not (OutputFormat.Disk or OutputFormat.Directory))
        {
            return new BootFiles(root, new FileTree(new DirectoryNode(root.Root.Metadata, [])), null);
        }
        if (config.Bootable == Feature.Yes && _kernels.Count == 0)
        {
            throw new InvalidDataException("Bootable=yes, but no kernel is in the image: add one to Packages= (such as linux)");
        }
        var entries = MakeEntries(initrd, partitions);
        var kind = HasBootLoader ? KindOf(config.Bootloader) : BootLoaderKind.None;
        bool entriesInEfi = kind == BootLoaderKind.Uki;
        var efi = BootLoader.Install(root, kind, Architecture, entriesInEfi ? entries : [], epoch);
        var boot = BootLoader.Install(root, BootLoaderKind.None, Architecture, entriesInEfi ? [] : entries, epoch);
        var added = new TreeBuilder(new Metadata(0x1ED, 0, 0, epoch));
        added.AddTree(efi, "/efi");
        added.AddTree(boot, "/boot");
        if (kind == BootLoaderKind.SystemdBoot)
        {
            // As bootctl does, so that kernels that are installed later get the same names.
            added.AddFile("etc/kernel/entry-token", new Metadata(0x1A4, 0, 0, epoch), Encoding.UTF8.GetBytes(Token + "\n"));
        }
        foreach (string directory in (string[])["efi", "boot", "etc", "etc/kernel"])
        {
            // It keeps its own metadata.
            if (root.Find(directory) is { } own)
            {
                added.AddDirectory(directory, own.Metadata);
            }
        }
        var whole = new TreeBuilder(root.Root.Metadata);
        whole.AddTree(root);
        whole.AddTree(added.Build());
        return new BootFiles(whole.Build(), added.Build(), entries.Count > 0 ? entries[0].Image : null);
    }

    private List<BootEntry> MakeEntries(Blob? initrd, IReadOnlyList<PartitionIdentity> partitions)
    {
        if (_kernels.Count == 0)
        {
            return [];
        }
        if (BootLoader.FindStub(root, Architecture) is not { } stub)
        {
            return config.Bootable == Feature.Yes
                ? throw new InvalidDataException($"Bootable=yes, but {BootLoader.StubPath(Architecture)} is not in the image: it comes with systemd-boot")
                : [];
        }
        string commandLine = KernelCommandLine.Compose(root, null, config.KernelCommandLine, IdOf(partitions, "root-"), IdOf(partitions, "usr-"));
        // Those that all kernels share.
        IReadOnlyList<Blob> common = initrd is not null ? [initrd] : [.. config.Initrds.Select(static path => new MemoryBlob(File.ReadAllBytes(path)))];
        var microcode = Microcode.Build(root, epoch) is { } tree ? CpioWriter.Write(tree) : null;
        if (microcode is not null && !BootLoader.StubTakesMicrocode(stub))
        {
            common = [microcode, .. common];
            microcode = null;
        }
        var kernels = config.Bootloader == Bootloader.Uki ? _kernels.Take(1) : _kernels;
        return [.. kernels.Select(kernel => new BootEntry(
            BootLoader.UkiFileName(root, Token, kernel.Version, null),
            UkiWriter.Write(new UkiOptions
            {
                Stub = stub,
                Linux = kernel.File.Content,
                Initrds = [.. common, CpioWriter.Write(KernelModules.SelectTree(root, kernel.Version, InitrdModules.Default))],
                Microcode = microcode,
                OsRelease = OsReleaseContent(),
                CommandLine = commandLine.Length > 0 ? commandLine : null,
                Uname = kernel.Version,
            })))];
    }

    private Blob? OsReleaseContent() =>
        (root.Find("usr/lib/os-release") as FileNode ?? root.Find("etc/os-release") as FileNode)?.Content;

    private static Guid? IdOf(IReadOnlyList<PartitionIdentity> partitions, string type) => partitions.FirstOrDefault(partition =>
        partition.Definition.KnownType?.Name is { } name && name.StartsWith(type, StringComparison.Ordinal)
        && !name.Contains("verity", StringComparison.Ordinal))?.Id;

    private static BootLoaderKind KindOf(Bootloader bootloader) => bootloader switch
    {
        Bootloader.SystemdBoot => BootLoaderKind.SystemdBoot,
        Bootloader.Uki => BootLoaderKind.Uki,
        _ => BootLoaderKind.None,
    };
}
