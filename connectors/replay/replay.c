/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files are read one after the other, in blocks. A line is delivered in place; its block lives
 * until all of its lines are given back. What is stored with a line says where the next one begins
 * in the file, and the hash of this one, so that a start finds its place at once and sees whether
 * the file is still the same.
 *
 * A file that is shorter than what was read of it, or has another line there, is a gap: at the
 * start, and whenever it is read on. A file that was replaced under its path by one that has the
 * same line there is read on in the new one. One that cannot be read is said and tried again. A
 * line that is too long is delivered cut, for the dead letter it will be.
 *
 * What a line is, the connector says: a record of csv may have several. Where the first record of a
 * file names its columns it is read at every opening, goes along with each line, and must stay as
 * it is.
 */
#include <backbone/replay.h>

#include <backbone/assert.h>
#include <backbone/record.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "history.h"

#define BLOCK_BYTES (1024 * 1024)
#define READ_TURN_BYTES (4 * 1024 * 1024) /* of blank or skipped bytes in one take */

_Static_assert(BLOCK_BYTES > 2 * BB_REPLAY_LINE_MAX, "a line fits into a block");

/* Of the file, at `start`; freed when no line of it is in use and it is not the current one. */
struct block {
	size_t lines; /* in use */
	bool current;
	char bytes[BLOCK_BYTES];
};

struct line { /* what a delivery owns */
	struct block *block;
	struct bb_place place; /* the hash is taken when asked for */
	const char *bytes;
	struct line *spare; /* free list */
};

struct replay {
	struct bb_source source;
	const struct bb_connector *connector;
	bb_resume_fn *resume;
	void *resume_ctx;
	struct bb_history *files;
	size_t file_n, at;
	struct block *block;
	size_t filled, used; /* bytes of the block: read, delivered */
	struct line *spare;
	size_t outstanding;
};

static struct replay *replay_of(struct bb_source *source)
{
	return (struct replay *)source;
}

static int open_file(struct replay *replay, struct bb_history *file, struct bb_error *err)
{
	int code = bb_history_open(file, replay->resume, replay->resume_ctx, err);

	return code ? code : bb_history_heading(file, replay->connector, err);
}

/* --- blocks ----------------------------------------------------------------------------------- */

static void block_put(struct block *block)
{
	if (!block->current && block->lines == 0)
		free(block);
}

/* Ends the use of the current block; lines of it that were delivered keep it. */
static void drop_block(struct replay *replay)
{
	if (replay->block) {
		replay->block->current = false;
		block_put(replay->block);
	}
	replay->block = NULL;
	replay->filled = replay->used = 0;
}

/* A block that begins with what is left of the current one. */
static void next_block(struct replay *replay)
{
	struct block *block = malloc(sizeof *block);
	size_t left = replay->filled - replay->used;

	bb_assert(block);
	block->lines = 0;
	block->current = true;
	if (left)
		memcpy(block->bytes, replay->block->bytes + replay->used, left);
	drop_block(replay);
	replay->block = block;
	replay->filled = left;
}

/* What was read and not delivered is read again. */
static void forget_block(struct replay *replay)
{
	if (replay->block && replay->block->lines == 0)
		replay->filled = replay->used = 0;
	else
		drop_block(replay);
}

/* Before its block goes. */
static void hash_last(struct replay *replay, struct bb_history *file)
{
	const struct bb_place *last = &file->last;
	size_t back = (size_t)(file->start - last->start);

	if (!file->has_last || file->is_hashed)
		return;
	bb_assert(replay->block && back <= replay->used);
	file->last.hash = bb_place_hash(
		bb_text_bytes(replay->block->bytes + replay->used - back, last->bytes));
	file->is_hashed = true;
}

/* Whether reading on is reading on. */
static int look(struct replay *replay, struct bb_history *file, struct bb_error *err)
{
	uint64_t read_to = file->start + (replay->filled - replay->used);
	bool is_replaced = false;
	int code;

	hash_last(replay, file);
	code = bb_history_look(file, read_to, &is_replaced, err);
	if (!is_replaced)
		return code;
	forget_block(replay);
	return open_file(replay, file, err);
}

