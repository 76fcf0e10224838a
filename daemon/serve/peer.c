/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel tells uid and groups of a Unix socket's peer as they were when it connected; no
 * password is involved. A peer over TCP has neither.
 *
 * Where the kernel does not tell (or a peer has more groups than fit), the peer counts as unknown,
 * or as no member: less is allowed, never more.
 */
#include "peer.h"

#include <sys/socket.h>
#include <unistd.h>

enum { GROUPS_MAX = 1024 };

static bool has_group(int fd, gid_t group)
{
	gid_t groups[GROUPS_MAX];
	socklen_t len = sizeof(groups);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) != 0)
		return false;
	for (size_t i = 0; i < len / sizeof(groups[0]); i++)
		if (groups[i] == group)
			return true;
	return false;
}

void bb_peer_read(int fd, gid_t group, struct bb_peer *ret_peer)
{
	struct ucred cred = {0};
	socklen_t len = sizeof(cred);
	int domain = AF_UNSPEC;
	socklen_t domain_len = sizeof(domain);

	*ret_peer = (struct bb_peer){.uid = BB_PEER_UNKNOWN, .gid = (gid_t)-1};
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_len) != 0 || domain != AF_UNIX)
		return;
	ret_peer->is_unix = true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
		return;
	ret_peer->uid = cred.uid;
	ret_peer->gid = cred.gid;
	ret_peer->in_group = group != (gid_t)-1 && (cred.gid == group || has_group(fd, group));
}

unsigned bb_peer_roles(const struct bb_peer *peer, unsigned granted, unsigned unknown)
{
	if (peer->uid == BB_PEER_UNKNOWN)
		return unknown;
	if (peer->uid == 0 || peer->uid == geteuid() || peer->in_group)
		return granted;
	return unknown;
}

bool bb_peer_is_member(int fd, const struct bb_peer *peer, gid_t group)
{
	if (peer->uid == BB_PEER_UNKNOWN)
		return false;
	return peer->uid == 0 || peer->uid == geteuid() || peer->gid == group ||
	       has_group(fd, group);
}
