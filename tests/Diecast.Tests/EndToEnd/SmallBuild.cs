using System.Text;
using Diecast.Tests.Support;

namespace Diecast.Tests.EndToEnd;

/// <summary>Builds of a few packages of the small mirror, in a directory of their own, with a TMPDIR of their own.</summary>
internal sealed class SmallBuild : IDisposable
{
    private readonly Scene _scene = new(mirror: Fixture.SmallMirror);

    public SmallBuild() => Directory.CreateDirectory(Temporary);

    public static string MirrorUrl => "file://" + Fixture.SmallMirror;

    public string Root => _scene.Root;

    public string this[string name] => _scene[name];

    /// <summary>TMPDIR, which is empty after every build. Its path is how the processes of this build are known.</summary>
    public string Temporary => _scene["tmp"];

    /// <summary>What the mirror's URL and the name of the output have to be added to.</summary>
    public static string[] Bash => ["-d", "arch", "-p", "bash", "--format=tar"];

    /// <summary>What builds in well under a second.</summary>
    public static string[] Command(params string[] more) => [.. Bash, "-m", MirrorUrl, "-o", "foo", .. more];

    public void WriteFile(string name, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(this[name])!);
        File.WriteAllText(this[name], content);
    }

    public Tool.Result Run(params string[] arguments) => RunWith("", Scene.Cache, arguments);

    /// <param name="prefix">Words of a shell that the tool's own follow.</param>
    /// <param name="cache">The directory of the package store.</param>
    public Tool.Result RunWith(string prefix, string cache, params string[] arguments) =>
        _scene.Run($"env TMPDIR='{Temporary}' {prefix}", cache, arguments);

    /// <summary>Builds, and returns the SHA-256 that the tool prints for the output.</summary>
    public string Build(params string[] arguments)
    {
        var result = Run(arguments);
        Assert.True(result.ExitCode == 0, result.All);
        return result.Output.Split(' ')[0];
    }

    /// <summary>Fails the test if anything of a build is still mounted, running or in TMPDIR, or an output is half there.</summary>
    public void AssertNothingIsLeft()
    {
        Assert.Equal([], Directory.GetFileSystemEntries(Temporary));
        Assert.Equal([], Directory.GetFileSystemEntries(Root, ".*.diecast"));
        Assert.DoesNotContain(Root, File.ReadAllText("/proc/mounts"), StringComparison.Ordinal);
        Assert.Equal([], Processes(Temporary));
    }

    /// <param name="expected">The error, in which * stands for anything.</param>
    public static void AssertFailed(string expected, Tool.Result result)
    {
        Assert.True(result.ExitCode == 1, result.All);
        Assert.Equal("", result.Output);
        string pattern = "^error: " + string.Join(".*", expected.Split('*').Select(System.Text.RegularExpressions.Regex.Escape)) + "$";
        string error = Assert.Single(ErrorLines(result.Errors));
        // With the whole text, which Assert.Matches cuts off.
        Assert.True(System.Text.RegularExpressions.Regex.IsMatch(error, pattern), $"{error}\nis not\n{expected}");
    }

    /// <summary>Without the lines that any build has: what it is at, and warnings.</summary>
    public static string[] ErrorLines(string errors) => [.. errors.TrimEnd('\n').Split('\n').Where(static line =>
        line is not ("Resolving packages" or "Fetching packages" or "Installing packages" or "Making the image")
        && !line.StartsWith("warning: ", StringComparison.Ordinal) && !line.StartsWith("  downloaded ", StringComparison.Ordinal))];

    /// <summary>The command lines of the processes that have the text in their arguments or environment.</summary>
    public static List<string> Processes(string text)
    {
        var found = new List<string>();
        foreach (string directory in Directory.GetDirectories("/proc").Where(static path => char.IsAsciiDigit(Path.GetFileName(path)[0])))
        {
            string arguments = Read(Path.Join(directory, "cmdline"));
            if ((arguments + Read(Path.Join(directory, "environ"))).Contains(text, StringComparison.Ordinal))
            {
                found.Add(arguments.Replace('\0', ' '));
            }
        }
        return found;
    }

    public void Dispose() => _scene.Dispose();

    private static string Read(string path)
    {
        try
        {
            return Encoding.Latin1.GetString(File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The process has ended.
            return "";
        }
    }
}
