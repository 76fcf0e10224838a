/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connector out of guesses, in the order of the manual, each with a comment that says why. What
 * cannot be told (is the id unique in all shops? is the whole number of cents?) is a comment too,
 * and so is what was left out. What comes out can be compiled as it is.
 */
#include "suggest.h"

#include <backbone/buf.h>

#define EACH_MAX 8    /* [*] in one `each` */
#define SOURCES_MAX 4 /* in one list */
#define SHOWN_MAX 6   /* values in a comment */

struct draft {
	const struct bb_suggestion *s;
	const struct bb_fields *fields;
	struct bb_buf *buf;
	const struct bb_text *each; /* the elements that are events; each_n 0: the messages */
	size_t each_n;
	bool has_currency; /* a field */
};

/* --- places ----------------------------------------------------------------------------------- */

static bool steps_equal(const struct bb_text *a, const struct bb_text *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!a[i].p != !b[i].p || !bb_text_equal(a[i], b[i]))
			return false;
	return true;
}

/* Steps up to the innermost list, that one included. */
static size_t list_steps(const struct bb_field *field)
{
	size_t n = field->step_n;

	while (n > 0 && field->steps[n - 1].p)
		n--;
	return field->is_header ? 0 : n;
}

static size_t lists_in(const struct bb_text *steps, size_t n)
{
	size_t lists = 0;

	for (size_t i = 0; i < n; i++)
		lists += steps[i].p == NULL;
	return lists;
}

static bool is_writable(struct bb_text name)
{
	for (size_t i = 0; i < name.n; i++)
		if ((unsigned char)name.p[i] < ' ' || strchr("'\"\\{}", name.p[i]))
			return false;
	return name.n > 0;
}

static bool all_writable(const struct bb_text *steps, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (steps[i].p && !is_writable(steps[i]))
			return false;
	return true;
}

/* Whether a source can lead there from the elements that are events. */
static bool is_in_reach(const struct draft *d, const struct bb_field *field)
{
	size_t n = list_steps(field);

	return all_writable(field->steps, field->step_n) && n <= d->each_n &&
	       steps_equal(field->steps, d->each, n);
}

static bool is_plain(struct bb_text name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		bool letter =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80);

		if (!letter && !(i > 0 && c >= '0' && c <= '9'))
			return false;
	}
	return name.n > 0;
}

static void put_steps(struct bb_buf *buf, const struct bb_text *steps, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!steps[i].p)
			bb_buf_printf(buf, "[*]");
		else if (is_plain(steps[i]))
			bb_buf_printf(buf, ".%.*s", (int)steps[i].n, steps[i].p);
		else
			bb_buf_printf(buf, "['%.*s']", (int)steps[i].n, steps[i].p);
	}
}

/* In the quotes that YAML needs. */
static void put_quoted(struct bb_buf *buf, const struct bb_buf *path)
{
	const char *quote = path->n && memchr(path->p, '\'', path->n) ? "\"" : "'";

	bb_buf_printf(buf, "%s%.*s%s", quote, (int)path->n, path->p, quote);
}

static void put_source(struct draft *d, const struct bb_field *field)
{
	size_t from = list_steps(field);
	size_t up = lists_in(d->each, d->each_n) - lists_in(field->steps, from);
	struct bb_buf path = BB_BUF_EMPTY;

	if (field->is_header) {
		bb_buf_printf(d->buf, "'@header(\"%.*s\")'", (int)field->steps[0].n,
			      field->steps[0].p);
		return;
	}
	if (up == 0)
		bb_buf_byte(&path, '$');
	for (size_t i = 0; i < up; i++)
		bb_buf_byte(&path, '^');
	put_steps(&path, field->steps + from, field->step_n - from);
	put_quoted(d->buf, &path);
	bb_buf_fini(&path);
}

