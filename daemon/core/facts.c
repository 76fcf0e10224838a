/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folding an event into the facts of its record. Each kind of fact is a small sorted array: find
 * the place, make it if it is new, fold. Nothing here can fail: what an event may hold was decided
 * at the gate.
 */
#include "facts.h"

#include <backbone/clock.h>

void bb_facts_init(struct bb_facts *facts)
{
	*facts = (struct bb_facts){
		.first_ms = INT64_MAX, .last_ms = INT64_MIN, .days = {INT64_MIN, INT64_MIN}};
}

int bb_origin_compare(const struct bb_origin *a, const struct bb_origin *b)
{
	int d = (a->time_ms > b->time_ms) - (a->time_ms < b->time_ms);

	if (!d)
		d = bb_text_compare(a->id, b->id);
	return d ? d : (int)a->kafka - (int)b->kafka;
}

/*
 * Opens a gap for one element at `at` in an array of the arena.
 */
#define INSERT(arena, items, n, room, at)                                                          \
	((void)BB_ARENA_PUSH(arena, items, n, room),                                               \
	 memmove(&(items)[(at) + 1], &(items)[at], ((n)-1 - (at)) * sizeof(*(items))),             \
	 &(items)[at])

static void add_day(struct bb_facts *facts, int64_t day)
{
	if (day == facts->days[0] || day == facts->days[1])
		return;
	if (day > facts->days[0]) {
		facts->days[1] = facts->days[0];
		facts->days[0] = day;
	} else if (day > facts->days[1]) {
		facts->days[1] = day;
	}
}

static void see(struct bb_fact_seen *seen, const struct bb_fact_seen *more)
{
	seen->n += more->n;
	if (more->first_ms < seen->first_ms)
		seen->first_ms = more->first_ms;
	if (more->last_ms > seen->last_ms)
		seen->last_ms = more->last_ms;
}

static void see_channel(const struct bb_fold *fold, struct bb_facts *facts,
			const struct bb_fact_seen *more)
{
	size_t i = 0;

	while (i < facts->channel_n &&
	       bb_text_compare(facts->channels[i].channel, more->channel) < 0)
		i++;
	if (i < facts->channel_n && bb_text_equal(facts->channels[i].channel, more->channel))
		see(&facts->channels[i], more);
	else
		*INSERT(fold->arena, facts->channels, facts->channel_n, facts->channel_room, i) =
			*more;
}

static void see_type(const struct bb_fold *fold, struct bb_facts *facts,
		     const struct bb_fact_seen *more)
{
	size_t i = 0;

	while (i < facts->type_n && facts->types[i].type < more->type)
		i++;
	if (i < facts->type_n && facts->types[i].type == more->type)
		see(&facts->types[i], more);
	else
		*INSERT(fold->arena, facts->types, facts->type_n, facts->type_room, i) = *more;
}

static void add_activity(const struct bb_fold *fold, struct bb_facts *facts,
			 const struct bb_event *ev, uint32_t type)
{
	struct bb_fact_seen once = {
		.n = 1, .first_ms = ev->time_ms, .last_ms = ev->time_ms, .channel = ev->channel};

	see_channel(fold, facts, &once);
	once.channel = (struct bb_text){NULL, 0};
	once.type = type;
	see_type(fold, facts, &once);
}

static struct bb_fact_day *bucket(struct bb_arena *arena, struct bb_facts *facts, uint32_t type,
				  int64_t day)
{
	size_t low = 0, high = facts->bucket_n;

	while (low < high) {
		size_t mid = (low + high) / 2;
		const struct bb_fact_day *b = &facts->buckets[mid];

		if (b->day < day || (b->day == day && b->type < type))
			low = mid + 1;
		else
			high = mid;
	}
	if (low == facts->bucket_n || facts->buckets[low].day != day ||
	    facts->buckets[low].type != type)
		*INSERT(arena, facts->buckets, facts->bucket_n, facts->bucket_room, low) =
			(struct bb_fact_day){.type = type, .day = day};
	return &facts->buckets[low];
}

/* `n` amounts that come to `micros`; n may be negative, and `micros` then is what goes. */
static void sum_add(struct bb_arena *arena, struct bb_fact_sums *sums, const char currency[3],
		    bb_i128 micros, int64_t n)
{
	size_t i = 0;

	while (i < sums->n && memcmp(sums->items[i].currency, currency, 3) < 0)
		i++;
	if (i == sums->n || memcmp(sums->items[i].currency, currency, 3) != 0) {
		struct bb_fact_sum *sum = INSERT(arena, sums->items, sums->n, sums->room, i);

		*sum = (struct bb_fact_sum){.n = 0};
		memcpy(sum->currency, currency, 3);
	}
	sums->items[i].micros =
		bb_i128_add(sums->items[i].micros, n > 0 ? micros : bb_i128_minus(micros));
	sums->items[i].n += (uint64_t)n;
	if (!sums->items[i].n) { /* nothing counts any more: as if it never had */
		memmove(&sums->items[i], &sums->items[i + 1],
			(sums->n - i - 1) * sizeof(*sums->items));
		sums->n--;
	}
}

