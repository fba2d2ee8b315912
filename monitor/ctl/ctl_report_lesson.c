/*
 * The tokens of a reported message on their way to the monitor, as hashes under the published key,
 * so that the Bayesian classifier can learn what people say (core/engine/lesson.h).  Where no set
 * was published there is no key, and nothing is told; a string that is not this message's would not
 * be believed.  Whoever has the key, which all servers have, can try whether a word or an address
 * is among them: so nothing of it leaves a server with [reports] text = 0.
 */
#include "monitor/ctl/ctl_report.h"

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/engine/bayes_file_io.h"
#include "core/engine/lesson.h"
#include "core/engine/rule_set_io.h"

static int make(const struct weir_hash_key *key, struct weir_message *message,
                struct weir_arena *arena, struct weir_lesson *lesson, struct weir_slice *octets_r)
{
    struct weir_charsets *charsets = NULL;
    struct weir_content content;
    struct weir_bayes_source source = {.message = message, .content = &content};
    struct weir_bayes_tokens tokens;
    int rc = weir_charsets_new(&charsets);

    source.charsets = charsets;
    lesson->key = weir_lesson_key(key);
    rc = rc < 0 ? rc : weir_content_read(message, charsets, arena, &content);
    rc = rc < 0 ? rc : weir_bayes_tokens_read(key, &source, arena, &tokens);
    rc = rc < 0 ? rc : weir_lesson_write(lesson, &tokens, arena, octets_r);
    weir_charsets_free(&charsets);
    return rc;
}

static void send(struct weir_ctl_report *report, const struct weir_ctl_report_item *item,
                 struct weir_slice octets)
{
    const struct weir_part_whole whole = {.at = weir_ctl_now(),
                                          .kind = WEIR_LESSON_KIND,
                                          .uid = item->info.uid,
                                          .sum = weir_part_sum(octets),
                                          .octets = octets};

    (void)weir_spool_write_parts(report->spool, &whole);
}

/* White space is dropped by who reads it, and may be much where it was folded. */
static struct weir_slice unfolded(struct weir_slice string, struct weir_arena *arena)
{
    char *text = weir_arena_take(arena, string.len + 1);
    size_t len = 0;

    for (size_t i = 0; text && i < string.len; i++)
        if (!weir_is_space(string.at[i]))
            text[len++] = string.at[i];
    return (struct weir_slice){text, len};
}

void weir_ctl_report_lesson(struct weir_ctl_report *report, struct weir_message *message,
                            struct weir_slice string, uint64_t binding, struct weir_arena *arena,
                            const struct weir_ctl_report_item *item)
{
    const struct weir_config *config = &report->ctl->config;
    struct weir_lesson lesson = {.reported = true, .binding = binding};
    const struct weir_bayes_list *list = NULL;
    struct weir_bayes_file *file = NULL;
    struct weir_slice octets;

    if (!report->spool || report->back || !item->has_string || item->state != WEIR_INFO_VALID ||
        config->reports_text == 0)
        return;
    if (weir_bayes_file_new(config->state_directory, false, &report->ctl->log, &file) == 0)
        list = weir_bayes_file_take(file, weir_rule_set_serial(config), weir_ctl_now());
    if (list) {
        lesson.info = unfolded(string, arena);
        if (lesson.info.at && make(&list->table.key, message, arena, &lesson, &octets) == 0)
            send(report, item, octets);
        weir_bayes_file_give(file, &list);
    }
    weir_bayes_file_free(&file);
}