static void put_whole_path(struct bb_buf *buf, const struct bb_text *steps, size_t n)
{
	struct bb_buf path = BB_BUF_EMPTY;

	bb_buf_byte(&path, '$');
	put_steps(&path, steps, n);
	put_quoted(buf, &path);
	bb_buf_fini(&path);
}

static void put_sources(struct draft *d, const struct bb_field *const *sources, size_t n)
{
	if (n > 1)
		bb_buf_byte(d->buf, '[');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			bb_buf_printf(d->buf, ", ");
		put_source(d, sources[i]);
	}
	if (n > 1)
		bb_buf_byte(d->buf, ']');
}

/* --- choosing --------------------------------------------------------------------------------- */

/* Identifiers that stand directly in the elements of this list. */
static size_t identifiers_of(const struct bb_fields *fields, const struct bb_text *each, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < fields->n; i++) {
		const struct bb_field *field = &fields->items[i];

		if (!field->is_header && list_steps(field) == n &&
		    steps_equal(field->steps, each, n) &&
		    bb_guess_field(field).kind == BB_GUESS_IDENTIFIER)
			count++;
	}
	return count;
}

/* The messages, if somebody is named there; else the list whose elements name most; else the
 * elements of messages that are lists. */
static void choose_each(struct draft *d)
{
	size_t most = 0;

	if (identifiers_of(d->fields, NULL, 0) > 0)
		return;
	for (size_t i = 0; i < d->fields->n; i++) {
		const struct bb_field *field = &d->fields->items[i];
		size_t n = list_steps(field), count;

		if (n == 0 || !all_writable(field->steps, n) ||
		    lists_in(field->steps, n) > EACH_MAX)
			continue;
		count = identifiers_of(d->fields, field->steps, n);
		if (count <= most && !(d->each_n == 0 && !field->steps[0].p))
			continue;
		d->each = field->steps;
		d->each_n = count > 0 ? n : 1;
		most = count;
	}
}

typedef unsigned score_fn(const struct bb_field *field);

/* In most of the events: what only some of them have is no type, id or time of all. */
static bool is_common(const struct draft *d, const struct bb_field *field)
{
	size_t most = 0;

	for (size_t i = 0; i < d->fields->n; i++)
		if (d->fields->items[i].seen > most && is_in_reach(d, &d->fields->items[i]) &&
		    list_steps(&d->fields->items[i]) == list_steps(field))
			most = d->fields->items[i].seen;
	return 2 * field->seen >= most;
}

static const struct bb_field *best(const struct draft *d, score_fn *score, bool of_all)
{
	const struct bb_field *found = NULL;
	unsigned most = 0;

	for (size_t i = 0; i < d->fields->n; i++) {
		const struct bb_field *field = &d->fields->items[i];
		unsigned n = is_in_reach(d, field) ? score(field) : 0;

		if (n > 0 && of_all && !is_common(d, field))
			n = 0;

		if (n > most)
			found = field;
		if (n > most)
			most = n;
	}
	return found;
}

static unsigned score_time(const struct bb_field *field)
{
	const char *format;
	bool zoned;

	return bb_guess_time(field, &format, &zoned);
}

static unsigned score_amount(const struct bb_field *field)
{
	bool minor;

	return bb_guess_amount(field, &minor);
}

/* Fields in reach of a guess, in their order: at most SOURCES_MAX. */
static size_t guessed(const struct draft *d, enum bb_guess_kind kind, const char *name,
		      const struct bb_field **ret_fields, const char **ret_reason)
{
	size_t n = 0;

	for (size_t i = 0; i < d->fields->n && n < SOURCES_MAX; i++) {
		const struct bb_field *field = &d->fields->items[i];
		struct bb_guess guess = bb_guess_field(field);

		if (guess.kind != kind || strcmp(guess.name, name) != 0 || !is_in_reach(d, field))
			continue;
		if (n == 0)
			*ret_reason = guess.reason;
		ret_fields[n++] = field;
	}
	return n;
}

/* --- writing ---------------------------------------------------------------------------------- */