/* Reads on. *ret_got 0: the end of the file. */
static int fill(struct replay *replay, struct bb_history *file, size_t *ret_got,
		struct bb_error *err)
{
	int code = look(replay, file, err);
	ssize_t got;

	if (code)
		return code;
	if (!replay->block || replay->filled == BLOCK_BYTES)
		next_block(replay);
	do
		got = pread(file->fd, replay->block->bytes + replay->filled,
			    BLOCK_BYTES - replay->filled,
			    (off_t)(file->start + (replay->filled - replay->used)));
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return bb_history_unreadable(file, err);
	replay->filled += (size_t)got;
	*ret_got = (size_t)got;
	return BB_OK;
}

/* --- lines ------------------------------------------------------------------------------------ */

static struct line *line_new(struct replay *replay)
{
	struct line *line = replay->spare;

	if (line) {
		replay->spare = line->spare;
	} else {
		line = malloc(sizeof *line);
		bb_assert(line);
	}
	line->block = replay->block;
	line->block->lines++;
	replay->outstanding++;
	return line;
}

static bool blank(struct bb_text text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != ' ' && text.p[i] != '\t' && text.p[i] != '\r')
			return false;
	return true;
}

struct span {
	size_t bytes; /* of a line, without the line feed */
	size_t taken; /* with it */
	size_t more;  /* line feeds inside of it */
	bool cut;     /* the line goes on behind */
	bool unended; /* the file ended without a line feed */
};

static size_t count_feeds(struct bb_text text)
{
	size_t n = 0;

	for (const char *p = text.p; p && (p = memchr(p, '\n', text.n - (size_t)(p - text.p)));)
		n += p++ != NULL;
	return n;
}

/*
 * The next record: a line, of csv more where a field in quotes has line feeds. One that does not
 * end, within the limit or at all, is an open quote: then the line is a record of its own, so that
 * it costs itself and not the file.
 */
static bool find_line(const struct replay *replay, const struct bb_history *file, bool at_end,
		      struct span *ret_span)
{
	const char *p = replay->block ? replay->block->bytes + replay->used : NULL;
	size_t n = replay->filled - replay->used, bytes = 0;
	bool ends = n && !file->skipping &&
		    bb_connector_record(replay->connector, bb_text_bytes(p, n), &bytes) &&
		    bytes <= BB_REPLAY_LINE_MAX;
	const char *feed = ends ? p + bytes : NULL;

	*ret_span = (struct span){0};
	if (n && !ends &&
	    (file->skipping || at_end || n > BB_REPLAY_LINE_MAX ||
	     !bb_connector_has_records(replay->connector)))
		feed = memchr(p, '\n', n);
	if (feed) {
		ret_span->bytes = (size_t)(feed - p);
		ret_span->taken = ret_span->bytes + 1;
		if (ends && bb_connector_has_records(replay->connector))
			ret_span->more = count_feeds(bb_text_bytes(p, bytes));
	} else if (n > BB_REPLAY_LINE_MAX) {
		ret_span->bytes = ret_span->taken = n;
		ret_span->cut = true;
	} else if (at_end && n) {
		ret_span->bytes = ret_span->taken = n;
		ret_span->unended = true;
	} else {
		return false;
	}
	return true;
}

static void advance(struct replay *replay, struct bb_history *file, const struct span *span)
{
	replay->used += span->taken;
	file->start += span->taken;
	file->skipping = span->cut;
	file->unended = span->unended;
	if (!span->cut)
		file->line += 1 + (int64_t)span->more;
}

static struct bb_text heading_of(const struct replay *replay, const struct bb_history *file)
{
	return bb_connector_has_heading(replay->connector) ? bb_buf_slice(&file->heading)
							   : (struct bb_text){NULL, 0};
}

