/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first part of a file decides how it is read: if it is all of the file and one JSON document,
 * that is the one message; if its first line is JSON, or does not begin as an object or list would,
 * lines are messages; else it is one document that is broken, and goes on as it is for the
 * connector to say why. For a connector of csv or tsv there are only records, the first of which
 * may name the columns.
 *
 * Fails where the file cannot be read, or a line does not fit.
 */
#include "input.h"

#include <backbone/assert.h>
#include <backbone/buf.h>
#include <backbone/clock.h>
#include <backbone/json.h>
#include <backbone/record.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024, HEAD_BYTES = 1024 * 1024, LINE_BYTES = 8 * 1024 * 1024 };

struct bb_input {
	int fd;
	bool raw, has_ended; /* has_ended: the file has no more */
	bool is_document;
	struct bb_buf buf;
	size_t at; /* in buf: where the next message begins */
	int64_t line;
	const struct bb_connector *connector; /* whose records are read; NULL: lines */
	struct bb_buf heading;
	uint64_t total_bytes, taken_bytes;
	const char *path;
};

/* Reads until there are `want` bytes in the buffer or the file has ended. */
static int fill(struct bb_input *input, size_t want, struct bb_error *err)
{
	while (!input->has_ended && input->buf.n < want) {
		ssize_t n = read(input->fd, bb_buf_reserve(&input->buf, CHUNK), CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return bb_error_set(err, BB_EIO, "%s: %s", input->path,
					    strerrordesc_np(errno));
		input->has_ended = n == 0;
		input->buf.n += (size_t)n;
	}
	return BB_OK;
}

static bool is_json(struct bb_text text)
{
	struct bb_refusal refusal;
	struct bb_json *doc = bb_json_read(text, &refusal);

	bb_json_free(doc);
	return doc != NULL;
}

static struct bb_text trim_end(struct bb_text text)
{
	while (text.n > 0 && strchr(" \t\r\n", text.p[text.n - 1]))
		text.n--;
	return text;
}

/* Blank lines at the start say nothing about what comes; *ret_lines: how many there are. */
static struct bb_text skip_blank_lines(struct bb_text text, int64_t *ret_lines)
{
	size_t from = 0;

	*ret_lines = 0;
	for (size_t i = 0; i < text.n && strchr(" \t\r\n", text.p[i]); i++) {
		if (text.p[i] != '\n')
			continue;
		from = i + 1;
		*ret_lines += 1;
	}
	return (struct bb_text){text.p + from, text.n - from};
}

static bool looks_like_document(const struct bb_input *input)
{
	int64_t lines;
	struct bb_text all = skip_blank_lines(trim_end(bb_buf_slice(&input->buf)), &lines);
	struct bb_text first = all;
	const char *end = all.n > 0 ? memchr(all.p, '\n', all.n) : NULL;
	size_t i = 0;

	if (!input->has_ended || all.n == 0)
		return false;
	if (is_json(all))
		return true;
	if (!end)
		return false; /* a line keeps its blanks: they may be columns */
	first.n = (size_t)(end - all.p);
	while (i < all.n && strchr(" \t\r\n", all.p[i]))
		i++;
	return (all.p[i] == '{' || all.p[i] == '[') && !is_json(first);
}

int bb_input_open(const char *path, bool raw, struct bb_input **ret_input, struct bb_error *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	struct bb_input *input;
	struct stat st;
	int ret;

	if (fd < 0)
		return bb_error_set(err, BB_EIO, "%s: %s", path, strerrordesc_np(errno));
	input = calloc(1, sizeof(*input));
	bb_assert(input);
	input->fd = fd;
	input->raw = raw;
	input->path = is_stdin ? "standard input" : path;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		input->total_bytes = (uint64_t)st.st_size;
	ret = fill(input, HEAD_BYTES, err);
	if (ret != BB_OK) {
		bb_input_close(input);
		return ret;
	}
	input->is_document = !raw && looks_like_document(input);
	*ret_input = input;
	return BB_OK;
}

void bb_input_close(struct bb_input *input)
{
	if (!input)
		return;
	close(input->fd);
	bb_buf_fini(&input->buf);
	bb_buf_fini(&input->heading);
	free(input);
}

void bb_input_records(struct bb_input *input, const struct bb_connector *connector)
{
	if (!bb_connector_has_records(connector))
		return;
	input->connector = connector;
	input->is_document = false;
}

void bb_input_progress(const struct bb_input *input, uint64_t *ret_total, uint64_t *ret_taken)
{
	*ret_total = input->total_bytes;
	*ret_taken = input->taken_bytes;
}

/* Where the line, or the record, ends; NULL: not in the buffer. One that does not end at all has a
 * quote that is never closed: then its first line is a record of its own. */
static const char *find_end(const struct bb_input *input, struct bb_text left)
{
	size_t n;

	if (left.n == 0)
		return NULL;
	if (input->connector && bb_connector_record(input->connector, left, &n))
		return left.p + n;
	return !input->connector || input->has_ended || left.n > BB_MESSAGE_BYTES_MAX
		       ? memchr(left.p, '\n', left.n)
		       : NULL;
}

/* A line without its end, or a record; BB_ENOTFOUND at the end of the file. */
static int next_line(struct bb_input *input, struct bb_text *ret_line, struct bb_error *err)
{
	for (;;) {
		const char *from = input->buf.p + input->at;
		size_t left = input->buf.n - input->at;
		const char *end = find_end(input, (struct bb_text){from, left});
		int ret;

		if (end || (input->has_ended && left > 0)) {
			size_t n = end ? (size_t)(end - from) : left;

			input->at += n + (end ? 1 : 0);
			input->taken_bytes += n + (end ? 1 : 0);
			*ret_line = (struct bb_text){from, n};
			for (size_t i = 0; i < n; i++)
				input->line += from[i] == '\n';
			if (n > 0 && from[n - 1] == '\r')
				ret_line->n--;
			return BB_OK;
		}
		if (input->has_ended)
			return BB_ENOTFOUND;
		if (left > LINE_BYTES)
			return bb_error_set(err, BB_ELIMIT, "%s: a line of more than %d bytes",
					    input->path, LINE_BYTES);
		if (left > 0)
			memmove(input->buf.p, from, left);
		input->buf.n = left;
		input->at = 0;
		ret = fill(input, left + 1, err);
		if (ret != BB_OK)
			return ret;
	}
}

static const char *const long_members[] = {"headers", "key", "topic", "timestamp", "value"};

/* Whether the root is a message in the long form: `value` and at least one of the first three, and
 * nothing else. */
static bool is_long_form(const struct bb_json *doc)
{
	const struct bb_json_node *root = bb_json_root(doc), *value;
	bool has_value = false, has_other = false;
	struct bb_text key;
	void *iter = NULL;

	if (bb_json_kind(doc, root) != BB_JSON_MAP)
		return false;
	while (bb_json_next(doc, root, &iter, &key, &value)) {
		size_t i = 0, n = sizeof(long_members) / sizeof(long_members[0]);

		while (i < n && !bb_text_equal(key, bb_text_of(long_members[i])))
			i++;
		if (i == n)
			return false;
		has_value |= i == n - 1;
		has_other |= i < 3;
	}
	return has_value && has_other;
}

/* Text and numbers as their text, null as p NULL, lists and objects as compact JSON. */
static struct bb_text bytes_of(const struct bb_json *doc, const struct bb_json_node *node,
			       struct bb_arena *arena)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_text text;

	if (!node || bb_json_kind(doc, node) == BB_JSON_NULL)
		return (struct bb_text){NULL, 0};
	text = bb_json_text(doc, node);
	if (text.p)
		return bb_arena_copy(arena, text);
	bb_json_write(doc, node, &buf);
	text = bb_arena_copy(arena, bb_buf_slice(&buf));
	bb_buf_fini(&buf);
	return text;
}

