/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `try CONNECTOR --last N`: the newest records of a topic through a connector and the gate, as the
 * daemon would take them, and a summary: what came out, of which types, how often each field that
 * the connector names was filled, what was warned of, what was refused, and where it stands first.
 * Nothing is committed anywhere: there is no group, and no daemon is needed.
 *
 * Personal data is printed with --events only, and of a refused message what the connector does
 * not redact. Exit 1 if anything was refused, or the topic is not there or empty.
 */
#include "broker.h"
#include "table.h"
#include "try.h"

#include <backbone/gate.h>

enum { LAST = 100, LAST_MAX = 100000 };

/* How often something with a name was seen: a type, a field of a type, a warning, a refusal. */
struct seen {
	struct bb_text first, second;
	size_t n, other; /* other: of a type, without an identifier; of a namespace, blocked */
	size_t mark;	 /* the event that was counted last */
	int32_t partition;
	int64_t offset; /* of the first */
	struct bb_text detail;
};

struct list {
	struct seen *items;
	size_t n, room;
};

struct live {
	struct bb_ctl *ctl;
	const struct bb_connector *connector;
	const char *topic;
	bool events_wanted;
	struct bb_arena arena; /* of a message */
	const struct bb_message *msg;
	size_t messages, events, rulings, skipped, no_identifier, refused;
	struct list types, fields, namespaces, warnings, refusals;
	size_t partitions; /* with any record */
};

static struct seen *count(struct live *live, struct list *list, struct bb_text first,
			  struct bb_text second)
{
	struct bb_arena *arena = &live->ctl->arena;
	struct seen *seen;

	for (size_t i = 0; i < list->n; i++) {
		seen = &list->items[i];
		if (bb_text_equal(seen->first, first) && bb_text_equal(seen->second, second))
			return seen;
	}
	BB_ARENA_PUSH(arena, list->items, list->n, list->room) = (struct seen){
		.first = bb_arena_copy(arena, first), .second = bb_arena_copy(arena, second)};
	seen = &list->items[list->n - 1];
	if (live->msg) {
		seen->partition = live->msg->partition;
		seen->offset = live->msg->offset;
	}
	return seen;
}

/* --- fields ----------------------------------------------------------------------------------- */

static struct bb_text label(struct bb_arena *arena, enum bb_field_kind kind, struct bb_text name)
{
	static const char *const kinds[] = {[BB_FIELD_TYPE] = "",
					    [BB_FIELD_IDENTIFIER] = "identifier ",
					    [BB_FIELD_ATTRIBUTE] = "attribute ",
					    [BB_FIELD_TIME] = "time",
					    [BB_FIELD_AMOUNT] = "amount",
					    [BB_FIELD_CONSENT] = "consent"};

	return bb_arena_printf(arena, "%s%.*s", kinds[kind], (int)name.n, name.p ? name.p : "");
}

/* What is named and never filled must show too. */
static void on_field(void *ctx, struct bb_text type, enum bb_field_kind kind, struct bb_text name)
{
	struct live *live = ctx;

	if (!type.p)
		return;
	if (kind == BB_FIELD_TYPE)
		count(live, &live->types, type, name);
	else
		count(live, &live->fields, type, label(&live->ctl->arena, kind, name));
}

/* At most once an event, however many values it has. */
static void filled(struct live *live, const struct bb_event *ev, enum bb_field_kind kind,
		   struct bb_text name)
{
	struct seen *seen = count(live, &live->fields, ev->type, label(&live->arena, kind, name));

	seen->n += seen->mark != live->events;
	seen->mark = live->events;
}

static void count_fields(struct live *live, const struct bb_event *ev)
{
	const struct bb_text none = {NULL, 0};

	for (size_t i = 0; i < ev->identifier_n; i++) {
		const struct bb_identifier *id = &ev->identifiers[i];
		struct seen *ns = count(live, &live->namespaces, id->ns, none);

		ns->n++;
		ns->other += id->blocked;
		filled(live, ev, BB_FIELD_IDENTIFIER, id->ns);
	}
	for (size_t i = 0; i < ev->attribute_n; i++)
		filled(live, ev, BB_FIELD_ATTRIBUTE, ev->attributes[i].name);
	for (size_t i = 0; i < ev->once_n; i++)
		filled(live, ev, BB_FIELD_ATTRIBUTE, ev->once[i].name);
	if (ev->has_time && !ev->kafka_time)
		filled(live, ev, BB_FIELD_TIME, none);
	if (ev->has_amount)
		filled(live, ev, BB_FIELD_AMOUNT, none);
	if (ev->consent_n)
		filled(live, ev, BB_FIELD_CONSENT, none);
}

