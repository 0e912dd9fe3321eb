using System.Globalization;
using System.Text;
using Diecast.Trees;

namespace Diecast.Inspect;

/// <summary>
/// Finds what an address names: <c>IMAGE[:PARTITION][:PATH][:SECTION][:PATH]…</c>, as in
/// <c>foo.raw:esp:/EFI/Linux/foo.efi:.initrd:/usr/lib/os-release</c>. A partition is named by its number, label, type or
/// id. What is compressed on the way is unpacked. Names may hold colons themselves, and control characters as
/// <see cref="FileName.Display"/> writes them: the longest name that exists is meant.
/// </summary>
public sealed class Reach
{
    private const int MostListed = 32;

    /// <summary>The most bytes that an image, or anything in it, may unpack to.</summary>
    public long UnpackLimit { get; init; } = Unpacker.DefaultLimit;

    /// <summary>Whether a symbolic link that an address ends with is followed, within its tree.</summary>
    public bool FollowsLinks { get; init; }

    public CancellationToken Cancellation { get; init; }

    /// <summary>What an address names.</summary>
    /// <exception cref="IOException">There is no such image, or it cannot be read.</exception>
    /// <exception cref="InvalidDataException">The address leads nowhere, or what it leads through is damaged.</exception>
    public Place Find(string address)
    {
        var (image, steps) = Split(address);
        var source = ImageSource.Open(image, UnpackLimit, Cancellation);
        var place = new Place
        {
            Address = image,
            Source = source,
            Content = source.Content,
            Tree = source.Tree,
            Node = source.Tree?.Root,
            UnpackLimit = UnpackLimit,
        };
        for (int i = 0; i < steps.Length;)
        {
            if (i == steps.Length - 1 && steps[i].Length == 0)
            {
                return place with { IsInside = true };
            }
            (place, int used) = Step(place, steps.AsSpan(i));
            i += used;
        }
        return place;
    }

    /// <summary>The image is the longest name before a colon that exists on the host.</summary>
    private static (string Image, string[] Steps) Split(string address)
    {
        for (int end = address.Length; end > 0; end = address.LastIndexOf(':', end - 1))
        {
            if (Posix.TryStat(Posix.AT_FDCWD, Posix.Bytes(address[..end]), followLinks: true) is not null)
            {
                return (address[..end], end == address.Length ? [] : address[(end + 1)..].Split(':'));
            }
        }
        int colon = address.IndexOf(':', StringComparison.Ordinal);
        throw new FileNotFoundException($"{(colon > 0 ? address[..colon] : address)}: no such file");
    }

    private (Place Place, int Used) Step(Place place, ReadOnlySpan<string> steps)
    {
        if (place.Tree is not null && place.Node is DirectoryNode)
        {
            return StepInTree(place, place.Tree, place.TreePath?.ToBytes() ?? [], steps);
        }
        if (place.Content is null)
        {
            throw new InvalidDataException($"{place.Address}: is no regular file, so there is nothing in it");
        }
        var container = place.Open(Cancellation);
        if (container is null or { Tree: null, Parts: [] })
        {
            throw new InvalidDataException(
                $"{place.Address}: {(Signatures.Content(place.Content) is { } name ? $"{name} is not read" : "nothing that can be looked into")}");
        }
        return container.Tree is { } tree
            ? StepInTree(place with { IgnoresCase = container.Kind == "vfat" }, tree, [], steps)
            : StepToPart(place, container, steps);
    }

    private (Place Place, int Used) StepInTree(Place place, FileTree tree, byte[] directory, ReadOnlySpan<string> steps)
    {
        var walker = new TreeWalker(tree, place.IgnoresCase);
        for (int count = steps.Length; count > 0; count--)
        {
            string name = string.Join(':', steps[..count]);
            bool isLast = count == steps.Length;
            foreach (byte[] path in (byte[][])[Posix.Bytes(name), Unescape(name)])
            {
                if (Find(walker, place, [.. directory, (byte)'/', .. path], FollowsLinks || !isLast) is { } found)
                {
                    return (place with
                    {
                        Address = $"{place.Address}:{found.Path?.ToString() ?? "/"}",
                        Content = (found.Node as FileNode)?.Content,
                        Part = null,
                        Node = found.Node,
                        TreePath = found.Path,
                        Tree = tree,
                    }, count);
                }
            }
        }
        throw new InvalidDataException($"{place.Address}: no file {FileName.Display(Posix.Bytes(steps[0]))}");
    }

    private static TreeWalker.Found? Find(TreeWalker walker, Place place, byte[] path, bool followLast)
    {
        try
        {
            return walker.Find(path, followLast);
        }
        catch (InvalidDataException error)
        {
            throw new InvalidDataException($"{place.Address}: {error.Message}", error);
        }
    }

    private static (Place Place, int Used) StepToPart(Place place, Container container, ReadOnlySpan<string> steps)
    {
        for (int count = steps.Length; count > 0; count--)
        {
            string name = string.Join(':', steps[..count]);
            List<Part> found = container.Parts.FirstOrDefault(part => part.Name == name) is { } exact
                ? [exact]
                : [.. container.Parts.Where(part => part.Aliases.Any(alias => IsSame(alias, name)))];
            if (found.Count > 1)
            {
                throw new InvalidDataException($"{place.Address}: \"{Display(name)}\" is ambiguous: {Titles(found)}");
            }
            if (found.Count == 1)
            {
                return (place with
                {
                    Address = $"{place.Address}:{Display(name)}",
                    Content = found[0].Content,
                    Part = found[0],
                    Node = null,
                    TreePath = null,
                    Tree = null,
                    IgnoresCase = false,
                }, count);
            }
        }
        string what = container.Kind == "gpt" ? "partition" : "section";
        throw new InvalidDataException(container.Parts.Count == 0
            ? $"{place.Address}: there is no {what}"
            : $"{place.Address}: no {what} \"{Display(steps[0])}\"; there {(container.Parts.Count == 1 ? "is" : "are")} {Titles(container.Parts)}");
    }

    /// <summary>Ids are the same in capitals; labels are not.</summary>
    private static bool IsSame(string alias, string name) =>
        alias == name || (Guid.TryParseExact(alias, "D", out var id) && Guid.TryParse(name, CultureInfo.InvariantCulture, out var given) && id == given);

    /// <summary>"1 (esp), 2 (root-x86-64)".</summary>
    private static string Titles(IReadOnlyList<Part> parts) =>
        string.Join(", ", parts.Take(MostListed).Select(static part =>
            Display(part.Name) + (part.Aliases.Count > 0 ? $" ({Display(part.Aliases[0])})" : "")))
        + (parts.Count > MostListed ? " …" : "");

    private static string Display(string text) => FileName.Display(Encoding.UTF8.GetBytes(text));

    /// <summary>The bytes of a name as <see cref="FileName.Display"/> gives it.</summary>
    private static byte[] Unescape(string text)
    {
        byte[] escaped = Posix.Bytes(text);
        var bytes = new List<byte>(escaped.Length);
        for (int i = 0; i < escaped.Length; i++)
        {
            if (escaped.AsSpan(i).StartsWith("\\x"u8) && i + 4 <= escaped.Length
                && byte.TryParse(escaped.AsSpan(i + 2, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte value))
            {
                bytes.Add(value);
                i += 3;
            }
            else
            {
                bytes.Add(escaped[i]);
            }
        }
        return [.. bytes];
    }
}
