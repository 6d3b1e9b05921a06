#define CAF_SUITE loader

#include "config/loader.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "config/show.hpp"
#include "config/yaml.hpp"

#include "tests/unit/caf_test.hpp"

namespace cafmcp::config {

namespace {

const std::string documented = CAFMCP_CONFIG_DIR "/cafmcpd.yaml";

struct fixture {
  fixture() {
    std::string pattern = "/tmp/cafmcp-config-XXXXXX";
    dir = ::mkdtemp(pattern.data());
    file = dir / "c.yaml";
  }
  ~fixture() { std::filesystem::remove_all(dir); }

  outcome from_file(std::string_view yaml) const {
    std::ofstream(file, std::ios::binary) << yaml;
    return load({file, {}, {}});
  }
  /// The errors for a file, each without the file's name.
  std::vector<std::string> errors_of(std::string_view yaml) const {
    auto errors = from_file(yaml).errors;
    for (auto& e : errors) {
      CAF_CHECK_EQUAL(e.find(file), 0U);
      e.erase(0, file.size() + 1);
    }
    return errors;
  }
  /// Whether a file has just this one error.
  bool refuses(std::string_view yaml, std::string_view error) const {
    const auto errors = errors_of(yaml);
    for (const auto& e : errors) {
      CAF_MESSAGE(e);
    }
    return errors.size() == 1 && errors[0] == error;
  }

  std::filesystem::path dir;
  std::string file;
};

std::string read(const std::string& path) {
  std::ostringstream all;
  all << std::ifstream(path).rdbuf();
  return all.str();
}

std::string only_error(const outcome& o) {
  CAF_CHECK_EQUAL(o.errors.size(), 1U);
  return o.errors.empty() ? "" : o.errors[0];
}

/// The last comment block before line `n` (from 1) of `lines`, as one text.
std::string comment_above(const std::vector<std::string>& lines, std::size_t n) {
  std::string block;
  bool within = false;
  for (std::size_t i = 0; i < n; ++i) {
    const auto begin = lines[i].find_first_not_of(' ');
    const bool comment = begin != std::string::npos && lines[i][begin] == '#';
    if (comment && !within) {
      block.clear();
    }
    if (comment) {
      block += lines[i];
    }
    within = comment;
  }
  return block;
}

}  // namespace

CAF_TEST_FIXTURE_SCOPE(loading, fixture)

CAF_TEST(nothing gives the defaults and the name of the host) {
  const auto o = load({});
  CAF_CHECK(o.ok());
  CAF_CHECK(o.set_by.empty());
  CAF_CHECK(!o.values.name.empty());
  CAF_CHECK(o.values.listen == (address{"127.0.0.1", 8080}));
  CAF_CHECK(o.values.limits.body_bytes == 4U << 20U);
  CAF_CHECK(from_file("").ok());
  CAF_CHECK(from_file("# nothing\nlimits:\n  # body_bytes: 1MiB\nservers:\n").ok());
}

CAF_TEST(the documented file has every key with its default) {
  const auto from_defaults = load({});
  const auto o = load({documented, {}, {}});
  for (const auto& e : o.errors) {
    CAF_MESSAGE(e);
  }
  CAF_REQUIRE(o.ok());
  std::vector<std::string> lines;
  std::istringstream in(read(documented));
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line);
  }
  for (const auto& k : schema()) {
    CAF_MESSAGE(k.path);
    CAF_CHECK_EQUAL(text(k, o.values), text(k, from_defaults.values));
    const auto set = o.set_by.find(k.path);
    CAF_REQUIRE(set != o.set_by.end());
    const auto line = std::stoul(set->second.substr(documented.size() + 1));
    const auto comment = comment_above(lines, line);
    CAF_CHECK_EQUAL(comment.find("[reload]") != std::string::npos, k.has(reloadable));
    CAF_CHECK_EQUAL(comment.find("[pending]") != std::string::npos, k.has(pending));
  }
}

