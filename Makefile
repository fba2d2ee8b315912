# Weir - see README.md.  Non-recursive: what lies in a folder is found by its
# place and name; a new file needs no line here.
#
#   make            build every product into build/
#   make deps       install what building and testing need (apt, Debian 12)
#   make run        a private Postfix asking Weir, with a few mails; Ctrl-C ends it
#   make test       all tests; the last line counts them
#   make bench      measured ratios against their limits
#   make bench-accuracy  how much spam is missed, beside bogofilter and SpamAssassin
#   make fuzz       each fuzz target for FUZZ_SECONDS (60)
#   make claims     claim -> tests -> result of the last test run
#   make lint       layers, sizes, names, warnings under gcc and clang
#   make install    DESTDIR= PREFIX=/usr      make deb    a Debian package
#   make clean      forget build/             make help   this text
#
#   SAN=address,undefined or SAN=thread builds into build/san-... with sanitizers, HYPERSCAN=1
#   into a folder hyperscan, with [rules] engine = hyperscan (apt install libhyperscan-dev).

VERSION   := 0.2.0
PREFIX    ?= /usr
CC        := $(if $(filter default,$(origin CC)),gcc,$(CC))
SAN       ?=
HYPERSCAN ?=
comma     := ,
space     := $(subst ,, )
B         := build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))$(if $(HYPERSCAN),/hyperscan)
FUZZ_SECONDS ?= 60

WARN      := -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes \
             -Wwrite-strings -Wformat=2 -Wno-format-nonliteral -Wvla -Wundef -Wcast-qual
HARDEN    := -fstack-protector-strong -fPIC -ffunction-sections -fdata-sections $(if $(SAN),,-D_FORTIFY_SOURCE=2)
# Tests with sanitizers run once: they are built in half the time, and still say where.
CFLAGS    ?= $(if $(SAN),-O1 -g1,-O2 -g)
FLAGS     := -std=c11 -D_GNU_SOURCE -I. -DWEIR_VERSION='"$(VERSION)"' $(WARN) $(HARDEN) $(CFLAGS) \
             $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=undefined) \
             $(if $(filter thread,$(SAN)),$(if $(findstring gcc,$(CC)),-Wno-tsan)) # one fence, no thread of ours
# The sniffer, which is called for each packet, is linked as a whole, so that small functions of
# other files are inlined: it reads a sixth more.  Its objects hold both forms, for tests.
WHOLE     := $(if $(SAN),,$(if $(findstring gcc,$(CC)),-flto=2 -ffat-lto-objects))
LIBS      := $(if $(HYPERSCAN),-lhs) -llmdb -lpsl -lidn2 -lsodium -lpcre2-8 -linih -ljansson -lmilter \
             -lsqlite3 -lcurl -lz -lzstd -lmicrohttpd -lgnutls -lpcap -lcap-ng -lpthread -lm
LINK       = $(CC) $(FLAGS) $(LDFLAGS) $(LTO) -Wl,--gc-sections,-z,relro,-z,now,--as-needed -o $@ $^ $(LIBS)

