using System.Text;
using Diecast.Images;
using Diecast.Trees;
using Microsoft.Win32.SafeHandles;

namespace Diecast.Packages;

/// <content>What comes from no package: the user's trees and the image's own configuration.</content>
public sealed partial class StagedRoot
{
    /// <summary>
    /// Puts a tree of the user's into the root: directories that exist keep their metadata, links that lead to a
    /// directory are followed within the root, files replace what is there.
    /// </summary>
    /// <exception cref="InvalidDataException">A file stands where the tree has a directory, or the other way round.</exception>
    public void AddTree(FileTree tree)
    {
        var links = new Dictionary<Node, byte[]>(ReferenceEqualityComparer.Instance);
        foreach (var entry in tree.Walk().Skip(1))
        {
            byte[] path = entry.Path!.ToBytes();
            if (entry.Node is DirectoryNode && IsDirectory(path))
            {
                continue;
            }
            path = Resolve(path);
            if (entry.Node is not DirectoryNode && !links.TryAdd(entry.Node, path))
            {
                AddHardLink(path, links[entry.Node]);
                continue;
            }
            AddNode(path, entry.Node);
        }
        EndPackage();
    }

    /// <summary>Writes a file of the image's own configuration, root's, in place of one that is there.</summary>
    public void Write(string path, string content, ushort mode = 0x1A4)
    {
        AddFile(Resolve(Posix.Bytes(path)), new Metadata(mode, 0, 0, Epoch), Encoding.UTF8.GetBytes(content));
        EndPackage();
    }

    /// <summary>Changes a text file, which keeps its owner, mode and attributes. One that is not there, or that does not change, is left.</summary>
    public void Edit(string path, Func<string, string> change)
    {
        byte[] bytes = Posix.Bytes(path);
        if (ReadFile(bytes) is not { } before)
        {
            return;
        }
        // Latin-1 keeps every byte.
        byte[] after = Encoding.Latin1.GetBytes(change(Encoding.Latin1.GetString(before)));
        if (!after.AsSpan().SequenceEqual(before))
        {
            byte[] resolved = ResolveFully(bytes);
            byte[] hostPath = [.. _hostPath, (byte)'/', .. resolved];
            var metadata = MetadataOf(new FileName(resolved), Status(resolved)!.Value, () => HostTree.XattrsOf(hostPath));
            AddFile(resolved, metadata with { Mtime = Epoch }, after);
            EndPackage();
        }
    }

    /// <summary>Makes a symbolic link of the image's own configuration, in place of what is there.</summary>
    public void Link(string path, string target)
    {
        AddSymlink(Resolve(Posix.Bytes(path)), new Metadata(0x1FF, 0, 0, Epoch), Posix.Bytes(target));
        EndPackage();
    }

    /// <summary>Makes a directory of the image's own configuration; one that exists is left.</summary>
    public void MakeDirectory(string path, ushort mode = 0x1ED)
    {
        if (!IsDirectory(Posix.Bytes(path)))
        {
            AddDirectory(Resolve(Posix.Bytes(path)), new Metadata(mode, 0, 0, Epoch));
            EndPackage();
        }
    }

    /// <summary>The path with the links in all but its last component followed within the root; what does not exist stays as it is.</summary>
    /// <exception cref="InvalidDataException">It leads through a file, or through links without end.</exception>
    public byte[] Resolve(ReadOnlySpan<byte> path)
    {
        path = Normalize(path);
        var parent = ParentOf(path);
        if (parent.IsEmpty)
        {
            return path.ToArray();
        }
        try
        {
            using var directory = Posix.OpenAt2(Posix.Fd(_root), parent, Posix.O_PATH | Posix.O_DIRECTORY, 0, Posix.RESOLVE_IN_ROOT);
            byte[] host = HostPathOf(directory);
            return host.Length == _hostPath.Length ? NameOf(path).ToArray() : [.. host.AsSpan(_hostPath.Length + 1), (byte)'/', .. NameOf(path)];
        }
        catch (PosixException e) when (e.Error == Posix.ENOENT)
        {
            return [.. Resolve(parent), (byte)'/', .. NameOf(path)];
        }
        catch (PosixException e) when (e.Error is Posix.ENOTDIR or Posix.ELOOP)
        {
            throw new InvalidDataException($"/{FileName.Display(path)}: leads through a file, or links without end");
        }
    }

    /// <summary>Where a path leads to with all its links followed within the root; null where that is no directory.</summary>
    public byte[]? ResolveDirectory(ReadOnlySpan<byte> path)
    {
        try
        {
            using var directory = Posix.OpenAt2(Posix.Fd(_root), path, Posix.O_PATH | Posix.O_DIRECTORY, 0, Posix.RESOLVE_IN_ROOT);
            return HostPathOf(directory)[_hostPath.Length..];
        }
        catch (PosixException e) when (e.Error is Posix.ENOENT or Posix.ENOTDIR or Posix.ELOOP)
        {
            return null;
        }
    }

    /// <summary>The target of a symbolic link; links on the way to it are not followed.</summary>
    public byte[] ReadLink(ReadOnlySpan<byte> path)
    {
        path = Normalize(path);
        return Posix.ReadLink(Parent(path), NameOf(path));
    }

    private byte[] ResolveFully(ReadOnlySpan<byte> path)
    {
        using var file = Posix.OpenAt2(Posix.Fd(_root), Normalize(path), Posix.O_PATH, 0, Posix.RESOLVE_IN_ROOT);
        return HostPathOf(file)[(_hostPath.Length + 1)..];
    }

    private static byte[] HostPathOf(SafeFileHandle handle) =>
        Posix.ReadLink(Posix.AT_FDCWD, Posix.Bytes($"/proc/self/fd/{Posix.Fd(handle)}"));

    /// <summary>Whether a path leads to a directory; links are followed within the root.</summary>
    public bool IsDirectory(ReadOnlySpan<byte> path)
    {
        try
        {
            Posix.OpenAt2(Posix.Fd(_root), Normalize(path), Posix.O_PATH | Posix.O_DIRECTORY, 0, Posix.RESOLVE_IN_ROOT).Dispose();
            return true;
        }
        catch (PosixException e) when (e.Error is Posix.ENOENT or Posix.ENOTDIR or Posix.ELOOP)
        {
            return false;
        }
    }

    private void AddNode(byte[] path, Node node)
    {
        switch (node)
        {
            case DirectoryNode:
                AddDirectory(path, node.Metadata);
                break;
            case FileNode file:
                AddFile(path, node.Metadata, new BlobStream(file.Content));
                break;
            case SymlinkNode link:
                AddSymlink(path, node.Metadata, link.Target.AsSpan());
                break;
            case DeviceNode device:
                AddSpecial(path, node.Metadata, device.Type, device.Major, device.Minor);
                break;
            default:
                AddSpecial(path, node.Metadata, node.Type, 0, 0);
                break;
        }
    }
}
