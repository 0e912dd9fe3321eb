using Diecast.Tests.Support;

namespace Diecast.Tests.EndToEnd;

/// <summary>The mission's image boots by nothing but its own EFI system partition, whatever its disk is attached to.</summary>
public sealed class BootTests(MissionImage mission)
{
    // Emulated, on two cores that other tests use too.
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(8);

    public static TheoryData<DiskBus> Buses => [.. Enum.GetValues<DiskBus>()];

    [Theory]
    [MemberData(nameof(Buses))]
    public void ItReachesALoginPromptWithNoFailedUnit(DiskBus bus) => VirtualMachine.AssertBoots(mission.Image, bus, s_patience);
}
