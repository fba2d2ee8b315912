/*
 * read_files - opens one file after the other, hands its frames to sessions of their own, and
 * prints what they tell.  Owns the tally of the run.  Refuses nothing: a file that cannot be
 * read is named, and the others are read.
 */
#include "sniffer/read_files_io.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/engine/stores_io.h"
#include "sniffer/capture_io.h"
#include "sniffer/progress_io.h"
#include "sniffer/record.h"
#include "sniffer/session.h"

enum { AT_ONCE = 1024, ARENA_FIRST = 8192, ADDRESSES = 1 << 20, SYN_PLACES = 65536,
       PACKET_HEAD = 16 };

struct reader {
    const struct weir_sniffer_options *options;
    const char *file;           /* as lines name it; NULL when there is only one */
    struct weir_scope scope;
    struct weir_hash_key key;
    struct weir_tally *tally;
    struct weir_sessions *sessions;
    struct weir_progress progress;
    uint64_t octets;            /* of the file at hand */
    uint64_t packets, connections, messages, accepted; /* of all */
    int exit_code;
};

/* Keeps the worst: no output, no memory, then what is wrong with input. */
static void fail(struct reader *reader, int code)
{
    static const int order[] = {EX_OK, EX_DATAERR, EX_NOINPUT, EX_OSERR, EX_IOERR};
    size_t now = 0, then = 0;

    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        now = order[i] == reader->exit_code ? i : now;
        then = order[i] == code ? i : then;
    }
    if (then > now)
        reader->exit_code = code;
}

static void complain(struct reader *reader, int code, const char *why)
{
    weir_progress_wipe(&reader->progress);
    fprintf(stderr, "%s: %s\n", reader->options->program, why);
    fail(reader, code);
}

/* What sessions tell. ------------------------------------------------------------------- */

static void told(struct reader *reader, int done)
{
    if (done < 0)
        fail(reader, EX_OSERR);
}

static void message(void *context, const struct weir_flow *flow, const struct weir_heard *heard,
                    const struct weir_heard_message *heard_message)
{
    struct reader *reader = context;

    reader->messages++;
    reader->accepted += heard_message->result == WEIR_HEARD_ACCEPTED;
    if (reader->options->json)
        told(reader, weir_record_message(stdout, reader->file, flow, heard, heard_message));
}

static void connection(void *context, const struct weir_flow *flow,
                       const struct weir_heard *heard, enum weir_flow_end end)
{
    struct reader *reader = context;

    reader->connections++;
    if (reader->options->json)
        told(reader, weir_record_connection(stdout, reader->file, flow, heard, end));
}

static void frame(void *context, weir_time time, enum weir_link link, const uint8_t *octets,
                  size_t captured, size_t wire)
{
    struct reader *reader = context;

    reader->octets += captured + PACKET_HEAD;
    reader->packets++;
    weir_sessions_frame(reader->sessions, time, link, octets, captured, wire);
}

/* Files. -------------------------------------------------------------------------------- */

/* Whether it is there to be read at all, and how large; what libpcap says of that is not told
 * apart from what is wrong inside. */