void bb_facts_amount(struct bb_arena *arena, struct bb_facts *facts, uint32_t type, int64_t time_ms,
		     const char currency[3], bb_i128 micros, int n)
{
	struct bb_fact_day *day = bucket(arena, facts, type, time_ms / BB_DAY_MS);

	sum_add(arena, &facts->sums, currency, micros, n);
	sum_add(arena, &day->sums, currency, micros, n);
	if (!day->n && !day->sums.n) {
		size_t i = (size_t)(day - facts->buckets);

		memmove(day, day + 1, (facts->bucket_n - i - 1) * sizeof(*day));
		facts->bucket_n--;
	}
}

static void fold_consent(const struct bb_fold *fold, struct bb_facts *facts,
			 const struct bb_fact_consent *entry)
{
	size_t i = 0;

	while (i < facts->consent_n && (facts->consent[i].purpose != entry->purpose ||
					!bb_text_equal(facts->consent[i].channel, entry->channel)))
		i++;
	if (i == facts->consent_n) {
		BB_ARENA_PUSH(fold->arena, facts->consent, facts->consent_n, facts->consent_room) =
			*entry;
		return;
	}
	const struct bb_fact_consent *old = &facts->consent[i];
	int64_t later = entry->by.time_ms - old->by.time_ms;

	/* the later; at the same instant a denial; then id, and a time of Kafka's last */
	if (!later)
		later = (int)entry->denied - (int)old->denied;
	if (later > 0 || (!later && bb_origin_compare(&entry->by, &old->by) > 0))
		facts->consent[i] = *entry;
}

static void add_consent(const struct bb_fold *fold, struct bb_facts *facts,
			const struct bb_consent *consent, const struct bb_origin *by)
{
	struct bb_fact_consent entry = {
		.purpose = bb_names_add(fold->names, BB_NAME_PURPOSE, consent->purpose),
		.channel = consent->channel.p ? consent->channel : BB_TEXT("any"),
		.denied = bb_text_equal(consent->status, BB_TEXT("denied")),
		.by = *by};

	fold_consent(fold, facts, &entry);
}

static void add_recent(const struct bb_fold *fold, struct bb_facts *facts,
		       const struct bb_origin *by, uint32_t type)
{
	size_t i = facts->recent_n;

	while (i > 0 && bb_origin_compare(&facts->recent[i - 1].by, by) < 0)
		i--;
	if (i >= fold->rules->recent)
		return;
	*INSERT(fold->arena, facts->recent, facts->recent_n, facts->recent_room, i) =
		(struct bb_fact_recent){.by = *by, .type = type};
	if (facts->recent_n > fold->rules->recent)
		facts->recent_n = fold->rules->recent;
}

static struct bb_fact_attribute *attribute(const struct bb_fold *fold, struct bb_facts *facts,
					   uint32_t id, enum bb_fold_rule rule, bool *ret_new)
{
	size_t low = 0, high = facts->attribute_n;

	while (low < high) {
		size_t mid = (low + high) / 2;
		const struct bb_fact_attribute *a = &facts->attributes[mid];

		if (a->name < id || (a->name == id && a->rule < rule))
			low = mid + 1;
		else
			high = mid;
	}
	*ret_new = low == facts->attribute_n || facts->attributes[low].name != id ||
		   facts->attributes[low].rule != rule;
	if (*ret_new)
		*INSERT(fold->arena, facts->attributes, facts->attribute_n, facts->attribute_room,
			low) = (struct bb_fact_attribute){.name = id, .rule = rule};
	return &facts->attributes[low];
}

static void add_union(const struct bb_fold *fold, struct bb_fact_attribute *attr,
		      const struct bb_value *value)
{
	if (value->kind == BB_VALUE_LIST)
		bb_value_set_add_all(fold->arena, &attr->set, value->items, value->item_n);
	else
		bb_value_set_add(fold->arena, &attr->set, value);
	attr->has = attr->set.n > 0;
}

static void add_extreme(struct bb_fact_attribute *attr, const struct bb_value *value,
			const struct bb_origin *by)
{
	if (value->kind != BB_VALUE_TEXT && value->kind != BB_VALUE_NUMBER)
		return;
	bool same = attr->has && bb_value_compare(value, &attr->value) == 0 &&
		    value->kind == attr->value.kind;

	if (!attr->has || bb_value_beats(attr->rule, value, &attr->value) ||
	    (same && bb_origin_compare(by, &attr->by) < 0)) {
		attr->value = *value;
		attr->by = *by;
		attr->has = true;
	}
}

