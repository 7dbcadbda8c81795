# How the tests are built and run; included by the Makefile.

#: make test             installs what is missing, builds, runs every test; the last line is "N passed, N failed"
#: make check            the same without installing anything; ONLY=substring picks the tests whose name has it
#: make goldens          PYTHON=python with PyTorch 2.13: makes tests/goldens anew; ONLY=word of a family's name
#: make diff             PYTHON=... N=20000 random cases beside PyTorch; SEED=number ONLY=word of a family's name
#: make fuzz             FUZZ_RUNS=10000000 runs of the translator, FUZZ_PROGRAMS=20000 random programs (needs clang)
#: make check-includes   data flows down: repl, lang, engine, backend
#: make check-install    installs into a staging folder and uses what lies there
#: make valgrind         a short session under valgrind
.PHONY: test check goldens diff check-includes check-install valgrind

UNIT_DIRS := engine lang $(if $(filter 0,$(OPENCL)),,opencl)
UNIT_C := $(sort $(wildcard $(UNIT_DIRS:%=tests/%/test_*.c)))
UNIT_O := $(call obj,$(UNIT_C))
UNIT_BIN := $(UNIT_C:%.c=$(BUILD)/%)
HARNESS_O := $(call obj,$(wildcard tests/harness/*.c))
TEXT_TESTS := $(sort $(wildcard tests/cli/*.txt tests/sessions/*.txt tests/scripts/*.lua tests/pty/*.txt \
	tests/goldens/*.txt README.md docs/*.md lang/help/*.txt scripts/notes/*.lua scripts/lessons/*.lua))
ONLY ?=
ALL_TESTS = $(UNIT_BIN) $(TEXT_TESTS)
PICKED = $(if $(ONLY),$(foreach t,$(ALL_TESTS),$(if $(findstring $(ONLY),$(t)),$(t))),$(ALL_TESTS))
TEST_SECONDS ?= 600

# Kernels are found through weak symbols, which do not pull members out of an archive: the engine's tests link the whole
# of it. Tests of lang/ link what they call, so that one may bring its own copy of a file.
LIBTIDE = $(if $(filter $(BUILD)/tests/lang/%,$@),$(BUILD)/libtide.a,-Wl,--whole-archive $(BUILD)/libtide.a -Wl,--no-whole-archive)
# A test program may lean on the other .c files of its folder: an archive, so that it gets just what it calls.
define helpers_rule
$(BUILD)/tests/$(1)/helpers.a: $(call obj,$(filter-out $(UNIT_C),$(wildcard tests/$(1)/*.c)))
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(QUIET)$$(AR) rcs $$@ $$^
$(filter $(BUILD)/tests/$(1)/%,$(UNIT_BIN)): $(BUILD)/tests/$(1)/helpers.a
endef
$(foreach d,$(UNIT_DIRS),$(eval $(call helpers_rule,$(d))))

# The engine's own tests are linked without Lua: it is a library that knows none.
$(UNIT_BIN): $(BUILD)/%: $(BUILD)/obj/%.o $(BUILD)/engine.o $(BUILD)/flags
	@echo "  ld  $@"
	$(QUIET)$(CC) $(LD_ALL) -o $@ $< $(@D)/helpers.a $(UNIT_LANG) $(BUILD)/engine.o -lcmocka $(PKG_LIBS) -lm
$(filter $(BUILD)/tests/lang/%,$(UNIT_BIN)): UNIT_LANG = $(BUILD)/liblang.a $(LUA_LIBS)
$(filter $(BUILD)/tests/lang/%,$(UNIT_BIN)): $(BUILD)/liblang.a

$(BUILD)/harness: $(HARNESS_O)
	$(QUIET)$(CC) $(LD_ALL) -o $@ $(HARNESS_O)

test: deps
	@$(MAKE) --no-print-directory $(PARALLEL) check

# Sanitised: huge requests must come back as NULL, as they do elsewhere; leaks of other people's libraries are listed
# with reasons in tests/lsan.supp.
check: export ASAN_OPTIONS = allocator_may_return_null=1:detect_stack_use_after_return=0
check: export LSAN_OPTIONS = suppressions=$(CURDIR)/tests/lsan.supp:print_suppressions=0
check: export UBSAN_OPTIONS = print_stacktrace=1:halt_on_error=1
check: export HOME = $(abspath $(BUILD))/home
check: export TMPDIR = $(abspath $(BUILD))/tmp
check: export XDG_CACHE_HOME = $(abspath $(BUILD))/home/.cache
check: export HARNESS = $(abspath $(BUILD))/harness
check: tide module $(filter $(UNIT_BIN),$(PICKED)) $(BUILD)/harness
	@mkdir -p $(BUILD)/home $(BUILD)/tmp
	@$(BUILD)/harness -p $(BUILD)/tide -t $(TEST_SECONDS) $(if $(filter 0,$(OPENCL)),-x opencl) $(PICKED)

# PyTorch is asked in its portable arithmetic; it is needed for making goldens and never for running them.
N ?= 20000
SEED ?= 1
goldens: tide
	@$(PYTHON) -B -W ignore tests/oracle/sweep goldens $(abspath $(BUILD))/tide tests/goldens $(ONLY)

diff: tide
	@$(PYTHON) -B -W ignore tests/oracle/sweep diff $(abspath $(BUILD))/tide $(N) $(SEED) $(ONLY)

check-install:
	@rm -rf $(BUILD)/stage
	@$(MAKE) --no-print-directory -s install PREFIX=/usr DESTDIR='$(abspath $(BUILD))/stage'
	@sh tests/check-install.sh '$(abspath $(BUILD))/stage'

check-includes:
	@sh tests/check-includes.sh

valgrind: tide
	@command -v valgrind >/dev/null || { echo 'valgrind is missing: apt-get install valgrind' >&2; exit 1; }
	OPENBLAS_CORETYPE=Haswell valgrind -q --leak-check=full --show-leak-kinds=definite --error-exitcode=1 \
		--suppressions=tests/valgrind.supp $(BUILD)/tide <tests/valgrind.txt
	@echo "valgrind: clean"

include tests/lang/sugar/fuzz.mk
