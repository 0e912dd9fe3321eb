using System.Globalization;
using Diecast.Trees;

namespace Diecast.Formats.Btrfs;

/// <summary>The paths of files: up from an inode by its references, from a subvolume's root by the reference to that.</summary>
internal sealed class PathFinder(TreeIndex index)
{
    /// <summary>More names than any path has, so that a cycle has an end.</summary>
    private const int MostNames = 2048;

    /// <summary>"/etc/passwd", the first of a file's names; null where no way leads from it to the root.</summary>
    /// <param name="tree">The subvolume's id.</param>
    /// <exception cref="InvalidDataException">A block on the way is damaged.</exception>
    public string? Find(ulong tree, ulong inode)
    {
        var names = new List<byte[]>();
        for (int steps = 0; steps < MostNames; steps++)
        {
            if (tree == ObjectId.FsTree && inode == ObjectId.FirstFree)
            {
                names.Reverse();
                return names.Count == 0 ? "/" : FileName.Display([.. names.SelectMany(static name => (byte[])[(byte)'/', .. name])]);
            }
            if ((inode == ObjectId.FirstFree ? Subvolume(tree) : Reference(tree, inode)) is not { } step)
            {
                return null;
            }
            names.Add(step.Name);
            (tree, inode) = (step.Tree, step.Directory);
        }
        return null;
    }

    /// <summary>"/etc/passwd", or "inode 257 of FS_TREE" where no path leads to it: for labels.</summary>
    public string Describe(ulong tree, ulong inode)
    {
        string? path;
        try
        {
            path = Find(tree, inode);
        }
        catch (InvalidDataException)
        {
            // A label says what it can; who reads the tree is told what is damaged.
            path = null;
        }
        return path ?? string.Create(CultureInfo.InvariantCulture, $"inode {inode} of {ObjectId.Name(tree)}");
    }

    private (ulong Tree, ulong Directory, byte[] Name)? Reference(ulong tree, ulong inode)
    {
        if (index.Find(tree) is not { } files)
        {
            return null;
        }
        foreach (var item in files.Items(new Key(inode, ItemType.InodeRef, 0)))
        {
            if (item.Key.Objectid != inode)
            {
                break;
            }
            if (item.Key.Type == ItemType.InodeRef && item.Data.Length > 0)
            {
                var name = Name(item, InodeRef.Size, item.Read<InodeRef>().NameLen);
                return (tree, item.Key.Offset, name);
            }
            if (item.Key.Type == ItemType.InodeExtref)
            {
                var reference = item.Read<InodeExtref>();
                return (tree, reference.ParentObjectid, Name(item, InodeExtref.Size, reference.NameLen));
            }
            if (item.Key.Type > ItemType.InodeExtref)
            {
                break;
            }
        }
        return null;
    }

    private (ulong Tree, ulong Directory, byte[] Name)? Subvolume(ulong tree)
    {
        foreach (var item in index.RootTree.Items(tree, ItemType.RootBackref))
        {
            var reference = item.Read<RootRef>();
            return (item.Key.Offset, reference.Dirid, Name(item, RootRef.Size, reference.NameLen));
        }
        return null;
    }

    private static byte[] Name(TreeItem item, int offset, int length) =>
        length <= item.Data.Length - offset ? item.Data.Slice(offset, length).ToArray() : throw item.Damaged("the name is cut off");
}
