#include "config/show.hpp"

#include <nlohmann/json.hpp>

namespace cafmcp::config {

namespace {

using json = nlohmann::ordered_json;

/// Rows bind to members of an object that may change; only reads go through here.
template <class T>
slot slot_of(const key<T>& k, const T& object) {
  return k.at(const_cast<T&>(object));
}

/// One overload for each type of member.
struct reader {
  kind type;
  bool hide;

  json operator()(const std::string* v) const { return hide && !v->empty() ? "***" : *v; }
  json operator()(const bool* v) const { return *v; }
  json operator()(const std::uint64_t* v) const {
    return type == kind::size ? json(format_size(*v)) : json(*v);
  }
  json operator()(const milliseconds* v) const { return format_duration(*v); }
  json operator()(const address* v) const { return to_string(*v); }
  json operator()(const std::optional<address>* v) const { return *v ? to_string(**v) : "off"; }
  json operator()(const std::vector<address>* v) const {
    auto out = json::array();
    for (const auto& a : *v) {
      out.push_back(to_string(a));
    }
    return out;
  }
  json operator()(const std::vector<std::string>* v) const { return *v; }
  json operator()(const std::map<std::string, std::string>* v) const {
    auto out = json::object();
    for (const auto& [name, value] : *v) {
      out[name] = hide ? "***" : value;
    }
    return out;
  }
  json operator()(const std::vector<server>* v) const {
    auto out = json::array();
    for (const auto& s : *v) {
      auto& entry = out.emplace_back(json::object());
      for (const auto& k : server_schema()) {
        const bool hidden = type == kind::servers && hide && k.has(secret);
        entry[std::string(k.path)] = std::visit(reader{k.type, hidden}, slot_of(k, s));
      }
    }
    return out;
  }
  template <class E>
  requires std::is_enum_v<E> json operator()(E* v) const { return choices(v)[static_cast<std::size_t>(*v)]; }
};

std::string to_text(const key<settings>& k, const settings& s, bool hide) {
  const bool hidden = hide && (k.has(secret) || k.type == kind::servers);
  const auto value = std::visit(reader{k.type, hidden}, slot_of(k, s));
  return value.is_string() ? value.get<std::string>()
                           : value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

std::string text(const key<settings>& k, const settings& s) {
  return to_text(k, s, false);
}

std::string shown(const key<settings>& k, const settings& s) {
  return to_text(k, s, true);
}

}  // namespace cafmcp::config
