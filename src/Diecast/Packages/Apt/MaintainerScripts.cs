using System.Globalization;
using System.Text.RegularExpressions;
using Diecast.Trees;

namespace Diecast.Packages.Apt;

/// <summary>Runs the packages' own scripts in the root: a preinst as dpkg runs it, all others by the image's dpkg.</summary>
internal sealed partial class MaintainerScripts(StagedRoot root, ScriptRunner run, DpkgDatabase database, Action<string> report)
{
    private const string PolicyFile = "usr/sbin/policy-rc.d";
    private const int LinesShown = 30;

    // No questions; and no initrd by a hook of the kernel's, as the image's is made from the finished tree.
    private static readonly Dictionary<string, string> s_environment = new(StringComparer.Ordinal)
    {
        ["DEBIAN_FRONTEND"] = "noninteractive",
        ["DEBCONF_NONINTERACTIVE_SEEN"] = "true",
        ["DEBCONF_NOWARNINGS"] = "yes",
        ["DPKG_COLORS"] = "never",
        ["DPKG_ROOT"] = "",
        ["INITRD"] = "No",
        // Perl's and Python's tables have another order in each process.
        ["PERL_HASH_SEED"] = "0",
        ["PYTHONHASHSEED"] = "0",
    };

    private bool _hasPolicy;

    /// <summary>Has scripts start no services: invoke-rc.d asks this program, which is there as long as dpkg is at work.</summary>
    public void ForbidServices()
    {
        if (!root.Exists(root.Resolve(Posix.Bytes(PolicyFile))))
        {
            root.Write(PolicyFile, "#!/bin/sh\nexit 101\n", 0x1ED);
            _hasPolicy = true;
        }
    }

    public void AllowServices()
    {
        if (_hasPolicy)
        {
            root.Remove(root.Resolve(Posix.Bytes(PolicyFile)));
            root.EndPackage();
        }
    }

    /// <summary>Runs a package's preinst, as of one that has never been installed; does nothing where there is none.</summary>
    /// <exception cref="PackageException">It fails.</exception>
    public void RunPreinst(DebPackage package)
    {
        if (package["preinst"] is null)
        {
            return;
        }
        var end = database.BeginInstallation(package);
        database.AddIncoming(package);
        database.Flush();
        var environment = new Dictionary<string, string>(s_environment, StringComparer.Ordinal)
        {
            ["DPKG_MAINTSCRIPT_PACKAGE"] = package.Name,
            ["DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT"] = "1",
            ["DPKG_MAINTSCRIPT_ARCH"] = package.Architecture,
            ["DPKG_MAINTSCRIPT_NAME"] = "preinst",
            ["DPKG_MAINTSCRIPT_DEBUG"] = "0",
            ["DPKG_ADMINDIR"] = "/" + DpkgDatabase.Path,
        };
        report($"{package}: preinst");
        var result = run(new Script
        {
            Name = $"{package}: preinst",
            Command = [DpkgDatabase.PathOfIncoming("preinst"), "install"],
            Environment = environment,
        });
        database.RemoveIncoming();
        end();
        if (result.ExitCode != 0)
        {
            throw Failure(package.ToString(), "preinst", result.ExitCode.ToString(CultureInfo.InvariantCulture), result.Output);
        }
    }

    /// <summary>Has the image's dpkg configure packages, and run the triggers that wait for it.</summary>
    /// <param name="packages">Null for all that are unpacked.</param>
    /// <exception cref="PackageException">A script fails, or dpkg cannot go on.</exception>
    public void Configure(IReadOnlyList<DebPackage>? packages)
    {
        database.Flush();
        report(packages is null ? "configuring all packages" : $"configuring {string.Join(", ", packages.Select(static package => package.Name))}");
        RunDpkg("--configure", "confdef,confold", packages is null ? ["--pending"] : packages.Select(static package => package.InfoName));
        database.Reload();
    }

    /// <summary>Has the image's dpkg remove packages with their configuration files, whose dependents must be among them.</summary>
    /// <exception cref="PackageException">A script fails, or dpkg refuses.</exception>
    public void Purge(IEnumerable<string> packages) => RunDpkg("--purge", "remove-essential,remove-protected", packages);

    private void RunDpkg(string action, string forced, IEnumerable<string> arguments)
    {
        var result = run(new Script
        {
            Name = $"dpkg {action}",
            // What is the user's stays. The root is thrown away where anything fails: nothing need be safe from a power cut.
            Command = ["/usr/bin/dpkg", "--abort-after=1", $"--force-{forced},unsafe-io", "--log=/dev/null", action, .. arguments],
            Environment = s_environment,
        });
        if (result.ExitCode != 0)
        {
            throw Failure(action, result);
        }
    }

    private static PackageException Failure(string action, ScriptResult result)
    {
        if (FailedScript().Match(result.Output) is { Success: true } match)
        {
            string script = match.Groups["script"].Value switch
            {
                "post-installation" => "postinst",
                "pre-removal" => "prerm",
                "post-removal" => "postrm",
                var other => other,
            };
            return Failure(match.Groups["package"].Value, script, match.Groups["status"].Value, result.Output[..match.Index]);
        }
        return new PackageException([$"dpkg {action} failed in the image with {result.ExitCode}: {End(result.Output)}"]);
    }

    private static PackageException Failure(string package, string script, string status, string output) =>
        new([$"package {package}: its {script} failed with {status} (--debug-shell opens a shell where it ran): {End(output)}"]);

    /// <summary>The last lines; what dpkg says of its own doing is left out.</summary>
    private static string End(string output)
    {
        string[] lines = [.. output.Split('\n').Where(static line => line.Trim().Length > 0 && !OwnLine().IsMatch(line))];
        return lines.Length == 0 ? "it printed nothing" : "\n  " + string.Join("\n  ", lines.TakeLast(LinesShown));
    }

    [GeneratedRegex(@"^dpkg: error processing package (?<package>\S+) \(--(configure|purge|remove)\):\s*\n.*?(?<script>\S+) script subprocess (?:returned error exit status (?<status>\d+)|was killed by signal (?<status>.*?)\s*$)",
        RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex FailedScript();

    [GeneratedRegex(@"^(Setting up |Processing triggers for |Removing |Purging configuration files for |\(Reading database )", RegexOptions.CultureInvariant)]
    private static partial Regex OwnLine();
}
