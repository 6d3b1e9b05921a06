#define CAF_SUITE schema

#include "config/schema.hpp"

#include <set>

#include "config/bind.hpp"
#include "config/scalar.hpp"
#include "config/show.hpp"

#include "tests/unit/caf_test.hpp"

namespace cafmcp::config {

namespace {

template <class T>
bool is(const slot& s) {
  return std::holds_alternative<T*>(s);
}

/// Whether a row's kind can be written to the member that it is bound to.
bool kind_fits(kind type, const slot& s) {
  switch (type) {
    case kind::text:
    case kind::label:
    case kind::url:
      return is<std::string>(s);
    case kind::boolean:
      return is<bool>(s);
    case kind::count:
    case kind::size:
      return is<std::uint64_t>(s);
    case kind::duration:
      return is<milliseconds>(s);
    case kind::address:
      return is<address>(s) || is<std::optional<address>>(s);
    case kind::addresses:
      return is<std::vector<address>>(s);
    case kind::choice:
      return !choices(s).empty();
    case kind::words:
    case kind::urls:
      return is<std::vector<std::string>>(s);
    case kind::map:
      return is<std::map<std::string, std::string>>(s);
    case kind::servers:
      break;
  }
  return is<std::vector<server>>(s);
}

template <class T>
void check_table(std::span<const key<T>> rows) {
  T object;
  std::set<std::string_view> paths;
  std::set<std::string> variables;
  std::set<void*> members;
  for (const auto& k : rows) {
    CAF_MESSAGE(k.path);
    const auto s = k.at(object);
    CAF_CHECK(paths.insert(k.path).second);
    CAF_CHECK(variables.insert(environment_name(k.path)).second);
    CAF_CHECK(members.insert(std::visit([](auto* p) -> void* { return p; }, s)).second);
    CAF_CHECK(kind_fits(k.type, s));
    CAF_CHECK(!k.about.empty() && k.about.find('\n') == std::string_view::npos);
    CAF_CHECK(!(k.has(reloadable) && k.has(pending)));
  }
}

}  // namespace

CAF_TEST(rows are unique and bound to members of their kind) {
  check_table(schema());
  check_table(server_schema());
}

CAF_TEST(every default is a value that its row accepts and reads back) {
  const settings defaults;
  for (const auto& k : schema()) {
    CAF_MESSAGE(k.path);
    settings other;
    const auto value = text(k, defaults);
    const auto s = k.at(other);
    if (k.type == kind::addresses || k.type == kind::urls || k.type == kind::servers) {
      CAF_CHECK_EQUAL(value, "[]");
      continue;
    }
    CAF_CHECK_EQUAL(write_scalar(k.type, k.bounds, s, value), "");
    CAF_CHECK_EQUAL(text(k, other), value);
  }
}

CAF_TEST(all keys of the interface are there) {
  for (const auto* path : {"listen",
                           "public_url",
                           "admin.listen",
                           "data_dir",
                           "cluster.listen",
                           "cluster.advertise",
                           "cluster.bootstrap_expect",
                           "cluster.seeds",
                           "cluster.secret",
                           "cluster.insecure",
                           "cluster.tls.ca",
                           "cluster.tls.cert",
                           "cluster.tls.key",
                           "region",
                           "zone",
                           "weight",
                           "session.ttl",
                           "session.idle",
                           "durability.critical",
                           "builtin.demo",
                           "builtin.conformance",
                           "builtin.admin",
                           "servers",
                           "runtime.threads",
                           "log.level",
                           "log.format",
                           "log.file",
                           "shutdown.timeout",
                           "limits.connections"}) {
    CAF_CHECK(find_key(path) != nullptr);
  }
  CAF_CHECK(find_key("cluster") == nullptr);
  CAF_CHECK(find_key("listen")->has(reloadable) == false);
  CAF_CHECK(find_key("log.level")->has(reloadable));
  CAF_CHECK(find_key("cluster.secret")->has(secret));
}

CAF_TEST(the enumerators and their words agree) {
  settings s;
  const auto set = [&](const char* path, const char* word) {
    const auto* k = find_key(path);
    CAF_CHECK_EQUAL(write_scalar(k->type, k->bounds, k->at(s), word), "");
    CAF_CHECK_EQUAL(text(*k, s), word);
  };
  set("log.level", "critical");
  CAF_CHECK(s.log.level == log::level::critical);
  set("log.level", "trace");
  CAF_CHECK(s.log.level == log::level::trace);
  set("log.format", "json");
  CAF_CHECK(s.log.format == log::format::json);
  set("durability.critical", "replica+disk");
  CAF_CHECK(s.durability.critical == durability::replica_and_disk);
  set("durability.critical", "memory");
  CAF_CHECK(s.durability.critical == durability::memory);
}

CAF_TEST(bounds are checked at both ends and named) {
  for (const auto& k : schema()) {
    settings s;
    const auto at = k.at(s);
    const auto write = [&](const std::string& v) { return write_scalar(k.type, k.bounds, at, v); };
    const auto unit = k.type == kind::duration ? "ms" : "";
    if (k.type != kind::count && k.type != kind::size && k.type != kind::duration) {
      continue;
    }
    CAF_MESSAGE(k.path);
    CAF_CHECK_EQUAL(write(std::to_string(k.bounds.min) + unit), "");
    CAF_CHECK_EQUAL(write(std::to_string(k.bounds.max) + unit), "");
    const auto kept = text(k, s);
    CAF_CHECK(write(std::to_string(k.bounds.max + 1) + unit).find("out of range") != std::string::npos);
    if (k.bounds.min > 0) {
      CAF_CHECK(write(std::to_string(k.bounds.min - 1) + unit).find("out of range") != std::string::npos);
    }
    CAF_CHECK_EQUAL(text(k, s), kept);
  }
  settings s;
  const auto* k = find_key("limits.body_bytes");
  CAF_CHECK_EQUAL(write_scalar(k->type, k->bounds, k->at(s), "2GiB"),
                  "\"2GiB\" is out of range; it must be between 1KiB and 1GiB");
}

CAF_TEST(nearest finds slips and missing sections but nothing far) {
  const auto known = known_paths();
  CAF_CHECK_EQUAL(nearest("lisen", known), "listen");
  CAF_CHECK_EQUAL(nearest("limit", known), "limits");
  CAF_CHECK_EQUAL(nearest("limits.bodybytes", known), "limits.body_bytes");
  CAF_CHECK_EQUAL(nearest("body_bytes", known), "limits.body_bytes");
  CAF_CHECK_EQUAL(nearest("tls.ca", known), "cluster.tls.ca");
  CAF_CHECK_EQUAL(nearest("colour", known), "");
  CAF_CHECK_EQUAL(nearest("", known), "");
  CAF_CHECK_EQUAL(nearest(std::string(100'000, 'x'), known), "");
}

CAF_TEST(help has every key with its default) {
  const auto help = describe_keys();
  for (const auto& k : schema()) {
    CAF_CHECK(help.find("  " + std::string(k.path) + ": ") != std::string::npos);
    CAF_CHECK(help.find(k.about) != std::string::npos);
  }
  CAF_CHECK(help.find("limits.body_bytes: a size between 1KiB and 1GiB; default 4MiB; reloadable\n") !=
            std::string::npos);
  CAF_CHECK(help.find("log.format: one of text, json; default text") != std::string::npos);
}

CAF_TEST(secrets are not shown) {
  settings s;
  s.cluster.secret = "hunter2";
  server one;
  one.name = "files";
  one.command = {"npx", "-y"};
  one.env["TOKEN"] = "hunter3";
  s.servers.push_back(one);
  CAF_CHECK_EQUAL(shown(*find_key("cluster.secret"), s), "***");
  CAF_CHECK_EQUAL(text(*find_key("cluster.secret"), s), "hunter2");
  const auto servers = shown(*find_key("servers"), s);
  CAF_CHECK(servers.find("hunter3") == std::string::npos);
  CAF_CHECK(servers.find("\"TOKEN\":\"***\"") != std::string::npos);
  CAF_CHECK(servers.find("\"command\":[\"npx\",\"-y\"]") != std::string::npos);
  CAF_CHECK(text(*find_key("servers"), s).find("hunter3") != std::string::npos);
  CAF_CHECK_EQUAL(shown(*find_key("cluster.secret"), settings{}), "");
}

}  // namespace cafmcp::config
