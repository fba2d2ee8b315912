/*
 * ctl_bayes - weirctl bayes: what the Bayesian classifier has learned, and teaching it with mail
 * that is there already, as on the first day.
 *
 * Messages stay here: the monitor is sent their tokens as hashes, in pieces, each of which is
 * learned as a whole or not at all.  A message is told again by what its string of ours says, when
 * it has one, else by its From, Date and Message-ID, and by its tokens only where it has no
 * Message-ID: so learning it twice changes nothing, and unlearning finds it, also when it is kept
 * in another way or a newer program makes other tokens.
 */
#include "monitor/ctl/ctl.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/engine/lesson.h"
#include "core/mail/message.h"
#include "monitor/ctl/ctl_mails_io.h"
#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/ctl/ctl_output.h"
#include "monitor/ctl/ctl_report.h"

#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING
/* Sent at once, and learned while nothing else is answered: some tenths of a second. */
#define PIECE 200             /* messages */
#define PIECE_OCTETS 256000 /* of their tokens, in base64 */
#define ARENA_FIRST (1u << 20)

static long long number(const json_t *json, const char *name)
{
    return (long long)json_integer_value(json_object_get(json, name));
}

static const char *text(const json_t *json, const char *name)
{
    const char *value = json_string_value(json_object_get(json, name));

    return value ? value : "";
}

/* Status. ----------------------------------------------------------------------------- */

static void print_sources(const json_t *sources)
{
    static const struct {
        const char *name, *words;
    } known[] = {{"verdict", "sure verdicts"}, {"report", "reports alone"},
                 {"corpus", "weirctl bayes learn"}};

    puts("  of messages that can still be unlearned:");
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const json_t *source = json_object_get(sources, known[i].name);

        printf("    %-20s %8lld spam  %8lld good\n", known[i].words, number(source, "spam"),
               number(source, "ham"));
    }
}

static void print_came(const json_t *came)
{
    const char *name, *between = "  lessons of servers since the monitor's start: ";
    json_t *count;

    json_object_foreach((json_t *)(uintptr_t)came, name, count) {
        if (json_integer_value(count) == 0)
            continue;
        printf("%s%lld %s", between, (long long)json_integer_value(count), name);
        between = ", ";
    }
    if (between[0] == ',')
        putchar('\n');
}

static int print_status(struct weir_ctl *ctl, const json_t *answer)
{
    static const char *const use[] = {"off: it is not asked",
                                      "observe: it shows what it would add",
                                      "on: it adds to the score"};
    const char *silent = text(answer, "silent");

    printf("learned: %lld spam, %lld good messages; %lld words (most %lld)\n",
           number(answer, "spam"), number(answer, "ham"), number(answer, "tokens"),
           number(answer, "most"));
    if (silent[0])
        printf("silent: %s; it needs %lld of each\n", silent, number(answer, "least"));
    else
        puts("speaks: enough was learned");
    printf("[bayes] use = %s\n", use[ctl->config.bayes_use]);
    if (number(answer, "serial") > 0)
        printf("servers judge by what rule set %lld took along; weirctl publish takes along what "
               "was learned since\n", number(answer, "serial"));
    else
        puts("nothing was published yet: weirctl publish");
    print_sources(json_object_get(answer, "sources"));
    print_came(json_object_get(answer, "came"));
    if (json_is_true(json_object_get(answer, "broken")))
        puts("memory was short: counts are put right when the monitor starts again");
    return 0;
}

int weir_ctl_bayes_status(struct weir_ctl *ctl)
{
    json_t *answer = NULL;
    int code = weir_ctl_configure(ctl);

    if (code == 0)
        code = weir_ctl_monitor_ask(ctl, json_pack("{s:s}", "do", "bayes status"), &answer);
    if (code == 0)
        code = ctl->option[WEIR_CTL_JSON] ? weir_ctl_json(ctl, json_incref(answer))
                                          : print_status(ctl, answer);
    json_decref(answer);
    return code;
}

/* Teaching. --------------------------------------------------------------------------- */

struct teaching {
    struct weir_ctl *ctl;
    const char *as;              /* "spam", "ham"; "" to unlearn */
    struct weir_hash_key key;
    char id[17];                 /* of the key */
    struct weir_info_keys keys;  /* of our strings; may be none */
    struct weir_arena *arena;
    struct weir_charsets *charsets;
    json_t *messages;            /* of the next piece */
    size_t octets;               /* of its tokens */
    long long read, changed, same;
    size_t unread;
};

