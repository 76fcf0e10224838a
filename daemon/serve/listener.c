/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binding: the socket file is made with mode 0600, gets its group and then its mode, and only then
 * listens, so that there is no moment in which too many may connect. A file left behind by a daemon
 * that died is replaced; one behind which somebody answers is not (BB_EBUSY), nor is anything that
 * is no socket (BB_EINVAL).
 *
 * Everything that can fail at start fails here, before the loop knows of anything.
 */
#include "listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 511 };

static int set_os_error(struct bb_error *err, const char *what, const char *path)
{
	int code = errno == EACCES || errno == EPERM ? BB_EACCESS : BB_EIO;
	char text[128];

	return bb_error_set(err, code, "%s %s: %s", what, path,
			    strerror_r(errno, text, sizeof(text)));
}

int bb_listener_group(const char *name, const char *option, gid_t *ret_gid, struct bb_error *err)
{
	const struct group *entry = getgrnam(name);

	if (!entry)
		return bb_error_set(err, BB_EINVAL,
				    "no group %s on this machine; create it (systemd-sysusers, "
				    "groupadd) or change %s",
				    name, option);
	*ret_gid = entry->gr_gid;
	return BB_OK;
}

/* Makes way for a new socket file: removes one that nobody answers behind. */
static int clear_path(const struct sockaddr_un *addr, struct bb_error *err)
{
	struct stat st;
	bool answers;
	int fd;

	if (lstat(addr->sun_path, &st) != 0)
		return errno == ENOENT ? BB_OK
				       : set_os_error(err, "cannot look at", addr->sun_path);
	if (!S_ISSOCK(st.st_mode))
		return bb_error_set(err, BB_EINVAL,
				    "%s is there and is no socket; remove it or configure another "
				    "path",
				    addr->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return set_os_error(err, "cannot make a socket for", addr->sun_path);
	answers = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 || errno == EAGAIN;
	close(fd);
	if (answers)
		return bb_error_set(err, BB_EBUSY,
				    "%s: another process answers there; is a daemon already "
				    "running?",
				    addr->sun_path);
	if (unlink(addr->sun_path) != 0)
		return set_os_error(err, "cannot remove the old socket", addr->sun_path);
	return BB_OK;
}

static int bind_unix(const struct bb_config_socket *config, struct bb_listener *listener,
		     struct bb_error *err)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct stat st;
	int ret;

	if (strlen(config->path) >= sizeof(addr.sun_path))
		return bb_error_set(err, BB_EINVAL, "%s: a socket path has at most %zu bytes",
				    config->path, sizeof(addr.sun_path) - 1);
	memcpy(addr.sun_path, config->path, strlen(config->path));
	if (config->group) {
		ret = bb_listener_group(config->group, "`group` of the socket", &listener->group,
					err);
		if (ret != BB_OK)
			return ret;
	}
	ret = clear_path(&addr, err);
	if (ret != BB_OK)
		return ret;
	listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener->fd < 0 || fchmod(listener->fd, 0600) != 0)
		return set_os_error(err, "cannot make a socket for", config->path);
	if (bind(listener->fd, (struct sockaddr *)&addr, sizeof(addr)) != 0)
		return set_os_error(err, "cannot bind (does the folder exist?)", config->path);
	listener->path = strdup(config->path);
	if (config->group && chown(config->path, (uid_t)-1, listener->group) != 0)
		return set_os_error(err, "cannot set the group of", config->path);
	if (chmod(config->path, config->mode) != 0)
		return set_os_error(err, "cannot set the mode of", config->path);
	if (stat(config->path, &st) == 0)
		listener->group = st.st_gid;
	if (listen(listener->fd, BACKLOG) != 0)
		return set_os_error(err, "cannot listen on", config->path);
	return BB_OK;
}

