namespace Diecast.Binary;

public static class Alignment
{
    extension(long value)
    {
        /// <summary>The least multiple of <paramref name="unit"/> that is not below the value.</summary>
        public long AlignUp(long unit) => checked(value + unit - 1) / unit * unit;

        /// <summary>The greatest multiple of <paramref name="unit"/> that is not above the value.</summary>
        public long AlignDown(long unit) => value / unit * unit;

        /// <summary>How many units of that size hold the value.</summary>
        public long DivideUp(long unit) => checked(value + unit - 1) / unit;
    }
}
