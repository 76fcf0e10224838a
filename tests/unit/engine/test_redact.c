/* SPDX-License-Identifier: Apache-2.0 */
/* What may be kept of a message in a dead letter. */
#include <backbone/connector.h>
#include <criterion/criterion.h>

#define HEAD "connector: till\nchannel: pos\ntopics: []\n"
#define EVENTS "events: [{type: t, identify: {ns: email, from: '$.mail'}}]\n"

static struct bb_connector *compile(struct bb_arena *arena, const char *yaml)
{
	struct bb_diagnostics diagnostics = {.arena = arena};
	struct bb_connector *connector;

	connector = bb_connector_compile("c.yaml", bb_text_of(yaml), NULL, &diagnostics);
	cr_assert_not_null(connector, "%s", yaml);
	return connector;
}

static struct bb_text redact(const struct bb_connector *connector, struct bb_text value,
			     struct bb_arena *arena)
{
	struct bb_message msg = {.value = value,
				 .heading = BB_TEXT("\xef\xbb\xbfip, mail ,\"x\"\r\n")};

	return bb_connector_redact(connector, &msg, arena).value;
}

static void expect(const char *yaml, const char *value, const char *want)
{
	struct bb_connector *connector;
	struct bb_arena arena;
	struct bb_text got;

	bb_arena_init(&arena);
	connector = compile(&arena, yaml);
	got = redact(connector, bb_text_of(value), &arena);
	cr_expect_eq(got.p != NULL, want != NULL, "%s", value);
	if (got.p && want)
		cr_expect(bb_text_equal(got, bb_text_of(want)), "%s: %.*s", value, (int)got.n,
			  got.p);
	bb_connector_free(connector);
	bb_arena_fini(&arena);
}

