namespace Diecast.Config;

/// <summary>The defaults that more than one place needs.</summary>
internal static class Defaults
{
    public const string Release = "rolling";
    public const Architecture Architecture = Config.Architecture.X86_64;
    public const OutputFormat Format = OutputFormat.Disk;

    public static string Output(MergedValues values) => values.Text("Output")
        ?? (values.Text("ImageId") ?? "image") + (values.Text("ImageVersion") is { } version ? $"_{version}" : "");
}
