/* Any bytes as a domain name: what comes out is in its one form already. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/mail/domain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct weir_domains *domains;
    char once[WEIR_DOMAIN_TEXT], twice[WEIR_DOMAIN_TEXT], organization[WEIR_DOMAIN_TEXT];
    if (!domains && weir_domains_open(NULL, &domains) != 0)
        abort();
    int rc = weir_domain_normal((const char *)data, size, once);
    if (weir_domain_organizational(domains, (const char *)data, size, organization) != rc)
        abort();
    if (rc && (!weir_domain_normal(once, strlen(once), twice) || strcmp(once, twice) != 0 ||
               !weir_domain_within(once, organization)))
        abort();
    return 0;
}
