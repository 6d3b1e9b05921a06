#include "tests/fuzz/json_oracle.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace cafmcp::fuzz {

namespace {

using nlohmann::json;

// nlohmann's id for a number that a double can't hold.
constexpr int number_out_of_range = 406;

class looker final : public json::json_sax_t {
 public:
  explicit looker(json_seen& seen) : seen_(seen) {}

  bool null() override { return value(json_kind::null); }
  bool boolean(bool) override { return value(json_kind::boolean); }
  bool number_integer(number_integer_t) override { return value(json_kind::integer); }
  bool number_unsigned(number_unsigned_t) override { return value(json_kind::integer); }
  bool number_float(number_float_t, const string_t& raw) override {
    // Integers that need more than 64 bits come here too.
    return value(raw.find_first_of(".eE") == std::string::npos ? json_kind::integer : json_kind::number);
  }
  bool string(string_t& text) override { return value(json_kind::string, text); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(json_kind::object); }
  bool start_array(std::size_t) override { return open(json_kind::array); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    name_ = name;
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const json::exception& e) override {
    out_of_range = e.id == number_out_of_range;
    return false;
  }

  bool out_of_range = false;

 private:
  bool value(json_kind kind, const std::string& text = {}) {
    if (open_.empty())
      seen_.kind = kind;
    else if (open_.size() == 1 && open_[0] == json_kind::array)
      ++seen_.elements;
    else if (open_.size() == 1)
      seen_.members.push_back({name_, kind, text});
    else if (open_.size() == 2 && in_error_)
      seen_.in_errors.push_back({name_, kind, text});
    return true;
  }

  bool open(json_kind kind) {
    value(kind);
    if (open_.size() == 1)
      in_error_ = open_[0] == json_kind::object && kind == json_kind::object && name_ == "error";
    open_.push_back(kind);
    seen_.depth = std::max(seen_.depth, open_.size());
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  json_seen& seen_;
  std::vector<json_kind> open_;
  std::string name_;
  bool in_error_ = false;
};

using members = std::vector<json_member>;

const json_member* find(const members& all, std::string_view name) {
  const auto it = std::find_if(all.begin(), all.end(), [&](const auto& m) { return m.name == name; });
  return it == all.end() ? nullptr : &*it;
}

bool repeated(const members& all, std::string_view name) {
  return std::count_if(all.begin(), all.end(), [&](const auto& m) { return m.name == name; }) > 1;
}

bool is(const json_member* m, json_kind kind) {
  return m != nullptr && m->kind == kind;
}

bool good_error(const json_seen& seen) {
  const auto& in = seen.in_errors;
  return is(find(seen.members, "error"), json_kind::object) && !repeated(in, "code") &&
         !repeated(in, "message") && is(find(in, "code"), json_kind::integer) &&
         is(find(in, "message"), json_kind::string);
}

expected_message expected_call(const json_seen& seen, bool has_id) {
  const auto* params = find(seen.members, "params");
  const bool good = is(find(seen.members, "method"), json_kind::string) &&
                    find(seen.members, "result") == nullptr && find(seen.members, "error") == nullptr &&
                    (params == nullptr || params->kind == json_kind::object);
  if (!good)
    return expected_message::none;
  return has_id ? expected_message::request : expected_message::notification;
}

expected_message expected_answer(const json_seen& seen, bool has_id) {
  const auto* result = find(seen.members, "result");
  const auto* error = find(seen.members, "error");
  if ((result == nullptr) == (error == nullptr))
    return expected_message::none;
  if (result != nullptr)
    return has_id && result->kind == json_kind::object ? expected_message::response : expected_message::none;
  return good_error(seen) ? expected_message::error : expected_message::none;
}

}  // namespace

json_seen look_at(std::string_view bytes) {
  json_seen seen;
  // nlohmann ends at a zero byte and steps over a byte order mark; neither is JSON.
  const bool never = bytes.find('\0') != std::string_view::npos || bytes.starts_with("\xEF\xBB\xBF");
  looker eyes(seen);
  if (json::sax_parse(bytes.begin(), bytes.end(), &eyes))
    seen.what = never ? json_seen::verdict::invalid : json_seen::verdict::valid;
  else if (eyes.out_of_range && !never)
    seen.what = json_seen::verdict::unknown;
  return seen;
}

expected_message expected_of(const json_seen& seen) {
  constexpr std::size_t surely_short_id = 40;  // in bytes; six times that is still within the bound
  const auto& all = seen.members;
  for (const auto* name : {"jsonrpc", "id", "method", "params", "result", "error"})
    if (repeated(all, name))
      return expected_message::none;
  const auto* version = find(all, "jsonrpc");
  if (seen.kind != json_kind::object || !is(version, json_kind::string) || version->text != "2.0")
    return expected_message::none;
  const auto* id = find(all, "id");
  const bool has_id = is(id, json_kind::string) || is(id, json_kind::integer);
  const bool call = find(all, "method") != nullptr;
  const bool null_id = !call && find(all, "error") != nullptr && is(id, json_kind::null);
  if (id != nullptr && !has_id && !null_id)
    return expected_message::none;
  if (has_id && id->text.size() > surely_short_id)
    return expected_message::unknown;
  return call ? expected_call(seen, has_id) : expected_answer(seen, has_id);
}

}  // namespace cafmcp::fuzz
