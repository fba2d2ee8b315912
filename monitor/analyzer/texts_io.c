/*
 * One text at a time, in the transaction that keeps the journal's position: counts of a day are in
 * the table of reports' counts, so that they are taken back with it.
 */
#include "monitor/analyzer/texts_io.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/engine/verdict.h"
#include "monitor/analyzer/reported_text.h"
#include "monitor/database/database_reports_io.h"
#include "monitor/database/database_texts_io.h"

struct weir_texts {
    struct weir_info_keys keys;
    struct weir_database *database;
    weir_time kept;
    unsigned since;            /* texts, since what is over went */
};

int weir_texts_new(const struct weir_info_keys *keys, struct weir_database *database,
                   weir_time kept, struct weir_texts **texts_r)
{
    struct weir_texts *texts = calloc(1, sizeof *texts);

    if (!texts)
        return WEIR_ENOMEM;
    texts->keys = *keys;
    weir_info_keys_ready(&texts->keys);
    texts->database = database;
    texts->kept = kept;
    *texts_r = texts;
    return 0;
}

void weir_texts_free(struct weir_texts **texts)
{
    if (!*texts)
        return;
    explicit_bzero(&(*texts)->keys, sizeof (*texts)->keys);
    free(*texts);
    *texts = NULL;
}

void weir_texts_use(struct weir_texts *texts, weir_time kept)
{
    texts->kept = kept;
}

int weir_texts_retain(struct weir_texts *texts, weir_time now)
{
    weir_time before = texts->kept > 0 ? now - texts->kept : 0;
    int rc = weir_database_texts_retain(texts->database, true, WEIR_TEXTS_MAX,
                                        WEIR_TEXTS_OCTETS_MAX, before);

    texts->since = 0;
    return rc < 0 ? rc
                  : weir_database_texts_retain(texts->database, false, WEIR_TEXTS_UNPROVEN_MAX,
                                               WEIR_TEXTS_UNPROVEN_OCTETS_MAX, before);
}

/* "valid", ..., "none", as reports have it. */
static const char *prove(const struct weir_texts *texts, const struct weir_reported_text *told,
                         struct weir_info *info_r)
{
    enum weir_info_state state;

    if (told->info.len == 0)
        return "none";
    state = weir_info_read(told->info, told->binding, &texts->keys, info_r);
    return weir_info_state_name(state);
}

/* 1: it may be kept; 0: the server has told of too many; or an error. */
static int count(struct weir_texts *texts, const struct weir_gathered *whole)
{
    int over = weir_database_report_capped(texts->database, whole->at / WEIR_DAY, "texts",
                                           whole->server, WEIR_TEXTS_SERVER_DAY);

    return over < 0 ? over : !over;
}

int weir_texts_take(void *context, const struct weir_gathered *whole)
{
    struct weir_texts *texts = context;
    struct weir_reported_text told;
    struct weir_info info = {.uid = 0};
    struct weir_database_text text = {.time = whole->at, .server = whole->server,
                                      .octets = whole->octets};
    int rc;

    if (weir_reported_text_read(whole->octets, &told) != 1)
        return 0;
    rc = count(texts, whole);
    if (rc <= 0)
        return rc;
    text.state = prove(texts, &told, &info);
    text.proven = strcmp(text.state, weir_info_state_name(WEIR_INFO_VALID)) == 0;
    text.uid = text.proven ? info.uid : told.binding;
    rc = weir_database_text_put(texts->database, &text);
    if (rc > 0 && ++texts->since >= WEIR_TEXTS_RETAIN)
        rc = weir_texts_retain(texts, whole->at);
    return rc < 0 ? rc : 0;
}