CAF_TEST(flags win over the environment and that over the file and that over defaults) {
  std::ofstream(file) << "listen: h:1\nregion: file\nzone: file\n";
  const auto o =
      load({file,
            {"CAFMCP_LISTEN=h:2", "CAFMCP_REGION=environment", "CAFMCP_LIMITS_BODY_BYTES=8MiB", "PATH=/bin"},
            {{"listen", "h:3", "--listen"},
             {"limits.header_bytes", "8KiB", "--set limits.header_bytes"},
             {"listen", "h:4", "--listen"}}});
  CAF_REQUIRE(o.ok());
  CAF_CHECK_EQUAL(to_string(o.values.listen), "h:4");
  CAF_CHECK_EQUAL(o.values.region, "environment");
  CAF_CHECK_EQUAL(o.values.zone, "file");
  CAF_CHECK_EQUAL(o.values.limits.body_bytes, 8U << 20U);
  CAF_CHECK_EQUAL(o.values.limits.header_bytes, 8U << 10U);
  CAF_CHECK_EQUAL(o.set_by.at("listen"), "flag --listen");
  CAF_CHECK_EQUAL(o.set_by.at("region"), "environment variable CAFMCP_REGION");
  CAF_CHECK_EQUAL(o.set_by.at("zone"), file + ":3:7");
  CAF_CHECK_EQUAL(o.set_by.count("weight"), 0U);
}

CAF_TEST(every key can come from the environment) {
  for (const auto& k : schema()) {
    CAF_MESSAGE(k.path);
    const auto value = text(k, load({}).values);
    const auto o = load({"", {environment_name(k.path) + "=" + value}, {}});
    CAF_CHECK(o.ok());
    CAF_CHECK_EQUAL(text(k, o.values), value);
    CAF_CHECK_EQUAL(o.set_by.count(k.path), 1U);
  }
}

CAF_TEST(variables of others are left alone and unknown ones are errors) {
  CAF_CHECK(
      load({"", {"CAFMCP_NODE=x", "CAFMCP_TOKEN=x", "CAFMCP_TEST_ANY=x", "CAFMCPX=1", "CAFMCP_LISTEN"}, {}})
          .ok());
  CAF_CHECK_EQUAL(load({"", {"CAFMCP_DATA_DIR=/d"}, {}}).values.data_dir, "/d");
  CAF_CHECK_EQUAL(only_error(load({"", {"CAFMCP_LISEN=h:1"}, {}})),
                  "environment variable CAFMCP_LISEN: is not a known key; did you mean `CAFMCP_LISTEN`?");
  CAF_CHECK_EQUAL(only_error(load({"", {"CAFMCP_LOG_LEVEL=loud"}, {}})),
                  "environment variable CAFMCP_LOG_LEVEL: log.level: \"loud\" is not one of trace, debug, "
                  "info, warn, error, "
                  "critical");
}

CAF_TEST(errors of flags name the flag) {
  CAF_CHECK_EQUAL(only_error(load({"", {}, {{"listen", "h", "--listen"}}})),
                  "flag --listen: listen: \"h\" has no port; write HOST:PORT, for instance 127.0.0.1:8080");
  CAF_CHECK_EQUAL(
      only_error(load({"", {}, {{"limits.bodybytes", "1", "--set limits.bodybytes"}}})),
      "flag --set limits.bodybytes: limits.bodybytes: is not a known key; did you mean `limits.body_bytes`?");
  CAF_CHECK_EQUAL(only_error(load({"", {}, {{"servers", "[{name: x}]", "--set servers"}}})),
                  "flag --set servers: servers[0]: has neither command nor url; add one of them");
  CAF_CHECK_EQUAL(only_error(load({"", {}, {{"servers", "[{", "--set servers"}}}))
                      .find("flag --set servers: servers: is not"),
                  0U);
}

