using System.CommandLine;

namespace Diecast.Cli;

internal static class Program
{
    private static int Main(string[] arguments)
    {
        var root = new RootCommand("Builds bootable Linux disk images that are identical to the last bit.");
        return root.Parse(arguments).Invoke();
    }
}
