using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Diecast.Inspect.Reports;

/// <summary>
/// Writes markup by interpolated strings: their literal parts as they are, and what is put into them escaped. So no name of a
/// file, no content and no cause can ever become markup, in text or in a quoted attribute.
/// </summary>
internal sealed class HtmlWriter(TextWriter output)
{
    /// <summary>Writes an interpolated string.</summary>
    public void Write(Markup markup) => output.Write(markup.Written);

    /// <summary>Writes an asset of the page itself.</summary>
    public void WriteAsset(string asset) => output.Write(asset);
}

/// <summary>What the compiler makes of an interpolated string of markup.</summary>
[InterpolatedStringHandler]
internal readonly ref struct Markup(int literalLength, int formattedCount)
{
    /// <summary>In characters; a value that is longer is cut off.</summary>
    public const int MaximumText = 4096;

    public StringBuilder Written { get; } = new(literalLength + 32 * formattedCount);

    public void AppendLiteral(string markup) => Written.Append(markup);

    /// <summary>
    /// The format "text" sets apart what no reader could see, by an element of its own: not for attributes, where it is only
    /// spelt out.
    /// </summary>
    public void AppendFormatted(string? text, string? format = null)
    {
        int left = MaximumText;
        foreach (int rune in CodePoints(text ?? ""))
        {
            if (left-- == 0)
            {
                Written.Append(CultureInfo.InvariantCulture, $"… ({text!.Length:N0} characters)");
                return;
            }
            Append(rune, isMarked: format == "text");
        }
    }

    public void AppendFormatted(long number, string? format = null) => Written.Append(number.ToString(format, CultureInfo.InvariantCulture));

    private void Append(int rune, bool isMarked)
    {
        if (rune is '&' or '<' or '>' or '"' or '\'' or '`')
        {
            Written.Append(CultureInfo.InvariantCulture, $"&#{rune};");
        }
        else if (rune is >= 0x20 and < 0x7f)
        {
            Written.Append((char)rune);
        }
        else if (IsVisible(rune))
        {
            Written.Append(new Rune(rune).ToString());
        }
        else
        {
            Written.Append(isMarked ? "<i class=\"x\">" : "").Append(CultureInfo.InvariantCulture, $"&#60;U+{rune:X4}&#62;")
                .Append(isMarked ? "</i>" : "");
        }
    }

    /// <summary>The code points, and the surrogates that are not part of one.</summary>
    private static IEnumerable<int> CodePoints(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                yield return char.ConvertToUtf32(text[i], text[i + 1]);
                i++;
            }
            else
            {
                yield return text[i];
            }
        }
    }

    /// <summary>
    /// Whether a reader sees it, and sees it where it is: no control or format characters (they turn the direction of writing
    /// or hide), no blanks but the common one, nothing that fonts leave out (Default_Ignorable_Code_Point in
    /// https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt).
    /// </summary>
    private static bool IsVisible(int rune) => Rune.IsValid(rune) && !IsIgnorable(rune)
        && Rune.GetUnicodeCategory(new Rune(rune)) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);

    // The last of them is drawn, but as nothing; and the two last code points of each plane are no characters.
    private static bool IsIgnorable(int rune) => rune is 0x034f or 0x115f or 0x1160 or 0x17b4 or 0x17b5 or (>= 0x180b and <= 0x180f)
        or 0x3164 or (>= 0xfe00 and <= 0xfe0f) or 0xffa0 or (>= 0xe0000 and <= 0xe0fff) or 0x2800 || (rune & 0xfffe) == 0xfffe;
}