static void take_headers(const struct bb_json *doc, const struct bb_json_node *map,
			 struct bb_arena *arena, struct bb_message *msg)
{
	struct bb_header *headers;
	const struct bb_json_node *value;
	size_t n = map ? bb_json_size(doc, map) : 0;
	struct bb_text name;
	void *iter = NULL;

	if (n == 0 || bb_json_kind(doc, map) != BB_JSON_MAP)
		return;
	headers = bb_arena_alloc(arena, n * sizeof(*headers));
	while (bb_json_next(doc, map, &iter, &name, &value))
		headers[msg->header_n++] =
			(struct bb_header){bb_arena_copy(arena, name), bytes_of(doc, value, arena)};
	msg->headers = headers;
}

/* Milliseconds, or RFC 3339. */
static bool parse_time(struct bb_text text, int64_t *ret_ms)
{
	int64_t ms = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9' || text.n > 15)
			return bb_clock_parse_rfc3339(text, ret_ms);
		ms = ms * 10 + (text.p[i] - '0');
	}
	*ret_ms = text.n > 0 ? ms : *ret_ms;
	return text.n > 0;
}

static void take_long_form(const struct bb_json *doc, struct bb_arena *arena,
			   struct bb_message *msg)
{
	const struct bb_json_node *root = bb_json_root(doc);
	struct bb_text time = bytes_of(doc, bb_json_member(doc, root, BB_TEXT("timestamp")), arena);

