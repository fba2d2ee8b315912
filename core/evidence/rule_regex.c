/*
 * Two slots for each expression: compiled plainly, and with machine code.  A slot is
 * filled once by compare-and-swap and never changed, so that whoever read a pointer may
 * use it for the life of the handle; a thread that comes second frees its own work.
 * What cannot be compiled is marked with the handle's own address.
 *
 * pcre2_jit_compile() changes the code it is given, so it is only called on
 * code that nobody else has seen.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "core/evidence/rule_regex.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pcre2.h>

#include "core/base/error.h"
#include "core/base/keyed_hash.h"
#include "core/base/limits.h"
#include "core/base/line.h"
#include "core/evidence/rule_source.h"

/* Making machine code costs as much as some dozens of plain matches of a line: measured with
 * single messages, 64 is where it begins to pay. */
enum { USES_BEFORE_JIT = 64, STACK_FIRST = 32768, HEAP_KILOBYTES = 4096,
       OCTETS_A_USE = 512, ROOM_READY = 4096 };

struct slot {
    _Atomic(pcre2_code *) plain, fast;
    atomic_uint uses;
};

struct weir_regexes {
    size_t slots;
    struct slot slot[];
};

struct weir_regex_room {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
};

/* Compiling. ----------------------------------------------------------------- */

static uint32_t options(unsigned flags)
{
    static const struct {
        unsigned flag;
        uint32_t option;
    } row[] = {
        {WEIR_RULE_CASELESS, PCRE2_CASELESS}, {WEIR_RULE_MULTILINE, PCRE2_MULTILINE},
        {WEIR_RULE_DOTALL, PCRE2_DOTALL}, {WEIR_RULE_EXTENDED, PCRE2_EXTENDED},
    };
    uint32_t wanted = PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C |
                      PCRE2_USE_OFFSET_LIMIT;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        if (flags & row[i].flag)
            wanted |= row[i].option;
    return wanted;
}

static pcre2_code *compile(const struct weir_regex *regex, int *error_r, size_t *at_r)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    pcre2_code *code = NULL;
    *error_r = PCRE2_ERROR_NOMEMORY;
    if (context && pcre2_set_newline(context, PCRE2_NEWLINE_LF) == 0)
        code = pcre2_compile((PCRE2_SPTR)regex->pattern.at, regex->pattern.len,
                             options(regex->flags), error_r, at_r, context);
    pcre2_compile_context_free(context);
    return code;
}

/* Ready-made code. -------------------------------------------------------------- */

void weir_regex_maker(uint8_t maker_r[static WEIR_REGEX_MAKER])
{
    static const uint32_t text[] = {PCRE2_CONFIG_VERSION, PCRE2_CONFIG_UNICODE_VERSION};
    static const uint32_t number[] = {PCRE2_CONFIG_LINKSIZE, PCRE2_CONFIG_NEWLINE,
                                      PCRE2_CONFIG_BSR, PCRE2_CONFIG_UNICODE};
    char said[200] = "";
    struct weir_line line = weir_line(said, sizeof(said));
    for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
        char word[64] = "";
        (void)pcre2_config(text[i], word);
        weir_line_text(&line, word);
        weir_line_text(&line, " ");
    }
    for (size_t i = 0; i < sizeof(number) / sizeof(number[0]); i++) {
        uint32_t value = 0;
        (void)pcre2_config(number[i], &value);
        weir_line_count(&line, value);
        weir_line_text(&line, " ");
    }
    weir_line_count(&line, sizeof(void *));
    static const struct weir_hash_key open_key = {"Weir's own code"};
    weir_hash128(&open_key, said, (size_t)(line.at - said), maker_r);
}

uint64_t weir_regex_checksum(struct weir_slice octets)
{
    const uint64_t prime = UINT64_C(0x100000001b3); /* FNV's, by words: a tenth of SipHash's time */
    uint64_t sum = octets.len, word = 0;
    size_t at = 0;
    for (; octets.len - at >= sizeof(word); at += sizeof(word)) {
        memcpy(&word, octets.at + at, sizeof(word));
        sum = (sum ^ word) * prime;
        sum ^= sum >> 32;
    }
    for (word = 0; at < octets.len; at++)
        word = word << 8 | (uint8_t)octets.at[at];
    return (sum ^ word) * prime;
}

