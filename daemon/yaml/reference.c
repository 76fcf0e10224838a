/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text is walked once: up to the next `$`, then either a reference, an escaped reference, or a
 * `$` that stands for itself. What a reference names is looked up at once, so the first one that is
 * missing is what the message speaks of. Secrets are never part of a message.
 */
#include "reference.h"

#include <backbone/regular.h>

#include <stdlib.h>

#define CREDENTIAL "credential:"

struct expansion {
	struct bb_arena *arena;
	struct bb_buf out;
};

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool starts(struct bb_text text, const char *head)
{
	size_t n = strlen(head);

	return text.n >= n && memcmp(text.p, head, n) == 0;
}

static struct bb_text skip(struct bb_text text, size_t n)
{
	return (struct bb_text){text.p + n, text.n - n};
}

/* Bytes of the reference `${...}` that `text` begins with; 0: it does not begin with one. */
static size_t reference_bytes(struct bb_text text)
{
	size_t i = 2;

	if (!starts(text, "${"))
		return 0;
	if (starts(skip(text, 2), CREDENTIAL)) {
		while (i < text.n && text.p[i] != '}')
			i++;
		return i < text.n ? i + 1 : 0;
	}
	if (i == text.n || !is_letter(text.p[i]))
		return 0;
	while (i < text.n && (is_letter(text.p[i]) || is_digit(text.p[i])))
		i++;
	return i < text.n && text.p[i] == '}' ? i + 1 : 0;
}

static bool is_credential_name(struct bb_text name)
{
	if (name.n == 0 || name.n > 255 || name.p[0] == '.')
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (!is_letter(name.p[i]) && !is_digit(name.p[i]) && !strchr(".-@", name.p[i]))
			return false;
	return true;
}

static const char *append_credential(struct expansion *expansion, struct bb_text name)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	struct bb_error err = {0};
	struct bb_text path;

	if (!is_credential_name(name))
		return bb_arena_printf(
			       expansion->arena,
			       "\"%.*s\" is not the name of a credential; allowed: letters, "
			       "digits, `_`, `-`, `@` and `.`",
			       (int)name.n, name.p)
			.p;
	if (!directory || !*directory)
		return bb_arena_printf(
			       expansion->arena,
			       "credential \"%.*s\" cannot be read: $CREDENTIALS_DIRECTORY is "
			       "not set; the service manager sets it (LoadCredential=%.*s:FILE); "
			       "by hand, set it to the folder that holds the file %.*s",
			       (int)name.n, name.p, (int)name.n, name.p, (int)name.n, name.p)
			.p;
	path = bb_arena_printf(expansion->arena, "%s/%.*s", directory, (int)name.n, name.p);
	if (bb_regular_read(path.p, BB_CREDENTIAL_BYTES_MAX, &expansion->out, &err) != BB_OK)
		return bb_arena_printf(expansion->arena, "credential \"%.*s\" cannot be read: %s",
				       (int)name.n, name.p, err.msg)
			.p;
	if (expansion->out.n && expansion->out.p[expansion->out.n - 1] == '\n')
		expansion->out.n--;
	return NULL;
}

static const char *append_variable(struct expansion *expansion, struct bb_text name)
{
	const char *value = getenv(bb_arena_copy(expansion->arena, name).p);

	if (!value)
		return bb_arena_printf(expansion->arena,
				       "the environment variable %.*s is not set; set it, or write "
				       "$${%.*s} if the text itself is meant",
				       (int)name.n, name.p, (int)name.n, name.p)
			.p;
	bb_buf_add(&expansion->out, value, strlen(value));
	return NULL;
}

/* `reference` with its braces. */
static const char *append_reference(struct expansion *expansion, struct bb_text reference)
{
	struct bb_text name = {reference.p + 2, reference.n - 3};

	if (starts(name, CREDENTIAL))
		return append_credential(expansion, skip(name, sizeof CREDENTIAL - 1));
	return append_variable(expansion, name);
}

/* Length of the UTF-8 sequence at `p`, or 0: overlong, surrogate, beyond U+10FFFF, cut off, NUL. */
static size_t utf8_bytes(const unsigned char *p, size_t n)
{
	static const uint32_t least[] = {0, 1, 0x80, 0x800, 0x10000};
	size_t bytes = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	uint32_t code = bytes == 1 ? p[0] : p[0] & (0x7fu >> bytes);

	if ((p[0] >= 0x80 && p[0] < 0xc0) || p[0] >= 0xf8 || bytes > n)
		return 0;
	for (size_t i = 1; i < bytes; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	if (code < least[bytes] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return bytes;
}

static bool is_text(struct bb_text text)
{
	size_t step;

	for (size_t i = 0; i < text.n; i += step) {
		step = utf8_bytes((const unsigned char *)text.p + i, text.n - i);
		if (!step)
			return false;
	}
	return true;
}

static const char *expand(struct expansion *expansion, struct bb_text text)
{
	while (text.n) {
		const char *dollar = memchr(text.p, '$', text.n);
		size_t before = dollar ? (size_t)(dollar - text.p) : text.n;
		const char *wrong;
		size_t n;

		bb_buf_add(&expansion->out, text.p, before);
		text = skip(text, before);
		if (!text.n)
			break;
		n = reference_bytes(text);
		if (n) {
			wrong = append_reference(expansion, (struct bb_text){text.p, n});
			if (wrong)
				return wrong;
		} else {
			size_t escaped = reference_bytes(skip(text, 1));

			n = 1 + escaped;
			bb_buf_add(&expansion->out, text.p + (escaped ? 1 : 0),
				   escaped ? escaped : 1);
		}
		text = skip(text, n);
	}
	if (!is_text((struct bb_text){expansion->out.p, expansion->out.n}))
		return "the value is not text: NUL, or not UTF-8";
	return NULL;
}

const char *bb_reference_expand(struct bb_text text, struct bb_arena *arena,
				struct bb_text *ret_text)
{
	struct expansion expansion = {arena, BB_BUF_EMPTY};
	const char *wrong = expand(&expansion, text);

	if (!wrong) {
		bb_buf_reserve(&expansion.out, 1); /* p is not NULL then */
		*ret_text = bb_arena_copy(arena, bb_buf_slice(&expansion.out));
	}
	bb_buf_fini(&expansion.out);
	return wrong;
}
