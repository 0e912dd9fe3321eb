using System.Text;

namespace Diecast.Formats.Fat;

/// <summary>The volume label: eleven bytes, in upper case.</summary>
internal static class VolumeLabel
{
    /// <summary>What the boot sector has where there is no label.</summary>
    public static ReadOnlySpan<byte> None => "NO NAME    "u8;

    /// <summary>
    /// The label as systemd-repart makes it: cut to eleven characters, ASCII letters in upper case, and an underscore in
    /// place of what FAT or other code pages cannot hold. Null where nothing is left.
    /// </summary>
    public static byte[]? From(string text)
    {
        var label = "           "u8.ToArray();
        int length = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (length == label.Length)
            {
                break;
            }
            bool bad = !rune.IsAscii || Rune.IsControl(rune) || "*?.,;:/\\|+=<>[]\"".Contains((char)rune.Value, StringComparison.Ordinal);
            label[length++] = bad ? (byte)'_' : (byte)char.ToUpperInvariant((char)rune.Value);
        }
        return label.AsSpan().ContainsAnyExcept((byte)' ') && !label.AsSpan().SequenceEqual(None) ? label : null;
    }
}
