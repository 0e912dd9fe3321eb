using Diecast.Binary;

namespace Diecast.Build.Partitioning;

/// <summary>
/// Divides the space of a disk among partitions and the gaps after them by weight, within their limits, exactly as
/// systemd-repart does.
/// </summary>
internal sealed class SpaceDivision
{
    private sealed class Share(int weight, long min, long? max)
    {
        public int Weight => weight;
        public long Min => min;
        public long Max => max ?? long.MaxValue;
        public long? Size { get; set; }
    }

    private enum Phase
    {
        /// <summary>Those that need more than their share get what they need.</summary>
        TooMuch,

        /// <summary>Those that take less than their share get what they take.</summary>
        TooLittle,

        /// <summary>All others get their share of the rest.</summary>
        Rest,
    }

    // Partition, its padding, the next partition, ...
    private readonly List<Share> _shares = [];
    private readonly long _grain;
    private long _span;
    private long _weights;

    private SpaceDivision(long span, long grain) => (_span, _grain) = (span, grain);

    /// <summary>The sizes of the partitions and of the gaps after them, in bytes.</summary>
    /// <param name="span">The bytes to divide; enough for all least sizes.</param>
    /// <param name="grain">What shares are rounded down to.</param>
    /// <param name="partitions">In their order on the disk.</param>
    public static IReadOnlyList<(long Size, long Padding)> Divide(
        long span, long grain, IReadOnlyList<(PartitionDefinition Definition, SizeLimits Limits)> partitions)
    {
        var division = new SpaceDivision(span, grain);
        foreach (var (definition, limits) in partitions)
        {
            division._shares.Add(new Share(definition.Weight, limits.Min, limits.Max));
            division._shares.Add(new Share(definition.PaddingWeight, limits.PaddingMin, limits.PaddingMax));
        }
        division._weights = division._shares.Sum(static share => (long)share.Weight);
        foreach (var phase in new[] { Phase.TooMuch, Phase.TooLittle, Phase.Rest })
        {
            while (!division.Run(phase))
            {
            }
        }
        division.GiveAwayRest();
        return [.. division._shares.Chunk(2).Select(static pair => (pair[0].Size!.Value, pair[1].Size!.Value))];
    }

    /// <summary>False if what was settled changes the shares of others, so that they must be looked at again.</summary>
    private bool Run(Phase phase)
    {
        bool settled = true;
        foreach (var share in _shares.Where(static share => share.Size is null))
        {
            long fair = Scale(_span, share.Weight, _weights);
            if (phase == Phase.TooMuch && share.Min > fair)
            {
                Settle(share, share.Min);
                settled = false;
            }
            else if (phase == Phase.TooLittle && share.Max < fair)
            {
                Settle(share, share.Max);
                settled = false;
            }
            else if (phase == Phase.Rest)
            {
                Settle(share, Math.Max(Math.Min(fair.AlignDown(_grain), share.Max), share.Min));
            }
        }
        return settled;
    }

    private void Settle(Share share, long size)
    {
        share.Size = size;
        _weights -= share.Weight;
        Charge(size);
    }

    private void Charge(long size) => _span = Math.Max(0, _span - size.AlignUp(_grain));

    /// <summary>What rounding left goes to the first partitions that can take it; padding never gets it.</summary>
    private void GiveAwayRest()
    {
        foreach (var share in _shares.Where(static (_, i) => i % 2 == 0))
        {
            if (_span == 0)
            {
                return;
            }
            long before = share.Size!.Value;
            share.Size = Math.Min(Math.Max((before + _span).AlignDown(_grain), before), share.Max);
            Charge(share.Size.Value - before);
        }
    }

    // In 64 bits as systemd-repart calculates: beyond them the weights lose low bits instead of the sizes high ones.
    private static long Scale(long value, long weight, long weights)
    {
        while (true)
        {
            if (weight == 0)
            {
                return 0;
            }
            if (weight == weights)
            {
                return value;
            }
            if ((ulong)value <= ulong.MaxValue / (ulong)weight)
            {
                return (long)((ulong)value * (ulong)weight / (ulong)weights);
            }
            weights = weights.DivideUp(2);
            weight /= 2;
        }
    }
}
