/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every key of a connector file is a row here: where it may stand, what its value is, which field
 * of the plan it fills, and a sentence for the manual. The rows of a place are in the order in
 * which they are read: what others depend on (each, defaults, columns) comes first.
 *
 * Pure data; nothing fails.
 */
#include "schema.h"

#include <backbone/assert.h>

#include "compile.h"

#define FIELD(type, field) offsetof(struct type, field)
#define TO_FILE(field) FIELD(bb_connector, field)
#define TO_DEFAULTS(field) FIELD(bb_defaults, field)
#define TO_EVENT(field) FIELD(bb_event_plan, field)
#define TO_TIME(field) FIELD(bb_time_plan, field)
#define TO_IDENTIFY(field) FIELD(bb_identify_plan, field)
#define TO_SPREAD(field) FIELD(bb_spread_plan, field)
#define TO_AMOUNT(field) FIELD(bb_amount_plan, field)
#define TO_CONSENT(field) FIELD(bb_consent_plan, field)
#define TO_SOURCE(field) FIELD(bb_source_map, field)
#define TO_SEEK(field) FIELD(bb_seek, field)

/* Rows: place, key, type, field, then what is special. */
#define ROW(place_, name_, type_, offset_, ...)                                                    \
	{                                                                                          \
		.place = BB_IN_##place_, .name = (name_), .type = BB_TYPE_##type_,                 \
		.offset = (offset_), __VA_ARGS__                                                   \
	}
#define HELP(text) .help = (text)
#define REQUIRED .required = true
#define INSIDE(place_) .section = BB_IN_##place_
#define WORDS(text) .words = (text)

#define CHANGE_ROWS(place, to)                                                                     \
	ROW(place, "strip_prefix", TEXT, to(change.strip_prefix),                                  \
	    HELP("takes this off the front of the value, where it is there")),                     \
		ROW(place, "strip_suffix", TEXT, to(change.strip_suffix),                          \
		    HELP("takes this off the end of the value, where it is there")),               \
		ROW(place, "digits", FLAG, to(change.digits),                                      \
		    HELP("keeps only the digits 0 to 9")),                                         \
		ROW(place, "lower", FLAG, to(change.lower), HELP("lower case")),                   \
		ROW(place, "map", WORD_MAP, to(change.map),                                        \
		    HELP("replaces a value by another; values that are not listed stay")),         \
		ROW(place, "prepend", TEXT, to(change.prepend),                                    \
		    HELP("puts this in front of the value"))

