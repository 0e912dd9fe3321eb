namespace Diecast.Formats.Fat;

/// <summary>The code page of short names that says nothing else: that of the original PC.</summary>
internal static class CodePage437
{
    private const string UpperHalf =
        "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00A0";

    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        var text = new char[bytes.Length];
        for (int i = 0; i < bytes.Length; i++)
        {
            text[i] = bytes[i] < 0x80 ? (char)bytes[i] : UpperHalf[bytes[i] - 0x80];
        }
        return new string(text);
    }
}
