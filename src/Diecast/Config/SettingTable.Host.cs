namespace Diecast.Config;

public static partial class SettingTable
{
    private static Setting[] Validation() =>
    [
        NotYet("Validation", "SecureBoot", Boolean, "--secure-boot", "sign boot loader and unified kernel images", "no"),
        NotYet("Validation", "SecureBootAutoEnroll", Boolean, "--secure-boot-auto-enroll", "put the keys to enroll on the ESP", "yes"),
        NotYet("Validation", "SecureBootKey", Path, "--secure-boot-key", "the key to sign with") with { Files = Files("key") },
        NotYet("Validation", "SecureBootKeySource", Text, "--secure-boot-key-source", "where that key is kept", "file"),
        NotYet("Validation", "SecureBootCertificate", Path, "--secure-boot-certificate", "the certificate of that key")
            with { Files = Files("crt") },
        NotYet("Validation", "SecureBootCertificateSource", Text, "--secure-boot-certificate-source", "where that certificate is kept", "file"),
        NotYet("Validation", "SecureBootSignTool", Text, "--secure-boot-sign-tool", "the program to sign with", "auto"),
        NotYet("Validation", "Verity", Text, "--verity", "protect partitions by dm-verity", "auto", "disabled", "no"),
        NotYet("Validation", "VerityKey", Path, "--verity-key", "the key to sign the root hash with") with { Files = Files("key") },
        NotYet("Validation", "VerityKeySource", Text, "--verity-key-source", "where that key is kept", "file"),
        NotYet("Validation", "VerityCertificate", Path, "--verity-certificate", "the certificate of that key") with { Files = Files("crt") },
        NotYet("Validation", "VerityCertificateSource", Text, "--verity-certificate-source", "where that certificate is kept", "file"),
        NotYet("Validation", "SignExpectedPcr", Feature, "--sign-expected-pcr", "sign the expected TPM measurements", "no", "auto"),
        NotYet("Validation", "SignExpectedPcrKey", Path, "--sign-expected-pcr-key", "the key to sign them with") with { Files = Files("key") },
        NotYet("Validation", "SignExpectedPcrKeySource", Text, "--sign-expected-pcr-key-source", "where that key is kept", "file"),
        NotYet("Validation", "SignExpectedPcrCertificate", Path, "--sign-expected-pcr-certificate", "the certificate of that key")
            with { Files = Files("crt") },
        NotYet("Validation", "SignExpectedPcrCertificateSource", Text, "--sign-expected-pcr-certificate-source",
            "where that certificate is kept", "file"),
        NotYet("Validation", "Passphrase", Path, "--passphrase", "a file with the passphrase of encrypted partitions"),
        Acts("Validation", "Checksum", Boolean, "--checksum", "write SHA256SUMS", static c => c.Checksum) with { Default = "no" },
        NotYet("Validation", "Sign", Boolean, "--sign", "sign SHA256SUMS", "no"),
        NotYet("Validation", "Key", Text, "--key", "the key to sign SHA256SUMS with"),
        NotYet("Validation", "OpenPGPTool", Text, "--openpgp-tool", "the program to sign SHA256SUMS with", "gpg"),
    ];

