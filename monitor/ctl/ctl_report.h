/*
 * ctl_report - one message that a person reports: is it ours, his vote in this server's
 * reputation, the line of the spool that tells the monitor, and the message's text behind it.
 *
 * A person's vote about a message is remembered where the counters are, under a keyed hash of both,
 * so that it counts once however often it is handed in, the opposite one replaces it, and it can be
 * taken back; it counts from the time the message was judged, which its string tells.  So all of
 * it can be done again without harm, and whoever pipes mail in is told to try again later when
 * anything fails.
 *
 * A machine counts one report at a time (report.lock in the state directory).  Two machines that
 * share counters, and are handed the same at the same moment, may both count it, where votes do not
 * come back from the monitor.
 *
 * Owner:    the caller; slices of an item live as long as the message.
 * Errors:   of weir_ctl_report_open() EX_TEMPFAIL, said; of weir_ctl_report_one() as told there.
 */
#ifndef WEIR_CTL_REPORT_H
#define WEIR_CTL_REPORT_H

#include "core/engine/info.h"
#include "core/mail/report.h"
#include "core/store/spool_io.h"
#include "monitor/ctl/ctl.h"

enum weir_ctl_voted {
    WEIR_CTL_VOTED_NOT,       /* nothing to vote about, or it is not to be done here */
    WEIR_CTL_VOTED,
    WEIR_CTL_VOTED_REPLACED,
    WEIR_CTL_VOTED_REPEATED,
    WEIR_CTL_VOTED_BACK,
    WEIR_CTL_VOTED_NEVER,     /* what was to be taken back is not there */
};

struct weir_ctl_report {
    struct weir_ctl *ctl;
    struct weir_info_keys keys;
    struct weir_hash_key key;    /* for people */
    struct weir_spool *spool;    /* NULL: there is none */
    bool back;
};

struct weir_ctl_report_item {
    /* By the caller. */
    bool spam;
    enum weir_report_way way;
    struct weir_slice user;      /* empty: nobody knows */
    const char *told;            /* by whom: "option", "from", "nobody" */
    /* What was found. */
    bool has_string, has_info;   /* info is filled in */
    enum weir_info_state state;
    struct weir_info info;
    uint64_t reporter;           /* user in one number */
    enum weir_ctl_voted voted;
    size_t text;                 /* octets of it that go to the monitor */
};

/* Reads the keys of strings as configured; they are not made here: fresh ones would verify nothing.
 * 0 or EX_TEMPFAIL. */
int weir_ctl_report_keys(struct weir_ctl *ctl, struct weir_info_keys *keys_r);

/* Opens keys, counters and spool as configured.  0 or EX_TEMPFAIL. */
int weir_ctl_report_open(struct weir_ctl_report *report);
void weir_ctl_report_close(struct weir_ctl_report *report);

/* Reports a message, or, when octets are empty, that none was found.  0, or EX_TEMPFAIL and it was
 * said. */
int weir_ctl_report_one(struct weir_ctl_report *report, struct weir_slice octets,
                        struct weir_arena *arena, struct weir_ctl_report_item *item);

/* Sends the message along, as [reports] text has it (ctl_report_text.c); what the spool has no room
 * for is left out. */
void weir_ctl_report_text(struct weir_ctl_report *report, const struct weir_message *message,
                          struct weir_slice string, uint64_t binding, struct weir_arena *arena,
                          struct weir_ctl_report_item *item);

/* Tells the monitor the tokens of a message, so that they can be learned; what there is no memory
 * or room in the spool for is left out. */
void weir_ctl_report_lesson(struct weir_ctl_report *report, struct weir_message *message,
                           struct weir_slice string, uint64_t binding, struct weir_arena *arena,
                           const struct weir_ctl_report_item *item);

/* "valid", ..., or "none" when there was no string.  Static text. */
const char *weir_ctl_report_state(const struct weir_ctl_report_item *item);

#endif
