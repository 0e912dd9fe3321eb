using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Diecast.Images;

/// <summary>
/// Asks the host's file system where a file has holes. The answer depends on the host and changes over time: it may save
/// reading zeros that are compared with zeros, and nothing else (<see cref="DataRuns"/> finds holes by content).
/// </summary>
internal static partial class FileHoles
{
    private const int SeekData = 3, Enxio = 6;

    /// <inheritdoc cref="Blob.NextData"/>
    /// <param name="file">Open for reading; its position moves.</param>
    /// <param name="offset">In bytes.</param>
    /// <param name="length">Of the file.</param>
    public static long NextData(SafeFileHandle file, long offset, long length)
    {
        if (offset >= length)
        {
            return length;
        }
        long data = Seek(file, offset, SeekData);
        return data >= 0 ? Math.Clamp(data, offset, length) : Marshal.GetLastPInvokeError() == Enxio ? length : offset;
    }

    [LibraryImport("libc", EntryPoint = "lseek64", SetLastError = true)]
    private static partial long Seek(SafeFileHandle file, long offset, int whence);
}
