# Builds, tests, measures and installs Tide. `make help` lists the targets.

# ---- what a caller may set -----------------------------------------------------------------------------------
OPENCL ?= 1
SANITIZE ?=
DEVELOPER ?=
PREFIX ?= /usr/local
DESTDIR ?=
PYTHON ?= python3
comma := ,
BUILD ?= build$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))$(if $(filter 0,$(OPENCL)),-noopencl)
CFLAGS ?= -O2 -g
LUA_CMOD_DIR ?= $(PREFIX)/lib/lua/5.4

all: tide module
tide: $(BUILD)/tide
module: $(BUILD)/torch.so
.PHONY: all tide module FORCE
.DELETE_ON_ERROR:

# $(call stamp,text): rewrites the target only when the text changed, so that dependents are remade just then.
stamp = @mkdir -p $(@D); printf '%s\n' '$(1)' >$@.new; if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

# ---- libraries: $(BUILD)/config.mk holds pkg-config's answers, or the build stops and names what is missing ----
NEEDS_NOTHING := help clean format deps test demo check-includes
ifneq ($(filter-out $(NEEDS_NOTHING),$(or $(MAKECMDGOALS),all)),)
include $(BUILD)/config.mk
endif

$(BUILD)/config.mk: scripts/deps.sh $(BUILD)/options
	@CC='$(CC)' OPENCL='$(OPENCL)' sh scripts/deps.sh config >$@

