#include "config/loader.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <span>

#include "config/bind.hpp"
#include "config/rules.hpp"
#include "config/show.hpp"

namespace cafmcp::config {

namespace {

constexpr std::string_view prefix = "CAFMCP_";
/// Variables of that prefix which are not ours: cafmcpctl's, and those of tests.
constexpr std::array<std::string_view, 2> foreign{"CAFMCP_NODE", "CAFMCP_TOKEN"};
constexpr std::string_view foreign_prefix = "CAFMCP_TEST_";

/// The whole file, but no more than one byte above what the parser accepts.
result<std::string> read_file(const std::string& path) {
  const auto failed = [] { return fail(errc::io, fmt::format("cannot be read: {}", std::strerror(errno))); };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"), &std::fclose);
  if (!file) {
    return failed();
  }
  std::string content(max_yaml_bytes + 1, '\0');
  content.resize(std::fread(content.data(), 1, content.size(), file.get()));
  if (std::ferror(file.get()) != 0) {
    return failed();
  }
  return content;
}

/// Collects into one outcome; a source is a name and, in files, places.
class collector {
 public:
  void file(const std::string& path) {
    const auto name = log::printable(path);
    report r;
    const auto content = read_file(path);
    if (!content) {
      r.add({}, {}, content.error().message);
    } else {
      const auto parsed = parse_yaml(*content);
      if (parsed.error.empty()) {
        bind_all(out_.values, parsed.root, r);
      } else {
        r.add(parsed.error_at, {}, parsed.error);
      }
    }
    absorb(r, name);
  }

  void variable(std::string_view name, const std::string& value) {
    const auto source = fmt::format("environment variable {}", log::printable(name, 80));
    const auto rows = schema();
    const auto row = std::find_if(rows.begin(), rows.end(),
                                  [&](const auto& k) { return environment_name(k.path) == name; });
    if (row != rows.end()) {
      bind(*row, value, source);
      return;
    }
    std::vector<std::string> names;
    for (const auto& k : rows) {
      names.push_back(environment_name(k.path));
    }
    unknown(source, {}, nearest(name, names));
  }

  void from_flag(const flag& f) {
    const auto source = "flag " + log::printable(f.shown, 80);
    if (const auto* row = find_key(f.path)) {
      bind(*row, f.value, source);
    } else {
      unknown(source, log::printable(f.path, 80), nearest(f.path, known_paths()));
    }
  }

  /// What the keys must be to each other.
  void check_together() {
    for (const auto& c : check_rules(out_.values)) {
      complain_about(c.key, c.what);
    }
  }

  outcome take() { return std::move(out_); }

 private:
  void bind(const key<settings>& k, const std::string& value, const std::string& source) {
    report r;
    yaml_node node;
    node.type = yaml_node::kind::scalar;
    node.text = value;
    const bool list = k.type == kind::servers || k.type == kind::addresses || k.type == kind::urls;
    if (list && value.starts_with('[')) {  // the same as in a file
      auto parsed = parse_yaml(value);
      if (!parsed.error.empty()) {
        r.add({}, std::string(k.path), parsed.error);
      }
      node = std::move(parsed.root);
    }
    if (r.problems.empty()) {
      bind_value(k, out_.values, node, r);
    }
    for (auto& p : r.problems) {
      p.at = {};  // places within a flag help nobody
    }
    for (auto& a : r.assigned) {
      a.at = {};
    }
    absorb(r, source);
  }

  void absorb(const report& r, const std::string& source) {
    const auto at = [&](place p) {
      return p.line == 0 ? source : fmt::format("{}:{}:{}", source, p.line, p.column);
    };
    for (const auto& p : r.problems) {
      out_.errors.push_back(fmt::format("{}: {}{}{}", at(p.at), p.key, p.key.empty() ? "" : ": ", p.what));
    }
    for (const auto& a : r.assigned) {
      if (find_key(a.key) != nullptr) {  // not the parts of a server
        out_.set_by.insert_or_assign(a.key, at(a.at));
      }
    }
  }

  void unknown(const std::string& source, const std::string& path, const std::string& meant) {
    report r;
    r.add(
        {}, path,
        meant.empty() ? "is not a known key" : fmt::format("is not a known key; did you mean `{}`?", meant));
    absorb(r, source);
  }

  /// A complaint in the name of the source that set `path` or, for a section, a key in it.
  void complain_about(const std::string& path, const std::string& what) {
    auto i = out_.set_by.lower_bound(path);
    const bool set = i != out_.set_by.end() && i->first.starts_with(path);
    out_.errors.push_back(fmt::format("{}: {}: {}", set ? i->second : "default", path, what));
  }

  outcome out_;
};

/// The host's name as a label, which it nearly always is.
std::string host_name() {
  std::array<char, 256> buffer{};
  std::string name = ::gethostname(buffer.data(), buffer.size() - 1) == 0 ? buffer.data() : "";
  name.resize(std::min<std::size_t>(name.size(), 63));
  std::replace_if(
      name.begin(), name.end(),
      [](unsigned char c) { return std::isalnum(c) == 0 && c != '.' && c != '-' && c != '_'; }, '-');
  return name.empty() ? "node" : name;
}

}  // namespace

outcome load(const sources& from) {
  collector c;
  if (!from.file.empty()) {
    c.file(from.file);
  }
  for (const auto& entry : from.environment) {
    const auto equals = entry.find('=');
    const std::string_view name = std::string_view(entry).substr(0, equals);
    const bool ours = equals != std::string::npos && name.starts_with(prefix) &&
                      !name.starts_with(foreign_prefix) &&
                      std::find(foreign.begin(), foreign.end(), name) == foreign.end();
    if (ours) {
      c.variable(name, entry.substr(equals + 1));
    }
  }
  for (const auto& f : from.flags) {
    c.from_flag(f);
  }
  c.check_together();
  auto out = c.take();
  if (out.values.name.empty()) {
    out.values.name = host_name();
  }
  return out;
}

std::vector<std::string> process_environment() {
  std::vector<std::string> out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    if (std::string_view(*entry).starts_with(prefix)) {
      out.emplace_back(*entry);
    }
  }
  return out;
}

std::vector<change> diff_reload(const settings& before, const settings& after) {
  std::vector<change> out;
  for (const auto& k : schema()) {
    if (text(k, before) != text(k, after)) {
      out.push_back({k.path, k.has(reloadable), shown(k, before), shown(k, after)});
    }
  }
  return out;
}

std::vector<std::string_view> without_effect(const settings& s) {
  const settings defaults;
  std::vector<std::string_view> out;
  for (const auto& k : schema()) {
    if (k.has(pending) && text(k, s) != text(k, defaults)) {
      out.push_back(k.path);
    }
  }
  return out;
}

}  // namespace cafmcp::config
