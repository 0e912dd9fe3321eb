using System.Text;
using Diecast.Trees;

namespace Diecast.Packages.Apt;

/// <summary>
/// Who wants to be told of what, and what has happened that is yet to be told: <c>/var/lib/dpkg/triggers</c>. dpkg takes the
/// latter over when it runs next, and leaves out those that have yet to be configured, as that does all that a trigger would.
/// </summary>
internal sealed class DpkgTriggers
{
    private const string Directory = DpkgDatabase.Path + "/triggers";
    private const string Unincorporated = Directory + "/Unincorp";
    private const string Nobody = "-";

    private readonly List<(string Path, string Interest)> _files = [];
    private readonly HashSet<FileName> _paths = [];
    private readonly SortedDictionary<string, List<string>> _named = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, SortedSet<string>> _activated = new(StringComparer.Ordinal);
    private bool _changed;

    /// <summary>Takes note of what a package wants to be told of.</summary>
    public void AddInterests(DebPackage package)
    {
        foreach (var directive in package.Triggers.Where(static directive => directive.IsInterest))
        {
            string interest = package.InfoName + (directive.NoAwait ? "/noawait" : "");
            if (directive.IsFile)
            {
                _files.Add((directive.Name, interest));
                _paths.Add(new FileName(directive.Name[1..]));
            }
            else
            {
                if (!_named.TryGetValue(directive.Name, out var list))
                {
                    _named.Add(directive.Name, list = []);
                }
                list.Add(interest);
            }
            _changed = true;
        }
    }

    /// <summary>Tells what a package says that it does.</summary>
    public void Activate(DebPackage package)
    {
        foreach (var directive in package.Triggers.Where(static directive => !directive.IsInterest))
        {
            Activate(directive.Name, directive.NoAwait ? Nobody : package.InfoName);
        }
    }

    /// <summary>Tells that a package has put something at a path.</summary>
    public void Touch(FileName path, DebPackage package)
    {
        if (_paths.Contains(path))
        {
            Activate($"/{Encoding.UTF8.GetString(path.Bytes)}", package.InfoName);
        }
    }

    /// <summary>Writes what is new, beside what scripts have told since.</summary>
    public void Write(StagedRoot root, Action<string, byte[]> write)
    {
        if (_changed)
        {
            if (_files.Count > 0)
            {
                write($"{Directory}/File", Encoding.UTF8.GetBytes(string.Concat(_files.Select(static file => $"{file.Path} {file.Interest}\n"))));
            }
            foreach (var (name, interests) in _named)
            {
                write($"{Directory}/{name}", Encoding.UTF8.GetBytes(string.Concat(interests.Select(static interest => interest + "\n"))));
            }
            _changed = false;
        }
        byte[]? present = root.ReadFile(Posix.Bytes(Unincorporated));
        if (_activated.Count == 0 && present is not null)
        {
            return;
        }
        foreach (string line in Encoding.UTF8.GetString(present ?? []).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            foreach (string awaiting in words.Skip(1))
            {
                Activate(words[0], awaiting);
            }
        }
        // That it is there, even empty, says that triggers are in use.
        write(Unincorporated, Encoding.UTF8.GetBytes(string.Concat(_activated.Select(static pair => $"{pair.Key} {string.Join(' ', pair.Value)}\n"))));
        _activated.Clear();
    }

    private void Activate(string name, string awaiting)
    {
        if (!_activated.TryGetValue(name, out var set))
        {
            _activated.Add(name, set = new SortedSet<string>(StringComparer.Ordinal));
        }
        set.Add(awaiting);
    }
}
