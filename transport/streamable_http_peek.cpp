#include "transport/streamable_http_peek.hpp"

#include <nlohmann/json.hpp>
#include <string>

namespace cafmcp::transport {

namespace {

using nlohmann::json;

constexpr std::size_t max_depth = 256;

// Sees the members of the top object, or of the objects in the top array.
class looker final : public json::json_sax_t {
 public:
  peeked seen() const {
    auto out = seen_;
    if (out.what != peeked::shape::not_json && (bad_ || elements_ == 0))
      out.what = peeked::shape::bad;
    return out;
  }

  bool too_deep() const { return too_deep_; }

  bool null() override { return value(type::other); }
  bool boolean(bool) override { return value(type::other); }
  bool number_integer(number_integer_t) override { return value(type::other); }
  bool number_unsigned(number_unsigned_t) override { return value(type::other); }
  bool number_float(number_float_t, const string_t&) override { return value(type::other); }
  bool binary(binary_t&) override { return value(type::other); }

  bool string(string_t& text) override {
    if (at_member()) {
      versioned_ = versioned_ || (member_ == member::jsonrpc && text == "2.0");
      initialize_ = initialize_ || (member_ == member::method && text == "initialize");
    }
    return value(type::string);
  }

  bool start_object(std::size_t) override {
    if (depth_ == element_depth()) {
      versioned_ = method_ = initialize_ = id_ = result_ = error_ = false;
      ++elements_;
    } else {
      value(type::object);
    }
    return deeper();
  }

  bool key(string_t& name) override {
    if (depth_ != element_depth() + 1)
      return true;
    member_ = name == "jsonrpc"  ? member::jsonrpc
              : name == "method" ? member::method
              : name == "id"     ? member::id
              : name == "params" ? member::params
              : name == "result" ? member::result
              : name == "error"  ? member::error
                                 : member::other;
    return true;
  }

  bool end_object() override {
    if (--depth_ != element_depth())
      return true;
    // Exactly one of them makes it a call, a response or an error.
    bad_ = bad_ || !versioned_ || method_ + result_ + error_ != 1;
    seen_.requests = seen_.requests || (method_ && id_);
    seen_.initialize = seen_.initialize || (method_ && id_ && initialize_);
    return true;
  }

  bool start_array(std::size_t) override {
    if (depth_ == 0)
      array_ = true;
    else
      value(type::other);
    return deeper();
  }

  bool end_array() override {
    --depth_;
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const json::exception&) override { return false; }

  // All of it was JSON.
  void complete() { seen_.what = array_ ? peeked::shape::batch : peeked::shape::message; }

 private:
  enum class member : unsigned char { other, jsonrpc, method, id, params, result, error };
  enum class type : unsigned char { string, object, other };

  std::size_t element_depth() const { return array_ ? 1 : 0; }
  bool at_member() const { return depth_ == element_depth() + 1; }

  bool deeper() {
    too_deep_ = ++depth_ > max_depth;
    return !too_deep_;
  }

  // A value begins.
  bool value(type what) {
    if (!at_member()) {
      // A scalar, or an array in an array, where a message should be.
      bad_ = bad_ || depth_ <= element_depth();
      return true;
    }
    const bool objects = member_ == member::params || member_ == member::result || member_ == member::error;
    bad_ = bad_ || (member_ == member::method && what != type::string) || (objects && what != type::object);
    method_ = method_ || member_ == member::method;
    id_ = id_ || member_ == member::id;
    result_ = result_ || member_ == member::result;
    error_ = error_ || member_ == member::error;
    return true;
  }

  peeked seen_;
  member member_ = member::other;
  std::size_t depth_ = 0;
  std::size_t elements_ = 0;
  bool array_ = false;
  bool bad_ = false;
  bool too_deep_ = false;
  // Of the element that is being read.
  bool versioned_ = false;
  bool method_ = false;
  bool initialize_ = false;
  bool id_ = false;
  bool result_ = false;
  bool error_ = false;
};

}  // namespace

peeked peek(std::string_view bytes) {
  looker eyes;
  if (json::sax_parse(bytes.begin(), bytes.end(), &eyes) || eyes.too_deep())
    eyes.complete();
  auto out = eyes.seen();
  if (eyes.too_deep())
    out.what = peeked::shape::bad;
  return out;
}

}  // namespace cafmcp::transport
