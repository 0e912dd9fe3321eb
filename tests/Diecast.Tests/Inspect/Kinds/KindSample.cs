using Diecast.Images;
using Diecast.Inspect;

namespace Diecast.Tests.Inspect.Kinds;

/// <summary>Opens files as the differ does.</summary>
internal static class KindSample
{
    public static Container Open(byte[] bytes, string path = "") =>
        ContainerTable.Open(new MemoryBlob(bytes), path) ?? throw new InvalidDataException("no kind");

    public static Container OpenFile(string file, string? path = null) => Open(File.ReadAllBytes(file), path ?? file);

    public static string Value(this Container container, string field) => Assert.Single(container.Fields, candidate => candidate.Name == field).Value;

    public static byte[] Bytes(this Part part) => part.Content.ReadBytes(0, (int)part.Content.Length);

    /// <summary>The names of the fields in which two files differ.</summary>
    public static string[] Differing(Container before, Container after) =>
        [.. before.Fields.Except(after.Fields).Union(after.Fields.Except(before.Fields)).Select(static field => field.Name).Distinct()];

    /// <summary>The names of the parts in which two files differ.</summary>
    public static string[] DifferingParts(Container before, Container after) =>
        [.. before.Parts.Where(part => !part.Bytes().AsSpan().SequenceEqual(after.Parts.FirstOrDefault(other => other.Name == part.Name)?.Bytes()))
            .Select(static part => part.Name)];
}
