using System.Globalization;
using Diecast.Boot;
using Diecast.Formats;

namespace Diecast.Inspect.Reports;

/// <summary>Tells people what an image is, in a terminal: the partition table first, then what is in each partition.</summary>
/// <param name="output">Where to.</param>
/// <param name="hasColors">Whether the output understands ANSI sequences.</param>
/// <param name="all">Also the fields that are zero or empty.</param>
public sealed class InspectionText(TextWriter output, bool hasColors, bool all)
{
    private const string Bold = "1", Dim = "2", Red = "1;31", Yellow = "33";
    private const int NameColumn = 12;
    private const int CellWidth = 50;
    private const int LineWidth = 100;

    /// <summary>Writes all of it.</summary>
    /// <param name="name">The address that was inspected.</param>
    /// <param name="inspection">What was found.</param>
    /// <param name="note">What else is said of it, such as how it is packed; empty for nothing.</param>
    public void Write(string name, Inspection inspection, string note)
    {
        string packed = note.Length > 0 ? $", {note}" : "";
        output.WriteLine($"{Styled(Bold, Units.Display(name))}  {Kind(inspection)}, {Units.Size(inspection.Length)} ({Number(inspection.Length)} bytes){packed}");
        WriteBody(inspection, 0);
    }

    private void WriteBody(Inspection inspection, int indent)
    {
        if (inspection.Damage is { } damage)
        {
            Row(indent, "damaged", Styled(Red, Units.Display(damage)));
        }
        foreach (string problem in inspection.Problems)
        {
            Row(indent, "problem", Styled(Yellow, Units.Display(problem)));
        }
        if (inspection.Container is not { } container)
        {
            return;
        }
        var summary = InspectionSummary.Of(container);
        foreach (var (label, value) in summary.Lines)
        {
            WriteWrapped(indent, label, value);
        }
        if (Usage(inspection.Usage) is { Length: > 0 } usage)
        {
            Row(indent, "usage", usage);
        }
        if (container.Kind == "gpt")
        {
            WritePartitions(inspection, indent);
            return;
        }
        if (container.Kind == "pe")
        {
            WriteSections(inspection, indent);
        }
        // Of a kernel image in a file system the sections say what is wanted.
        if (container.Kind != "pe" || indent == 0 || all)
        {
            WriteFields(container.Fields.Where(field => !summary.Fields.Contains(field.Name)), indent);
        }
        foreach (var kernel in inspection.Kernels)
        {
            output.WriteLine();
            output.WriteLine($"{Space(indent + 2)}{Styled(Bold, kernel.Path.ToString())}  {Kind(kernel.Content)}, {Units.Size(kernel.Content.Length)}");
            WriteBody(kernel.Content, indent + 2);
        }
    }

    private void WritePartitions(Inspection disk, int indent)
    {
        WriteFields(disk.Container!.Fields.Where(static field => field.Name != "DiskGUID"), indent);
        output.WriteLine();
        Table(indent, ["#", "TYPE", "OFFSET", "SIZE", "LABEL", "FLAGS", "CONTENT"], "r rr   ",
            disk.Parts.Select(static part => (string[])[
                part.Part.Name, Field(part.Part, "type"), Units.Size(long.Parse(Field(part.Part, "offset"), CultureInfo.InvariantCulture)),
                Units.Size(part.Content.Length), Units.Display(Field(part.Part, "label")), Field(part.Part, "attributes"), Kind(part.Content),
            ]));
        foreach (var part in disk.Parts)
        {
            output.WriteLine();
            output.WriteLine($"{Space(indent)}{Styled(Bold, $"{part.Part.Name} {Field(part.Part, "type")}")}  {Kind(part.Content)}");
            Row(indent, "PARTUUID", Field(part.Part, "id"));
            Row(indent, "type", Field(part.Part, "type-uuid"));
            Row(indent, "place", $"{Field(part.Part, "offset")} + {Field(part.Part, "length")} bytes");
            WriteBody(part.Content, indent);
        }
    }

    private void WriteSections(Inspection program, int indent)
    {
        foreach (var section in program.Parts.Where(static section => section.Text is not null))
        {
            WriteText(section, indent);
        }
        Table(indent, ["SECTION", "ADDRESS", "SIZE", "SHA-256"], "  r ", program.Parts.Select(static section => (string[])[
            Units.Display(section.Part.Name), Field(section.Part, "VirtualAddress"), Number(section.Content.Length),
            section.Digest is { } digest ? Convert.ToHexStringLower(digest) : "",
        ]));
    }