/* --- one message ------------------------------------------------------------------------------ */

static void print_value(struct live *live, struct bb_buf *buf)
{
	struct bb_text kept = bb_connector_redact(live->connector, live->msg, &live->arena).value;

	if (!kept.p || !bb_text_is_utf8(kept))
		return; /* it cannot be shown, or nothing of it may be */
	bb_buf_printf(buf, ",\"value\":");
	bb_buf_json(buf, kept);
}

static void print_refused(struct live *live, const struct bb_refusal *refusal)
{
	struct bb_buf buf = BB_BUF_EMPTY;

	bb_buf_printf(&buf, "{\"refused\":\"%s\"", bb_dead_reason_text(refusal->reason));
	if (refusal->at.p) {
		bb_buf_printf(&buf, ",\"at\":");
		bb_buf_json(&buf, refusal->at);
	}
	bb_buf_printf(&buf, ",\"topic\":");
	bb_buf_json(&buf, bb_text_of(live->topic));
	bb_buf_printf(&buf, ",\"partition\":%d,\"offset\":%lld", (int)live->msg->partition,
		      (long long)live->msg->offset);
	print_value(live, &buf);
	fprintf(live->ctl->out, "%.*s}\n", (int)buf.n, buf.p);
	bb_buf_fini(&buf);
}

static void refuse(struct live *live, const struct bb_refusal *refusal)
{
	struct seen *seen = count(live, &live->refusals,
				  bb_text_of(bb_dead_reason_text(refusal->reason)), refusal->at);

	if (seen->n++ == 0 && refusal->detail.p)
		seen->detail = bb_arena_copy(&live->ctl->arena, refusal->detail);
	live->refused++;
	if (live->events_wanted)
		print_refused(live, refusal);
}

static void take_event(struct live *live, struct bb_event *ev)
{
	const struct bb_config *config = live->ctl->config;
	enum bb_gate_result result = ev->identifier_n ? BB_GATE_PASS : BB_GATE_NO_IDENTIFIER;
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_refusal refusal;
	struct seen *type;

	if (config)
		result = bb_gate(&config->rules, ev, &live->arena, &refusal);
	if (result == BB_GATE_REFUSED) {
		refuse(live, &refusal);
		return;
	}
	live->events++;
	type = count(live, &live->types, ev->type, (struct bb_text){NULL, 0});
	type->n++;
	type->other += result == BB_GATE_NO_IDENTIFIER;
	live->no_identifier += result == BB_GATE_NO_IDENTIFIER;
	count_fields(live, ev);
	for (size_t i = 0; i < ev->warning_n; i++)
		count(live, &live->warnings, ev->warnings[i].code, ev->warnings[i].at)->n++;
	if (!live->events_wanted)
		return;
	bb_event_json(ev, &buf);
	fprintf(live->ctl->out, "%.*s\n", (int)buf.n, buf.p);
	bb_buf_fini(&buf);
}

static void take_ruling(struct live *live, struct bb_ruling *ruling)
{
	const struct bb_config *config = live->ctl->config;
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_refusal refusal;

	if (config && !bb_ruling_check(&config->rules, ruling, &live->arena, &refusal)) {
		refuse(live, &refusal);
		return;
	}
	live->rulings++;
	if (!live->events_wanted)
		return;
	bb_ruling_json(ruling, &buf);
	fprintf(live->ctl->out, "%.*s\n", (int)buf.n, buf.p);
	bb_buf_fini(&buf);
}