Test(engine, redact_removes_what_is_named)
{
	const char *yaml = HEAD
		"redact: ['$.ip', '$.a.b', '$.l[*].secret', '$.l[-1].last', "
		"'$.m[0]', \"$['x y']\", '$.n[*][*].z', '$.whole', '$.o.*.z', '$.p.*']\n" EVENTS;
	static const char *const rows[][2] = {
		{"{\"ip\":\"1.2.3.4\",\"keep\":1.50}", "{\"keep\":1.50}"},
		{"{\"a\":{\"b\":1,\"c\":2}, \"b\":3}", "{\"a\":{\"c\":2},\"b\":3}"},
		{"{\"a\":[{\"b\":1}]}", "{\"a\":[{\"b\":1}]}"},
		{"{\"l\":[{\"secret\":1,\"last\":2},{\"secret\":1,\"last\":2}]}",
		 "{\"l\":[{\"last\":2},{}]}"},
		{"{\"m\":[1,2]}", "{\"m\":[null,2]}"},
		{"{\"x y\":{\"deep\":[1]}}", "{}"},
		{"{\"n\":[[{\"z\":1,\"y\":2}],[],7]}", "{\"n\":[[{\"y\":2}],[],7]}"},
		{"{\"o\":{\"a\":{\"z\":1,\"y\":2},\"z\":3}}", "{\"o\":{\"a\":{\"y\":2},\"z\":3}}"},
		{"{\"o\":[{\"z\":1}],\"p\":{\"a\":1,\"b\":[]}}", "{\"o\":[{\"z\":1}],\"p\":{}}"},
		{"[{\"ip\":1}]", "[{\"ip\":1}]"},
		{"5", "5"},
		{"{\"ip\":1", NULL},
		{"\xff", NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		expect(yaml, rows[i][0], rows[i][1]);
}

Test(engine, redact_empties_columns)
{
	const char *yaml = HEAD "format: tsv\ncolumns: [ip, mail, x]\nredact: '$.ip'\n" EVENTS;

	expect(yaml, "1.2.3.4\tm\tx", "\tm\tx");
	expect(yaml, "1.2.3.4\tm", NULL);
	yaml = HEAD "format: csv\nredact: ['$.ip', '$.mail', '$.none']\n" EVENTS;
	expect(yaml, "1.2.3.4,m,x", ",,x");
	expect(yaml, "1.2.3.4,m,\"a \"\"b\"\",\nc\"", ",,\"a \"\"b\"\",\nc\"");
	expect(yaml, "1.2.3.4,m,\"x", NULL);
	yaml = HEAD "format: csv\ndelimiter: ';'\ncolumns: [ip, mail, x]\nredact: '$.x'\n" EVENTS;
	expect(yaml, "1.2.3.4;m,n;x", "1.2.3.4;m,n;");
}

Test(engine, redact_nothing_keeps_the_bytes)
{
	const struct bb_text absent = {NULL, 0};
	struct bb_connector *connector;
	struct bb_arena arena;
	struct bb_text got;

	expect(HEAD EVENTS, "{ not json", "{ not json");
	bb_arena_init(&arena);
	connector = compile(&arena, HEAD "redact: '$.a'\n" EVENTS);
	got = redact(connector, absent, &arena);
	cr_expect_null(got.p);
	bb_connector_free(connector);
	bb_arena_fini(&arena);
}

Test(engine, redact_leads_into_texts)
{
	const char *yaml = HEAD "redact: ['$.secret', '$.t.deep.secret', '$.l[*].mail', "
				"'$.url.token', '$.url.more[0]']\n"
				"events:\n"
				"  - {each: '$.l[*]', parse_json: '$.text', type: t, "
				"identify: {ns: email, from: '$.mail'}}\n"
				"  - {each: '$.l[*]', parse_json: '^.around', type: t, "
				"identify: {ns: email, from: '$.mail'}}\n"
				"  - {parse_query: '$.q', type: t, "
				"identify: {ns: email, from: '$.mail'}}\n";
	static const char *const rows[][2] = {
		/* a path through texts, one in the other */
		{"{\"t\":\"{\\\"deep\\\":{\\\"secret\\\":1,\\\"a\\\":2}}\"}",
		 "{\"t\":\"{\\\"deep\\\":{\\\"a\\\":2}}\"}"},
		{"{\"t\":{\"deep\":\" {\\\"secret\\\":1}\"}}", "{\"t\":{\"deep\":\"{}\"}}"},
		{"{\"l\":[\"{\\\"mail\\\":1,\\\"x\\\":[]}\"]}", "{\"l\":[\"{\\\"x\\\":[]}\"]}"},
		/* the top of a rule's text is a top */
		{"{\"l\":[{\"text\":\"{\\\"secret\\\":1,\\\"b\\\":2}\",\"secret\":3}]}",
		 "{\"l\":[{\"text\":\"{\\\"b\\\":2}\",\"secret\":3}]}"},
		{"{\"around\":\"{\\\"secret\\\":1}\"}", "{\"around\":\"{}\"}"},
		{"{\"q\":\"a=1&secret=2&b=3&%73ecret=4\"}", "{\"q\":\"a=1&b=3\"}"},
		/* queries */
		{"{\"url\":\"https://x.example/?token=1&a=%zz&more=1&b#f\"}",
		 "{\"url\":\"https://x.example/?a=%zz&b#f\"}"},
		{"{\"url\":\"https://x.example/\"}", "{\"url\":\"https://x.example/\"}"},
		/* what seems to hold something and cannot be read */
		{"{\"t\":\"{\\\"secret\\\":\",\"a\":\"{b\"}", "{\"t\":null,\"a\":\"{b\"}"},
		{"{\"url\":\"%7=1&token=2\"}", "{\"url\":null}"},
		{"{\"t\":\"just text\",\"l\":5}", "{\"t\":\"just text\",\"l\":5}"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		expect(yaml, rows[i][0], rows[i][1]);
}

Test(engine, redact_takes_parameters_out_of_a_query)
{
	const char *yaml = HEAD "format: query\nredact: ['$.ip', '$.a.b']\n" EVENTS;

	expect(yaml, "https://x.example/i?ip=1.2.3.4&mail=m&a=%7B%7D&c",
	       "https://x.example/i?mail=m&c");
	expect(yaml, "ip=1.2.3.4", "");
	expect(yaml, "mail=m&%i=1", NULL);
}

static const struct {
	const char *unwrap;
	const char *value, *want;
} envelopes[] = {
	/* what rules call $.card, at the top of each envelope */
	{"cloudevents", "{\"id\":1,\"card\":2,\"data\":{\"card\":3,\"a\":{\"iban\":4,\"b\":5}}}",
	 "{\"id\":1,\"data\":{\"a\":{\"b\":5}}}"},
	{"cloudevents", "{\"data\":\"{\\\"card\\\":3,\\\"x\\\":1}\"}",
	 "{\"data\":\"{\\\"x\\\":1}\"}"},
	{"cloudevents", "{\"id\":1,\"data_base64\":\"eyJjYXJkIjozfQ==\"}",
	 "{\"id\":1,\"data_base64\":null}"},
	{"cloudevents", "{\"datacontentencoding\":\"base64\",\"data\":\"eyJjYXJkIjozfQ==\"}",
	 "{\"datacontentencoding\":\"base64\",\"data\":null}"},
	{"cloudevents", "{\"card\":3,\"x\":1}", "{\"x\":1}"},
	{"cloudevents", "{\"data\":\"{\\\"card\\\":3\"}", "{\"data\":null}"},
	{"relay", "{\"headers\":{\"h\":1},\"body\":{\"card\":3}}",
	 "{\"headers\":{\"h\":1},\"body\":{}}"},
	{"relay", "{\"body\":\"eyJjYXJkIjozfQ\",\"isBase64Encoded\":true}",
	 "{\"body\":null,\"isBase64Encoded\":true}"},
	{"relay\nformat: query", "{\"body\":\"Y2FyZD0zJng9MQ==\",\"isBase64Encoded\":true}",
	 "{\"body\":null,\"isBase64Encoded\":true}"},
	{"relay\nformat: query", "\xef\xbb\xbf{\"body\":\"card=3&x=1\"}", NULL},
	{"relay", "{\"message\":{\"messageId\":\"1\",\"data\":\"eyJjYXJkIjozfQ==\"}}",
	 "{\"message\":{\"messageId\":\"1\",\"data\":null}}"},
	{"relay", "{\"body\":\"no base 64\"}", "{\"body\":\"no base 64\"}"},
	{"debezium", "{\"before\":{\"card\":1},\"after\":{\"card\":2,\"n\":3},\"op\":\"u\"}",
	 "{\"before\":{},\"after\":{\"n\":3},\"op\":\"u\"}"},
	{"debezium", "{\"schema\":{},\"payload\":{\"before\":{\"card\":1},\"after\":{\"card\":2}}}",
	 "{\"schema\":{},\"payload\":{\"before\":{},\"after\":{}}}"},
	{"debezium", "{\"card\":1,\"__op\":\"u\"}", "{\"__op\":\"u\"}"},
	{"debezium", "{\"after\":\"{\\\"card\\\":1,\\\"b\\\":2}\"}",
	 "{\"after\":\"{\\\"b\\\":2}\"}"},
	{"debezium",
	 "{\"after\":{\"s.t.Value\":{\"card\":{\"string\":\"1\"},\"a\":{\"s.A\":{\"iban\":"
	 "1,"
	 "\"b\":2}}}}}",
	 "{\"after\":{\"s.t.Value\":{\"a\":{\"s.A\":{\"b\":2}}}}}"},
	{"debezium", "{\"schema\":{},\"payload\":\"{\\\"card\\\":1,\\\"b\\\":2}\"}",
	 "{\"schema\":{},\"payload\":\"{\\\"b\\\":2}\"}"},
	{"debezium", "\"{\\\"card\\\":1,\\\"b\\\":2}\"", "\"{\\\"b\\\":2}\""},
	{"[cloudevents, debezium]", "{\"data\":{\"payload\":{\"after\":{\"card\":1,\"b\":2}}}}",
	 "{\"data\":{\"payload\":{\"after\":{\"b\":2}}}}"},
	{"[relay, cloudevents]", "{\"body\":\"{\\\"data\\\":{\\\"card\\\":1}}\"}",
	 "{\"body\":\"{\\\"data\\\":{}}\"}"},
	/* a text in the row that is a rule's element */
	{"debezium", "{\"after\":{\"text\":\"{\\\"card\\\":1,\\\"b\\\":2}\"}}",
	 "{\"after\":{\"text\":\"{\\\"b\\\":2}\"}}"},
	/* the frame of a registry stays */
	{"confluent_json", "{\"card\":1,\"b\":2}", "{\"b\":2}"},
	{"confluent_json", "{\"card\":1", NULL},
};

Test(engine, redact_holds_inside_of_envelopes)
{
	struct bb_arena arena;

	bb_arena_init(&arena);
	for (size_t i = 0; i < sizeof(envelopes) / sizeof(*envelopes); i++) {
		struct bb_text yaml =
			bb_arena_printf(&arena,
					HEAD "unwrap: %s\nredact: ['$.card', '$.a.iban']\n"
					     "events:\n  - {parse_json: '$.text', type: t, "
					     "identify: {ns: email, from: '$.mail'}}\n",
					envelopes[i].unwrap);

		expect(yaml.p, envelopes[i].value, envelopes[i].want);
	}
	bb_arena_fini(&arena);
}

/* Each of them may be a union, and a step of the path: as many ways through as ways to choose. */
Test(engine, redact_goes_each_way_through_unions_once)
{
	const char *yaml = HEAD "unwrap: debezium\nredact: '$.a.a.a.a.a.a.a.a.a.a.card'\n" EVENTS;
	struct bb_buf value = BB_BUF_EMPTY, want = BB_BUF_EMPTY;

	for (int i = 0; i < 60; i++) {
		bb_buf_text(&value, BB_TEXT("{\"a\":"));
		bb_buf_text(&want, BB_TEXT("{\"a\":"));
	}
	bb_buf_text(&value, BB_TEXT("{\"card\":1,\"b\":2}"));
	bb_buf_text(&want, BB_TEXT("{\"b\":2}"));
	for (int i = 0; i < 60; i++) {
		bb_buf_byte(&value, '}');
		bb_buf_byte(&want, '}');
	}
	bb_buf_byte(&value, '\0');
	bb_buf_byte(&want, '\0');
	expect(yaml, value.p, want.p);
	bb_buf_fini(&value);
	bb_buf_fini(&want);
}

Test(engine, redact_keeps_the_frame_of_a_schema_registry)
{
	static const char value[] = "\0\0\0\0\7{\"a\":1,\"b\":2}", want[] = "\0\0\0\0\7{\"b\":2}";
	struct bb_connector *connector;
	struct bb_arena arena;
	struct bb_text got;

	bb_arena_init(&arena);
	connector = compile(&arena, HEAD "unwrap: confluent_json\nredact: '$.a'\n" EVENTS);
	got = redact(connector, bb_text_bytes(value, sizeof(value) - 1), &arena);
	cr_expect(bb_text_equal(got, bb_text_bytes(want, sizeof(want) - 1)));
	bb_connector_free(connector);
	bb_arena_fini(&arena);
}

static void expect_kept(const char *yaml, struct bb_text key, const char *value, const char *want)
{
	static const struct bb_header headers[] = {
		{{"ce_subject", 10}, {"ann@example.org", 15}},
		{{"X-Topic", 7}, {"paid", 4}},
		{{"Authorization", 13}, {"Bearer s3cret", 13}},
		{{"authorization", 13}, {NULL, 0}},
	};
	struct bb_message msg = {
		.key = key, .headers = headers, .header_n = 4, .value = bb_text_of(value)};
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_connector *connector;
	struct bb_message kept;
	struct bb_arena arena;

	bb_arena_init(&arena);
	connector = compile(&arena, yaml);
	kept = bb_connector_redact(connector, &msg, &arena);
	bb_buf_printf(&buf, "%.*s", (int)kept.key.n, kept.key.p ? kept.key.p : "");
	for (size_t i = 0; i < kept.header_n; i++)
		bb_buf_printf(&buf, "|%.*s=%.*s", (int)kept.headers[i].name.n,
			      kept.headers[i].name.p, (int)kept.headers[i].value.n,
			      kept.headers[i].value.p ? kept.headers[i].value.p : "");
	bb_buf_printf(&buf, "|%.*s", (int)kept.value.n, kept.value.p ? kept.value.p : "");
	cr_expect(bb_text_equal(bb_buf_slice(&buf), bb_text_of(want)), "%s: %.*s", yaml, (int)buf.n,
		  buf.p);
	bb_buf_fini(&buf);
	bb_connector_free(connector);
	bb_arena_fini(&arena);
}

#define SUBJECT "|ce_subject=ann@example.org"
#define TOPIC "|X-Topic=paid"
#define SECRET "|Authorization=Bearer s3cret|authorization="

Test(engine, redact_takes_the_key_and_headers)
{
	static const struct {
		const char *yaml, *value, *want;
	} rows[] = {
		{"redact: '@key'\n", "{ no json", SUBJECT TOPIC SECRET "|{ no json"},
		{"redact: '@header(\"AUTHORIZATION\")'\n", "{}",
		 "k" SUBJECT TOPIC "|Authorization=|authorization=|{}"},
		{"redact: ['@key', '@header(\"x-topic\")', '$.a']\n", "{\"a\":1}",
		 SUBJECT "|X-Topic=" SECRET "|{}"},
		{"redact: ['@header(\"none\")']\n", "1", "k" SUBJECT TOPIC SECRET "|1"},
		{"format: csv\ncolumns: [mail]\nredact: ['@key', '$.mail']\n", "m",
		 SUBJECT TOPIC SECRET "|"},
		/* the attributes of a binary CloudEvent are headers */
		{"unwrap: cloudevents\nredact: '$.subject'\n", "{\"subject\":1}",
		 "k|ce_subject=" TOPIC SECRET "|{}"},
		/* a relay has the key and the headers in the value too */
		{"unwrap: relay\nredact: ['@key', '@header(\"authorization\")']\n",
		 "{\"key\":1,\"headers\":{\"AUTHORIZATION\":[\"s\"],\"a\":1},"
		 "\"body\":{\"key\":2}}",
		 SUBJECT TOPIC "|Authorization=|authorization="
			       "|{\"headers\":{\"a\":1},\"body\":{\"key\":2}}"},
		{"unwrap: [cloudevents, relay]\nredact: '@key'\n",
		 "{\"key\":1,\"data\":\"{\\\"key\\\":2,\\\"b\\\":3}\"}",
		 SUBJECT TOPIC SECRET "|{\"data\":\"{\\\"b\\\":3}\"}"},
	};
	struct bb_arena arena;

	bb_arena_init(&arena);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		expect_kept(bb_arena_printf(&arena, HEAD "%s" EVENTS, rows[i].yaml).p, BB_TEXT("k"),
			    rows[i].value, rows[i].want);
	bb_arena_fini(&arena);
}
