using System.Diagnostics;
using System.Globalization;
using CsCheck;

namespace Diecast.Tests.Fuzz;

/// <summary>
/// Every reader, on damaged copies of real images: InvalidDataException and nothing else, in bounded time and memory. Each
/// kind of image gets about half a second, or DIECAST_FUZZ_SECONDS. A failure prints what repeats it: CsCheck_Seed.
/// </summary>
public sealed class FuzzTests
{
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(30);

    /// <summary>What a kind of image gets where nothing else is asked for.</summary>
    private static readonly TimeSpan s_usual = TimeSpan.FromSeconds(0.5);

    /// <summary>-1 where it is not set, which is also CsCheck's word for that.</summary>
    private static readonly int s_seconds =
        int.TryParse(Environment.GetEnvironmentVariable("DIECAST_FUZZ_SECONDS"), CultureInfo.InvariantCulture, out int seconds) ? seconds : -1;

    /// <summary>What handling a damaged image may allocate beyond what the sound one does, in bytes.</summary>
    private const long AllocationAllowance = 64 << 20;

    private const int AllocationFactor = 10;

    public static TheoryData<string> Names => [.. FuzzSeeds.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void DamageIsToldByInvalidDataOnly(string name)
    {
        var seed = FuzzSeeds.Get(name);
        Assert.InRange(seed.Image.Stored, 1, 4 << 20);
        var sound = new Exerciser([]);
        long limit = AllocationAllowance + AllocationFactor * Measure(sound, seed.Image, seed.Path);
        Assert.True(sound.Understood > 1, $"{name} is understood by no reader");
        // Once more, now that the code is compiled.
        var watch = Stopwatch.StartNew();
        Measure(new Exerciser([]), seed.Image, seed.Path);
        long cases = Math.Clamp((long)(s_usual / watch.Elapsed), 30, 3000);
        FuzzCases.Of(seed.Image.Length, seed.Hot).Sample(
            fuzzCase =>
            {
                var image = seed.Image.Fork();
                foreach (var mutation in fuzzCase.Mutations)
                {
                    mutation.Apply(image);
                }
                if (fuzzCase.IsRepaired)
                {
                    seed.Repair(image);
                }
                long allocated = Measure(new Exerciser(fuzzCase.Probes), image, seed.Path);
                Assert.True(allocated <= limit, $"{allocated} bytes were allocated, and at most {limit} may be");
            },
            iter: cases, time: s_seconds, threads: 1, print: fuzzCase => $"{name}: {fuzzCase}",
            writeLine: line => TestContext.Current.TestOutputHelper?.WriteLine(line));
    }

    /// <summary>Exercises an image on a thread of its own, which is given up where it takes too long. The bytes allocated.</summary>
    private static long Measure(Exerciser exerciser, SparseImage image, string path)
    {
        var work = Task.Factory.StartNew(
            () =>
            {
                long before = GC.GetAllocatedBytesForCurrentThread();
                exerciser.Exercise(image, path);
                return GC.GetAllocatedBytesForCurrentThread() - before;
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        // Waiting first, so that the exception is the reader's and no AggregateException.
        Assert.True(((IAsyncResult)work).AsyncWaitHandle.WaitOne(s_longest), $"not done after {s_longest}");
        return work.GetAwaiter().GetResult();
    }
}
