/*
 * What was learned, as text, one line an entry:
 *
 *     weir-gateways 1 <hash of nothing under the key>
 *     listener <hash> <at> <messages> <recent> <met>
 *     gateway <address> <state> <decided> <nine numbers> <six counters> <recipients> <uses>
 *
 * Numbers are integers, decayed ones in thousandths, so that no locale matters.  Loading takes all
 * or nothing: a line that says what cannot be (a number out of range, an address twice, a listener
 * that is not there) refuses the whole text, and the handle is left empty.
 */
#include "core/mail/gateways_impl.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "core/base/error.h"

#define NUMBERS 9
#define COUNTERS 6
#define THOUSANDTHS_MOST INT64_C(1000000000000000)
#define TIME_MOST (INT64_MAX / 4)

static int64_t thousandths(double number)
{
    return llround(fmin(number * 1000, (double)THOUSANDTHS_MOST));
}

/* An entry's numbers in the order of the text: four times, the days, four decayed ones. */
struct numbers {
    int64_t number[NUMBERS];
};

static struct numbers pack(const struct weir_gateway *g)
{
    return (struct numbers){{g->at, g->first, g->last, g->low_since, g->days,
                             thousandths(g->messages), thousandths(g->vouched),
                             thousandths(g->hidden), thousandths(g->peak)}};
}

static bool unpack(const struct numbers *from, struct weir_gateway *g, weir_time half_life)
{
    const int64_t *n = from->number;
    for (int i = 0; i < NUMBERS; i++)
        if (n[i] < 0 || n[i] > (i < 4 ? TIME_MOST : THOUSANDTHS_MOST))
            return false;
    g->at = n[0];
    g->first = n[1];
    g->last = n[2];
    g->low_since = n[3];
    g->day = g->at / WEIR_DAY;
    g->generation = g->at / half_life;
    g->days = (uint32_t)n[4];
    g->messages = (double)n[5] / 1000;
    g->vouched = (double)n[6] / 1000;
    g->hidden = (double)n[7] / 1000;
    g->peak = (double)n[8] / 1000;
    return n[4] <= UINT32_MAX;
}

static uint8_t *counter_at(struct weir_gateway *gateway, int index)
{
    struct weir_hyperloglog *const of[] = {&gateway->networks, &gateway->domains,
                                           &gateway->recipients};
    return index % 2 ? of[index / 2]->before : of[index / 2]->now;
}

/* The same under every key but one: shows whether the hashes in a text mean anything. */
static uint64_t key_mark(const struct weir_gateways *gateways)
{
    return weir_gateway_hash(gateways, 'k', (struct weir_slice){"", 0});
}

static void save_gateway(struct weir_gateway gateway, FILE *out)
{
    char text[WEIR_ADDRESS_TEXT];
    struct numbers packed = pack(&gateway);
    fprintf(out, "gateway %s %s %d", weir_address_format(&gateway.address, text),
            weir_gateway_state_name((enum weir_gateway_state)gateway.state), gateway.decided);
    for (int i = 0; i < NUMBERS; i++)
        fprintf(out, " %" PRId64, packed.number[i]);
    for (int i = 0; i < COUNTERS; i++) {
        char shown[WEIR_HYPERLOGLOG + 1] = "";
        for (int at = 0; at < WEIR_HYPERLOGLOG; at++)
            shown[at] = (char)('0' + counter_at(&gateway, i)[at]);
        fprintf(out, " %s", shown);
    }
    for (int i = 0; i < WEIR_GATEWAY_RECIPIENTS; i++)
        fprintf(out, " %016" PRIx64 " %" PRId64, gateway.recipient[i].hash,
                thousandths(gateway.recipient[i].messages));
    for (int i = 0; i < WEIR_GATEWAY_USES; i++)
        fprintf(out, " %d %" PRId64 " %" PRId64, gateway.use[i].listener + 1,
                thousandths(gateway.use[i].messages), thousandths(gateway.use[i].recent));
    fputc('\n', out);
}

int weir_gateways_save(const struct weir_gateways *gateways, FILE *out)
{
    fprintf(out, "weir-gateways 1 %016" PRIx64 "\n", key_mark(gateways));
    for (size_t i = 0; i < gateways->listeners; i++) {
        const struct weir_gateway_listener *listener = &gateways->listener[i];
        fprintf(out, "listener %016" PRIx64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n",
                listener->hash, listener->at, thousandths(listener->messages),
                thousandths(listener->recent), thousandths(listener->met));
    }
    for (size_t i = 0; i < gateways->entries; i++)
        save_gateway(*gateways->entry[i], out);
    return ferror(out) ? WEIR_EIO : 0;
}

/* Reading: words of a text; after the first that is not as it should be, all are bad. */
struct words {
    const char *at, *end;
    bool bad;
};

static struct weir_slice next_word(struct words *words)
{
    const char *at = words->at;
    while (at < words->end && *at != ' ' && *at != '\n')
        at++;
    struct weir_slice word = {words->at, (size_t)(at - words->at)};
    words->bad |= word.len == 0 || at == words->end;
    words->at = at < words->end && *at == ' ' ? at + 1 : at;
    return word;
}

static void end_line(struct words *words)
{
    words->bad |= words->at == words->end || *words->at != '\n';
    words->at += words->at < words->end;
}

static bool is(struct weir_slice word, const char *text)
{
    return word.len == strlen(text) && memcmp(word.at, text, word.len) == 0;
}

static uint64_t read_digits(struct words *words, unsigned base, size_t most)
{
    static const char digit[] = "0123456789abcdef";
    struct weir_slice word = next_word(words);
    uint64_t value = 0;
    words->bad |= word.len > most;
    for (size_t i = 0; i < word.len && !words->bad; i++) {
        const char *found = memchr(digit, word.at[i], base);
        words->bad |= !found;
        value = value * base + (found ? (uint64_t)(found - digit) : 0);
    }
    return words->bad ? 0 : value;
}

