using System.Text;
using Diecast.Trees;

namespace Diecast.Build.Partitioning;

/// <summary>
/// The file system's tree while it is filled. Paths are followed through the links that have been copied, and never lead
/// out of the tree.
/// </summary>
internal sealed class TargetTree
{
    private readonly TreeBuilder _builder;
    private readonly Metadata _made;

    /// <param name="epoch">The time of what nobody copied.</param>
    public TargetTree(Timestamp epoch)
    {
        _made = new Metadata(0x1ED, 0, 0, epoch);
        _builder = new TreeBuilder(_made);
        _builder.AddDirectory([], _made);
    }

    public FileTree Build() => _builder.Build();

    public void SetRoot(Metadata metadata) => _builder.AddDirectory([], metadata);

    public Metadata Root => _builder.Find([])!.Metadata;

    public Node? Find(ReadOnlySpan<byte> path) => _builder.Find(path);

    /// <summary>Adds a directory that is not there yet.</summary>
    public void AddDirectory(byte[] path, Metadata metadata) => _builder.AddDirectory(path, metadata);

    /// <summary>Adds anything but a directory, in place of what is not a directory either.</summary>
    /// <exception cref="InvalidDataException">There is a directory.</exception>
    public void Add(byte[] path, Node node)
    {
        if (_builder.Find(path) is DirectoryNode)
        {
            throw new InvalidDataException($"{FileName.Display(path)} is a directory already");
        }
        _builder.Add(path, node);
    }

    /// <summary>The path of an existing directory, all links followed; null where there is nothing.</summary>
    /// <exception cref="InvalidDataException">There is something else, or the links go in circles.</exception>
    public byte[]? FindDirectory(string path) => Chase(path, create: false);

    /// <summary>Makes a directory and those that lead to it, where they are missing; gives its path, all links followed.</summary>
    /// <exception cref="InvalidDataException">Something else is in the way, or the links go in circles.</exception>
    public byte[] MakeDirectories(string path) => Chase(path, create: true)!;

    /// <summary>Gives a directory the time of the epoch: something was made in it.</summary>
    public void Touch(byte[] directory) =>
        _builder.AddDirectory(directory, _builder.Find(directory)!.Metadata with { Mtime = _made.Mtime });

    private byte[]? Chase(string path, bool create)
    {
        byte[] current = [];
        var pending = new Stack<byte[]>();
        TreeLookup.PushParts(pending, Encoding.UTF8.GetBytes(path));
        int links = 0;
        while (pending.TryPop(out byte[]? name))
        {
            if (name.AsSpan().SequenceEqual(".."u8))
            {
                current = current[..Math.Max(0, current.AsSpan().LastIndexOf((byte)'/'))];
                continue;
            }
            byte[] next = Join(current, name);
            switch (_builder.Find(next))
            {
                case DirectoryNode:
                    current = next;
                    break;
                case SymlinkNode link:
                    if (++links > TreeLookup.MaximumLinks)
                    {
                        throw new InvalidDataException($"{path}: too many symbolic links");
                    }
                    current = link.Target is [(byte)'/', ..] ? [] : current;
                    TreeLookup.PushParts(pending, link.Target.AsSpan());
                    break;
                case null when create:
                    _builder.AddDirectory(next, _made);
                    Touch(current);
                    current = next;
                    break;
                case null:
                    return null;
                default:
                    throw new InvalidDataException($"{FileName.Display(next)} is no directory");
            }
        }
        return current;
    }

    public static byte[] Join(byte[] directory, ReadOnlySpan<byte> name) => [.. directory, (byte)'/', .. name];
}
