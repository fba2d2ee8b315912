/*
 * bench_console - a monitor's database as large as a busy site's, made by the functions that fill
 * it at work, for bench_console.py to look at.
 *
 *     bench_console DATABASE ADDRESSES MESSAGES RULES NOW
 *
 * NOW: seconds since 1970.  Of the addresses a tenth did something within ten minutes before it is
 * done, and a two-thousandth in each minute of the last three hours; the others once or twice
 * within the 30 days that minutes are kept.  Messages are of the last 20 days, each with six hits;
 * one domain in five is the same, the others are 50,000.  Beside them: reports, events, decisions,
 * audit.  A bar says how far it is.  Prints one JSON line: rows made, seconds they took.
 */
#include <endian.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "core/engine/verdict.h"
#include "monitor/database/database_audit_io.h"
#include "monitor/database/database_decisions_io.h"
#include "monitor/database/database_events_io.h"
#include "monitor/database/database_hits_io.h"
#include "monitor/database/database_impl.h"
#include "monitor/database/database_messages_io.h"
#include "monitor/database/database_reports_io.h"
#include "monitor/database/database_rules_io.h"
#include "monitor/database/database_servers_io.h"
#include "monitor/database/database_traffic_io.h"
#include "tests/bench/bench_rig.h"

#define DAYS 30
#define RECENT 10   /* minutes */
#define BUSY 180    /* minutes that a few fill */
#define SERVERS 4
#define DOMAINS 50000
#define HITS 6
#define BATCH 5000  /* messages of a transaction */
#define ROWS 500000 /* of minutes in one */

struct making {
    struct weir_database *database;
    uint64_t addresses, messages, rules;
    weir_time now;
    uint64_t random;
    uint64_t rows, done, all; /* done, all: of the bar */
    time_t told;
};

/* A bar on standard error, once a second. */
static void tell(struct making *making, uint64_t done, const char *what)
{
    static const char bar[] = "========================================";
    time_t now = time(NULL);
    int part;

    making->done += done;
    if (now == making->told)
        return;
    making->told = now;
    part = (int)(making->done * 40 / making->all);
    fprintf(stderr, "\r      [%.*s%*s] %3d %% %-12s", part, bar, 40 - part, "",
            (int)(making->done * 100 / making->all), what);
}

static void must(struct making *making, int64_t done)
{
    if (done < 0)
        bench_die(weir_database_why(making->database));
}

/* xorshift64*: the same each time. */
static uint64_t draw(struct making *making, uint64_t below)
{
    making->random ^= making->random >> 12;
    making->random ^= making->random << 25;
    making->random ^= making->random >> 27;
    return (making->random * UINT64_C(2685821657736338717) >> 11) % below;
}

/* Few have much of it. */
static uint64_t draw_few(struct making *making, uint64_t below)
{
    return draw(making, draw(making, below) + 1);
}

/* One of 2^32, each once; every eighth is of IPv6. */
static struct weir_address address_of(uint64_t number)
{
    uint32_t spread = htobe32((uint32_t)number * UINT32_C(2654435761));
    struct weir_address address = {.octet = {[10] = 0xff, [11] = 0xff}};

    if (number % 8 == 7) {
        address = (struct weir_address){.octet = {0x20, 0x01, 0x0d, 0xb8}};
        memcpy(address.octet + 4, &spread, sizeof spread);
    } else {
        memcpy(address.octet + 12, &spread, sizeof spread);
    }
    return address;
}

/* traffic ------------------------------------------------------------------------------------ */

struct rows {
    struct weir_minute_row *row;
    size_t count;
};

static int by_place(const void *a, const void *b)
{
    const struct weir_minute_row *one = a, *other = b;

    if (one->minute != other->minute)
        return one->minute < other->minute ? -1 : 1;
    return memcmp(one->address.octet, other->address.octet, sizeof one->address.octet);
}

static void store_rows(struct making *making, struct rows *rows)
{
    const struct weir_database_batch batch = {.row = rows->row, .rows = rows->count};

    qsort(rows->row, rows->count, sizeof *rows->row, by_place);
    must(making, weir_database_traffic(making->database, &batch));
    tell(making, rows->count, "addresses");
    making->rows += rows->count;
    rows->count = 0;
}

