#include "sdk/uri_pattern.hpp"

#include <algorithm>

namespace cafmcp::sdk::detail {

namespace {

bool within_segment(char c) {
  return c != '/' && c != '?' && c != '#';
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  });
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  c = static_cast<char>(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

result<uri_pattern> uri_pattern::compile(std::string_view uri_template) {
  uri_pattern out;
  while (!uri_template.empty()) {
    const auto open = std::min(uri_template.find('{'), uri_template.size());
    const auto literal = uri_template.substr(0, open);
    if (literal.find('}') != std::string_view::npos)
      return fail(errc::invalid, "the URI template has a } without a {");
    if (!literal.empty())
      out.parts_.push_back({std::string(literal)});
    uri_template.remove_prefix(open);
    if (uri_template.empty())
      break;
    const auto close = uri_template.find('}');
    if (close == std::string_view::npos)
      return fail(errc::invalid, "the URI template has a { without a }");
    auto name = uri_template.substr(1, close - 1);
    uri_template.remove_prefix(close + 1);
    const bool any = name.starts_with('+');
    name.remove_prefix(any ? 1 : 0);
    if (!is_name(name))
      return fail(errc::invalid,
                  "the URI template has {" + std::string(name) + "}; only {name} and {+name} are supported");
    if (std::any_of(out.parts_.begin(), out.parts_.end(),
                    [&](const part& p) { return p.variable && p.text == name; }))
      return fail(errc::invalid, "the URI template has {" + std::string(name) + "} twice");
    out.parts_.push_back({std::string(name), true, any});
  }
  return out;
}

// Where matching may stand behind a part, if it may stand at `from` before it.
uri_pattern::places uri_pattern::beyond(const part& p, const places& from, std::string_view uri) {
  places to(from.size(), false);
  bool inside = false;
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (!p.variable) {
      if (from[i] && uri.substr(i).starts_with(p.text))
        to[i + p.text.size()] = true;
      continue;
    }
    to[i] = inside || (p.any && from[i]);
    inside = i < uri.size() && (p.any || within_segment(uri[i])) && (inside || from[i]);
  }
  return to;
}

std::optional<json> uri_pattern::match(std::string_view uri) const {
  // Most URIs differ at the beginning.
  if (!parts_.empty() && !parts_.front().variable && !uri.starts_with(parts_.front().text))
    return std::nullopt;
  std::vector<places> reached{places(uri.size() + 1, false)};
  reached[0][0] = true;
  for (const auto& p : parts_)
    reached.push_back(beyond(p, reached.back(), uri));
  if (!reached.back().back())
    return std::nullopt;
  json out = json::object();
  auto end = uri.size();
  for (auto i = parts_.size(); i-- > 0;) {
    const auto& p = parts_[i];
    auto begin = p.variable && !p.any ? end - 1 : end;
    if (!p.variable)
      begin -= p.text.size();
    else
      while (!reached[i][begin])
        --begin;
    if (p.variable)
      out[p.text] = p.any ? std::string(uri.substr(begin, end - begin))
                          : percent_decoded(uri.substr(begin, end - begin));
    end = begin;
  }
  return out;
}

}  // namespace cafmcp::sdk::detail
