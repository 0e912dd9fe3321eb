using System.Runtime.ExceptionServices;

namespace Diecast.Images;

/// <summary>Work on all processors that ends as if one did it.</summary>
public static class AllProcessors
{
    /// <summary>Calls the action with each number from 0 on. Of what it throws, that of the lowest number comes out, as it is.</summary>
    public static void For(int count, Action<int> action)
    {
        var failures = new Exception?[count];
        Parallel.For(0, count, i =>
        {
            try
            {
                action(i);
            }
            catch (Exception failure)
            {
                failures[i] = failure;
            }
        });
        if (Array.Find(failures, static failure => failure is not null) is { } first)
        {
            ExceptionDispatchInfo.Throw(first);
        }
    }
}