static void put_values(struct draft *d, const struct bb_field *field)
{
	bool first = true;

	for (size_t i = 0; i < field->sample_n && i < SHOWN_MAX; i++) {
		if (!is_writable(field->samples[i]))
			continue;
		bb_buf_printf(d->buf, "%s%.*s", first ? ": " : ", ", (int)field->samples[i].n,
			      field->samples[i].p);
		first = false;
	}
	if (field->sample_n > SHOWN_MAX)
		bb_buf_printf(d->buf, ", ...");
}

static void put_head(struct draft *d)
{
	const struct bb_suggestion *s = d->s;
	const struct bb_field *tenant = best(d, bb_guess_tenant, false);
	struct bb_buf *buf = d->buf;

	bb_buf_printf(
		buf,
		"# Drafted from %zu message%s. Each guess says why it was made: compare it with "
		"the producer's\n# documentation, correct it, and take the comment away.\n",
		d->fields->messages, d->fields->messages == 1 ? "" : "s");
	bb_buf_printf(buf, "connector: %.*s\n", (int)s->name.n, s->name.p);
	bb_buf_printf(buf, "channel: %.*s\n", (int)s->channel.n, s->channel.p);
	if (d->fields->topic.p && is_writable(d->fields->topic))
		bb_buf_printf(buf, "topics: ['%.*s']    # of the samples\n",
			      (int)d->fields->topic.n, d->fields->topic.p);
	else
		bb_buf_printf(buf,
			      "topics: []    # no sample names one: write the topics to read\n");
	bb_buf_printf(buf, "format: json\n");
	if (tenant) {
		bb_buf_printf(buf, "# Are ids unique only in one shop or account? Then:  tenant: ");
		put_source(d, tenant);
		bb_buf_printf(buf, "\n# and `scope: tenant` on those identifiers.\n");
	}
}

static void put_defaults(struct draft *d)
{
	const struct bb_field *time = best(d, score_time, true),
			      *amount = best(d, score_amount, false);
	const char *format;
	bool zoned = true;

	if (time)
		bb_guess_time(time, &format, &zoned);
	d->has_currency = best(d, bb_guess_currency, false) != NULL;
	if (zoned && (!amount || d->has_currency))
		return;
	bb_buf_printf(d->buf, "defaults:\n");
	if (!zoned)
		bb_buf_printf(d->buf,
			      "  timezone: UTC    # times come without a zone: which is it?\n");
	if (amount && !d->has_currency)
		bb_buf_printf(
			d->buf,
			"  currency: EUR    # amounts come without a currency: which is it?\n");
}

static void put_redact(struct draft *d)
{
	bool any = false;

	for (size_t i = 0; i < d->fields->n; i++) {
		const struct bb_field *field = &d->fields->items[i];

		if (field->is_header || !all_writable(field->steps, field->step_n) ||
		    bb_guess_field(field).kind != BB_GUESS_SECRET)
			continue;
		if (!any)
			bb_buf_printf(d->buf, "redact:    # what no dead letter should keep\n");
		any = true;
		bb_buf_printf(d->buf, "  - ");
		put_whole_path(d->buf, field->steps, field->step_n);
		bb_buf_byte(d->buf, '\n');
	}
}

