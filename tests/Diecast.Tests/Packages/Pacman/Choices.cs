using CsCheck;

namespace Diecast.Tests.Packages.Pacman;

internal static class Choices
{
    /// <summary>One of the values.</summary>
    public static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);
}
