#include "mcp/call.hpp"

#include "mcp/writer.hpp"

namespace cafmcp::mcp {

cafmcp::result<json> parsed_arguments(const call& c) {
  auto value = json::parse(c.arguments, nullptr, false);
  if (!value.is_object()) {
    return fail(errc::invalid, "arguments cannot be read; is a number out of range?");
  }
  return cafmcp::result<json>(boost::system::in_place_value, std::move(value));
}

std::string finish(const call& c, const call_result& x) {
  return write_result(c.id, dump(to_json(x, c.version)));
}

std::string finish(const call& c, const read_result& x) {
  return write_result(c.id, dump(to_json(x, c.version)));
}

std::string finish(const call& c, const prompt_result& x) {
  return write_result(c.id, dump(to_json(x, c.version)));
}

std::string finish(const call& c, const completion_result& x) {
  return write_result(c.id, dump(to_json(x, c.version)));
}

std::string finish(const call& c, const rpc_error& e) {
  return write_error(c.id, e);
}

std::string finish_raw(const call& c, std::string_view raw_result) {
  return write_result(c.id, raw_result);
}

std::string finish_bad_arguments(const call& c, std::string_view detail) {
  const auto error = invalid_params(detail);
  if (c.method == method::tools_call && has(c.version, feature::input_error_as_result)) {
    return finish(c, text_result(error.message, true));
  }
  return finish(c, error);
}

}  // namespace cafmcp::mcp
