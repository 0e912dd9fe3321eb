using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace Diecast.Tests.Support;

/// <summary>How the disk is attached: what an image meets on common PCs and clouds.</summary>
public enum DiskBus
{
    VirtioBlk,
    Nvme,
    Ahci,
    VirtioScsi,
    UsbStorage,
}

/// <summary>
/// A raw image running under QEMU with UEFI firmware, seen through its serial console. The machine has no network, an
/// empty set of firmware variables (so it starts what the ESP's fallback path names), and writes to a throw-away overlay.
/// </summary>
internal sealed partial class VirtualMachine : IDisposable
{
    private const string Firmware = "/usr/share/OVMF/OVMF_CODE_4M.fd";
    private const string FirmwareVariables = "/usr/share/OVMF/OVMF_VARS_4M.fd";

    private readonly TempDirectory _directory = new();
    private readonly Process _process;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly StringBuilder _console = new();
    private int _seen;
    private bool _ended;

    private VirtualMachine(string image, DiskBus bus)
    {
        string program = Tool.Require("qemu-system-x86_64");
        foreach (string file in new[] { Firmware, FirmwareVariables }.Where(file => !File.Exists(file)))
        {
            Tool.Missing($"{file} is not installed");
        }
        File.Copy(FirmwareVariables, _directory["vars.fd"]);
        string[] arguments =
        [
            "-nodefaults", "-no-user-config", "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-m", "2048",
            "-smp", "2", "-display", "none", "-monitor", "none", "-nic", "none", "-no-reboot", "-serial", "stdio",
            "-drive", $"if=pflash,unit=0,format=raw,readonly=on,file={Firmware}",
            "-drive", $"if=pflash,unit=1,format=raw,file={Escape(_directory["vars.fd"])}",
            "-drive", $"if=none,id=disk,format=raw,snapshot=on,file={Escape(image)}",
            // Handed to the kernel by systemd-stub: where the processors have other work, udev takes longer than the usual 90 s.
            "-smbios", "type=11,value=io.systemd.stub.kernel-cmdline-extra=systemd.default_device_timeout_sec=10min",
            .. Attach(bus),
        ];
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // The overlay of snapshot=on goes there.
        start.Environment["TMPDIR"] = _directory.Path;
        _process = Process.Start(start)!;
        new Thread(() => Read(_process.StandardOutput, last: true)) { IsBackground = true }.Start();
        new Thread(() => Read(_process.StandardError, last: false)) { IsBackground = true }.Start();
    }

    /// <summary>Switches the machine on with a fresh set of firmware variables.</summary>
    public static VirtualMachine Start(string image, DiskBus bus) => new(image, bus);

    /// <summary>The time since it was switched on.</summary>
    public TimeSpan Uptime => _clock.Elapsed;

    /// <summary>All that the console has shown, without terminal control sequences.</summary>
    public string Transcript
    {
        get
        {
            lock (_console)
            {
                return ControlSequence().Replace(_console.ToString(), "").Replace("\r", "", StringComparison.Ordinal);
            }
        }
    }

    /// <summary>
    /// Boots an image to the login prompt, logs in as root and fails the test, with the transcript, unless systemd calls
    /// the system running and no unit has failed. Returns the time to the prompt.
    /// </summary>
    public static TimeSpan AssertBoots(string image, DiskBus bus, TimeSpan timeout)
    {
        using var machine = Start(image, bus);
        machine.LogIn(timeout);
        var prompt = machine.Uptime;
        // Until it is up, systemd reports its units on the same console, amid the answer.
        machine.Execute("systemctl is-system-running --wait", timeout);
        var (code, state) = machine.Execute("systemctl is-system-running", timeout);
        var (_, failed) = machine.Execute("systemctl list-units --failed --plain --no-legend --no-pager", timeout);
        Assert.True(code == 0 && state == "running" && failed.Length == 0,
            $"{bus}: the system is {state}; failed units: {failed}\n{machine.Transcript}");
        return prompt;
    }

