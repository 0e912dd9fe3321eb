using System.Text.Json;
using Diecast.Images;
using Diecast.Tests.Support;

namespace Diecast.Tests.Formats.Gpt;

/// <summary>A disk that systemd-repart wrote: its first and last sectors, and what sfdisk says of it.</summary>
internal sealed record Vector(string Name, int SectorSize, long Length)
{
    public const string Seed = "0e9a6fe0-68f6-408c-bbeb-136054d20445";

    public static readonly Vector Auto = new("repart-auto", 512, 55_595_008);
    public static readonly Vector Fixed = new("repart-fixed", 512, 256 << 20);
    public static readonly Vector FourK = new("repart-4k", 4096, 55_595_008);

    public static Vector[] All => [Auto, Fixed, FourK];

    public byte[] Primary => File.ReadAllBytes(PathOf("primary.bin"));

    public byte[] Backup => File.ReadAllBytes(PathOf("backup.bin"));

    /// <summary>The definitions it was made of.</summary>
    public string Definitions => this == FourK ? Auto.Definitions : PathOf("definitions");

    public JsonElement Table => JsonDocument.Parse(File.ReadAllText(PathOf("table.json"))).RootElement.GetProperty("partitiontable");

    public Image Disk => new DiskOf(Primary, Backup, Length).Image;

    public override string ToString() => Name;

    private string PathOf(string file) => Repository.File("tests", "Diecast.Tests", "Formats", "Gpt", "Vectors", Name, file);

    internal sealed record DiskOf(byte[] Primary, byte[] Backup, long Length)
    {
        public Image Image
        {
            get
            {
                var image = new ImageBuilder();
                image.Place(0, Primary, "first sectors");
                image.Place(Length - Backup.Length, Backup, "last sectors");
                return image.Build(Length);
            }
        }
    }
}
