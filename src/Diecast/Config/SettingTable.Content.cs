using System.Text.RegularExpressions;

namespace Diecast.Config;

public static partial class SettingTable
{
    private static Setting[] Packages() =>
    [
        Acts("Content", "Packages", Names("PACKAGE"), "-p --package", "packages to install", static c => c.Packages),
        NotYet("Content", "BuildPackages", Names("PACKAGE"), "--build-package", "packages that only build scripts see"),
        NotYet("Content", "VolatilePackages", Names("PACKAGE"), "--volatile-package", "packages installed after the build scripts"),
        NotYet("Content", "PackageDirectories", PathList, "--package-directory", "directories of packages, offered as a repository")
            with { Files = Files("packages") },
        NotYet("Content", "VolatilePackageDirectories", PathList, "--volatile-package-directory",
            "directories of packages for VolatilePackages="),
        Acts("Content", "WithRecommends", Boolean, "--with-recommends",
            "install what packages recommend too; of Arch Linux, where nothing is recommended, without effect",
            static c => c.WithRecommends) with { Default = "no" },
        Acts("Content", "WithDocs", Boolean, "--with-docs", "install the packages' documentation", static c => c.WithDocs)
            with { Default = "yes" },
        NotYet("Content", "BaseTrees", PathList, "--base-tree", "trees that the image builds upon"),
        Acts("Content", "SkeletonTrees", TreeList, "--skeleton-tree", "trees copied in before packages are installed",
            static c => c.Relative(c.SkeletonTrees)) with { Files = Files("skeleton", "skeleton.tar") },
        Acts("Content", "ExtraTrees", TreeList, "--extra-tree", "trees copied in after packages are installed",
            static c => c.Relative(c.ExtraTrees)) with { Files = Files("extra", "extra.tar") },
        Acts("Content", "RemovePackages", Names("PACKAGE"), "--remove-package",
            "packages to remove again near the end, with what needs them (of Debian) and what came along and nothing needs any more",
            static c => c.RemovePackages),
        Acts("Content", "RemoveFiles", Syntax.Globs, "--remove-files", "files to delete last", static c => c.RemoveFiles),
        Acts("Content", "CleanPackageMetadata", Feature, "--clean-package-metadata",
            "remove the package manager's database; auto: when the image has no package manager",
            static c => c.CleanPackageMetadata) with { Default = "auto" },
        Acts("Content", "SourceDateEpoch", Syntax.Number("SECONDS"), "--source-date-epoch",
            "the newest time that a file may have, in seconds since 1970", static c => c.SourceDateEpoch)
            with { Default = "SOURCE_DATE_EPOCH, else the newest build date of the packages" },
    ];

    private static Setting[] Scripts() =>
    [
        Script("Sync", "sync", "programs that fetch sources"),
        Script("Prepare", "prepare", "programs that run after packages are installed", "PrepareScript"),
        Script("Build", "build", "programs that build software into the image", "BuildScript"),
        Script("PostInstallation", "postinst", "programs that run when all is installed", "PostInstallationScript")
            with { Group = SettingGroup.Acts, Show = static c => c.Relative(c.PostInstallationScripts) },
        Script("Finalize", "finalize", "programs that run after clean-up", "FinalizeScript")
            with { Group = SettingGroup.Acts, Show = static c => c.Relative(c.FinalizeScripts) },
        Script("PostOutput", "postoutput", "programs that work on the finished outputs"),
    ];

    private static Setting Script(string name, string file, string help, params string[] oldNames) =>
        NotYet("Content", name + "Scripts", PathList, $"--{file}-script", help)
            with { OldNames = [.. oldNames], Files = Files(file, file + ".chroot", file + ".d/") };

