/* capture_plain_io: files of all kinds, sound and damaged, are read as libpcap alone reads them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pcap.h>

#include "core/base/error.h"
#include "sniffer/capture_io.h"
#include "tests/unit/scratch.h"
#include "tests/unit/seeded.h"

enum { FILES = 400, FRAMES_MOST = 60 };

/* What was read: enough to tell two readings apart. */
struct reading {
    unsigned frames;
    uint64_t sum;
    int end;
};

static void note(struct reading *reading, weir_time time, const uint8_t *octets, size_t captured,
                 size_t wire)
{
    uint64_t sum = reading->sum;

    sum = sum * 31 + (uint64_t)time;
    sum = sum * 31 + captured;
    sum = sum * 31 + wire;
    for (size_t i = 0; i < captured; i++)
        sum = sum * 31 + octets[i];
    reading->sum = sum;
    reading->frames++;
}

static void see(void *context, weir_time time, enum weir_link link, const uint8_t *octets,
                size_t captured, size_t wire)
{
    assert_int_equal(link, WEIR_LINK_RAW);
    note(context, time, octets, captured, wire);
}

static struct reading by_us(const char *path)
{
    struct reading reading = {.frames = 0};
    struct weir_capture *capture;
    char why[WEIR_CAPTURE_WHY];

    reading.end = weir_capture_open_file(path, &capture, why);
    if (reading.end < 0)
        return reading;
    while ((reading.end = weir_capture_read(capture, 7, see, &reading, why)) > 0)
        continue;
    assert_int_equal(weir_capture_counts(capture).received, reading.frames);
    weir_capture_free(&capture);
    return reading;
}

static struct reading by_libpcap(const char *path)
{
    struct reading reading = {.frames = 0};
    char why[PCAP_ERRBUF_SIZE];
    pcap_t *pcap = pcap_open_offline(path, why);
    struct pcap_pkthdr *head;
    const u_char *octets;
    int done;

    reading.end = WEIR_EIO;
    if (!pcap)
        return reading;
    while ((done = pcap_next_ex(pcap, &head, &octets)) == 1) {
        bool sane = head->ts.tv_sec >= 0 && head->ts.tv_sec <= UINT32_MAX;
        weir_time time = sane ? head->ts.tv_sec * WEIR_SECOND + head->ts.tv_usec : 0;

        note(&reading, time, octets, head->caplen, head->len);
    }
    reading.end = done == PCAP_ERROR_BREAK ? 0 : WEIR_EIO;
    pcap_close(pcap);
    return reading;
}

static void put(FILE *file, uint32_t number, bool swapped)
{
    number = swapped ? __builtin_bswap32(number) : number;
    fwrite(&number, sizeof number, 1, file);
}

/* A frame's length: mostly of the usual kind, now and then a strange one. */
static uint32_t draw_len(struct seeded *seed)
{
    static const uint32_t strange[] = {0, 65535, 65536, 262144, 262145, 300000, UINT32_MAX};

    return seeded_below(seed, 40) == 0 ? strange[seeded_below(seed, 7)]
                                       : (uint32_t)seeded_below(seed, 1600);
}

static void put_frame(FILE *file, struct seeded *seed, bool swapped, bool nanoseconds)
{
    static uint8_t octets[300000];
    uint32_t len = draw_len(seed), there = len < sizeof octets ? len : 0;

    put(file, seeded_below(seed, 60) == 0 ? 0x90000000 : 1700000000, swapped);
    put(file, (uint32_t)seeded_below(seed, (nanoseconds ? 1001000000 : 1001000)), swapped);
    put(file, len, swapped);
    put(file, len + (uint32_t)seeded_below(seed, 3) - 1, swapped);
    for (uint32_t i = 0; i < there; i += 97)
        octets[i] = (uint8_t)seeded_below(seed, 256);
    fwrite(octets, 1, there, file);
}

/* A file like those that there are, and some that there should not be. */
static const char *write_file(struct scratch *scratch, struct seeded *seed)
{
    static const uint32_t marks[] = {0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34};
    static const uint32_t snaplens[] = {65535, 262144, 96, 0, UINT32_MAX};
    bool swapped = seeded_below(seed, 2), usual = seeded_below(seed, 8) > 0;
    uint32_t mark = marks[seeded_below(seed, usual ? 2 : 3)];
    uint16_t version[2] = {2, usual ? 4 : (uint16_t)seeded_below(seed, 6)};
    const char *path = scratch_path(scratch, "x.pcap");
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    put(file, mark, swapped);
    for (int i = 0; i < 2; i++) {
        version[i] = swapped ? __builtin_bswap16(version[i]) : version[i];
        fwrite(&version[i], sizeof version[i], 1, file);
    }
    put(file, 0, swapped);
    put(file, 0, swapped);
    put(file, snaplens[seeded_below(seed, usual ? 2 : 5)], swapped);
    put(file, 101, swapped);
    for (uint64_t frames = seeded_below(seed, FRAMES_MOST); frames > 0; frames--)
        put_frame(file, seed, swapped, mark == marks[1]);
    fflush(file);
    if (seeded_below(seed, 3) == 0)
        assert_int_equal(ftruncate(fileno(file), (off_t)seeded_below(seed,
                                                                     (uint64_t)ftell(file))), 0);
    fclose(file);
    return path;
}

static void files_are_read_as_libpcap_alone_reads_them(void **state)
{
    struct seeded seed = seeded_new("capture_plain");
    struct scratch *scratch = scratch_new();
    unsigned whole = 0, frames = 0;

    (void)state;
    for (int i = 0; i < FILES; i++) {
        const char *path = write_file(scratch, &seed);
        struct reading ours = by_us(path), theirs = by_libpcap(path);

        assert_int_equal(ours.frames, theirs.frames);
        assert_true(ours.sum == theirs.sum);
        assert_int_equal(ours.end, theirs.end);
        whole += ours.end == 0;
        frames += ours.frames;
    }
    assert_true(whole > FILES / 20 && whole < FILES && frames > FILES);
    scratch_free(scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_read_as_libpcap_alone_reads_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
