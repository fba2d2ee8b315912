/*
 * live - one loop: frames when there are some, and each second what is due.  Owns capture,
 * sessions, tally and spool.  The interface stays open over a reload; another one needs the
 * rights that were dropped, and so a restart.
 *
 * Time in lines is the system's, that of sessions even (even.h), the loop's own steady.  What is
 * open when the sniffer is told to stop is not charged as given up: it goes on without us.
 */
#include "sniffer/live_io.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/engine/numbers_io.h"
#include "core/program/daemon_log_io.h"
#include "core/program/sd_notify_io.h"
#include "core/program/signals_io.h"
#include "core/store/spool_io.h"
#include "sniffer/capture_io.h"
#include "sniffer/even.h"
#include "sniffer/live_numbers.h"
#include "sniffer/live_setup_io.h"
#include "sniffer/session.h"
#include "sniffer/witness_io.h"

enum {
    AT_ONCE = 4096,
    ARENA_FIRST = 8192,
    PATIENCE = 100, /* ms an idle capture is not asked */
    LAST_LOOKS = 4, /* at the end, at what has come before it */
    OWN_EVERY = 10, /* seconds between looks at the machine's own addresses */
};
#define SYN_WAIT (10 * WEIR_SECOND)

struct weir_live {
    struct weir_sniffer_options options;
    struct weir_live_setup setup;
    struct weir_daemon_log log;
    struct weir_numbers *numbers; /* of the first configuration's folder */
    struct weir_clock wall, steady;
    struct weir_notify notify;
    int signals;
    struct weir_hash_key key;
    struct weir_capture *capture;
    char *interface;             /* where it listens, whatever a reload wants */
    struct weir_tally *tally;
    struct weir_witnesses *witnesses;
    struct weir_calibration calibration;
    struct weir_own own;
    unsigned turns;              /* seconds written down */
    struct weir_sessions *sessions;
    uint32_t dropped_seen;       /* the kernel's 32 bits, when last looked at */
    uint64_t packets, gaps, witnessed, spool_dropped; /* of sessions and spools before a reload */
    uint64_t odd, forged, foreign, unproven; /* the same */
    uint64_t dropped, overflow;  /* sums */
    uint64_t dropped_told, overflow_told, foreign_told, foreign_seen;
    uint64_t suspects;           /* connections that contradict themselves, not told yet, ... */
    struct weir_address suspect; /* ... and the last one's client */
    weir_time next;              /* steady: the end of the second at hand */
    weir_time warned;            /* steady */
    weir_time now;               /* of the lines that are written */
    struct weir_even even;       /* the time of sessions */
};

static int open_spool(struct weir_live *live)
{
    const struct weir_config *config = &live->setup.config;
    struct weir_spool_options options = {
        .folder = weir_config_path(config, config->spool_folder, live->setup.arena),
        .name = "sniffer",
        .bytes_most = (uint64_t)config->spool_size,
        .turn = config->spool_turn,
        .alone = true,
    };
    int done;

    if (config->spool_folder[0] == '\0')
        return 0;
    if (!options.folder || weir_witness_files_new(options.folder, &live->setup.files) < 0)
        return WEIR_ENOMEM;
    done = weir_spool_open(&options, &live->log.log, &live->setup.spool);
    if (done == WEIR_EBUSY)
        weir_log(&live->log.log, WEIR_LOG_ERROR, "another weir-sniffer writes to %s: two would "
                 "count everything twice; a server has one, for all its interfaces",
                 options.folder);
    return done;
}

/* What sessions tell: for the log only. ------------------------------------------------- */

static void message(void *context, const struct weir_flow *flow, const struct weir_heard *heard,
                    const struct weir_heard_message *heard_message)
{
    struct weir_live *live = context;
    char client[WEIR_ADDRESS_TEXT], server[WEIR_ADDRESS_TEXT];

    if (live->log.log.most < WEIR_LOG_DEBUG)
        return;
    weir_log(&live->log.log, WEIR_LOG_DEBUG,
             "message client=%s server=%s:%u result=%s reply=%u recipients=%u source=%s",
             weir_address_format(&heard->client, client),
             weir_address_format(&flow->server, server), flow->server_port,
             weir_heard_result_name(heard_message->result), heard_message->reply,
             heard_message->recipients_accepted, heard_message->estimate ? "estimate" : "clear");
}