static void put_event(struct draft *d)
{
	const struct bb_field *type = best(d, bb_guess_type, true),
			      *id = best(d, bb_guess_id, true);
	struct bb_buf *buf = d->buf;

	bb_buf_printf(buf, "events:\n");
	if (d->each_n > 0) {
		bb_buf_printf(buf, "  - each: ");
		put_whole_path(buf, d->each, d->each_n);
		bb_buf_printf(buf, "    # customers are named in the elements of this list\n    ");
	} else {
		bb_buf_printf(buf, "  - ");
	}
	bb_buf_printf(buf, "type: ");
	if (type) {
		put_source(d, type);
		bb_buf_printf(buf, "    # values seen");
		put_values(d, type);
		bb_buf_printf(buf, "\n    # Only some of them tell of a customer? Then:  when: {");
		put_source(d, type);
		bb_buf_printf(buf, ": [...]}\n");
	} else {
		bb_buf_printf(buf, "event    # no field says what happened: name it\n");
	}
	bb_buf_printf(buf, "    id: ");
	if (id) {
		bb_buf_byte(buf, '[');
		put_source(d, id);
		bb_buf_printf(buf,
			      ", '@position']    # the same if the message comes twice? If it is "
			      "the id of an order or a\n    # person, take it out: each state "
			      "would count as a copy of the first\n");
	} else {
		bb_buf_printf(buf, "'@position'    # no field names the message: copies are not "
				   "recognised\n");
	}
}

static void put_time(struct draft *d)
{
	const struct bb_field *time = best(d, score_time, true);
	const char *format;
	bool zoned;

	if (!time) {
		bb_buf_printf(d->buf, "    # No field looks like a time: the log's is taken.\n");
		return;
	}
	bb_guess_time(time, &format, &zoned);
	bb_buf_printf(d->buf, "    time: {from: ");
	put_source(d, time);
	bb_buf_printf(d->buf, ", format: %s}    # its values are of this form\n", format);
}

static bool is_configured(const struct draft *d, const char *ns)
{
	return !d->s->rules || bb_rules_namespace(d->s->rules, bb_text_of(ns)) != BB_NS_UNKNOWN;
}

static void put_identify(struct draft *d)
{
	static const char *const all[] = {"customer_id",  "user_id", "loyalty", "email",
					  "email_sha256", "phone",   "device"};
	const struct bb_field *fields[SOURCES_MAX];
	const char *reason = "";
	bool any = false;

	bb_buf_printf(d->buf, "    identify:\n");
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		size_t n = guessed(d, BB_GUESS_IDENTIFIER, all[i], fields, &reason);
		bool configured = is_configured(d, all[i]);

		if (n == 0)
			continue;
		bb_buf_printf(d->buf, "      %s- {ns: %s, from: ", configured ? "" : "# ", all[i]);
		put_sources(d, fields, n);
		bb_buf_printf(d->buf, "}    # %s%s%s\n", reason,
			      n > 1 ? "; the first usable counts: are they of the same person?"
				    : "",
			      configured ? "" : "; but no such namespace is configured");
		any = any || configured;
	}
	if (any)
		return;
	bb_buf_printf(d->buf,
		      "      # Nothing looks like an identifier of a customer. Say where it is:\n"
		      "      - {ns: %s, from: '$.where.is.it'}\n",
		      d->s->rules && d->s->rules->namespace_n ? d->s->rules->namespaces[0].name
							      : "customer_id");
}

static void put_attributes(struct draft *d)
{
	static const char *const all[] = {
		"name",	    "first_name",	   "last_name",	   "birthday",	     "gender",
		"language", "address.postal_code", "address.city", "address.country"};
	const struct bb_field *fields[SOURCES_MAX];
	const char *reason;
	bool any = false;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		size_t n = guessed(d, BB_GUESS_ATTRIBUTE, all[i], fields, &reason);

		if (n == 0)
			continue;
		if (!any)
			bb_buf_printf(d->buf,
				      "    attributes:    # by their names: are all of them the "
				      "customer's?\n");
		any = true;
		bb_buf_printf(d->buf, "      %s: ", all[i]);
		put_sources(d, fields, n);
		bb_buf_byte(d->buf, '\n');
	}
}

