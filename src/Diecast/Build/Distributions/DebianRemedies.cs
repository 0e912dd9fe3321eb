using Diecast.Packages;

namespace Diecast.Build.Distributions;

/// <summary>What Debian's packages leave to be done, when all of them are installed.</summary>
internal static class DebianRemedies
{
    private const string Units = "usr/lib/systemd/system/";

    // As the package of later releases has it; there, keys are made at the first boot.
    private const string KeyGeneration = """
        [Unit]
        Description=Generate SSH host keys
        ConditionPathExistsGlob=!/etc/ssh/ssh_host_*_key
        ConditionPathIsReadWrite=/etc/ssh
        Before=ssh.service ssh.socket

        [Service]
        Type=oneshot
        RemainAfterExit=yes
        ExecStart=/usr/bin/ssh-keygen -A

        """;

    /// <param name="context">The root.</param>
    /// <param name="release">As the configuration names it.</param>
    /// <exception cref="PackageException">A program of the image fails.</exception>
    public static void Apply(InstallContext context, string release)
    {
        var root = context.Root;
        // Ubuntu turns off the generator that finds partitions by their types.
        root.Remove("etc/systemd/system-generators/systemd-gpt-auto-generator"u8);
        if (root.Exists("usr/lib/systemd/system/ssh.service"u8) && !root.Exists("usr/lib/systemd/system/sshd-keygen.service"u8))
        {
            root.Write(Units + "sshd-keygen.service", KeyGeneration);
            root.Link(Units + "ssh.service.wants/sshd-keygen.service", "../sshd-keygen.service");
            root.Link(Units + "ssh.socket.wants/sshd-keygen.service", "../sshd-keygen.service");
        }
        if (release is "sid" or "unstable")
        {
            NameSid(context);
        }
    }

    /// <summary>
    /// base-files in sid names the next stable release, as in testing. In /etc, which goes first, it is a file of its own by a
    /// diversion, so that the next base-files leaves it alone.
    /// </summary>
    private static void NameSid(InstallContext context)
    {
        var root = context.Root;
        if (root.ReadFile(root.Resolve("usr/lib/os-release"u8)) is not { } original)
        {
            return;
        }
        string[] lines = [.. System.Text.Encoding.UTF8.GetString(original).Split('\n').Select(static line =>
            line.StartsWith("VERSION_CODENAME=", StringComparison.Ordinal) ? "VERSION_CODENAME=sid" : line)];
        if (root.Exists("etc/os-release"u8) && root.Exists("usr/bin/dpkg-divert"u8))
        {
            var result = context.Run(new Script
            {
                Name = "dpkg-divert",
                Command = ["/usr/bin/dpkg-divert", "--quiet", "--local", "--add", "--rename", "--divert", "/etc/os-release.dpkg", "/etc/os-release"],
            });
            root.EndPackage();
            if (result.ExitCode != 0)
            {
                throw new PackageException([$"dpkg-divert of /etc/os-release ended with {result.ExitCode}: {result.Output.Trim()}"]);
            }
        }
        root.Remove("etc/os-release"u8);
        root.Write("etc/os-release", string.Join('\n', lines));
    }
}
