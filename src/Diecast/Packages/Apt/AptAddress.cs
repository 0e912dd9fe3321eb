namespace Diecast.Packages.Apt;

internal static class AptAddress
{
    /// <summary>Of a file by its path from the repository's address on.</summary>
    /// <exception cref="PackageException">The repository's address is not usable.</exception>
    public static Uri Of(AptRepository repository, string path) =>
        Uri.TryCreate($"{repository.Address}/{string.Join('/', path.Split('/').Where(static part => part.Length > 0 && part != ".").Select(Uri.EscapeDataString))}", UriKind.Absolute, out var address)
            && address.Scheme is "http" or "https" or "file"
            ? address
            : throw new PackageException([$"repository {repository.Name}: {repository.Address} is no http, https or file address"]);
}
