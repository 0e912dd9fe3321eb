namespace Diecast.Packages.Pacman;

/// <summary>A package's <c>.INSTALL</c>: a shell script with functions that the installer calls.</summary>
public static class InstallScript
{
    // The length of the lines that libalpm reads; a longer one is read in pieces.
    private const int LineBuffer = 1024;

    /// <summary>
    /// Whether pacman calls a function such as <c>post_install</c>: whether its name stands anywhere in the script, but for
    /// comments. (A call of a function that is only named fails, and that is a warning.)
    /// </summary>
    public static bool Contains(ReadOnlySpan<byte> script, ReadOnlySpan<byte> function)
    {
        while (!script.IsEmpty)
        {
            int newline = script[..Math.Min(script.Length, LineBuffer - 1)].IndexOf((byte)'\n');
            int length = newline >= 0 ? newline + 1 : Math.Min(script.Length, LineBuffer - 1);
            var line = script[..length];
            // fgets returns text that C ends at a NUL.
            foreach (byte end in "\0#"u8)
            {
                int at = line.IndexOf(end);
                line = at < 0 ? line : line[..at];
            }
            if (line.IndexOf(function) >= 0)
            {
                return true;
            }
            script = script[length..];
        }
        return false;
    }
}
