/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Redis serialisation protocol, the server's half: a strict, pure parser of requests and a
 * writer of replies. RESP2, and RESP3 where the two differ.
 *
 * Requests are arrays of bulk strings, `*n` of `$len` with canonical decimals and CRLF, or one
 * inline line of words. Anything else is refused, and the connection cannot go on after it.
 */
#ifndef BACKBONE_RESP_H
#define BACKBONE_RESP_H

#include <backbone/buf.h>

#define BB_RESP_ARGS_MAX 1024
#define BB_RESP_REQUEST_MAX (64 * 1024) /* bytes of one request, framing included */
#define BB_RESP_KEY_MAX 1024		/* for the commands that take keys */

struct bb_resp_request {
	struct bb_text args[BB_RESP_ARGS_MAX]; /* slices of the input */
	size_t n;			       /* 0: an empty line, to be passed over */
	bool is_inline;
};

/* How far an incomplete request has been read. Zeroed: at the start of a request. */
struct bb_resp_parser {
	uint32_t pos;	/* bytes of the request that need not be read again */
	uint32_t total; /* arguments announced; 0: the first line is not complete */
	uint32_t n;	/* arguments complete */
};

enum bb_resp_status { BB_RESP_READY, BB_RESP_MORE, BB_RESP_REFUSED };

/*
 * Reads one request at the start of `input`. READY: *ret_request is filled (and *ret_used bytes are
 * done with), `parser` is zeroed. MORE: call again with the same bytes and more behind them; what
 * was read is not read again more than once. REFUSED: *ret_why says why, static storage, fit for
 * `-ERR Protocol error: `.
 */
enum bb_resp_status bb_resp_parse(struct bb_resp_parser *parser, struct bb_text input,
				  struct bb_resp_request *ret_request, size_t *ret_used,
				  const char **ret_why);

/* Replies. `protocol` is 2 or 3. */
void bb_resp_simple(struct bb_buf *buf, const char *text);   /* no CR or LF in it */
void bb_resp_error(struct bb_buf *buf, const char *fmt, ...) /* `ERR ...`; CR, LF become spaces */
	__attribute__((format(printf, 2, 3)));
void bb_resp_integer(struct bb_buf *buf, int64_t value);
void bb_resp_bulk(struct bb_buf *buf, struct bb_text text);
void bb_resp_null(struct bb_buf *buf, int protocol);
void bb_resp_array(struct bb_buf *buf, size_t n);
void bb_resp_map(struct bb_buf *buf, size_t pairs, int protocol); /* RESP2: an array of 2n */

/* A bulk string whose text is written in place: returns a mark for bb_resp_bulk_end. */
size_t bb_resp_bulk_begin(struct bb_buf *buf);
void bb_resp_bulk_end(struct bb_buf *buf, size_t mark);

/* Whether `text` matches a pattern of `*`, `?` and backslash, as SCAN and CONFIG GET take. */
bool bb_resp_glob(struct bb_text pattern, struct bb_text text);

#endif