static void on_message(void *ctx, const struct bb_message *msg)
{
	struct bb_extraction extraction = {0};
	struct live *live = ctx;

	bb_arena_reset(&live->arena);
	live->messages++;
	live->msg = msg;
	bb_connector_run(live->connector, msg, &live->arena, &extraction);
	for (size_t i = 0; i < extraction.n; i++) {
		struct bb_extracted *item = &extraction.items[i];

		if (item->kind == BB_EXTRACTED_SKIP)
			live->skipped++;
		else if (item->kind == BB_EXTRACTED_REFUSED)
			refuse(live, &item->refusal);
		else if (item->kind == BB_EXTRACTED_RULING)
			take_ruling(live, item->ruling);
		else
			take_event(live, item->event);
	}
}

/* --- which messages --------------------------------------------------------------------------- */

/* The topic that is meant: named, or the only one of the connector. */
static int choose_topic(struct live *live)
{
	const char *given = bb_ctl_value(live->ctl, "topic");

	if (!given && bb_connector_topic_n(live->connector) == 1)
		given = bb_connector_topic(live->connector, 0);
	live->topic = given;
	return given ? BB_CTL_OK
		     : bb_ctl_fail(live->ctl, BB_CTL_USAGE,
				   "the connector %s does not name one topic; give --topic T",
				   bb_connector_name(live->connector));
}

/* Shares `last` among the partitions; what one does not have the others give. */
static void share(struct bb_broker_range *ranges, const int64_t *low, int32_t n, uint64_t last)
{
	uint64_t left = last;
	bool given = true;

	while (left && given) {
		given = false;
		for (int32_t p = 0; p < n && left; p++) {
			if (ranges[p].from <= low[p])
				continue;
			ranges[p].from--;
			left--;
			given = true;
		}
	}
}

static int find_ends(struct live *live, struct bb_broker *broker, int32_t n, int64_t only,
		     struct bb_broker_range **ret_ranges, int64_t **ret_low)
{
	*ret_ranges = bb_arena_zalloc(&live->ctl->arena, (size_t)n * sizeof(**ret_ranges));
	*ret_low = bb_arena_zalloc(&live->ctl->arena, (size_t)n * sizeof(**ret_low));
	for (int32_t p = 0; p < n; p++) {
		int64_t high = 0;
		int ret;

		if (only >= 0 && p != only)
			continue;
		ret = bb_broker_ends(broker, p, &(*ret_low)[p], &high);
		if (ret != BB_CTL_OK)
			return ret;
		(*ret_ranges)[p] = (struct bb_broker_range){.from = high, .to = high};
		live->partitions += high > (*ret_low)[p];
	}
	return BB_CTL_OK;
}

static int read_last(struct live *live, struct bb_broker *broker, uint64_t last, int64_t only)
{
	struct bb_broker_range *ranges;
	int64_t *low;
	int32_t n = 0;
	int ret = bb_broker_topic(broker, live->topic, &n);

	if (ret == BB_CTL_OK && only >= n)
		ret = bb_ctl_fail(live->ctl, BB_CTL_USAGE, "--partition %lld: topic %s has %d",
				  (long long)only, live->topic, (int)n);
	if (ret == BB_CTL_OK)
		ret = find_ends(live, broker, n, only, &ranges, &low);
	if (ret != BB_CTL_OK)
		return ret;
	if (live->partitions == 0)
		return bb_ctl_fail(live->ctl, BB_CTL_NO, "topic %s is empty", live->topic);
	share(ranges, low, n, last);
	return bb_broker_read(broker, ranges, n, on_message, live);
}

/* --- the summary ------------------------------------------------------------------------------ */

enum column { NAME, AT, N, OTHER, SHARE, FIRST, DETAIL, COLUMN_COUNT };

