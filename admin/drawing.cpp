#include "admin/drawing.hpp"

#include <algorithm>
#include <cstdio>

#include "base/assert.hpp"
#include "base/log.hpp"

namespace cafmcp::admin {

using json = nlohmann::ordered_json;

std::size_t columns(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string padded(std::string text, std::size_t wanted, std::size_t width) {
  return std::move(text) + std::string(wanted > width ? wanted - width : 0, ' ');
}

std::string paint(const std::string& text, const char* code, bool colours) {
  return colours && *code != '\0' ? std::string{"\x1b["} + code + 'm' + text + "\x1b[0m" : text;
}

const json& member_of(const json& object, const char* key) {
  static const json nothing;
  if (!object.is_object())
    return nothing;
  const auto i = object.find(key);
  return i == object.end() ? nothing : *i;
}

std::string text_of(const json& object, const char* key) {
  const auto& value = member_of(object, key);
  return value.is_string() ? log::printable(value.get<std::string>()) : std::string{};
}

std::uint64_t number_of(const json& object, const char* key) {
  const auto& value = member_of(object, key);
  const bool good =
      value.is_number_unsigned() || (value.is_number_integer() && value.get<std::int64_t>() >= 0);
  return good ? value.get<std::uint64_t>() : 0;
}

double figure_of(const json& object, const char* key) {
  const auto& value = member_of(object, key);
  return value.is_number() ? value.get<double>() : 0;
}

std::string decimal(double number, int digits) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.*f", digits, number);
  return text;
}

std::string in_bytes(double bytes) {
  constexpr const char* units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < std::size(units); ++unit)
    bytes /= 1024;
  return decimal(bytes, unit == 0 ? 0 : 1) + ' ' + units[unit];
}

std::string or_dash(std::string text) {
  return text.empty() ? "-" : std::move(text);
}

std::string key_line(const std::string& key, const std::string& text) {
  constexpr std::size_t key_width = 14;
  return padded(key, key_width, columns(key)) + ' ' + (text.empty() ? "-" : text) + '\n';
}

std::string grouped(std::uint64_t number) {
  auto out = std::to_string(number);
  for (auto i = out.size(); i > 3; i -= 3)
    out.insert(i - 3, 1, ' ');
  return out;
}

std::string text_table::draw(bool colours) const {
  std::vector<std::size_t> widths;
  for (const auto& c : columns_)
    widths.push_back(columns(c.title));
  for (const auto& row : rows_) {
    CAFMCP_ASSERT(row.size() == columns_.size());
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], columns(row[i].text));
  }
  const auto line = [&](const std::vector<cell>& row) {
    std::string out;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const auto width = columns(row[i].text);
      const auto text = paint(row[i].text, row[i].code, colours);
      const bool last = i + 1 == row.size();
      if (columns_[i].right)
        out += std::string(widths[i] - width, ' ') + text;
      else
        out += last ? text : padded(text, widths[i], width);
      out += last ? "\n" : "  ";
    }
    return out;
  };
  std::vector<cell> titles;
  for (const auto& c : columns_)
    titles.push_back({c.title, "2"});
  auto out = line(titles);
  for (const auto& row : rows_)
    out += line(row);
  return out;
}

}  // namespace cafmcp::admin
