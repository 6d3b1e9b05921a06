#include "config/bind.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/scalar.hpp"

namespace cafmcp::config {

namespace {

using node_kind = yaml_node::kind;

constexpr std::size_t max_elements = 1000;
constexpr range element_bytes{0, 4096};

const char* name_of(node_kind k) {
  switch (k) {
    case node_kind::null:
      return "no value";
    case node_kind::scalar:
      return "a single value";
    case node_kind::list:
      return "a list";
    case node_kind::map:
      break;
  }
  return "a map";
}

std::string instead_of(const yaml_node& n, std::string_view expected) {
  return fmt::format("has {}; it must be {}", name_of(n.type), expected);
}

/// Where in the source we are: the path so far, and where to report.
struct context {
  std::string path;
  report& r;

  void complain(place at, const std::string& what) const { r.add(at, path, what); }
  context below(std::string_view step) const {
    return {
        path.empty() || step.starts_with('[') ? path + std::string(step) : fmt::format("{}.{}", path, step),
        r};
  }
};

template <class T>
std::vector<std::string> paths_and_sections(std::span<const key<T>> rows) {
  std::vector<std::string> out;
  for (const auto& k : rows) {
    for (auto dot = k.path.find('.'); dot != std::string_view::npos; dot = k.path.find('.', dot + 1)) {
      const auto section = k.path.substr(0, dot);
      if (std::find(out.begin(), out.end(), section) == out.end()) {
        out.emplace_back(section);
      }
    }
    out.emplace_back(k.path);
  }
  return out;
}

/// Puts a map into the members of `object`; keys that are sections are followed down.
template <class T>
class map_binder {
 public:
  map_binder(std::span<const key<T>> rows, T& object)
      : rows_(rows), object_(object), known_(paths_and_sections(rows)) {}

  void bind(const yaml_node& map, const std::string& section, const context& c) {
    for (const auto& [k, value] : map.entries) {
      if (c.r.full()) {
        return;
      }
      const auto path = section.empty() ? k.text : section + '.' + k.text;
      bind_entry(k.at, path, value, c.below(log::printable(k.text, 80)));
    }
  }

 private:
  void bind_entry(place at, const std::string& path, const yaml_node& value, const context& c);