static const struct bb_option options[] = {
	ROW(FILE, "connector", NAME, TO_FILE(name), REQUIRED,
	    HELP("name of the connector: the source of its events, in metrics and dead letters")),
	ROW(FILE, "channel", TEXT, TO_FILE(channel),
	    HELP("channel of its events: pos, web, social, ...; required, but for format "
		 "canonical")),
	ROW(FILE, "format", CHOICE, TO_FILE(format), WORDS("json tsv csv query canonical"),
	    HELP("what a message is; json where nothing is said")),
	ROW(FILE, "unwrap", UNWRAP, TO_FILE(unwrap),
	    WORDS("none cloudevents debezium confluent_json relay"),
	    HELP("envelopes that the message comes in, from the outside")),
	ROW(FILE, "columns", NAMES, TO_FILE(columns),
	    HELP("tsv, csv: names of the columns, in order; else the header line has them")),
	ROW(FILE, "header", FLAG, TO_FILE(heading),
	    HELP("tsv, csv: whether the first line of a file is no record; true where there are no "
		 "columns")),
	ROW(FILE, "delimiter", TEXT, TO_FILE(delimiter),
	    HELP("csv: what stands between fields, one character; a comma where nothing is said")),
	ROW(FILE, "topics", TOPICS, TO_FILE(topics), REQUIRED,
	    HELP("topics to read: names, or one pattern /^shop\\..*/; [] where it is for files "
		 "only")),
	ROW(FILE, "defaults", SECTION, 0, INSIDE(DEFAULTS), HELP("for values that do not say it")),
	ROW(FILE, "events", SECTIONS, TO_FILE(events), INSIDE(EVENT),
	    HELP("rules, in order; the first that matches an element takes it")),
	ROW(FILE, "tenant", SOURCES, TO_FILE(tenant),
	    HELP("the shop, page or account that ids with scope: tenant belong to")),
	ROW(FILE, "redact", REDACT, TO_FILE(redact), WORDS("@key @header"),
	    HELP("what is removed from a message before it is kept in a dead letter: members, the "
		 "key, values of headers")),
	ROW(FILE, "otherwise", CHOICE, TO_FILE(otherwise), WORDS("skip dead_letter"),
	    HELP("what becomes of an element that no rule takes; skip where nothing is said")),

	ROW(DEFAULTS, "region", REGION, TO_DEFAULTS(region),
	    HELP("country of telephone numbers that do not name one")),
	ROW(DEFAULTS, "timezone", ZONE, TO_DEFAULTS(zone),
	    HELP("zone of times that do not name one")),
	ROW(DEFAULTS, "currency", CURRENCY, TO_DEFAULTS(currency),
	    HELP("currency of amounts that do not name one")),
	ROW(DEFAULTS, "digits", DIGITS, TO_DEFAULTS(digits),
	    HELP("as in amount, for all amounts of kind minor that do not say it")),

	ROW(EVENT, "each", EACH, TO_EVENT(each),
	    HELP("a list: one event for each of its elements; or an object: for each of its "
		 "members; several of them: for all")),
	ROW(EVENT, "parse_json", PARSE, TO_EVENT(parse),
	    HELP("a text that holds JSON: what it holds is the element")),
	ROW(EVENT, "parse_query", PARSE, TO_EVENT(parse),
	    HELP("a text that is a query or a URL: its parameters are the element")),
	ROW(EVENT, "name", TEXT, TO_EVENT(name), HELP("name of the rule, for people")),
	ROW(EVENT, "when", CONDITIONS, TO_EVENT(when), HELP("what must hold, all of it")),
	ROW(EVENT, "unless", CONDITIONS, TO_EVENT(unless), HELP("what must not hold, none of it")),
	ROW(EVENT, "continue", FLAG, TO_EVENT(goes_on),
	    HELP("true: later rules look at the element too")),
	ROW(EVENT, "type", SOURCES, TO_EVENT(type),
	    HELP("what happened; required, but for rulings")),
	ROW(EVENT, "id", SOURCES, TO_EVENT(id),
	    HELP("the event's id at its source; its position in the log where there is none")),
	ROW(EVENT, "channel", SOURCES, TO_EVENT(channel), HELP("where it is not the connector's")),
	ROW(EVENT, "time", SECTIONS, TO_EVENT(time), INSIDE(TIME),
	    HELP("when it happened; the log's time where there is none")),
	ROW(EVENT, "identify", SECTIONS, TO_EVENT(identify), INSIDE(IDENTIFY),
	    HELP("who it was: identifiers")),
	ROW(EVENT, "same", SECTIONS, TO_EVENT(same), INSIDE(SAME),
	    HELP("identifiers that the producer says are one person's")),
	ROW(EVENT, "attributes", ATTRIBUTES, TO_EVENT(attributes),
	    HELP("what is known of the person")),
	ROW(EVENT, "attributes_once", ATTRIBUTES, TO_EVENT(once),
	    HELP("the same, but only the earliest counts")),
	ROW(EVENT, "spread", SECTIONS, TO_EVENT(spread), INSIDE(SPREAD),
	    HELP("all members of an object as attributes")),
	ROW(EVENT, "unset", SOURCES, TO_EVENT(unset), HELP("names of attributes that are no more")),
	ROW(EVENT, "amount", SECTION, TO_EVENT(amount), INSIDE(AMOUNT), HELP("money")),
	ROW(EVENT, "consent", SECTIONS, TO_EVENT(consent), INSIDE(CONSENT),
	    HELP("what the person agreed to or refused")),
	ROW(EVENT, "ruling", SOURCES, TO_EVENT(ruling.kind),
	    HELP("a steward's word instead of an event: join, split, block, allow, release")),
	ROW(EVENT, "pair", SECTIONS, TO_EVENT(ruling.pair), INSIDE(RULED),
	    HELP("join, split: the two identifiers")),
	ROW(EVENT, "identifier", SECTIONS, TO_EVENT(ruling.identifier), INSIDE(RULED),
	    HELP("block, allow: the identifier")),
	ROW(EVENT, "releases", SOURCES, TO_EVENT(ruling.releases),
	    HELP("release: the id of the ruling that holds no longer")),
	ROW(EVENT, "actor", SOURCES, TO_EVENT(ruling.actor), HELP("who gave the ruling")),
	ROW(EVENT, "reason", SOURCES, TO_EVENT(ruling.reason), HELP("why it was given")),

	ROW(TIME, "from", SOURCES, TO_TIME(from), HELP("the value")),
	ROW(TIME, "date", SOURCES, TO_TIME(date),
	    HELP("its first half, where it is in two fields")),
	ROW(TIME, "time", SOURCES, TO_TIME(time), HELP("its second half")),
	ROW(TIME, "format", TIME_FORM, TO_TIME(format), REQUIRED, HELP("its form; never guessed")),
	ROW(TIME, "timezone", ZONE, TO_TIME(zone), HELP("zone of values that do not name one")),

	ROW(IDENTIFY, "ns", NAMESPACE, TO_IDENTIFY(ns), REQUIRED, HELP("namespace")),
	ROW(IDENTIFY, "from", SOURCES, TO_IDENTIFY(from), REQUIRED, HELP("the value")),
	ROW(IDENTIFY, "scope", CHOICE, TO_IDENTIFY(scope), WORDS("tenant"),
	    HELP("the id is only unique within the tenant: the value becomes tenant/id")),
	ROW(IDENTIFY, "optional", FLAG, TO_IDENTIFY(optional),
	    HELP("true: a value that is not canonical is ordinary, no warning")),
	CHANGE_ROWS(IDENTIFY, TO_IDENTIFY),

	ROW(SAME, "ns", NAMESPACE, TO_IDENTIFY(ns), REQUIRED, HELP("namespace")),
	ROW(SAME, "of", SOURCES, TO_IDENTIFY(from), REQUIRED,
	    HELP("all of these are the same as the first")),
	ROW(SAME, "scope", CHOICE, TO_IDENTIFY(scope), WORDS("tenant"), HELP("as in identify")),
	CHANGE_ROWS(SAME, TO_IDENTIFY),

	ROW(RULED, "ns", NAMESPACE, TO_IDENTIFY(ns), REQUIRED, HELP("namespace")),
	ROW(RULED, "from", SOURCES, TO_IDENTIFY(from), REQUIRED, HELP("the value")),
	ROW(RULED, "scope", CHOICE, TO_IDENTIFY(scope), WORDS("tenant"), HELP("as in identify")),
	CHANGE_ROWS(RULED, TO_IDENTIFY),

	ROW(SPREAD, "from", SOURCES, TO_SPREAD(from), REQUIRED, HELP("the object")),
	ROW(SPREAD, "prefix", TEXT, TO_SPREAD(prefix), HELP("put in front of every name")),
	ROW(SPREAD, "except", NAMES, TO_SPREAD(except), HELP("members that are left out")),

	ROW(AMOUNT, "value", SOURCES, TO_AMOUNT(value), REQUIRED, HELP("the number")),
	ROW(AMOUNT, "kind", CHOICE, TO_AMOUNT(kind), REQUIRED, WORDS("major minor"),
	    HELP("major: 12.50; minor: 1250, in the smallest unit of the currency")),
	ROW(AMOUNT, "currency", SOURCES, TO_AMOUNT(currency), HELP("code of ISO 4217")),
	ROW(AMOUNT, "digits", DIGITS, TO_AMOUNT(digits),
	    HELP("kind minor: digits of currencies that the producer does not count as ISO 4217 "
		 "does")),
	ROW(AMOUNT, "sign", CHOICE, TO_AMOUNT(sign), WORDS("positive negative"),
	    HELP("negative: a refund, which the producer writes as a positive number")),
	ROW(AMOUNT, "key", SOURCES, TO_AMOUNT(key),
	    HELP("order or payment that this is the latest state of")),
	ROW(AMOUNT, "part", SOURCES, TO_AMOUNT(part), HELP("a further amount under the same key")),

	ROW(CONSENT, "purpose", SOURCES, TO_CONSENT(purpose), REQUIRED, HELP("for what")),
	ROW(CONSENT, "channel", SOURCES, TO_CONSENT(channel),
	    HELP("by which channel; any, if none")),
	ROW(CONSENT, "status", STATUS, 0, REQUIRED, HELP("granted, denied, or where to find it")),

	ROW(STATUS, "from", SOURCES, TO_CONSENT(status), REQUIRED, HELP("the value")),
	ROW(STATUS, "granted", NAMES, TO_CONSENT(granted), HELP("values that mean yes")),
	ROW(STATUS, "denied", NAMES, TO_CONSENT(denied), HELP("values that mean no")),

	ROW(SOURCE, "const", TEXT, TO_SOURCE(constant), HELP("this text, whatever it begins with")),
	ROW(SOURCE, "template", TEMPLATE, TO_SOURCE(template), HELP("text with {paths} in it")),
	ROW(SOURCE, "parse_json", PARSE, TO_SOURCE(parse),
	    HELP("a text that holds JSON, for `from` to look into")),
	ROW(SOURCE, "parse_query", PARSE, TO_SOURCE(parse),
	    HELP("a text that is a query or a URL, for `from` to look into")),
	ROW(SOURCE, "from", SOURCES, TO_SOURCE(from),
	    HELP("sources whose value is changed, or that look into a text")),
	ROW(SOURCE, "pick", SECTION, TO_SOURCE(seek), INSIDE(PICK),
	    HELP("a value of a list of names and values")),
	ROW(SOURCE, "lookup", SECTION, TO_SOURCE(seek), INSIDE(LOOKUP),
	    HELP("a value of an object, under a name that is in the message")),
	ROW(SOURCE, "sum", SECTION, TO_SOURCE(seek), INSIDE(SUM),
	    HELP("the numbers of a list, added up")),
	CHANGE_ROWS(SOURCE, TO_SOURCE),
	ROW(SOURCE, "at", SOURCES, TO_SOURCE(at.from),
	    HELP("attributes only: the value's own time; the event's where there is none")),
	ROW(SOURCE, "format", TIME_FORM, TO_SOURCE(at.format),
	    HELP("form of `at`, as in time; required with it")),
	ROW(SOURCE, "timezone", ZONE, TO_SOURCE(at.zone),
	    HELP("zone of an `at` that does not name one")),

	ROW(PICK, "in", SOURCES, TO_SEEK(in), REQUIRED, HELP("the list")),
	ROW(PICK, "key", INNER, TO_SEEK(key), REQUIRED, HELP("the name, inside an element")),
	ROW(PICK, "equals", SOURCES, TO_SEEK(equals), REQUIRED,
	    HELP("what the name must be, one of these")),
	ROW(PICK, "value", INNERS, TO_SEEK(value),
	    HELP("the value, inside the element; the whole element where nothing is said")),

	ROW(LOOKUP, "in", SOURCES, TO_SEEK(in), REQUIRED, HELP("the object")),
	ROW(LOOKUP, "key", SOURCES, TO_SEEK(equals), REQUIRED, HELP("the name of its member")),
	ROW(LOOKUP, "value", INNERS, TO_SEEK(value),
	    HELP("the value, inside the member; the whole member where nothing is said")),

	ROW(SUM, "in", SOURCES, TO_SEEK(in), REQUIRED, HELP("the list")),
	ROW(SUM, "key", INNER, TO_SEEK(key),
	    HELP("only elements count where this, inside the element, is what equals says")),
	ROW(SUM, "equals", SOURCES, TO_SEEK(equals), HELP("what the key must be, one of these")),
	ROW(SUM, "value", INNERS, TO_SEEK(value),
	    HELP("the number, inside the element; the element itself where nothing is said")),
	ROW(SUM, "times", INNERS, TO_SEEK(times),
	    HELP("what it is multiplied by, inside the element; 1 where there is none")),
};

const struct bb_option *bb_schema_options(size_t *ret_n)
{
	*ret_n = sizeof(options) / sizeof(*options);
	return options;
}

const struct bb_option *bb_schema_find(enum bb_place place, struct bb_text name)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (options[i].place == place && bb_text_equal(name, bb_text_of(options[i].name)))
			return &options[i];
	return NULL;
}

size_t bb_schema_item_bytes(enum bb_place place)
{
	switch (place) {
	case BB_IN_EVENT:
		return sizeof(struct bb_event_plan);
	case BB_IN_TIME:
		return sizeof(struct bb_time_plan);
	case BB_IN_IDENTIFY:
	case BB_IN_SAME:
	case BB_IN_RULED:
		return sizeof(struct bb_identify_plan);
	case BB_IN_SPREAD:
		return sizeof(struct bb_spread_plan);
	case BB_IN_CONSENT:
		return sizeof(struct bb_consent_plan);
	default:
		bb_assert(!"a place that does not come as a list");
		return 0;
	}
}
