# How the tests are built and run; included by the Makefile.

#: make test             installs what is missing, builds, runs every test; the last line is "N passed, N failed"
#: make check            the same without installing anything; ONLY=substring runs the tests whose name has it
#: make check-includes   data flows down: repl, lang, engine, backend
#: make valgrind         a short session under valgrind
UNIT_DIRS := engine lang $(if $(filter 0,$(OPENCL)),,opencl)
UNIT_C := $(sort $(wildcard $(foreach d,$(UNIT_DIRS),tests/$(d)/test_*.c)))
UNIT_BIN := $(UNIT_C:%.c=$(BUILD)/%)

# Helpers of a folder's tests: its other .c files.
define unit_rule
$(BUILD)/$(1): $(BUILD)/obj/$(1).o $(call obj,$(filter-out $(wildcard $(dir $(1))test_*.c),$(wildcard $(dir $(1))*.c))) $(BUILD)/libtide.a
	@mkdir -p $$(@D)
	@echo "  ld  $$@"
	$$(QUIET)$$(CC) $$(LD_ALL) -o $$@ $$^ -lcmocka $$(LUA_LIBS) $$(PKG_LIBS) -lm
endef
$(foreach t,$(UNIT_C:%.c=%),$(eval $(call unit_rule,$(t))))
