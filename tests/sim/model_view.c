/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From groups to views: every profile's events are gathered, put in order, folded part by part, and
 * written as one line of JSON; the lines are sorted by profile id.
 */
#include "model_state.h"

#include <backbone/buf.h>
#include <backbone/clock.h>

#include <stdlib.h>

struct profile {
	const struct model *model;
	size_t group;
	struct model_event **events; /* newest first */
	size_t n;
};

int bb_model_order(const struct model_event *a, const struct model_event *b)
{
	int d = (a->time_ms > b->time_ms) - (a->time_ms < b->time_ms);

	if (d == 0)
		d = bb_text_compare(a->ev->id, b->ev->id);
	if (d == 0)
		d = bb_text_compare(a->ev->source, b->ev->source);
	return d ? d : (int)a->kafka_time - (int)b->kafka_time;
}

static void add_time(struct bb_buf *buf, const char *before, int64_t ms)
{
	char iso[BB_ISO_BYTES];

	bb_clock_iso(ms, iso);
	bb_buf_printf(buf, "%s\"%.*s\"", before, BB_ISO_BYTES, iso);
}

static void add_identifier(struct bb_buf *buf, const struct profile *prof, size_t x)
{
	const struct model_identifier *id = &prof->model->ids[x];
	int64_t first_ms = 0, last_ms = 0;
	size_t n = 0;

	for (size_t i = 0; i < prof->n; i++)
		for (size_t k = 0; k < prof->events[i]->id_n; k++) {
			if (prof->events[i]->ids[k] != x)
				continue;
			last_ms = n++ ? last_ms : prof->events[i]->time_ms;
			first_ms = prof->events[i]->time_ms;
		}
	bb_buf_printf(buf, "{\"ns\":\"%s\",\"value\":", id->ns->name);
	bb_buf_json(buf, id->value);
	bb_buf_printf(buf, ",\"events\":%zu,\"shared\":%s", n, id->shared ? "true" : "false");
	if (n > 0) {
		add_time(buf, ",\"first_seen\":", first_ms);
		add_time(buf, ",\"last_seen\":", last_ms);
	}
	bb_buf_byte(buf, '}');
}

static void add_identifiers(struct bb_buf *buf, const struct profile *prof)
{
	const char *comma = "";

	bb_buf_text(buf, BB_TEXT(",\"identifiers\":["));
	for (size_t x = 0; x < prof->model->id_n; x++) {
		if (prof->model->ids[x].blocked || prof->model->ids[x].group != prof->group)
			continue;
		bb_buf_printf(buf, "%s", comma);
		add_identifier(buf, prof, x);
		comma = ",";
	}
	bb_buf_byte(buf, ']');
}

static struct bb_text channel_of(const struct bb_event *ev)
{
	return ev->channel.p ? ev->channel : BB_TEXT("other");
}

static struct bb_text type_of(const struct bb_event *ev)
{
	return ev->type;
}

static int compare_texts(const void *left, const void *right)
{
	return bb_text_compare(*(const struct bb_text *)left, *(const struct bb_text *)right);
}

/* Sorted, each once. */
static size_t distinct(struct bb_text *texts, size_t n)
{
	size_t kept = 0;

	if (n > 0)
		qsort(texts, n, sizeof *texts, compare_texts);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || !bb_text_equal(texts[i], texts[kept - 1]))
			texts[kept++] = texts[i];
	return kept;
}

static void add_activity(struct bb_buf *buf, const struct profile *prof, const char *member,
			 struct bb_text (*select)(const struct bb_event *ev))
{
	struct bb_text *names = bb_arena_alloc(prof->model->arena, prof->n * sizeof *names);
	size_t n;

	for (size_t i = 0; i < prof->n; i++)
		names[i] = select(prof->events[i]->ev);
	n = distinct(names, prof->n);
	bb_buf_printf(buf, ",\"%s\":{", member);
	for (size_t i = 0; i < n; i++) {
		int64_t first_ms = 0, last_ms = 0;
		size_t count = 0;

		for (size_t k = 0; k < prof->n; k++) {
			if (!bb_text_equal(select(prof->events[k]->ev), names[i]))
				continue;
			last_ms = count++ ? last_ms : prof->events[k]->time_ms;
			first_ms = prof->events[k]->time_ms;
		}
		bb_buf_printf(buf, "%s", i ? "," : "");
		bb_buf_json(buf, names[i]);
		bb_buf_printf(buf, ":{\"events\":%zu", count);
		add_time(buf, ",\"first\":", first_ms);
		add_time(buf, ",\"last\":", last_ms);
		bb_buf_byte(buf, '}');
	}
	bb_buf_byte(buf, '}');
}

