using System.Globalization;
using System.Text;

namespace Diecast.Packages.Pacman;

/// <summary>
/// A <c>desc</c> or <c>depends</c> file of a database: blocks of a line <c>%KEY%</c>, a line for each value and a blank line.
/// </summary>
internal sealed class DescFile
{
    private readonly Dictionary<string, List<string>> _blocks = new(StringComparer.Ordinal);
    private readonly string _where;

    /// <param name="where">The package, for errors.</param>
    public DescFile(string where) => _where = where;

    /// <summary>Adds the blocks of one file; of a key that stands twice the later block counts.</summary>
    /// <exception cref="InvalidDataException">A block does not begin with a key.</exception>
    public void Add(ReadOnlySpan<byte> content)
    {
        List<string>? values = null;
        int number = 0;
        foreach (var range in content.Split((byte)'\n'))
        {
            number++;
            string line = Encoding.UTF8.GetString(content[range]);
            if (line.Length == 0)
            {
                values = null;
            }
            else if (values is not null)
            {
                values.Add(line);
            }
            else if (line.Length > 2 && line[0] == '%' && line[^1] == '%')
            {
                _blocks[line] = values = [];
            }
            else
            {
                throw new InvalidDataException($"{_where}: line {number} is neither a key nor in a block");
            }
        }
    }

    public IReadOnlyList<string> All(string key) => _blocks.GetValueOrDefault(key) ?? [];

    public string? First(string key) => All(key) is [var first, ..] ? first : null;

    public string Required(string key) => First(key) ?? throw Error($"has no {key}");

    public long Number(string key) => First(key) is not { } text ? 0
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number
        : throw Error($"{key} is no number: {text}");

    public InvalidDataException Error(string what) => new($"{_where}: {what}");
}
