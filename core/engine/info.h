/*
 * info - the spam-info string: what was decided about a message, signed, on the message itself
 * (claims B14, B20, B21).
 *
 *     X-Weir-Info: v1; <base64url>
 *
 * Payload, then a 16-octet tag: HMAC-SHA-256 cut to 128 bits over a separator and the
 * payload, or, sealed, ChaCha20-Poly1305's tag, so that a spammer with a mailbox
 * here does not read which rules he tripped.  A digest of From, Date and Message-ID inside
 * binds it to its message: put on another one it verifies, and is seen to be unbound.
 *
 * Layout of the payload, big-endian: version u8, flags u8, key id u8, [nonce 12 when sealed],
 * then (sealed when asked for): server varint, time u32, uid 8, binding 8, boundary length
 * u8 + 0|4|16, domain length u8 + text (longer than WEIR_INFO_DOMAIN_MAX: 128 + 8 and
 * an 8-octet hash), verdict u8 (bits 0-1; bits 2-5: how it was counted in the reputation,
 * 4 * what the program said, 16 stranger, 32 new group),
 * score i16 (1/100), probability u8 (1/255), lacking u8,
 * serial varint, count u8, per rule: id difference varint and points zigzag varint (1/100),
 * sorted by id.  Flags: bit 0 sealed; others make it malformed.
 *
 * Threads:  pure functions, but weir_info_uid().
 * Errors:   enum weir_info_state for what is read; WEIR_ELIMIT, WEIR_EINVAL when made.
 * Limits:   WEIR_INFO_TEXT_MAX characters, WEIR_INFO_RULES_MAX rules: by |points|, the
 *           rest as id 0 with their sum.  Ids of 28 bits need so much room that
 *           fewer rules fit; the sum is exact all the same.
 */
#ifndef WEIR_ENGINE_INFO_H
#define WEIR_ENGINE_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/address.h"
#include "core/base/clock.h"
#include "core/base/limits.h"
#include "core/evidence/reputation.h"
#include "core/mail/domain.h"
#include "core/mail/message.h"

#define WEIR_INFO_HEADER "X-Weir-Info"
#define WEIR_INFO_KEY 32
#define WEIR_INFO_FOLDED_MAX (WEIR_INFO_TEXT_MAX + 64) /* with line ends, NUL included */

struct weir_info_rule {
    uint32_t id;    /* 0: the rest, summed up */
    float points;   /* to 1/100 */
};

struct weir_info {
    uint64_t server;             /* number of the server that decided */
    weir_time at;                /* whole seconds */
    uint64_t uid;                /* random: this decision */
    uint64_t binding;            /* weir_info_binding() */
    bool has_boundary;
    struct weir_address boundary;
    bool domain_hashed;          /* domain was too long: its hash, 16 hex digits, stands there */
    char domain[WEIR_DOMAIN_TEXT];
    uint8_t verdict;             /* enum weir_verdict */
    struct weir_counted counted; /* in the counters of the server, at `at` */
    float score;                 /* to 1/100, within +-327 */
    float probability;           /* of spam by reputation, to 1/255 */
    uint8_t lacking;             /* enum weir_info_lacking */
    uint32_t serial;             /* of the rule set */
    struct weir_info_rule rule[WEIR_INFO_RULES_MAX + 1];
    size_t rules;
};

struct weir_info_key {
    uint8_t id, octet[WEIR_INFO_KEY];
    bool ready;                  /* what is derived from it is here, too: weir_info_keys_ready() */
    uint8_t derived[2][WEIR_INFO_KEY];
};
struct weir_info_keys { /* the first signs */
    struct weir_info_key key[WEIR_INFO_KEYS_MAX];
    size_t keys;
};

enum weir_info_lacking { /* bits */
    WEIR_LACKING_COUNTERS = 1, /* counters did not all answer */
    WEIR_LACKING_LISTS = 2,
    WEIR_LACKING_RULES = 4,
    WEIR_LACKING_CUT = 8,      /* some rules were given up */
    WEIR_LACKING_REPUTATION = 16, /* it was not asked: probability says nothing */
};

enum weir_info_state {
    WEIR_INFO_VALID,       /* ours, and this message's */
    WEIR_INFO_UNBOUND,     /* ours, of another message or changed on the way */
    WEIR_INFO_UNKNOWN_KEY,
    WEIR_INFO_BAD,         /* the tag does not fit: forged or damaged */
    WEIR_INFO_MALFORMED,
    WEIR_INFO_STATES
};
/* "valid", "unbound", "unknown-key", "bad", "malformed". */
const char *weir_info_state_name(enum weir_info_state state);

/* First 8 octets of SHA-256 over all From, Date and Message-ID fields in relaxed form (name in
 * lower case, unfolded, runs of blanks to one, ends trimmed; RFC 6376 3.4.2), as a number. */
uint64_t weir_info_binding(const struct weir_message *message);

/* Makes the string, "v1; ...", NUL-terminated, of at most WEIR_INFO_TEXT_MAX characters, from
 * info (its rule array is not looked at) and rules rules, which need not be sorted and may be
 * more than fit.  Numbers out of range are brought into it, ones that are none count as 0.
 * sealed: encrypt.  Random is taken for nonces only.  0, WEIR_EINVAL (no key). */
int weir_info_make(const struct weir_info *info, const struct weir_info_rule *rule, size_t rules,
                   const struct weir_info_keys *keys, bool sealed,
                   char text_r[static WEIR_INFO_TEXT_MAX + 1]);

/* Derives from keys what each string needs of them, for those who read or make many: half the work
 * of reading one. */
void weir_info_keys_ready(struct weir_info_keys *keys);

/* Folds a string of weir_info_make() for a header: "\n " every <= 68 characters (line end "\n";
 * lines of at most 78 with the header's name).  Returns folded_r. */
const char *weir_info_fold(const char *text, char folded_r[static WEIR_INFO_FOLDED_MAX]);

/* Reads a string, white space anywhere; binding is that of the message it was found in.  info_r is
 * filled in for VALID and UNBOUND. */
enum weir_info_state weir_info_read(struct weir_slice text, uint64_t binding,
                                    const struct weir_info_keys *keys, struct weir_info *info_r);

/* A random number for a decision. */
uint64_t weir_info_uid(void);

/* Keys as text: lines "<id 1-255> <64 hex digits>", '#' comments; the first signs; each id
 * once.  0, WEIR_EINVAL with *line_r (0: there is no key at all), or WEIR_ELIMIT. */
int weir_info_keys_read(struct weir_slice text, struct weir_info_keys *keys_r, unsigned *line_r);

#endif