static void connection(void *context, const struct weir_flow *flow,
                       const struct weir_heard *heard, enum weir_flow_end end)
{
    struct weir_live *live = context;

    (void)end;
    if (heard->odd == 0 && flow->forged == 0)
        return;
    live->suspects++;
    live->suspect = heard->client;
}

/* Opening. ------------------------------------------------------------------------------ */

static struct weir_capture_options capture_options(const struct weir_live_setup *setup)
{
    return (struct weir_capture_options){
        .ports = setup->scope.port,
        .port_count = setup->scope.ports,
        .snaplen = (size_t)setup->config.sniffer_snaplen,
        .ring = (size_t)setup->config.sniffer_buffer,
        .promiscuous = setup->config.sniffer_promiscuous,
    };
}

static int open_sessions(struct weir_live *live)
{
    const struct weir_scope *scope = &live->setup.scope;
    struct weir_sessions_options options = {
        .ports = scope->port,
        .port_count = scope->ports,
        .proxies = scope->proxy,
        .proxy_count = scope->proxies,
        .witnesses = live->witnesses,
        .calibration = &live->calibration,
        .own = &live->own,
        .charge_own = live->setup.config.sniffer_count_own,
        .key = live->key,
    };
    struct weir_sessions_handler handler = {.context = live, .message = message,
                                            .connection = connection};

    return weir_sessions_new(&options, &handler, live->tally, &live->sessions);
}

static const char *wanted_interface(const struct weir_live *live,
                                    const struct weir_live_setup *setup)
{
    return live->options.interface ? live->options.interface : setup->config.sniffer_interface;
}

/* Opens the interface, and gives up what that needed. */
static int open_capture(struct weir_live *live)
{
    struct weir_capture_options options = capture_options(&live->setup);
    const char *user = live->setup.config.sniffer_user;
    char why[WEIR_CAPTURE_WHY];
    int done;

    live->interface = strdup(wanted_interface(live, &live->setup));
    if (!live->interface)
        return WEIR_ENOMEM;
    done = weir_capture_open_live(live->interface, &options, &live->capture, why);
    if (done == 0)
        done = weir_capture_drop_rights(geteuid() == 0 && user[0] ? user : NULL, why);
    if (done < 0)
        weir_log(&live->log.log, WEIR_LOG_ERROR, "%s", why);
    return done;
}

static int open_parts(struct weir_live *live)
{
    int done = open_capture(live);

    (void)weir_own_read(&live->own);
    if (done == 0)
        done = weir_numbers_open(&live->setup.config, WEIR_NUMBERS_SNIFFER, true, &live->log.log,
                                 &live->numbers);
    if (done == 0)
        done = open_spool(live);
    if (done == 0)
        done = weir_tally_new(WEIR_LIVE_ADDRESSES, WEIR_LIVE_SYN_PLACES, &live->key,
                              &live->tally);
    if (done == 0)
        done = weir_witnesses_new(&live->witnesses);
    if (done == 0)
        done = open_sessions(live);
    if (done == 0 && (live->signals = weir_signals_open()) < 0)
        done = live->signals;
    return done;
}

int weir_live_test(const struct weir_sniffer_options *options)
{
    struct weir_settings_report report = weir_settings_report_stderr();
    struct weir_live live = {.options = *options};
    int done = weir_live_setup_read(&live.options, &report, &live.setup);

    if (done == 0)
        weir_live_setup_shut(&live.setup);
    return done;
}

int weir_live_open(const struct weir_sniffer_options *options, struct weir_live **live_r)
{
    struct weir_settings_report report = weir_settings_report_stderr();
    struct weir_live *live = calloc(1, sizeof *live);
    int done;

    if (!live)
        return WEIR_ENOMEM;
    live->options = *options;
    live->signals = live->notify.fd = -1;
    live->wall = weir_clock_system();
    live->steady = weir_clock_steady();
    live->key = weir_hash_key_random();
    done = weir_live_setup_read(&live->options, &report, &live->setup);
    if (done == 0) {
        weir_daemon_log_use(&live->log, options->program, &live->setup.config);
        done = open_parts(live);
    }
    if (done < 0)
        weir_live_close(&live);
    else
        *live_r = live;
    return done;
}