    /// <summary>One line stands beside the name; several stand below it.</summary>
    private void WriteText(InspectedPart section, int indent)
    {
        string name = section.Part.Name.TrimStart('.');
        string[] lines = section.Text!.Split('\n');
        if (section.Part.Name == ".osrel" && OsRelease.Parse(section.Text).GetValueOrDefault("PRETTY_NAME") is { Length: > 0 } title)
        {
            Row(indent, "system", Units.Display(title));
        }
        for (int i = 0; i < lines.Length; i++)
        {
            Row(indent, i == 0 ? Units.Display(name) : "", Units.Display(lines[i]));
        }
    }

    /// <summary>Two fields a line where they fit.</summary>
    private void WriteFields(IEnumerable<NamedField> fields, int indent)
    {
        var shown = fields.Where(field => all || !IsEmpty(field.Value)).ToList();
        int width = Math.Min(shown.Select(static field => field.Name.Length).DefaultIfEmpty().Max(), 28);
        string left = "";
        foreach (var field in shown)
        {
            string cell = $"{field.Name.PadRight(width)}  {Units.Display(field.Value)}";
            bool isWide = cell.Length >= CellWidth;
            if (left.Length > 0 && (isWide || left.Length >= CellWidth))
            {
                Line(indent, left);
                left = "";
            }
            if (left.Length > 0)
            {
                Line(indent, left.PadRight(CellWidth) + cell);
                left = "";
            }
            else if (isWide)
            {
                Line(indent, cell);
            }
            else
            {
                left = cell;
            }
        }
        if (left.Length > 0)
        {
            Line(indent, left);
        }
    }

    private void Line(int indent, string text) => output.WriteLine($"{Space(indent)}  {Styled(Dim, text.TrimEnd())}");

    private void WriteWrapped(int indent, string name, string value)
    {
        string line = "";
        foreach (string word in value.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > LineWidth - NameColumn)
            {
                Row(indent, name, line);
                (name, line) = ("", "");
            }
            line += line.Length > 0 ? " " + word : word;
        }
        Row(indent, name, line);
    }

    private void Row(int indent, string name, string value) =>
        output.WriteLine($"{Space(indent)}  {Styled(Dim, name.PadRight(NameColumn))}{value}".TrimEnd());

    /// <param name="indent">In blanks.</param>
    /// <param name="header">The names of the columns.</param>
    /// <param name="alignment">"r" for each column that is aligned to the right.</param>
    /// <param name="rows">The cells.</param>
    private void Table(int indent, string[] header, string alignment, IEnumerable<string[]> rows)
    {
        string[][] cells = [header, .. rows];
        int[] widths = [.. header.Select((_, i) => cells.Max(row => row[i].Length))];
        for (int i = 0; i < cells.Length; i++)
        {
            string line = string.Join("  ", cells[i].Select((cell, column) =>
                alignment[column] == 'r' ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]))).TrimEnd();
            output.WriteLine($"{Space(indent)}  {(i == 0 ? Styled(Bold, line) : line)}");
        }
    }

    /// <summary>"gpt", "ext4", "damaged", "LUKS (not read)".</summary>
    private static string Kind(Inspection inspection) =>
        inspection.Damage is not null ? "damaged"
        : inspection.Container is { } container ? InspectionSummary.Of(container).Title
        : inspection.Unread is { } name ? $"{name} (not read)" : "unknown content";

    private static string Usage(Usage? usage)
    {
        var parts = new List<string>();
        if (usage is { Total: { } total, Free: { } free, Used: { } used })
        {
            string share = total > 0 ? $" ({(100.0 * used / total).ToString("0", CultureInfo.InvariantCulture)}%)" : "";
            parts.Add($"{Units.Size(used)} of {Units.Size(total)}{share}, {Units.Size(free)} free");
        }
        if (usage is { Inodes: { } inodes, FreeInodes: { } freeInodes })
        {
            parts.Add($"{Number(inodes - freeInodes)} of {Number(inodes)} inodes");
        }
        if (usage is { Files: { } files })
        {
            parts.Add($"{Number(files)} files and directories");
        }
        return string.Join("; ", parts);
    }

    private static bool IsEmpty(string value) => value is "" or "0" or "0.000000000" or "00000000-0000-0000-0000-000000000000"
        || (value.StartsWith("0x", StringComparison.Ordinal) && !value.AsSpan(2).ContainsAnyExcept('0'));

    private static string Field(Part part, string name) => part.Fields.FirstOrDefault(field => field.Name == name)?.Value ?? "";

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Space(int count) => new(' ', count);

    private string Styled(string style, string text) => hasColors && text.Length > 0 ? $"\e[{style}m{text}\e[0m" : text;
}
