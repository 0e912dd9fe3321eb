using Diecast.Images;
using Diecast.Inspect.Differences;
using Diecast.Tests.Formats.Btrfs;
using Diecast.Tests.Support;

namespace Diecast.Tests.Inspect.Differences;

/// <summary>Archives of one tree that the real tools made in other circumstances: all that differs has a name and a cause.</summary>
public sealed class ArchiveDiffTests
{
    private const string Populate = """
        mkdir -p one/usr/bin one/etc; cd one; head -c 3000 /dev/zero | tr '\0' a > usr/bin/a; seq 100 > usr/bin/b; echo hello > etc/hosts
        ln -s ../usr/bin/b etc/link; ln usr/bin/a usr/bin/hard; : > etc/empty; mkdir opt; echo x > opt/x; cd ..
        find one -exec touch -h -d @1700000000.25 {} +; cp -a one two
        """;

    private static (Blob Before, Blob After) Make(TempDirectory directory, string first, string second)
    {
        Tool.RunOk("bash", "-ec", $"cd \"$1\"; {Populate}\n(cd one; {first}) > before; (cd two; {second}) > after", "-", directory.Path);
        return (BtrfsSamples.Open(directory["before"]), BtrfsSamples.Open(directory["after"]));
    }

    /// <summary>The causes that are told, where nothing is without one.</summary>
    private static SortedSet<string> Causes(Blob before, Blob after)
    {
        var found = ImageDiffer.Compare(before, after, new DiffOptions())!;
        var ids = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var difference in All(found))
        {
            Assert.True(difference.Notes.Count == 0, $"{difference.Name}: {string.Join("; ", difference.Notes)}");
            Assert.False(difference.IsUnexplained, $"{difference.Name} {string.Join('\n', difference.Lines)}");
            foreach (var field in difference.Fields)
            {
                Assert.True(field.Cause is not null, $"{difference.Name} {field}");
                ids.Add(field.Cause.Id);
            }
            if (difference.Cause is { } cause)
            {
                ids.Add(cause.Id);
            }
        }
        // Every byte has been counted for somebody.
        var archive = Assert.Single(All(found), static difference => difference.Format is "cpio" or "tar");
        Assert.Equal(archive.DifferingBytes, archive.Children.Sum(static child => child.DifferingBytes));
        return ids;
    }

    private static IEnumerable<Difference> All(Difference difference) => difference.Children.SelectMany(All).Prepend(difference);

    private static void Differ(string first, string second, params string[] causes)
    {
        using var directory = new TempDirectory();
        var (before, after) = Make(directory, first, second);
        Assert.Equal(causes, Causes(before, after).Where(static id => !id.StartsWith("follows-", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("find . | sort | cpio -o -H newc --quiet", "find . | sort | cpio -o -H newc --quiet", "cpio-inode-numbers")]
    [InlineData("find . | sort | cpio -o -H newc --quiet --reproducible", "find . | sort -r | cpio -o -H newc --quiet --reproducible", "archive-order", "cpio-inode-numbers")]
    [InlineData("find . | sort | cpio -o -H newc --quiet", "find . | sort -r | cpio -o -H newc --quiet", "archive-order", "cpio-inode-numbers")]
    [InlineData("find . | sort | cpio -o -H newc --quiet --reproducible", "find . -exec touch -h -d @1700000007 {} +; find . | sort | cpio -o -H newc --quiet --reproducible", "archive-times")]
    [InlineData("find . | sort | cpio -o -H newc --quiet --reproducible", "find . | sort | cpio -o -H newc --quiet --reproducible -R 1000:1000", "build-user")]
    [InlineData("find . | sort | bsdtar -cnf - --format=newc -T -", "find . | sort -r | bsdtar -cnf - --format=newc -T -", "archive-order", "cpio-inode-numbers")]
    [InlineData("find . | sort | cpio -o -H newc --quiet | zstd", "find . | sort -r | cpio -o -H newc --quiet | zstd", "archive-order", "cpio-inode-numbers")]
    public void CpioIsExplained(string first, string second, params string[] causes) => Differ(first, second, causes);

    [Theory]
    [InlineData("tar --sort=name -cf - .", "tar --sort=name --owner=jo:0 --group=jo:0 -cf - .", "tar-owner-names")]
    [InlineData("tar --sort=name -cf - .", "tar --sort=name --owner=jo:1000 --group=jo:1000 -cf - .", "build-user", "tar-owner-names")]
    [InlineData("find . | sort | tar --no-recursion -cf - -T -", "find . | sort -r | tar --no-recursion -cf - -T -", "archive-order")]
    [InlineData("tar --format=pax --sort=name --pax-option=delete=atime,delete=ctime -cf - .", "find . -exec touch -h -d @1700000007.5 {} +; tar --format=pax --sort=name --pax-option=delete=atime,delete=ctime -cf - .", "archive-times")]
    [InlineData("find . -exec touch -h -a -d @1700000300.25 {} +; tar --format=pax --sort=name -cf - .", "sleep 1.1; find . -exec touch -h -a -d @1700000900.75 {} +; tar --format=pax --sort=name -cf - .", "pax-times")]
    [InlineData("find . | sort | tar --format=pax --no-recursion -cf - -T -", "sleep 1.1; find . -exec touch -h -d @1700000900 {} +; find . | sort -r | tar --format=pax --owner=jo:0 --no-recursion -cf - -T -",
        "archive-order", "archive-times", "pax-times", "tar-owner-names")]
    [InlineData("tar --sort=name --pax-option=exthdr.name=%d/PaxHeaders.%p/%f,delete=atime,delete=ctime --format=pax -cf - .", "tar --sort=name --pax-option=exthdr.name=%d/PaxHeaders.%p/%f,delete=atime,delete=ctime --format=pax -cf - .", "pax-header-names")]
    [InlineData("find . | sort | bsdtar --format=pax -cnf - -T -", "find . | sort -r | bsdtar --format=pax --uname jo -cnf - -T -", "archive-order", "pax-times", "tar-owner-names")]
    [InlineData("tar --sort=name -cf - . | gzip -n", "tar --sort=name --owner=jo:0 -cf - . | gzip -n", "tar-owner-names")]
    public void TarIsExplained(string first, string second, params string[] causes) => Differ(first, second, causes);

    [Fact]
    public void FieldsAndOrderAreNamed()
    {
        using var directory = new TempDirectory();
        var (before, after) = Make(directory, "tar --sort=name -cf - .", "tar --sort=name --owner=jo:0 -cf - .");
        var found = ImageDiffer.Compare(before, after, new DiffOptions())!;
        Assert.All(found.Children, static child => Assert.Contains(child.Fields, static f => f is { Name: "uname", After: "jo" }));
        Assert.Equal(["/", "/etc", "/etc/empty"], found.Children.Take(3).Select(static child => child.Name));

        var (one, other) = (ImageSamples.Cpio(("a", "1"), ("b", "2")), ImageSamples.Cpio(("a", "1"), ("ab", "3"), ("b", "2")));
        // What is new in one of them is no other order, and moves the others.
        var added = ImageDiffer.Compare(one, other, new DiffOptions())!;
        Assert.DoesNotContain(added.Fields, static f => f.Name == "order");
        Assert.Equal(Change.Added, Assert.Single(added.Children, static child => child.Name == "/ab").Change);
        Assert.Equal("follows-size", Assert.Single(added.Children, static child => child.Name == "members at other places").Cause?.Id);
    }

    /// <summary>A large file that overlaps itself at another place is the same file.</summary>
    [Fact]
    public void MovedContentsAreNoDifferenceOfTheirFiles()
    {
        string text = string.Join('\n', Enumerable.Range(0, 5000));
        var (one, other) = (ImageSamples.Tree(("b", text)), ImageSamples.Tree(("a", "new"), ("b", text)));
        foreach (var found in new[]
        {
            ImageDiffer.Compare(Diecast.Formats.Tar.TarWriter.Write(one), Diecast.Formats.Tar.TarWriter.Write(other), new DiffOptions())!,
            ImageDiffer.Compare(Diecast.Formats.Cpio.CpioWriter.Write(one), Diecast.Formats.Cpio.CpioWriter.Write(other), new DiffOptions())!,
        })
        {
            Assert.DoesNotContain(found.Children, static child => child.Name == "/b" && child.Fields.Any(static f => f.Cause is null or { IsFollowing: false, Id: not "cpio-inode-numbers" }));
            Assert.DoesNotContain(found.Children, static child => child.Name == "/b" && child.Notes.Count > 0);
            Assert.InRange(Assert.Single(found.Children, static child => child.Name == "members at other places").DifferingBytes, 10_000, text.Length + 10_000);
        }
    }

    /// <summary>A value that no cause explains, and bytes that no field covers, are not passed over.</summary>
    [Fact]
    public void WhatIsUnknownIsSaid()
    {
        byte[] archive = ImageSamples.Bytes(ImageSamples.Cpio(("a", "12345")));
        var changed = archive.ToArray();
        changed[230] = 7;
        var padding = Assert.Single(ImageDiffer.Compare(new MemoryBlob(archive), new MemoryBlob(changed), new DiffOptions())!.Children);
        Assert.Equal(("bytes", "cpio padding", 1), (padding.Kind, padding.Name, padding.DifferingBytes));
        changed = archive.ToArray();
        "070702"u8.CopyTo(changed.AsSpan(112));
        var magic = Assert.Single(ImageDiffer.Compare(new MemoryBlob(archive), new MemoryBlob(changed), new DiffOptions())!.Children);
        Assert.Equal("/a", magic.Name);
        Assert.Contains(magic.Fields, static f => f is { Name: "c_magic", Before: "070701", After: "070702", Cause: null });
    }
}