static void add_row(struct making *making, struct rows *rows, int64_t minute, uint64_t address)
{
    uint64_t connections = 1 + draw_few(making, draw_few(making, 400) + 1);
    struct weir_minute_row row = {
        .minute = minute, .address = address_of(address), .server = 1 + address % SERVERS,
        .first = minute * WEIR_MINUTE, .last = minute * WEIR_MINUTE + 30 * WEIR_SECOND,
        .sum = {connections, 0, draw(making, connections + 1), 0, draw(making, 3), 0}};

    rows->row[rows->count++] = row;
    if (rows->count == ROWS)
        store_rows(making, rows);
}

/* A minute of the days before has its share of those that come twice. */
static void add_days(struct making *making, struct rows *rows, uint64_t old)
{
    const int64_t minutes = DAYS * 1440, first = making->now / WEIR_MINUTE - minutes + 1;

    for (int64_t i = 0; i < minutes; i++) {
        int64_t minute = first + i, again = (i + minutes / 2) % minutes;

        for (uint64_t a = old * (uint64_t)i / minutes; a < old * (uint64_t)(i + 1) / minutes; a++)
            add_row(making, rows, minute, a);
        for (uint64_t a = old * (uint64_t)again / minutes;
             a < old * (uint64_t)(again + 1) / minutes && a % 2 == 0; a++)
            add_row(making, rows, minute, a);
    }
}

/* The last ones: those that came within ten minutes, and the busy ones. */
static void add_hours(struct making *making, struct rows *rows, uint64_t old, int64_t to)
{
    for (int64_t minute = to - BUSY + 1; minute <= to; minute++) {
        for (uint64_t a = 0; minute > to - RECENT && a < making->addresses - old; a++)
            if (a % RECENT == (uint64_t)(to - minute) || a % 7 == (uint64_t)(to - minute))
                add_row(making, rows, minute, old + a);
        for (uint64_t a = 0; a < making->addresses / 2000; a++)
            add_row(making, rows, minute, a * 2000);
    }
}

/* All that takes its time is there by then: the last ones are of now. */
static void add_traffic(struct making *making)
{
    struct rows rows = {.row = malloc(ROWS * sizeof *rows.row)};
    uint64_t old = making->addresses - making->addresses / 10;

    if (!rows.row)
        bench_die("memory is short");
    add_days(making, &rows, old);
    store_rows(making, &rows);
    add_hours(making, &rows, old, time(NULL) / 60);
    store_rows(making, &rows);
    free(rows.row);
}

/* mail --------------------------------------------------------------------------------------- */

static struct weir_info message_of(struct making *making, uint64_t number)
{
    uint64_t kind = draw(making, 1000);
    struct weir_info info = {
        .uid = number * UINT64_C(0x9e3779b97f4a7c15) + 1, .server = 1 + number % SERVERS,
        .has_boundary = true, .boundary = address_of(draw_few(making, making->addresses)),
        .verdict = (uint8_t)(kind < 600 ? WEIR_HAM : kind < 650 ? WEIR_UNSURE : WEIR_SPAM),
        .serial = 5, .rules = HITS};

    info.at = making->now - 20 * WEIR_DAY +
              (weir_time)((double)number / (double)making->messages * 20.0 * WEIR_DAY);
    info.at -= info.at % WEIR_SECOND;
    if (number % 10007 == 0)
        info.verdict = WEIR_BLOCKED;
    info.score = (float)draw(making, 200) / 40.0f +
                 (info.verdict == WEIR_HAM ? -2.0f : info.verdict == WEIR_UNSURE ? 3.5f : 5.0f);
    if (draw(making, 5) == 0)
        snprintf(info.domain, sizeof info.domain, "large.example");
    else
        snprintf(info.domain, sizeof info.domain, "d%u.example",
                 (unsigned)draw_few(making, DOMAINS));
    for (unsigned i = 0; i < HITS; i++) {
        uint64_t rule = draw_few(making, draw_few(making, making->rules) + 1);

        for (unsigned j = 0; j < i; j++)
            if (info.rule[j].id == 2000 + rule)
                rule = (rule + 1) % making->rules, j = (unsigned)-1;
        info.rule[i] = (struct weir_info_rule){2000 + (uint32_t)rule,
                                               (float)draw(making, 300) / 100.0f};
    }
    return info;
}

