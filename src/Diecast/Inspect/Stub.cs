using Diecast.Images;
namespace Diecast.Inspect;
internal sealed record DL(IReadOnlyList<string> Lines, long Omitted);
internal static class TextDiff { public static DL? Compare(Blob a, Blob b, int max) => null; }
internal static class HexDiff { public static DL Compare(Blob a, Blob b, int max, long origin = 0) => new([], 0); }
internal static class Causes {
  public static Cause? OfField(string kind, string? path, string? structure, string field, string? before, string? after) => null;
  public static Cause? OfContent(string kind, string path, Change change) => null;
  public static Cause? OfLayout(string kind, string label) => null;
}
