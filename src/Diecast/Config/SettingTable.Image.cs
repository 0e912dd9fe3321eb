namespace Diecast.Config;

public static partial class SettingTable
{
    private static string[] OtherDistributions =>
    [
        "alma", "azure", "centos", "custom", "fedora", "kali", "mageia", "openmandriva", "opensuse", "postmarketos",
        "rhel", "rhel-ubi", "rocky",
    ];

    private static string[] OtherArchitectures =>
    [
        "alpha", "arc", "arm", "arm64", "ia64", "loongarch64", "mips-le", "mips64-le", "parisc", "ppc", "ppc64", "ppc64-le",
        "riscv32", "riscv64", "s390", "s390x", "tilegx", "x86",
    ];

    private static Setting[] Image() =>
    [
        NotYet("Include", "Include", PathList, "-I --include", "read another configuration file or directory at this point"),

        NotYet("Config", "Profiles", Names("PROFILE"), "--profile", "parts of mkosi.profiles to apply")
            with { OldNames = ["Profile"], Files = Files("profiles/") },
        NotYet("Config", "Dependencies", Names("IMAGE"), "--dependency", "images of mkosi.images that this one needs"),
        Ignored("Config", "MinimumVersion", Text, "--minimum-version", "the oldest mkosi that understands the configuration"),
        NotYet("Config", "ConfigureScripts", PathList, "--configure-script", "programs that rewrite the configuration")
            with { Files = Files("configure", "configure.d/") },
        NotYet("Config", "PassEnvironment", Words("NAME"), "--pass-environment", "variables handed on to the images of mkosi.images"),

        Acts("Distribution", "Distribution", Syntax.Choice<Distribution>(OtherDistributions), "-d --distribution",
            "the distribution to install; must be given, as it is never taken from the host", static c => c.Distribution),
        Acts("Distribution", "Release", Text, "-r --release", "the distribution's release", static c => c.Release)
            with { Default = "rolling, testing of Debian, noble of Ubuntu" },
        Acts("Distribution", "Architecture", Syntax.Choice<Architecture>(OtherArchitectures), "--architecture",
            "the image's architecture, which must be the host's", static c => c.Architecture) with { Default = "x86-64" },
        Acts("Distribution", "Mirror", Text with { Placeholder = "URL" }, "-m --mirror",
            "where the repositories are: an http, https or file URL", static c => c.Mirror)
            with { Default = "the distribution's own" },
        Acts("Distribution", "Snapshot", Text with { Placeholder = "TIME" }, "--snapshot",
            "the state of the distribution's archive to take packages from: YYYY/MM/DD of Arch, YYYYMMDDTHHMMSSZ of the others", static c => c.Snapshot)
            with { Files = TextFile("snapshot") },
        NotYet("Distribution", "LocalMirror", Text, "--local-mirror", "a single flat repository instead of the mirror"),
        Acts("Distribution", "RepositoryKeyCheck", Boolean, "--repository-key-check", "check the signatures of packages",
            static c => c.RepositoryKeyCheck) with { Default = "yes" },
        NotYet("Distribution", "RepositoryKeyFetch", Boolean, "--repository-key-fetch", "fetch signing keys from the network", "no"),
        Acts("Distribution", "Repositories", Names("REPOSITORY"), "--repositories", "repositories beyond the usual ones, by name",
            static c => c.Repositories),

        Acts("Output", "Format", Syntax.Choice<OutputFormat>("addon", "confext", "esp", "none", "oci", "portable", "sysext", "uki"),
            "-t --format", "what to build", static c => c.Format) with { Default = "disk" },
        Acts("Output", "ManifestFormat", Syntax.Choices<ManifestFormat>("FORMAT", "changelog"), "--manifest-format",
            "write a list of the packages, in these forms", static c => c.ManifestFormat.Select(Config.Names.Of)),
        Acts("Output", "Output", Syntax.FileName, "-o --output", "the output's name, without extension", static c => c.Output)
            with { Default = "ImageId=, else \"image\", and _ImageVersion=" },
        NotYet("Output", "OutputExtension", Syntax.FileName, "--output-extension", "the output's extension instead of the format's"),
        NotYet("Output", "OutputSize", Text, "--output-size", "grow the output to at least this size"),
        Acts("Output", "CompressOutput", CompressionSyntax, "--compress-output", "compress the output",
            static c => c.CompressOutput) with { Default = "zstd for cpio and tar, else none" },
        Acts("Output", "CompressLevel", Syntax.Number("LEVEL"), "--compress-level", "the level of compression",
            static c => c.CompressLevel) with { Default = "3" },
        Acts("Output", "OutputDirectory", Path, "-O --output-directory --output-dir", "where outputs go",
            static c => c.Relative(c.OutputDirectory)) with { Default = "the configuration's directory", Files = Files("output") },
        NotYet("Output", "OutputMode", Text, "--output-mode", "the output's file mode"),
        Acts("Output", "ImageVersion", Syntax.FileName, "--image-version", "the image's version, for names and os-release",
            static c => c.ImageVersion) with { Files = TextFile("version") },
        Acts("Output", "ImageId", Syntax.FileName, "--image-id", "the image's id, for names and os-release", static c => c.ImageId),
        NotYet("Output", "OciLabels", Words("KEY=VALUE"), "--oci-labels", "labels of an OCI image"),
        NotYet("Output", "OciAnnotations", Words("KEY=VALUE"), "--oci-annotations", "annotations of an OCI image"),
        Acts("Output", "SplitArtifacts", SplitSyntax, "--split-artifacts", "parts of the image to write as files of their own",
            static c => c.SplitArtifacts.Select(Config.Names.Of)) with { Default = "uki,kernel,initrd" },
        Acts("Output", "RepartDirectories", PathList, "--repart-directory --repart-dir",
            "directories of partition definitions (repart.d)", static c => c.Relative(c.RepartDirectories))
            with { Default = "an ESP and a root partition", Files = Files("repart") },
        NotYet("Output", "SectorSize", Syntax.Number("BYTES"), "--sector-size", "the disk's sector size", "512"),
        NotYet("Output", "Overlay", Boolean, "--overlay", "output only what differs from BaseTrees=", "no"),
        Acts("Output", "Seed", Syntax.Uuid("a random seed gives another image each time: write a UUID, or nothing to have one derived"),
            "--seed", "what the ids of disk, partitions and file systems are derived from", static c => c.Seed)
            with { Default = "derived from image id, version, architecture and the packages", Files = TextFile("seed") },
        NotYet("Output", "ElTorito", Feature, "--el-torito", "boot as an optical medium too", "no", "auto"),
        NotYet("Output", "ElToritoSystem", Text, "--el-torito-system", "the system named on the optical medium"),
        NotYet("Output", "ElToritoVolume", Text, "--el-torito-volume", "the volume named on the optical medium"),
        NotYet("Output", "ElToritoPublisher", Text, "--el-torito-publisher", "the publisher named on the optical medium"),
        NotYet("Output", "CleanScripts", PathList, "--clean-script", "programs for the clean verb")
            with { Files = Files("clean", "clean.d/") },
    ];