    /// <summary>Waits until the console shows the text after what was waited for before; fails the test with the transcript.</summary>
    public Match WaitFor(Regex text, TimeSpan timeout)
    {
        var deadline = _clock.Elapsed + timeout;
        lock (_console)
        {
            while (true)
            {
                // Control sequences may stand inside of a line, so they go before the search, all of it still to be read.
                string fresh = ControlSequence().Replace(_console.ToString(_seen, _console.Length - _seen), "");
                var match = text.Match(fresh);
                if (match.Success)
                {
                    _seen = _console.Length;
                    return match;
                }
                var left = deadline - _clock.Elapsed;
                if (_ended || left <= TimeSpan.Zero)
                {
                    Assert.Fail($"The console does not show \"{text}\" " +
                        $"{(_ended ? "and the machine has ended" : $"within {timeout.TotalSeconds:0} s")}:\n{Transcript}");
                }
                Monitor.Wait(_console, left);
            }
        }
    }

    /// <summary>Waits for the login prompt and logs in as root, who has no password or is logged in automatically.</summary>
    public void LogIn(TimeSpan timeout)
    {
        var prompt = WaitFor(LoginPrompt(), timeout);
        if (prompt.Groups["login"].Success)
        {
            Send("root\n");
            WaitFor(ShellPrompt(), timeout);
        }
        // One line that is never broken in two, and nothing but what the commands print.
        Execute("stty -echo columns 1000; PS1=; bind 'set enable-bracketed-paste off' 2>/dev/null; dmesg -n 1", timeout);
    }

    /// <summary>Runs a command line in the shell that <see cref="LogIn"/> opened.</summary>
    public (int ExitCode, string Output) Execute(string command, TimeSpan timeout)
    {
        // The command line that the terminal echoes holds no digits there, so only the answer matches.
        Send($"echo '<out''put>'; {command}; echo \"<ex\"\"it $?>\"\n");
        var answer = WaitFor(Answer(), timeout);
        return (int.Parse(answer.Groups["code"].ValueSpan, System.Globalization.CultureInfo.InvariantCulture),
            answer.Groups["output"].Value.Replace("\r", "", StringComparison.Ordinal).Trim());
    }

    /// <summary>Types on the console.</summary>
    public void Send(string text)
    {
        _process.StandardInput.Write(text);
        _process.StandardInput.Flush();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }
        _process.WaitForExit();
        _process.Dispose();
        _directory.Dispose();
    }

    private static string[] Attach(DiskBus bus) => bus switch
    {
        DiskBus.VirtioBlk => ["-device", "virtio-blk-pci,drive=disk"],
        DiskBus.Nvme => ["-device", "nvme,drive=disk,serial=diecast"],
        DiskBus.Ahci => ["-device", "ahci,id=ahci", "-device", "ide-hd,drive=disk,bus=ahci.0"],
        DiskBus.VirtioScsi => ["-device", "virtio-scsi-pci,id=scsi", "-device", "scsi-hd,drive=disk,bus=scsi.0"],
        DiskBus.UsbStorage => ["-device", "qemu-xhci,id=usb", "-device", "usb-storage,drive=disk,bus=usb.0"],
        _ => throw new UnreachableException(),
    };

    /// <summary>A comma ends a value in QEMU's option syntax unless it is doubled.</summary>
    private static string Escape(string path) => path.Replace(",", ",,", StringComparison.Ordinal);

    private void Read(StreamReader reader, bool last)
    {
        var buffer = new char[4096];
        for (int count; (count = reader.Read(buffer)) > 0;)
        {
            lock (_console)
            {
                _console.Append(buffer, 0, count);
                Monitor.PulseAll(_console);
            }
        }
        lock (_console)
        {
            _ended |= last;
            Monitor.PulseAll(_console);
        }
    }

    /// <summary>ECMA-48 control sequences, operating system commands and the other escapes that systemd and agetty use.</summary>
    [GeneratedRegex(@"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|P[^\x1b]*\x1b\\|[ -/]*[0-Z\\^-~])")]
    private static partial Regex ControlSequence();

    [GeneratedRegex(@"(?<login>login: $)|(?<shell>[#] $)")]
    private static partial Regex LoginPrompt();

    [GeneratedRegex("# $")]
    private static partial Regex ShellPrompt();

    [GeneratedRegex(@"<output>\r?\n(?<output>.*)<exit (?<code>\d+)>", RegexOptions.Singleline)]
    private static partial Regex Answer();
}
