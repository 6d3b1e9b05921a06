#include "sdk/answer.hpp"

namespace cafmcp::sdk {

namespace {

template <class Json>
std::string one_line(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

template <class Json>
answer::text text_of(const Json& value) {
  answer::text out{one_line(value), {}};
  if (value.is_object())
    out.structured = out.body;
  return out;
}

}  // namespace

answer::answer(const json& value) : body_(text_of(value)) {}

answer::answer(const mcp::json& value) : body_(text_of(value)) {}

answer::answer(std::string body, const json& structured)
    : body_(text{std::move(body), structured.is_object() ? one_line(structured) : std::string{}}) {}

answer::answer(mcp::content piece) {
  auto& result = body_.emplace<mcp::call_result>();
  result.contents.push_back(std::move(piece));
}

answer::answer(std::vector<mcp::content> pieces) {
  body_.emplace<mcp::call_result>().contents = std::move(pieces);
}

answer::answer(mcp::resource_contents contents) {
  body_.emplace<mcp::read_result>().contents.push_back(std::move(contents));
}

answer::answer(std::vector<mcp::prompt_message> messages) {
  body_.emplace<mcp::prompt_result>().messages = std::move(messages);
}

answer::answer(std::vector<std::string> values) {
  body_.emplace<mcp::completion_result>().values = std::move(values);
}

}  // namespace cafmcp::sdk
