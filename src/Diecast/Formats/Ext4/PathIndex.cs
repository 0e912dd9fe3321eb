using System.Buffers;
using System.Runtime.InteropServices;
using Diecast.Trees;

namespace Diecast.Formats.Ext4;

/// <summary>
/// The paths of inodes, as compact as may be: an entry of a directory takes twelve bytes and its name. Of several names of a
/// file the one that the inode tables lead to first counts.
/// </summary>
internal sealed class PathIndex
{
    /// <summary>No more entries and bytes of names than these are remembered: what comes after has no path.</summary>
    private const int MostEntries = 1 << 22, MostNameBytes = 1 << 27;

    private const int DeepestPath = 1000;

    private readonly record struct Entry(uint Child, uint Parent, int Name);

    private readonly List<Entry> _entries = [];
    private readonly ArrayBufferWriter<byte> _names = new();
    private bool _isSorted;

    public void Add(uint child, uint parent, ReadOnlySpan<byte> name)
    {
        if (_entries.Count == MostEntries || _names.WrittenCount > MostNameBytes || name.Length > byte.MaxValue)
        {
            return;
        }
        _entries.Add(new Entry(child, parent, _names.WrittenCount));
        _names.Write([(byte)name.Length, .. name]);
        _isSorted = false;
    }

    /// <summary>A path such as "/etc/passwd"; null for an inode that no name leads to.</summary>
    public string? Find(uint inode)
    {
        Sort();
        if (inode == Plan.RootInode)
        {
            return "/";
        }
        var parts = new Stack<Entry>();
        for (uint at = inode; at != Plan.RootInode;)
        {
            if (parts.Count == DeepestPath || FindEntry(at) is not { } entry)
            {
                return null;
            }
            parts.Push(entry);
            at = entry.Parent;
        }
        var path = new List<byte>();
        foreach (var entry in parts)
        {
            path.Add((byte)'/');
            path.AddRange(Name(entry));
        }
        return FileName.Display(CollectionsMarshal.AsSpan(path));
    }

    private ReadOnlySpan<byte> Name(Entry entry) =>
        _names.WrittenSpan.Slice(entry.Name + 1, _names.WrittenSpan[entry.Name]);

    private void Sort()
    {
        if (!_isSorted)
        {
            _entries.Sort(static (a, b) => (a.Child, a.Name).CompareTo((b.Child, b.Name)));
            _isSorted = true;
        }
    }

    private Entry? FindEntry(uint child)
    {
        int low = 0;
        int high = _entries.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = _entries[middle].Child < child ? (middle + 1, high) : (low, middle);
        }
        return low < _entries.Count && _entries[low].Child == child ? _entries[low] : null;
    }
}
