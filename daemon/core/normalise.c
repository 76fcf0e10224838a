/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From raw to canonical values, one function a normaliser. A value that is canonical already is
 * returned as the slice it came as; ASCII never reaches the Unicode tables; only what changes is
 * written, to the arena.
 *
 * A value that cannot be made canonical is an ordinary answer: false.
 */
#include <backbone/assert.h>
#include <backbone/event.h>
#include <backbone/normalise.h>
#include <sodium.h>

#include "phone.h"
#include "unicode.h"

/*
 * Composing and lowering shrink a text to less than an eighth never, so what is longer than this
 * has no canonical form anyway; and it keeps the time for runs of combining marks small.
 */
#define COMPOSE_BYTES_MAX ((size_t)8 * BB_EVENT_VALUE_MAX)

#define UUID_DIGITS 32
#define UUID_BYTES 36

struct raw {
	struct bb_text text;
	enum bb_unicode_class class;
	const struct bb_namespace *ns;
	struct bb_arena *arena;
};

typedef bool (*normaliser)(const struct raw *raw, struct bb_text *ret_value);

static bool normalise_none(const struct raw *raw, struct bb_text *ret_value)
{
	*ret_value = raw->text;
	return true;
}

static bool normalise_trim(const struct raw *raw, struct bb_text *ret_value)
{
	struct bb_text text = bb_unicode_strip(raw->text);

	if (raw->class == BB_UNICODE_OTHER) {
		if (text.n > COMPOSE_BYTES_MAX)
			return false;
		text = bb_unicode_compose(text, raw->arena);
	}
	*ret_value = text;
	return true;
}

/* Composed once more at the end: h and a macron below compose, their capital does not. */
static bool normalise_lower(const struct raw *raw, struct bb_text *ret_value)
{
	struct bb_text text;

	if (!normalise_trim(raw, &text))
		return false;
	if (raw->class == BB_UNICODE_ASCII) {
		*ret_value = bb_unicode_lower_ascii(text, raw->arena);
		return true;
	}
	if (text.n > COMPOSE_BYTES_MAX)
		return false;
	text = bb_unicode_lower(text, raw->arena);
	*ret_value = bb_unicode_compose(text, raw->arena);
	return true;
}

/* Labels between dots, at least two, none of them empty. */
static bool is_domain(struct bb_text domain)
{
	bool has_dot = false;

	if (domain.n == 0 || domain.p[0] == '.' || domain.p[domain.n - 1] == '.')
		return false;
	for (size_t i = 1; i < domain.n; i++) {
		if (domain.p[i] != '.')
			continue;
		if (domain.p[i - 1] == '.')
			return false;
		has_dot = true;
	}
	return has_dot;
}

static bool normalise_email(const struct raw *raw, struct bb_text *ret_value)
{
	struct bb_text text, domain;
	const char *at;

	if (!normalise_lower(raw, &text) || text.n == 0)
		return false;
	at = memchr(text.p, '@', text.n);
	if (!at || at == text.p)
		return false;
	domain = bb_text_bytes(at + 1, text.n - (size_t)(at + 1 - text.p));
	if (!is_domain(domain) || memchr(domain.p, '@', domain.n) || bb_unicode_has_blank(text))
		return false;
	*ret_value = text;
	return true;
}

