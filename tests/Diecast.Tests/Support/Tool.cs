using System.Diagnostics;
using System.Text;

namespace Diecast.Tests.Support;

/// <summary>A foreign program that serves as an oracle. A missing one is a skip on a laptop and a failure in CI.</summary>
internal static class Tool
{
    internal sealed record Result(int ExitCode, string Output, string Errors)
    {
        public string All => Output + Errors;
    }

    /// <summary>Runs a program to its end.</summary>
    public static Result Run(string program, params string[] arguments) => Run(program, arguments, null, null);

    public static Result Run(string program, string[] arguments, Dictionary<string, string>? environment, byte[]? input)
    {
        string path = Require(program);
        var start = new ProcessStartInfo(path, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            StandardOutputEncoding = Encoding.UTF8,
        };
        start.Environment["LC_ALL"] = "C.UTF-8";
        start.Environment["TZ"] = "UTC";
        foreach (var (name, value) in environment ?? [])
        {
            start.Environment[name] = value;
        }
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        if (input is not null)
        {
            process.StandardInput.BaseStream.Write(input);
        }
        process.StandardInput.Close();
        process.WaitForExit();
        return new Result(process.ExitCode, output.Result, errors.Result);
    }

    /// <summary>Runs a program and fails the test unless it exits with 0.</summary>
    public static string RunOk(string program, params string[] arguments)
    {
        var result = Run(program, arguments);
        Assert.True(result.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: exit {result.ExitCode}\n{result.All}");
        return result.Output;
    }

    /// <summary>The path of a program; skips the test (fails it in CI) where it is not installed.</summary>
    public static string Require(string program)
    {
        string? path = Find(program);
        if (path is null)
        {
            Missing($"{program} is not installed");
        }
        return path!;
    }

    /// <summary>Skips the test, or fails it in CI.</summary>
    public static void Missing(string what)
    {
        Assert.False(Environment.GetEnvironmentVariable("CI") == "true", what);
        Assert.Skip(what);
    }

    private static string? Find(string program) =>
        program.Contains('/', StringComparison.Ordinal)
            ? (File.Exists(program) ? program : null)
            : (Environment.GetEnvironmentVariable("PATH") + ":/usr/sbin:/sbin").Split(':')
                .Select(directory => Path.Join(directory, program)).FirstOrDefault(File.Exists);
}
