/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection to a socket of the daemon: commands and replies of RESP one after the other, or one
 * request of HTTP, its answer read to the end.
 *
 * Nobody there, no permission, and a broken answer are told apart, because they need different
 * people to mend them.
 */
#include "net.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024 };

static int fail_connect(const char *path, int error, struct bb_error *err)
{
	switch (error) {
	case EACCES:
	case EPERM:
		return bb_error_set(err, BB_EACCESS,
				    "%s: no permission; your user must be in the group of the "
				    "socket (ls -l %s)",
				    path, path);
	case ENOENT:
		return bb_error_set(err, BB_EUNREACHABLE,
				    "the daemon is not reachable: there is no %s; is it running, "
				    "and with this configuration?",
				    path);
	default:
		return bb_error_set(err, BB_EUNREACHABLE,
				    "the daemon is not reachable at %s: %s; is it running?", path,
				    strerrordesc_np(error));
	}
}

int bb_net_connect(const char *path, int *ret_fd, struct bb_error *err)
{
	struct timeval timeout = {.tv_sec = BB_NET_TIMEOUT_S};
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path))
		return bb_error_set(err, BB_EUNREACHABLE, "%s: a socket path has at most %zu bytes",
				    path, sizeof(addr.sun_path) - 1);
	memcpy(addr.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail_connect(path, errno, err);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
		int error = errno;

		close(fd);
		return fail_connect(path, error, err);
	}
	*ret_fd = fd;
	return BB_OK;
}

static int send_all(int fd, const char *p, size_t n, struct bb_error *err)
{
	while (n > 0) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return bb_error_set(err, BB_EUNREACHABLE, "the connection broke: %s",
					    strerrordesc_np(errno));
		p += sent;
		n -= (size_t)sent;
	}
	return BB_OK;
}