# ---- sources ----------------------------------------------------------------------------------------------------
REPL_C := $(wildcard repl/*.c repl/*/*.c)
LANG_C := $(wildcard lang/*.c lang/*/*.c)
OPENCL_C := $(if $(filter 0,$(OPENCL)),$(wildcard engine/opencl/none.c),$(filter-out %/none.c,$(wildcard engine/opencl/*.c)))
CPU_C := $(wildcard engine/cpu/*.c engine/cpu/*/*.c)
ISA_C := $(filter %.isa.c,$(CPU_C))
ENGINE_C := $(filter-out engine/cpu/% engine/opencl/%,$(wildcard engine/*.c engine/*/*.c)) \
	$(filter-out $(ISA_C),$(CPU_C)) $(OPENCL_C)
LUA_FILES := $(sort $(shell find lang/lua -name '*.lua' 2>/dev/null))
HELP_FILES := $(sort $(wildcard lang/help/*.txt))
CL_FILES := $(if $(filter 0,$(OPENCL)),,$(sort $(wildcard engine/opencl/kernels/*.cl)))

# One loop source, compiled once per instruction set; the machine's is chosen at run time.
# A sanitised build keeps the portable set only: the sources are the same and compiling them three times is slow.
X86 := $(filter x86_64 amd64,$(shell uname -m))
ISAS := base$(if $(X86),$(if $(SANITIZE),, avx2 avx512))
ISA_base :=
ISA_avx2 := -mavx2 -mfma -mf16c
ISA_avx512 := -mavx512f -mavx512dq -mavx512bw -mavx512vl -mavx2 -mfma -mf16c -mprefer-vector-width=512
ifeq ($(words $(ISAS)),1)
CPPFLAGS_ISA := -DISA_ONLY_BASE
ENGINE_C := $(filter-out engine/cpu/vmath_avx%,$(ENGINE_C))
endif

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
REPL_O := $(call obj,$(REPL_C))
ISA_O := $(foreach i,$(ISAS),$(patsubst %.isa.c,$(BUILD)/obj/%.$(i).o,$(ISA_C)))
ENGINE_O := $(call obj,$(ENGINE_C)) $(ISA_O) $(if $(filter 0,$(OPENCL)),,$(BUILD)/gen/cl_files.o)
LANG_O := $(call obj,$(LANG_C)) $(BUILD)/gen/lua_files.o $(BUILD)/gen/help_files.o

# ---- flags ------------------------------------------------------------------------------------------------------
# No contraction and no value-changing maths: results must not depend on the compiler or on how loops are fused.
# Limits of types are not warned of: one expression of the op table serves signed and unsigned elements.
STD_FLAGS := -std=gnu11 -Wall -Wextra -Wno-type-limits -fPIC -fno-math-errno -ffp-contract=off -fwrapv -fno-strict-aliasing -fopenmp
DEV_FLAGS := $(if $(filter-out 0,$(DEVELOPER)),-Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wwrite-strings -Wpointer-arith -Wvla -Wformat-security -Wundef)
SAN_FLAGS := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
CPP_ALL := -I. -I$(BUILD)/gen -D_GNU_SOURCE -DTIDE_OPENCL=$(OPENCL) $(CPPFLAGS_ISA) $(CPPFLAGS)
C_ALL = $(STD_FLAGS) $(CFLAGS) $(if $(SANITIZE),-O1) $(DEV_FLAGS) $(SAN_FLAGS) $(PKG_CFLAGS) $(CPP_ALL)
LD_ALL = $(SAN_FLAGS) -fopenmp -Wl,--as-needed $(LDFLAGS)
COMPILE = $(CC) $(C_ALL) -MMD -MP -c -o $@ $<
LOOPS := -O3 -fno-trapping-math
QUIET := $(if $(V),,@)

$(BUILD)/flags: FORCE
	$(call stamp,$(CC) $(C_ALL) $(LD_ALL))
$(BUILD)/options: FORCE
	$(call stamp,$(CC) $(OPENCL))
$(BUILD)/sources: FORCE
	$(call stamp,$(REPL_O) $(LANG_O) $(ENGINE_O) $(LUA_FILES) $(HELP_FILES) $(CL_FILES))
FORCE:

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  cc  $<"
	$(QUIET)$(COMPILE)

$(BUILD)/obj/engine/cpu/vmath_avx2.o: EXTRA = $(LOOPS) $(ISA_avx2)
$(BUILD)/obj/engine/cpu/vmath_avx512.o: EXTRA = $(LOOPS) $(ISA_avx512)
$(BUILD)/obj/engine/cpu/vmath_%.o: engine/cpu/vmath_%.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  cc  $<"
	$(QUIET)$(COMPILE) $(EXTRA)

define isa_rule
$(BUILD)/obj/%.$(1).o: %.isa.c $(BUILD)/flags
	@mkdir -p $$(@D)
	@echo "  cc  $$< ($(1))"
	$$(QUIET)$$(COMPILE) $$(if $$(SANITIZE),,$$(LOOPS)) -DISA=$(1) $$(ISA_$(1))
endef
$(foreach i,$(ISAS),$(eval $(call isa_rule,$(i))))

# ---- files carried inside the binary ----------------------------------------------------------------------------
$(BUILD)/embed: scripts/build/embed.c
	@mkdir -p $(@D)
	$(QUIET)$(CC) -std=gnu11 -O1 -Wall -Wextra -o $@ $<

$(BUILD)/gen/lua_files.c: $(BUILD)/embed $(BUILD)/sources $(LUA_FILES)
	@mkdir -p $(@D)
	$(QUIET)$(BUILD)/embed $@ lang/embed.h EmbeddedFile tide_embedded lang/lua .lua $(LUA_FILES)
$(BUILD)/gen/help_files.c: $(BUILD)/embed $(BUILD)/sources $(HELP_FILES)
	@mkdir -p $(@D)
	$(QUIET)$(BUILD)/embed $@ lang/embed.h EmbeddedFile tide_help lang/help .txt $(HELP_FILES)
$(BUILD)/gen/cl_files.c: $(BUILD)/embed $(BUILD)/sources $(CL_FILES)
	@mkdir -p $(@D)
	$(QUIET)$(BUILD)/embed $@ engine/opencl/embed.h ClSource tide_cl_sources engine/opencl/kernels .cl $(CL_FILES)
$(BUILD)/gen/%.o: $(BUILD)/gen/%.c $(BUILD)/flags
	$(QUIET)$(COMPILE)

# ---- products ---------------------------------------------------------------------------------------------------
# The engine as a C library. One object: a backend's kernels are weak references from its table, and from an archive
# of many objects the linker would not fetch them.
$(BUILD)/engine.o: $(ENGINE_O) $(BUILD)/sources
	$(QUIET)$(LD) -r -o $@ $(ENGINE_O)
$(BUILD)/liblang.a: $(LANG_O) $(BUILD)/sources
	@rm -f $@
	$(QUIET)$(AR) rcs $@ $(LANG_O)

$(BUILD)/tide: $(REPL_O) $(LANG_O) $(ENGINE_O) $(BUILD)/sources
	@echo "  ld  $@"
	$(QUIET)$(CC) $(LD_ALL) -o $@ $(REPL_O) $(LANG_O) $(ENGINE_O) $(LUA_LIBS) $(READLINE_LIBS) $(PKG_LIBS) -lm

# The Lua module: the host interpreter brings Lua itself.
$(BUILD)/torch.so: $(LANG_O) $(ENGINE_O) $(BUILD)/sources scripts/build/torch.map
	@echo "  ld  $@"
	$(QUIET)$(CC) $(LD_ALL) -shared -Wl,--version-script=scripts/build/torch.map -o $@ $(LANG_O) $(ENGINE_O) $(PKG_LIBS) -lm

include tests/tests.mk

# ---- for people -------------------------------------------------------------------------------------------------
# For the targets that build on the way: all cores, unless the caller said how many.
PARALLEL = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null || echo 1))
.PHONY: deps demo install uninstall format valgrind bench clean help
deps:
	@CC='$(CC)' OPENCL='$(OPENCL)' sh scripts/deps.sh install

demo: deps
	@$(MAKE) --no-print-directory $(PARALLEL) tide
	$(BUILD)/tide scripts/mnist.lua
	@echo
	@echo "That was a neural network learning to read digits. To type tensor expressions yourself: $(BUILD)/tide"

install: tide module
	install -d '$(DESTDIR)$(PREFIX)/bin' '$(DESTDIR)$(PREFIX)/share/man/man1' '$(DESTDIR)$(LUA_CMOD_DIR)'
	install -m 755 $(BUILD)/tide '$(DESTDIR)$(PREFIX)/bin/tide'
	install -m 644 docs/tide.1 '$(DESTDIR)$(PREFIX)/share/man/man1/tide.1'
	install -m 755 $(BUILD)/torch.so '$(DESTDIR)$(LUA_CMOD_DIR)/torch.so'

uninstall:
	rm -f '$(DESTDIR)$(PREFIX)/bin/tide' '$(DESTDIR)$(PREFIX)/share/man/man1/tide.1' '$(DESTDIR)$(LUA_CMOD_DIR)/torch.so'

format:
	@command -v clang-format >/dev/null || { echo 'clang-format is missing: apt-get install clang-format' >&2; exit 1; }
	clang-format -i $(shell git ls-files '*.c' '*.h')

$(BUILD)/gemm: $(BUILD)/obj/tests/bench/gemm.o
	$(QUIET)$(CC) $(LD_ALL) -o $@ $< $(PKG_LIBS)
bench: tide $(BUILD)/gemm
	@TIDE=$(abspath $(BUILD))/tide GEMM=$(abspath $(BUILD))/gemm PYTHON='$(PYTHON)' ONLY='$(ONLY)' \
		sh tests/bench/bench.sh

clean:
	rm -rf $(BUILD)

help:
	@sed -n 's/^#: //p' Makefile tests/tests.mk

#: make                  builds build/tide and the Lua module build/torch.so; names a missing package
#: make demo             installs what is missing, builds, trains on the bundled digits
#: make bench            the table of timings, beside PyTorch where PYTHON can import it; ONLY=substring of a row
#: make install          PREFIX=/usr/local DESTDIR=: the binary, the man page, the Lua module
#: make deps             only installs the packages
#: make format           clang-format over the C sources
#: make clean            removes the build folder
#: options               BUILD=folder CC=clang OPENCL=0 DEVELOPER=1 SANITIZE=address,undefined V=1

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