/* Makes a delivery of the line that was found; false: it gives none. */
static bool deliver(struct replay *replay, struct bb_history *file, const struct span *span,
		    struct bb_delivery *out)
{
	struct bb_text text = {replay->block->bytes + replay->used, span->bytes};
	struct line *line;

	if (file->skipping || (!span->cut && blank(text)) ||
	    (file->start == 0 && bb_connector_has_heading(replay->connector)))
		return false;
	if (text.n > BB_REPLAY_LINE_MAX)
		text.n = BB_REPLAY_LINE_MAX;
	line = line_new(replay);
	line->bytes = text.p;
	line->place = (struct bb_place){.start = file->start,
					.next = file->start + span->taken,
					.bytes = (uint32_t)text.n,
					.cut = span->cut,
					.unended = span->unended,
					.more = (uint32_t)span->more};
	file->last = line->place;
	file->has_last = true;
	file->is_hashed = false;
	if (text.p[text.n - 1] == '\r')
		text.n--;
	*out = (struct bb_delivery){
		.message = {.topic = bb_text_of(file->topic),
			    .offset = file->line,
			    .timestamp_ms = BB_NO_TIMESTAMP,
			    .value = text,
			    .heading = heading_of(replay, file)},
		.connector = replay->connector,
		.owner = line,
	};
	return true;
}

/* More came behind a line that had no line feed: it must be that one first. */
static int end_line(struct replay *replay, struct bb_history *file, struct bb_error *err)
{
	if (replay->block->bytes[replay->used] != '\n')
		return bb_history_gap(file, "its last line, which had no line feed, has grown",
				      err);
	file->unended = false;
	file->start++;
	replay->used++;
	return BB_OK;
}

/* Takes lines of a file until `room` are there, those at hand are taken, or it has no more. */
static int take_lines(struct replay *replay, struct bb_history *file, struct bb_delivery *out,
		      size_t room, size_t *n, struct bb_error *err)
{
	size_t blank_bytes = 0;
	bool at_end = false;
	struct span span;

	file->ended = false;
	while (*n < room && blank_bytes < READ_TURN_BYTES) {
		size_t got = 0;
		int code = BB_OK;

		if (!file->has_heading && replay->used < replay->filled)
			code = bb_history_heading(file, replay->connector, err);
		if (!code && file->unended && replay->used < replay->filled)
			code = end_line(replay, file, err);
		if (code)
			return code;
		if (find_line(replay, file, at_end, &span)) {
			if (deliver(replay, file, &span, &out[*n]))
				(*n)++;
			else
				blank_bytes += span.taken;
			advance(replay, file, &span);
			continue;
		}
		if (at_end) {
			file->ended = true;
			break;
		}
		if (*n) /* what is wrong with the file could not be said beside them */
			break;
		code = fill(replay, file, &got, err);
		if (code)
			return code;
		at_end = got == 0;
	}
	return BB_OK;
}

static void turn_page(struct replay *replay)
{
	forget_block(replay);
	replay->at = (replay->at + 1) % replay->file_n;
}

static int on_take(struct bb_source *source, struct bb_delivery *out, size_t room, size_t *ret_n,
		   struct bb_error *err)
{
	struct replay *replay = replay_of(source);
	int trouble = BB_OK;
	size_t n = 0;

	*ret_n = 0;
	for (size_t tried = 0; n < room && tried < replay->file_n; tried++) {
		struct bb_history *file = &replay->files[replay->at];
		int code = BB_OK;

		file->unreadable = false;
		if (!file->gap && !file->opened)
			code = open_file(replay, file, err);
		if (!file->gap && !code)
			code = take_lines(replay, file, out, room, &n, err);
		if (n || (!file->gap && !code && !file->ended))
			break; /* there may be more of it */
		turn_page(replay);
		if (code == BB_EGAP)
			return code;
		if (code)
			trouble = code;
	}
	*ret_n = n;
	return n ? BB_OK : trouble;
}

