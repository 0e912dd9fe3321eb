using System.Security.Cryptography;
using Diecast.Tests.Formats.Btrfs;
using Diecast.Tests.Support;

namespace Diecast.Tests.Cli;

/// <summary>
/// An image does not depend on the size of memory pages. Another size than the machine's is made up by a library that is loaded
/// before all others: the NativeAOT executable lives with multiples of its own size, which the runtime that compiles at run
/// time does not.
/// </summary>
public sealed class PageSizeTests
{
    private const string Shim = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <fcntl.h>
        #include <stdlib.h>
        #include <sys/auxv.h>
        #include <sys/mman.h>
        #include <unistd.h>

        static long asked(void)
        {
            close(open(getenv("SHIM_ASKED"), O_CREAT | O_WRONLY, 0644));
            return atol(getenv("SHIM_PAGE_SIZE"));
        }

        int getpagesize(void) { return (int)asked(); }

        long sysconf(int name)
        {
            long (*next)(int) = (long (*)(int))dlsym(RTLD_NEXT, "sysconf");
            return name == _SC_PAGESIZE ? asked() : next(name);
        }

        unsigned long getauxval(unsigned long type)
        {
            unsigned long (*next)(unsigned long) = (unsigned long (*)(unsigned long))dlsym(RTLD_NEXT, "getauxval");
            return type == AT_PAGESZ ? (unsigned long)asked() : next(type);
        }

        /* Memory starts at a multiple of the page size: a collector that finds it elsewhere writes over its own tables. */
        void *mmap(void *address, size_t length, int protection, int flags, int file, off_t offset)
        {
            void *(*next)(void *, size_t, int, int, int, off_t) = dlsym(RTLD_NEXT, "mmap");
            if (address || !(flags & MAP_ANONYMOUS))
                return next(address, length, protection, flags, file, offset);
            size_t page = atol(getenv("SHIM_PAGE_SIZE")), used = (length + 4095) & ~(size_t)4095;
            char *start = next(NULL, used + page, protection, flags, file, offset);
            if (start == MAP_FAILED)
                return MAP_FAILED;
            size_t before = -(size_t)start % page;
            if (before)
                munmap(start, before);
            munmap(start + before + used, page - before);
            return start + before;
        }

        void *mmap64(void *address, size_t length, int protection, int flags, int file, off_t offset)
        {
            return mmap(address, length, protection, flags, file, offset);
        }
        """;

    [Theory]
    [InlineData("btrfs", "--compress", "lzo")]
    [InlineData("btrfs", "--compress", "zstd")]
    [InlineData("ext4", "--size", "64M")]
    public void TheBytesDoNotDependOnThePageSize(params string[] options)
    {
        using var directory = new TempDirectory();
        string source = BtrfsSamples.Source(directory);
        File.WriteAllText(directory["shim.c"], Shim);
        Tool.RunOk("gcc", "-shared", "-fPIC", "-o", directory["shim.so"], directory["shim.c"], "-ldl");
        string Digest(Dictionary<string, string>? environment)
        {
            var result = Tool.Run(Fixture.Executable, ["mkfs", .. options, "--source-date-epoch", "1600000000", source, directory["image"]], environment, null);
            Assert.True(result.ExitCode == 0, result.All);
            return Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(directory["image"])));
        }
        string expected = Digest(null);
        // With 65536 the runtime itself ends in an access violation about once in fifty: the kernel's and glibc's pages stay 4096.
        foreach (string size in new[] { "8192", "16384" })
        {
            File.Delete(directory["asked"]);
            Assert.Equal(expected, Digest(new Dictionary<string, string>
            {
                ["LD_PRELOAD"] = directory["shim.so"],
                ["SHIM_PAGE_SIZE"] = size,
                ["SHIM_ASKED"] = directory["asked"],
            }));
            Assert.True(File.Exists(directory["asked"]), "nobody asked for the page size");
        }
        foreach (string threads in new[] { "1", "5" })
        {
            Assert.Equal(expected, Digest(new Dictionary<string, string> { ["DOTNET_PROCESSOR_COUNT"] = threads }));
        }
    }
}
