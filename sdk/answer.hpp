#pragma once
// What a handler says. A handler returns whatever converts to an `answer`: for a tool a text, JSON, pieces of
// content or a whole result; for a resource a text or contents; for a prompt a text (one message of the
// user's) or messages; for a completion the values; and for all of them `cafmcp::error`, or a
// `cafmcp::result` of any of these. How it is written depends on what was called and on the client's
// revision. Value type: thread-compatible.

#include <concepts>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "mcp/content.hpp"
#include "mcp/errors.hpp"

namespace cafmcp::sdk {

/// JSON as handlers see it. Results may also be `mcp::json`, which keeps the order of its members.
using json = nlohmann::json;

/// See above.
class answer {
 public:
  /// A text, and perhaps structured content beside it.
  struct text {
    std::string body;
    std::string structured;  ///< raw JSON object; empty: none
  };
  using body_type = std::variant<text, mcp::call_result, mcp::read_result, mcp::prompt_result,
                                 mcp::completion_result, error, mcp::rpc_error>;

  answer(std::string body) : body_(text{std::move(body), {}}) {}
  answer(std::string_view body) : body_(text{std::string(body), {}}) {}
  answer(const char* body) : body_(text{body, {}}) {}

  /// JSON: an object is sent as structured content and as text, anything else as text.
  answer(const json& value);
  answer(const mcp::json& value);
  template <class T>
  requires std::is_arithmetic_v<T> answer(T number) : answer(json(number)) {}

  /// A text for models and an object for programs, which say the same.
  answer(std::string body, const json& structured);

  answer(mcp::call_result result) : body_(std::move(result)) {}
  answer(mcp::content piece);
  answer(std::vector<mcp::content> pieces);
  answer(mcp::read_result result) : body_(std::move(result)) {}
  /// An empty URI stands for the one that was asked for, an empty type for the one that was registered.
  answer(mcp::resource_contents contents);
  answer(mcp::prompt_result result) : body_(std::move(result)) {}
  answer(std::vector<mcp::prompt_message> messages);
  answer(mcp::completion_result result) : body_(std::move(result)) {}
  answer(std::vector<std::string> values);

  /// What went wrong, for the one who called: of a tool a result with `isError`, else a JSON-RPC error.
  answer(error what) : body_(std::move(what)) {}
  /// A JSON-RPC error in any case.
  answer(mcp::rpc_error what) : body_(std::move(what)) {}

  /// The value or the error.
  template <class T>
  requires std::convertible_to<T, answer> answer(result<T> outcome)
      : answer(outcome ? answer(std::move(*outcome)) : answer(std::move(outcome).error())) {}

  body_type& body() noexcept { return body_; }

 private:
  body_type body_;
};

}  // namespace cafmcp::sdk
