using Diecast.Binary;

namespace Diecast.Formats.Btrfs;

/// <summary>What is wrong with a file system that can be read all the same.</summary>
internal sealed class Checker(Volume volume)
{
    /// <summary>More lines than anybody reads are not made.</summary>
    private const int MostProblems = 100;

    public IReadOnlyList<string> Check()
    {
        var problems = new List<string>();
        if (volume.Superblock.LogRoot != 0)
        {
            problems.Add("btrfs superblock: there is a log of the last fsync, which is not replayed");
        }
        CheckMirrors(problems);
        try
        {
            CheckCopies(problems);
        }
        catch (InvalidDataException exception)
        {
            problems.Add(exception.Message);
        }
        return problems;
    }

    private void CheckMirrors(List<string> problems)
    {
        for (int i = 1; i < Volume.SuperblockOffsets.Length; i++)
        {
            long offset = Volume.SuperblockOffsets[i];
            if (volume.Length - offset < Superblock.Size || (ulong)offset + Superblock.Size > volume.Superblock.TotalBytes)
            {
                continue;
            }
            byte[] bytes = volume.Slice(offset, Superblock.Size).ReadBytes(0, Superblock.Size);
            var mirror = OnDisk.Read<Superblock>(bytes);
            string problem = mirror.Magic != Superblock.MagicValue ? "no magic number"
                : !Checksums.IsRight(volume.ChecksumType, bytes) ? "wrong checksum"
                : mirror.Bytenr != (ulong)offset ? $"claims to be at {mirror.Bytenr}"
                : mirror.Fsid.ToGuid() != volume.Superblock.Fsid.ToGuid() ? $"is of the file system {mirror.Fsid.ToGuid()}"
                : mirror.Generation != volume.Superblock.Generation ? $"is of the generation {mirror.Generation}"
                : "";
            if (problem.Length > 0)
            {
                problems.Add($"btrfs superblock mirror {i} at {offset}: {problem}");
            }
        }
    }

    private void CheckCopies(List<string> problems)
    {
        foreach (var (block, _) in new TreeIndex(volume).Blocks())
        {
            var chunk = volume.ChunkMap.Find(block.Bytenr, volume.NodeSize)!;
            for (int copy = 0; copy < chunk.Stripes.Length; copy++)
            {
                if (volume.TryReadCopy(block.Bytenr, chunk, copy, out string problem) is null)
                {
                    problems.Add($"btrfs {block.Name}, copy {copy + 1}: {problem}");
                }
                if (problems.Count >= MostProblems)
                {
                    problems.Add("there may be more");
                    return;
                }
            }
        }
    }
}
