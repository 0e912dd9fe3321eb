using System.Buffers.Binary;
using System.IO.Pipes;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Diecast.Build;

/// <summary>
/// A filter of system calls, seccomp(2), that lets those succeed at once which wait for the disk: after a power cut the build
/// begins anew, but package managers wait for the disk thousands of times. Nothing else is changed.
/// </summary>
internal static class SyncFilter
{
    // linux/bpf_common.h and linux/seccomp.h.
    private const ushort LoadWord = 0x20;
    private const ushort JumpIfEqual = 0x15;
    private const ushort Return = 0x06;
    private const uint Allow = 0x7fff0000;
    private const uint SucceedAtOnce = 0x00050000;
    private const uint OffsetOfNumber = 0;
    private const uint OffsetOfArchitecture = 4;

    /// <summary>The filter in a pipe that a program which is started inherits; null where the machine's numbers are not known.</summary>
    public static SafePipeHandle? Open()
    {
        if (Calls() is not { } calls)
        {
            return null;
        }
        using var pipe = new AnonymousPipeServerStream(PipeDirection.Out, HandleInheritability.Inheritable);
        // The other end outlives this one, and a pipe holds far more than this.
        var end = pipe.ClientSafePipeHandle;
        pipe.Write(Program(calls.Architecture, calls.Numbers));
        return end;
    }

    /// <summary>fsync, fdatasync, sync, syncfs and sync_file_range.</summary>
    private static (uint Architecture, uint[] Numbers)? Calls() => RuntimeInformation.OSArchitecture switch
    {
        Architecture.X64 => (0xC000003E, [74, 75, 162, 306, 277]),
        Architecture.Arm64 => (0xC00000B7, [82, 83, 81, 267, 84]),
        _ => null,
    };

    private static byte[] Program(uint architecture, uint[] numbers)
    {
        var program = new List<byte>();
        void Add(ushort code, byte ifTrue, byte ifFalse, uint value)
        {
            var instruction = new byte[8];
            BinaryPrimitives.WriteUInt16LittleEndian(instruction, code);
            (instruction[2], instruction[3]) = (ifTrue, ifFalse);
            BinaryPrimitives.WriteUInt32LittleEndian(instruction.AsSpan(4), value);
            program.AddRange(instruction);
        }
        Add(LoadWord, 0, 0, OffsetOfArchitecture);
        // Jumps count the instructions that are passed over; the last but one allows.
        Add(JumpIfEqual, 0, (byte)(1 + numbers.Length), architecture);
        Add(LoadWord, 0, 0, OffsetOfNumber);
        for (int i = 0; i < numbers.Length; i++)
        {
            Add(JumpIfEqual, (byte)(numbers.Length - i), 0, numbers[i]);
        }
        Add(Return, 0, 0, Allow);
        Add(Return, 0, 0, SucceedAtOnce);
        return [.. program];
    }
}