static int no_memory(struct weir_ctl *ctl)
{
    return weir_ctl_error(ctl, EX_OSERR, "memory is short");
}

/* The key that tokens are made under, which the monitor has. */
static int ask_key(struct teaching *teaching)
{
    struct weir_ctl *ctl = teaching->ctl;
    json_t *answer = NULL;
    size_t len = 0;
    const char *key;
    int code = weir_ctl_monitor_ask(ctl, json_pack("{s:s}", "do", "bayes key"), &answer);

    if (code != 0)
        return code;
    key = text(answer, "key");
    snprintf(teaching->id, sizeof teaching->id, "%s", text(answer, "id"));
    if (sodium_hex2bin(teaching->key.octet, WEIR_HASH_KEY, key, strlen(key), NULL, &len,
                       NULL) < 0 || len != WEIR_HASH_KEY)
        code = weir_ctl_error(ctl, EX_PROTOCOL, "the monitor's answer is none");
    json_decref(answer);
    return code;
}

static int send_piece(struct teaching *teaching)
{
    json_t *answer = NULL, *messages = teaching->messages;
    int code;

    teaching->messages = json_array();
    teaching->octets = 0;
    if (!teaching->messages || json_array_size(messages) == 0) {
        json_decref(messages);
        return teaching->messages ? 0 : no_memory(teaching->ctl);
    }
    code = weir_ctl_monitor_ask(teaching->ctl,
                                json_pack("{s:s, s:s, s:s, s:o}", "do", "bayes learn", "id",
                                          teaching->id, "as", teaching->as, "messages", messages),
                                &answer);
    teaching->changed += number(answer, "changed");
    teaching->same += number(answer, "same");
    json_decref(answer);
    return code;
}

/* What tells this message from all others. */
static uint64_t uid_of(const struct teaching *teaching, const struct weir_message *message,
                       struct weir_slice tokens)
{
    uint64_t about[2] = {weir_info_binding(message), 0};
    size_t from = 0;
    const struct weir_field *field = weir_message_field(message, 0, WEIR_INFO_HEADER, &from);
    struct weir_info info;

    if (field && teaching->keys.keys > 0 &&
        weir_info_read(field->value, about[0], &teaching->keys, &info) == WEIR_INFO_VALID)
        return info.uid;
    from = 0;
    if (!weir_message_field(message, 0, "Message-ID", &from))
        about[1] = weir_hash64(&teaching->key, tokens.at, tokens.len);
    return weir_hash64(&teaching->key, about, sizeof about);
}

static int read_tokens(struct teaching *teaching, struct weir_slice octets,
                       struct weir_message *message, struct weir_slice *tokens_r)
{
    struct weir_content content;
    const struct weir_bayes_source source = {.message = message, .content = &content,
                                             .charsets = teaching->charsets};
    const struct weir_lesson none = {.tokens = 0};
    struct weir_bayes_tokens tokens;
    struct weir_slice lesson;
    int rc = weir_message_parse(octets.at, octets.len, teaching->arena, message);

    rc = rc < 0 ? rc : weir_content_read(message, teaching->charsets, teaching->arena, &content);
    rc = rc < 0 ? rc : weir_bayes_tokens_read(&teaching->key, &source, teaching->arena, &tokens);
    rc = rc < 0 ? rc : weir_lesson_write(&none, &tokens, teaching->arena, &lesson);
    if (rc == 0)
        *tokens_r = weir_slice_behind(lesson, WEIR_LESSON_HEAD);
    return rc;
}

static int teach(struct teaching *teaching, struct weir_slice octets)
{
    struct weir_message message;
    struct weir_slice tokens = {0};
    char *base64;
    size_t room;

    weir_arena_reset(teaching->arena, ARENA_FIRST);
    if (octets.len > (size_t)teaching->ctl->config.milter_size)
        octets.len = (size_t)teaching->ctl->config.milter_size; /* as mail servers do */
    if (read_tokens(teaching, octets, &message, &tokens) < 0)
        return no_memory(teaching->ctl);
    room = sodium_base64_ENCODED_LEN(tokens.len, BASE64);
    base64 = weir_arena_take(teaching->arena, room);
    if (!base64)
        return no_memory(teaching->ctl);
    sodium_bin2base64(base64, room, (const unsigned char *)tokens.at, tokens.len, BASE64);
    teaching->read++;
    if (json_array_append_new(
            teaching->messages,
            json_pack("{s:o, s:s}", "uid",
                      json_sprintf("%016llx", (unsigned long long)uid_of(teaching, &message,
                                                                         tokens)),
                      "tokens", base64)) < 0)
        return no_memory(teaching->ctl);
    teaching->octets += room;
    return json_array_size(teaching->messages) < PIECE && teaching->octets < PIECE_OCTETS
               ? 0 : send_piece(teaching);
}

