/*
 * info_impl - what the parts of the info string share: its octets before base64.
 *
 * info.c makes text, info_payload.c the fields, info_seal.c the tag, info_keys.c reads keys,
 * info_binding.c the digest of a message.
 */
#ifndef WEIR_ENGINE_INFO_IMPL_H
#define WEIR_ENGINE_INFO_IMPL_H

#include <stddef.h>

#include "core/engine/info.h"

#define WEIR_INFO_PREFIX "v1;"
#define WEIR_INFO_VERSION 1
#define WEIR_INFO_SEALED 1  /* the one flag */
#define WEIR_INFO_HEAD 3    /* octets: version, flags, key id */
#define WEIR_INFO_NONCE 12
#define WEIR_INFO_TAG 16

/* What base64 makes "v1; " and WEIR_INFO_TEXT_MAX - 4 characters of. */
#define WEIR_INFO_OCTETS ((WEIR_INFO_TEXT_MAX - 4) / 4 * 3)

/* Writes the fields behind the head and the nonce; at most room octets, which must be enough
 * for no rule at all (WEIR_INFO_FIELDS).  Returns how many. */
#define WEIR_INFO_FIELDS 140
size_t weir_info_payload_write(const struct weir_info *info, const struct weir_info_rule *rule,
                               size_t rules, size_t room, uint8_t *payload);

/* Reads them again.  0 or WEIR_EINVAL. */
int weir_info_payload_read(const uint8_t *payload, size_t len, struct weir_info *info_r);

/* Puts the tag behind len octets (head and fields; room for WEIR_INFO_TAG more). */
void weir_info_sign(const struct weir_info_key *key, uint8_t *octet, size_t len);
bool weir_info_verify(const struct weir_info_key *key, const uint8_t *octet, size_t len);

/* Encrypts what is behind head and nonce in place and puts the tag behind it; the nonce is made
 * here.  len is without the tag. */
void weir_info_seal(const struct weir_info_key *key, uint8_t *octet, size_t len);
/* Decrypts in place; len with the tag.  False when it does not fit. */
bool weir_info_open(const struct weir_info_key *key, uint8_t *octet, size_t len);

#endif
