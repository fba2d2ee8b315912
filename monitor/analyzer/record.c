/*
 * The log does not have the message, so that the string's binding to it cannot be held against
 * anything: a string that is another message's is as good, once.
 */
#include "monitor/analyzer/record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/slice.h"
#include "core/engine/verdict.h"
#include "core/store/spool_line.h"

#define NUMBERS 80 /* octets of some numbers */

const char *weir_record_state_name(enum weir_record_state state)
{
    static const char *const name[WEIR_RECORD_STATES] = {"good", "other", "foreign", "unknown-key",
                                                         "bad"};

    return (unsigned)state < WEIR_RECORD_STATES ? name[state] : "?";
}

/* beside the string ------------------------------------------------------------------------ */

static const char *action_name(unsigned which)
{
    return which <= WEIR_QUARANTINE ? weir_action_name((enum weir_action)which) : NULL;
}

static const char *ground_name(unsigned which)
{
    return which < WEIR_GROUNDS ? weir_ground_name((enum weir_ground)which) : NULL;
}

static const char *basis_name(unsigned which)
{
    return which < WEIR_BASES ? weir_basis_name((enum weir_basis)which) : NULL;
}

/* One of the words there are, or "". */
static const char *one_of(struct weir_slice word, const char *(*name)(unsigned which))
{
    const char *text;

    for (unsigned i = 0; (text = name(i)) != NULL; i++)
        if (weir_slice_equals(word, text))
            return text;
    return "";
}

/* Numbers with ',' between; whether there were as many, all of them finite, and nothing else. */
static bool read_numbers(struct weir_slice text, double *number_r, size_t count)
{
    char copy[NUMBERS], *at = copy, *end;

    if (text.len == 0 || text.len >= sizeof copy)
        return false;
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    for (size_t i = 0; i < count; i++) {
        number_r[i] = strtod(at, &end);
        if (end == at || !isfinite(number_r[i]) || *end != (i + 1 < count ? ',' : '\0'))
            return false;
        at = end + 1;
    }
    return true;
}

struct weir_record_beside weir_record_beside_nothing(void)
{
    return (struct weir_record_beside){.action = "", .ground = "", .basis = "", .confidence = -1};
}

static void read_beside(const struct weir_spool_line *told, struct weir_record_beside *beside)
{
    double limit[3];

    *beside = weir_record_beside_nothing();
    memcpy(beside->queue_id, told->queue_id.at, told->queue_id.len); /* WEIR_QUEUE_ID_MAX */
    beside->action = one_of(told->action, action_name);
    beside->ground = one_of(told->ground, ground_name);
    beside->basis = one_of(told->basis, basis_name);
    if (!read_numbers(told->confidence, &beside->confidence, 1) || beside->confidence > 1)
        beside->confidence = -1;
    beside->has_limits = read_numbers(told->limits, limit, 3);
    if (beside->has_limits) {
        beside->unsure = limit[0];
        beside->spam = limit[1];
        beside->reject = limit[2];
    }
}

/* a line ----------------------------------------------------------------------------------- */

enum weir_record_state weir_record_read(struct weir_slice line, uint64_t server,
                                        const struct weir_info_keys *keys,
                                        struct weir_record *record_r)
{
    struct weir_spool_line told;
    struct weir_info *info = &record_r->info;

    if (weir_spool_line_read(line, &told) != 1 || told.info.len == 0)
        return WEIR_RECORD_OTHER;
    switch (weir_info_read(told.info, 0, keys, info)) {
    case WEIR_INFO_VALID:
    case WEIR_INFO_UNBOUND:
        if (info->server != server && info->server != 0)
            return WEIR_RECORD_FOREIGN;
        read_beside(&told, &record_r->beside);
        record_r->again = false;
        return WEIR_RECORD_GOOD;
    case WEIR_INFO_UNKNOWN_KEY:
        return WEIR_RECORD_UNKNOWN_KEY;
    default:
        return WEIR_RECORD_BAD;
    }
}
