/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which dead letters mention a person. They could not be read as events, so their bytes are
 * searched as text: once as they are, where they hold escapes or percent signs once more without
 * them, and where they hold runs of base64 what these say; telephone numbers in their digits. It
 * finds rather too much than too little: a short number may stand in the letter of somebody else,
 * which then goes too.
 *
 *	bytes -> [without escapes] -> [texts in base64 -> [without escapes] -> [once more]]
 *
 * What was compressed, encoded in another way or encrypted is not found: it goes with its age.
 */
#include <backbone/deadletter.h>

#define TAIL_MIN 4     /* bytes behind a tenant: shorter ones stand for anything */
#define PHONE_DIGITS 8 /* the last of a number, however its country is written */
#define PHONE_GAP 3    /* other characters between two digits of one number */

#define ENCODED_MIN 16	/* digits of base64: shorter runs are words */
#define ENCODED_DEPTH 2 /* of base64 in base64: an event in a request in an envelope */
#define DECODED_MIN 8	/* bytes of text: less is chance */
#define DECODED_SURE 6	/* bytes of a value that may follow what is no part of its run */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || (c & 0x80);
}

/* `n` hexadecimal digits, or -1. */
static int32_t hex_of(const char *p, size_t left, size_t n)
{
	int32_t value = 0;

	if (left < n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		int digit = bb_text_hex_digit(p[i]);

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

static char unescaped(char c)
{
	if (c == 'n' || c == 'r')
		return '\n';
	return c == 'b' || c == 'f' || c == 't' ? ' ' : c;
}

/* JSON's escapes and percent-encoding undone, as far as they are of that form. */
static void unescape(struct bb_text text, struct bb_buf *buf)
{
	for (size_t i = 0; i < text.n; i++) {
		size_t left = text.n - i - 1;
		const char *p = text.p + i;

		if (*p == '\\' && left >= 5 && p[1] == 'u' && hex_of(p + 2, left - 1, 4) >= 0) {
			/* halves of pairs are of what no identifier has been found to hold */
			buf->n += bb_text_put_utf8((unsigned)hex_of(p + 2, left - 1, 4),
						   bb_buf_reserve(buf, 4));
			i += 5;
		} else if (*p == '\\' && left >= 1) {
			/* what parts two lines or columns must not become a letter of a word */
			bb_buf_byte(buf, unescaped(p[1]));
			i++;
		} else if (*p == '%' && hex_of(p + 1, left, 2) >= 0) {
			bb_buf_byte(buf, (char)hex_of(p + 1, left, 2));
			i += 2;
		} else {
			bb_buf_byte(buf, *p);
		}
	}
}

static int digit64(char c)
{
	if (is_digit(c))
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	if (c == '/' || c == '_')
		return 63;
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	return c >= 'a' && c <= 'z' ? c - 'a' + 26 : -1;
}

/* Digits of base64 from `at` on, with the line ends between; where they end. */
static size_t run_end(struct bb_text text, size_t at, size_t *ret_digits)
{
	size_t end = at, digits = 0;

	for (; at < text.n; at++) {
		if (digit64(text.p[at]) >= 0) {
			end = at + 1;
			digits++;
		} else if (text.p[at] != '\r' && text.p[at] != '\n') {
			break;
		}
	}
	*ret_digits = digits;
	return end;
}

static void decode_run(struct bb_text run, size_t skip, struct bb_buf *buf)
{
	size_t digits = 0;
	unsigned bits = 0;

	for (size_t i = 0; i < run.n; i++) {
		int digit = digit64(run.p[i]);

		if (digit < 0 || skip > 0) {
			skip -= digit >= 0;
			continue;
		}
		bits = bits << 6 | (unsigned)digit;
		if (++digits % 4 != 1)
			bb_buf_byte(buf, (char)(bits >> (6 - 2 * ((digits - 1) % 4))));
	}
}

/* Bytes of the character of text that is there; 0: there is none. */
static size_t character_bytes(const char *text, size_t left)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t n = *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;

	if (*p < 0x80)
		return *p >= ' ' ? *p != 0x7f : *p == '\t' || *p == '\n' || *p == '\r';
	if (*p < 0xc2 || *p > 0xf4 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

/* What of the bytes is text, a line each. */
static void put_texts(struct bb_text bytes, struct bb_buf *buf)
{
	size_t from = 0, at = 0, n;

	while (at < bytes.n) {
		n = character_bytes(bytes.p + at, bytes.n - at);
		at += n;
		if (n > 0 && at < bytes.n)
			continue;
		if (at - from >= DECODED_MIN) {
			bb_buf_add(buf, bytes.p + from, at - from);
			bb_buf_byte(buf, '\n');
		}
		at += n == 0;
		from = at;
	}
}

/*
 * What runs of base64 say. Where one begins nobody knows, for a path or a word may stand right
 * before it: so each is read from each of its first four digits.
 */
static void decode(struct bb_text text, struct bb_buf *buf)
{
	struct bb_buf bytes = BB_BUF_EMPTY;
	size_t end, digits;

	for (size_t at = 0; at < text.n; at = end) {
		end = at + 1;
		if (digit64(text.p[at]) < 0)
			continue;
		end = run_end(text, at, &digits);
		for (size_t skip = 0; skip < 4 && digits >= ENCODED_MIN; skip++) {
			bytes.n = 0;
			decode_run(bb_text_bytes(text.p + at, end - at), skip, &bytes);
			put_texts(bb_buf_slice(&bytes), buf);
		}
	}
	bb_buf_fini(&bytes);
}

/* What is looked for: in small letters, as texts are before they are searched. */
struct sought {
	struct bb_text *texts;	/* whole values, and what stands behind a tenant */
	struct bb_text *phones; /* the last digits of numbers */
	size_t text_n, phone_n;
};

/* Where it is looked for. */
struct place {
	const struct sought *sought;
	struct bb_arena *arena;
	unsigned depth; /* of base64 around it */
};

static struct bb_text lowered(struct bb_text text, struct bb_arena *arena)
{
	char *out = bb_arena_alloc(arena, text.n);

	for (size_t i = 0; i < text.n; i++)
		out[i] = lower(text.p[i]);
	return bb_text_bytes(out, text.n);
}

static bool is_phone(struct bb_text value)
{
	if (value.n <= PHONE_DIGITS || value.p[0] != '+')
		return false;
	for (size_t i = 1; i < value.n; i++)
		if (!is_digit(value.p[i]))
			return false;
	return true;
}

static struct sought seek(const struct bb_text *values, size_t n, struct bb_arena *arena)
{
	struct sought s = {.texts = bb_arena_alloc(arena, 2 * n * sizeof(*s.texts)),
			   .phones = bb_arena_alloc(arena, n * sizeof(*s.phones))};

	for (size_t i = 0; i < n; i++) {
		struct bb_text value = lowered(values[i], arena);
		const char *slash = memrchr(value.p, '/', value.n);
		size_t tail = slash ? value.n - (size_t)(slash + 1 - value.p) : 0;

		if (value.n)
			s.texts[s.text_n++] = value;
		if (tail >= TAIL_MIN)
			s.texts[s.text_n++] = bb_text_bytes(slash + 1, tail);
		if (is_phone(value))
			s.phones[s.phone_n++] =
				bb_text_bytes(value.p + value.n - PHONE_DIGITS, PHONE_DIGITS);
	}
	return s;
}

static bool stands_at(struct bb_text text, size_t at, struct bb_text value)
{
	const char *p = text.p + at;

	if (at > 0 && is_word(value.p[0]) && is_word(p[-1]))
		return false;
	return at + value.n == text.n || !is_word(value.p[value.n - 1]) || !is_word(p[value.n]);
}

/* `loosely`: what precedes a value may be no part of the text. */
static bool holds(struct bb_text text, struct bb_text value, bool loosely)
{
	size_t at = 0;
	const char *p;

	while ((p = memmem(text.p + at, text.n - at, value.p, value.n)) != NULL) {
		at = (size_t)(p - text.p);
		if (stands_at(text, at, value) ||
		    (loosely && stands_at(bb_text_bytes(p, text.n - at), 0, value)))
			return true;
		at++;
	}
	return false;
}

/* Digits of the text that belong together, a line feed where they do not. */
static struct bb_text digits_of(struct bb_text text, struct bb_arena *arena)
{
	char *out = bb_arena_alloc(arena, 2 * text.n);
	size_t gap = 0, n = 0;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (!is_digit(c)) {
			gap += strchr(" .-()/", c) && c ? 1 : PHONE_GAP + 1;
			continue;
		}
		if (gap > PHONE_GAP)
			out[n++] = '\n';
		gap = 0;
		out[n++] = c;
	}
	return bb_text_bytes(out, n);
}

/* Whatever is done for all values at once is done once. */
static bool holds_any(struct bb_text text, const struct place *place)
{
	const struct sought *s = place->sought;
	struct bb_text digits;

	text = lowered(text, place->arena);
	for (size_t i = 0; i < s->text_n; i++)
		if (holds(text, s->texts[i], place->depth > 0 && s->texts[i].n >= DECODED_SURE))
			return true;
	if (s->phone_n == 0)
		return false;
	digits = digits_of(text, place->arena);
	for (size_t i = 0; i < s->phone_n; i++)
		if (memmem(digits.p, digits.n, s->phones[i].p, s->phones[i].n))
			return true;
	return false;
}

static bool mentions(struct bb_text text, struct place place)
{
	struct bb_buf plain = BB_BUF_EMPTY, decoded = BB_BUF_EMPTY;
	bool found;

	if (!text.n)
		return false;
	found = holds_any(text, &place);
	if (!found && (memchr(text.p, '\\', text.n) || memchr(text.p, '%', text.n))) {
		unescape(text, &plain);
		text = bb_buf_slice(&plain);
		found = holds_any(text, &place);
	}
	if (!found && place.depth++ < ENCODED_DEPTH) {
		decode(text, &decoded);
		found = mentions(bb_buf_slice(&decoded), place);
	}
	bb_buf_fini(&decoded);
	bb_buf_fini(&plain);
	return found;
}

bool bb_deadletter_mentions(const struct bb_deadletter *letter, const struct bb_text *values,
			    size_t n, struct bb_arena *arena)
{
	const struct bb_message *msg = &letter->message;
	const struct sought s = seek(values, n, arena);
	const struct place place = {.sought = &s, .arena = arena};

	if (mentions(msg->value, place) || mentions(msg->key, place))
		return true;
	for (size_t i = 0; i < msg->header_n; i++)
		if (mentions(msg->headers[i].value, place))
			return true;
	return false;
}

int bb_deadletter_scrub(struct bb_kv *kv, const struct bb_text *values, size_t n,
			uint64_t *ret_removed)
{
	uint64_t number = 0, removed = 0;
	struct bb_arena arena;
	int err = BB_OK;

	bb_arena_init(&arena);
	for (; n; number++) {
		struct bb_deadletter letter;

		bb_arena_reset(&arena);
		err = bb_deadletter_seek(kv, number, &arena, &number, &letter);
		if (err)
			break;
		if (!bb_deadletter_mentions(&letter, values, n, &arena))
			continue;
		err = bb_deadletter_remove(kv, number);
		if (err)
			break;
		removed++;
	}
	bb_arena_fini(&arena);
	if (err && err != BB_ENOTFOUND)
		return err;
	*ret_removed = removed;
	return BB_OK;
}
