namespace Diecast.Config;

/// <summary>The defaults that more than one place needs.</summary>
internal static class Defaults
{
    /// <summary>mkosi's. Debian's is a name whose meaning changes: it is best given.</summary>
    public static string Release(string? distribution) => distribution switch
    {
        "debian" => "testing",
        "ubuntu" => "noble",
        _ => "rolling",
    };

    public const Architecture Architecture = Config.Architecture.X86_64;
    public const OutputFormat Format = OutputFormat.Disk;

    public static string Output(MergedValues values) => values.Text("Output")
        ?? (values.Text("ImageId") ?? "image") + (values.Text("ImageVersion") is { } version ? $"_{version}" : "");
}
