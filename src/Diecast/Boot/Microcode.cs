using System.Text;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Boot;

/// <summary>
/// The processors' microcode, as the kernel looks for it in the first, uncompressed archive of an initrd:
/// https://docs.kernel.org/arch/x86/microcode.html
/// </summary>
public static class Microcode
{
    private const int MaximumFile = 64 << 20;

    /// <summary>
    /// The tree of that archive from an image's usr/lib/firmware, all updates of a vendor in one file, in the order of
    /// their names; null where the image has none.
    /// </summary>
    /// <exception cref="InvalidDataException">An update is compressed and damaged.</exception>
    public static FileTree? Build(FileTree tree, Timestamp epoch)
    {
        var builder = new TreeBuilder(new Metadata(0x1ED, 0, 0, epoch));
        bool found = false;
        foreach (var (directory, pattern, name) in (ReadOnlySpan<(string, string, string)>)
            [("amd-ucode", "microcode_amd*.bin", "AuthenticAMD.bin"), ("intel-ucode", "??-??-??", "GenuineIntel.bin")])
        {
            if (Concatenate(tree, $"usr/lib/firmware/{directory}", pattern) is { } content)
            {
                builder.AddFile($"kernel/x86/microcode/{name}", new Metadata(0x1A4, 0, 0, epoch), content);
                found = true;
            }
        }
        return found ? builder.Build() : null;
    }

    private static Image? Concatenate(FileTree tree, string directory, string pattern)
    {
        var builder = new ImageBuilder();
        long length = 0;
        foreach (var entry in (TreeFiles.Find(tree, directory) as DirectoryNode)?.Entries ?? [])
        {
            string name = Encoding.Latin1.GetString(entry.Name.Bytes);
            bool matches = PathGlob.Matches(pattern, name) || PathGlob.Matches(pattern + ".xz", name) || PathGlob.Matches(pattern + ".zst", name);
            if (matches && TreeFiles.Find(tree, $"{directory}/{name}") is FileNode file)
            {
                var update = Decompressor.Open(file.Content, MaximumFile);
                builder.Place(length, update, new Label("microcode", name));
                length += update.Length;
            }
        }
        return length > 0 ? builder.Build(length) : null;
    }
}