/* The lists, and what of theirs is shown under which title and in JSON; NULL: that is not. */
static const struct shown {
	size_t offset; /* in struct live */
	const char *list, *titles[COLUMN_COUNT], *members[COLUMN_COUNT];
} shown[] = {
	{offsetof(struct live, types),
	 "types",
	 {[NAME] = "TYPE", [N] = "EVENTS", [OTHER] = "WITHOUT IDENTIFIER"},
	 {[NAME] = "type", [N] = "events", [OTHER] = "no_identifier"}},
	{offsetof(struct live, fields),
	 "fields",
	 {[NAME] = "TYPE", [AT] = "FIELD", [N] = "USABLE", [SHARE] = "SHARE"},
	 {[NAME] = "type", [AT] = "field", [N] = "usable"}},
	{offsetof(struct live, namespaces),
	 "namespaces",
	 {[NAME] = "NAMESPACE", [N] = "IDENTIFIERS", [OTHER] = "BLOCKED"},
	 {[NAME] = "namespace", [N] = "identifiers", [OTHER] = "blocked"}},
	{offsetof(struct live, warnings),
	 "warnings",
	 {[NAME] = "WARNING", [AT] = "AT", [N] = "N", [FIRST] = "FIRST"},
	 {[NAME] = "warning", [AT] = "at", [N] = "n"}},
	{offsetof(struct live, refusals),
	 "refusals",
	 {[NAME] = "REFUSED", [AT] = "AT", [N] = "N", [FIRST] = "FIRST", [DETAIL] = "WHY"},
	 {[NAME] = "refused", [AT] = "at", [N] = "n", [DETAIL] = "detail"}},
};

enum { SHOWN = sizeof(shown) / sizeof(shown[0]) };

static const struct list *list_of(const struct live *live, const struct shown *as)
{
	return (const void *)((const char *)live + as->offset);
}

/* The n of a type. */
static size_t events_of(const struct live *live, struct bb_text type)
{
	for (size_t i = 0; i < live->types.n; i++)
		if (bb_text_equal(live->types.items[i].first, type))
			return live->types.items[i].n;
	return 0;
}

static void text_json(const char *name, struct bb_text text, struct bb_buf *buf)
{
	if (!name)
		return;
	bb_buf_printf(buf, "\"%s\":", name);
	if (text.p)
		bb_buf_json(buf, text);
	else
		bb_buf_printf(buf, "null");
	bb_buf_byte(buf, ',');
}

static void seen_json(const struct shown *as, const struct seen *seen, struct bb_buf *buf)
{
	bb_buf_byte(buf, '{');
	text_json(as->members[NAME], seen->first, buf);
	text_json(as->members[AT], seen->second, buf);
	text_json(as->members[DETAIL], seen->detail, buf);
	bb_buf_printf(buf, "\"%s\":%zu", as->members[N], seen->n);
	if (as->members[OTHER])
		bb_buf_printf(buf, ",\"%s\":%zu", as->members[OTHER], seen->other);
	if (as->titles[FIRST])
		bb_buf_printf(buf, ",\"partition\":%d,\"offset\":%lld", (int)seen->partition,
			      (long long)seen->offset);
	bb_buf_byte(buf, '}');
}

static void list_json(const struct live *live, const struct shown *as, struct bb_buf *buf)
{
	const struct list *list = list_of(live, as);

	bb_buf_printf(buf, ",\"%s\":[", as->list);
	for (size_t i = 0; i < list->n; i++) {
		if (i > 0)
			bb_buf_byte(buf, ',');
		seen_json(as, &list->items[i], buf);
	}
	bb_buf_byte(buf, ']');
}

static void print_json(const struct live *live)
{
	struct bb_buf buf = BB_BUF_EMPTY;

	bb_buf_printf(&buf, "{\"connector\":");
	bb_buf_json(&buf, bb_text_of(bb_connector_name(live->connector)));
	bb_buf_printf(&buf, ",\"topic\":");
	bb_buf_json(&buf, bb_text_of(live->topic));
	bb_buf_printf(&buf,
		      ",\"messages\":%zu,\"events\":%zu,\"rulings\":%zu,\"skipped\":%zu,"
		      "\"refused\":%zu,\"no_identifier\":%zu",
		      live->messages, live->events, live->rulings, live->skipped, live->refused,
		      live->no_identifier);
	for (size_t i = 0; i < SHOWN; i++)
		list_json(live, &shown[i], &buf);
	fprintf(live->ctl->out, "%.*s}\n", (int)buf.n, buf.p);
	bb_buf_fini(&buf);
}