static void add_messages(struct making *making)
{
    const struct weir_hits_settings settings = weir_hits_defaults(5, 3);
    static struct weir_record record[BATCH];
    struct weir_hits *hits = NULL;

    if (weir_hits_new(&settings, &hits) < 0)
        bench_die("memory is short");
    for (uint64_t i = 0; i < making->messages; i += BATCH) {
        size_t count = making->messages - i < BATCH ? making->messages - i : BATCH;

        for (size_t j = 0; j < count; j++) {
            struct weir_info *info = &record[j].info;

            *info = message_of(making, i + j);
            record[j].beside = weir_record_beside_nothing();
            snprintf(record[j].beside.queue_id, sizeof record[j].beside.queue_id, "4C%014" PRIX64,
                     i + j);
            (void)weir_hits_take(hits, (uint32_t)info->server, info, making->now);
        }
        must(making, weir_database_messages_put(making->database, record, count,
                                                WEIR_MESSAGES_MAX, making->now));
        must(making, weir_database_hits_put(making->database, hits, making->now, i));
        weir_hits_kept(hits);
        tell(making, 10 * count, "messages");
        making->rows += count;
    }
    weir_hits_free(&hits);
}

static void add_rules(struct making *making)
{
    const struct weir_rule_change change = {.who = "bench", .why = "", .time = making->now};

    must(making, weir_database_begin(making->database));
    for (uint64_t i = 0; i < making->rules; i++) {
        char name[24], text[100];
        const struct weir_kept_rule rule = {
            .id = 2000 + (uint32_t)i, .name = name, .kind = WEIR_RULE_BODY, .text = text,
            .state = i % 50 == 0 ? WEIR_RULE_DRAFT : i % 10 == 0 ? WEIR_RULE_TEST
                                                                   : WEIR_RULE_ACTIVE,
            .score = (double)(i % 300) / 100, .base = 1, .author = "bench"};

        snprintf(name, sizeof name, "R%u", (unsigned)i);
        snprintf(text, sizeof text, "body %s /words of rule %u/\ndescribe %s Words of %u\n", name,
                 (unsigned)i, name, (unsigned)i);
        must(making, weir_database_rule_put(making->database, &rule, &change));
    }
    must(making, weir_database_commit(making->database));
    making->rows += making->rules;
}

/* One in fifty of the messages of the last days is reported. */
static void add_reports(struct making *making, uint64_t count)
{
    must(making, weir_database_begin(making->database));
    for (uint64_t i = 0; i < count; i++) {
        char address[WEIR_ADDRESS_TEXT], name[40];
        uint64_t number = making->messages - 1 - i * 10;
        struct weir_info info = message_of(making, number);
        int64_t given;
        const struct weir_database_report report = {
            .time = making->now - (weir_time)(count - i) * 60 * WEIR_SECOND, .server = 1,
            .user = i % 500, .uid = info.uid, .spam = i % 8 != 0, .vote = true, .weighs = true,
            .name = name, .told = "", .way = "mail", .state = "valid", .came = "counted",
            .verdict = "spam", .score = 6,
            .address = weir_address_format(&info.boundary, address), .domain = info.domain,
            .info = "v1; x"};

        snprintf(name, sizeof name, "user%u@test.example", (unsigned)(i % 500));
        must(making, weir_database_report_add(making->database, &report, &given));
        must(making, weir_database_message_report(making->database, &info,
                                                  report.spam ? "spam" : "ham", report.time));
    }
    must(making, weir_database_commit(making->database));
    making->rows += count;
}

/* decisions ---------------------------------------------------------------------------------- */

static struct weir_prefix prefix_of(uint64_t address)
{
    const struct weir_address is = address_of(address);

    return weir_address_mask(&is, 128);
}