void weir_live_close(struct weir_live **live)
{
    if (!live || !*live)
        return;
    weir_sessions_free(&(*live)->sessions);
    weir_witnesses_free(&(*live)->witnesses);
    weir_tally_free(&(*live)->tally);
    weir_capture_free(&(*live)->capture);
    weir_numbers_close(&(*live)->numbers);
    free((*live)->interface);
    if ((*live)->signals >= 0)
        close((*live)->signals);
    weir_notify_close(&(*live)->notify);
    if ((*live)->log.program)
        weir_daemon_log_end(&(*live)->log);
    weir_live_setup_shut(&(*live)->setup);
    free(*live);
    *live = NULL;
}

/* Each second. -------------------------------------------------------------------------- */

static void write_line(struct weir_live *live, const char *line)
{
    if (live->setup.spool)
        (void)weir_spool_write(live->setup.spool, live->now, line); /* losses are counted there */
}

static void write_syns(void *context, const struct weir_address *address, uint32_t syns)
{
    struct weir_live *live = context;
    struct weir_traffic traffic = {.time = live->now, .address = *address};
    char line[WEIR_TRAFFIC_LINE_ROOM];

    traffic.syns = syns;
    write_line(live, weir_traffic_line_write(&traffic, line));
}

static void write_traffic(struct weir_live *live)
{
    char line[WEIR_TRAFFIC_LINE_ROOM];
    struct weir_traffic *record;
    size_t count;

    record = weir_tally_records(live->tally, &count);
    for (size_t i = 0; i < count; i++) {
        record[i].time = live->now;
        write_line(live, weir_traffic_line_write(&record[i], line));
    }
}

/* Segments in this machine's name that came in from outside; a sum. */
static uint64_t count_foreign(const struct weir_live *live)
{
    return live->foreign + weir_sessions_flows(live->sessions)->foreign;
}

static void write_health(struct weir_live *live)
{
    const struct weir_sessions_counts *counts = weir_sessions_counts(live->sessions);
    const struct weir_flows_counts *flows = weir_sessions_flows(live->sessions);
    struct weir_health health = {.time = live->now, .packets = live->packets,
                                 .kernel_dropped = live->dropped,
                                 .gaps = live->gaps + flows->gaps, .flows = flows->open,
                                 .calibrated = weir_calibration_known(&live->calibration),
                                 .witnessed = live->witnessed + counts->witnessed,
                                 .odd = live->odd + counts->odd,
                                 .forged = live->forged + flows->forged + count_foreign(live),
                                 .unproven = live->unproven +
                                             weir_sessions_unproven(live->sessions)};
    char line[WEIR_TRAFFIC_LINE_ROOM];
    size_t addresses;

    weir_tally_records(live->tally, &addresses);
    health.addresses = addresses;
    for (unsigned i = 0; i < WEIR_FRAMES; i++)
        health.packets += counts->frames[i];
    health.spool_dropped = live->spool_dropped;
    if (live->setup.spool)
        health.spool_dropped += weir_spool_dropped(live->setup.spool);
    write_line(live, weir_health_line_write(&health, line));
    weir_live_count(live->numbers, &health, live->overflow, live->log.lost);
}

/* The kernel counts in 32 bits. */
static void count_drops(struct weir_live *live)
{
    uint32_t dropped = (uint32_t)weir_capture_counts(live->capture).dropped;

    live->dropped += (uint32_t)(dropped - live->dropped_seen);
    live->dropped_seen = dropped;
    live->overflow = weir_tally_overflow(live->tally);
}

static void warn_of_suspects(struct weir_live *live)
{
    char client[WEIR_ADDRESS_TEXT];

    weir_log(&live->log.log, WEIR_LOG_WARNING, "%" PRIu64 " connections in which segments of the "
             "client contradict each other, or the server's answers; the last one client=%s",
             live->suspects, weir_address_format(&live->suspect, client));
    live->suspects = 0;
}

static void warn_of_losses(struct weir_live *live, uint64_t dropped, uint64_t overflow)
{
    weir_log(&live->log.log, WEIR_LOG_WARNING, "the kernel dropped %" PRIu64 " packets (see "
             "[sniffer] buffer); %" PRIu64 " charges of too many addresses are nobody's",
             dropped, overflow);
    live->dropped_told = live->dropped;
    live->overflow_told = live->overflow;
}

static void warn_of_foreign(struct weir_live *live, uint64_t foreign)
{
    weir_log(&live->log.log, WEIR_LOG_WARNING, "%" PRIu64 " segments with an address of this "
             "machine as their source came in from outside, and are nobody's: somebody in its "
             "network sends them, or they are its own that come back", foreign);
    live->foreign_told += foreign;
}

