#include "mcp/writer.hpp"

#include <charconv>

#include "mcp/text.hpp"

namespace cafmcp::mcp {
namespace {

constexpr std::string_view head = R"({"jsonrpc":"2.0")";
/// More than all fixed parts of any message.
constexpr std::size_t envelope_bytes = 80;

std::string begin(std::size_t variable_bytes) {
  std::string out;
  out.reserve(envelope_bytes + variable_bytes);
  out += head;
  return out;
}

void append_id(std::string& out, std::string_view id) {
  out += R"(,"id":)";
  append_raw(out, id);
}

void append_call(std::string& out, std::string_view method, std::string_view params) {
  out += R"(,"method":)";
  append_string(out, method);
  if (!params.empty()) {
    out += R"(,"params":)";
    append_raw(out, params);
  }
  out += '}';
}

}  // namespace

std::string write_result(std::string_view id, std::string_view body) {
  auto out = begin(id.size() + body.size());
  append_id(out, id);
  out += R"(,"result":)";
  append_raw(out, body);
  out += '}';
  return out;
}

std::string write_error(std::string_view id, const rpc_error& e) {
  auto out = begin(id.size() + e.message.size() + e.data.size());
  append_id(out, id);
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, e.code).ptr;
  out += R"(,"error":{"code":)";
  out.append(digits, end);
  out += R"(,"message":)";
  append_string(out, e.message);
  if (!e.data.empty()) {
    out += R"(,"data":)";
    append_raw(out, e.data);
  }
  out += "}}";
  return out;
}

std::string write_request(std::string_view id, std::string_view method, std::string_view params) {
  auto out = begin(id.size() + method.size() + params.size());
  append_id(out, id);
  append_call(out, method, params);
  return out;
}

std::string write_notification(std::string_view method, std::string_view params) {
  auto out = begin(method.size() + params.size());
  append_call(out, method, params);
  return out;
}

std::string write_batch(std::span<const std::string> answers) {
  std::string out;
  for (const auto& answer : answers) {
    out += out.empty() ? '[' : ',';
    out += answer;
  }
  if (!out.empty()) {
    out += ']';
  }
  return out;
}

}  // namespace cafmcp::mcp
