using System.CommandLine;
using System.CommandLine.Parsing;
using Diecast.Build;
using Diecast.Config;
using Diecast.Images;
using Diecast.Inspect.Differences;
using Diecast.Inspect.Verification;
using Diecast.Trees;

namespace Diecast.Cli;

/// <summary>
/// <c>verify</c>: rebuilds the image under varied conditions and compares. Exit status as of <c>diff</c>: 0 the same, 1
/// different, 2 trouble.
/// </summary>
internal sealed class VerifyCommand(SettingOptions options, Terminal terminal)
{
    private const int Different = 1;
    private const int ShownDifferences = 20;

    private readonly Argument<string?> _image = new("IMAGE")
    {
        Description = "the image (default: the configuration's output where it exists, else one that is built first)", Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<IReadOnlyList<string>?> _vary = new("--vary")
    {
        HelpName = "LIST",
        Description = $"what is varied: all (default), names, and -NAME for all but that; there are {string.Join(", ", VariationTable.Names)}",
        CustomParser = ParseVariations,
    };

    private readonly Option<int?> _runs = ParsedOption.Create("--runs", "N", "is not a number from 1 to 100", "how many rebuilds, each under others of the kind (default: 1)",
        static text => int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out int number) && number is > 0 and <= 100 ? number : (int?)null);

    private readonly Option<string> _check = new("--check") { HelpName = "FILE", Description = "rebuild what this attestation is of, and compare with it" };
    private readonly Option<bool> _noAttestation = new("--no-attestation") { Arity = ArgumentArity.Zero, Description = "write no attestation beside the image" };

    public Command Create()
    {
        var command = options.AddTo(new Command("verify", "rebuild the image under varied conditions and compare"));
        command.Add(_image);
        foreach (var option in (Option[])[_vary, _runs, _check, _noAttestation])
        {
            command.Add(option);
        }
        command.SetAction(Start);
        return command;
    }

    private static IReadOnlyList<string>? ParseVariations(ArgumentResult result)
    {
        try
        {
            return VariationTable.Parse(result.Tokens is [{ Value: var text }, ..] ? text : "");
        }
        catch (FormatException error)
        {
            result.AddError($"--vary: {error.Message}");
            return null;
        }
    }

    private int Start(ParseResult arguments)
    {
        var config = options.Load(arguments, terminal);
        var build = new BuildOptions(Force: true, Locked: true, arguments.GetValue(options.Debug), LockOnly: false);
        if (RebuildOrder.Read(SettingOptions.CallersEnvironment()) is { } order)
        {
            return Verbs.Run(terminal, cancellation => Progress.Run(terminal, progress =>
                Rebuild(order, BuildCommand.CreateRequest(config, build, terminal, progress, cancellation))));
        }
        if (config.Format == OutputFormat.Directory)
        {
            throw new ConfigException(new Location("Format=directory"), "cannot be verified: it is no file, and has no digest");
        }
        var attestation = arguments.GetValue(_check) is { } path ? Attestation.Load(path) : null;
        return Verbs.Run(terminal, cancellation =>
        {
            var (request, result) = Progress.Run(terminal, progress =>
            {
                var request = CreateRequest(arguments, BuildCommand.CreateRequest(config, build, terminal, progress, cancellation), attestation);
                attestation?.RequireFit(request.Build);
                return (request, Verifier.Run(request));
            });
            return Finish(arguments, request, result);
        });
    }

    /// <summary>In the process that rebuilds.</summary>
    private int Rebuild(RebuildOrder order, BuildRequest request)
    {
        UserNamespace.EndWithParent();
        return BuildCommand.Run(request with
        {
            Config = request.Config with { OutputDirectory = order.OutputDirectory },
            Store = order.Store,
            Clock = order.Clock,
            Report = request.Report with { ClockTrial = said => File.WriteAllText(order.ClockTrial, said) },
        }, lockOnly: false, terminal);
    }

    private VerifyRequest CreateRequest(ParseResult arguments, BuildRequest build, Attestation? attestation) => new()
    {
        Build = build,
        Program = UserNamespace.OwnProgram,
        Arguments = [.. Environment.GetCommandLineArgs().Skip(1)],
        Environment = SettingOptions.CallersEnvironment(),
        Variations = arguments.GetValue(_vary) ?? VariationTable.Names,
        Runs = arguments.GetValue(_runs) ?? 1,
        Image = arguments.GetValue(_image) ?? (attestation is null && File.Exists(build.Config.OutputPath) ? build.Config.OutputPath : null),
        Sha256 = attestation?.Sha256,
        Compare = (before, after) => ImageDiffer.Compare(Open(before), Open(after), new DiffOptions { Cancellation = build.Cancellation }),
    };

    private int Finish(ParseResult arguments, VerifyRequest request, VerifyResult result)
    {
        string name = request.Image ?? Path.GetFileName(request.Build.Config.OutputPath);
        string? written = null;
        if (result.IsSame && !arguments.GetValue(_noAttestation) && arguments.GetValue(_check) is null)
        {
            written = (request.Image ?? request.Build.Config.OutputPath) + Attestation.Extension;
            Attestation.Create(request.Build, result, Path.GetFileName(name)).Save(written);
        }
        if (arguments.GetValue(options.Json))
        {
            using var output = Console.OpenStandardOutput();
            VerifyReport.WriteJson(output, name, result);
        }
        else
        {
            new VerifyReport(terminal.Output, terminal.HasOutputColors).Write(name, result, ShownDifferences);
            if (written is not null)
            {
                terminal.Output.WriteLine($"attestation: {written}");
            }
        }
        return result.IsSame ? 0 : Different;
    }

    private static Blob Open(string path) =>
        HostTree.Read(Posix.Bytes(Path.GetDirectoryName(Path.GetFullPath(path))!), new HostTree.Options { Include = found => found.ToString() == "/" + Path.GetFileName(path) })
            .Find(Path.GetFileName(path)) is FileNode file ? file.Content : throw new IOException($"{path} is no file");
}
