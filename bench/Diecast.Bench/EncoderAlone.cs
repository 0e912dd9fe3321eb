using Diecast.Formats.Btrfs;
using Diecast.Trees;
using ZstdSharp.Unsafe;

namespace Diecast.Bench;

/// <summary>
/// What zstd itself takes for a tree: each block that btrfs would compress is read and encoded, on all processors, and
/// forgotten. A process of its own, so that it is measured as the others are.
/// </summary>
internal static class EncoderAlone
{
    public const string Verb = "encode";

    public static void Run(string tree)
    {
        var (level, _) = ExtentEncoder.Levels(ExtentCompression.Zstd);
        Parallel.ForEach(
            Blocks(tree),
            () =>
            {
                var encoder = new ZstdSharp.Compressor(level);
                encoder.SetParameter(ZSTD_cParameter.ZSTD_c_windowLog, ExtentDecoder.ZstdWindowLog);
                return encoder;
            },
            static (block, _, encoder) =>
            {
                encoder.Wrap(block.File.Content.ReadBytes(block.Offset, block.Length));
                return encoder;
            },
            static encoder => encoder.Dispose());
    }

    /// <summary>Of all files that are not kept in a leaf as they are, each once.</summary>
    private static IEnumerable<(FileNode File, long Offset, int Length)> Blocks(string tree)
    {
        var files = HostTree.Read(Posix.Bytes(tree)).Walk().Select(static entry => entry.Node).OfType<FileNode>()
            .Where(static file => file.Content.Length > Plan.LongestInline).Distinct(ReferenceEqualityComparer.Instance).Cast<FileNode>();
        foreach (var file in files)
        {
            for (long at = 0; at < file.Content.Length; at += ExtentDecoder.LargestExtent)
            {
                yield return (file, at, (int)Math.Min(ExtentDecoder.LargestExtent, file.Content.Length - at));
            }
        }
    }
}
