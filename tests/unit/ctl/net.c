/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs that ask a daemon: against a child process that gives one answer a connection. */
#include "net.h"
#include "ctl.h"
#include "run.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t child;

/* Reads something, sends the answer, closes; for every connection, in order. */
static void serve(int listener, const char *const *answers)
{
	char request[4096];

	for (size_t i = 0; answers[i]; i++) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0 || recv(fd, request, sizeof(request), 0) <= 0)
			_exit(1);
		for (const char *p = answers[i]; *p;) {
			ssize_t n = send(fd, p, strlen(p) > 7 ? 7 : strlen(p), MSG_NOSIGNAL);

			if (n <= 0)
				_exit(1);
			p += n;
		}
		close(fd);
	}
	_exit(0);
}

static void serve_on(const char *name, const char *const *answers)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", run_path(name));
	unlink(addr.sun_path);
	cr_assert_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	cr_assert_eq(listen(fd, 5), 0);
	child = fork();
	cr_assert_geq(child, 0);
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(fd, answers);
	}
	close(fd);
}

static void served(void)
{
	int status;

	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static const char *text_of(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static const char *text_of(const char *fmt, ...)
{
	static char texts[8][2048];
	static unsigned next;
	char *text = texts[next++ % 8];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(texts[0]), fmt, args);
	va_end(args);
	return text;
}

static const char *http(const char *status, const char *body)
{
	return text_of(
		"HTTP/1.1 %s\r\nContent-Type: application/json\r\ncontent-length: %zu\r\n\r\n%s",
		status, strlen(body), body);
}

static const char *bulk(const char *body)
{
	return text_of("$%zu\r\n%s\r\n", strlen(body), body);
}

RUN_TEST(get_prints_a_view)
{
	const char *answers[] = {
		bulk("{\"profile\":\"p7\",\"identifiers\":[{\"ns\":\"user\",\"value\":\"a\","
		     "\"events\":3,"
		     "\"shared\":true}],\"attributes\":{\"city\":\"Lyon\",\"n\":1.50},"
		     "\"revenue\":{\"EUR\":{\"amount\":\"12.5\",\"count\":3}}}"),
		bulk("{\"profile\":\"p7\"}"), NULL};

	serve_on("query.sock", answers);
	cr_assert_eq(run_with_config("get", "user:a", NULL), 0, "%s", run_err);
	cr_assert_str_eq(run_out,
			 "profile            p7\n"
			 "identifiers  user  a  (3 events, shared)\n"
			 "attributes   city  Lyon\n"
			 "             n     1.50\n"
			 "revenue      EUR   amount: 12.5, count: 3\n",
			 "%s", run_out);
	cr_assert_eq(run_with_config("--json", "get", "--fields", "profile", "user:a", NULL), 0);
	cr_assert_str_eq(run_out, "{\"profile\":\"p7\"}\n");
	served();
}

RUN_TEST(get_says_no_and_what_is_wrong)
{
	static const char *const answers[] = {"$-1\r\n", "-ERR not a key\r\n", "+?", "hello\r\n",
					      "",	 "$5\r\nab",	       NULL};
	static const int codes[] = {BB_CTL_NO, BB_CTL_REFUSED,	   BB_CTL_UNREACHABLE,
				    BB_CTL_NO, BB_CTL_UNREACHABLE, BB_CTL_UNREACHABLE};

	serve_on("query.sock", answers);
	for (size_t i = 0; answers[i]; i++)
		cr_assert_eq(run_with_config("get", "user:a", NULL), codes[i], "%zu: %s", i,
			     run_err);
	served();
}

RUN_TEST(status_prints_tables_and_says_not_ready)
{
	const char *answers[] = {
		http("200 OK",
		     "{\"version\":\"1\",\"ready\":true,\"reasons\":[],\"state\":\"running\","
		     "\"uptime_seconds\":3700,\"profiles\":7,\"identifiers\":9,\"dead_letters\":1,"
		     "\"store\":{\"used_bytes\":1048576},\"clients\":{\"connected\":2},"
		     "\"partitions\":[{\"topic\":\"shop\",\"partition\":0,\"next_offset\":5,"
		     "\"lag\":null,"
		     "\"applied\":4,\"dead_letter\":1,\"holes\":0}],"
		     "\"connectors\":[{\"name\":\"till\",\"channel\":\"pos\",\"applied\":4}]}"),
		http("200 OK",
		     "{\"ready\":false,\"reasons\":[{\"code\":\"log_gap\",\"detail\":\"shop/0 is "
		     "cut\"}]}"),
		http("403 Forbidden", "{}"),
		text_of("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}"),
		http("200 OK", "{]"),
		"hello",
		NULL};

	serve_on("admin.sock", answers);
	cr_assert_eq(run_with_config("status", NULL), 0, "%s", run_err);
	cr_assert(strstr(run_out, "ready, running, up 1 h 1 min, version 1\n"), "%s", run_out);
	cr_assert(strstr(run_out, "7 profiles, 9 identifiers, 1 dead letters\n"));
	cr_assert(strstr(run_out, "shop           0     5    ?        4"), "%s", run_out);
	cr_assert(strstr(run_out, "till       pos            4"), "%s", run_out);
	cr_assert_eq(run_with_config("status", NULL), BB_CTL_NO);
	cr_assert(strstr(run_out, "NOT READY"), "%s", run_out);
	cr_assert(strstr(run_out, "  log_gap: shop/0 is cut\n"), "%s", run_out);
	cr_assert_eq(run_with_config("status", NULL), BB_CTL_REFUSED);
	cr_assert_eq(run_with_config("status", NULL), BB_CTL_NO, "cut off");
	cr_assert_eq(run_with_config("status", NULL), BB_CTL_UNREACHABLE);
	cr_assert_eq(run_with_config("status", NULL), BB_CTL_NO, "no HTTP");
	served();
}

RUN_TEST(dead_letters_are_fetched_page_by_page)
{
	static const char *pages[3];

	pages[0] = http("200 OK", "{\"dead_letters\":[{\"number\":1},{\"number\":2}],\"next\":3}");
	pages[1] = http("200 OK", "{\"dead_letters\":[{\"number\":3}],\"next\":null}");
	serve_on("admin.sock", pages);
	cr_assert_eq(run_with_config("dead-letters", "--json", NULL), 0, "%s", run_err);
	cr_assert_str_eq(run_out, "{\"number\":1}\n{\"number\":2}\n{\"number\":3}\n");
	served();
}

RUN_TEST(digest_of_a_daemon)
{
	static const char *const answers[] = {
		"*4\r\n$6\r\ndigest\r\n$4\r\nabcd\r\n$8\r\nprofiles\r\n:3\r\n", "-ERR store: x\r\n",
		"+OK\r\n", NULL};

	serve_on("query.sock", answers);
	cr_assert_eq(run_with_config("digest", NULL), 0, "%s", run_err);
	cr_assert_str_eq(run_out, "abcd  3 profiles\n");
	cr_assert_eq(run_with_config("digest", NULL), BB_CTL_REFUSED);
	cr_assert_eq(run_with_config("digest", NULL), BB_CTL_UNREACHABLE);
	served();
}

RUN_TEST(a_wrong_configuration_still_names_the_sockets)
{
	static const char *const sockets = "serve: {query: {path: query.sock}}\n";
	static const char *const wrong[] = {"profile_key: ${credential:absent}\n",
					    "store: {path: '${NO_SUCH_FOLDER}/s'}\n", "storee: 1\n",
					    "store: {path: store}\nconnectors: [absent.yaml]\n"};
	const char *answers[] = {bulk("{\"profile\":\"p7\"}"), bulk("{\"profile\":\"p7\"}"),
				 bulk("{\"profile\":\"p7\"}"), bulk("{\"profile\":\"p7\"}"), NULL};
	const char *path;

	serve_on("query.sock", answers);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		path = run_file("w.yaml", text_of("%s%s", wrong[i], sockets));
		cr_assert_eq(run("--config", path, "--json", "get", "user:a", NULL), 0, "%zu: %s",
			     i, run_err);
		cr_assert_str_eq(run_out, "{\"profile\":\"p7\"}\n");
		cr_assert(strstr(run_err, "get: warning: ") && strstr(run_err, "w.yaml"), "%s",
			  run_err);
		cr_assert_eq(strchr(run_err, '\n')[1], '\0', "one line: %s", run_err);
	}
	served();
	(void)run("--config", run_file("w.yaml", "a: [\n"), "status", NULL);
	cr_assert(strstr(run_err, "going on with the socket " BB_CTL_ADMIN_DEFAULT), "%s", run_err);
	path = run_file("w.yaml", "serve: {query: {path: '${NO_SUCH_FOLDER}/q'}}\n");
	cr_assert_eq(run("--config", path, "get", "user:a", NULL), BB_CTL_USAGE);
	cr_assert(strstr(run_err, "serve.query.path"), "%s", run_err);
	path = run_file("w.yaml", "storee: 1\nserve: {admin: {path: none}}\n");
	cr_assert_eq(run("--config", path, "status", NULL), BB_CTL_USAGE);
}

