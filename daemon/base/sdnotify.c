/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One datagram a message, on a socket that is opened for it: notifications are rare (a watchdog
 * every few seconds), and a kept descriptor would have to survive a restart of the service manager.
 * The sockets handed over begin at descriptor 3 and are only ours if LISTEN_PID is this process.
 *
 * A service manager that does not answer costs a message, nothing else: the calls do not block
 * (MSG_DONTWAIT) and the daemon goes on.
 */
#include <backbone/sdnotify.h>

#include <backbone/clock.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTEN_FDS_START 3
#define MESSAGE_BYTES 1024
#define NS_PER_US 1000
#define US_PER_MS 1000

/* BB_OK with the address of $NOTIFY_SOCKET; `@` in front stands for the abstract name space. */
static int notify_address(struct sockaddr_un *ret_address, socklen_t *ret_n)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t n;

	if (!path || !*path)
		return BB_ENOTFOUND;
	n = strlen(path);
	if ((path[0] != '/' && path[0] != '@') || n < 2 || n >= sizeof ret_address->sun_path)
		return BB_EINVAL;
	*ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(ret_address->sun_path, path, n);
	if (path[0] == '@')
		ret_address->sun_path[0] = '\0';
	*ret_n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	return BB_OK;
}

static int notify(const char *message, size_t n)
{
	struct sockaddr_un address;
	socklen_t address_n;
	ssize_t sent;
	int fd, err;

	err = notify_address(&address, &address_n);
	if (err != BB_OK)
		return err;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return BB_EIO;
	do
		sent = sendto(fd, message, n, MSG_NOSIGNAL | MSG_DONTWAIT,
			      (const struct sockaddr *)&address, address_n);
	while (sent < 0 && errno == EINTR);
	close(fd);
	return sent == (ssize_t)n ? BB_OK : BB_EIO;
}

/* `head`, and behind it `STATUS=` with the text made one line. */
static int notify_status(const char *head, const char *status)
{
	char message[MESSAGE_BYTES];
	size_t head_n = strlen(head);
	int n = snprintf(message, sizeof message, "%sSTATUS=%s", head, status ? status : "");

	if (n < 0)
		return BB_EINVAL;
	if (n >= MESSAGE_BYTES)
		n = MESSAGE_BYTES - 1;
	for (size_t i = head_n; i < (size_t)n; i++)
		if ((unsigned char)message[i] < 0x20 || message[i] == 0x7f)
			message[i] = '?';
	return notify(message, status ? (size_t)n : head_n);
}

int bb_sdnotify_ready(const char *status)
{
	return notify_status("READY=1\n", status);
}

int bb_sdnotify_stopping(const char *status)
{
	return notify_status("STOPPING=1\n", status);
}

int bb_sdnotify_status(const char *fmt, ...)
{
	char status[MESSAGE_BYTES];
	va_list args;

	va_start(args, fmt);
	if (vsnprintf(status, sizeof status, fmt, args) < 0)
		status[0] = '\0';
	va_end(args);
	return notify_status("", status);
}

int bb_sdnotify_reloading(void)
{
	char message[64];
	int n = snprintf(message, sizeof message, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\n",
			 bb_clock_monotonic_ns() / NS_PER_US);

	return notify(message, (size_t)n);
}

int bb_sdnotify_watchdog(void)
{
	static const char message[] = "WATCHDOG=1\n";

	return notify(message, sizeof message - 1);
}

int bb_sdnotify_extend(uint64_t more_ms)
{
	char message[64];
	int n = snprintf(message, sizeof message, "EXTEND_TIMEOUT_USEC=%" PRIu64 "\n",
			 more_ms * US_PER_MS);

	return notify(message, (size_t)n);
}

/* Decimal digits only, at most `most`. False: unset or anything else. */
static bool number_of(const char *variable, uint64_t most, uint64_t *ret_value)
{
	const char *text = getenv(variable);
	uint64_t value = 0;

	if (!text || !*text)
		return false;
	for (; *text; text++) {
		unsigned digit = (unsigned)(*text - '0');

		if (digit > 9 || value > (most - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*ret_value = value;
	return true;
}

uint64_t bb_sdnotify_watchdog_ms(void)
{
	uint64_t interval_us, pid;

	if (!number_of("WATCHDOG_USEC", UINT64_MAX, &interval_us))
		return 0;
	if (getenv("WATCHDOG_PID") &&
	    (!number_of("WATCHDOG_PID", INT32_MAX, &pid) || pid != (uint64_t)getpid()))
		return 0;
	return interval_us / US_PER_MS;
}

/* The next name of a list with colons; *list moves behind it, to NULL after the last. */
static int take_name(const char **list, char name[BB_LISTEN_NAME_BYTES], struct bb_error *err)
{
	size_t n = strcspn(*list, ":");

	if (n >= BB_LISTEN_NAME_BYTES)
		return bb_error_set(err, BB_EINVAL,
				    "LISTEN_FDNAMES: a name is longer than %d bytes",
				    BB_LISTEN_NAME_BYTES - 1);
	memcpy(name, *list, n);
	name[n] = '\0';
	*list = (*list)[n] == ':' ? *list + n + 1 : NULL;
	return BB_OK;
}

static int take_fds(struct bb_listen_fd *fds, size_t n, struct bb_error *err)
{
	const char *names = getenv("LISTEN_FDNAMES");
	bool named = names != NULL;

	for (size_t i = 0; i < n; i++) {
		int fd = LISTEN_FDS_START + (int)i, flags, code;

		memcpy(fds[i].name, "unknown", sizeof "unknown");
		if (named && !names)
			return bb_error_set(err, BB_EINVAL,
					    "LISTEN_FDNAMES has fewer names than LISTEN_FDS=%zu",
					    n);
		if (named) {
			code = take_name(&names, fds[i].name, err);
			if (code != BB_OK)
				return code;
		}
		flags = fcntl(fd, F_GETFD);
		if (flags < 0 || fcntl(fd, F_SETFD, flags | FD_CLOEXEC) < 0)
			return bb_error_set(err, BB_EINVAL,
					    "LISTEN_FDS=%zu, but descriptor %d is not open", n, fd);
		fds[i].fd = fd;
	}
	if (named && n && names)
		return bb_error_set(err, BB_EINVAL,
				    "LISTEN_FDNAMES has more names than LISTEN_FDS=%zu", n);
	return BB_OK;
}

int bb_listen_fds(struct bb_listen_fd ret_fds[BB_LISTEN_FDS_MAX], size_t *ret_n,
		  struct bb_error *err)
{
	uint64_t pid, n = 0;
	int code = BB_OK;

	if (!getenv("LISTEN_PID") || !getenv("LISTEN_FDS"))
		goto out;
	if (!number_of("LISTEN_PID", INT32_MAX, &pid)) {
		code = bb_error_set(err, BB_EINVAL, "LISTEN_PID is not a process id");
		goto out;
	}
	if (pid != (uint64_t)getpid())
		goto out;
	if (!number_of("LISTEN_FDS", BB_LISTEN_FDS_MAX, &n)) {
		code = bb_error_set(err, BB_EINVAL, "LISTEN_FDS is not a number from 0 to %d",
				    BB_LISTEN_FDS_MAX);
		goto out;
	}
	code = take_fds(ret_fds, (size_t)n, err);
out:
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (code == BB_OK)
		*ret_n = (size_t)n;
	return code;
}
