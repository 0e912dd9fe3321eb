using System.Security.Cryptography;
using Diecast.Packages;
using Diecast.Tests.Support;

namespace Diecast.Tests.Packages;

public sealed class PackageStoreTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly PackageStore _store;
    private readonly byte[] _content = new byte[300_000];
    private readonly string _sha256;

    public PackageStoreTests()
    {
        _store = new PackageStore(_directory["a/store"]);
        for (int i = 0; i < _content.Length; i++)
        {
            _content[i] = (byte)(i * 7 % 251);
        }
        _sha256 = Convert.ToHexStringLower(SHA256.HashData(_content));
    }

    public void Dispose() => _directory.Dispose();

    private string[] Entries() => [.. Directory.GetFiles(_store.Directory).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];

    private void Add()
    {
        using var file = _store.Add(_sha256, _content.Length, new MemoryStream(_content));
        Assert.Equal(_content, file.ReadBytes(0, _content.Length));
    }

    [Fact]
    public void WhatIsAddedIsFound()
    {
        Assert.Null(_store.Open(_sha256, _content.Length));
        Add();
        using var file = _store.Open(_sha256, _content.Length)!;
        Assert.Equal(_content, file.ReadBytes(0, _content.Length));
        Assert.Equal([_sha256], Entries());
    }

    [Fact]
    public void EveryKindOfCorruptionIsFoundAndRemoved()
    {
        foreach (byte[] corrupt in (byte[][])[[.. _content[..^1], (byte)(_content[^1] ^ 1)], _content[..^1], [.. _content, 0], []])
        {
            Add();
            File.WriteAllBytes(Path.Join(_store.Directory, _sha256), corrupt);
            Assert.Null(_store.Open(_sha256, _content.Length));
            Assert.Empty(Entries());
        }
    }

    [Theory]
    [InlineData(1, "has SHA-256 ")]
    [InlineData(0, "has 299999 bytes instead of 300000")]
    public void WrongContentIsNotAdded(int change, string message)
    {
        byte[] wrong = change == 1 ? [.. _content[..^1], (byte)(_content[^1] ^ 1)] : _content[..^1];
        Assert.StartsWith(message,
            Assert.Throws<InvalidDataException>(() => _store.Add(_sha256, _content.Length, new MemoryStream(wrong))).Message,
            StringComparison.Ordinal);
        Assert.Empty(Entries());
    }

    [Fact]
    public void APartialFileIsContinued()
    {
        using (var partial = _store.OpenPartial(_sha256, _content.Length))
        {
            partial.Append(_content.AsSpan(0, 100_000));
        }
        Assert.Equal([_sha256 + ".part"], Entries());
        using (var partial = _store.OpenPartial(_sha256, _content.Length))
        {
            Assert.Equal(100_000, partial.Length);
            partial.Append(_content.AsSpan(100_000));
            partial.Commit().Dispose();
        }
        Assert.Equal([_sha256], Entries());
    }

    [Fact]
    public void APartialFileThatCannotBeRightIsDropped()
    {
        foreach (int length in (int[])[_content.Length, _content.Length + 1])
        {
            File.WriteAllBytes(Path.Join(_store.Directory, _sha256 + ".part"), new byte[length]);
            using var partial = _store.OpenPartial(_sha256, _content.Length);
            Assert.Equal(0, partial.Length);
        }
        Assert.Empty(Entries());
    }

    [Fact]
    public void TwoWritersOfOneFileDoNotDisturbEachOther()
    {
        using var first = _store.OpenPartial(_sha256, _content.Length);
        first.Append(_content.AsSpan(0, 5));
        using (var second = _store.OpenPartial(_sha256, _content.Length))
        {
            second.Append(_content);
            second.Commit().Dispose();
        }
        Assert.NotNull(_store.Open(_sha256, _content.Length));
        first.Append(_content.AsSpan(5));
        using var file = first.Commit();
        Assert.Equal(_content, file.ReadBytes(0, _content.Length));
        Assert.Equal([_sha256], Entries());
    }

    [Fact]
    public void ManyBuildsShareAStore()
    {
        Parallel.For(0, 64, new ParallelOptions { MaxDegreeOfParallelism = 16 }, i =>
        {
            // Some find what was added, some add, one in eight damages what is there.
            var store = new PackageStore(_store.Directory);
            if (i % 8 == 7)
            {
                File.WriteAllBytes(Path.Join(store.Directory, $"{_sha256}.{i}"), [1]);
                File.Move(Path.Join(store.Directory, $"{_sha256}.{i}"), Path.Join(store.Directory, _sha256), overwrite: true);
                return;
            }
            using var file = store.Add(_sha256, _content.Length, new MemoryStream(_content));
            Assert.Equal(_content, file.ReadBytes(0, _content.Length));
        });
        using var last = _store.Add(_sha256, _content.Length, new MemoryStream(_content));
        Assert.Equal([_sha256], Entries());
    }

    /// <summary>The lock is one between processes: a holder elsewhere keeps this one off its file.</summary>
    [Fact]
    public void AnotherProcessKeepsItsPartialFile()
    {
        string path = Path.Join(_store.Directory, _sha256 + ".part");
        string flock = Tool.Require("flock");
        using var holder = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(
            flock, [path, "sh", "-c", "echo held; read line"]) { RedirectStandardOutput = true, RedirectStandardInput = true })!;
        Assert.Equal("held", holder.StandardOutput.ReadLine());
        using (var partial = _store.OpenPartial(_sha256, _content.Length))
        {
            partial.Append(_content);
            partial.Commit().Dispose();
        }
        Assert.Equal([_sha256, _sha256 + ".part"], Entries());
        Assert.Equal(0, new FileInfo(path).Length);
        holder.StandardInput.Close();
        holder.WaitForExit();
    }

    [Theory]
    [InlineData("/cache", "/home/a", "/cache/diecast/store")]
    [InlineData("relative", "/home/a", "/home/a/.cache/diecast/store")]
    [InlineData(null, "/home/a", "/home/a/.cache/diecast/store")]
    [InlineData(null, null, null)]
    public void TheDefaultFollowsTheBaseDirectories(string? cache, string? home, string? expected) =>
        Assert.Equal(expected, PackageStore.DefaultDirectory(name => name == "HOME" ? home : name == "XDG_CACHE_HOME" ? cache : null));
}