CAF_TEST(lists come in three ways) {
  const auto seeds = [](const outcome& o) { return text(*find_key("cluster.seeds"), o.values); };
  const auto* both = "[\"a:1\",\"[::1]:2\"]";
  CAF_CHECK_EQUAL(seeds(from_file("cluster:\n  seeds:\n    - a:1\n    - '[::1]:2'\n")), both);
  CAF_CHECK_EQUAL(seeds(from_file("cluster: {seeds: 'a:1,[::1]:2'}\n")), both);
  CAF_CHECK_EQUAL(seeds(load({"", {}, {{"cluster.seeds", "a:1,[::1]:2", "--seeds"}}})), both);
  CAF_CHECK_EQUAL(seeds(load({"", {}, {{"cluster.seeds", both, "--seeds"}}})), both);
  CAF_CHECK(refuses("cluster:\n  seeds: [a:1, b, c:0]\n  secret: x\nx: 1\n", "") == false);
  const auto errors = errors_of("cluster:\n  seeds: [a:1, b, c:0]\n");
  CAF_REQUIRE_EQUAL(errors.size(), 2U);
  CAF_CHECK_EQUAL(errors[0].find("2:16: cluster.seeds[1]: \"b\" has no port"), 0U);
  CAF_CHECK_EQUAL(errors[1],
                  "2:19: cluster.seeds[2]: \"c:0\" is out of range; it must be between 1 and 65535");
}

CAF_TEST(off and empty mean no address) {
  const auto o = from_file("admin: {listen: off}\ncluster: {listen: \"\", advertise: off}\n");
  CAF_CHECK(o.ok());
  CAF_CHECK(!o.values.admin.listen && !o.values.cluster.listen && !o.values.cluster.advertise);
  CAF_CHECK(from_file("admin: {listen: 127.0.0.1:0}\n").values.admin.listen->port == 0);
  CAF_CHECK(!from_file("listen: off\n").ok());
}

CAF_TEST(each mistake in a file is named with line and column and remedy) {
  CAF_CHECK(refuses("a: 1\nlisten: h:1\n", "1:1: a: is not a known key"));
  CAF_CHECK(refuses("zone: a\nlisen: h:1\n", "2:1: lisen: is not a known key; did you mean `listen`?"));
  CAF_CHECK(refuses("limits:\n  body: 1\n", "2:3: limits.body: is not a known key"));
  CAF_CHECK(refuses("limits:\n  body_byte: 1\n",
                    "2:3: limits.body_byte: is not a known key; did you mean `limits.body_bytes`?"));
  CAF_CHECK(
      refuses("limits: 5\n", "1:9: limits: has a single value; it must be a section with keys below it"));
  CAF_CHECK(refuses("listen: [h:1]\n", "1:9: listen: has a list; it must be HOST:PORT"));
  CAF_CHECK(refuses("weight: {a: b}\n", "1:9: weight: has a map; it must be a number between 1 and 10000"));
  CAF_CHECK(refuses("weight: many\n", "1:9: weight: \"many\" is not a whole number; write digits only"));
  CAF_CHECK(refuses("weight: 0\n", "1:9: weight: \"0\" is out of range; it must be between 1 and 10000"));
  CAF_CHECK(refuses("zone: a\nzone: b\n", "2:1: zone: stands here a second time; write it once"));
  CAF_CHECK(refuses("limits: {}\nlimits: {}\n", "2:1: limits: stands here a second time; write it once"));
  CAF_CHECK(refuses("limits: {body_bytes: 1KiB}\nlimits.body_bytes: 2KiB\n",
                    "2:1: limits.body_bytes: stands here a second time; write it once"));
  CAF_CHECK(refuses("- a\n", "1:1: has a list; it must be a map of keys, such as `listen: 127.0.0.1:8080`"));
  CAF_CHECK(refuses("name: a/b\n", "1:7: name: \"a/b\" may only have letters, digits, '.', '_' and '-'"));
  CAF_CHECK(refuses("public_url: ftp://h\n",
                    "1:13: public_url: is not a URL; it must begin with http://HOST or https://HOST"));
  CAF_CHECK(refuses("data_dir: \"a\\nb\"\n", "1:11: data_dir: contains a control character; remove it"));
  CAF_CHECK(refuses("shutdown: {timeout: 30}\n",
                    "1:21: shutdown.timeout: \"30\" is not a duration; write a whole number and its unit, "
                    "for instance 500ms, "
                    "30s, 5m or 2h"));
  CAF_CHECK_EQUAL(errors_of("listen:\n").size(), 1U);
  CAF_CHECK(errors_of("a: 1\nb: [\n")[0].find("is not valid YAML") != std::string::npos);
}