static bool look_at(struct reader *reader, const char *path, uint64_t *size_r)
{
    char why[WEIR_CAPTURE_WHY];
    struct stat about = {.st_size = 0};
    int file = -1, error = 0;

    *size_r = 0;
    if (strcmp(path, "-") == 0)
        return true;
    if (stat(path, &about) < 0)
        error = errno;
    else if (S_ISDIR(about.st_mode))
        error = EISDIR;
    else if (S_ISREG(about.st_mode) && (file = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        error = errno;
    if (file >= 0)
        close(file);
    *size_r = (uint64_t)about.st_size;
    if (error == 0)
        return true;
    snprintf(why, sizeof why, "%s: %s", path, strerror(error));
    complain(reader, EX_NOINPUT, why);
    return false;
}

static int open_sessions(struct reader *reader)
{
    struct weir_sessions_options options = {
        .ports = reader->scope.port,
        .port_count = reader->scope.ports,
        .proxies = reader->scope.proxy,
        .proxy_count = reader->scope.proxies,
        .name_addresses = reader->options->json,
        .charge_midstream = true,
        .one_sided = true,
        .key = reader->key,
    };
    struct weir_sessions_handler handler = {reader, message, connection};

    return weir_sessions_new(&options, &handler, reader->tally, &reader->sessions);
}

/* Reads all frames; NULL, or what stopped it (in why). */
static const char *read_frames(struct reader *reader, const char *path,
                               struct weir_capture *capture, char why[static WEIR_CAPTURE_WHY])
{
    char what[WEIR_CAPTURE_WHY];
    int done;

    while ((done = weir_capture_read(capture, AT_ONCE, frame, reader, what)) > 0)
        weir_progress_step(&reader->progress, reader->octets);
    weir_sessions_finish(reader->sessions);
    if (done == 0)
        return NULL;
    snprintf(why, WEIR_CAPTURE_WHY, "%.200s: %.100s", path, what);
    return why;
}

static void read_file(struct reader *reader, const char *path)
{
    struct weir_capture *capture;
    char why[WEIR_CAPTURE_WHY];
    const char *problem;
    uint64_t size;

    if (!look_at(reader, path, &size))
        return;
    if (weir_capture_open_file(path, &capture, why) < 0) {
        complain(reader, EX_DATAERR, why);
        return;
    }
    if (open_sessions(reader) < 0) {
        weir_capture_free(&capture);
        complain(reader, EX_OSERR, weir_error_text(WEIR_ENOMEM));
        return;
    }
    reader->octets = 0;
    reader->progress = weir_progress_begin(path, size);
    problem = read_frames(reader, path, capture, why);
    weir_progress_wipe(&reader->progress);
    if (problem)
        complain(reader, EX_DATAERR, problem);
    if (reader->options->json)
        told(reader, weir_record_file(stdout, path, problem,
                                      weir_sessions_counts(reader->sessions),
                                      weir_sessions_flows(reader->sessions)));
    weir_sessions_free(&reader->sessions);
    weir_capture_free(&capture);
}

/* The end. ------------------------------------------------------------------------------ */

/* SYNs that came to nothing go to their address's record. */
static void add_syns(void *context, const struct weir_address *address, uint32_t syns)
{
    struct reader *reader = context;
    struct weir_traffic *record = weir_tally_of(reader->tally, address);

    if (record)
        record->syns += syns;
}

static int by_importance(const void *left, const void *right)
{
    const struct weir_traffic *a = left, *b = right;
    const uint32_t keys[][2] = {{b->accepted, a->accepted}, {b->messages, a->messages},
                                {b->connections, a->connections}, {b->syns, a->syns}};

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (keys[i][0] != keys[i][1])
            return keys[i][0] < keys[i][1] ? -1 : 1;
    return memcmp(a->address.octet, b->address.octet, sizeof a->address.octet);
}

static void print_table(const struct reader *reader, const struct weir_traffic *record,
                        size_t count)
{
    char text[WEIR_ADDRESS_TEXT];

    printf("%-39s %11s %8s %8s %8s %10s %9s\n", "address", "connections", "syns", "messages",
           "accepted", "recipients", "estimated");
    for (size_t i = 0; i < count; i++)
        printf("%-39s %11" PRIu32 " %8" PRIu32 " %8" PRIu32 " %8" PRIu32 " %10" PRIu32
               " %9" PRIu32 "\n",
               weir_address_format(&record[i].address, text), record[i].connections,
               record[i].syns, record[i].messages, record[i].accepted, record[i].recipients,
               record[i].estimated);
    printf("%zu addresses, %" PRIu64 " connections, %" PRIu64 " messages, %" PRIu64
           " accepted; %" PRIu64 " packets\n", count, reader->connections, reader->messages,
           reader->accepted, reader->packets);
}

static void tell_addresses(struct reader *reader)
{
    struct weir_traffic *record;
    char text[120];
    size_t count;

    weir_tally_syns(reader->tally, INT64_MAX, add_syns, reader);
    record = weir_tally_records(reader->tally, &count);
    qsort(record, count, sizeof *record, by_importance);
    if (!reader->options->json)
        print_table(reader, record, count);
    for (size_t i = 0; reader->options->json && i < count; i++)
        told(reader, weir_record_address(stdout, &record[i]));
    if (weir_tally_overflow(reader->tally) + weir_tally_syn_overflow(reader->tally) > 0) {
        snprintf(text, sizeof text, "too many addresses: %" PRIu64 " charges and %" PRIu64
                 " SYNs are nobody's", weir_tally_overflow(reader->tally),
                 weir_tally_syn_overflow(reader->tally));
        complain(reader, EX_OK, text);
    }
}

/* What is asked for on the command line and in the configuration; or the exit code. */
static int prepare(struct reader *reader)
{
    struct weir_settings_report report = weir_settings_report_stderr();
    struct weir_arena *arena = weir_arena_new(ARENA_FIRST);
    struct weir_config config;
    const char *why = NULL;
    int done = WEIR_ENOMEM;

    if (arena)
        done = weir_config_load(reader->options->config_path, arena, &report, &config);
    if (done == 0) {
        done = weir_scope_read(&config, reader->options->ports, reader->options->proxies,
                               &reader->scope, &why);
        if (done < 0)
            fprintf(stderr, "%s: ports and proxies: %s\n", reader->options->program, why);
    }
    weir_arena_free(&arena);
    return done == 0 ? -1 : done == WEIR_ENOMEM ? EX_OSERR : why ? EX_USAGE : EX_CONFIG;
}

int weir_read_files(const struct weir_sniffer_options *options)
{
    struct reader reader = {.options = options, .key = weir_hash_key_random()};
    int done = prepare(&reader);

    if (done >= 0)
        return done;
    if (weir_tally_new(ADDRESSES, SYN_PLACES, &reader.key, &reader.tally) < 0) {
        complain(&reader, EX_OSERR, weir_error_text(WEIR_ENOMEM));
        return EX_OSERR;
    }
    for (size_t i = 0; i < options->files; i++) {
        reader.file = options->files > 1 ? options->file[i] : NULL;
        read_file(&reader, options->file[i]);
    }
    tell_addresses(&reader);
    weir_tally_free(&reader.tally);
    if (fflush(stdout) != 0 || ferror(stdout))
        complain(&reader, EX_IOERR, "standard output cannot be written");
    return reader.exit_code;
}