/* A socket of the service manager: it must listen; its group is that of its file. */
static int adopt_unix(int fd, struct bb_listener *listener, struct bb_error *err)
{
	struct sockaddr_un addr = {0};
	socklen_t len = sizeof(addr) - 1, flag_len = sizeof(int);
	int listens = 0, flags = fcntl(fd, F_GETFL);
	struct stat st;

	if (flags < 0 || getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &flag_len) != 0 ||
	    !listens || getsockname(fd, (struct sockaddr *)&addr, &len) != 0)
		return bb_error_set(err, BB_EINVAL,
				    "descriptor %d of the service manager is no listening socket",
				    fd);
	if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
		return set_os_error(err, "cannot use", "the service manager's socket");
	if (addr.sun_family == AF_UNIX && addr.sun_path[0] && stat(addr.sun_path, &st) == 0)
		listener->group = st.st_gid;
	listener->fd = fd;
	return BB_OK;
}

/* `127.0.0.1:port` or `[::1]:port`, numbers only. */
static bool parse_address(const char *text, struct sockaddr_storage *ret_addr, socklen_t *ret_len)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret_addr;
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret_addr;
	const char *colon = strrchr(text, ':');
	unsigned long port;
	char host[64], *end;

	if (!colon || (size_t)(colon - text) >= sizeof(host) || colon[1] < '0' || colon[1] > '9')
		return false;
	port = strtoul(colon + 1, &end, 10);
	if (*end || port > 65535)
		return false;
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';
	*ret_addr = (struct sockaddr_storage){0};
	if (strcmp(host, "[::1]") == 0) {
		*v6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
					    .sin6_port = htons((uint16_t)port),
					    .sin6_addr = in6addr_loopback};
		*ret_len = sizeof(*v6);
		return true;
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons((uint16_t)port);
	*ret_len = sizeof(*v4);
	return inet_pton(AF_INET, host, &v4->sin_addr) == 1 &&
	       ntohl(v4->sin_addr.s_addr) >> 24 == 127;
}

static int bind_tcp(const char *text, struct bb_listener *listener, struct bb_error *err)
{
	struct sockaddr_storage addr;
	socklen_t len;
	int on = 1;

	if (!parse_address(text, &addr, &len))
		return bb_error_set(err, BB_EINVAL,
				    "%s: expected a loopback address and a port, as in "
				    "127.0.0.1:6380 or [::1]:6380",
				    text);
	listener->fd = socket(addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener->fd < 0)
		return set_os_error(err, "cannot make a socket for", text);
	setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener->fd, (struct sockaddr *)&addr, len) != 0) {
		if (errno == EADDRINUSE)
			return bb_error_set(err, BB_EBUSY, "%s: another process listens there",
					    text);
		return set_os_error(err, "cannot bind", text);
	}
	if (listen(listener->fd, BACKLOG) != 0)
		return set_os_error(err, "cannot listen on", text);
	return BB_OK;
}

int bb_listeners_open(const struct bb_config_socket *config, int handed_fd,
		      struct bb_listeners *ret_listeners, struct bb_error *err)
{
	struct bb_listeners opened = {{-1, (gid_t)-1, NULL}, {-1, (gid_t)-1, NULL}};
	int ret = BB_OK;

	if (handed_fd < 0 && config->path)
		ret = bind_unix(config, &opened.unix_socket, err);
	if (ret == BB_OK && config->tcp)
		ret = bind_tcp(config->tcp, &opened.tcp, err);
	if (ret == BB_OK && handed_fd >= 0)
		ret = adopt_unix(handed_fd, &opened.unix_socket, err);
	if (ret != BB_OK) {
		bb_listeners_close(&opened);
		return ret;
	}
	*ret_listeners = opened;
	return BB_OK;
}

static void listener_close(struct bb_listener *listener)
{
	if (listener->path)
		unlink(listener->path);
	if (listener->fd >= 0)
		close(listener->fd);
	free(listener->path);
	*listener = (struct bb_listener){-1, (gid_t)-1, NULL};
}

void bb_listeners_close(struct bb_listeners *listeners)
{
	listener_close(&listeners->unix_socket);
	listener_close(&listeners->tcp);
}