  std::span<const key<T>> rows_;
  T& object_;
  std::vector<std::string> known_;
  std::set<std::string> seen_;
};

template <class T>
void assign(const key<T>& k, T& object, const yaml_node& value, const context& c);

template <class T>
void map_binder<T>::bind_entry(place at, const std::string& path, const yaml_node& value, const context& c) {
  if (std::find(known_.begin(), known_.end(), path) == known_.end()) {
    const auto meant = nearest(path, known_);
    c.complain(at, meant.empty() ? "is not a known key"
                                 : fmt::format("is not a known key; did you mean `{}`?", meant));
    return;
  }
  if (!seen_.insert(path).second) {
    c.complain(at, "stands here a second time; write it once");
    return;
  }
  const auto row = std::find_if(rows_.begin(), rows_.end(), [&](const auto& k) { return k.path == path; });
  if (row != rows_.end()) {
    assign(*row, object_, value, c);
  } else if (value.type == node_kind::map) {
    bind(value, path, c);
  } else if (value.type != node_kind::null) {  // a section whose keys are all comments
    c.complain(value.at, instead_of(value, "a section with keys below it"));
  }
}

/// The elements of a list, or of `a,b` in one scalar.
std::vector<yaml_node> elements(const yaml_node& value) {
  if (value.type != node_kind::scalar) {
    return value.items;
  }
  std::vector<yaml_node> out;
  for (std::size_t begin = 0; begin < value.text.size();) {
    const auto end = std::min(value.text.find(',', begin), value.text.size());
    auto& n = out.emplace_back();
    n.type = node_kind::scalar;
    n.at = value.at;
    n.text = value.text.substr(begin, end - begin);
    begin = end + 1;
  }
  return out;
}

void bind_scalar(kind type, const range& bounds, const slot& s, const yaml_node& value, const context& c) {
  if (value.type != node_kind::scalar) {
    c.complain(value.at, instead_of(value, expectation(type, bounds, s)));
    return;
  }
  const auto wrong = write_scalar(type, bounds, s, value.text);
  if (!wrong.empty()) {
    c.complain(value.at, wrong);
  }
}

/// What two keys of one server must be to each other.
void check_server(const server& s, const yaml_node& value, const context& c) {
  if (s.name.empty()) {
    c.complain(value.at, "has no name; add `name: …`");
  }
  if (s.command.empty() == s.url.empty()) {
    c.complain(value.at, s.url.empty() ? "has neither command nor url; add one of them"
                                       : "has both command and url; remove one of them");
  }
  if (!s.url.empty() && !s.env.empty()) {
    c.complain(value.at, "has env, which needs a command; remove it");
  }
}

server bind_server(const yaml_node& value, const context& c) {
  server s;
  if (value.type != node_kind::map) {
    c.complain(value.at, instead_of(value, "a map with name and command or url"));
    return s;
  }
  const auto before = c.r.problems.size();
  map_binder<server>(server_schema(), s).bind(value, {}, c);
  if (c.r.problems.size() == before) {  // else a part may only be missing because it was wrong
    check_server(s, value, c);
  }
  return s;
}

std::string bind_text(const yaml_node& value, const context& c) {
  std::string out;
  bind_scalar(kind::text, element_bytes, &out, value, c);
  return out;
}

/// Binds a list element by element with `bind_one`, and stores it if all of them were right.
template <class E, class Bind>
void bind_list(std::vector<E>& out, const yaml_node& value, const context& c, Bind bind_one) {
  const auto before = c.r.problems.size();
  std::vector<E> fresh;
  const auto nodes = elements(value);
  if (nodes.size() > max_elements) {
    c.complain(value.at, fmt::format("has {} entries; at most {} are allowed", nodes.size(), max_elements));
    return;
  }
  for (std::size_t i = 0; i < nodes.size() && !c.r.full(); ++i) {
    fresh.push_back(bind_one(nodes[i], c.below(fmt::format("[{}]", i))));
  }
  if (c.r.problems.size() == before) {
    out = std::move(fresh);
  }
}

void bind_map(std::map<std::string, std::string>& out, const yaml_node& value, const context& c) {
  const auto before = c.r.problems.size();
  if (value.entries.size() > max_elements) {
    c.complain(value.at,
               fmt::format("has {} entries; at most {} are allowed", value.entries.size(), max_elements));
    return;
  }
  std::map<std::string, std::string> fresh;
  for (const auto& [name, v] : value.entries) {
    const auto below = c.below(log::printable(name.text, 80));
    if (name.text.empty() || name.text.find_first_of(std::string_view("=\0", 2)) != std::string::npos) {
      below.complain(name.at, "is no name for a variable");
    } else if (!fresh.emplace(name.text, bind_text(v, below)).second) {
      below.complain(name.at, "stands here a second time; write it once");
    }
  }
  if (c.r.problems.size() == before) {
    out = std::move(fresh);
  }
}

void bind_servers(std::vector<server>& out, const yaml_node& value, const context& c) {
  std::set<std::string> names;
  bind_list(out, value, c, [&](const yaml_node& n, const context& below) {
    auto s = bind_server(n, below);
    if (!s.name.empty() && !names.insert(s.name).second) {
      below.complain(n.at, fmt::format("has the name {}, which another server has", quote(s.name)));
    }
    return s;
  });
}

/// Whether a node of kind `n` can be a value of `type` at all. An empty list or map may also be no value: a
/// key whose entries are all comments.
bool has_shape(kind type, node_kind n) {
  switch (type) {
    case kind::words:
    case kind::servers:
      return n == node_kind::list || n == node_kind::null;
    case kind::addresses:
    case kind::urls:
      return n != node_kind::map;
    case kind::map:
      return n == node_kind::map || n == node_kind::null;
    default:
      return n == node_kind::scalar;
  }
}

template <class T>
void assign(const key<T>& k, T& object, const yaml_node& value, const context& c) {
  const auto s = k.at(object);
  const auto before = c.r.problems.size();
  if (!has_shape(k.type, value.type)) {
    c.complain(value.at, instead_of(value, expectation(k.type, k.bounds, s)));
  } else if (auto* const* addresses = std::get_if<std::vector<address>*>(&s)) {
    bind_list(**addresses, value, c, [&](const yaml_node& n, const context& below) {
      address a;
      bind_scalar(kind::address, k.bounds, &a, n, below);
      return a;
    });
  } else if (k.type == kind::urls) {
    bind_list(**std::get_if<std::vector<std::string>*>(&s), value, c,
              [](const yaml_node& n, const context& below) {
                std::string url;
                bind_scalar(kind::url, range{1, 2048}, &url, n, below);
                return url;
              });
  } else if (auto* const* words = std::get_if<std::vector<std::string>*>(&s)) {
    bind_list(**words, value, c, bind_text);
  } else if (auto* const* map = std::get_if<std::map<std::string, std::string>*>(&s)) {
    bind_map(**map, value, c);
  } else if (auto* const* servers = std::get_if<std::vector<server>*>(&s)) {
    bind_servers(**servers, value, c);
  } else {
    bind_scalar(k.type, k.bounds, s, value, c);
  }
  if (c.r.problems.size() == before) {
    c.r.assigned.push_back({c.path, value.at});
  }
}

}  // namespace

void report::add(place at, std::string key, std::string what) {
  if (problems.size() + 1 == max_problems) {
    problems.push_back({{}, {}, "there are more problems; fix these first"});
  } else if (!full()) {
    problems.push_back({at, std::move(key), std::move(what)});
  }
}

void bind_value(const key<settings>& k, settings& object, const yaml_node& value, report& r) {
  assign(k, object, value, context{std::string(k.path), r});
}

void bind_all(settings& object, const yaml_node& root, report& r) {
  if (root.type == node_kind::map) {
    map_binder<settings>(schema(), object).bind(root, {}, context{{}, r});
  } else if (root.type != node_kind::null) {  // nothing but comments
    r.add(root.at, {}, instead_of(root, "a map of keys, such as `listen: 127.0.0.1:8080`"));
  }
}

std::vector<std::string> known_paths() {
  return paths_and_sections(schema());
}

}  // namespace cafmcp::config
