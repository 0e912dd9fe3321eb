using System.Globalization;
using Diecast.Packages;

namespace Diecast.Build;

/// <summary>
/// The settings that systemd-firstboot would write, written here: it stamps the day of the clock into /etc/shadow.
/// Null leaves a setting as the packages have it.
/// </summary>
public sealed record FirstBoot
{
    public string? Locale { get; init; }

    public string? LocaleMessages { get; init; }

    public string? Keymap { get; init; }

    public string? Timezone { get; init; }

    public string? Hostname { get; init; }

    /// <summary>As crypt(5) has it; empty for a login without a password.</summary>
    public string? RootPasswordHash { get; init; }

    public string? RootShell { get; init; }

    /// <summary>Writes /etc, and with <paramref name="credentials"/> the same values below /usr/lib/credstore, for an /etc that is made anew.</summary>
    public void Apply(StagedRoot root, bool credentials)
    {
        WriteEtc(root);
        if (RootPasswordHash is { } hash)
        {
            SetPassword(root, hash);
        }
        if (RootShell is { } shell)
        {
            root.Edit("etc/passwd", text => EditRoot(text, fields => fields[6] = shell));
        }
        if (credentials)
        {
            WriteCredentials(root);
        }
    }

    private void WriteEtc(StagedRoot root)
    {
        if (Locale is not null || LocaleMessages is not null)
        {
            root.Write("etc/locale.conf",
                (Locale is null ? "" : $"LANG={Locale}\n")
                + (LocaleMessages is null || LocaleMessages == Locale ? "" : $"LC_MESSAGES={LocaleMessages}\n"));
        }
        if (Keymap is not null)
        {
            root.Write("etc/vconsole.conf", $"KEYMAP={Keymap}\n");
        }
        if (Timezone is not null)
        {
            root.Link("etc/localtime", $"../usr/share/zoneinfo/{Timezone}");
        }
        if (Hostname is not null)
        {
            root.Write("etc/hostname", $"{Hostname}\n");
        }
    }

    private static void SetPassword(StagedRoot root, string hash)
    {
        const int secondsADay = 86_400;
        // Day 0 would mean that the password must be changed at once (shadow(5)).
        string day = Math.Max(1, root.Epoch.Seconds / secondsADay).ToString(CultureInfo.InvariantCulture);
        root.Edit("etc/passwd", text => EditRoot(text, fields => fields[1] = "x"));
        if (root.Exists("etc/shadow"u8))
        {
            root.Edit("etc/shadow", text => EditRoot(text, fields => (fields[1], fields[2]) = (hash, day)));
        }
        else
        {
            root.Write("etc/shadow", $"root:{hash}:{day}::::::\n", 0);
        }
    }

    private void WriteCredentials(StagedRoot root)
    {
        foreach (var (name, value) in new[]
        {
            ("firstboot.locale", Locale), ("firstboot.locale-messages", LocaleMessages), ("firstboot.keymap", Keymap),
            ("firstboot.timezone", Timezone), ("passwd.hashed-password.root", RootPasswordHash), ("passwd.shell.root", RootShell),
        })
        {
            if (value is not null)
            {
                root.MakeDirectory("usr/lib/credstore");
                root.Write($"usr/lib/credstore/{name}", value, (ushort)(name.Contains("password", StringComparison.Ordinal) ? 0x180 : 0x1A4));
            }
        }
    }

    private static string EditRoot(string text, Action<string[]> change) =>
        string.Join('\n', text.Split('\n').Select(line =>
        {
            string[] fields = line.Split(':');
            if (fields is not ["root", _, _, _, _, _, _, ..])
            {
                return line;
            }
            change(fields);
            return string.Join(':', fields);
        }));
}