static void put_amount(struct draft *d)
{
	const struct bb_field *amount = best(d, score_amount, false),
			      *key = best(d, bb_guess_key, false),
			      *currency = best(d, bb_guess_currency, false);
	bool minor;

	if (!amount)
		return;
	bb_guess_amount(amount, &minor);
	bb_buf_printf(d->buf, "    amount:\n      value: ");
	put_source(d, amount);
	bb_buf_printf(d->buf, "    # a number, and the name says money\n      kind: %s",
		      minor ? "minor" : "major");
	bb_buf_printf(d->buf, "    # %s\n",
		      minor ? "whole numbers called amount are often cents: is 1250 here 12.50?"
			    : "12.50 is 12.50; if 1250 were 12.50 it would be minor");
	if (currency) {
		bb_buf_printf(d->buf, "      currency: ");
		put_source(d, currency);
		bb_buf_byte(d->buf, '\n');
	}
	if (key) {
		bb_buf_printf(d->buf, "      key: ");
		put_source(d, key);
		bb_buf_printf(d->buf,
			      "    # a later message of the same key replaces the amount\n");
	} else {
		bb_buf_printf(d->buf,
			      "      # key: the order's number, if later messages tell of the "
			      "same order\n");
	}
}

/* The values that were seen, of one of the two lists. */
static void put_words(struct draft *d, const struct bb_field *field, bool yes)
{
	size_t n = 0;

	bb_buf_printf(d->buf, ", %s: [", yes ? "granted" : "denied");
	for (size_t i = 0; i < field->sample_n; i++)
		if (yes ? bb_guess_is_yes(field->samples[i]) : bb_guess_is_no(field->samples[i]))
			bb_buf_printf(d->buf, "%s'%.*s'", n++ ? ", " : "", (int)field->samples[i].n,
				      field->samples[i].p);
	if (n == 0)
		bb_buf_printf(d->buf, "'%s'",
			      field->flags ? yes ? "true" : "false"
			      : yes	   ? "yes"
					   : "no");
	bb_buf_byte(d->buf, ']');
}

static void put_consent(struct draft *d)
{
	static const char *const channels[] = {"email", "sms"};
	const struct bb_field *fields[SOURCES_MAX];
	const char *reason;
	bool any = false;

	for (size_t i = 0; i < sizeof(channels) / sizeof(*channels); i++) {
		if (guessed(d, BB_GUESS_CONSENT, channels[i], fields, &reason) == 0)
			continue;
		if (!any)
			bb_buf_printf(d->buf, "    consent:\n");
		any = true;
		bb_buf_printf(d->buf,
			      "      - purpose: marketing    # %s\n        channel: %s\n"
			      "        status: {from: ",
			      reason, channels[i]);
		put_source(d, fields[0]);
		put_words(d, fields[0], true);
		put_words(d, fields[0], false);
		bb_buf_printf(d->buf, "}\n");
	}
}

static void put_left_out(struct draft *d)
{
	bool any = false;

	for (size_t i = 0; i < d->fields->n; i++) {
		const struct bb_field *field = &d->fields->items[i];
		struct bb_guess guess = bb_guess_field(field);
		bool far = guess.kind == BB_GUESS_IDENTIFIER && !is_in_reach(d, field);

		if ((guess.kind != BB_GUESS_SOMEBODY && !far) ||
		    !all_writable(field->steps, field->step_n))
			continue;
		if (!any)
			bb_buf_printf(d->buf, "# Left out:\n");
		any = true;
		bb_buf_printf(d->buf, "#   ");
		put_whole_path(d->buf, field->steps, field->step_n);
		bb_buf_printf(d->buf, "    %s\n",
			      far ? "an identifier in another list: other events, or other people"
				  : guess.reason);
	}
}

void bb_suggest_write(const struct bb_suggestion *suggestion, struct bb_buf *buf)
{
	struct draft d = {.s = suggestion, .fields = suggestion->fields, .buf = buf};

	choose_each(&d);
	put_head(&d);
	put_defaults(&d);
	put_redact(&d);
	put_event(&d);
	put_time(&d);
	put_identify(&d);
	put_attributes(&d);
	put_amount(&d);
	put_consent(&d);
	bb_buf_printf(buf, "otherwise: skip\n");
	put_left_out(&d);
}
