/* SPDX-License-Identifier: Apache-2.0 */
/* Who is at the other end of a socket, and which roles that gives. Any thread. */
#ifndef SERVE_PEER_H
#define SERVE_PEER_H

#include <stdbool.h>
#include <sys/types.h>

#define BB_PEER_UNKNOWN ((uid_t)-1)

struct bb_peer {
	uid_t uid;     /* BB_PEER_UNKNOWN: over TCP */
	gid_t gid;     /* (gid_t)-1: unknown */
	bool is_unix;  /* else TCP */
	bool in_group; /* its group, or one of its further groups, is the socket's */
};

/* `group` is the socket's; (gid_t)-1: none. */
void bb_peer_read(int fd, gid_t group, struct bb_peer *ret_peer);

/*
 * `granted` is what the socket gives to whom it is for: root, the daemon's own user, members of the
 * socket's group. Others get `unknown` (0: to be turned away).
 */
unsigned bb_peer_roles(const struct bb_peer *peer, unsigned granted, unsigned unknown);

/* Whether it may have a role that a group of its own gives: root, the daemon's own user, members.
 */
bool bb_peer_is_member(int fd, const struct bb_peer *peer, gid_t group);

#endif