/* What was lost, and who tried to deceive, since the last warning; once a minute. */
static void warn(struct weir_live *live, weir_time steady)
{
    uint64_t dropped = live->dropped - live->dropped_told;
    uint64_t overflow = live->overflow - live->overflow_told;
    uint64_t foreign = count_foreign(live) - live->foreign_told;
    uint64_t news = dropped + overflow + foreign + live->suspects;

    if (news == 0 || (live->warned != 0 && steady < live->warned + WEIR_MINUTE))
        return;
    live->warned = steady;
    if (live->suspects > 0)
        warn_of_suspects(live);
    if (foreign > 0)
        warn_of_foreign(live, foreign);
    if (dropped + overflow > 0)
        warn_of_losses(live, dropped, overflow);
}

static void take_witness(void *context, struct weir_slice line)
{
    struct weir_live *live = context;
    struct weir_witness witness;

    if (weir_witness_read(line, live->now, &witness) <= 0)
        return;
    witness.time -= live->even.ahead;
    weir_witnesses_logged(live->witnesses, &witness);
}

static void look_at_clocks(struct weir_live *live)
{
    live->now = weir_clock_now(&live->wall);
    weir_even_look(&live->even, live->now, weir_clock_now(&live->steady));
}

/* From time to time; and at once when segments seem to be another's in this machine's name, in
 * case it is the cards that changed. */
static void look_at_own(struct weir_live *live)
{
    uint64_t foreign = count_foreign(live);

    if (live->turns++ % OWN_EVERY == 0 || foreign != live->foreign_seen)
        (void)weir_own_read(&live->own); /* or it stays as it was */
    live->foreign_seen = foreign;
}

/* Writes down the second that is over. */
static void turn(struct weir_live *live)
{
    look_at_clocks(live);
    look_at_own(live);
    if (live->setup.files)
        weir_witness_files_look(live->setup.files, take_witness, live);
    weir_sessions_tick(live->sessions, live->even.now);
    count_drops(live);
    write_traffic(live);
    weir_tally_syns(live->tally, live->even.now - SYN_WAIT, write_syns, live);
    write_health(live);
    weir_tally_clear(live->tally);
    if (live->setup.spool)
        weir_spool_turn(live->setup.spool, live->now);
}

/* Reloading. ---------------------------------------------------------------------------- */

/* Other ports or proxies: connections are begun anew, and those there are go on midstream.  They
 * are not charged as given up. */
static int change_scope(struct weir_live *live, const struct weir_live_setup *next)
{
    struct weir_capture_options options = capture_options(next);
    struct weir_sessions *before = live->sessions;
    struct weir_scope scope = live->setup.scope;
    char why[WEIR_CAPTURE_WHY];
    int done;

    live->setup.scope = next->scope;
    done = open_sessions(live);
    if (done == 0 && (done = weir_capture_filter(live->capture, &options, why)) < 0) {
        weir_log(&live->log.log, WEIR_LOG_ERROR, "%s", why);
        weir_sessions_free(&live->sessions);
    }
    if (done < 0) {
        live->sessions = before;
        live->setup.scope = scope;
        return done;
    }
    for (unsigned i = 0; i < WEIR_FRAMES; i++)
        live->packets += weir_sessions_counts(before)->frames[i];
    live->gaps += weir_sessions_flows(before)->gaps;
    live->forged += weir_sessions_flows(before)->forged;
    live->foreign += weir_sessions_flows(before)->foreign;
    live->odd += weir_sessions_counts(before)->odd;
    live->unproven += weir_sessions_unproven(before);
    live->witnessed += weir_sessions_counts(before)->witnessed;
    weir_sessions_free(&before);
    weir_tally_clear(live->tally);
    return 0;
}

static void tell_scope(const struct weir_live *live, const char *word)
{
    weir_log(&live->log.log, WEIR_LOG_INFO, "%s at %s, %zu ports, %zu proxies", word,
             live->interface, live->setup.scope.ports, live->setup.scope.proxies);
}

/* Whether what is only looked at as the interface is opened is another than before. */
static bool needs_restart(const struct weir_live *live, const struct weir_live_setup *next)
{
    const struct weir_config *old = &live->setup.config, *new = &next->config;

    return strcmp(wanted_interface(live, next), live->interface) != 0 ||
           old->sniffer_snaplen != new->sniffer_snaplen ||
           old->sniffer_buffer != new->sniffer_buffer ||
           old->sniffer_promiscuous != new->sniffer_promiscuous ||
           strcmp(old->sniffer_user, new->sniffer_user) != 0;
}