/* All but the last 500 are over. */
static void add_events(struct making *making, uint64_t count)
{
    must(making, weir_database_begin(making->database));
    for (uint64_t i = 0; i < count; i++) {
        int64_t given;
        const struct weir_event event = {
            .raised = making->now - (weir_time)(count - i) * WEIR_SECOND * 100,
            .cleared = i + 500 < count ? making->now - (weir_time)(count - i) * WEIR_SECOND * 99
                                       : 0,
            .kind = i % 1000 == 0 ? "blind" : "threshold", .has_prefix = true,
            .prefix = prefix_of(i * 7), .server = 1, .quantity = "connections",
            .class_name = "default", .limit_rate = 1, .limit_maximum = 50, .rate = 3,
            .text = "over its limit"};

        must(making, weir_database_event_add(making->database, &event, &given));
    }
    must(making, weir_database_commit(making->database));
    making->rows += count;
}

/* All but the last fifth have ended. */
static void add_decisions(struct making *making, uint64_t count)
{
    must(making, weir_database_begin(making->database));
    for (uint64_t i = 0; i < count; i++) {
        int64_t given;
        uint64_t generation;
        weir_time made = making->now - (weir_time)(count - i) * WEIR_SECOND * 100;
        const struct weir_database_decision decision = {
            .made = made, .event = (int64_t)i,
            .list = i % 3 == 0 ? "score" : "blacklist", .prefix = prefix_of(i * 7),
            .ends = i < count / 5 * 4 ? made + WEIR_MINUTE : making->now + WEIR_DAY,
            .reason = "over its limit", .origin = "threshold"};

        must(making, weir_database_decision_add(making->database, &decision, &given,
                                                &generation));
    }
    must(making, weir_database_commit(making->database));
    making->rows += count;
}

static void add_audit(struct making *making, uint64_t count)
{
    must(making, weir_database_begin(making->database));
    for (uint64_t i = 0; i < count; i++) {
        const struct weir_audit line = {
            .time = making->now - (weir_time)(count - i) * WEIR_SECOND * 60,
            .who = i % 5000 == 7 ? "user rare" : "ladder", .what = "decided",
            .detail = "blacklist 203.0.113.7 until later"};

        must(making, weir_database_audit_add(making->database, &line));
    }
    must(making, weir_database_commit(making->database));
    making->rows += count;
}

static void add_servers(struct making *making)
{
    static const uint8_t secret[WEIR_SECRET_HASH];

    for (unsigned i = 0; i < SERVERS; i++) {
        char name[16];
        uint32_t number;

        snprintf(name, sizeof name, "mx%u", i + 1);
        must(making, weir_database_server_add(making->database, name, secret, making->now,
                                              &number));
    }
}

int main(int argc, char **argv)
{
    struct weir_database_options options = {.path = argc == 6 ? argv[1] : NULL};
    struct making making = {.random = 88172645463325252u};
    char why[WEIR_DATABASE_WHY];
    double begin = bench_spent();

    if (!options.path)
        bench_die("bench_console DATABASE ADDRESSES MESSAGES RULES NOW");
    making.addresses = strtoull(argv[2], NULL, 10);
    making.messages = strtoull(argv[3], NULL, 10);
    making.rules = strtoull(argv[4], NULL, 10);
    making.now = (weir_time)strtoll(argv[5], NULL, 10) * WEIR_SECOND;
    making.all = making.addresses * 8 / 5 + making.messages * 10;
    if (weir_database_open(&options, why, &making.database) < 0)
        bench_die(why);
    /* Fast rather than safe: it is made anew where it broke off. */
    must(&making, weir_database_run(making.database, "PRAGMA synchronous = OFF;"
                                    "PRAGMA cache_size = -2000000"));
    add_servers(&making);
    add_rules(&making);
    add_messages(&making);
    add_reports(&making, making.messages / 50);
    add_events(&making, making.messages / 10);
    add_decisions(&making, making.messages / 10);
    add_audit(&making, making.messages / 5);
    add_traffic(&making);
    must(&making, weir_database_run(making.database, "PRAGMA wal_checkpoint(TRUNCATE)"));
    weir_database_free(&making.database);
    if (making.told > 0)
        fprintf(stderr, "\r%70s\r", "");
    printf("{\"rows\": %llu, \"seconds\": %.1f}\n", (unsigned long long)making.rows,
           (bench_spent() - begin) / 1e6);
    return 0;
}
