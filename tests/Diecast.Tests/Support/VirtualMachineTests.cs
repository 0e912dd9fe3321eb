using System.Text.RegularExpressions;
using Xunit.Sdk;

namespace Diecast.Tests.Support;

/// <summary>The oracle itself: with a disk that holds nothing the firmware's shell answers on the console.</summary>
public sealed class VirtualMachineTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    [Fact]
    public void AnEmptyDiskEndsInTheFirmwareShell()
    {
        using var directory = new TempDirectory();
        byte[] zeros = new byte[1 << 20];
        File.WriteAllBytes(directory["disk,1.raw"], zeros);
        using var machine = VirtualMachine.Start(directory["disk,1.raw"], DiskBus.VirtioBlk);

        machine.WaitFor(new Regex("Shell> $"), Patience);
        machine.Send("echo 6 times 7\r");
        machine.WaitFor(new Regex("\n6 times 7"), Patience);

        var failure = Assert.Throws<FailException>(() => machine.LogIn(TimeSpan.FromSeconds(1)));
        Assert.Contains("6 times 7", failure.Message, StringComparison.Ordinal);
        Assert.Equal(zeros, File.ReadAllBytes(directory["disk,1.raw"]));
    }
}