static bool normalise_phone(const struct raw *raw, struct bb_text *ret_value)
{
	struct bb_text text = bb_unicode_strip(raw->text);
	char e164[BB_PHONE_E164_MAX];
	size_t n;

	if (!bb_phone_canonical(text.p, text.n, raw->ns->region, e164, &n))
		return false;
	*ret_value = bb_arena_copy(raw->arena, bb_text_bytes(e164, n));
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool normalise_digits(const struct raw *raw, struct bb_text *ret_value)
{
	struct bb_text text = raw->text;
	size_t i = 0, n;
	char *out;

	while (i < text.n && is_digit(text.p[i]))
		i++;
	*ret_value = text;
	if (i == text.n)
		return true;
	out = bb_arena_alloc(raw->arena, text.n);
	memcpy(out, text.p, i);
	for (n = i; i < text.n; i++) {
		if (is_digit(text.p[i]))
			out[n++] = text.p[i];
	}
	*ret_value = (struct bb_text){out, n};
	return true;
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Without `urn:uuid:` before it, or braces around it. */
static struct bb_text uuid_bare(struct bb_text text)
{
	const struct bb_text urn = BB_TEXT("urn:uuid:");

	if (bb_unicode_begins(text, urn))
		return bb_text_bytes(text.p + urn.n, text.n - urn.n);
	if (text.n > 2 && text.p[0] == '{' && text.p[text.n - 1] == '}')
		return bb_text_bytes(text.p + 1, text.n - 2);
	return text;
}

/* After so many digits a hyphen stands. */
static bool is_hyphen_after(size_t digits)
{
	return digits == 8 || digits == 12 || digits == 16 || digits == 20;
}

static bool normalise_uuid(const struct raw *raw, struct bb_text *ret_value)
{
	struct bb_text text = uuid_bare(bb_unicode_strip(raw->text));
	bool hyphens = text.n == UUID_BYTES;
	char out[UUID_BYTES];
	size_t next = 0, n = 0;

	if (!hyphens && text.n != UUID_DIGITS)
		return false;
	for (size_t digits = 0; digits < UUID_DIGITS; digits++) {
		if (is_hyphen_after(digits)) {
			out[n++] = '-';
			if (hyphens && text.p[next++] != '-')
				return false;
		}
		if (!is_hex(text.p[next]))
			return false;
		out[n++] = text.p[next++];
	}
	bb_assert(n == UUID_BYTES && next == text.n);
	text = hyphens ? text : bb_arena_copy(raw->arena, bb_text_bytes(out, n));
	*ret_value = bb_unicode_lower_ascii(text, raw->arena);
	return true;
}

static bool normalise_hex(const struct raw *raw, struct bb_text *ret_value)
{
	struct bb_text text = bb_unicode_strip(raw->text);

	if (text.n % 2 != 0)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (!is_hex(text.p[i]))
			return false;
	}
	*ret_value = bb_unicode_lower_ascii(text, raw->arena);
	return true;
}

static const normaliser normalisers[] = {
	[BB_NORMALISE_NONE] = normalise_none,	[BB_NORMALISE_TRIM] = normalise_trim,
	[BB_NORMALISE_LOWER] = normalise_lower, [BB_NORMALISE_EMAIL] = normalise_email,
	[BB_NORMALISE_PHONE] = normalise_phone, [BB_NORMALISE_DIGITS] = normalise_digits,
	[BB_NORMALISE_UUID] = normalise_uuid,	[BB_NORMALISE_HEX] = normalise_hex,
};

bool bb_normalise(const struct bb_namespace *ns, struct bb_text raw, struct bb_arena *arena,
		  struct bb_text *ret_value)
{
	struct raw job = {raw, bb_unicode_scan(raw), ns, arena};
	struct bb_text value;

	bb_assert((size_t)ns->normaliser < sizeof(normalisers) / sizeof(*normalisers));
	if (job.class == BB_UNICODE_INVALID || raw.n == 0)
		return false;
	if (!normalisers[ns->normaliser](&job, &value))
		return false;
	if (value.n == 0 || value.n > BB_EVENT_VALUE_MAX)
		return false;
	*ret_value = value;
	return true;
}

bool bb_normalise_is_region(const char *region)
{
	return bb_phone_is_region(region);
}

static const char *const derivations[] = {"email_sha256", "phone_sha256"};

bool bb_normalise_is_derivation(const char *derivation)
{
	for (size_t i = 0; i < sizeof(derivations) / sizeof(*derivations); i++) {
		if (strcmp(derivation, derivations[i]) == 0)
			return true;
	}
	return false;
}

bool bb_normalise_derive(const char *derivation, struct bb_text value, struct bb_arena *arena,
			 struct bb_text *ret_value)
{
	unsigned char digest[crypto_hash_sha256_BYTES];
	char hex[2 * sizeof(digest) + 1];

	if (!bb_normalise_is_derivation(derivation))
		return false;
	crypto_hash_sha256(digest, (const unsigned char *)value.p, value.n);
	sodium_bin2hex(hex, sizeof(hex), digest, sizeof(digest));
	*ret_value = bb_arena_copy(arena, bb_text_bytes(hex, sizeof(hex) - 1));
	return true;
}