core      := $(patsubst %.c,$(B)/obj/%.o,$(wildcard core/*/*.c))
# Programs' main files, and what only Exim can load; all other files of the front ends are
# linked into tests, too.
mains     := postfix-policy/policyd postfix-policy/milter postfix-policy/milter_sigwait_io \
             monitor/ctl/weirctl monitor/agent/agent monitor/monitor sniffer/sniffer
guests    := $(patsubst %.c,$(B)/obj/%.o,$(filter-out $(mains:=.c) exim-module/local_scan_io.c,\
             $(wildcard postfix-policy/*.c monitor/*.c monitor/*/*.c exim-module/*.c sniffer/*.c))) \
             $(B)/obj/console_assets.o
# The console's files and the library of its charts (libjs-dygraphs), packed, as one table.  Modules
# that every page needs go out as one file, console.js: their texts one after another, without what
# they import of each other, so that no two may give a name to different things.  Modules of pages
# import from it what they import from these.
shared    := dom api format words theme dialog keys live router table chart main
parts     := $(shared:%=monitor/console/web/%.js)
pages     := build/web/console.js build/web/dygraph.min.js $(patsubst monitor/console/web/%,build/web/%,\
             $(sort $(filter-out $(parts) %/index.html,$(wildcard monitor/console/web/*))))
products  := $(B)/libweir.a $(B)/weir-policyd $(B)/weir-milter $(B)/weirctl $(B)/weir-agent \
             $(B)/weir-monitor $(B)/weir-sniffer $(if $(SAN),,$(B)/weir-exim.so)
# Exim's processes live for one connection: what the module loads is paid for each time, so that
# all that Debian has as position-independent archives is linked in.
EXIM      := build/rig/exim4-dev/usr/include/exim4
EXIM_LIBS := -Wl,-Bstatic -lpcre2-8 -lsodium -lpsl -lidn2 -lunistring -linih -Wl,-Bdynamic -lpthread -lm
# LMDB's archive would do but for one mention of stderr, which is given a name that we define.
LMDB      := $(shell $(CC) -print-file-name=liblmdb.a)
# Exim's processes are too short-lived for Hyperscan, and do not even load it.
without   := $(if $(HYPERSCAN),$(B)/obj/without_hyperscan.o)
EXPORTS   := local_scan; local_scan_version_*; weir_blacklisted; weir_reputation; weir_preload;
manuals   := $(B)/weir.conf $(B)/weir.conf.5
units     := $(patsubst tests/unit/%.c,$(B)/test/%,$(wildcard tests/unit/test_*.c))
rigs      := $(patsubst %.c,$(B)/obj/%.o,$(filter-out $(wildcard tests/unit/test_*.c),$(wildcard tests/unit/*.c)))
fuzzers   := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
benches   := $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/bench_*.c))

$(B)/weir-sniffer $(B)/bench/bench_sniffer: LTO = $(WHOLE)
$(patsubst %.c,$(B)/obj/%.o,$(wildcard sniffer/*.c core/base/*.c)): FLAGS += $(WHOLE)

all: $(products) $(if $(SAN),,$(manuals))

$(B)/libweir.a: $(core)
	@rm -f $@
	ar rcs $@ $^
$(B)/libguests.a: $(guests)
	@rm -f $@
	ar rcs $@ $^
$(B)/librigs.a: $(rigs)
	@rm -f $@
	ar rcs $@ $^
$(B)/weir-policyd: $(B)/obj/postfix-policy/policyd.o $(B)/libguests.a $(B)/libweir.a
	$(LINK)
$(B)/weir-milter: $(patsubst %,$(B)/obj/postfix-policy/%.o,milter milter_sigwait_io) $(B)/libguests.a $(B)/libweir.a
	$(LINK)
$(B)/weirctl: $(B)/obj/monitor/ctl/weirctl.o $(B)/libguests.a $(B)/libweir.a
	$(LINK)
$(B)/liblmdb.a: $(LMDB)
	@mkdir -p $(@D)
	objcopy --redefine-sym stderr=weir_lmdb_stderr $< $@
$(B)/weir-monitor: $(B)/obj/monitor/monitor.o $(B)/libguests.a $(B)/libweir.a
	$(LINK)
$(B)/weir-agent: $(B)/obj/monitor/agent/agent.o $(B)/libguests.a $(B)/libweir.a
	$(LINK)
$(B)/weir-sniffer: $(B)/obj/sniffer/sniffer.o $(B)/libguests.a $(B)/libweir.a
	$(LINK)
$(B)/weir-exim.so: $(patsubst %.c,$(B)/obj/%.o,$(wildcard exim-module/*.c)) $(without) $(B)/libweir.a \
                 $(B)/liblmdb.a
	@printf 'WEIR { global: %s local: *; };\nIDN2_0.0.0 {};\n' '$(EXPORTS)' >$@.exports
	$(CC) $(FLAGS) $(LDFLAGS) -shared -o $@ $^ -Wl,--gc-sections,--as-needed,-z,relro,-z,now \
	  -Wl,--version-script=$@.exports $(EXIM_LIBS)
# The one file that knows of it.
$(B)/obj/core/evidence/prefilter_hyperscan.o: FLAGS += $(if $(HYPERSCAN),-DWEIR_HYPERSCAN)
$(B)/obj/without_hyperscan.o: core/evidence/prefilter_hyperscan.c
	@mkdir -p $(@D)
	$(CC) $(FLAGS) -MMD -MP -c -o $@ $<
$(B)/obj/exim-module/local_scan_io.o: FLAGS += -isystem $(EXIM)
$(B)/weir.conf: $(B)/weirctl
	$< config --sample >$@
$(B)/weir.conf.5: $(B)/weirctl
	$< config --man >$@
build/web/%: /usr/share/javascript/dygraphs/%
	@mkdir -p $(@D)
	cp $< $@
build/web/console.js: $(parts) Makefile
	@mkdir -p $(@D)
	@! grep -noE 'from "[^"]+"' $(parts) | grep -vE '"\./($(subst $(space),|,$(shared)))\.js"'
	@! grep -nE '^(export )?(const|let) *[][{]' $(parts)
	@! { sed -nE 's/^(export )?(async )?(function\*?|class) *(\w+).*/\4/p' $(parts); \
	  sed -nE '/^(export )?(const|let) /{s//, /;s/,/, ,/g;p}' $(parts) | \
	    grep -oE ', \w+( =|,|;|$$)' | tr -dc '[:alnum:]_\n'; } | \
	  sort | uniq -d | sed 's/^/named twice: /' | grep .
	awk '/^import /{i = 1} !i; /;$$/{i = 0}' $(parts) >$@
build/web/%: monitor/console/web/% Makefile
	@mkdir -p $(@D)
	sed -E 's,from "\./($(subst $(space),|,$(shared)))\.js";,from "./console.js";,' $< >$@
# It names the others in a folder that is called by their content: they may be kept for ever.
build/web/index.html build/web/folder &: monitor/console/web/index.html $(pages)
	f=$$(cat $(pages) | sha256sum | cut -c1-16) && \
	  sed -E "s,(href|src)=\",&$$f/," $< >build/web/index.html && \
	  echo "const char weir_assets_folder[] = \"$$f\";" >build/web/folder
$(B)/console_assets.c: build/web/index.html build/web/folder $(wildcard monitor/console/web) Makefile
	@mkdir -p $(@D)
	@n=0; { echo '#include "monitor/console/assets.h"'; cat build/web/folder; \
	  for f in $< $(pages); do n=$$((n + 1)); echo "static const unsigned char octets$$n[] = {"; \
	    gzip -9nc $$f | od -An -v -tu1 | sed 's/  */,/g; s/^,//; s/$$/,/'; echo '};'; done; \
	  n=0; echo 'const struct weir_asset weir_assets[] = {'; \
	  for f in $< $(pages); do n=$$((n + 1)); echo "{\"$${f##*/}\", octets$$n, sizeof octets$$n},"; done; \
	  echo '{NULL, NULL, 0}};'; } >$@
$(B)/obj/console_assets.o: $(B)/console_assets.c
	@mkdir -p $(@D)
	$(CC) $(FLAGS) -c -o $@ $<
$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(FLAGS) -MMD -MP -c -o $@ $<
$(B)/test/%: $(B)/obj/tests/unit/%.o $(B)/librigs.a $(B)/libguests.a $(B)/libweir.a
	@mkdir -p $(@D)
	$(LINK) -lcmocka
$(B)/bench/%: $(B)/obj/tests/bench/%.o $(B)/libguests.a $(B)/libweir.a
	@mkdir -p $(@D)
	$(LINK)
$(B)/replay/%: $(B)/obj/tests/fuzz/%.o $(B)/obj/tests/fuzz/replay.o $(B)/libguests.a $(B)/libweir.a
	@mkdir -p $(@D)
	$(LINK)

# Parsers' corpora and unit tests run with sanitizers too, in the same `make test`.
S := $(if $(SAN),$(B),build/san-address-undefined$(if $(HYPERSCAN),/hyperscan))
.PHONY: all deps run test tests lint bench bench-accuracy fuzz claims install deb clean help
.SECONDARY:
tests: all $(units) $(if $(SAN),$(fuzzers:%=$(B)/replay/%))
deps:
	@sh tests/end2end/deps.sh
run:
	@sh tests/end2end/deps.sh --run
	@$(MAKE) -s all
	@python3 tests/end2end/demo.py
test:
	@sh tests/end2end/deps.sh --test
	@$(MAKE) -s -j2 tests $(if $(SAN),,benches)
	@$(if $(SAN),,$(MAKE) -s -j2 SAN=address$(comma)undefined tests)
	@python3 tests/run.py --build $(B) --sanitized $(S)
.PHONY: benches
benches: $(benches)
bench:
	@sh tests/end2end/deps.sh --bench
	@$(MAKE) -s all benches
	@python3 tests/bench/bench.py --build $(B)
bench-accuracy:
	@sh tests/end2end/deps.sh --bench
	@$(MAKE) -s all build/bench/bench_accuracy
	@python3 tests/bench/bench_accuracy.py --build $(B)
claims:
	@python3 tests/claims.py
lint:
	@sh tests/end2end/deps.sh --fuzz
	@python3 tests/lint/lint.py
	@for cc in gcc clang; do $(MAKE) -s -j2 CC=$$cc B=build/lint-$$cc CFLAGS='-O2 -Werror' tests benches || exit 1; done
fuzz:
	@sh tests/end2end/deps.sh --fuzz
	@for f in $(fuzzers); do $(MAKE) -s build/fuzz/$$f && mkdir -p build/fuzz/corpus/$$f && \
	  build/fuzz/$$f -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 -artifact_prefix=build/fuzz/ \
	  build/fuzz/corpus/$$f tests/fuzz/corpus/$${f#fuzz_} || exit 1; done
build/fuzz/%: tests/fuzz/%.c $(wildcard core/*/*.c) $(B)/console_assets.c
	@mkdir -p $(@D)
	clang -g -O1 -fsanitize=fuzzer,address,undefined -std=c11 -D_GNU_SOURCE -I. -DWEIR_VERSION='"fuzz"' \
	  -o $@ $< $(wildcard core/*/*.c) $(patsubst console_assets.c,$(B)/console_assets.c,$(guests:$(B)/obj/%.o=%.c)) $(LIBS)

install: all
	install -s -Dm755 -t $(DESTDIR)$(PREFIX)/sbin $(B)/weir-policyd $(B)/weir-milter $(B)/weir-agent \
	  $(B)/weir-monitor $(B)/weir-sniffer
	install -s -Dm755 -t $(DESTDIR)$(PREFIX)/bin $(B)/weirctl
	install -s -Dm644 -t $(DESTDIR)$(PREFIX)/lib/weir $(B)/weir-exim.so
	install -Dm644 core/evidence/starter.rules $(DESTDIR)/etc/weir/rules/10-starter.rules$(if $(wildcard $(DESTDIR)/etc/weir/rules/10-starter.rules),.new)
	install -Dm644 $(B)/weir.conf $(DESTDIR)/etc/weir/weir.conf$(if $(wildcard $(DESTDIR)/etc/weir/weir.conf),.new)
	install -Dm644 -t $(DESTDIR)$(PREFIX)/share/man/man5 $(B)/weir.conf.5
	install -Dm644 -t $(DESTDIR)$(PREFIX)/share/man/man8 \
	  $(wildcard postfix-policy/*.8 exim-module/*.8 monitor/*.8 monitor/*/*.8 sniffer/*.8)
	install -Dm644 -t $(DESTDIR)$(PREFIX)/share/man/man1 monitor/ctl/weirctl.1
	install -Dm644 -t $(DESTDIR)/lib/systemd/system \
	  $(wildcard postfix-policy/*.service postfix-policy/*.socket monitor/*.service monitor/*/*.service sniffer/*.service)
	install -Dm644 -t $(DESTDIR)$(PREFIX)/lib/weir/reports $(wildcard monitor/ctl/*.sieve)
	install -Dm755 monitor/ctl/weir-report.sh $(DESTDIR)$(PREFIX)/lib/weir/reports/weir-report
	install -Dm644 monitor/ctl/weirctl.bash-completion $(DESTDIR)$(PREFIX)/share/bash-completion/completions/weirctl
	install -Dm644 -t $(DESTDIR)$(PREFIX)/share/doc/weir README.md LICENSE
	install -Dm644 -t $(DESTDIR)$(PREFIX)/share/doc/weir/examples $(wildcard monitor/console/examples/*)
deb: all
	@sh tests/end2end/deb.sh $(VERSION)
clean:
	rm -rf build
help:
	@sed -n '4,19s/^# \{0,2\}//p' Makefile

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