    private static Setting[] Boot() =>
    [
        Acts("Content", "Bootable", Feature, "--bootable", "make the image bootable; yes: fail where that cannot be",
            static c => c.Bootable) with { Default = "auto" },
        Acts("Content", "Bootloader", Syntax.Choice<Bootloader>("grub", "grub-signed", "systemd-boot-signed", "uki-signed"),
            "--bootloader", "what the firmware starts", static c => c.Bootloader) with { Default = "systemd-boot" },
        NotYet("Content", "BiosBootloader", Text, "--bios-bootloader", "what a BIOS starts", "none"),
        NotYet("Content", "ShimBootloader", Text, "--shim-bootloader", "put shim before the boot loader", "none"),
        Acts("Content", "UnifiedKernelImages", Syntax.Choice<UnifiedKernelImages>("no", "none", "signed", "yes"), "--unified-kernel-images",
            "boot by unified kernel images", static c => c.UnifiedKernelImages) with { Default = "auto" },
        NotYet("Content", "UnifiedKernelImageFormat", Text, "--unified-kernel-image-format", "the name of a unified kernel image", "&e-&k")
            with { Default = "&e-&k" },
        NotYet("Content", "UnifiedKernelImageProfiles", PathList, "--uki-profile", "more profiles in the unified kernel images")
            with { Files = Files("uki-profiles/") },
        Acts("Content", "Initrds", PathList, "--initrd", "files to use instead of the built-in initrd", static c => c.Relative(c.Initrds)),
        Refused("Content", "MicrocodeHost", Boolean, "--microcode-host", "take only the microcode of the host's processor",
            "the image would depend on the host's processor: leave it out, and the image carries the microcode of its packages"),
        NotYet("Content", "InitrdProfiles", Names("PROFILE"), "--initrd-profile", "features of the built-in initrd"),
        NotYet("Content", "InitrdPackages", Names("PACKAGE"), "--initrd-package", "more packages for the built-in initrd"),
        NotYet("Content", "InitrdVolatilePackages", Names("PACKAGE"), "--initrd-volatile-package",
            "more volatile packages for the built-in initrd"),
        NotYet("Content", "Devicetrees", Names("GLOB"), "--devicetrees", "device trees for the unified kernel images")
            with { OldNames = ["Devicetree"] },
        NotYet("Content", "Splash", Path, "--splash", "a picture for the unified kernel images"),
        Acts("Content", "KernelCommandLine", Words("WORD"), "--kernel-command-line", "words of the kernel's command line",
            static c => c.KernelCommandLine),
        NotYet("Content", "KernelModulesInclude", Names("REGEX"), "--kernel-modules-include", "kernel modules to keep in the image"),
        NotYet("Content", "KernelModulesExclude", Names("REGEX"), "--kernel-modules-exclude", "kernel modules to leave out of the image"),
        NotYet("Content", "KernelModules", Names("GLOB"), "--kernel-modules", "kernel modules to keep in the image"),
        Refused("Content", "KernelModulesIncludeHost", Boolean, "--kernel-modules-include-host",
            "keep the kernel modules that the host has loaded",
            "the image would depend on what the host has loaded: name the modules that are needed"),
        NotYet("Content", "KernelModulesInitrd", Boolean, "--kernel-modules-initrd", "make an initrd of kernel modules", "yes")
            with { Default = "yes" },
        NotYet("Content", "KernelModulesInitrdInclude", Names("REGEX"), "--kernel-modules-initrd-include", "kernel modules for that initrd"),
        NotYet("Content", "KernelModulesInitrdExclude", Names("REGEX"), "--kernel-modules-initrd-exclude",
            "kernel modules to leave out of that initrd"),
        NotYet("Content", "KernelInitrdModules", Names("GLOB"), "--kernel-initrd-modules", "kernel modules for that initrd"),
        Refused("Content", "KernelModulesInitrdIncludeHost", Boolean, "--kernel-modules-initrd-include-host",
            "put the kernel modules that the host has loaded into that initrd",
            "the image would depend on what the host has loaded: leave it out, and the initrd carries what common machines need"),
        NotYet("Content", "FirmwareInclude", Names("REGEX"), "--firmware-include", "firmware to keep beyond what modules need"),
        NotYet("Content", "FirmwareExclude", Names("REGEX"), "--firmware-exclude", "firmware to leave out"),
        NotYet("Content", "FirmwareFiles", Names("GLOB"), "--firmware-files", "firmware to keep beyond what modules need"),
    ];

    private static Setting[] FirstBoot() =>
    [
        Acts("Content", "Locale", LocaleSyntax, "--locale", "the system's locale", static c => c.Locale),
        Acts("Content", "LocaleMessages", LocaleSyntax, "--locale-messages", "the locale of messages", static c => c.LocaleMessages),
        Acts("Content", "Keymap", KeymapSyntax, "--keymap", "the console's keyboard layout", static c => c.Keymap),
        Acts("Content", "Timezone", TimezoneSyntax, "--timezone", "the time zone, as in Europe/Berlin", static c => c.Timezone),
        Acts("Content", "Hostname", HostnameSyntax, "--hostname", "the host name", static c => c.Hostname),
        Acts("Content", "RootPassword", PasswordSyntax, "--root-password", "root's password as a hash",
            static c => c.RootPassword is null ? null : "(set)")
            with { Files = TextFile("rootpw") },
        Acts("Content", "RootShell", ShellSyntax, "--root-shell", "root's shell", static c => c.RootShell),
        Acts("Content", "MachineId", Syntax.Uuid(
                "a random machine id gives another image each time: write a UUID, or nothing to have one made at first boot"),
            "--machine-id", "the machine id", static c => c.MachineId)
            with { Default = "made at first boot", Files = TextFile("machine-id") },
        Acts("Content", "Autologin", Boolean, "-a --autologin", "log root in on the consoles", static c => c.Autologin)
            with { Default = "no" },
        NotYet("Content", "MakeInitrd", Boolean, "--make-initrd", "the image is an initrd", "no"),
        NotYet("Content", "Ssh", Text, "--ssh", "set up an SSH server for virtual machines", "auto", "no", "never", "runtime"),
        NotYet("Content", "SELinuxRelabel", Feature, "--selinux-relabel", "label files for SELinux", "no", "auto"),
    ];

    private static Syntax PasswordSyntax => new("hashed:HASH", static text =>
        text.StartsWith("hashed:", StringComparison.Ordinal) && text.Count(static c => c == ':') == 1
            ? text
            : throw new FormatException(
                "a plain password would be hashed with a random salt: write hashed: and the hash that 'openssl passwd -6' prints"));

    private static Syntax LocaleSyntax => Syntax.Matching(LocalePattern(), "locale, as in de_DE.UTF-8");
    private static Syntax KeymapSyntax => Syntax.Matching(KeymapPattern(), "keyboard layout, as in de-latin1");
    private static Syntax TimezoneSyntax => Syntax.Matching(TimezonePattern(), "time zone, as in Europe/Berlin");
    private static Syntax HostnameSyntax => Syntax.Matching(HostnamePattern(), "host name: up to 64 letters, digits, '-' and '.'");
    private static Syntax ShellSyntax => Syntax.Matching(ShellPattern(), "absolute path of a shell");

    [GeneratedRegex(@"^[A-Za-z0-9_.@-]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex LocalePattern();

    [GeneratedRegex(@"^[A-Za-z0-9_.+@-]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex KeymapPattern();

    [GeneratedRegex(@"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex TimezonePattern();

    [GeneratedRegex(@"^(?=.{1,64}\z)[A-Za-z0-9]+([.-]+[A-Za-z0-9]+)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex HostnamePattern();

    [GeneratedRegex(@"^/[^\s:\p{C}]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex ShellPattern();
}
