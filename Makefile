# make build     the NativeAOT executable, artifacts/diecast
# make install   PREFIX=/usr/local DESTDIR=
# make image     a Debian image, built twice, from the mirror of this machine's apt or that of MIRROR=URL
# make image-arch   an Arch image, built twice; MIRROR=URL uses that mirror instead of a local one, KEYRING=DIR its keyring
# make test      installs what the tests need and runs them all; TEST_ARGUMENTS="--filter-class X" narrows
# make golden    rewrites the expected outputs in tests/Diecast.Tests/Golden; read the difference before committing it
# make bench     times formats, comparisons and whole images beside other tools; BENCH_ARGUMENTS="diff inspect --rounds 3" narrows
#                (bench/diffoscope.sh artifacts/diecast build/trixie build/diffoscope compares with diffoscope: docs/diffoscope.md)
# make clean     removes what is built; make distclean the downloads and test roots as well
SHELL := /bin/bash
PREFIX ?= /usr/local
DESTDIR ?=
MIRROR ?=
KEYRING ?=
TEST_ARGUMENTS ?=
BENCH_ARGUMENTS ?=

export DOTNET_CLI_TELEMETRY_OPTOUT := 1
export DOTNET_NOLOGO := 1
export DOTNET_CLI_UI_LANGUAGE := en
export DIECAST := $(CURDIR)/artifacts/diecast
export DIECAST_MIRROR ?= $(CURDIR)/build/mirror/full
export DIECAST_MIRROR_SMALL ?= $(CURDIR)/build/mirror/small
export DIECAST_TRIXIE ?= $(CURDIR)/build/trixie

# libssl is linked in: otherwise the executable would load whatever version the host has, and need one.
PUBLISH := dotnet publish src/Diecast.Cli -c Release -r linux-x64 -v quiet -p:StaticOpenSslLinking=true \
	-p:CppCompilerAndLinker=gcc -p:LinkerFlavor=bfd

.PHONY: build install image image-arch test tests golden bench clean distclean packages-build packages-image packages-arch packages-test
.DELETE_ON_ERROR:

build: packages-build
	$(PUBLISH)
	install -m 755 artifacts/publish/Diecast.Cli/release_linux-x64/Diecast.Cli artifacts/diecast

install:
	@test -x artifacts/diecast || { echo "artifacts/diecast is missing: make build makes it" >&2; exit 1; }
	install -D -m 755 artifacts/diecast $(DESTDIR)$(PREFIX)/bin/diecast
	install -D -m 644 LICENSE $(DESTDIR)$(PREFIX)/share/doc/diecast/LICENSE
	install -D -m 644 THIRD-PARTY-NOTICES.md $(DESTDIR)$(PREFIX)/share/doc/diecast/THIRD-PARTY-NOTICES.md

packages-build packages-image packages-arch packages-test: packages-%:
	tests/setup/install-packages.sh $*

MIRROR_SOURCES := $(wildcard tests/mirror/*.py tests/mirror/*.sh)
build/mirror/%/keyring/diecast.gpg: $(MIRROR_SOURCES)
	tests/mirror/make-mirror.sh build/mirror/$* $* build/mirror/cache

build/trixie/usr/bin/mkosi: tests/setup/make-trixie.sh
	tests/setup/make-trixie.sh build/trixie
	touch -c $@

image: packages-image
	$(MAKE) build
	tests/setup/make-image.sh build debian $(MIRROR)

image-arch: packages-arch
	$(MAKE) build
ifeq ($(MIRROR),)
	$(MAKE) build/mirror/full/keyring/diecast.gpg
	tests/setup/make-image.sh build arch file://$(CURDIR)/build/mirror/full $(CURDIR)/build/mirror/full/keyring
else
	tests/setup/make-image.sh build arch $(MIRROR) $(KEYRING)
endif

# Whatever is given by a variable is there already.
PREPARED := $(if $(filter $(CURDIR)/%,$(DIECAST_MIRROR)),build/mirror/full/keyring/diecast.gpg) \
	$(if $(filter $(CURDIR)/%,$(DIECAST_MIRROR_SMALL)),build/mirror/small/keyring/diecast.gpg) \
	$(if $(filter $(CURDIR)/%,$(DIECAST_TRIXIE)),build/trixie/usr/bin/mkosi)

test: packages-test
	$(MAKE) build $(PREPARED)
	$(MAKE) tests

tests:
	tests/setup/check-reachable.sh $(CURDIR)
	dotnet build tests/Diecast.Tests -c Release -v quiet
	dotnet test --no-build -c Release --project tests/Diecast.Tests --no-ansi --no-progress -- $(TEST_ARGUMENTS)

golden:
	DIECAST_GOLDEN=rewrite $(MAKE) tests
	git status --short tests/Diecast.Tests/Golden

bench: packages-test
	$(MAKE) build $(PREPARED)
	dotnet run -c Release --project bench/Diecast.Bench -- $(BENCH_ARGUMENTS)

clean:
	rm -rf artifacts build/image-a build/image-b build/bench build/vars.fd

distclean: clean
	rm -rf build
