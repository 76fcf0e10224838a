/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connector out of guesses, in the order of the manual, each with a comment that says why. What
 * cannot be told (is the id unique in all shops? is the whole number of cents?) is a comment too,
 * and so is what was left out. What comes out can be compiled as it is.
 */
#include "suggest_choose.h"

#include <backbone/buf.h>

#define SHOWN_MAX 6 /* values in a comment */

/* --- places ----------------------------------------------------------------------------------- */

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

static void put_source(struct bb_draft *d, const struct bb_field *field)
{
	size_t from = bb_choose_list_steps(field);
	size_t up = bb_choose_lists_in(d->each, d->each_n) - bb_choose_lists_in(field->steps, from);
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

static void put_sources(struct bb_draft *d, const struct bb_field *const *sources, size_t n)
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

/* --- writing ---------------------------------------------------------------------------------- */

static void put_values(struct bb_draft *d, const struct bb_field *field)
{
	bool first = true;

	for (size_t i = 0; i < field->sample_n && i < SHOWN_MAX; i++) {
		if (!bb_choose_is_writable(field->samples[i]))
			continue;
		bb_buf_printf(d->buf, "%s%.*s", first ? ": " : ", ", (int)field->samples[i].n,
			      field->samples[i].p);
		first = false;
	}
	if (field->sample_n > SHOWN_MAX)
		bb_buf_printf(d->buf, ", ...");
}

/* Says so where only some of the messages have one of the fields; nothing where all may. */
static void put_share(struct bb_draft *d, const struct bb_field *const *fields, size_t n)
{
	size_t most = d->fields->messages - d->fields->unreadable, seen = 0;

	for (size_t i = 0; i < n; i++) {
		if (bb_choose_list_steps(fields[i]) > 0)
			return; /* elements were counted */
		seen += fields[i]->seen;
	}
	if (seen < most)
		bb_buf_printf(d->buf,
			      "; in %s%zu of %zu messages: several kinds? write a rule for each, "
			      "with when",
			      n > 1 ? "at most " : "", seen, most);
}

/* Asks where the type beside an identifier says of some that they are staff. */
static void put_staff(struct bb_draft *d, const struct bb_field *const *fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct bb_field *type = bb_choose_type_beside(d->fields, fields[i]);

		if (!type || !bb_choose_is_in_reach(d, type))
			continue;
		bb_buf_printf(d->buf, "; of staff where ");
		put_source(d, type);
		bb_buf_printf(d->buf, " says so: keep those away with when");
		return;
	}
}