static struct bb_text cell_of(struct bb_ctl_table *table, const struct live *live,
			      const struct seen *seen, enum column column)
{
	size_t of;

	switch (column) {
	case NAME:
		return seen->first;
	case AT:
		return seen->second.p ? seen->second : BB_TEXT("-");
	case N:
		return bb_ctl_table_number(table, (long long)seen->n);
	case OTHER:
		return bb_ctl_table_number(table, (long long)seen->other);
	case SHARE:
		of = events_of(live, seen->first);
		return of ? bb_arena_printf(table->arena, "%zu %%", 100 * seen->n / of)
			  : BB_TEXT("-");
	case FIRST:
		return bb_arena_printf(table->arena, "%d/%lld", (int)seen->partition,
				       (long long)seen->offset);
	default:
		return seen->detail;
	}
}

static void print_table(const struct live *live, const struct shown *as)
{
	const struct list *list = list_of(live, as);
	struct bb_ctl_table table = {.arena = &live->ctl->arena};
	struct bb_table_row *row = bb_ctl_table_row(&table);
	enum column columns[COLUMN_COUNT];

	for (unsigned c = 0; c < COLUMN_COUNT; c++) {
		if (!as->titles[c])
			continue;
		row->cells[table.columns] = bb_text_of(as->titles[c]);
		table.right |= (c == N || c == OTHER || c == SHARE) << table.columns;
		columns[table.columns++] = (enum column)c;
	}
	for (size_t i = 0; i < list->n; i++) {
		row = bb_ctl_table_row(&table);
		for (size_t c = 0; c < table.columns; c++)
			row->cells[c] = cell_of(&table, live, &list->items[i], columns[c]);
	}
	if (list->n == 0)
		return;
	fputc('\n', live->ctl->out);
	bb_ctl_table_print(&table, live->ctl->out);
}

static void print_text(const struct live *live)
{
	FILE *out = live->ctl->out;

	fprintf(out,
		"topic %s, %zu messages: %zu events (%zu without a usable identifier), "
		"%zu rulings, %zu skipped, %zu refused\n",
		live->topic, live->messages, live->events, live->no_identifier, live->rulings,
		live->skipped, live->refused);
	for (size_t i = 0; i < SHOWN; i++)
		print_table(live, &shown[i]);
	if (!live->ctl->config)
		fprintf(live->ctl->err, "no configuration: identifiers are as they came\n");
}

static int run(struct live *live)
{
	struct bb_ctl *ctl = live->ctl;
	struct bb_broker *broker = NULL;
	uint64_t last, only;
	int ret;

	if (!bb_ctl_number(ctl, "last", LAST, LAST_MAX, &last) ||
	    !bb_ctl_number(ctl, "partition", 0, INT32_MAX, &only))
		return BB_CTL_USAGE;
	ret = choose_topic(live);
	if (ret == BB_CTL_OK)
		ret = bb_broker_open(ctl, &broker);
	if (ret != BB_CTL_OK)
		return ret;
	bb_connector_fields(live->connector, on_field, live);
	ret = read_last(live, broker, last,
			bb_ctl_value(ctl, "partition") ? (int64_t)only : INT64_C(-1));
	bb_broker_close(broker);
	if (ret != BB_CTL_OK)
		return ret;
	if (ctl->json)
		print_json(live);
	else
		print_text(live);
	return live->refused ? BB_CTL_NO : BB_CTL_OK;
}

int bb_try_live(struct bb_ctl *ctl)
{
	struct live live = {.ctl = ctl, .events_wanted = bb_ctl_value(ctl, "events")};
	struct bb_connector *own = NULL;
	int ret = BB_CTL_OK;

	if (ctl->arg_n > 1)
		return bb_ctl_fail(ctl, BB_CTL_USAGE,
				   "expected FILEs, or --topic and --last, not both");
	ret = bb_ctl_try_config(ctl);
	if (ret == BB_CTL_OK)
		ret = bb_try_connector(ctl, ctl->args[0], &live.connector, &own);
	bb_arena_init(&live.arena);
	if (ret == BB_CTL_OK)
		ret = run(&live);
	bb_arena_fini(&live.arena);
	bb_connector_free(own);
	return ret;
}
