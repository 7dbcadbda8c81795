# Fuzzing the translator; included by tests/tests.mk.

.PHONY: fuzz
FUZZ_RUNS ?= 10000000
FUZZ_PROGRAMS ?= 20000
FUZZ_DIR := tests/lang/sugar
SUGAR_C := lang/lexer.c $(wildcard lang/sugar*.c)
SUGAR_H := $(wildcard lang/sugar*.h lang/sugar.def lang/lexer.h)

$(BUILD)/fuzz_sugar: $(FUZZ_DIR)/fuzz_sugar.c $(SUGAR_C) $(SUGAR_H)
	@mkdir -p $(@D)
	@command -v clang >/dev/null || { echo 'clang is missing: apt-get install clang' >&2; exit 1; }
	clang -std=gnu11 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all $(CPP_ALL) $(PKG_CFLAGS) \
		-o $@ $(FUZZ_DIR)/fuzz_sugar.c $(SUGAR_C) $(LUA_LIBS)

$(BUILD)/sugar.so: tests/lang/sugar_model.c $(SUGAR_C) $(SUGAR_H)
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O1 -g -fPIC -shared $(CPP_ALL) $(PKG_CFLAGS) -o $@ tests/lang/sugar_model.c $(SUGAR_C)

# Leaks are not looked for after every run: Lua's own garbage would make libFuzzer suspect one each time.
fuzz: $(BUILD)/fuzz_sugar $(BUILD)/sugar.so
	@mkdir -p $(BUILD)/corpus
	lua5.4 $(FUZZ_DIR)/fuzz.lua unpack $(BUILD)/corpus
	$(BUILD)/fuzz_sugar -detect_leaks=0 -dict=$(FUZZ_DIR)/fuzz.dict -max_len=400 -runs=$(FUZZ_RUNS) \
		-artifact_prefix=$(BUILD)/ $(BUILD)/corpus
	LUA_CPATH='$(abspath $(BUILD))/?.so' lua5.4 $(FUZZ_DIR)/fuzz.lua programs $(FUZZ_PROGRAMS)
