using System.Text;

namespace Diecast.Config;

/// <summary>Splits text into words as a shell does: blanks separate, quotes and backslashes keep them; nothing is expanded.</summary>
internal static class ShellWords
{
    /// <exception cref="FormatException">A quote or a backslash has no end.</exception>
    public static IEnumerable<string> Split(string text)
    {
        var words = new List<string>();
        StringBuilder? word = null;
        char quote = '\0';
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c == '\\' && quote != '\'')
            {
                if (++i == text.Length)
                {
                    throw new FormatException($"the backslash at the end of '{text}' has nothing to escape");
                }
                // Within double quotes a backslash escapes only these; elsewhere it stays.
                string keep = quote == '"' && text[i] is not ('"' or '\\') ? "\\" : "";
                (word ??= new StringBuilder()).Append(keep).Append(text[i]);
            }
            else if (quote == '\0' ? c is '\'' or '"' : c == quote)
            {
                quote = quote == '\0' ? c : '\0';
                word ??= new StringBuilder();
            }
            else if (quote == '\0' && char.IsWhiteSpace(c))
            {
                Flush();
            }
            else
            {
                (word ??= new StringBuilder()).Append(c);
            }
        }
        if (quote != '\0')
        {
            throw new FormatException($"the quote {quote} in '{text}' has no end");
        }
        Flush();
        return words;

        void Flush()
        {
            if (word is not null)
            {
                words.Add(word.ToString());
                word = null;
            }
        }
    }

    /// <summary>The word as <see cref="Split"/> gives it back.</summary>
    public static string Quote(string word) =>
        word.Length > 0 && !word.Any(static c => char.IsWhiteSpace(c) || c is '\'' or '"' or '\\')
            ? word
            : "'" + word.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
}