CAF_TEST(all errors of all sources are collected) {
  std::ofstream(file) << "listen: 1\nweight: x\nnonsense: 1\n";
  const auto o = load({file, {"CAFMCP_ZONE=a b", "CAFMCP_X=1"}, {{"y", "1", "--set y"}}});
  CAF_CHECK_EQUAL(o.errors.size(), 6U);
}

CAF_TEST(errors are bounded in number and length and never carry escapes) {
  std::string many;
  for (int i = 0; i < 50'000; ++i) {
    many += "k" + std::to_string(i) + ": 1\n";
  }
  const auto errors = errors_of(many);
  CAF_CHECK_EQUAL(errors.size(), 50U);
  CAF_CHECK(errors.back().find("more problems") != std::string::npos);
  std::string variables;
  for (int i = 0; i < 100; ++i) {
    variables += "\"" + std::to_string(i) + "=\": x, ";
  }
  CAF_CHECK_EQUAL(errors_of("servers: [{name: a, command: [x], env: {" + variables + "}}]\n").size(), 50U);
  for (const auto& e :
       errors_of("\"\\e[31m" + std::string(1000, 'x') + "\": 1\nzone: \"\\e[31m\"\nweight: \"\\e[31m\"\n")) {
    CAF_CHECK(e.size() < 300 && e.find('\x1b') == std::string::npos);
  }
}

CAF_TEST(secrets do not appear in errors) {
  for (const auto& e : errors_of("cluster: {secret: \"hunter2\\n\"}\npublic_url: ftp://u:hunter2@h/\n")) {
    CAF_CHECK(e.find("hunter2") == std::string::npos);
  }
}

CAF_TEST(files that cannot be read are errors) {
  CAF_CHECK_EQUAL(only_error(load({dir / "none.yaml", {}, {}})),
                  (dir / "none.yaml").string() + ": cannot be read: No such file or directory");
  CAF_CHECK(only_error(load({dir, {}, {}})).find("cannot be read") != std::string::npos);
  CAF_CHECK(only_error(from_file(std::string(max_yaml_bytes + 1, '#'))).find("larger than 1 MiB") !=
            std::string::npos);
  CAF_CHECK(only_error(load({"/dev/zero", {}, {}})).find("larger than 1 MiB") != std::string::npos);
}

