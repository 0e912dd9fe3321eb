using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Cli;

/// <summary>
/// The standard output for bytes. (The runtime's own stream takes no notice of a reader that has gone, and one over the
/// descriptor writes at places of its own, as if no other program wrote there.)
/// </summary>
internal sealed class StandardOutput : WriteOnlyStream
{
    /// <summary>The exit status of a program whose reader has gone, as of a shell.</summary>
    public const int ReaderGone = 141;

    public override void Write(ReadOnlySpan<byte> buffer) => Posix.Write(1, buffer, "standard output"u8);

    /// <summary>Does what writes to it; that nobody reads any more is no error worth a line.</summary>
    public static int Run(Func<Stream, int> write)
    {
        try
        {
            return write(new StandardOutput());
        }
        catch (PosixException error) when (error.Error == Posix.EPIPE)
        {
            return ReaderGone;
        }
    }
}