RUN_TEST(nobody_there_is_not_reachable)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	cr_assert_eq(run_with_config("status", NULL), BB_CTL_UNREACHABLE);
	cr_assert(strstr(run_err, "admin.sock") && strstr(run_err, "running"), "%s", run_err);
	cr_assert_eq(run_with_config("get", "user:a", NULL), BB_CTL_UNREACHABLE);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", run_path("query.sock"));
	cr_assert_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	cr_assert_eq(run_with_config("get", "user:a", NULL), BB_CTL_UNREACHABLE);
	close(fd);
	cr_assert_eq(run("--query-socket", run_path("other.sock"), "get", "user:a", NULL),
		     BB_CTL_UNREACHABLE);
	cr_assert(strstr(run_err, "other.sock"), "%s", run_err);
}

RUN_TEST(no_permission_is_refused)
{
	struct bb_error err = {0};
	int fd;

	if (geteuid() == 0) { /* root is let in everywhere: become somebody else */
		cr_assert_eq(chmod(run_folder, 0), 0);
		cr_assert_eq(setresuid(65534, 65534, 0), 0);
	} else {
		cr_assert_eq(chmod(run_folder, 0), 0);
	}
	cr_assert_eq(bb_net_connect(run_path("query.sock"), &fd, &err), BB_EACCESS, "%s", err.msg);
	cr_assert_eq(bb_ctl_exit_of(BB_EACCESS), BB_CTL_REFUSED);
	if (getuid() == 65534)
		cr_assert_eq(setresuid(0, 0, 0), 0);
	cr_assert_eq(chmod(run_folder, 0700), 0);
}