static int teach_mails(struct teaching *teaching, struct weir_ctl_mails *mails)
{
    struct weir_ctl_progress progress = weir_ctl_progress(teaching->ctl, "files");
    struct weir_slice octets;
    const char *name;
    int code = 0;

    while (code == 0 && weir_ctl_mails_next(mails, &name, &octets) == 1) {
        if (octets.len > 0)
            code = teach(teaching, octets);
        weir_ctl_progress_step(&progress, weir_ctl_mails_done(mails),
                               weir_ctl_mails_files(mails));
    }
    if (code == 0)
        code = send_piece(teaching);
    weir_ctl_progress_end(&progress);
    teaching->unread = weir_ctl_mails_unread(mails);
    return code;
}

/* Also when not all was done. */
static void tell(struct teaching *teaching)
{
    const char *as = teaching->as;

    if (teaching->ctl->option[WEIR_CTL_JSON]) {
        weir_ctl_json(teaching->ctl,
                      json_pack("{s:s, s:I, s:I, s:I, s:I}", "as", as, "messages",
                                (json_int_t)teaching->read, "changed",
                                (json_int_t)teaching->changed, "same",
                                (json_int_t)teaching->same, "unread",
                                (json_int_t)teaching->unread));
        return;
    }
    printf("%lld messages: %lld %s%s, %lld %s\n", teaching->read, teaching->changed,
           as[0] ? "learned as " : "unlearned", as, teaching->same,
           as[0] ? "were so before" : "had not been learned here");
}

/* Where there are none, messages are told by what they are. */
static void read_keys(struct teaching *teaching)
{
    char aside[WEIR_CTL_NOTE];

    teaching->ctl->aside = aside;
    if (weir_ctl_report_keys(teaching->ctl, &teaching->keys) != 0)
        teaching->keys.keys = 0;
    teaching->ctl->aside = NULL;
}

static int open_teaching(struct teaching *teaching)
{
    struct weir_ctl *ctl = teaching->ctl;

    teaching->arena = weir_arena_new(ARENA_FIRST);
    teaching->messages = json_array();
    if (!teaching->arena || !teaching->messages || weir_charsets_new(&teaching->charsets) < 0)
        return no_memory(ctl);
    read_keys(teaching);
    return ask_key(teaching);
}

static int run(struct weir_ctl *ctl, const char *as, char **path, int paths)
{
    struct teaching teaching = {.ctl = ctl, .as = as};
    struct weir_ctl_mails *mails = NULL;
    int code = weir_ctl_configure(ctl);

    code = code != 0 ? code : open_teaching(&teaching);
    if (code == 0)
        code = weir_ctl_mails_open(ctl, path, paths, &mails);
    if (code == 0) {
        code = teach_mails(&teaching, mails);
        tell(&teaching);
    }
    if (code == 0 && teaching.unread > 0)
        code = EX_NOINPUT;
    weir_ctl_mails_free(&mails);
    json_decref(teaching.messages);
    weir_charsets_free(&teaching.charsets);
    weir_arena_free(&teaching.arena);
    explicit_bzero(&teaching.keys, sizeof teaching.keys);
    return code;
}

int weir_ctl_bayes_learn(struct weir_ctl *ctl)
{
    const char *as = ctl->argument[0];

    if (strcmp(as, "spam") != 0 && strcmp(as, "ham") != 0)
        return weir_ctl_error(ctl, EX_USAGE, "%s: say spam or ham, then files, folders or mboxes",
                              as);
    return run(ctl, as, ctl->argument + 1, ctl->arguments - 1);
}

int weir_ctl_bayes_unlearn(struct weir_ctl *ctl)
{
    return run(ctl, "", ctl->argument, ctl->arguments);
}