static int pack(const pcre2_code *code, struct weir_arena *arena, struct weir_slice *ready_r)
{
    uint8_t *octets = NULL;
    PCRE2_SIZE len = 0;
    *ready_r = (struct weir_slice){"", 0};
    if (pcre2_serialize_encode(&code, 1, &octets, &len, NULL) != 1)
        return 0;
    char *copy = weir_arena_take(arena, len);
    if (copy) {
        memcpy(copy, octets, len);
        *ready_r = (struct weir_slice){copy, len};
    }
    pcre2_serialize_free(octets);
    return copy ? 0 : WEIR_ENOMEM;
}

static pcre2_code *unpack(const struct weir_regex_ready *ready)
{
    alignas(max_align_t) uint8_t room[ROOM_READY]; /* most need no more, and leave the heap whole */
    size_t len = ready->common.len + ready->own.len;
    pcre2_code *code = NULL;
    if (ready->own.len == 0 || ready->own.len > WEIR_RULE_READY_MAX ||
        weir_regex_checksum(ready->own) != ready->checksum)
        return NULL;
    uint8_t *octets = len <= sizeof(room) ? room : malloc(len);
    if (!octets)
        return NULL;
    memcpy(octets, ready->common.at, ready->common.len);
    memcpy(octets + ready->common.len, ready->own.at, ready->own.len);
    if (pcre2_serialize_decode(&code, 1, octets, NULL) != 1)
        code = NULL;
    if (octets != room)
        free(octets);
    return code;
}

/* Trying. ------------------------------------------------------------------------- */

int weir_regex_try(const struct weir_regex *regex, struct weir_slice text,
                   struct weir_arena *arena, struct weir_slice *ready_r,
                   char why_r[static WEIR_REGEX_WHY])
{
    int error;
    size_t at = 0;
    pcre2_code *code = compile(regex, &error, &at);
    if (!code) {
        char reason[WEIR_REGEX_WHY - 40];
        if (pcre2_get_error_message(error, (PCRE2_UCHAR *)reason, sizeof(reason)) < 0)
            snprintf(reason, sizeof(reason), "PCRE2's error %d", error);
        snprintf(why_r, WEIR_REGEX_WHY, "%s (at its octet %zu)", reason, at);
        return error == PCRE2_ERROR_NOMEMORY ? WEIR_ENOMEM : WEIR_EINVAL;
    }
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    int rc = data ? pcre2_match(code, (PCRE2_SPTR)text.at, text.len, 0, 0, data, NULL)
                  : PCRE2_ERROR_NOMEMORY;
    if (arena && pack(code, arena, ready_r) < 0)
        rc = PCRE2_ERROR_NOMEMORY;
    pcre2_match_data_free(data);
    pcre2_code_free(code);
    return rc == PCRE2_ERROR_NOMEMORY ? WEIR_ENOMEM : rc >= 0;
}

/* The shared part. ------------------------------------------------------------ */

int weir_regexes_new(size_t most, struct weir_regexes **regexes_r)
{
    struct weir_regexes *regexes = calloc(1, sizeof(*regexes) + most * sizeof(regexes->slot[0]));
    if (!regexes)
        return WEIR_ENOMEM;
    regexes->slots = most;
    *regexes_r = regexes;
    return 0;
}

static pcre2_code *no_code(struct weir_regexes *regexes)
{
    void *own = regexes;
    return own;
}

void weir_regexes_free(struct weir_regexes **regexes)
{
    if (!regexes || !*regexes)
        return;
    for (size_t i = 0; i < (*regexes)->slots; i++) {
        pcre2_code *plain = atomic_load_explicit(&(*regexes)->slot[i].plain, memory_order_acquire);
        pcre2_code *fast = atomic_load_explicit(&(*regexes)->slot[i].fast, memory_order_acquire);
        pcre2_code_free(plain == no_code(*regexes) ? NULL : plain);
        pcre2_code_free(fast == no_code(*regexes) ? NULL : fast);
    }
    free(*regexes);
    *regexes = NULL;
}

/* Publishes code, or frees it and gives what somebody else published before. */
static pcre2_code *publish(struct weir_regexes *regexes, _Atomic(pcre2_code *) *slot,
                           pcre2_code *code)
{
    pcre2_code *before = NULL;
    if (!code)
        code = no_code(regexes);
    if (atomic_compare_exchange_strong_explicit(slot, &before, code, memory_order_acq_rel,
                                                memory_order_acquire))
        return code;
    if (code != no_code(regexes))
        pcre2_code_free(code);
    return before;
}

static pcre2_code *compile_into(struct weir_regexes *regexes, _Atomic(pcre2_code *) *slot,
                                const struct weir_regex *regex, bool fast)
{
    int error;
    size_t at;
    /* Machine code comes with many uses, and then compiling is not what they wait for. */
    pcre2_code *code = fast ? NULL : unpack(&regex->ready);
    if (!code)
        code = compile(regex, &error, &at);
    /* Refused (no memory may be made executable) means slower, not wrong: it stays plain. */
    if (code && fast && pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) != 0)
        fast = false;
    return publish(regexes, slot, code);
}

