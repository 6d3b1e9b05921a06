#include "persistence/operation.hpp"

#include "persistence/crc.hpp"
#include "persistence/fields.hpp"

namespace cafmcp::persistence {

std::uint32_t bucket_of(std::string_view session) noexcept {
  return crc_of(session) % bucket_count;
}

safety safety_of(op_kind kind) noexcept {
  switch (kind) {
    case op_kind::outbound:
    case op_kind::trim:
    case op_kind::touch:
      return safety::ordinary;
    case op_kind::create:
    case op_kind::protocol:
    case op_kind::put:
    case op_kind::remove:
    case op_kind::end:
      break;
  }
  return safety::critical;
}

std::string create_bytes(std::string_view principal, std::int64_t now_ms) {
  std::string out;
  append_field(out, principal);
  append_number(out, static_cast<std::uint64_t>(now_ms));
  return out;
}

std::string protocol_bytes(const mcp::change& change) {
  std::string out;
  append_number(out, static_cast<std::uint64_t>(change.kind));
  append_field(out, change.bytes);
  return out;
}

std::string put_bytes(std::string_view key, std::string_view raw_json) {
  std::string out;
  append_field(out, key);
  append_field(out, raw_json);
  return out;
}

std::string remove_bytes(std::string_view key) {
  std::string out;
  append_field(out, key);
  return out;
}

std::string outbound_bytes(std::string_view stream, std::string_view message) {
  std::string out;
  append_field(out, stream);
  append_field(out, message);
  return out;
}

std::string trim_bytes(std::uint64_t up_to) {
  std::string out;
  append_number(out, up_to);
  return out;
}

std::string touch_bytes(std::int64_t now_ms) {
  std::string out;
  append_number(out, static_cast<std::uint64_t>(now_ms));
  return out;
}

std::string end_bytes(std::string_view reason, std::int64_t now_ms) {
  std::string out;
  append_field(out, reason);
  append_number(out, static_cast<std::uint64_t>(now_ms));
  return out;
}

}  // namespace cafmcp::persistence
