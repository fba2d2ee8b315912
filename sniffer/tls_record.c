/*
 * tls_record - five octets, one after the other.
 */
#include "sniffer/tls_record.h"

enum { FIRST_TYPE = 20, LAST_TYPE = 23 }; /* change_cipher_spec to application_data */

bool weir_tls_begins(struct weir_slice octets)
{
    const uint8_t *at = (const uint8_t *)octets.at;

    if (octets.len > 0 && (at[0] < FIRST_TYPE || at[0] > LAST_TYPE))
        return false;
    if (octets.len > 1 && at[1] != 3)
        return false;
    if (octets.len > 2 && at[2] > 4)
        return false;
    if (octets.len > 3 && at[3] > WEIR_TLS_RECORD_MAX >> 8)
        return false;
    return octets.len < 5 || (at[3] << 8 | at[4]) <= WEIR_TLS_RECORD_MAX;
}