/* produce */

static size_t consume(const char *brokers, const char *topic, size_t wanted, char *ret_text,
		      size_t room)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_topic_partition_list_t *parts = rd_kafka_topic_partition_list_new(4);
	char why[256];
	rd_kafka_t *kafka;
	size_t n = 0, at = 0;

	rd_kafka_conf_set(conf, "bootstrap.servers", brokers, NULL, 0);
	rd_kafka_conf_set(conf, "group.id", "test", NULL, 0);
	kafka = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
	cr_assert(kafka, "%s", why);
	for (int32_t p = 0; p < 4; p++)
		rd_kafka_topic_partition_list_add(parts, topic, p)->offset = 0;
	rd_kafka_assign(kafka, parts);
	rd_kafka_topic_partition_list_destroy(parts);
	for (int i = 0; i < 200 && n < wanted; i++) {
		rd_kafka_message_t *msg = rd_kafka_consumer_poll(kafka, 100);
		rd_kafka_headers_t *headers = NULL;

		if (msg && !msg->err) {
			rd_kafka_message_headers(msg, &headers);
			at += (size_t)snprintf(ret_text + at, room - at, "[%.*s|%.*s|%zu]",
					       (int)msg->key_len, (const char *)msg->key,
					       (int)msg->len, (const char *)msg->payload,
					       headers ? rd_kafka_header_cnt(headers) : 0);
			n++;
		}
		if (msg)
			rd_kafka_message_destroy(msg);
	}
	rd_kafka_destroy(kafka);
	return n;
}

RUN_TEST(produce_delivers_with_keys_and_headers)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[256], got[1024] = "", brokers[256];
	rd_kafka_mock_cluster_t *cluster;
	rd_kafka_t *owner;

	rd_kafka_conf_set(conf, "client.id", "mock", NULL, 0);
	owner = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	cluster = rd_kafka_mock_cluster_new(owner, 1);
	snprintf(brokers, sizeof(brokers), "%s", rd_kafka_mock_cluster_bootstraps(cluster));
	cr_assert_eq(run("produce", "--brokers", brokers, "shop",
			 run_file("m", "{\"headers\":{\"a\":\"1\",\"b\":null},\"key\":\"k\","
				       "\"value\":{\"x\": 1}}\n"),
			 NULL),
		     0, "%s", run_err);
	cr_assert_str_eq(run_out, "1 of 1 messages delivered to shop\n");
	cr_assert_eq(consume(brokers, "shop", 1, got, sizeof(got)), 1);
	cr_assert_str_eq(got, "[k|{\"x\":1}|2]");
	cr_assert_eq(run("produce", "--json", "--brokers", brokers, "--key-field", "user.id", "web",
			 run_file("m", "{\"user\":{\"id\":77}}\n{\"user\":{\"id\":77}}\n"), NULL),
		     0, "%s", run_err);
	cr_assert_str_eq(run_out, "{\"sent\":2,\"delivered\":2,\"failed\":0}\n");
	cr_assert_eq(consume(brokers, "web", 2, got, sizeof(got)), 2);
	cr_assert_str_eq(got, "[77|{\"user\":{\"id\":77}}|0][77|{\"user\":{\"id\":77}}|0]");
	cr_assert_eq(run("produce", "--brokers", brokers, "--key-field", "user.id", "web",
			 run_file("m", "{\"user\":7}\n"), NULL),
		     BB_CTL_USAGE);
	cr_assert(strstr(run_err, ":1: no text or number at --key-field user.id"), "%s", run_err);
	cr_assert_eq(run("produce", "--brokers", brokers, "--raw", "raw",
			 run_file("m", "{\"key\":1,\"value\":2}\n"), NULL),
		     0);
	cr_assert_eq(consume(brokers, "raw", 1, got, sizeof(got)), 1);
	cr_assert_str_eq(got, "[|{\"key\":1,\"value\":2}|0]");
	rd_kafka_mock_cluster_destroy(cluster);
	rd_kafka_destroy(owner);
}

RUN_TEST(produce_needs_brokers_and_files)
{
	cr_assert_eq(run_with_config("produce", "t", run_file("m", "x\n"), NULL), BB_CTL_USAGE);
	cr_assert(strstr(run_err, "no brokers"), "%s", run_err);
	cr_assert_eq(run("produce", "--brokers", "127.0.0.1:9", "t", run_path("none"), NULL),
		     BB_CTL_USAGE);
	cr_assert(strstr(run_err, "none"), "%s", run_err);
}
