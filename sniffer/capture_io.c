/*
 * libpcap behind a header of ours.  The capture owns its pcap_t; what comes out are frames with
 * times and the link type.
 *
 * The kernel's filter only thins out: flow.h looks at the ports again.  "tcp[...]" never matches
 * IPv6, and "vlan" moves the meaning of all that stands behind it, so it stands last.  Refused are
 * link types that frame.h does not know.
 */
#include "sniffer/capture_io.h"

#include <cap-ng.h>
#include <errno.h>
#include <limits.h>
#include <pcap.h>
#include <pwd.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/line.h"
#include "sniffer/capture_plain_io.h"

enum { RING = 64 << 20, TIMEOUT = 50, SNAPLEN = 262144, FILTER_MAX = 4096,
       PIECE = 64 << 10 };

struct weir_capture {
    pcap_t *pcap;
    struct weir_plain *plain; /* of a file that can be read without libpcap, as far as it can */
    enum weir_link link;
    bool live;
    uint64_t read;
    /* of one weir_capture_read() */
    weir_capture_frame *frame;
    void *context;
};

static int fail(int error, char why[static WEIR_CAPTURE_WHY], const char *what, const char *text)
{
    snprintf(why, WEIR_CAPTURE_WHY, "%s: %s", what, text);
    return error;
}

static int begin(pcap_t *pcap, const char *name, bool live, struct weir_capture **capture_r,
                 char why[static WEIR_CAPTURE_WHY])
{
    struct weir_capture *capture = calloc(1, sizeof(*capture));
    if (!capture)
        return fail(WEIR_ENOMEM, why, name, weir_error_text(WEIR_ENOMEM));
    if (!weir_frame_link(pcap_datalink(pcap), &capture->link)) {
        free(capture);
        return fail(WEIR_EINVAL, why, name, "its link type is not understood");
    }
    capture->pcap = pcap;
    capture->live = live;
    *capture_r = capture;
    return 0;
}

/* In large pieces: the C library's own are of 4 KB. */
static pcap_t *open_stream(const char *path, char text[PCAP_ERRBUF_SIZE])
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "rbe");
    if (!file) {
        snprintf(text, PCAP_ERRBUF_SIZE, "%s", strerror(errno));
        return NULL;
    }
    setvbuf(file, NULL, _IOFBF, PIECE);
    __fsetlocking(file, FSETLOCKING_BYCALLER);
    pcap_t *pcap = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_MICRO,
                                                            text);
    if (!pcap && !standard)
        fclose(file);
    return pcap;
}

int weir_capture_open_file(const char *path, struct weir_capture **capture_r,
                           char why[static WEIR_CAPTURE_WHY])
{
    char text[PCAP_ERRBUF_SIZE] = "";
    pcap_t *pcap = open_stream(path, text);
    if (!pcap)
        return fail(WEIR_EIO, why, path, text);
    int rc = begin(pcap, path, false, capture_r, why);
    if (rc != 0) {
        pcap_close(pcap);
        return rc;
    }
    (*capture_r)->plain = weir_plain_new(pcap_file(pcap), (uint32_t)pcap_snapshot(pcap));
    return 0;
}

/* A watched port, or extension headers before it. */
static void add_ports(struct weir_line *line, const struct weir_capture_options *options)
{
    for (size_t i = 0; i < options->port_count; i++) {
        weir_line_text(line, "tcp port ");
        weir_line_count(line, options->ports[i]);
        weir_line_text(line, " or ");
    }
    weir_line_text(line, "(ip6 and (ip6[6] = 0 or ip6[6] = 43 or ip6[6] = 44 or ip6[6] = 51 or "
                         "ip6[6] = 60))");
}

/* On Ethernet with up to two tags in the frame (the kernel keeps the outer one apart); cooked
 * captures cannot look behind a tag that is left, and pass it. */
static const char *filter_of(const struct weir_capture *capture,
                             const struct weir_capture_options *options, char text[FILTER_MAX])
{
    struct weir_line line = weir_line(text, FILTER_MAX);
    add_ports(&line, options);
    if (capture->link == WEIR_LINK_ETHERNET) {
        weir_line_text(&line, " or (vlan and (");
        add_ports(&line, options);
        weir_line_text(&line, " or (vlan and (");
        add_ports(&line, options);
        weir_line_text(&line, "))))");
    } else if (capture->link == WEIR_LINK_COOKED || capture->link == WEIR_LINK_COOKED2) {
        weir_line_text(&line, " or ether proto 0x8100 or ether proto 0x88a8");
    }
    return weir_line_end(&line);
}

static int set_filter(struct weir_capture *capture, const char *interface,
                      const struct weir_capture_options *options,
                      char why[static WEIR_CAPTURE_WHY])
{
    char text[FILTER_MAX];
    struct bpf_program program;
    if (options->port_count == 0)
        return 0;
    if (options->port_count > WEIR_SNIFFER_PORTS_MAX)
        return fail(WEIR_EINVAL, why, interface, "too many ports");
    if (pcap_compile(capture->pcap, &program, filter_of(capture, options, text), 1,
                     PCAP_NETMASK_UNKNOWN) != 0)
        return fail(WEIR_EIO, why, interface, pcap_geterr(capture->pcap));
    int rc = pcap_setfilter(capture->pcap, &program);
    pcap_freecode(&program);
    return rc == 0 ? 0 : fail(WEIR_EIO, why, interface, pcap_geterr(capture->pcap));
}

