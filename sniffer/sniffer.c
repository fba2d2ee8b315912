/*
 * weir-sniffer - counts SMTP traffic by originating address.  Options, then files; or open
 * (rights are dropped there), run, close.
 */
#include "core/program/daemon_options.h"
#include "sniffer/live_io.h"
#include "sniffer/read_files_io.h"
#include "sniffer/sniffer_options.h"

int main(int argc, char **argv)
{
    struct weir_sniffer_options options = {.program = "weir-sniffer"};
    struct weir_live *live;
    int done = weir_sniffer_options_read(&options, argc, argv);

    if (done >= 0)
        return done;
    if (options.test)
        return weir_daemon_tested(weir_live_test(&options));
    if (options.files > 0)
        return weir_read_files(&options);
    done = weir_live_open(&options, &live);
    if (done < 0)
        return weir_daemon_exit_code(done);
    done = weir_live_run(live);
    weir_live_close(&live);
    return weir_daemon_exit_code(done);
}
