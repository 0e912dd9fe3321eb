using System.Runtime.InteropServices;
using Diecast.Build;
using Diecast.Packages;
using Diecast.Tests.Support;

namespace Diecast.Tests.Build;

public sealed class SandboxTests
{
    /// <summary>fsync of what is not open fails, but where nothing is to wait for the disk.</summary>
    [Fact]
    public void NothingWaitsForTheDisk()
    {
        Tool.Require("bwrap");
        Tool.Require("perl");
        if (RuntimeInformation.OSArchitecture is not (Architecture.X64 or Architecture.Arm64))
        {
            Assert.Skip("the filter is not made for this machine");
        }
        int fsync = RuntimeInformation.OSArchitecture == Architecture.X64 ? 74 : 82;
        string program = $"print(syscall({fsync}, 999) == 0 ? 'at once' : \"$!\")";
        Assert.Equal("Bad file descriptor", Tool.RunOk("perl", "-e", program));
        using var directory = new TempDirectory();
        var sandbox = new Sandbox("/", directory.Path, Sandbox.FixedEnvironment(0)) { HasHostPrograms = true };
        // Twice: the filter is made anew for each script.
        for (int i = 0; i < 2; i++)
        {
            var result = sandbox.Run(new Script { Name = "fsync", Command = ["/usr/bin/perl", "-e", program] }, CancellationToken.None);
            Assert.Equal("at once", result.Output);
            Assert.Equal(0, result.ExitCode);
        }
        var other = sandbox.Run(new Script { Name = "close", Command = ["/bin/sh", "-c", "exec 2> /dev/full; echo x > /dev/full"] }, CancellationToken.None);
        Assert.NotEqual(0, other.ExitCode);
    }
}