/* The new configuration in place of the old one, whose scope is no longer in use. */
static void replace_setup(struct weir_live *live, const struct weir_live_setup *next)
{
    if (needs_restart(live, next))
        weir_log(&live->log.log, WEIR_LOG_WARNING, "another interface, snaplen, buffer, "
                 "promiscuous or user needs a restart");
    if (live->setup.spool)
        live->spool_dropped += weir_spool_dropped(live->setup.spool);
    weir_live_setup_shut(&live->setup);
    live->setup = *next;
    weir_sessions_charge_own(live->sessions, next->config.sniffer_count_own);
    weir_daemon_log_use(&live->log, live->options.program, &live->setup.config);
    if (open_spool(live) < 0)
        weir_log(&live->log.log, WEIR_LOG_ERROR, "the spool cannot be opened");
    tell_scope(live, "configuration read: listening");
}

static void reload(struct weir_live *live)
{
    struct weir_settings_report report = {weir_log_problem, &live->log.log};
    struct weir_live_setup next;

    weir_notify_reloading(&live->notify);
    turn(live);
    if (weir_live_setup_read(&live->options, &report, &next) == 0) {
        if (weir_scope_same(&next.scope, &live->setup.scope) || change_scope(live, &next) == 0)
            replace_setup(live, &next);
        else
            weir_live_setup_shut(&next);
    }
    weir_notify_ready(&live->notify);
}

/* The loop. ----------------------------------------------------------------------------- */

static void each_second(struct weir_live *live)
{
    weir_time steady = weir_clock_now(&live->steady);

    if (steady >= live->next) {
        turn(live);
        live->next += WEIR_SECOND;
        if (live->next <= steady)
            live->next = steady + WEIR_SECOND;
    }
    warn(live, steady);
    weir_notify_alive(&live->notify, steady);
    weir_daemon_log_flush(&live->log);
}

static void wait_for_frames(const struct weir_live *live)
{
    weir_time left = live->next - weir_clock_now(&live->steady);
    struct pollfd files[] = {{.fd = weir_capture_fd(live->capture), .events = POLLIN},
                             {.fd = live->signals, .events = POLLIN}};
    int timeout = left <= 0 ? 0 : left >= PATIENCE * 1000 ? PATIENCE : (int)(left / 1000) + 1;

    (void)poll(files, 2, timeout);
}

static void frame(void *context, weir_time time, enum weir_link link, const uint8_t *octets,
                  size_t captured, size_t wire)
{
    struct weir_live *live = context;

    weir_sessions_frame(live->sessions, weir_even_of(&live->even, time), link, octets, captured,
                        wire);
}

static int listen_on(struct weir_live *live, bool *stop)
{
    char why[WEIR_CAPTURE_WHY];
    bool again = false;
    int frames;

    wait_for_frames(live);
    look_at_clocks(live);
    frames = weir_capture_read(live->capture, AT_ONCE, frame, live, why);
    if (frames < 0) {
        weir_log(&live->log.log, WEIR_LOG_ERROR, "%s: %s", live->interface, why);
        return frames;
    }
    weir_signals_read(live->signals, &again, stop);
    if (again)
        reload(live);
    each_second(live);
    return 0;
}

/* What came before the word to stop is still on its way through the kernel for a moment. */
static void read_out(struct weir_live *live)
{
    struct pollfd file = {.fd = weir_capture_fd(live->capture), .events = POLLIN};
    char why[WEIR_CAPTURE_WHY];

    for (int i = 0; i < LAST_LOOKS; i++) {
        (void)poll(&file, 1, PATIENCE);
        look_at_clocks(live);
        if (weir_capture_read(live->capture, AT_ONCE, frame, live, why) <= 0)
            return;
    }
}

int weir_live_run(struct weir_live *live)
{
    bool stop = false;
    int done = 0;

    live->notify = weir_notify_open();
    live->next = weir_clock_now(&live->steady) + WEIR_SECOND;
    tell_scope(live, "listening");
    weir_notify_ready(&live->notify);
    while (done == 0 && !stop)
        done = listen_on(live, &stop);
    weir_notify_stopping(&live->notify);
    if (done == 0)
        read_out(live);
    turn(live);
    weir_log(&live->log.log, WEIR_LOG_INFO, "stopping; %" PRIu64 " packets dropped by the kernel",
             live->dropped);
    return done;
}
