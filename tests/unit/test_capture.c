/* capture_io: files, good and damaged; an interface with real connections, where the machine
 * lets us; rights that are gone afterwards. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "core/base/error.h"
#include "sniffer/capture_io.h"
#include "tests/unit/scratch.h"

struct seen {
    unsigned frames, segments, ipv6;
    weir_time last;
    size_t wire;
};

static void see(void *context, weir_time time, enum weir_link link, const uint8_t *octets,
                size_t captured, size_t wire)
{
    struct seen *seen = context;
    struct weir_segment segment;
    seen->frames++;
    seen->last = time;
    seen->wire = wire;
    if (weir_frame_read(link, octets, captured, wire, &segment) == WEIR_FRAME_SEGMENT) {
        seen->segments++;
        seen->ipv6 += !weir_address_is_ipv4(&segment.source);
    }
}

/* A capture file of raw IP or another link type, with frames of 40 octets of 60 sent. */
static const char *write_file(struct scratch *scratch, uint32_t link, unsigned frames,
                              size_t without)
{
    const char *path = scratch_path(scratch, "x.pcap");
    const uint32_t head[] = {0xa1b2c3d4, 4 << 16 | 2, 0, 0, 65535, link};
    const uint8_t ip[40] = {0x45, 0, 0, 60, [8] = 64, 6, [12] = 192, 0, 2, 1, 198, 51, 100, 9,
                            [22] = 0, 25, [32] = 0x50, 0x10};
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fwrite(head, sizeof(head), 1, file);
    for (uint32_t i = 0; i < frames; i++) {
        const uint32_t packet[] = {1700000000 + i, 250000, sizeof(ip), 60};
        fwrite(packet, sizeof(packet), 1, file);
        fwrite(ip, sizeof(ip) - (i + 1 == frames ? without : 0), 1, file);
    }
    fclose(file);
    return path;
}

static void a_file_is_read_in_pieces_to_its_end(void **state)
{
    (void)state;
    struct scratch *scratch = scratch_new();
    struct weir_capture *capture;
    struct seen seen = {.frames = 0};
    char why[WEIR_CAPTURE_WHY];
    const char *path = write_file(scratch, 101, 5, 0);
    assert_int_equal(weir_capture_open_file(path, &capture, why), 0);
    assert_int_equal(weir_capture_fd(capture), -1);
    static const int want[] = {2, 2, 1, 0};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(weir_capture_read(capture, 2, see, &seen, why), want[i]);
    assert_int_equal(seen.segments, 5);
    assert_int_equal(seen.wire, 60);
    assert_true(seen.last == 1700000004 * WEIR_SECOND + 250000);
    assert_int_equal(weir_capture_counts(capture).received, 5);
    weir_capture_free(&capture);
    weir_capture_free(&capture);
    scratch_free(scratch);
}

static void what_cannot_be_read_says_why(void **state)
{
    (void)state;
    struct scratch *scratch = scratch_new();
    struct weir_capture *capture = NULL;
    struct weir_capture_options options = {.port_count = 0};
    struct seen seen = {.frames = 0};
    char why[WEIR_CAPTURE_WHY];
    assert_int_equal(weir_capture_open_file("no such file", &capture, why), WEIR_EIO);
    assert_non_null(strstr(why, "no such file"));
    assert_int_equal(weir_capture_open_file(write_file(scratch, 105, 1, 0), &capture, why),
                     WEIR_EINVAL);
    assert_non_null(strstr(why, "link type"));
    assert_int_equal(weir_capture_open_live("no-such-if", &options, &capture, why), WEIR_EIO);
    assert_non_null(strstr(why, "no-such-if"));
    assert_null(capture);
    assert_int_equal(weir_capture_open_file(write_file(scratch, 101, 3, 7), &capture, why), 0);
    int rc;
    while ((rc = weir_capture_read(capture, 10, see, &seen, why)) > 0)
        continue;
    assert_int_equal(rc, WEIR_EIO); /* cut off in the last frame; those before are told */
    assert_int_equal(seen.frames, 2);
    weir_capture_free(&capture);
    scratch_free(scratch);
}

