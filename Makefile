# The front door.  CMake does the work; `make help` says what there is.
# Debian's own tools build the product, also where others come first in PATH.
CMAKE := $(firstword $(wildcard /usr/bin/cmake) cmake)
CTEST := $(firstword $(wildcard /usr/bin/ctest) ctest)
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
# The tests start processes of their own: two at a time are enough.
TEST_JOBS ?= 2
# CMake starts a make of its own, which must not take this one's flags for its.
BUILD := env -u MAKEFLAGS -u MAKELEVEL $(CMAKE) --build
TEST = cd $(1) && $(2) $(CTEST) --output-on-failure -j$(TEST_JOBS) \
	--output-log ctest.log $(3)
# Under a sanitizer the tests with a size (kills, seeds) run at a tenth of it.
TENTH := PBT_TEST_SCALE=0.1
# Under TSan _exit() sleeps a second, and the other threads go on: what is killed is not.
AT_ONCE := TSAN_OPTIONS=atexit_sleep_ms=0

.PHONY: all deps check check-plain check-pytorch soak asan tsan clang demo demo-dcgan docs-pictures bench lint format \
	wheel install clean help
.DEFAULT_GOAL := all

all:
	@scripts/install-deps --check build
	@$(CMAKE) --preset default --log-level=WARNING
	@$(BUILD) build -j $(JOBS)

deps:
	@scripts/install-deps build test

# The sanitizer part repeats the tests at a tenth of their size.
check: check-plain asan

check-plain: deps
	@$(CMAKE) --preset default --log-level=WARNING -DPBT_WERROR=ON \
		-DPBT_TESTS=ON
	@$(BUILD) build -j $(JOBS)
	@$(call TEST,build,,)

asan: deps
	@$(CMAKE) --preset asan-ubsan --log-level=WARNING
	@$(BUILD) build-asan -j $(JOBS)
	@$(call TEST,build-asan,$(TENTH),)

# The examples in PyTorch, which is large, 150 MB to fetch from Debian; and pandas.
check-pytorch: all
	@scripts/install-deps build test dcgan pytorch
	@$(CMAKE) --preset default --log-level=WARNING -DPBT_TESTS=ON
	@$(BUILD) build -j $(JOBS)
	@cd build && $(CTEST) --output-on-failure -j$(TEST_JOBS) \
		-C PyTorch -L pytorch

# The random tests at SOAK times the size of `make check`: an hour or so.
SOAK ?= 10
SOAKED := kills worker_kills leases bad_syncs

soak: check-plain
	@set -e; export PBT_TEST_SCALE=$(SOAK); for test in $(SOAKED); do \
		echo "=== $$test"; python3 tests/$$test.py build; done
	@echo "=== sim_seeds"
	@build/tests/sim_seeds --plain --from 30001 --seeds $$(($(SOAK) * 20000))
	@build/tests/sim_seeds --plain --from 200001 --keeping \
		--seeds $$(($(SOAK) * 100000))

tsan: deps
	@$(CMAKE) --preset tsan --log-level=WARNING
	@$(BUILD) build-tsan -j $(JOBS)
	@$(call TEST,build-tsan,$(TENTH) $(AT_ONCE),-L concurrent)

clang:
	@scripts/install-deps build test clang
	@$(CMAKE) --preset clang --log-level=WARNING
	@$(BUILD) build-clang -j $(JOBS)

demo:
	@scripts/install-deps build
	@$(MAKE) --no-print-directory all
	@scripts/demo

demo-dcgan:
	@scripts/install-deps build dcgan
	@$(MAKE) --no-print-directory all
	@scripts/demo dcgan

# DCGAN=RUN: a finished run of it, rather than a new one, which takes minutes.
docs-pictures:
	@scripts/install-deps build dcgan
	@$(MAKE) --no-print-directory all
	@scripts/docs-pictures $(if $(DCGAN),--dcgan '$(DCGAN)')

bench: all
	@bench/run

lint:
	@scripts/install-deps build test lint
	@scripts/lint

format:
	@scripts/install-deps lint
	@git ls-files -z '*.c' '*.h' | xargs -0 clang-format-14 -i

# For `pip install`, with programs that need nothing of the system.
wheel:
	@scripts/install-deps build wheel
	@$(CMAKE) --preset default --log-level=WARNING
	@$(BUILD) build -j $(JOBS) --target wheel

install: all
	@$(CMAKE) --install build $(if $(PREFIX),--prefix "$(PREFIX)")

clean:
	rm -rf build build-debug build-asan build-tsan build-clang

help:
	@echo 'make          build everything into build/'
	@echo 'make check    install what the tests need, build with -Werror, run'
	@echo '              all tests, then again under ASan and UBSan'
	@echo 'make check-pytorch  install PyTorch (150 MB), train its examples'
	@echo 'make soak     the random tests at ten times their size (SOAK=N: N times)'
	@echo 'make demo     train a small ConvNet on MNIST with PBT'
	@echo 'make demo-dcgan  train a DCGAN to make digits (minutes)'
	@echo 'make docs-pictures  follow docs/guide.md: its pictures and outputs'
	@echo 'make bench    measure, as ratios in one run'
	@echo 'make lint     format, clang-tidy, cppcheck, shellcheck, spelling'
	@echo 'make format   clang-format over all C'
	@echo 'make asan     the tests under ASan and UBSan, a tenth of their size'
	@echo 'make tsan     the concurrent tests under TSan'
	@echo 'make clang    compile all with clang, warnings as errors'
	@echo 'make wheel    a wheel with static programs, for pip install, in build/wheel'
	@echo 'make install  into /usr/local (DESTDIR is honoured)'
	@echo 'make clean    remove the build directories'
	@echo
	@echo 'JOBS=N: compilers at once; TEST_JOBS=N: tests at once.'
	@echo 'scripts/install-deps installs what a plain make needs from Debian.'