static void add_sum(struct bb_fact_attribute *attr, const struct bb_value *value)
{
	bb_i128 micros;

	if ((value->kind == BB_VALUE_TEXT || value->kind == BB_VALUE_NUMBER) &&
	    bb_money_parse(value->text, &micros)) {
		attr->sum_micros = bb_i128_add(attr->sum_micros, micros);
		attr->has = true;
	}
}

/* `value` NULL: an unset. */
static void add_attribute(const struct bb_fold *fold, struct bb_facts *facts, struct bb_text name,
			  const struct bb_value *value, const struct bb_origin *by)
{
	enum bb_fold_rule rule = bb_rules_fold(fold->rules, name);
	bool new;

	if (!value && rule != BB_FOLD_LATEST)
		return;
	uint32_t id = bb_names_add(fold->names, BB_NAME_ATTRIBUTE, name);
	struct bb_fact_attribute *attr = attribute(fold, facts, id, rule, &new);
	int order = new ? 0 : bb_origin_compare(by, &attr->by);
	bool replace = new;

	switch (rule) {
	case BB_FOLD_LATEST: /* a value beats an unset of the same event */
		replace = replace || order > 0 ||
			  (order == 0 && value &&
			   (!attr->has || bb_value_order(value, &attr->value) > 0));
		break;
	case BB_FOLD_FIRST:
		replace = replace || order < 0 ||
			  (order == 0 && bb_value_order(value, &attr->value) < 0);
		break;
	case BB_FOLD_MIN:
	case BB_FOLD_MAX:
		add_extreme(attr, value, by);
		return;
	case BB_FOLD_SUM:
		add_sum(attr, value);
		return;
	case BB_FOLD_UNION:
		add_union(fold, attr, value);
		return;
	}
	if (replace) {
		attr->has = value != NULL;
		attr->value = value ? *value : (struct bb_value){.kind = BB_VALUE_FALSE};
		attr->by = *by;
	}
}

/* Two events of one id can give a value one time of its own: then the values decide. */
static bool is_earlier(const struct bb_origin *by, const struct bb_value *value,
		       const struct bb_fact_once *once)
{
	int d = bb_origin_compare(by, &once->by);

	return d < 0 || (d == 0 && bb_value_order(value, &once->value) < 0);
}

static void fold_once(const struct bb_fold *fold, struct bb_facts *facts,
		      const struct bb_fact_once *once)
{
	size_t i = 0;

	while (i < facts->once_n && facts->once[i].name != once->name)
		i++;
	if (i == facts->once_n)
		BB_ARENA_PUSH(fold->arena, facts->once, facts->once_n, facts->once_room) = *once;
	else if (is_earlier(&once->by, &once->value, &facts->once[i]))
		facts->once[i] = *once;
}

static void add_once(const struct bb_fold *fold, struct bb_facts *facts,
		     const struct bb_attribute *attr, const struct bb_origin *by)
{
	struct bb_fact_once once = {bb_names_add(fold->names, BB_NAME_ATTRIBUTE, attr->name), *by,
				    attr->value};

	fold_once(fold, facts, &once);
}

static void add_offset(const struct bb_fold *fold, struct bb_facts *facts,
		       const struct bb_fact_offset *more)
{
	size_t i = 0;

	while (i < facts->offset_n && (facts->offsets[i].topic != more->topic ||
				       facts->offsets[i].partition != more->partition))
		i++;
	if (i == facts->offset_n)
		BB_ARENA_PUSH(fold->arena, facts->offsets, facts->offset_n, facts->offset_room) =
			*more;
	else if (more->offset > facts->offsets[i].offset)
		facts->offsets[i].offset = more->offset;
}

static struct bb_origin with_time(struct bb_origin by, int64_t at_ms)
{
	if (at_ms != BB_AT_EVENT)
		by.time_ms = at_ms;
	return by;
}

