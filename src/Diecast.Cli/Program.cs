using System.CommandLine;

namespace Diecast.Cli;

internal static class Program
{
    private static int Main(string[] arguments)
    {
        var root = new RootCommand("Builds bootable Linux disk images that are identical to the last bit.");
        root.Add(RepartCommand.Create());
        return root.Parse(arguments).Invoke();
    }
}
