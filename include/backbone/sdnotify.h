/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service manager's protocol: datagrams to $NOTIFY_SOCKET, a watchdog interval, and sockets
 * that were opened before the daemon. Without a service manager everything says BB_ENOTFOUND and
 * does nothing, so callers need not know where they run.
 *
 * Thread: any; the environment must not change meanwhile.
 */
#ifndef BACKBONE_SDNOTIFY_H
#define BACKBONE_SDNOTIFY_H

#include <backbone/error.h>
#include <stddef.h>
#include <stdint.h>

/*
 * BB_OK; BB_ENOTFOUND: no service manager listens; BB_EINVAL: $NOTIFY_SOCKET is neither a path nor
 * an abstract name, or too long; BB_EIO: it could not be sent. None is a reason to stop; a text's
 * control characters become `?`.
 */
int bb_sdnotify_ready(const char *status);
int bb_sdnotify_status(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int bb_sdnotify_reloading(void); /* ready again with bb_sdnotify_ready */
int bb_sdnotify_stopping(const char *status);
int bb_sdnotify_watchdog(void);

/* Start, stop or watchdog may take this much longer, counted from now. */
int bb_sdnotify_extend(uint64_t more_ms);

/* How often the watchdog wants to hear of us at the latest; 0: there is none. Notify at half. */
uint64_t bb_sdnotify_watchdog_ms(void);

#define BB_LISTEN_FDS_MAX 16
#define BB_LISTEN_NAME_BYTES 256

struct bb_listen_fd {
	int fd; /* close-on-exec is set */
	char name[BB_LISTEN_NAME_BYTES];
};

/*
 * The sockets handed over, in order, with their names (FileDescriptorName=; `unknown` without
 * names). BB_OK, also with none (*ret_n 0: variables are not set, or are for another process);
 * BB_EINVAL and `err`: the variables are not what they should be, a descriptor is not open, or
 * there are more than BB_LISTEN_FDS_MAX. The variables are removed, so that children do not see
 * them: call it once, before there are threads.
 */
BB_MUST_CHECK int bb_listen_fds(struct bb_listen_fd ret_fds[BB_LISTEN_FDS_MAX], size_t *ret_n,
				struct bb_error *err);

#endif
