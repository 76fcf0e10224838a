/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests: a first line `*n` says how many arguments follow, each `$len`, the bytes, CRLF. A
 * complete request in one piece is read once and its arguments are slices of the input. Of an
 * incomplete one the parser keeps only how far it came; when the rest is there, the whole is read
 * once more for the slices, so that a client that sends byte by byte costs twice the work and 16
 * bytes, not the square.
 *
 * A wrong byte is refused where it stands, before the rest has come: a length that is no canonical
 * decimal or is beyond a limit, a missing CRLF, a control character in an inline line (so a TLS
 * handshake or binary rubbish is gone at its first byte).
 */
#include <backbone/assert.h>
#include <backbone/resp.h>

enum { LINE_DIGITS_MAX = 5 }; /* of 65536 */

/*
 * Reads decimal digits and CRLF at *pos; value in 0..max. READY moves *pos behind the line.
 */
static enum bb_resp_status line_number(struct bb_text input, size_t *pos, uint32_t max,
				       uint32_t *ret_value)
{
	size_t i = *pos;
	uint32_t value = 0;

	for (; i < input.n && input.p[i] >= '0' && input.p[i] <= '9'; i++) {
		if (i - *pos >= LINE_DIGITS_MAX || (i > *pos && value == 0))
			return BB_RESP_REFUSED;
		value = value * 10 + (uint32_t)(input.p[i] - '0');
	}
	if (value > max)
		return BB_RESP_REFUSED;
	if (i == input.n)
		return BB_RESP_MORE;
	if (i == *pos || input.p[i] != '\r')
		return BB_RESP_REFUSED;
	if (++i == input.n)
		return BB_RESP_MORE;
	if (input.p[i] != '\n')
		return BB_RESP_REFUSED;
	*pos = i + 1;
	*ret_value = value;
	return BB_RESP_READY;
}

/* One `$len` with its bytes at *pos. */
static enum bb_resp_status argument(struct bb_text input, size_t *pos, struct bb_text *ret_arg,
				    const char **ret_why)
{
	enum bb_resp_status status;
	size_t at = *pos;
	uint32_t len;

	if (at == input.n)
		return BB_RESP_MORE;
	if (input.p[at] != '$') {
		*ret_why = "expected '$'";
		return BB_RESP_REFUSED;
	}
	at++;
	*ret_why = "invalid bulk length (canonical decimal, the request at most 64 KiB, CRLF)";
	status = line_number(input, &at, BB_RESP_REQUEST_MAX, &len);
	if (status != BB_RESP_READY)
		return status;
	if (at + len + 2 > BB_RESP_REQUEST_MAX) {
		*ret_why = "request of more than 64 KiB";
		return BB_RESP_REFUSED;
	}
	*ret_why = "expected CRLF behind a bulk string";
	if (input.n > at + len && input.p[at + len] != '\r')
		return BB_RESP_REFUSED;
	if (input.n < at + len + 2)
		return BB_RESP_MORE;
	if (input.p[at + len + 1] != '\n')
		return BB_RESP_REFUSED;
	*ret_arg = (struct bb_text){input.p + at, len};
	*pos = at + len + 2;
	return BB_RESP_READY;
}

static enum bb_resp_status parse_array(struct bb_resp_parser *parser, struct bb_text input,
				       struct bb_resp_request *ret_request, size_t *ret_used,
				       const char **ret_why)
{
	size_t pos = parser->pos, start = parser->n;
	enum bb_resp_status status;

	if (parser->total == 0) {
		pos = 1;
		*ret_why = "invalid multibulk length (1 to 1024, CRLF)";
		status = line_number(input, &pos, BB_RESP_ARGS_MAX, &parser->total);
		if (status != BB_RESP_READY)
			return status;
		if (parser->total == 0)
			return BB_RESP_REFUSED;
		parser->pos = (uint32_t)pos;
	}
	for (; parser->n < parser->total; parser->n++) {
		status = argument(input, &pos, &ret_request->args[parser->n], ret_why);
		if (status != BB_RESP_READY)
			return status;
		parser->pos = (uint32_t)pos;
	}
	ret_request->n = parser->total;
	ret_request->is_inline = false;
	*parser = (struct bb_resp_parser){0};
	if (start > 0)
		return parse_array(parser, input, ret_request, ret_used, ret_why);
	*ret_used = pos;
	return BB_RESP_READY;
}

static bool split_words(struct bb_text line, struct bb_resp_request *ret_request,
			const char **ret_why)
{
	size_t i = 0;

	ret_request->n = 0;
	ret_request->is_inline = true;
	while (i < line.n) {
		size_t from = i;

		while (i < line.n && line.p[i] != ' ' && line.p[i] != '\t')
			i++;
		if (i == from) {
			i++;
			continue;
		}
		if (line.p[from] == '"' || line.p[from] == '\'') {
			*ret_why = "quotes are not understood in an inline command: send words, "
				   "or use redis-cli";
			return false;
		}
		if (ret_request->n == BB_RESP_ARGS_MAX) {
			*ret_why = "more than 1024 words in an inline command";
			return false;
		}
		ret_request->args[ret_request->n++] = (struct bb_text){line.p + from, i - from};
	}
	return true;
}

static enum bb_resp_status parse_inline(struct bb_resp_parser *parser, struct bb_text input,
					struct bb_resp_request *ret_request, size_t *ret_used,
					const char **ret_why)
{
	size_t i = parser->pos;
	struct bb_text line;

	for (; i < input.n && input.p[i] != '\n'; i++) {
		unsigned char c = (unsigned char)input.p[i];
		bool ends = c == '\r' && (i + 1 == input.n || input.p[i + 1] == '\n');

		if (i >= BB_RESP_REQUEST_MAX) {
			*ret_why = "inline command of more than 64 KiB";
			return BB_RESP_REFUSED;
		}
		if ((c < ' ' && c != '\t' && !ends) || c == 0x7f) {
			*ret_why = "control character in an inline command";
			return BB_RESP_REFUSED;
		}
		if (ends && i + 1 == input.n)
			break; /* looked at again when what is behind it has come */
	}
	parser->pos = (uint32_t)i;
	if (i == input.n || input.p[i] != '\n')
		return BB_RESP_MORE;
	line = (struct bb_text){input.p, i > 0 && input.p[i - 1] == '\r' ? i - 1 : i};
	if (!split_words(line, ret_request, ret_why))
		return BB_RESP_REFUSED;
	*parser = (struct bb_resp_parser){0};
	*ret_used = i + 1;
	return BB_RESP_READY;
}

enum bb_resp_status bb_resp_parse(struct bb_resp_parser *parser, struct bb_text input,
				  struct bb_resp_request *ret_request, size_t *ret_used,
				  const char **ret_why)
{
	bb_assert(parser->pos <= input.n);
	if (input.n == 0)
		return BB_RESP_MORE;
	if (input.p[0] == '*')
		return parse_array(parser, input, ret_request, ret_used, ret_why);
	return parse_inline(parser, input, ret_request, ret_used, ret_why);
}
