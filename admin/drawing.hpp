#pragma once
// What drawings for terminals are made of: cells, columns, colours, and the careful reading of JSON that came
// over the network. What is drawn from elsewhere can't move the cursor or change a colour. Pure functions.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace cafmcp::admin {

/// Terminal columns of UTF-8 text; all that we draw is one column wide.
std::size_t columns(const std::string& text);

/// `text`, which takes `width` columns on the screen whatever escapes it has, filled up to `wanted`.
std::string padded(std::string text, std::size_t wanted, std::size_t width);

/// `text` with an ANSI attribute, if colours are wanted.
std::string paint(const std::string& text, const char* code, bool colours);

/// A string of an object, fit for a terminal; empty if there is none.
std::string text_of(const nlohmann::ordered_json& object, const char* key);

/// A number that isn't negative; 0 if there is none.
std::uint64_t number_of(const nlohmann::ordered_json& object, const char* key);

/// A member; null if there is none.
const nlohmann::ordered_json& member_of(const nlohmann::ordered_json& object, const char* key);

/// What a thing is, and the thing, as a line; a dash for an empty one.
std::string key_line(const std::string& key, const std::string& text);

/// A number of any kind; 0 if there is none.
double figure_of(const nlohmann::ordered_json& object, const char* key);

/// `number` with so many digits behind the point.
std::string decimal(double number, int digits);

/// Bytes with a unit: "8.0 KiB".
std::string in_bytes(double bytes);

/// The text, or a dash if it is empty.
std::string or_dash(std::string text);

/// `1234567` as "1 234 567".
std::string grouped(std::uint64_t number);

/// A table under construction: a row of titles, and rows of cells below.
class text_table {
 public:
  struct column {
    const char* title;
    bool right = false;  ///< numbers
  };
  struct cell {
    std::string text;
    const char* code = "";  ///< an ANSI attribute; empty: none
  };

  explicit text_table(std::vector<column> titles) : columns_(std::move(titles)) {}

  /// Adds a row, with a cell for each column.
  void add(std::vector<cell> row) { rows_.push_back(std::move(row)); }

  std::string draw(bool colours) const;

 private:
  std::vector<column> columns_;
  std::vector<std::vector<cell>> rows_;
};

}  // namespace cafmcp::admin
