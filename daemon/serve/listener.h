/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listening descriptors: a Unix socket that is bound here or handed over by the service manager,
 * and a loopback TCP port where one is configured.
 */
#ifndef SERVE_LISTENER_H
#define SERVE_LISTENER_H

#include <backbone/config.h>
#include <sys/types.h>

struct bb_listener {
	int fd;	     /* -1: none; non-blocking */
	gid_t group; /* of the socket file; (gid_t)-1: none */
	char *path;  /* owned; of a socket file to be removed on close, else NULL */
};

/* At most one Unix and one TCP listener; fd -1 where there is none. */
struct bb_listeners {
	struct bb_listener unix_socket, tcp;
};

/*
 * `handed_fd` is a listening Unix socket, or -1. Errors as bb_serve_new; on failure nothing is left
 * behind and `handed_fd` is still open.
 */
BB_MUST_CHECK int bb_listeners_open(const struct bb_config_socket *config, int handed_fd,
				    struct bb_listeners *ret_listeners, struct bb_error *err);

/* BB_OK, or BB_EINVAL: no such group. `option` is for the message. */
BB_MUST_CHECK int bb_listener_group(const char *name, const char *option, gid_t *ret_gid,
				    struct bb_error *err);

/* Closes the descriptors and removes the socket file; what is -1 stays so. */
void bb_listeners_close(struct bb_listeners *listeners);

#endif