/* Connects to a port of this machine that listens, and closes. */
static void connect_once(int family, int listener)
{
    struct sockaddr_storage where;
    socklen_t len = sizeof(where);
    int fd = socket(family, SOCK_STREAM, 0);
    getsockname(listener, (struct sockaddr *)&where, &len);
    assert_int_equal(connect(fd, (struct sockaddr *)&where, len), 0);
    close(fd);
}

static int listen_on(int family, uint16_t *port_r)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bool is_six = family == AF_INET6;
    socklen_t len = is_six ? sizeof(six) : sizeof(four);
    int fd = socket(family, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, is_six ? (void *)&six : (void *)&four, len) != 0 || listen(fd, 5) != 0) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    getsockname(fd, is_six ? (void *)&six : (void *)&four, &len);
    *port_r = ntohs(is_six ? six.sin6_port : four.sin_port);
    return fd;
}

static void both_families_are_captured_on(const char *interface)
{
    uint16_t ports[2] = {1, 1}, other;
    int four = listen_on(AF_INET, &ports[0]), six = listen_on(AF_INET6, &ports[1]);
    int unwatched = listen_on(AF_INET, &other);
    struct weir_capture_options options = {.ports = ports, .port_count = 2, .ring = 1 << 20};
    struct weir_capture *capture;
    struct seen seen = {.frames = 0};
    char why[WEIR_CAPTURE_WHY];
    if (weir_capture_open_live(interface, &options, &capture, why) != 0) {
        print_message("cannot capture here: %s\n", why);
        skip();
    }
    connect_once(AF_INET, unwatched);
    connect_once(AF_INET, four);
    if (six >= 0)
        connect_once(AF_INET6, six);
    struct pollfd ready = {.fd = weir_capture_fd(capture), .events = POLLIN};
    for (int i = 0; i < 40 && (seen.segments < 6 || (six >= 0 && seen.ipv6 < 3)); i++) {
        poll(&ready, 1, 50);
        assert_true(weir_capture_read(capture, 100, see, &seen, why) >= 0);
    }
    assert_in_range(seen.segments - seen.ipv6, 3, 16);
    assert_in_range(seen.ipv6, six >= 0 ? 3 : 0, 16);
    assert_true(weir_capture_counts(capture).received >= seen.frames);
    weir_capture_free(&capture);
    close(four);
    close(unwatched);
    if (six >= 0)
        close(six);
}

static void connections_of_both_families_are_captured_live(void **state)
{
    (void)state;
    both_families_are_captured_on("lo");
}

static void all_interfaces_are_captured_at_once(void **state)
{
    (void)state;
    both_families_are_captured_on("any");
}

/* In a process of its own: what is left of its rights, as an exit status. */
static int rights_left(const char *user)
{
    char why[WEIR_CAPTURE_WHY], line[256];
    unsigned long long effective = 1;
    if (weir_capture_drop_rights(user, why) != 0)
        return 1;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof(line), file))
        sscanf(line, "CapPrm: %llx", &effective);
    if (file)
        fclose(file);
    if (effective != 0)
        return 2;
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        return 3;
    bool regained = geteuid() == 0 || setuid(0) == 0 || socket(AF_PACKET, SOCK_RAW, 0) >= 0;
    return user && regained ? 4 : 0;
}

static void rights_are_gone_for_good(void **state)
{
    (void)state;
    static const char *const users[] = {NULL, "nobody"};
    for (size_t i = 0; i < (geteuid() == 0 && getpwnam("nobody") ? 2u : 1u); i++) {
        int status;
        pid_t child = fork();
        if (child == 0)
            _exit(rights_left(users[i]));
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    char why[WEIR_CAPTURE_WHY];
    assert_int_equal(weir_capture_drop_rights("no such user", why), WEIR_EIO);
    assert_non_null(strstr(why, "no such user"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_in_pieces_to_its_end),
        cmocka_unit_test(what_cannot_be_read_says_why),
        cmocka_unit_test(connections_of_both_families_are_captured_live),
        cmocka_unit_test(all_interfaces_are_captured_at_once),
        cmocka_unit_test(rights_are_gone_for_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