CAF_TEST(servers are read whole) {
  const auto o = from_file(
      "servers:\n"
      "  - name: files\n"
      "    command: [npx, -y, \"@scope/pkg\", /srv/docs]   # stdio\n"
      "    scope: session\n"
      "    instances: 3\n"
      "    env: {KEY: value}\n"
      "    restart: {intensity: 2, period: 10s}\n"
      "  - name: search\n"
      "    url: https://tools.example/mcp\n");
  CAF_REQUIRE(o.ok());
  CAF_REQUIRE_EQUAL(o.values.servers.size(), 2U);
  CAF_CHECK_EQUAL(o.set_by.size(), 1U);  // the key, not its parts
  const auto& files = o.values.servers[0];
  CAF_CHECK_EQUAL(files.name, "files");
  CAF_CHECK(files.command == (std::vector<std::string>{"npx", "-y", "@scope/pkg", "/srv/docs"}));
  CAF_CHECK(files.scope == server::scope_type::session);
  CAF_CHECK_EQUAL(files.instances, 3U);
  CAF_CHECK_EQUAL(files.env.at("KEY"), "value");
  CAF_CHECK_EQUAL(files.restart.intensity, 2U);
  CAF_CHECK_EQUAL(files.restart.period.count(), 10'000);
  const auto& search = o.values.servers[1];
  CAF_CHECK_EQUAL(search.url, "https://tools.example/mcp");
  CAF_CHECK(search.scope == server::scope_type::shared);
  CAF_CHECK_EQUAL(search.restart.period.count(), 60'000);
  const auto json = text(*find_key("servers"), o.values);
  CAF_CHECK_EQUAL(text(*find_key("servers"), load({"", {}, {{"servers", json, "--set servers"}}}).values),
                  json);
}

CAF_TEST(mistakes in servers are found) {
  const auto one = [&](std::string_view entry, std::string_view error) {
    return refuses("servers:\n  - " + std::string(entry) + "\n", error);
  };
  CAF_CHECK(one("{name: a}", "2:5: servers[0]: has neither command nor url; add one of them"));
  CAF_CHECK(one("{name: a, url: http://h, command: [x]}",
                "2:5: servers[0]: has both command and url; remove one of them"));
  CAF_CHECK(one("{url: http://h}", "2:5: servers[0]: has no name; add `name: …`"));
  CAF_CHECK(
      one("{name: '', url: http://h}", "2:12: servers[0].name: has 0 bytes; it must have between 1 and 63"));
  CAF_CHECK(one("{name: a, url: http://h, env: {A: b}}",
                "2:5: servers[0]: has env, which needs a command; remove it"));
  CAF_CHECK(
      one("{name: a, comand: [x]}", "2:15: servers[0].comand: is not a known key; did you mean `command`?"));
  CAF_CHECK(one("{name: a, command: x y}",
                "2:24: servers[0].command: has a single value; it must be a list of texts"));
  CAF_CHECK(
      one("{name: a, command: [x, [y]]}", "2:28: servers[0].command[1]: has a list; it must be a text"));
  CAF_CHECK(one("{name: a, command: [x], env: {A: b, A: c}}",
                "2:41: servers[0].env.A: stands here a second time; write it once"));
  CAF_CHECK(
      one("{name: a, command: [x], env: {A=B: c}}", "2:35: servers[0].env.A=B: is no name for a variable"));
  CAF_CHECK(one("{name: a, command: [x], env: A}",
                "2:34: servers[0].env: has a single value; it must be a map of texts"));
  CAF_CHECK(one("{name: a, command: [x], restart: {period: 5}}",
                "2:47: servers[0].restart.period: \"5\" is not a duration; write a whole number and its "
                "unit, for instance "
                "500ms, 30s, 5m or 2h"));
  CAF_CHECK(one("{name: a, command: [x], scope: all}",
                "2:36: servers[0].scope: \"all\" is not one of shared, session"));
  CAF_CHECK(one("{name: a, command: [x]}\n  - {name: a, command: [y]}",
                "3:5: servers[1]: has the name \"a\", which another server has"));
  CAF_CHECK(one("a", "2:5: servers[0]: has a single value; it must be a map with name and command or url"));
  CAF_CHECK(refuses("servers: {a: b}\n", "1:10: servers: has a map; it must be a list of servers"));
}

CAF_TEST(rules across keys are errors at the key to look at) {
  CAF_CHECK(from_file("cluster: {listen: 127.0.0.1:7000}\n").ok());
  CAF_CHECK(refuses("cluster: {tls: {ca: a, key: c}}\n",
                    "1:21: cluster.tls: is incomplete; give ca, cert and key, or none of them"));
  const auto beyond = errors_of("cluster:\n  listen: 10.0.0.1:7000\n");
  CAF_REQUIRE_EQUAL(beyond.size(), 1U);
  CAF_CHECK_EQUAL(beyond[0].find("2:11: cluster.listen: 10.0.0.1:7000 can be reached from other machines"),
                  0U);
  CAF_CHECK_EQUAL(only_error(load({"", {}, {{"cluster.listen", "h:1", "--cluster-listen"}}}))
                      .find("flag --cluster-listen: cluster.listen: h:1 can be reached"),
                  0U);
  CAF_CHECK_EQUAL(only_error(load({"", {"CAFMCP_CLUSTER_SEEDS=127.0.0.1:7"}, {}}))
                      .find("environment variable CAFMCP_CLUSTER_SEEDS: cluster.seeds: needs cluster.listen"),
                  0U);
  CAF_CHECK_EQUAL(
      errors_of("cluster: {listen: 10.0.0.1:1, tls: {ca: a}}\nlimits: {outbound_bytes: 1GiB}\n").size(), 2U);
}

CAF_TEST(a reload tells what changes and whether it can) {
  const auto before = load({}).values;
  auto after = before;
  CAF_CHECK(diff_reload(before, after).empty());
  after.log.level = log::level::debug;
  after.listen.port = 9;
  after.cluster.secret = "hunter2";
  after.servers.emplace_back().name = "x";
  const auto changes = diff_reload(before, after);
  CAF_REQUIRE_EQUAL(changes.size(), 4U);
  CAF_CHECK_EQUAL(changes[0].path, "listen");
  CAF_CHECK_EQUAL(changes[0].reloadable, false);
  CAF_CHECK_EQUAL(changes[0].before, "127.0.0.1:8080");
  CAF_CHECK_EQUAL(changes[0].after, "127.0.0.1:9");
  CAF_CHECK_EQUAL(changes[1].after, "***");
  CAF_CHECK_EQUAL(changes[2].path, "servers");
  CAF_CHECK_EQUAL(changes[3].path, "log.level");
  CAF_CHECK_EQUAL(changes[3].reloadable, true);
}

CAF_TEST(keys that do nothing yet are named when they differ) {
  CAF_CHECK(without_effect(load({documented, {}, {}}).values).empty());
  auto s = load({}).values;
  s.builtin.conformance = true;
  s.limits.connections = 7;
  CAF_CHECK(without_effect(s) == std::vector<std::string_view>{"builtin.conformance"});
}

CAF_TEST(the environment of this process has only our variables) {
  ::setenv("CAFMCP_TEST_LOADER", "1", 1);
  const auto e = process_environment();
  CAF_CHECK(std::find(e.begin(), e.end(), "CAFMCP_TEST_LOADER=1") != e.end());
  CAF_CHECK(std::all_of(e.begin(), e.end(), [](const auto& v) { return v.rfind("CAFMCP_", 0) == 0; }));
}

CAF_TEST(mutated files never crash or throw) {
  std::string original = "servers:\n  - {name: a, command: [x], env: {K: v}, restart: {period: 5s}}\n";
  std::istringstream in(read(documented));
  for (std::string line; std::getline(in, line);) {
    if (line.find('#') == std::string::npos && line != "servers: []") {
      original += line + '\n';
    }
  }
  constexpr std::string_view alphabet =
      "\n\n  :-[]{}\"'#&*!|>%@`~?,\\\t\x00\xff\xc3\x1b"
      "a0";
  std::mt19937 random(20261123);
  const auto below = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  std::size_t accepted = 0;
  for (int round = 0; round < 2500; ++round) {
    auto s = original;
    for (auto edits = below(6); edits > 0 && !s.empty(); --edits) {
      const auto at = below(s.size());
      switch (below(4)) {
        case 0:
          s[at] = static_cast<char>(below(256));
          break;
        case 1:
          s.insert(at, 1, alphabet[below(alphabet.size())]);
          break;
        case 2:
          s.erase(at, 1 + below(20));
          break;
        default:
          s.insert(at, s.substr(below(s.size()), below(40)));
      }
    }
    const auto o = from_file(s);
    accepted += o.ok() ? 1 : 0;
    for (const auto& e : o.errors) {
      CAF_REQUIRE(e.find('\n') == std::string::npos && e.size() < 600);
    }
    static_cast<void>(load({"", {"CAFMCP_SERVERS=" + s}, {{"cluster.seeds", s, "--seeds"}}}));
  }
  CAF_CHECK(accepted > 400);  // else the mutations would only reach the parser
}

CAF_TEST_FIXTURE_SCOPE_END()

}  // namespace cafmcp::config
