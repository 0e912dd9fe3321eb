using Diecast.Trees;

namespace Diecast.Boot;

/// <summary>
/// What depmod wrote about the modules of one kernel (modules.dep(5)): their paths below the kernel's directory, and
/// what each needs. Modules are named as in the kernel, with "_" for "-".
/// </summary>
internal sealed class ModuleIndex
{
    private readonly Dictionary<string, string> _aliases = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<string>> _needs = new(StringComparer.Ordinal);

    /// <summary>The path of each module, such as "kernel/fs/ext4/ext4.ko.zst".</summary>
    public SortedDictionary<string, string> Paths { get; } = new(StringComparer.Ordinal);

    /// <exception cref="InvalidDataException">There is no modules.dep: depmod has not run.</exception>
    public static ModuleIndex Read(FileTree tree, string directory)
    {
        var index = new ModuleIndex();
        string dependencies = TreeFiles.ReadText(tree, $"{directory}/modules.dep")
            ?? throw new InvalidDataException($"/{directory}/modules.dep does not exist: depmod has to run first");
        foreach (string line in Lines(dependencies))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0)
            {
                throw new InvalidDataException($"/{directory}/modules.dep has a line without a colon: {line}");
            }
            string name = NameOf(line[..colon]);
            index.Paths[name] = line[..colon];
            index.Need(name, Words(line[(colon + 1)..]).Select(NameOf));
        }
        index.ReadSoftDependencies(TreeFiles.ReadText(tree, $"{directory}/modules.softdep") ?? "", "softdep");
        index.ReadSoftDependencies(TreeFiles.ReadText(tree, $"{directory}/modules.weakdep") ?? "", "weakdep");
        foreach (string file in (string[])["modules.alias", "modules.builtin.alias"])
        {
            index.ReadAliases(TreeFiles.ReadText(tree, $"{directory}/{file}") ?? "");
        }
        return index;
    }

    /// <summary>The module's name: "kernel/fs/nls/nls_iso8859-1.ko.xz" is "nls_iso8859_1".</summary>
    public static string NameOf(string path)
    {
        string file = path[(path.LastIndexOf('/') + 1)..];
        int suffix = file.IndexOf(".ko", StringComparison.Ordinal);
        return (suffix < 0 ? file : file[..suffix]).Replace('-', '_');
    }

    /// <summary>The modules and all that they need, directly or not. What is built into the kernel needs no file.</summary>
    public SortedSet<string> Closure(IEnumerable<string> modules)
    {
        var closure = new SortedSet<string>(StringComparer.Ordinal);
        var pending = new Stack<string>(modules);
        while (pending.TryPop(out string? name))
        {
            string? module = Paths.ContainsKey(name) ? name : _aliases.GetValueOrDefault(name);
            if (module is not null && Paths.ContainsKey(module) && closure.Add(module))
            {
                foreach (string need in _needs.GetValueOrDefault(module) ?? [])
                {
                    pending.Push(need);
                }
            }
        }
        return closure;
    }

    private void Need(string module, IEnumerable<string> needs)
    {
        if (!_needs.TryGetValue(module, out var list))
        {
            _needs.Add(module, list = []);
        }
        list.AddRange(needs);
    }

    /// <summary>"softdep name pre: a b post: c"; the names may be aliases.</summary>
    private void ReadSoftDependencies(string text, string keyword)
    {
        foreach (string line in Lines(text))
        {
            string[] words = Words(line);
            if (words.Length > 2 && words[0] == keyword)
            {
                Need(words[1].Replace('-', '_'), words[2..].Where(static word => !word.EndsWith(':')).Select(static word => word.Replace('-', '_')));
            }
        }
    }

    /// <summary>"alias name module"; aliases with wildcards are for devices, and nothing needs them by name.</summary>
    private void ReadAliases(string text)
    {
        foreach (string line in Lines(text))
        {
            if (line.StartsWith("alias ", StringComparison.Ordinal) && !line.AsSpan().ContainsAny('*', '?', '['))
            {
                string[] words = Words(line);
                if (words.Length == 3)
                {
                    _aliases.TryAdd(words[1].Replace('-', '_'), words[2].Replace('-', '_'));
                }
            }
        }
    }

    private static IEnumerable<string> Lines(string text) =>
        text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(static line => !line.StartsWith('#'));

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
