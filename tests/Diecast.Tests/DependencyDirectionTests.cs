using System.Text.RegularExpressions;
using Diecast.Tests.Support;

namespace Diecast.Tests;

/// <summary>Keeps the layers of docs/architecture.md in one direction, by the using lines and the names in the code.</summary>
public sealed partial class DependencyDirectionTests
{
    private static readonly Dictionary<string, string[]> s_mayUse = new(StringComparer.Ordinal)
    {
        ["Binary"] = [],
        ["Images"] = ["Binary"],
        ["Trees"] = ["Binary", "Images"],
        ["Formats"] = ["Binary", "Images", "Trees"],
        ["Config"] = [],
        ["Packages"] = ["Binary", "Images", "Trees", "Formats.Tar"],
        ["Boot"] = ["Binary", "Images", "Trees", "Formats"],
        ["Build"] = ["Binary", "Images", "Trees", "Formats", "Config", "Packages", "Boot"],
        ["Inspect"] = ["Binary", "Images", "Trees", "Formats", "Config", "Packages", "Boot", "Build"],
    };

    [Fact]
    public void LayersUseOnlyThoseBelow()
    {
        string source = Repository.File("src", "Diecast");
        var wrong = new List<string>();
        foreach (string file in Directory.GetFiles(source, "*.cs", SearchOption.AllDirectories))
        {
            string relative = Path.GetRelativePath(source, file);
            string[] parts = relative.Split('/');
            string own = parts[0] == "Formats" && parts.Length > 2 ? $"Formats.{parts[1]}" : parts[0];
            foreach (Match use in Namespace().Matches(File.ReadAllText(file)))
            {
                if (!Allowed(own, use.Groups[1].Value))
                {
                    wrong.Add($"{relative}: {use.Value}");
                }
            }
        }
        Assert.Empty(wrong);
    }

    [Theory]
    [InlineData("Binary", "Images", false)]
    [InlineData("Formats.Ext4", "Formats.Fat", false)]
    [InlineData("Formats.Ext4", "Trees", true)]
    [InlineData("Packages", "Formats.Tar", true)]
    [InlineData("Packages", "Formats.Ext4", false)]
    [InlineData("Config", "Trees", false)]
    public void TheRuleItselfHolds(string own, string used, bool allowed) => Assert.Equal(allowed, Allowed(own, used));

    private static bool Allowed(string own, string used)
    {
        string layer = own.Split('.')[0];
        if (own == used || (used == layer) || (!own.StartsWith("Formats.", StringComparison.Ordinal) && used.Split('.')[0] == layer))
        {
            return true;
        }
        if (own == "Formats")
        {
            return used.Split('.')[0] is "Binary" or "Images" or "Trees" or "Formats";
        }
        return s_mayUse[layer].Any(may => used == may || used.StartsWith(may + ".", StringComparison.Ordinal))
            && !(layer == "Formats" && used.StartsWith("Formats.", StringComparison.Ordinal));
    }

    [GeneratedRegex(@"\bDiecast\.((?:Binary|Images|Trees|Formats|Config|Packages|Boot|Build|Inspect)(?:\.(?:Ext4|Fat|Btrfs|Erofs|SquashFs|Xfs|F2fs|Swap|Gpt|Cpio|Tar|Uki|Verity|Pacman|Apt)\b)?)")]
    private static partial Regex Namespace();
}
