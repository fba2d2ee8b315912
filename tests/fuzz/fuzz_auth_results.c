/* Any bytes as an Authentication-Results field: what is read lies inside of it. */
#include <stdint.h>
#include <stdlib.h>

#include "core/mail/auth_results.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const trusted[] = {"*"};
    struct weir_auth auth[WEIR_AUTH_RESULTS_MAX];
    const char *start = (const char *)data;
    struct weir_slice value = {start, size};
    size_t found = weir_auth_value_read(value, trusted, 1, auth, WEIR_AUTH_RESULTS_MAX);
    for (size_t i = 0; i < found; i++)
        if (auth[i].domain.len > 0 && (auth[i].domain.at < start ||
                                       auth[i].domain.at + auth[i].domain.len > start + size))
            abort();
    weir_auth_vouches(auth, found, "example.com");
    return 0;
}