	msg->topic = bytes_of(doc, bb_json_member(doc, root, BB_TEXT("topic")), arena);
	msg->key = bytes_of(doc, bb_json_member(doc, root, BB_TEXT("key")), arena);
	msg->value = bytes_of(doc, bb_json_member(doc, root, BB_TEXT("value")), arena);
	take_headers(doc, bb_json_member(doc, root, BB_TEXT("headers")), arena, msg);
	(void)parse_time(time, &msg->timestamp_ms);
}

/* The first record, where it names the columns. */
static int take_heading(struct bb_input *input, struct bb_error *err)
{
	struct bb_text text;
	int ret;

	if (!input->connector || input->line > 0 || !bb_connector_has_heading(input->connector))
		return BB_OK;
	ret = next_line(input, &text, err);
	if (ret == BB_OK) {
		bb_buf_text(&input->heading, text);
		input->line++;
	}
	return ret;
}

int bb_input_next(struct bb_input *input, struct bb_arena *arena, struct bb_message *ret_msg,
		  struct bb_error *err)
{
	struct bb_refusal refusal;
	struct bb_json *doc;
	struct bb_text text;
	int64_t line;

	do {
		int ret = input->is_document && input->at > 0 ? BB_ENOTFOUND
							      : take_heading(input, err);

		line = input->line;
		if (ret == BB_OK && !input->is_document)
			ret = next_line(input, &text, err);
		if (ret != BB_OK)
			return ret;
		if (input->is_document) {
			text = skip_blank_lines(trim_end(bb_buf_slice(&input->buf)), &input->line);
			input->at = input->buf.n;
			input->taken_bytes = input->buf.n;
		}
		line = input->is_document ? input->line : line;
		input->line++;
	} while (text.n == 0);
	*ret_msg =
		(struct bb_message){.offset = line, .timestamp_ms = BB_NO_TIMESTAMP, .value = text};
	if (input->heading.n > 0)
		ret_msg->heading = bb_buf_slice(&input->heading);
	if (input->raw || text.p[0] != '{')
		return BB_OK;
	doc = bb_json_read(text, &refusal);
	if (doc && is_long_form(doc))
		take_long_form(doc, arena, ret_msg);
	bb_json_free(doc);
	return BB_OK;
}