static void on_release(struct bb_source *source, struct bb_delivery *deliveries, size_t n)
{
	struct replay *replay = replay_of(source);

	for (size_t i = 0; i < n; i++) {
		struct line *line = deliveries[i].owner;

		line->block->lines--;
		block_put(line->block);
		line->spare = replay->spare;
		replay->spare = line;
		replay->outstanding--;
	}
}

/* --- what ingest asks ------------------------------------------------------------------------- */

static int on_fd(struct bb_source *source)
{
	(void)source;
	return -1;
}

static bool on_drained(struct bb_source *source)
{
	struct replay *replay = replay_of(source);

	for (size_t i = 0; i < replay->file_n; i++) {
		const struct bb_history *file = &replay->files[i];

		if (!file->gap && !file->ended && !file->unreadable)
			return false;
	}
	return true;
}

static bool on_reads(struct bb_source *source, struct bb_text topic, int32_t partition)
{
	struct replay *replay = replay_of(source);

	for (size_t i = 0; i < replay->file_n; i++)
		if (partition == 0 && bb_text_equal(bb_text_of(replay->files[i].topic), topic))
			return !replay->files[i].gap;
	return false;
}

static bool on_ready(struct bb_source *source, struct bb_error *err)
{
	struct replay *replay = replay_of(source);

	for (size_t i = 0; i < replay->file_n; i++) {
		if (replay->files[i].placed || replay->files[i].gap)
			return true;
	}
	bb_error_set(err, BB_OK, "files have not been opened yet");
	return replay->file_n == 0;
}

static int64_t on_end(struct bb_source *source, struct bb_text topic, int32_t partition)
{
	(void)source;
	(void)topic;
	(void)partition;
	return -1; /* how many lines there are is known when they were read */
}

static struct bb_text on_token(struct bb_source *source, const struct bb_delivery *last,
			       struct bb_arena *arena)
{
	const struct line *line = last->owner;
	struct bb_place place = line->place;

	(void)source;
	place.hash = bb_place_hash(bb_text_bytes(line->bytes, place.bytes));
	return bb_place_encode(&place, arena);
}

/* --- life ------------------------------------------------------------------------------------- */

static void on_free(struct bb_source *source)
{
	struct replay *replay = source ? replay_of(source) : NULL;

	if (!replay)
		return;
	bb_assert(replay->outstanding == 0);
	drop_block(replay);
	for (size_t i = 0; i < replay->file_n; i++) {
		if (replay->files[i].fd >= 0)
			close(replay->files[i].fd);
		bb_buf_fini(&replay->files[i].heading);
		free(replay->files[i].topic);
	}
	while (replay->spare) {
		struct line *line = replay->spare;

		replay->spare = line->spare;
		free(line);
	}
	free(replay->files);
	free(replay);
}

static const struct bb_source_ops ops = {
	.fd = on_fd,
	.take = on_take,
	.release = on_release,
	.drained = on_drained,
	.reads = on_reads,
	.ready = on_ready,
	.end = on_end,
	.token = on_token,
	.free = on_free,
};

struct bb_source *bb_replay_new(const struct bb_replay_options *options)
{
	struct replay *replay = calloc(1, sizeof *replay);

	bb_assert(replay && options->file_n > 0);
	replay->source.ops = &ops;
	replay->connector = options->connector;
	replay->resume = options->resume;
	replay->resume_ctx = options->resume_ctx;
	replay->file_n = options->file_n;
	replay->files = calloc(options->file_n, sizeof *replay->files);
	bb_assert(replay->files);
	for (size_t i = 0; i < options->file_n; i++) {
		replay->files[i].fd = -1;
		bb_assert(asprintf(&replay->files[i].topic, "file:%s", options->files[i]) > 0);
	}
	return &replay->source;
}

void bb_replay_route(struct bb_source *source, const struct bb_connector *connector)
{
	struct replay *replay = replay_of(source);

	bb_assert(replay->outstanding == 0);
	replay->connector = connector;
	for (size_t i = 0; i < replay->file_n; i++) { /* a heading may end elsewhere now */
		replay->files[i].heading.n = 0;
		replay->files[i].has_heading = false;
	}
}