void bb_facts_add(const struct bb_fold *fold, struct bb_facts *facts, const struct bb_event *ev)
{
	uint32_t type = bb_names_add(fold->names, BB_NAME_TYPE, ev->type);
	struct bb_origin by = {.time_ms = ev->time_ms, .id = ev->id, .kafka = ev->kafka_time};

	if (ev->position.topic.p) {
		by.topic = bb_names_add(fold->names, BB_NAME_TOPIC, ev->position.topic) + 1;
		by.partition = ev->position.partition;
		by.offset = ev->position.offset;
	}
	facts->events++;
	if (ev->time_ms < facts->first_ms)
		facts->first_ms = ev->time_ms;
	if (ev->time_ms > facts->last_ms)
		facts->last_ms = ev->time_ms;
	add_day(facts, ev->time_ms / BB_DAY_MS);
	add_activity(fold, facts, ev, type);
	bucket(fold->arena, facts, type, ev->time_ms / BB_DAY_MS)->n++;
	add_recent(fold, facts, &by, type);
	if (by.topic)
		add_offset(fold, facts,
			   &(struct bb_fact_offset){by.topic, by.partition, by.offset});
	for (size_t i = 0; i < ev->consent_n; i++)
		add_consent(fold, facts, &ev->consent[i], &by);
	for (size_t i = 0; i < ev->unset_n; i++)
		add_attribute(fold, facts, ev->unset[i], NULL, &by);
	for (size_t i = 0; i < ev->attribute_n; i++) {
		struct bb_origin at = with_time(by, ev->attributes[i].at_ms);

		add_attribute(fold, facts, ev->attributes[i].name, &ev->attributes[i].value, &at);
	}
	for (size_t i = 0; i < ev->once_n; i++) {
		struct bb_origin at = with_time(by, ev->once[i].at_ms);

		add_once(fold, facts, &ev->once[i], &at);
	}
}

/* --- uniting ---------------------------------------------------------------------------------- */

static void unite_days(const struct bb_fold *fold, struct bb_facts *facts,
		       const struct bb_facts *from)
{
	for (int i = 0; i < 2; i++)
		if (from->days[i] != INT64_MIN)
			add_day(facts, from->days[i]);
	for (size_t i = 0; i < from->bucket_n; i++) {
		const struct bb_fact_day *day = &from->buckets[i];
		struct bb_fact_day *into = bucket(fold->arena, facts, day->type, day->day);

		into->n += day->n;
		for (size_t k = 0; k < day->sums.n; k++)
			sum_add(fold->arena, &into->sums, day->sums.items[k].currency,
				day->sums.items[k].micros, (int64_t)day->sums.items[k].n);
	}
	for (size_t i = 0; i < from->sums.n; i++)
		sum_add(fold->arena, &facts->sums, from->sums.items[i].currency,
			from->sums.items[i].micros, (int64_t)from->sums.items[i].n);
}

static void unite_attribute(const struct bb_fold *fold, struct bb_facts *facts,
			    const struct bb_fact_attribute *from)
{
	bool new;
	struct bb_fact_attribute *into = attribute(fold, facts, from->name, from->rule, &new);
	int order = new ? 1 : bb_origin_compare(&from->by, &into->by);

	if (new) {
		*into = (struct bb_fact_attribute){.name = from->name, .rule = from->rule};
		into->by = from->by;
	}
	switch (from->rule) {
	case BB_FOLD_LATEST:
		if (order > 0 || (order == 0 && from->has &&
				  (!into->has || bb_value_order(&from->value, &into->value) > 0)))
			*into = *from;
		break;
	case BB_FOLD_FIRST:
		if (new || order < 0 ||
		    (order == 0 && bb_value_order(&from->value, &into->value) < 0))
			*into = *from;
		break;
	case BB_FOLD_MIN:
	case BB_FOLD_MAX:
		if (from->has)
			add_extreme(into, &from->value, &from->by);
		break;
	case BB_FOLD_SUM:
		into->sum_micros = bb_i128_add(into->sum_micros, from->sum_micros);
		into->has = into->has || from->has;
		break;
	case BB_FOLD_UNION:
		bb_value_set_unite(fold->arena, &into->set, &from->set);
		into->has = into->set.n > 0;
		break;
	}
}

void bb_facts_unite(const struct bb_fold *fold, struct bb_facts *facts, const struct bb_facts *from)
{
	facts->events += from->events;
	if (from->first_ms < facts->first_ms)
		facts->first_ms = from->first_ms;
	if (from->last_ms > facts->last_ms)
		facts->last_ms = from->last_ms;
	unite_days(fold, facts, from);
	for (size_t i = 0; i < from->channel_n; i++)
		see_channel(fold, facts, &from->channels[i]);
	for (size_t i = 0; i < from->type_n; i++)
		see_type(fold, facts, &from->types[i]);
	for (size_t i = 0; i < from->recent_n; i++)
		add_recent(fold, facts, &from->recent[i].by, from->recent[i].type);
	for (size_t i = 0; i < from->offset_n; i++)
		add_offset(fold, facts, &from->offsets[i]);
	for (size_t i = 0; i < from->consent_n; i++)
		fold_consent(fold, facts, &from->consent[i]);
	for (size_t i = 0; i < from->attribute_n; i++)
		unite_attribute(fold, facts, &from->attributes[i]);
	for (size_t i = 0; i < from->once_n; i++)
		fold_once(fold, facts, &from->once[i]);
	for (size_t i = 0; i < from->displaced_n; i++)
		BB_ARENA_PUSH(fold->arena, facts->displaced, facts->displaced_n,
			      facts->displaced_room) = from->displaced[i];
}