static int read_to_end(int fd, struct bb_buf *buf, struct bb_error *err)
{
	while (buf->n < BB_NET_REPLY_MAX) {
		ssize_t n = recv(fd, bb_buf_reserve(buf, READ_BYTES), READ_BYTES, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return bb_error_set(err, BB_EUNREACHABLE, "no answer: %s",
					    strerrordesc_np(errno));
		if (n == 0)
			return BB_OK;
		buf->n += (size_t)n;
	}
	return bb_error_set(err, BB_ECORRUPT, "an answer of more than %zu bytes", BB_NET_REPLY_MAX);
}

/* Where the head ends (behind the empty line), or 0. */
static size_t head_bytes(const struct bb_buf *buf)
{
	const char *end = buf->n > 0 ? memmem(buf->p, buf->n, "\r\n\r\n", 4) : NULL;

	return end ? (size_t)(end - buf->p) + 4 : 0;
}

/* The Content-Length of a head, or -1. */
static long long content_length(const char *head, size_t n)
{
	static const char name[] = "\r\nContent-Length:";

	for (size_t i = 0; i + sizeof(name) < n; i++)
		if (strncasecmp(head + i, name, sizeof(name) - 1) == 0)
			return strtoll(head + i + sizeof(name) - 1, NULL, 10);
	return -1;
}

static int split_answer(struct bb_buf *answer, unsigned *ret_status, struct bb_buf *ret_body,
			struct bb_error *err)
{
	size_t head = head_bytes(answer);
	long long length;

	if (head < 16 || strncmp(answer->p, "HTTP/1.1 ", 9) != 0)
		return bb_error_set(err, BB_ECORRUPT, "what came from the admin socket is no HTTP");
	*ret_status = (unsigned)strtoul(answer->p + 9, NULL, 10);
	length = content_length(answer->p, head);
	if (length < 0 || (size_t)length != answer->n - head)
		return bb_error_set(err, BB_ECORRUPT, "the answer was cut off");
	bb_buf_add(ret_body, answer->p + head, answer->n - head);
	return BB_OK;
}

int bb_net_http(const char *path, const struct bb_net_request *request, unsigned *ret_status,
		struct bb_buf *ret_body, struct bb_error *err)
{
	struct bb_buf text = BB_BUF_EMPTY, answer = BB_BUF_EMPTY;
	int fd = -1, ret = bb_net_connect(path, &fd, err);

	if (ret != BB_OK)
		return ret;
	bb_buf_printf(&text,
		      "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
		      "User-Agent: backbonectl/%s\r\n",
		      request->method, request->target, BB_VERSION);
	if (request->body.n > 0)
		bb_buf_printf(&text, "Content-Type: application/json\r\n");
	if (strcmp(request->method, "GET") != 0)
		bb_buf_printf(&text, "Content-Length: %zu\r\n", request->body.n);
	bb_buf_printf(&text, "\r\n");
	bb_buf_text(&text, request->body);
	ret = send_all(fd, text.p, text.n, err);
	if (ret == BB_OK)
		ret = read_to_end(fd, &answer, err);
	if (ret == BB_OK)
		ret = split_answer(&answer, ret_status, ret_body, err);
	close(fd);
	bb_buf_fini(&text);
	bb_buf_fini(&answer);
	return ret;
}

int bb_net_http_get(const char *path, const char *target, unsigned *ret_status,
		    struct bb_buf *ret_body, struct bb_error *err)
{
	struct bb_net_request request = {.method = "GET", .target = target};

	return bb_net_http(path, &request, ret_status, ret_body, err);
}

int bb_net_resp_open(const char *path, struct bb_net_resp *ret_client, struct bb_error *err)
{
	*ret_client = (struct bb_net_resp){.fd = -1, .in = BB_BUF_EMPTY};
	return bb_net_connect(path, &ret_client->fd, err);
}

void bb_net_resp_close(struct bb_net_resp *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	bb_buf_fini(&client->in);
}

/* Waits for more bytes. */
static int more(struct bb_net_resp *client, struct bb_error *err)
{
	ssize_t n;

	if (client->in.n > BB_NET_REPLY_MAX)
		return bb_error_set(err, BB_ECORRUPT, "a reply of more than %zu bytes",
				    BB_NET_REPLY_MAX);
	do {
		n = recv(client->fd, bb_buf_reserve(&client->in, READ_BYTES), READ_BYTES, 0);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		return bb_error_set(err, BB_EUNREACHABLE, "the daemon closed the connection");
	if (n < 0)
		return bb_error_set(err, BB_EUNREACHABLE, "no reply: %s", strerrordesc_np(errno));
	client->in.n += (size_t)n;
	return BB_OK;
}

/* Takes a line without its CRLF; the slice is good until the next read. */
static int take_line(struct bb_net_resp *client, struct bb_text *ret_line, struct bb_error *err)
{
	for (;;) {
		const char *from = client->in.p + client->at;
		size_t left = client->in.n - client->at;
		const char *end = left > 0 ? memmem(from, left, "\r\n", 2) : NULL;
		int ret;

		if (end) {
			*ret_line = (struct bb_text){from, (size_t)(end - from)};
			client->at += ret_line->n + 2;
			return BB_OK;
		}
		ret = more(client, err);
		if (ret != BB_OK)
			return ret;
	}
}

static int take_bytes(struct bb_net_resp *client, size_t n, struct bb_arena *arena,
		      struct bb_text *ret_text, struct bb_error *err)
{
	while (client->in.n - client->at < n + 2) {
		int ret = more(client, err);

		if (ret != BB_OK)
			return ret;
	}
	*ret_text = bb_arena_copy(arena, (struct bb_text){client->in.p + client->at, n});
	client->at += n + 2;
	return BB_OK;
}

static bool parse_length(struct bb_text digits, int64_t *ret_value)
{
	char text[24], *end;

	if (digits.n == 0 || digits.n >= sizeof(text))
		return false;
	memcpy(text, digits.p, digits.n);
	text[digits.n] = '\0';
	*ret_value = strtoll(text, &end, 10);
	return *end == '\0';
}

enum { DEPTH_MAX = 8 };

static int take_reply(struct bb_net_resp *client, unsigned depth, struct bb_arena *arena,
		      struct bb_net_reply *reply, struct bb_error *err)
{
	struct bb_text line, rest;
	int64_t n = 0;
	int ret = take_line(client, &line, err);

	*reply = (struct bb_net_reply){.kind = BB_REPLY_NULL};
	if (ret != BB_OK)
		return ret;
	rest = (struct bb_text){line.p + 1, line.n > 0 ? line.n - 1 : 0};
	if (line.n > 0 && (line.p[0] == '+' || line.p[0] == '-')) {
		reply->kind = line.p[0] == '+' ? BB_REPLY_TEXT : BB_REPLY_ERROR;
		reply->text = bb_arena_copy(arena, rest);
		return BB_OK;
	}
	if (line.n < 2 || !strchr(":$*", line.p[0]) || !parse_length(rest, &n) || depth > DEPTH_MAX)
		return bb_error_set(err, BB_ECORRUPT, "what came from the query socket is no RESP");
	if (line.p[0] == ':') {
		reply->kind = BB_REPLY_INTEGER;
		reply->integer = n;
		return BB_OK;
	}
	if (n < 0)
		return BB_OK;
	if ((uint64_t)n > BB_NET_REPLY_MAX)
		return bb_error_set(err, BB_ECORRUPT, "a reply of %lld", (long long)n);
	if (line.p[0] == '$') {
		reply->kind = BB_REPLY_TEXT;
		return take_bytes(client, (size_t)n, arena, &reply->text, err);
	}
	reply->kind = BB_REPLY_LIST;
	reply->n = (size_t)n;
	reply->items = bb_arena_zalloc(arena, reply->n * sizeof(*reply->items));
	for (size_t i = 0; ret == BB_OK && i < reply->n; i++)
		ret = take_reply(client, depth + 1, arena, &reply->items[i], err);
	return ret;
}

int bb_net_resp_call(struct bb_net_resp *client, const char *const *args, size_t n,
		     struct bb_arena *arena, struct bb_net_reply *ret_reply, struct bb_error *err)
{
	struct bb_buf request = BB_BUF_EMPTY;
	int sent, ret;

	bb_buf_printf(&request, "*%zu\r\n", n);
	for (size_t i = 0; i < n; i++)
		bb_buf_printf(&request, "$%zu\r\n%s\r\n", strlen(args[i]), args[i]);
	sent = send_all(client->fd, request.p, request.n, err);
	bb_buf_fini(&request);
	client->in.n = client->at = 0;
	/* Who is turned away is told so, even if the request could not be sent any more. */
	ret = take_reply(client, 0, arena, ret_reply, sent == BB_OK ? err : NULL);
	return ret != BB_OK && sent != BB_OK ? sent : ret;
}