static void add_revenue(struct bb_buf *buf, const struct profile *prof,
			const struct model_counted *counted, size_t n)
{
	struct bb_text *currencies = bb_arena_alloc(prof->model->arena, n * sizeof *currencies);
	struct bb_text *amounts = bb_arena_alloc(prof->model->arena, n * sizeof *amounts);
	size_t currency_n = 0;

	for (size_t i = 0; i < n; i++)
		if (counted[i].group == prof->group)
			currencies[currency_n++] = counted[i].amount->currency;
	currency_n = distinct(currencies, currency_n);
	bb_buf_text(buf, BB_TEXT(",\"revenue\":{"));
	for (size_t c = 0; c < currency_n; c++) {
		size_t count = 0;

		for (size_t i = 0; i < n; i++)
			if (counted[i].group == prof->group &&
			    bb_text_equal(counted[i].amount->currency, currencies[c]))
				amounts[count++] = counted[i].amount->value;
		bb_buf_printf(buf, "%s", c ? "," : "");
		bb_buf_json(buf, currencies[c]);
		bb_buf_text(buf, BB_TEXT(":{\"amount\":"));
		bb_buf_json(buf, bb_model_total(amounts, count, prof->model->arena));
		bb_buf_printf(buf, ",\"count\":%zu}", count);
	}
	bb_buf_byte(buf, '}');
}

struct word { /* of consent */
	const struct model_event *e;
	const struct bb_consent *consent;
	struct bb_text slot; /* purpose:channel */
	bool denied;
	size_t trust;
};

static int compare_words(const struct word *a, const struct word *b)
{
	int d = (a->e->time_ms > b->e->time_ms) - (a->e->time_ms < b->e->time_ms);

	if (d == 0)
		d = (int)a->denied - (int)b->denied;
	if (d == 0)
		d = (a->trust < b->trust) - (a->trust > b->trust);
	return d ? d : bb_model_order(a->e, b->e);
}

static struct bb_text consent_channel(const struct bb_consent *consent)
{
	return consent->channel.p ? consent->channel : BB_TEXT("any");
}

static size_t gather_words(const struct profile *prof, struct word **ret_words)
{
	const struct bb_rules *rules = prof->model->rules;
	size_t n = 0, room = 0;

	*ret_words = NULL;
	for (size_t i = 0; i < prof->n; i++) {
		const struct bb_event *ev = prof->events[i]->ev;
		size_t trust = 0;

		while (trust < rules->source_n &&
		       !bb_text_equal(bb_text_of(rules->sources[trust]), ev->source))
			trust++;
		for (size_t c = 0; c < ev->consent_n; c++) {
			struct bb_text channel = consent_channel(&ev->consent[c]);

			BB_ARENA_PUSH(prof->model->arena, *ret_words, n, room) = (struct word){
				.e = prof->events[i],
				.consent = &ev->consent[c],
				.slot = bb_arena_printf(prof->model->arena, "%.*s:%.*s",
							(int)ev->consent[c].purpose.n,
							ev->consent[c].purpose.p, (int)channel.n,
							channel.p),
				.denied = bb_text_equal(ev->consent[c].status, BB_TEXT("denied")),
				.trust = trust,
			};
		}
	}
	return n;
}

/* The latest of the slot, or NULL. */
static const struct word *latest_word(const struct word *words, size_t n, struct bb_text slot)
{
	const struct word *best = NULL;

	for (size_t i = 0; i < n; i++)
		if (bb_text_equal(words[i].slot, slot) &&
		    (!best || compare_words(&words[i], best) > 0))
			best = &words[i];
	return best;
}

/* What holds for the slot of `word`: its latest, or a later denial of the whole purpose. */
static const struct word *settle_slot(const struct word *words, size_t n, const struct word *word,
				      struct bb_arena *arena)
{
	struct bb_text purpose = word->consent->purpose;
	const struct word *best = latest_word(words, n, word->slot), *general;

	general = latest_word(words, n,
			      bb_arena_printf(arena, "%.*s:any", (int)purpose.n, purpose.p));
	return general && general->denied && compare_words(general, best) > 0 ? general : best;
}

static int compare_slots(const void *left, const void *right)
{
	const struct word *a = left, *b = right;

	return bb_text_compare(a->slot, b->slot);
}

static void add_consent(struct bb_buf *buf, const struct profile *prof)
{
	struct word *words;
	size_t n = gather_words(prof, &words);
	const char *comma = "";

	if (n > 0)
		qsort(words, n, sizeof *words, compare_slots);
	bb_buf_text(buf, BB_TEXT(",\"consent\":{"));
	for (size_t i = 0; i < n; i++) {
		const struct word *word;

		if (i > 0 && bb_text_equal(words[i].slot, words[i - 1].slot))
			continue;
		word = settle_slot(words, n, &words[i], prof->model->arena);
		bb_buf_printf(buf, "%s", comma);
		bb_buf_json(buf, words[i].slot);
		bb_buf_printf(buf, ":{\"status\":\"%s\"", word->denied ? "denied" : "granted");
		add_time(buf, ",\"time\":", word->e->time_ms);
		bb_buf_byte(buf, '}');
		comma = ",";
	}
	bb_buf_byte(buf, '}');
}

