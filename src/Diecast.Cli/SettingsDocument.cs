using System.CommandLine;
using System.Globalization;
using System.Text;
using Diecast.Config;

namespace Diecast.Cli;

/// <summary>docs/settings.md, made from the table. <c>diecast settings</c> prints it; a test holds the file against it.</summary>
internal static class SettingsDocument
{
    public static Command CreateVerb(Terminal terminal)
    {
        var command = new Command("settings", "print docs/settings.md") { Hidden = true };
        command.SetAction(_ => terminal.Output.Write(Markdown()));
        return command;
    }

    public static string Markdown()
    {
        var text = new StringBuilder();
        text.Append("""
            # Settings

            Made from the table of settings by `diecast settings`; do not edit.

            The names, sections and options are mkosi's. A setting stands in `mkosi.conf` or on the command line, which goes over
            the file: lists grow there, scalars are replaced. An empty assignment resets. Some settings also take their value
            from a file next to `mkosi.conf`. Nothing is taken from the host but `SOURCE_DATE_EPOCH` and the proxies of the caller's
            environment: what is not written down has a fixed default.

            In the file `#` begins a comment anywhere on a line, and indented lines continue a value. Lists are split at commas and
            white space, `KernelCommandLine=` at white space only, `Environment=` as a shell splits words. Relative paths are those of
            the configuration's directory; `~` and `$NAME` in a path are the caller's. These stand for what has been given so far:
            `%d` Distribution, `%r` Release, `%a` Architecture, `%t` Format, `%o` Output, `%i` ImageId, `%v` ImageVersion, `%F` the
            distribution's file system, `%I` the image ("main"), and in paths `%O` OutputDirectory, `%C` and `%P` the configuration's
            directory, `%D` the one diecast was called for; `%%` is a percent sign.

            The root file system is what `Format=` of a definition in `RepartDirectories=` says, else the distribution's: ext4 of Arch
            Linux. These variables, given by `Environment=` or `EnvironmentFiles=`, go over it as in mkosi; other words in them are refused:

            | Variable | |
            |---|---|
            | `SYSTEMD_REPART_OVERRIDE_FSTYPE_ROOT` | the file system of the root, with mkosi's own definitions too: `btrfs`; so for `_USR`, `_HOME`, `_SRV`, `_VAR`, `_TMP` |
            | `SYSTEMD_REPART_OVERRIDE_FSTYPE` | the one in place of every `Format=` that is written down, but never of the EFI system partition's |
            | `SYSTEMD_REPART_MKFS_OPTIONS_EXT4` | `-U UUID`, `-E hash_seed=UUID` |
            | `SYSTEMD_REPART_MKFS_OPTIONS_VFAT` | `-i SERIAL` |
            | `SYSTEMD_REPART_MKFS_OPTIONS_BTRFS` | `-U UUID`, `--csum` with crc32c, xxhash, sha256 or blake2 |

            ## Settings that act

            """);
        foreach (var section in Rows(SettingGroup.Acts).GroupBy(static row => row.Section, StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n### [{section.Key}]\n\n");
            text.Append("| Setting | Option | Value | Default | File | |\n|---|---|---|---|---|---|\n");
            foreach (var row in section)
            {
                string old = row.OldNames.IsEmpty ? "" : $" (once {string.Join(", ", row.OldNames)})";
                string value = Cell(row.Syntax.Placeholder) + (row.Syntax.IsList ? " …" : "");
                text.Append(CultureInfo.InvariantCulture,
                    $"| {row.Name} | {Code(row.Options)} | {value} | {Cell(row.Default)} | {Files(row)} | {Cell(row.Help)}{old} |\n");
            }
        }
        text.Append("""

            ## Settings that are refused

            They would make the image depend on the host.

            | Setting | |
            |---|---|

            """);
        foreach (var row in Rows(SettingGroup.Refused))
        {
            text.Append(CultureInfo.InvariantCulture, $"| {row.Name} | {Cell(row.Instead)} |\n");
        }
        text.Append("""

            ## Settings that are not supported yet

            They would change the image, so each is an error that names its place, unless its value says what happens anyway.

            | Setting | Section | Accepted values | File that is refused too | |
            |---|---|---|---|---|

            """);
        foreach (var row in Rows(SettingGroup.NotYet))
        {
            text.Append(CultureInfo.InvariantCulture,
                $"| {row.Name} | {row.Section} | {Code(row.Inert)} | {Files(row)} | {Cell(row.Help)} |\n");
        }
        text.Append("""

            The sections [Match], [TriggerMatch], [Assert] and [TriggerAssert], the directories `mkosi.conf.d`, `mkosi.images`,
            `mkosi.initrd` and `mkosi.local`, and the files `mkosi.local.conf` and `mkosi.initrd.conf` are not supported yet either.

            ## Settings that are accepted and ignored

            They cannot change the image.


            """);
        foreach (var section in Rows(SettingGroup.Ignored).GroupBy(static row => row.Section, StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"- [{section.Key}]: {string.Join(", ", section.Select(static row => row.Name))}\n");
        }
        return text.ToString();
    }

    private static IEnumerable<Setting> Rows(SettingGroup group) => SettingTable.All.Where(row => row.Group == group);

    private static string Files(Setting row) => Code(row.Files.Select(static file => "mkosi." + file.Name));

    private static string Code(IEnumerable<string> words) => string.Join(", ", words.Select(static word => $"`{word}`"));

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