    private static Setting[] Build() =>
    [
        Ignored("Build", "ToolsTree", Path, "--tools-tree", "a tree of tools to build with; there are none in use here")
            with { Files = Files("tools", "tools.conf") },
        Ignored("Build", "ToolsTreeDistribution", Text, "--tools-tree-distribution", "its distribution"),
        Ignored("Build", "ToolsTreeRelease", Text, "--tools-tree-release", "its release"),
        Ignored("Build", "ToolsTreeProfiles", Names("PROFILE"), "--tools-tree-profile", "its profiles"),
        Ignored("Build", "ToolsTreeMirror", Text, "--tools-tree-mirror", "its mirror"),
        Ignored("Build", "ToolsTreeRepositories", Names("REPOSITORY"), "--tools-tree-repository", "its repositories"),
        Ignored("Build", "ToolsTreeSandboxTrees", TreeList, "--tools-tree-sandbox-tree --tools-tree-package-manager-tree", "its sandbox trees")
            with { OldNames = ["ToolsTreePackageManagerTrees"] },
        Ignored("Build", "ToolsTreePackages", Names("PACKAGE"), "--tools-tree-package", "its packages"),
        Ignored("Build", "ToolsTreePackageDirectories", PathList, "--tools-tree-package-directory", "its package directories"),
        Ignored("Build", "ToolsTreeCertificates", Boolean, "--tools-tree-certificates", "use its certificates"),
        Ignored("Build", "ExtraSearchPaths", PathList, "--extra-search-path", "more places to look for programs"),
        Ignored("Build", "Incremental", Text with { IsBoolean = true }, "-i --incremental", "keep intermediate trees"),
        Ignored("Build", "CacheOnly", Text with { IsBoolean = true }, "--cache-only", "use only what has been downloaded"),
        Acts("Build", "SandboxTrees", TreeList, "--sandbox-tree --package-manager-tree",
            "trees with the package manager's configuration and keyrings", static c => c.Relative(c.SandboxTrees))
            with { OldNames = ["PackageManagerTrees"], Files = Files("sandbox", "sandbox.tar", "pkgmngr", "pkgmngr.tar") },
        Ignored("Build", "WorkspaceDirectory", Path, "--workspace-directory --workspace-dir", "where to build"),
        Ignored("Build", "CacheDirectory", Path, "--cache-directory --cache-dir", "where to keep intermediate trees")
            with { Files = Files("cache") },
        Ignored("Build", "CacheKey", Text, "--cache-key", "what to find them by"),
        Ignored("Build", "PackageCacheDirectory", Path, "--package-cache-directory --package-cache-dir", "where to keep packages")
            with { Files = Files("pkgcache") },
        NotYet("Build", "BuildDirectory", Path, "--build-directory --build-dir", "a directory that build scripts keep"),
        Ignored("Build", "BuildKey", Text, "--build-key", "what to find it by"),
        Ignored("Build", "UseSubvolumes", Feature, "--use-subvolumes", "use btrfs subvolumes while building"),
        Ignored("Build", "RepartOffline", Boolean, "--repart-offline", "make file systems without loop devices"),
        Ignored("Build", "History", Boolean, "--history", "remember the command line"),
        NotYet("Build", "BuildSources", TreeList, "--build-sources", "source trees that scripts see"),
        Ignored("Build", "BuildSourcesEphemeral", Text with { IsBoolean = true }, "--build-sources-ephemeral", "discard what scripts change there"),
        Acts("Build", "Environment", Syntax.Variables, "-E --environment", "variables for hooks and scripts",
            static c => c.Environment.Select(static pair => $"{pair.Key}={ShellWords.Quote(pair.Value)}")),
        Acts("Build", "EnvironmentFiles", PathList, "--env-file", "files of variables, one NAME=VALUE a line",
            static c => c.Relative(c.EnvironmentFiles)) with { Files = Files("env") },
        Ignored("Build", "WithTests", Boolean, "-T --with-tests", "tell build scripts to run tests"),
        NotYet("Build", "WithNetwork", Boolean, "--with-network", "let build scripts use the network", "no"),
        Acts("Build", "ProxyUrl", Text with { Placeholder = "URL" }, "--proxy-url", "the proxy for downloads", static c => c.Proxy.DisplayUrl)
            with { Default = "http_proxy, https_proxy" },
        Acts("Build", "ProxyExclude", Names("HOST"), "--proxy-exclude", "hosts to reach without the proxy", static c => c.Proxy.Exclude)
            with { Default = "no_proxy" },
        Acts("Build", "ProxyPeerCertificate", Path, "--proxy-peer-certificate", "the certificate to check the proxy with",
            static c => c.Proxy.PeerCertificate is { } path ? c.Relative(path) : null),
        Acts("Build", "ProxyClientCertificate", Path, "--proxy-client-certificate", "the certificate to show to the proxy",
            static c => c.Proxy.ClientCertificate is { } path ? c.Relative(path) : null),
        Acts("Build", "ProxyClientKey", Path, "--proxy-client-key", "the key of that certificate",
            static c => c.Proxy.ClientKey is { } path ? c.Relative(path) : null),
        Ignored("Build", "MakeScriptsExecutable", Boolean, "--make-scripts-executable", "make scripts executable"),
        Ignored("Build", "ForeignUIDRange", Boolean, "--foreign-uid-range", "own directories by the foreign range of ids"),
    ];

    private static Setting[] Runtime() =>
    [
        Vm("NSpawnSettings", "--settings") with { Files = Files("nspawn") },
        Vm("Ephemeral", "--ephemeral", Boolean),
        Vm("Credentials", "--credential") with { Files = Files("credentials") },
        Vm("KernelCommandLineExtra", "--kernel-command-line-extra"),
        Vm("RuntimeTrees", "--runtime-tree"),
        Vm("RuntimeSize", "--runtime-size"),
        Vm("RuntimeNetwork", "--runtime-network"),
        Vm("RuntimeBuildSources", "--runtime-build-sources", Boolean),
        Vm("BindUser", "--bind-user", Boolean),
        Vm("SshKey", "--ssh-key"),
        Vm("SshCertificate", "--ssh-certificate"),
        Vm("VirtualMachineMonitor", "--vmm"),
        Vm("Machine", "--machine"),
        Vm("ForwardJournal", "--forward-journal"),
        Vm("SysupdateDirectory", "--sysupdate-directory --sysupdate-dir") with { Files = Files("sysupdate") },
        Vm("Console", "--console"),
        Vm("CPUs", "--cpus --qemu-smp") with { OldNames = ["QemuSmp"] },
        Vm("RAM", "--ram --qemu-mem") with { OldNames = ["QemuMem"] },
        Vm("MaxMem", "--maxmem"),
        Vm("KVM", "--kvm --qemu-kvm", Feature) with { OldNames = ["QemuKvm"] },
        Vm("CXL", "--cxl", Boolean),
        Vm("VSock", "--vsock --qemu-vsock", Feature) with { OldNames = ["QemuVsock"] },
        Vm("VSockCID", "--vsock-cid --qemu-vsock-cid") with { OldNames = ["QemuVsockConnectionId"] },
        Vm("TPM", "--tpm --qemu-swtpm", Feature) with { OldNames = ["QemuSwtpm"] },
        Vm("Removable", "--removable --qemu-removable", Boolean) with { OldNames = ["QemuRemovable"] },
        Vm("DiskType", "--disk-type"),
        Vm("Firmware", "--firmware --qemu-firmware") with { OldNames = ["QemuFirmware"] },
        Vm("FirmwareVariables", "--firmware-variables --qemu-firmware-variables") with { OldNames = ["QemuFirmwareVariables"] },
        Vm("Linux", "--linux --qemu-kernel") with { OldNames = ["QemuKernel"] },
        Vm("Drives", "--drive --qemu-drive") with { OldNames = ["QemuDrives"] },
        Vm("QemuArgs", "--qemu-args"),
        Vm("Register", "--register", Feature),
        Vm("StorageTargetMode", "--storage-target-mode", Feature),
    ];

    private static Setting Vm(string name, string options, Syntax? syntax = null) =>
        Ignored("Runtime", name, syntax ?? Text, options, "of running the image as a virtual machine or container");
}