static void add_recent(struct bb_buf *buf, const struct profile *prof)
{
	bb_buf_text(buf, BB_TEXT(",\"recent\":["));
	for (size_t i = 0; i < prof->n && i < prof->model->rules->recent; i++) {
		const struct model_event *e = prof->events[i];

		add_time(buf, i ? ",{\"time\":" : "{\"time\":", e->time_ms);
		bb_buf_text(buf, BB_TEXT(",\"type\":"));
		bb_buf_json(buf, e->ev->type);
		bb_buf_text(buf, BB_TEXT(",\"source\":"));
		bb_buf_json(buf, e->ev->source);
		bb_buf_text(buf, BB_TEXT(",\"id\":"));
		bb_buf_json(buf, e->ev->id);
		bb_buf_byte(buf, '}');
	}
	bb_buf_printf(buf, "],\"events\":%zu", prof->n);
	if (prof->n > 0) {
		add_time(buf, ",\"first_seen\":", prof->events[prof->n - 1]->time_ms);
		add_time(buf, ",\"last_seen\":", prof->events[0]->time_ms);
	}
}

static int newest_first(const void *left, const void *right)
{
	return bb_model_order(*(struct model_event *const *)right,
			      *(struct model_event *const *)left);
}

static void gather_events(struct profile *prof)
{
	const struct model *model = prof->model;

	prof->events = bb_arena_alloc(model->arena, model->event_n * sizeof *prof->events);
	for (size_t i = 0; i < model->event_n; i++) {
		const struct model_record *rec = model->events[i].record;

		if (rec && rec->anchor != MODEL_NONE &&
		    model->ids[rec->anchor].group == prof->group)
			prof->events[prof->n++] = &model->events[i];
	}
	if (prof->n > 0)
		qsort(prof->events, prof->n, sizeof *prof->events, newest_first);
}

/* Durable ones first, then the one seen first, then the strongest. */
static void name_profile(const struct profile *prof, char id[BB_PROFILE_ID_BYTES])
{
	const struct model_identifier *best = NULL;

	for (size_t x = 0; x < prof->model->id_n; x++) {
		const struct model_identifier *other = &prof->model->ids[x];

		if (other->blocked || other->group != prof->group)
			continue;
		if (!best || (other->ns->durable && !best->ns->durable) ||
		    (other->ns->durable == best->ns->durable && other->seen_ms < best->seen_ms))
			best = other;
	}
	bb_hash_profile_id(&best->hash, id);
}

static struct bb_text write_view(struct profile *prof, const struct model_counted *counted,
				 size_t counted_n)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	char id[BB_PROFILE_ID_BYTES];
	struct bb_text line;

	gather_events(prof);
	name_profile(prof, id);
	bb_buf_printf(&buf, "{\"profile\":\"%.*s\"", BB_PROFILE_ID_BYTES, id);
	add_identifiers(&buf, prof);
	bb_buf_text(&buf, BB_TEXT(",\"attributes\":"));
	bb_model_attributes(prof->model->rules, prof->events, prof->n, prof->model->arena, &buf);
	add_activity(&buf, prof, "channels", channel_of);
	add_activity(&buf, prof, "activity", type_of);
	add_revenue(&buf, prof, counted, counted_n);
	add_consent(&buf, prof);
	add_recent(&buf, prof);
	bb_buf_byte(&buf, '}');
	line = bb_arena_copy(prof->model->arena, bb_buf_slice(&buf));
	bb_buf_fini(&buf);
	return line;
}

struct bb_model_views bb_model_views(const struct bb_rules *rules,
				     const struct bb_model_lines *lines, struct bb_arena *arena)
{
	struct model model = {.rules = rules, .arena = arena};
	struct bb_model_views views = {0};
	struct model_counted *counted;
	size_t counted_n;
	bool *done;

	bb_model_read(&model, lines);
	bb_model_resolve(&model);
	counted_n = bb_model_settle(&model, &counted);
	views.lines = bb_arena_alloc(arena, model.id_n * sizeof *views.lines);
	done = bb_arena_zalloc(arena, model.id_n);
	for (size_t x = 0; x < model.id_n; x++) {
		struct profile prof = {.model = &model, .group = model.ids[x].group};

		if (model.ids[x].blocked || done[prof.group])
			continue;
		done[prof.group] = true;
		views.lines[views.n++] = write_view(&prof, counted, counted_n);
	}
	if (views.n > 0)
		qsort(views.lines, views.n, sizeof *views.lines, compare_texts);
	return views;
}
