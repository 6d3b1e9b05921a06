#define VALIJSON_USE_EXCEPTIONS 1  // without it valijson ends the process over a bad schema

#include "actors/schema_check.hpp"

#include <algorithm>
#include <array>
#include <regex>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

namespace cafmcp::actors {

namespace {

using nlohmann::json;

constexpr std::size_t max_depth = 64;
constexpr std::size_t max_faults = 3;

// Keywords of later drafts, which valijson passes over in silence.
constexpr std::array unknown_keywords{
    "$anchor",          "$dynamicRef",           "$dynamicAnchor",   "$recursiveRef",     "prefixItems",
    "unevaluatedItems", "unevaluatedProperties", "dependentSchemas", "dependentRequired", "minContains",
    "maxContains"};

// Keywords whose members are names of the user's, each with a schema.
constexpr std::array schema_maps{"properties", "patternProperties", "$defs", "definitions",
                                 "dependentSchemas"};

// Keywords whose values are data, where nothing is a keyword.
constexpr std::array data_keywords{"const", "enum", "default", "examples", "required", "dependentRequired"};

template <class Range>
bool contains(const Range& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Walks through all schemas in a schema.
class survey {
 public:
  // Returns what is wrong, empty if nothing.
  std::string visit(const json& node, const std::string& path, std::size_t depth) {
    if (depth > max_depth)
      return "is nested too deep at " + path;
    if (node.is_array()) {
      for (std::size_t i = 0; i < node.size(); ++i)
        if (auto fault = visit(node[i], path + '/' + std::to_string(i), depth + 1); !fault.empty())
          return fault;
      return {};
    }
    if (!node.is_object())
      return {};
    for (const auto& [key, value] : node.items())
      if (auto fault = keyword(key, value, path + '/' + key, depth); !fault.empty())
        return fault;
    return {};
  }

  std::vector<std::string> unchecked;
  bool matches_strings = false;

 private:
  std::string keyword(const std::string& key, const json& value, const std::string& path, std::size_t depth) {
    if (contains(unknown_keywords, key))
      unchecked.push_back(path);
    if (contains(data_keywords, key))
      return {};
    if (key == "$ref" && (!value.is_string() || !value.get_ref<const std::string&>().starts_with('#')))
      return "refers to another document at " + path + "; put what it needs under $defs";
    if (key == "$ref" && value.get_ref<const std::string&>() != "#" &&
        !value.get_ref<const std::string&>().starts_with("#/"))
      unchecked.push_back(path);
    matches_strings = matches_strings || key == "pattern" || key == "format" || key == "patternProperties";
    if (key == "pattern" && value.is_string() && !is_pattern(value.get<std::string>()))
      return "has no valid regular expression at " + path;
    if (!contains(schema_maps, key))
      return visit(value, path, depth + 1);
    if (!value.is_object())
      return "must have an object at " + path;
    for (const auto& [name, schema] : value.items()) {
      if (key == "patternProperties" && !is_pattern(name))
        return "has no valid regular expression at " + path;
      if (auto fault = visit(schema, path + '/' + name, depth + 2); !fault.empty())
        return fault;
    }
    return {};
  }

  static bool is_pattern(const std::string& text) {
    try {
      const std::regex pattern{text};
      return true;
    } catch (const std::regex_error&) {
      return false;
    }
  }
};

bool has_long_string(const json& value) {
  if (value.is_string())
    return value.get_ref<const std::string&>().size() > schema_check::max_matched_bytes;
  if (value.is_object())
    return std::any_of(value.items().begin(), value.items().end(), [](const auto& item) {
      return item.key().size() > schema_check::max_matched_bytes || has_long_string(item.value());
    });
  return value.is_array() && std::any_of(value.begin(), value.end(), has_long_string);
}

// valijson's context, `<root>`, `[items]`, `[2]`, as a person writes it.
std::string path_of(const std::vector<std::string>& context) {
  std::string path = "arguments";
  for (std::size_t i = 1; i < context.size(); ++i) {
    auto part = context[i];
    if (part.size() > 2 && part.front() == '[' && part.back() == ']')
      part = part.substr(1, part.size() - 2);
    const bool index = !part.empty() && part.find_first_not_of("0123456789") == std::string::npos;
    path += index ? '[' + part + ']' : '.' + part;
  }
  return path;
}

}  // namespace

result<schema_check> schema_check::compile(const nlohmann::ordered_json& schema) {
  if (!schema.is_object())
    return fail(errc::invalid, "the input schema must be an object");
  const json document = schema;
  survey all;
  if (const auto fault = all.visit(document, "", 0); !fault.empty())
    return fail(errc::invalid, "the input schema " + fault);
  schema_check out;
  out.unchecked_ = std::move(all.unchecked);
  out.matches_strings_ = all.matches_strings;
  try {
    auto compiled = std::make_shared<valijson::Schema>();
    // The parser takes `$anchor` references for names of documents; what can't be checked is known by now.
    valijson::SchemaParser parser{valijson::SchemaParser::kDraft7};
    parser.populateSchema(valijson::adapters::NlohmannJsonAdapter{document}, *compiled);
    out.schema_ = std::move(compiled);
  } catch (const std::exception& e) {
    return fail(errc::invalid, std::string{"the input schema can't be used: "} + e.what());
  }
  return out;
}

result<void> schema_check::check(const json& arguments) const {
  if (matches_strings_ && has_long_string(arguments))
    return fail(errc::invalid, "arguments: a string is longer than " + std::to_string(max_matched_bytes) +
                                   " bytes, which is too long to match against a pattern");
  valijson::ValidationResults faults;
  try {
    valijson::Validator validator;
    if (validator.validate(*schema_, valijson::adapters::NlohmannJsonAdapter{arguments}, &faults))
      return {};
  } catch (const std::exception& e) {
    return fail(errc::invalid, std::string{"arguments: can't be checked: "} + e.what());
  }
  std::string text;
  std::size_t named = 0;
  for (const auto& fault : faults) {
    if (named++ == max_faults)
      break;
    text += (text.empty() ? "" : "; ") + path_of(fault.context) + ": " + fault.description;
  }
  return fail(errc::invalid, text.empty() ? "arguments: do not match the input schema" : text);
}

}  // namespace cafmcp::actors
