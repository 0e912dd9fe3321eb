using Diecast.Tests.Support;

namespace Diecast.Tests.EndToEnd;

/// <summary>An ordinary user with a range of subordinate ids, who is made where there is none.</summary>
internal static class OrdinaryUser
{
    public const string Name = "diecast-test";

    public static string Id
    {
        get
        {
            if (Tool.Run("id", "-u", Name).ExitCode != 0)
            {
                Tool.RunOk("useradd", "--system", "--user-group", "--no-create-home", Name);
            }
            if (!File.ReadAllText("/etc/subuid").Contains(Name + ":", StringComparison.Ordinal))
            {
                Tool.RunOk("usermod", "--add-subuids", "500000-565535", "--add-subgids", "500000-565535", Name);
            }
            return Tool.RunOk("id", "-u", Name).Trim();
        }
    }

    /// <summary>Words of a shell that run what follows as this user, whose home is the directory.</summary>
    public static string Prefix(string home)
    {
        _ = Id;
        return $"setpriv --reuid={Name} --regid={Name} --init-groups env HOME={home}";
    }
}