static void put_head(struct bb_draft *d)
{
	const struct bb_suggestion *s = d->s;
	const struct bb_field *tenant = bb_choose_best(d, bb_guess_tenant, false);
	struct bb_buf *buf = d->buf;

	bb_buf_printf(
		buf,
		"# Drafted from %zu message%s. Each guess says why it was made: compare it with "
		"the producer's\n# documentation, correct it, and take the comment away.\n",
		d->fields->messages, d->fields->messages == 1 ? "" : "s");
	bb_buf_printf(buf, "connector: %.*s\n", (int)s->name.n, s->name.p);
	bb_buf_printf(buf, "channel: %.*s\n", (int)s->channel.n, s->channel.p);
	if (d->fields->topic.p && bb_choose_is_writable(d->fields->topic))
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

static void put_defaults(struct bb_draft *d)
{
	const struct bb_field *time = bb_choose_best(d, score_time, true),
			      *amount = bb_choose_best(d, score_amount, false);
	const char *format;
	bool zoned = true;

	if (time)
		bb_guess_time(time, &format, &zoned);
	d->has_currency = bb_choose_currency(d, amount) != NULL;
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

static void put_redact(struct bb_draft *d)
{
	bool any = false;

	for (size_t i = 0; i < d->fields->n; i++) {
		const struct bb_field *field = &d->fields->items[i];

		if (field->is_header || !bb_choose_all_writable(field->steps, field->step_n) ||
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

static void put_event(struct bb_draft *d)
{
	const struct bb_field *type = bb_choose_best(d, bb_guess_type, true),
			      *id = bb_choose_best(d, bb_guess_id, true);
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
			      "would count as a copy of the first");
		put_share(d, &id, 1);
		bb_buf_byte(buf, '\n');
	} else {
		bb_buf_printf(buf, "'@position'    # no field names the message: copies are not "
				   "recognised\n");
	}
}

static void put_time(struct bb_draft *d)
{
	const struct bb_field *time = bb_choose_best(d, score_time, true);
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

static bool is_configured(const struct bb_draft *d, const char *ns)
{
	return !d->s->rules || bb_rules_namespace(d->s->rules, bb_text_of(ns)) != BB_NS_UNKNOWN;
}

static void put_identify(struct bb_draft *d)
{
	static const char *const all[] = {"customer_id",  "user_id", "loyalty", "email",
					  "email_sha256", "phone",   "device"};
	const struct bb_field *fields[BB_CHOOSE_SOURCES_MAX];
	const char *reason = "";
	bool any = false;

	bb_buf_printf(d->buf, "    identify:\n");
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		size_t n = bb_choose_guessed(d, BB_GUESS_IDENTIFIER, all[i], fields, &reason);
		bool configured = is_configured(d, all[i]);

		if (n == 0)
			continue;
		bb_buf_printf(d->buf, "      %s- {ns: %s, from: ", configured ? "" : "# ", all[i]);
		put_sources(d, fields, n);
		bb_buf_printf(d->buf, "}    # %s%s%s", reason,
			      n > 1 ? "; the first usable counts: are they of the same person?"
				    : "",
			      configured ? "" : "; but no such namespace is configured");
		put_staff(d, fields, n);
		put_share(d, fields, n);
		bb_buf_byte(d->buf, '\n');
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

static void put_attributes(struct bb_draft *d)
{
	static const char *const all[] = {
		"name",	    "first_name",	   "last_name",	   "birthday",	     "gender",
		"language", "address.postal_code", "address.city", "address.country"};
	const struct bb_field *fields[BB_CHOOSE_SOURCES_MAX];
	const char *reason;
	bool any = false;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		size_t n = bb_choose_guessed(d, BB_GUESS_ATTRIBUTE, all[i], fields, &reason);

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

static void put_amount(struct bb_draft *d)
{
	const struct bb_field *amount = bb_choose_best(d, score_amount, false),
			      *key = bb_choose_best(d, bb_guess_key, false),
			      *currency = bb_choose_currency(d, amount);
	bool minor;

	if (!amount)
		return;
	bb_guess_amount(amount, &minor);
	bb_buf_printf(d->buf, "    amount:\n      value: ");
	put_source(d, amount);
	bb_buf_printf(d->buf, "    # a number, and the name says money");
	put_share(d, &amount, 1);
	bb_buf_printf(d->buf, "\n      kind: %s", minor ? "minor" : "major");
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
static void put_words(struct bb_draft *d, const struct bb_field *field, bool yes)
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

static void put_consent(struct bb_draft *d)
{
	static const char *const channels[] = {"email", "sms"};
	const struct bb_field *fields[BB_CHOOSE_SOURCES_MAX];
	const char *reason;
	bool any = false;

	for (size_t i = 0; i < sizeof(channels) / sizeof(*channels); i++) {
		if (bb_choose_guessed(d, BB_GUESS_CONSENT, channels[i], fields, &reason) == 0)
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

static void put_left_out(struct bb_draft *d)
{
	bool any = false;

	for (size_t i = 0; i < d->fields->n; i++) {
		const struct bb_field *field = &d->fields->items[i];
		struct bb_guess guess = bb_choose_guess(d->fields, field);
		bool far = guess.kind == BB_GUESS_IDENTIFIER && !bb_choose_is_in_reach(d, field);

		if ((guess.kind != BB_GUESS_SOMEBODY && !far) ||
		    !bb_choose_all_writable(field->steps, field->step_n))
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
	struct bb_draft d = {.s = suggestion, .fields = suggestion->fields, .buf = buf};

	bb_choose_each(&d);
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