    // "yes" is mkosi's for the three that are the default, and the partitions.
    private static Syntax SplitSyntax => Syntax.Choices<SplitArtifact>(
        "ARTIFACT", "kernel-modules-initrd", "os-release", "pcrs", "repart-definitions", "roothash", "tar") with
    {
        Split = static text => Syntax.TryBoolean(text) switch
        {
            true => ["uki", "kernel", "initrd", "partitions"],
            false => ["uki", "kernel", "initrd"],
            null => Syntax.SplitList(text),
        },
    };

    private static Syntax CompressionSyntax => new("none|zstd|gz|yes|no", static text => Syntax.TryBoolean(text) switch
    {
        true => "zstd",
        false => "none",
        null => Syntax.CheckChoice(text, [.. Config.Names.All<Compression>()], ["xz"]),
    })
    { IsBoolean = true };

    private static Syntax Text => Syntax.Text;
    private static Syntax Boolean => Syntax.Boolean;
    private static Syntax Feature => Syntax.Feature;
    private static Syntax Path => Syntax.Path;
    private static Syntax PathList => Syntax.PathList;
    private static Syntax TreeList => Syntax.TreeList;
    private static Syntax Names(string placeholder) => Syntax.List(placeholder);
    private static Syntax Words(string placeholder) => Syntax.Words(placeholder);
}
