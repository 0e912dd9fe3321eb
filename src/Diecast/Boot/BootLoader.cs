using System.Text;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Boot;

public enum BootLoaderKind
{
    /// <summary>Unified kernel images without anything that starts them.</summary>
    None,

    /// <summary>systemd-boot, which offers the unified kernel images.</summary>
    SystemdBoot,

    /// <summary>The newest unified kernel image is itself what the firmware starts.</summary>
    Uki,
}

/// <summary>A unified kernel image and the name of its file, such as "arch-6.12.1.efi".</summary>
public sealed record BootEntry(string FileName, Blob Image);

/// <summary>Lays out the EFI system partition.</summary>
public static class BootLoader
{
    private const string Programs = "usr/lib/systemd/boot/efi";

    // The specification of boot entries that the partition is made for.
    private const string EntriesSrel = "type1\n";
    private const string LoaderConf = "#timeout 3\n#console-mode keep\n";

    /// <summary>The architecture as EFI has it in file names: "x64", "aa64".</summary>
    /// <exception cref="ArgumentException">It has none.</exception>
    public static string EfiArchitecture(string architecture) => architecture switch
    {
        "x86-64" => "x64",
        "arm64" => "aa64",
        _ => throw new ArgumentException($"{architecture} has no EFI name here", nameof(architecture)),
    };

    /// <summary>Where the image's tree has the stub of unified kernel images, such as /usr/lib/systemd/boot/efi/linuxx64.efi.stub.</summary>
    public static string StubPath(string architecture) => $"/{Programs}/linux{EfiArchitecture(architecture)}.efi.stub";

    /// <summary>
    /// The stub of unified kernel images, or null where the image's tree has none.
    /// </summary>
    public static Blob? FindStub(FileTree tree, string architecture) =>
        (TreeFiles.Find(tree, StubPath(architecture)) as FileNode)?.Content;

    /// <summary>The file name of a unified kernel image: "token-version[-roothash][+tries].efi".</summary>
    /// <param name="tree">The image's tree, which may have etc/kernel/tries.</param>
    /// <param name="rootHash">In hexadecimal digits, or null.</param>
    public static string UkiFileName(FileTree tree, string token, string kernelVersion, string? rootHash)
    {
        string? tries = TreeFiles.ReadText(tree, "etc/kernel/tries")?.Trim();
        return $"{token}-{kernelVersion}{(rootHash is null ? "" : "-" + rootHash)}{(string.IsNullOrEmpty(tries) ? "" : "+" + tries)}.efi";
    }

    /// <summary>The content of the EFI system partition.</summary>
    /// <param name="tree">The image's tree, with the boot loader's programs.</param>
    /// <param name="kind">What the firmware starts.</param>
    /// <param name="architecture">"x86-64" or "arm64".</param>
    /// <param name="entries">Newest kernel first.</param>
    /// <param name="epoch">The time of what is made here, and the latest for what is copied.</param>
    /// <exception cref="InvalidDataException">systemd-boot is wanted and the tree has none.</exception>
    public static FileTree Install(FileTree tree, BootLoaderKind kind, string architecture, IReadOnlyList<BootEntry> entries, Timestamp epoch)
    {
        var directory = new Metadata(0x1C0, 0, 0, epoch);
        var file = new Metadata(0x180, 0, 0, epoch);
        var builder = new TreeBuilder(directory);
        builder.AddFile("loader/entries.srel", file, Encoding.ASCII.GetBytes(EntriesSrel));
        if (kind == BootLoaderKind.Uki)
        {
            if (entries.Count > 0)
            {
                builder.AddFile($"EFI/BOOT/BOOT{EfiArchitecture(architecture).ToUpperInvariant()}.EFI", file, entries[0].Image);
            }
            return builder.Build();
        }
        if (kind == BootLoaderKind.SystemdBoot)
        {
            AddSystemdBoot(builder, tree, architecture, directory, epoch);
        }
        foreach (var entry in entries)
        {
            builder.AddFile($"EFI/Linux/{entry.FileName}", file, entry.Image);
        }
        return builder.Build();
    }

    /// <summary>What bootctl(1) installs: the programs of all architectures that the tree has, and loader.conf.</summary>
    private static void AddSystemdBoot(TreeBuilder builder, FileTree tree, string architecture, Metadata directory, Timestamp epoch)
    {
        const string prefix = "systemd-boot";
        const string suffix = ".efi";
        const string signed = ".signed";
        bool found = false;
        foreach (var entry in (TreeFiles.Find(tree, Programs) as DirectoryNode)?.Entries ?? [])
        {
            string name = Encoding.Latin1.GetString(entry.Name.Bytes);
            if (!name.StartsWith(prefix, StringComparison.Ordinal) || !name.EndsWith(suffix, StringComparison.Ordinal)
                || (TreeFiles.Find(tree, $"{Programs}/{name}{signed}") ?? TreeFiles.Find(tree, $"{Programs}/{name}")) is not FileNode program)
            {
                continue;
            }
            string efiArchitecture = name[prefix.Length..^suffix.Length];
            found |= efiArchitecture == EfiArchitecture(architecture);
            var metadata = new Metadata(0x180, 0, 0, program.Metadata.Mtime.ClampTo(epoch));
            builder.AddFile($"EFI/systemd/{name}", metadata, program.Content);
            builder.AddFile($"EFI/BOOT/BOOT{efiArchitecture.ToUpperInvariant()}.EFI", metadata, program.Content);
        }
        if (!found)
        {
            throw new InvalidDataException(
                $"/{Programs}/{prefix}{EfiArchitecture(architecture)}{suffix} does not exist: the image needs the package with systemd-boot");
        }
        foreach (string path in (string[])["EFI/Linux", "loader/entries", "loader/keys"])
        {
            builder.AddDirectory(path, directory);
        }
        builder.AddFile("loader/loader.conf", new Metadata(0x180, 0, 0, epoch), Encoding.ASCII.GetBytes(LoaderConf));
    }
}
