/*
 * bench_milter_null PATH - a milter that takes everything and does nothing.
 *
 * What libmilter itself costs, against which weir-milter is measured: the same callbacks, the
 * same negotiation, no look at any of it.
 */
#include <libmilter/mfapi.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static sfsistat negotiate(SMFICTX *context, unsigned long f0, unsigned long f1, unsigned long f2,
                          unsigned long f3, unsigned long *pf0, unsigned long *pf1,
                          unsigned long *pf2, unsigned long *pf3)
{
    (void)context, (void)f2, (void)f3;
    *pf0 = f0 & SMFIF_ADDHDRS;
    *pf1 = f1 & (SMFIP_HDR_LEADSPC | SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_RCPT |
                 SMFIP_NR_DATA | SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_BODY | SMFIP_NOUNKNOWN);
    *pf2 = *pf3 = 0;
    return SMFIS_CONTINUE;
}

static sfsistat on_connect(SMFICTX *context, char *name, _SOCK_ADDR *at)
{
    (void)context, (void)name, (void)at;
    return SMFIS_NOREPLY;
}

static sfsistat on_text(SMFICTX *context, char *text)
{
    (void)context, (void)text;
    return SMFIS_NOREPLY;
}

static sfsistat on_texts(SMFICTX *context, char **text)
{
    (void)context, (void)text;
    return SMFIS_NOREPLY;
}

static sfsistat on_field(SMFICTX *context, char *name, char *value)
{
    (void)context, (void)name, (void)value;
    return SMFIS_NOREPLY;
}

static sfsistat on_head_ends(SMFICTX *context)
{
    (void)context;
    return SMFIS_NOREPLY;
}

static sfsistat on_body(SMFICTX *context, unsigned char *octets, size_t len)
{
    (void)context, (void)octets, (void)len;
    return SMFIS_NOREPLY;
}

static sfsistat on_message_ends(SMFICTX *context)
{
    (void)context;
    return SMFIS_ACCEPT;
}

int main(int argc, char **argv)
{
    static char name[] = "null";
    static char socket[4096];
    struct smfiDesc filter = {
        .xxfi_name = name, .xxfi_version = SMFI_VERSION, .xxfi_flags = SMFIF_ADDHDRS,
        .xxfi_connect = on_connect, .xxfi_helo = on_text, .xxfi_envfrom = on_texts,
        .xxfi_envrcpt = on_texts, .xxfi_header = on_field, .xxfi_eoh = on_head_ends,
        .xxfi_body = on_body, .xxfi_eom = on_message_ends, .xxfi_negotiate = negotiate,
    };

    if (argc != 2)
        return 64;
    (void)unlink(argv[1]);
    (void)umask(0);
    snprintf(socket, sizeof socket, "unix:%s", argv[1]);
    if (smfi_register(filter) != MI_SUCCESS || smfi_setconn(socket) != MI_SUCCESS ||
        smfi_opensocket(1) != MI_SUCCESS)
        return 71;
    puts("listening");
    fflush(stdout);
    return smfi_main() == MI_SUCCESS ? 0 : 71;
}