/* Sets what must be set before activation, and activates; warnings are none of ours. */
static int activate(pcap_t *pcap, const char *interface,
                    const struct weir_capture_options *options, char why[static WEIR_CAPTURE_WHY])
{
    size_t ring = options->ring > 0 && options->ring <= INT_MAX ? options->ring : RING;
    size_t snaplen = options->snaplen > 0 && options->snaplen < SNAPLEN ? options->snaplen
                                                                        : SNAPLEN;
    char text[PCAP_ERRBUF_SIZE] = "";
    pcap_set_snaplen(pcap, (int)snaplen);
    pcap_set_buffer_size(pcap, (int)ring);
    pcap_set_promisc(pcap, options->promiscuous);
    pcap_set_immediate_mode(pcap, 0);
    pcap_set_timeout(pcap, TIMEOUT);
    int rc = pcap_activate(pcap);
    if (rc < 0) {
        const char *said = pcap_geterr(pcap);
        return fail(WEIR_EIO, why, interface, said[0] ? said : pcap_statustostr(rc));
    }
    if (pcap_setnonblock(pcap, 1, text) != 0)
        return fail(WEIR_EIO, why, interface, text);
    return 0;
}

int weir_capture_open_live(const char *interface, const struct weir_capture_options *options,
                           struct weir_capture **capture_r, char why[static WEIR_CAPTURE_WHY])
{
    char text[PCAP_ERRBUF_SIZE] = "";
    struct weir_capture *capture = NULL;
    pcap_t *pcap = pcap_create(interface, text);
    if (!pcap)
        return fail(WEIR_EIO, why, interface, text);
    int rc = activate(pcap, interface, options, why);
    if (rc == 0)
        rc = begin(pcap, interface, true, &capture, why);
    if (rc == 0)
        rc = set_filter(capture, interface, options, why);
    if (rc != 0) {
        free(capture);
        pcap_close(pcap);
        return rc;
    }
    *capture_r = capture;
    return 0;
}

int weir_capture_filter(struct weir_capture *capture, const struct weir_capture_options *options,
                        char why[static WEIR_CAPTURE_WHY])
{
    return set_filter(capture, "filter", options, why);
}

void weir_capture_free(struct weir_capture **capture)
{
    if (!*capture)
        return;
    weir_plain_free(&(*capture)->plain);
    pcap_close((*capture)->pcap);
    free(*capture);
    *capture = NULL;
}

/* What is wrong, or NULL. */
static const char *become(const char *user)
{
    errno = 0;
    const struct passwd *entry = getpwnam(user);
    if (!entry)
        return errno ? strerror(errno) : "no such user";
    capng_clear(CAPNG_SELECT_BOTH);
    if (capng_change_id((int)entry->pw_uid, (int)entry->pw_gid,
                        CAPNG_INIT_SUPP_GRP | CAPNG_CLEAR_BOUNDING) != 0)
        return "cannot become that user";
    if (entry->pw_uid != 0 && setuid(0) == 0)
        return "could become root again";
    return NULL;
}

int weir_capture_drop_rights(const char *user, char why[static WEIR_CAPTURE_WHY])
{
    const char *problem = user ? become(user) : NULL;
    if (problem)
        return fail(WEIR_EIO, why, user, problem);
    capng_clear(CAPNG_SELECT_BOTH);
    if (!user && capng_apply(CAPNG_SELECT_CAPS) != 0)
        return fail(WEIR_EIO, why, "capabilities", "cannot be dropped");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return fail(WEIR_EIO, why, "no_new_privs", strerror(errno));
    return 0;
}

static void take(u_char *context, const struct pcap_pkthdr *head, const u_char *octets)
{
    struct weir_capture *capture = (struct weir_capture *)(void *)context;
    bool sane = head->ts.tv_sec >= 0 && head->ts.tv_sec <= UINT32_MAX; /* pcapng may say more */
    weir_time time = sane ? head->ts.tv_sec * WEIR_SECOND + head->ts.tv_usec : 0;
    capture->read++;
    capture->frame(capture->context, time, capture->link, octets, head->caplen, head->len);
}

/* As many sound records as there are, up to count; behind them libpcap goes on. */
static int read_plain(struct weir_capture *capture, int count)
{
    struct weir_plain_record record;
    int frames = 0;
    while (frames < count && weir_plain_next(capture->plain, &record)) {
        capture->frame(capture->context, record.time, capture->link, record.octets,
                       record.captured, record.wire);
        frames++;
    }
    if (frames < count)
        weir_plain_free(&capture->plain);
    capture->read += (uint64_t)frames;
    return frames;
}

int weir_capture_read(struct weir_capture *capture, int count, weir_capture_frame *frame,
                      void *context, char why[static WEIR_CAPTURE_WHY])
{
    capture->frame = frame;
    capture->context = context;
    int frames = capture->plain ? read_plain(capture, count) : 0;
    if (frames > 0)
        return frames;
    int rc = pcap_dispatch(capture->pcap, count, take, (u_char *)(void *)capture);
    return rc >= 0 ? rc : fail(WEIR_EIO, why, "capture", pcap_geterr(capture->pcap));
}

int weir_capture_fd(const struct weir_capture *capture)
{
    return capture->live ? pcap_get_selectable_fd(capture->pcap) : -1;
}

struct weir_capture_counts weir_capture_counts(struct weir_capture *capture)
{
    struct pcap_stat stat;
    if (!capture->live || pcap_stats(capture->pcap, &stat) != 0)
        return (struct weir_capture_counts){.received = capture->read};
    return (struct weir_capture_counts){stat.ps_recv, stat.ps_drop, stat.ps_ifdrop};
}
