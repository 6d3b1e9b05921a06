#include "bench/answer.hpp"

#include <array>
#include <nlohmann/json.hpp>

namespace cafmcp::bench {

namespace {

using nlohmann::json;

void append_string(std::string_view text, std::string& out) {
  constexpr std::string_view hex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += hex[byte >> 4];
      out += hex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

// nlohmann's parser checks the whole message and tells this about its parts, which keeps the two that the
// answer holds: no tree is built. Of the path to a value only the depth and whether it is params.arguments so
// far are needed.
class id_and_text : public nlohmann::json_sax<json> {
 public:
  bool is_object() const { return is_object_; }
  const std::string& id() const { return id_; }      // as JSON; empty when absent
  const std::string& text() const { return text_; }  // empty when absent

  bool null() override { return scalar("null"); }
  bool boolean(bool value) override { return scalar(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override {
    return at_id() ? scalar(std::to_string(value)) : true;
  }
  bool number_unsigned(number_unsigned_t value) override {
    return at_id() ? scalar(std::to_string(value)) : true;
  }
  bool number_float(number_float_t, const string_t& written) override { return scalar(written); }
  bool binary(binary_t&) override { return true; }
  bool string(string_t& value) override {
    if (at_id()) {
      id_.clear();
      append_string(value, id_);
    } else if (depth_ == 3 && on_path_ == 2 && key_ == "message") {
      text_.swap(value);
    }
    return true;
  }
  bool start_object(std::size_t) override {
    is_object_ = is_object_ || depth_ == 0;
    if (on_path_ + 1 == depth_ && depth_ <= 2 && key_ == (depth_ == 1 ? "params" : "arguments"))
      ++on_path_;
    ++depth_;
    return true;
  }
  bool end_object() override {
    --depth_;
    on_path_ = std::min(on_path_, depth_ > 0 ? depth_ - 1 : 0);
    key_.clear();
    return true;
  }
  bool start_array(std::size_t) override {
    ++depth_;
    key_.clear();
    return true;
  }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool key(string_t& name) override {
    key_.swap(name);
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  bool at_id() const { return depth_ == 1 && is_object_ && key_ == "id"; }
  bool scalar(std::string_view written) {
    if (at_id())
      id_ = written;
    return true;
  }

  std::string key_;  // the last one seen
  std::string id_;
  std::string text_;
  int depth_ = 0;    // of open objects and arrays
  int on_path_ = 0;  // 1 within params, 2 within params.arguments
  bool is_object_ = false;
};

void append_error(int code, std::string_view message, std::string& out) {
  out += R"({"jsonrpc":"2.0","id":null,"error":{"code":)";
  out += std::to_string(code);
  out += R"(,"message":")";
  out += message;
  out += "\"}}";
}

}  // namespace

bool append_answer(std::string_view message, std::string& out) {
  id_and_text found;
  if (!json::sax_parse(message.begin(), message.end(), &found)) {
    append_error(-32700, "Parse error", out);
    return true;
  }
  if (!found.is_object()) {
    append_error(-32600, "Invalid request", out);
    return true;
  }
  if (found.id().empty())
    return false;
  out += R"({"jsonrpc":"2.0","id":)";
  out += found.id();
  out += R"(,"result":{"content":[{"type":"text","text":)";
  append_string(found.text(), out);
  out += "}]}}";
  return true;
}

}  // namespace cafmcp::bench
