/*
 * The log does not have the message, so that the string's binding to it cannot be held against
 * anything: a string that is another message's is as good, once.
 */
#include "monitor/analyzer/record.h"

#include "core/store/spool_line.h"

const char *weir_record_state_name(enum weir_record_state state)
{
    static const char *const name[WEIR_RECORD_STATES] = {"good", "other", "foreign", "unknown-key",
                                                         "bad"};

    return (unsigned)state < WEIR_RECORD_STATES ? name[state] : "?";
}

enum weir_record_state weir_record_read(struct weir_slice line, uint64_t server,
                                        const struct weir_info_keys *keys,
                                        struct weir_info *info_r)
{
    struct weir_spool_line told;

    if (weir_spool_line_read(line, &told) != 1 || told.info.len == 0)
        return WEIR_RECORD_OTHER;
    switch (weir_info_read(told.info, 0, keys, info_r)) {
    case WEIR_INFO_VALID:
    case WEIR_INFO_UNBOUND:
        return info_r->server == server || info_r->server == 0 ? WEIR_RECORD_GOOD
                                                               : WEIR_RECORD_FOREIGN;
    case WEIR_INFO_UNKNOWN_KEY:
        return WEIR_RECORD_UNKNOWN_KEY;
    default:
        return WEIR_RECORD_BAD;
    }
}