/* A long text counts as many uses: PCRE2's interpreter is twenty times slower. */
static unsigned uses_of(size_t octets)
{
    return 1 + (unsigned)(octets / OCTETS_A_USE);
}

bool weir_regexes_is_ready(struct weir_regexes *regexes, size_t number,
                           const struct weir_regex *regex, size_t octets)
{
    struct slot *slot = &regexes->slot[number];
    return atomic_load_explicit(&slot->fast, memory_order_relaxed) ||
           (octets <= OCTETS_A_USE &&
            (regex->ready.own.len > 0 ||
             atomic_load_explicit(&slot->plain, memory_order_relaxed)) &&
            atomic_load_explicit(&slot->uses, memory_order_relaxed) + uses_of(octets) <=
                USES_BEFORE_JIT);
}

bool weir_regexes_prepare(struct weir_regexes *regexes, size_t number,
                          const struct weir_regex *regex)
{
    struct slot *slot = &regexes->slot[number];
    pcre2_code *code = atomic_load_explicit(&slot->fast, memory_order_acquire);
    if (!code)
        code = compile_into(regexes, &slot->fast, regex, true);
    return code != no_code(regexes);
}

static pcre2_code *code_of(struct weir_regexes *regexes, size_t number,
                           const struct weir_regex *regex, size_t octets)
{
    unsigned uses = uses_of(octets);
    struct slot *slot = &regexes->slot[number];
    pcre2_code *code = atomic_load_explicit(&slot->fast, memory_order_acquire);
    if (code)
        return code;
    if (atomic_fetch_add_explicit(&slot->uses, uses, memory_order_relaxed) + uses >
        USES_BEFORE_JIT)
        return compile_into(regexes, &slot->fast, regex, true);
    code = atomic_load_explicit(&slot->plain, memory_order_acquire);
    return code ? code : compile_into(regexes, &slot->plain, regex, false);
}

/* Matching. --------------------------------------------------------------------- */

int weir_regex_room_new(struct weir_regex_room **room_r)
{
    struct weir_regex_room *room = calloc(1, sizeof(*room));
    if (!room)
        return WEIR_ENOMEM;
    room->data = pcre2_match_data_create(1, NULL);
    room->context = pcre2_match_context_create(NULL);
    room->stack = pcre2_jit_stack_create(STACK_FIRST, WEIR_MATCH_STACK_MAX, NULL);
    if (!room->data || !room->context) {
        weir_regex_room_free(&room);
        return WEIR_ENOMEM;
    }
    pcre2_set_match_limit(room->context, WEIR_MATCH_STEPS_MAX);
    pcre2_set_depth_limit(room->context, WEIR_MATCH_DEPTH_MAX);
    pcre2_set_heap_limit(room->context, HEAP_KILOBYTES);
    /* Without a stack of its own (refused, as machine code may be) PCRE2 uses 32 KB of ours. */
    pcre2_jit_stack_assign(room->context, NULL, room->stack);
    *room_r = room;
    return 0;
}

void weir_regex_room_free(struct weir_regex_room **room)
{
    if (!room || !*room)
        return;
    pcre2_jit_stack_free((*room)->stack);
    pcre2_match_context_free((*room)->context);
    pcre2_match_data_free((*room)->data);
    free(*room);
    *room = NULL;
}

int weir_regexes_match(struct weir_regexes *regexes, size_t number, const struct weir_regex *regex,
                       struct weir_regex_room *room, struct weir_slice text,
                       struct weir_regex_span *span)
{
    if (number >= regexes->slots || span->from > text.len)
        return WEIR_ELIMIT;
    pcre2_code *code = code_of(regexes, number, regex, text.len - span->from);
    if (code == no_code(regexes))
        return WEIR_ELIMIT;
    pcre2_set_offset_limit(room->context, span->until);
    int rc = pcre2_match(code, (PCRE2_SPTR)text.at, text.len, span->from,
                         span->not_empty ? PCRE2_NOTEMPTY_ATSTART : 0, room->data, room->context);
    if (rc == PCRE2_ERROR_NOMATCH)
        return 0;
    if (rc < 0)
        return WEIR_ELIMIT;
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(room->data);
    /* \K in a lookahead may set the beginning behind the end. */
    span->from = at[0] < at[1] ? at[0] : at[1];
    span->until = at[1];
    return 1;
}