/* 18 digits always fit. */
static int64_t read_number(struct words *words)
{
    return (int64_t)read_digits(words, 10, 18);
}

static uint64_t read_hash(struct words *words)
{
    return read_digits(words, 16, 16);
}

static double read_decayed(struct words *words)
{
    int64_t number = read_number(words);
    words->bad |= number > THOUSANDTHS_MOST;
    return (double)number / 1000;
}

static void load_listener(struct weir_gateways *gateways, struct words *words)
{
    struct weir_gateway_listener listener = {.hash = read_hash(words), .at = read_number(words)};
    listener.messages = read_decayed(words);
    listener.recent = read_decayed(words);
    listener.met = read_decayed(words);
    words->bad |= gateways->listeners == WEIR_GATEWAY_LISTENERS_MAX || listener.hash == 0;
    if (!words->bad)
        gateways->listener[gateways->listeners++] = listener;
}

static enum weir_gateway_state read_state(struct words *words)
{
    struct weir_slice word = next_word(words);
    for (int state = WEIR_GATEWAY_CANDIDATE; state < WEIR_GATEWAY_STATES; state++)
        if (state != WEIR_GATEWAY_CONFIGURED
            && is(word, weir_gateway_state_name((enum weir_gateway_state)state)))
            return (enum weir_gateway_state)state;
    words->bad = true;
    return WEIR_GATEWAY_NONE;
}

static void read_counters(struct words *words, struct weir_gateway *gateway)
{
    for (int i = 0; i < COUNTERS && !words->bad; i++) {
        struct weir_slice word = next_word(words);
        words->bad |= word.len != WEIR_HYPERLOGLOG;
        for (size_t at = 0; at < word.len && !words->bad; at++) {
            words->bad |= word.at[at] < '0' || word.at[at] > '0' + WEIR_HYPERLOGLOG_MOST;
            counter_at(gateway, i)[at] = (uint8_t)(word.at[at] - '0');
        }
    }
}

static void read_lists(struct words *words, struct weir_gateway *gateway, size_t listeners)
{
    for (int i = 0; i < WEIR_GATEWAY_RECIPIENTS; i++) {
        gateway->recipient[i].hash = read_hash(words);
        gateway->recipient[i].messages = read_decayed(words);
    }
    for (int i = 0; i < WEIR_GATEWAY_USES; i++) {
        int64_t listener = read_number(words) - 1;
        words->bad |= listener >= (int64_t)listeners;
        gateway->use[i].listener = (int16_t)(words->bad ? -1 : listener);
        gateway->use[i].messages = read_decayed(words);
        gateway->use[i].recent = read_decayed(words);
    }
}

static void load_gateway(struct weir_gateways *gateways, struct words *words)
{
    struct weir_gateway loaded = {.state = WEIR_GATEWAY_NONE};
    struct weir_slice address = next_word(words);
    loaded.state = (uint8_t)read_state(words);
    loaded.decided = read_digits(words, 2, 1) != 0;
    struct numbers packed;
    for (int i = 0; i < NUMBERS; i++)
        packed.number[i] = read_number(words);
    read_counters(words, &loaded);
    read_lists(words, &loaded, gateways->listeners);
    if (words->bad || weir_address_parse(address.at, address.len, &loaded.address) < 0
        || !unpack(&packed, &loaded, gateways->settings.half_life)
        || weir_gateway_find(gateways, &loaded.address)
        || gateways->entries == WEIR_GATEWAY_CANDIDATES_MAX) {
        words->bad = true;
        return;
    }
    struct weir_gateway *gateway = weir_gateway_make(gateways, &loaded.address, 0);
    words->bad |= !gateway;
    if (gateway) {
        loaded.next = gateway->next;
        *gateway = loaded;
    }
}

/* What was hashed under another key is forgotten; a forwarder's recipients are, so it is none. */
static void forget_hashes(struct weir_gateways *gateways)
{
    gateways->listeners = 0;
    for (size_t i = 0; i < gateways->entries; i++) {
        struct weir_gateway *gateway = gateways->entry[i];
        for (int at = 0; at < COUNTERS; at++)
            memset(counter_at(gateway, at), 0, WEIR_HYPERLOGLOG);
        memset(gateway->recipient, 0, sizeof gateway->recipient);
        for (int at = 0; at < WEIR_GATEWAY_USES; at++)
            gateway->use[at] = (struct weir_gateway_use){.listener = -1};
        if (gateway->state == WEIR_GATEWAY_FORWARDER)
            gateway->state = WEIR_GATEWAY_CANDIDATE;
    }
}

int weir_gateways_load(struct weir_gateways *gateways, const char *text, size_t len)
{
    struct words words = {text, text + len, false};
    weir_gateways_empty(gateways);
    words.bad = !is(next_word(&words), "weir-gateways") || read_number(&words) != 1;
    uint64_t mark = read_hash(&words);
    end_line(&words);
    while (!words.bad && words.at < words.end) {
        struct weir_slice kind = next_word(&words);
        if (is(kind, "listener") && gateways->entries == 0)
            load_listener(gateways, &words);
        else if (is(kind, "gateway"))
            load_gateway(gateways, &words);
        else
            words.bad = true;
        end_line(&words);
    }
    if (words.bad || weir_gateways_kept(gateways) > WEIR_GATEWAYS_MAX) {
        weir_gateways_empty(gateways);
        return WEIR_ECORRUPT;
    }
    if (mark != key_mark(gateways))
        forget_hashes(gateways);
    return 0;
}
