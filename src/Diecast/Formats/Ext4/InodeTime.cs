using Diecast.Trees;

namespace Diecast.Formats.Ext4;

/// <summary>
/// Times in an inode: 32 signed bits of seconds, and in a second field two more of them below the nanoseconds.
/// https://docs.kernel.org/filesystems/ext4/inodes.html#inode-timestamps
/// </summary>
internal static class InodeTime
{
    private const long First = int.MinValue;
    private const long Last = int.MaxValue + (3L << 32);

    public static bool IsRepresentable(Timestamp time) =>
        time.Seconds is >= First and <= Last && time.Nanoseconds < 1_000_000_000;

    public static uint Seconds(Timestamp time) => (uint)time.Seconds;

    public static uint Extra(Timestamp time) =>
        time.Nanoseconds << 2 | (uint)((time.Seconds - (int)time.Seconds) >> 32) & 3;

    public static Timestamp Read(uint seconds, uint extra) =>
        new((int)seconds + ((long)(extra & 3) << 32), extra >> 2);
}
