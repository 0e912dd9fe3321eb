using System.CommandLine;
using Diecast.Inspect;

namespace Diecast.Cli;

/// <summary>What the verbs that look into an image share: its address, and how much it may unpack to.</summary>
internal sealed class ImageAddress
{
    private readonly Argument<string> _address = new("IMAGE[:PARTITION][:PATH]…")
    {
        Description = "an image, a block device or a directory, and what in it is meant: a partition by number, label, type or id; a path; a section of a program; a path in that",
    };

    private readonly Option<long?> _limit = ParsedOption.Create("--unpack-limit", "BYTES", "is no number of bytes with K, M, G or T",
        "the most bytes that anything compressed may unpack to (default: 64G)", Verbs.ParseSize);

    public void AddTo(Command command)
    {
        command.Add(_address);
        command.Add(_limit);
    }

    public string Text(ParseResult arguments) => arguments.GetRequiredValue(_address);

    /// <inheritdoc cref="Reach.Find"/>
    public Place Find(ParseResult arguments, bool followsLinks, CancellationToken cancellation) => new Reach
    {
        UnpackLimit = arguments.GetValue(_limit) ?? ImageSource.DefaultUnpackLimit,
        FollowsLinks = followsLinks,
        Cancellation = cancellation,
    }.Find(Text(arguments));
}
